"""Where the clock of a store stands."""

from typing import Final

import msgspec

from esm.times import Instant

BEGINNING: Final[Instant] = "2000-01-01T00:00:00.000000Z"
"""Where the clock of a new store stands; no command may occur before."""

END: Final[Instant] = "2200-01-01T00:00:00.000000Z"
"""The clock never gets there: a mistyped year would stop the store for ever."""


class StoreClock(msgspec.Struct, frozen=True):
    """The clock of a store, of all its tenants. ``at`` is the present of policies and timers."""

    at: Instant
