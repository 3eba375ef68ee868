"""Our side of the figures: `esm serve` as a user starts it, on a fresh store."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.processes import free_port, started

ESM_COMMAND: Final = Path(sys.executable).with_name("esm")
"""The script that installing puts beside the interpreter."""


class Served(NamedTuple):
    """A server of ours that runs."""

    address: str
    pid: int


@contextlib.contextmanager
def serve(
    *, log: Path, data: Path | None = None, dsn: str = "", schema: str = ""
) -> Iterator[Served]:
    """The server on a data folder, or on a schema of a PostgreSQL database.

    It is ready when a connection to it is; who calls it waits for that.
    """
    address = f"127.0.0.1:{free_port()}"
    store = [f"--data={data}"] if data else [f"--dsn={dsn}", f"--schema={schema}"]
    command = [str(ESM_COMMAND), "serve", f"--address={address}", *store]
    with started(command, log) as server:
        yield Served(address, server.pid)
