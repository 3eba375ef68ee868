"""Under which source a finding is said, and names that fit where names of strangers do not."""

from hashlib import sha256
from typing import Final

from esm.checks import IDENTIFIER_CHARS_MAX
from esm.detection.model import Finding
from esm.ids import SEPARATOR
from server.tracking.store import Told, Watched

FEED: Final = "detection"
"""The feed under which alerts of our own rules are accepted once."""

_DIGEST_CHARS: Final = 32


def source_id_of(finding: Finding, watched: Watched, telling: int) -> str:
    """The id under which a finding is accepted once: the same for whoever finds it again.

    ``telling`` counts from 1: what was cleared and stands again is said under an id of its own.
    """
    code = watched.shipment.shipment_code
    again = f"@{telling}" if telling > 1 else ""
    return fitting(f"{code}/{finding.key}{again}", f"{code}/{finding.rule}/{finding.stage}")


def last_told(finding: Finding, watched: Watched, told: dict[str, Told]) -> tuple[int, Told | None]:
    """How often a finding was said, and what became of it the last time; by source id."""
    times, last = 0, None
    while (said := told.get(source_id_of(finding, watched, times + 1))) is not None:
        times, last = times + 1, said
    return times, last


def fitting(name: str, shown: str) -> str:
    """A name as an identifier may be; one that is not is told apart by its digest."""
    if name == printable(name):
        return name
    digest = sha256(name.encode()).hexdigest()[:_DIGEST_CHARS]
    return f"{printable(shown)[: IDENTIFIER_CHARS_MAX - _DIGEST_CHARS - 1]}/{digest}"


def printable(word: str) -> str:
    """A stranger's word as an identifier may be: printable, and not too long."""
    clean = "".join(c if c.isprintable() and c != SEPARATOR else " " for c in word)
    return clean.strip()[:IDENTIFIER_CHARS_MAX].strip()
