"""What a feed says of parcels, in one form for all feeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

import msgspec

from esm.times import Instant

SOURCE_ID_CHARS = 32

WORD_CHARS_MAX = 500
"""Longest number, code, name, place or id of a reading; it stands in every row of a message."""

TEXT_CHARS_MAX = 4_000
"""Longest text of a reading."""

PROBLEM_CHARS_MAX = 300
"""Longest text about what is wrong: it may quote what a stranger sent."""


class Reading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One checkpoint as a feed tells it. "" means that the feed does not say.

    ``source_id`` is the feed's own id of the fact, else one from :func:`identified`. ``zoned`` is
    False when the time had no zone and that of the feed was taken. ``signer`` and ``courier`` are
    personal and never leave the process unsealed; ``raw_text`` may hold personal words. ``piece``
    names one of several pieces; ``retracts`` are source ids that this fact declares wrong.
    """

    number: str
    occurred: Instant
    zoned: bool
    source_id: str = ""
    carrier: str = ""
    raw_code: str = ""
    raw_text: str = ""
    place: str = ""
    station: str = ""
    courier: str = ""
    signer: str = ""
    piece: str = ""
    retracts: tuple[str, ...] = ()


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What one message of a feed holds: checkpoints in occurred order, and unknown numbers."""

    readings: tuple[Reading, ...] = ()
    unknown_numbers: tuple[str, ...] = ()


class FeedProblem(ValueError):
    """A message of a feed that is not taken, nothing of it.

    ``where`` is a line ("line 3") or a path ("data[2].time"); ``what`` says what is wrong there.
    """

    def __init__(self, where: str, what: str) -> None:
        what = what[:PROBLEM_CHARS_MAX]
        super().__init__(f"{where}: {what}" if where else what)
        self.where = where
        self.what = what


_LIMITS = {
    name: TEXT_CHARS_MAX if name == "raw_text" else WORD_CHARS_MAX
    for name, kind in Reading.__annotations__.items()
    if kind == "str"
}


def reply(readings: Iterable[Reading], unknown_numbers: Iterable[str] = ()) -> Reply:
    """A reply in one order, whatever the feed's: by occurred time, then by source id.

    What a message tells twice stands once.
    """
    named = list(dict.fromkeys(identified(readings)))
    named.sort(key=lambda r: (r.occurred, r.source_id, msgspec.structs.astuple(r)))
    return Reply(readings=tuple(named), unknown_numbers=tuple(sorted(set(unknown_numbers))))


def identified(readings: Iterable[Reading]) -> list[Reading]:
    """The readings, each with a source id: the feed's own, else one that each poll gives again.

    That is a hash of what a row says of itself for good: number, carrier, time, code, text, place,
    station and piece. Two facts may read alike, so the n-th of those that do has its own. What is
    told of the whole number wanders to whichever row is the newest and must not enter: a state is
    a reading of its own, courier and signer are left out (they are personal besides), and a station
    of the whole number is added afterwards. Nor does the zone of a time, which is in the instant.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for each in readings:
        _check_lengths(each)
        if each.source_id:
            found.append(each)
            continue
        content = (
            *(each.number, each.carrier, each.occurred, each.raw_code, each.raw_text),
            *(each.place, each.station, each.piece),
        )
        seen[content] += 1
        text = "\x1f".join((*content, str(seen[content])))
        source_id = sha256(text.encode()).hexdigest()[:SOURCE_ID_CHARS]
        found.append(msgspec.structs.replace(each, source_id=source_id))
    return found


def _check_lengths(reading: Reading) -> None:
    for name, most in _LIMITS.items():
        if len(getattr(reading, name)) > most:
            raise FeedProblem("", f"the {name} of a checkpoint has more than {most} characters")
