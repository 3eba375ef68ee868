"""Events as the log holds them, with who, when and where beside the fact."""

from uuid import UUID

import msgspec

from esm.events.base import Event


class UnknownEvent(msgspec.Struct, frozen=True):
    """An event of a topic this version does not know: parked by projections, never imported."""

    topic: str
    payload: bytes


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event as the log holds it. Times are integer microseconds UTC; ``payload`` the bytes."""

    position: int
    tenant: str
    aggregate_id: UUID
    version: int
    topic: str
    occurred: int
    recorded: int
    actor: str
    assurance: str
    correlation_id: str
    causation_id: str
    request_id: str
    order_id: str
    payload: bytes
    event: Event | UnknownEvent
