"""Our side of the figures: `esm serve` as a user starts it, on a fresh store."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.processes import started

ESM: Final = Path(sys.executable).with_name("esm")
"""The script that installing puts beside the interpreter."""

READY_SECONDS_MAX: Final = 60.0


class Served(NamedTuple):
    """A server of ours that runs."""

    address: str
    pid: int


@contextlib.contextmanager
def serve(
    *, log: Path, data: Path | None = None, dsn: str = "", schema: str = ""
) -> Iterator[Served]:
    """The server on a data folder, or on a schema of a PostgreSQL database."""
    store = [f"--data={data}"] if data else [f"--dsn={dsn}", f"--schema={schema}"]
    command = [str(ESM), "serve", "--address=127.0.0.1:0", "--json", *store]
    with started(command, log) as server:
        yield Served(server.answer(READY_SECONDS_MAX)["address"], server.pid)
