"""Remembers which messages were taken, so that nobody plays one again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Literal

REMEMBERED_MAX: Final = 100_000
"""Messages that are remembered, 32 bytes each and some room; beyond it the oldest are forgotten."""

REMEMBERED_MICROS: Final = 24 * 3_600 * 1_000_000
"""How long a message is remembered: vendors that sign a time do not send it later."""

Standing = Literal["new", "handling", "taken"]


class Taken:
    """The digests of messages that are being handled, or were answered with success.

    A message whose facts could not be stored is forgotten, so that the vendor may send it again.
    What is forgotten with age or with the process may be played again and does no harm: every fact
    in it has its source id and is stored already. For one thread.
    """

    def __init__(self, most: int = REMEMBERED_MAX, micros: int = REMEMBERED_MICROS) -> None:
        self._most = most
        self._micros = micros
        self._taken: OrderedDict[bytes, int] = OrderedDict()
        self._handling: set[bytes] = set()

    def begin(self, digest: bytes, now: int) -> Standing:
        """How a message stands at ``now`` (microseconds); a new one is being handled from here."""
        while self._taken and next(iter(self._taken.values())) <= now - self._micros:
            self._taken.popitem(last=False)
        if digest in self._taken:
            return "taken"
        if digest in self._handling:
            return "handling"
        self._handling.add(digest)
        return "new"

    def end(self, digest: bytes, now: int, *, taken: bool) -> None:
        """The message was answered: with success (``taken``), or not."""
        self._handling.discard(digest)
        if taken:
            self._taken[digest] = now
            if len(self._taken) > self._most:
                self._taken.popitem(last=False)
