"""Counts what became of messages, by feed and outcome, and says so now and then."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Final

TAKEN: Final = "taken"
PART: Final = "part"
"""Taken, but for facts that never can be stored: of a shipment with too many, or without sense."""

STATUS: Final[Mapping[str, int]] = {
    TAKEN: 200,
    PART: 200,
    "malformed": 400,
    "unsigned": 401,
    "wrong_signature": 401,
    "unknown": 404,
    "method": 405,
    "slow": 408,
    "replayed": 409,
    "too_large": 413,
    "unsupported": 415,
    "busy": 503,
    "unavailable": 503,
}
"""Every outcome of a message, and the HTTP status that it is answered with."""

_log = logging.getLogger(__name__)


class Refused(Exception):
    """A message that is not taken: an outcome of STATUS, and why in words for its sender."""

    def __init__(self, outcome: str, why: str) -> None:
        super().__init__(why)
        self.outcome = outcome
        self.why = why


class Counts:
    """How many messages had which outcome since the start. Feeds nobody asked for count as ""."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, feed: str, outcome: str) -> None:
        """One more. But for success, the 1st, 2nd, 4th, 8th and so on of a kind is logged."""
        self._counts[feed, outcome] += 1
        number = self._counts[feed, outcome]
        if outcome != TAKEN and number & (number - 1) == 0:
            _log.warning(
                "webhooks: %s messages for %s ended as %s", number, feed or "no feed", outcome
            )

    def of(self, feed: str, outcome: str) -> int:
        """How many of one kind."""
        return self._counts[feed, outcome]

    def all(self) -> dict[tuple[str, str], int]:
        """All of them by feed and outcome; those that never happened are left out."""
        return dict(self._counts)
