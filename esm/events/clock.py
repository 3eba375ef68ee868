"""The fact that the clock of a store went on."""

from esm.events.base import Event
from esm.times import Instant


class ClockAdvanced(Event):
    """The time of every policy and timer of the store is ``to`` from now on."""

    TOPIC = "clock.advanced.v1"
    to: Instant
