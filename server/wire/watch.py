"""What is muted, as the API shows it."""

from __future__ import annotations

from shipment_exception.v1 import exception_watch_pb2 as pb

from esm.watch.state import Watch
from server.wire.answers import Answer, Frame, Wire, write_instant

_WATCH = Answer(
    pb.Watch,
    Watch,
    {
        "mutes": lambda watch, frame: [
            {"rule": rule, "until": write_instant(until, frame)}
            for rule, until in sorted(watch.muted.items())
        ]
    },
)


def watch(state: Watch, frame: Frame) -> Wire:
    """The resource of a watch."""
    return _WATCH.write(state, frame)
