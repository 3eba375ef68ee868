"""Events as the API shows them: the envelope, and the stored bytes as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from shipment_exception.v1 import event_pb2 as pb

from esm.codec import encode
from esm.events import Event, Recorded
from esm.ids import event_id
from esm.times import Instant
from server.wire.answers import Answer, Frame, Wire, write_instant
from server.wire.ledger import preview_entry

_EVENT = Answer(
    pb.Event,
    Recorded,
    {"event_id": lambda event, _: event_id(event.aggregate_id, event.version)},
)


class Told(NamedTuple):
    """What a caller told about a command that a preview is made of; "" for not told."""

    occurred: Instant
    actor: str
    assurance: str
    correlation_id: str
    causation_id: str
    request_id: str


def event(value: Recorded, frame: Frame) -> Wire:
    """An event of the log."""
    return _EVENT.write(value, frame)


def preview(events: Sequence[tuple[UUID, int, Event]], told: Told, frame: Frame) -> Wire:
    """The events that a command would record and the entries that they would make."""
    shared: Wire = told._asdict()
    occurred = shared.pop("occurred")
    if occurred:
        shared["occurred"] = write_instant(occurred, frame)
    entries = [
        preview_entry(aggregate, version, made, frame) for aggregate, version, made in events
    ]
    return {
        "events": [
            {
                **shared,
                "event_id": event_id(aggregate, version),
                "topic": made.TOPIC,
                "version": version,
                "aggregate_id": str(aggregate),
                "payload": encode(made),
            }
            for aggregate, version, made in events
        ],
        "entries": [made for made in entries if made is not None],
    }
