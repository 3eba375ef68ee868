"""For information: appends a second of UmaDB, a raw event store over gRPC, with its own client."""

import sys
import threading
import time
from pathlib import Path
from typing import Final
from uuid import uuid4

import umadb

from benchmarks import mix
from benchmarks.frame import Run
from benchmarks.processes import free_port, started

READY_SECONDS_MAX: Final = 20.0
WAIT_SECONDS: Final = 0.05
SERVE: Final = "from umadb.umadb_server_cli import main; main()"
PAYLOAD: Final = bytes(400)


class Unavailable(RuntimeError):
    """The server could not be started here; the text says why."""


def appends(folder: Path, seconds: float) -> Run:
    """One event an append from 64 threads for some seconds. Raises :class:`Unavailable`."""
    address = f"127.0.0.1:{free_port()}"
    store = folder / "umadb"
    store.mkdir()
    options = [f"--listen={address}", f"--db-path={store}"]
    command = [sys.executable, "-c", SERVE, *options]
    log = folder / "umadb.log"
    with started(command, log) as server:
        client = _connected(f"http://{address}")
        if client is None or not server.running:
            raise Unavailable(f"the server does not answer: {server.said().strip()}")
        counts = [0] * mix.CALLERS
        begun = time.perf_counter()
        until = begun + seconds

        def work(number: int) -> None:
            while time.perf_counter() < until:
                tags = [f"case:{uuid4()}"]
                client.append([umadb.Event("exception.note_added.v1", PAYLOAD, tags)])
                counts[number] += 1

        threads = [threading.Thread(target=work, args=(n,)) for n in range(mix.CALLERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        taken = time.perf_counter() - begun
    return Run(sum(counts) / taken, sum(counts))


def _connected(url: str) -> umadb.Client | None:
    until = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < until:
        try:
            client = umadb.Client(url)
            client.head()
        except (umadb.TransportError, RuntimeError):
            time.sleep(WAIT_SECONDS)
        else:
            return client
    return None
