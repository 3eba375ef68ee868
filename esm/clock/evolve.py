"""Folding facts into the state of a clock."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from esm.clock.state import StoreClock
from esm.events import ClockAdvanced, Event


def begun(event: ClockAdvanced, _aggregate_id: UUID, _tenant: str) -> StoreClock:
    """The clock after it was advanced for the first time."""
    return StoreClock(event.to)


def advanced(_clock: StoreClock, event: ClockAdvanced, _version: int) -> StoreClock:
    """The clock after it was advanced once more."""
    return StoreClock(event.to)


STEPS: dict[type[Event], Callable[..., Any]] = {ClockAdvanced: advanced}
