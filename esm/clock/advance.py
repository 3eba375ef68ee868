"""Advancing the clock of a store that follows a feed."""

from uuid import UUID

from esm.checks import Checks
from esm.clock.state import BEGINNING, END, StoreClock
from esm.commands import AdvanceClock, Context
from esm.errors import ClockBackwards, NotAFeedClock
from esm.events import ClockAdvanced
from esm.ids import store_clock_id
from esm.unit import Missing, Unit


def hint(_command: AdvanceClock, _context: Context) -> Missing:
    """The clock itself."""
    return Missing(aggregates=[store_clock_id()])


def advance_clock(command: AdvanceClock, unit: Unit) -> tuple[UUID, ...]:
    """Advance the clock; to where it stands already changes nothing.

    Raises :class:`NotAFeedClock`, :class:`ClockBackwards`, :class:`~esm.errors.InvalidCommand`.
    """
    if not unit.context.feed:
        raise NotAFeedClock(
            "the store follows the wall clock, which nobody advances; "
            "a store that follows a feed is made with: esm serve --clock feed"
        )
    checks = Checks()
    if not command.to:
        checks.refuse("to", "is required")
    else:
        lies_within = BEGINNING <= command.to < END
        checks.require(lies_within, "to", f"is from {BEGINNING[:10]} to before {END[:10]}")
    checks.done()
    clock_id = store_clock_id()
    clock = unit.find(clock_id)
    at = clock.at if isinstance(clock, StoreClock) else BEGINNING
    if command.to < at:
        raise ClockBackwards(command.to, at)
    if command.to > at:
        unit.record(clock_id, ClockAdvanced(to=command.to))
        return (clock_id,)
    return () if clock is None else (clock_id,)
