"""The projectors in a process of their own, so that reading models costs commands no processor.

``python -m server.workers.child`` gets its store as one line of JSON on standard input. Every
further byte there says that the log has grown, its end that the server is gone. On standard
output it tells positions, a line each: the projection's name and how far it is.
"""

import os
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event, Lock

import msgspec
from eventsourcing.utils import Environment

from projections.engine import Engine
from projections.postgres import PostgresEngine
from projections.pump import Pump
from projections.sqlite import SqliteEngine
from server.application import LogReader
from server.storage.folder import EVENTS_FILE
from server.storage.log import EventLog
from server.storage.postgres import PostgresLogFactory, postgres_environment
from server.storage.sqlite import SqliteLogFactory
from server.store import PROJECTIONS, VIEWS_FILE
from server.workers.projector import Projector

PING_BYTES_MAX = 4_096


class Told(msgspec.Struct, frozen=True):
    """Which store to project: a folder, or a PostgreSQL and its schema."""

    data: str
    dsn: str
    schema: str


def main() -> None:
    """Project until standard input ends."""
    told = msgspec.json.decode(sys.stdin.buffer.readline(), type=Told)
    say = Lock()

    def advanced(name: str, position: int) -> None:
        # Without its server it ends as soon as it looks at its input.
        with say, suppress(BrokenPipeError):
            os.write(sys.stdout.fileno(), f"{name} {position}\n".encode())

    with ExitStack() as stack:
        log, views = _open(told, stack)
        pings: list[Event] = []
        projectors = []
        for projection in (p() for p in PROJECTIONS):
            ping = Event()
            pings.append(ping)
            pump = Pump(views, projection, LogReader(log))
            projectors.append(Projector(projection.NAME, pump, log.watch, advanced, ping))
        for projector in projectors:
            projector.start()
        while os.read(sys.stdin.fileno(), PING_BYTES_MAX):
            for ping in pings:
                ping.set()
        for projector in projectors:
            projector.stop()


def _open(told: Told, stack: ExitStack) -> tuple[EventLog, Engine]:
    log: EventLog
    views: Engine
    if told.dsn:
        environment = postgres_environment(told.dsn, told.schema)
        factory = PostgresLogFactory(Environment("", environment))
        stack.callback(factory.close)
        log, views = factory.application_recorder(), PostgresEngine(told.dsn, schema=told.schema)
    else:
        folder = Path(told.data)
        embedded = SqliteLogFactory(Environment("", {"SQLITE_DBNAME": str(folder / EVENTS_FILE)}))
        stack.callback(embedded.close)
        log, views = embedded.application_recorder(), SqliteEngine(folder / VIEWS_FILE)
    stack.callback(views.close)
    return log, views


if __name__ == "__main__":
    main()
