"""Folding facts into state: one table from event type to its step, for every aggregate."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from esm.clock.evolve import STEPS as CLOCK_STEPS
from esm.clock.evolve import begun
from esm.clock.state import StoreClock
from esm.events import (
    CataloguePublished,
    ClockAdvanced,
    Detected,
    Event,
    OrderRecorded,
    Recorded,
    RuleMuted,
    UnknownEvent,
)
from esm.exception.evolve import STEPS as CASE_STEPS
from esm.exception.evolve import detected
from esm.exception.state import Case
from esm.order.evolve import STEPS as ORDER_STEPS
from esm.order.evolve import recorded
from esm.order.state import Order
from esm.watch.evolve import STEPS as WATCH_STEPS
from esm.watch.evolve import begun as watch_begun
from esm.watch.state import Watch

State = Case | Order | CataloguePublished | StoreClock | Watch
"""What an aggregate can be; a published catalogue is its own state."""

_STEPS: dict[type[Event], Callable[..., Any]] = {
    **CASE_STEPS,
    **ORDER_STEPS,
    **CLOCK_STEPS,
    **WATCH_STEPS,
}


def evolve(
    state: State | None, event: Event, aggregate_id: UUID, tenant: str, version: int
) -> State | None:
    """The state after a fact. Never refuses; a fact without its beginning leaves nothing.

    A history may be folded in part (a view as of a time), so a step tolerates what is missing.
    """
    if state is None:
        return _begin(event, aggregate_id, tenant)
    step = _STEPS.get(type(event))
    return state if step is None else step(state, event, version)


def fold(events: Iterable[Recorded]) -> State | None:
    """The state that recorded events leave, in the order given."""
    state: State | None = None
    for r in events:
        if not isinstance(r.event, UnknownEvent):
            state = evolve(state, r.event, r.aggregate_id, r.tenant, r.version)
    return state


def _begin(event: Event, aggregate_id: UUID, tenant: str) -> State | None:
    begin = _BEGIN.get(type(event))
    return None if begin is None else begin(event, aggregate_id, tenant)


_BEGIN: dict[type[Event], Callable[..., State]] = {
    Detected: detected,
    OrderRecorded: recorded,
    CataloguePublished: lambda event, aggregate_id, tenant: event,
    ClockAdvanced: begun,
    RuleMuted: watch_begun,
}
