"""The only place that asks for the time: the wall clock, and the clock of a store."""

import time
from collections.abc import Callable
from typing import Final, Protocol

from esm.clock.state import BEGINNING
from esm.times import Instant, instant, micros

BEGINNING_MICROS: Final = micros(BEGINNING)


class PolicyClock(Protocol):
    """The time of every policy and timer of a store, in microseconds UTC; it never goes back."""

    def micros(self) -> int:
        """Now."""
        ...


class Clock:
    """Wall time in microseconds UTC that never goes back while the process lives."""

    def __init__(self) -> None:
        self._last = 0

    def micros(self) -> int:
        """Now. A clock that the system set back stands still until it is caught up."""
        self._last = max(self._last, time.time_ns() // 1_000)
        return self._last

    def now(self) -> Instant:
        """Now, as events write it."""
        return instant(self.micros())


class FeedClock:
    """The clock of a store that follows a feed: it stands where it was last advanced to.

    ``read`` tells where the log says it stands, in microseconds UTC, 0 for never advanced. On a
    ``shared`` log other processes advance it too, so it is read again when somebody is to rely on
    it; see :meth:`refresh`.
    """

    def __init__(self, read: Callable[[], int], *, shared: bool = False) -> None:
        self.shared = shared
        self._read = read
        self._at = BEGINNING_MICROS

    def micros(self) -> int:
        """Where it stands, as far as this process knows."""
        return self._at

    def advance(self, to: int) -> None:
        """It was advanced, by an event of the log. An earlier moment changes nothing."""
        self._at = max(self._at, to)

    def refresh(self) -> int:
        """Read again where it stands, which blocks; the new time."""
        self.advance(self._read())
        return self._at
