"""Rules that need no time: checkpoints that are a deviation by themselves, or with earlier ones."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from esm.catalog.rules import Since
from esm.detection.model import Checkpoint, Shipment
from esm.detection.select import Plan
from esm.detection.timeline import Track

_WORD_CHARS_LEAST: Final = 3
_LATIN_WORD: Final = re.compile(r"[a-z]+")


class Sight(NamedTuple):
    """A checkpoint that is a deviation: since when we know, and what else was seen.

    ``code`` is that of the rule when "".
    """

    checkpoint: Checkpoint
    at: int
    code: str = ""
    evidence: tuple[str, ...] = ()


Sights = Callable[[Plan, Track, Shipment], Sequence[Sight]]


def _event(plan: Plan, track: Track, shipment: Shipment) -> Sequence[Sight]:
    return [
        Sight(each, each.occurred, each.opens, (each.source_id,))
        for each in track.seen
        if each.opens and (not plan.while_ or each.status in plan.while_)
    ]


def _attempts(plan: Plan, track: Track, shipment: Shipment) -> Sequence[Sight]:
    """The attempt that is one too many; those that were none do not count."""
    count = plan.rule.count
    tried = [each for each in track.seen if each.attempt]
    if len(tried) < count:
        return ()
    last = tried[count - 1]
    return (Sight(last, last.occurred, "", tuple(each.source_id for each in tried[:count])),)


def _after_delivery(plan: Plan, track: Track, shipment: Shipment) -> Sequence[Sight]:
    if "delivered" not in track.firsts:
        return ()
    found: list[Sight] = []
    delivered: Checkpoint | None = None
    for each, state in zip(track.seen, track.states, strict=True):
        if each.status == "delivered":
            delivered = each
        elif state == "delivered" and delivered is not None and each.status in plan.while_:
            evidence = (delivered.source_id, each.source_id)
            found.append(Sight(each, each.occurred, "", evidence))
    return found


def _future(plan: Plan, track: Track, shipment: Shipment) -> Sequence[Sight]:
    """It came before it happened, so it is wrong since it came."""
    return [Sight(each, each.received, "", (each.source_id,)) for each in track.flagged]


def _elsewhere(plan: Plan, track: Track, shipment: Shipment) -> Sequence[Sight]:
    if not shipment.destination:
        return ()
    return [
        Sight(each, each.occurred, "", (each.source_id,))
        for each in track.seen
        if each.status in plan.while_ and each.place and are_apart(each.place, shipment.destination)
    ]


SIGHTS: Final[Mapping[Since, Sights]] = {
    "event": _event,
    "attempts": _attempts,
    "after_delivery": _after_delivery,
    "future": _future,
    "elsewhere": _elsewhere,
}
"""How each rule without time looks."""


@lru_cache(maxsize=16_384)
def are_apart(place: str, other: str) -> bool:
    """Whether two places are surely not the same, as far as their words tell.

    They are not when one stands in the other, when they share a word of three letters or two
    Chinese characters, or when they are written in different scripts, which tells nothing.
    """
    one, two = _plain(place), _plain(other)
    if not one or not two or one.isascii() != two.isascii():
        return False
    if one.replace(" ", "") in two.replace(" ", "") or two.replace(" ", "") in one.replace(" ", ""):
        return False
    return _parts(one).isdisjoint(_parts(two))


def _plain(place: str) -> str:
    """Small letters without accents, everything that is no letter or digit a space."""
    decomposed = unicodedata.normalize("NFKD", place.casefold())
    kept = (each for each in decomposed if not unicodedata.combining(each))
    return " ".join("".join(each if each.isalnum() else " " for each in kept).split())


def _parts(plain: str) -> set[str]:
    words = {each for each in _LATIN_WORD.findall(plain) if len(each) >= _WORD_CHARS_LEAST}
    if plain.isascii():
        return words
    joined = plain.replace(" ", "")
    return words | {joined[i : i + 2] for i in range(len(joined) - 1)}
