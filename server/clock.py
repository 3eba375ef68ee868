"""The only place that asks for the time."""

import time

from esm.times import Instant, instant


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
