"""Which overrides of a rule can match one shipment together, and what else matches then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import combinations
from typing import Final, NamedTuple

from esm.catalog.rules import ANYWHERE, Override

_LEAP_YEAR: Final = date(2000, 1, 1)
_DAYS: Final = tuple([(_LEAP_YEAR + timedelta(days=n)).isoformat()[5:] for n in range(366)])


class _Both(NamedTuple):
    """What is true of every shipment that two overrides match; None says nothing of it."""

    carrier: frozenset[str] | None
    service: frozenset[str] | None
    status: frozenset[str] | None
    days: frozenset[str] | None
    lanes: frozenset[str] | None
    abroad: bool


def together(overrides: Sequence[Override]) -> Iterator[tuple[int, int]]:
    """The places of any two overrides that can match one shipment, the earlier one first."""
    for (i, one), (j, other) in combinations(enumerate(overrides), 2):
        if _both(one, other) is not None:
            yield i, j


def matching(overrides: Sequence[Override], i: int, j: int) -> list[Override]:
    """All overrides that match whenever these two do, in their order."""
    both = _both(overrides[i], overrides[j])
    return [each for each in overrides if both is not None and _always(each, both)]


def _both(one: Override, other: Override) -> _Both | None:
    """What is true when both match; None when they never do."""
    abroad = one.cross_border or other.cross_border
    lanes = _lanes(one.lane, other.lane)
    if lanes is not None and abroad:
        lanes = frozenset(each for each in lanes if not _inland(each))
    found = _Both(
        carrier=_common(one.carrier, other.carrier),
        service=_common(one.service, other.service),
        status=_common(one.status, other.status),
        days=_common(_days(one.season), _days(other.season)),
        lanes=lanes,
        abroad=abroad or (lanes is not None and not any(map(_perhaps_inland, lanes))),
    )
    return None if any(each is not None and not each for each in found[:-1]) else found


def _always(override: Override, both: _Both) -> bool:
    """Whether an override matches wherever ``both`` is true."""
    return (
        _covers(override.carrier, both.carrier)
        and _covers(override.service, both.service)
        and _covers(override.status, both.status)
        and _covers(_days(override.season), both.days)
        and (not override.cross_border or both.abroad)
        and (
            not override.lane
            or (
                both.lanes is not None
                and all(any(_meet(each, to) == to for each in override.lane) for to in both.lanes)
            )
        )
    )


def _common(one: Sequence[str], other: Sequence[str]) -> frozenset[str] | None:
    if one and other:
        return frozenset(one) & frozenset(other)
    return frozenset(one or other) or None


def _covers(wanted: Sequence[str], given: frozenset[str] | None) -> bool:
    return not wanted or (given is not None and given <= frozenset(wanted))


@lru_cache(maxsize=1024)
def _days(season: str) -> tuple[str, ...]:
    """The days of a season, none for all of the year."""
    first, _, last = season.partition("/")
    if first <= last:
        return tuple([day for day in _DAYS if season and first <= day <= last])
    return tuple([day for day in _DAYS if day >= first or day <= last])


def _lanes(one: Sequence[str], other: Sequence[str]) -> frozenset[str] | None:
    if not (one and other):
        return frozenset(one or other) or None
    return frozenset(lane for a in one for b in other if (lane := _meet(a, b)))


def _meet(one: str, other: str) -> str:
    """The lane that two patterns have in common, "" for none."""
    sides = []
    for a, b in zip(one.split("-"), other.split("-"), strict=True):
        if ANYWHERE not in (a, b) and a != b:
            return ""
        sides.append(b if a == ANYWHERE else a)
    return "-".join(sides)


def _inland(lane: str) -> bool:
    begin, _, end = lane.partition("-")
    return begin == end


def _perhaps_inland(lane: str) -> bool:
    return ANYWHERE in lane or _inland(lane)
