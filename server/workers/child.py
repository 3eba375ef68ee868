"""The projectors in a process of their own, so that reading models costs commands no processor.

``python -m server.workers.child`` gets its store as one line of JSON on standard input. Every
further byte there says that the log has grown, its end that the server is gone. On standard
output it tells positions, a line each: the projection's name and how far it is.
"""

import os
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event

import msgspec

from projections.pump import Pump
from server.application import LogReader
from server.settings import Settings
from server.store import PROJECTIONS, open_log, open_views
from server.workers.projector import Projector, SamePage

PING_BYTES_MAX = 4_096


class Told(msgspec.Struct, frozen=True):
    """Which store to project: a folder, or a PostgreSQL and its schema."""

    data: str
    dsn: str
    schema: str


def main() -> None:
    """Project until standard input ends."""
    told = msgspec.json.decode(sys.stdin.buffer.readline(), type=Told)

    def advanced(name: str, position: int) -> None:
        # Without its server it ends as soon as it looks at its input.
        with suppress(BrokenPipeError):
            os.write(sys.stdout.fileno(), f"{name} {position}\n".encode())

    with ExitStack() as stack:
        settings = Settings(data=Path(told.data), dsn=told.dsn, schema=told.schema)
        log, views = open_log(settings, stack).events_log, open_views(settings, stack)
        page = SamePage(LogReader(log))
        pumps = {p.NAME: Pump(views, p(), page) for p in PROJECTIONS}
        grown = Event()
        projector = Projector(pumps, log.watch, advanced, grown)
        projector.start()
        while os.read(sys.stdin.fileno(), PING_BYTES_MAX):
            grown.set()
        projector.stop()


if __name__ == "__main__":
    main()
