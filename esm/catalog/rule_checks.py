"""Whether detection's tables fit together and fit the codes, answered in words."""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import holidays

from esm.catalog.model import Tables
from esm.catalog.overlaps import matching, together
from esm.catalog.rules import (
    EVENT_SINCE,
    LANES,
    OVERRIDES_MAX,
    SPAN_DAYS_MAX,
    STAGES,
    Override,
    Rule,
    Thresholds,
    Words,
)

_MINUTES: Final = {"m": 1, "h": 60, "d": 24 * 60, "bd": 24 * 60}
_WITH_WHILE: Final = frozenset(
    ("event", "after_delivery", "elsewhere", "checkpoint", "node", "status")
)
_WITH_UNTIL: Final = frozenset(
    ("labelled", "handed_over", "promised", "first_scan", "first_piece", "node", "status")
)
_NEED_UNTIL: Final = _WITH_UNTIL - {"node"}
_FACTS: Final = frozenset(("labelled", "handed_over", "promised"))
_BEFORE: Final = "promised"
"""The one thing that a stage may come before: it is known ahead."""
_LEAP_YEAR: Final = 2000


def check_rules(tables: Tables) -> Iterator[str]:
    """Everything wrong with rules, clearings and words, one sentence each."""
    for name, rule in tables.rules.items():
        where = f"rules {name}"
        if rule.version < 1:
            yield f"{where}: version is {rule.version}, must be 1 or more"
        yield from _codes(where, rule, tables)
        yield from _event(where, rule) if rule.since in EVENT_SINCE else _timed(where, rule)
        yield from _statuses(where, rule)
        for number, override in enumerate(rule.override, 1):
            yield from _override(f"{where}: override {number}", rule, override, tables)
        if len(rule.override) > OVERRIDES_MAX:
            yield f"{where}: has {len(rule.override)} overrides, at most {OVERRIDES_MAX}"
        else:
            yield from _combined(where, rule)
    yield from _clearings(tables)
    yield from _words(tables)


def _codes(where: str, rule: Rule, tables: Tables) -> Iterator[str]:
    if (rule.since == "event") == bool(rule.code):
        yield f"{where}: a code stands on every rule but those since an event, which name their own"
    for code in (rule.code, *_serious_codes(rule)):
        if code and code not in tables.types:
            yield f"{where}: unknown code {code!r}"
    type_ = tables.types.get(rule.code)
    for code in _serious_codes(rule):
        serious = tables.types.get(code)
        if type_ is None or serious is None:
            continue
        if serious.family != type_.family:
            yield f"{where}: serious_code {code} is not of the family {type_.family}"
        elif serious.rank <= type_.rank:
            yield f"{where}: serious_code {code} does not rank above {type_.code}"


def _serious_codes(rule: Rule) -> list[str]:
    return [each.serious_code for each in (rule, *rule.override) if each.serious_code is not None]


def _event(where: str, rule: Rule) -> Iterator[str]:
    for each in (rule, *rule.override):
        for name in (*STAGES, "serious_code", "inclusive", "calendar", "zone"):
            if getattr(each, name) is not None:
                yield f"{where}: {name} needs a rule with a time, not one since {rule.since}"
    if rule.stays is not None:
        yield f"{where}: stays needs a rule with a time, not one since {rule.since}"
    if rule.since == "attempts" and rule.count < 1:
        yield f"{where}: count is {rule.count}, must be 1 or more for a rule since attempts"


def _timed(where: str, rule: Rule) -> Iterator[str]:
    if not _spans(rule):
        yield f"{where}: has no stage"
    yield from _lengths(where, rule, rule)
    yield from _ordered(where, rule)
    yield from _calendar(where, rule)
    if rule.stays is not None and getattr(rule, rule.stays) is None:
        yield f"{where}: stays is {rule.stays}, which has no span"


def _spans(thresholds: Thresholds) -> dict[str, str]:
    return {name: span for name in STAGES if (span := getattr(thresholds, name)) is not None}


def _lengths(where: str, rule: Rule, thresholds: Thresholds) -> Iterator[str]:
    for name, span in _spans(thresholds).items():
        minutes = _minutes(span)
        if abs(minutes) > SPAN_DAYS_MAX * _MINUTES["d"]:
            yield f"{where}: {name} {span} is longer than {SPAN_DAYS_MAX} days"
        elif minutes <= 0 and rule.since != _BEFORE:
            yield f"{where}: {name} {span} must lie behind what it counts from, {rule.since}"


def _ordered(where: str, thresholds: Thresholds) -> Iterator[str]:
    spans = _spans(thresholds)
    if len({span.endswith("bd") for span in spans.values()}) > 1:
        yield f"{where}: stages count either business days or hours and days, not both"
        return
    lengths = [_minutes(span) for span in spans.values()]
    if any(later <= earlier for earlier, later in pairwise(lengths)):
        said = ", ".join(f"{name} {span}" for name, span in spans.items())
        yield f"{where}: each stage must come later than the one before: {said}"


def _minutes(span: str) -> int:
    unit = span.lstrip("-0123456789")
    return int(span.removesuffix(unit)) * _MINUTES[unit]


def _calendar(where: str, thresholds: Thresholds) -> Iterator[str]:
    if thresholds.calendar and not is_calendar(thresholds.calendar):
        yield f"{where}: calendar {thresholds.calendar!r} is no country or region with holidays"
    if thresholds.zone is not None:
        try:
            ZoneInfo(thresholds.zone)
        except (ValueError, OSError, LookupError):
            yield f"{where}: unknown time zone {thresholds.zone!r}"


def _statuses(where: str, rule: Rule) -> Iterator[str]:
    if rule.while_ and rule.since not in _WITH_WHILE:
        yield f"{where}: while has no meaning since {rule.since}"
    if rule.until and rule.since not in _WITH_UNTIL:
        yield f"{where}: until has no meaning since {rule.since}"
    if not rule.until and rule.since in _NEED_UNTIL:
        yield f"{where}: since {rule.since} needs until"
    if not rule.while_ and rule.since in ("status", "node", "checkpoint"):
        yield f"{where}: since {rule.since} needs while"
    for status in sorted(set(rule.while_) & set(rule.until)):
        yield f"{where}: {status} stands in while and in until"
    if rule.count and rule.since != "attempts":
        yield f"{where}: count has no meaning since {rule.since}"


def _override(where: str, rule: Rule, override: Override, tables: Tables) -> Iterator[str]:
    for service in override.service:
        if service not in tables.services:
            yield f"{where}: unknown service {service!r}"
    if override.season and not _is_season(override.season):
        yield f"{where}: season {override.season!r} is not two days of a year"
    if override.status and (rule.since in EVENT_SINCE or rule.since in _FACTS):
        yield f"{where}: status has no meaning since {rule.since}"
    if override.season and rule.since in EVENT_SINCE:
        yield f"{where}: season has no meaning since {rule.since}"
    for lane in override.lane:
        if not LANES.fullmatch(lane):
            yield f'{where}: lane {lane!r} is none of the form "CN-US", "CN-*" or "*-US"'
    if rule.since not in EVENT_SINCE:
        yield from _lengths(where, rule, override)
        yield from _ordered(where, _laid_over(rule, override))
        yield from _calendar(where, override)


def _laid_over(rule: Rule, *overrides: Override) -> Thresholds:
    """The stages of a rule with overrides laid over it, a later one over an earlier one."""
    spans: dict[str, Any] = dict(_spans(rule))
    for override in overrides:
        spans |= _spans(override)
    return Thresholds(**spans)


def _combined(where: str, rule: Rule) -> Iterator[str]:
    """What is wrong only where two overrides match together.

    A stage has its span from one override, so more than two cannot be wrong where no two are; and
    what matches whenever those two do may put them right.
    """
    several = rule.override
    if rule.since in EVENT_SINCE or any(_apart(rule, each) for each in several):
        return
    for i, j in together(several):
        if any(_ordered("", _laid_over(rule, several[i], several[j]))):
            matched = _laid_over(rule, *matching(several, i, j))
            yield from _ordered(f"{where}: overrides {i + 1} and {j + 1} together", matched)


def _apart(rule: Rule, override: Override) -> bool:
    """Whether something is wrong with an override by itself, which is said of it alone."""
    return (
        any(_ordered("", _laid_over(rule, override)))
        or not all(map(LANES.fullmatch, override.lane))
        or bool(override.season and not _is_season(override.season))
    )


def _is_season(season: str) -> bool:
    try:
        for day in season.split("/"):
            date.fromisoformat(f"{_LEAP_YEAR}-{day}")
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1024)
def is_calendar(name: str) -> bool:
    """Whether the holidays of a country ("CN") or of a region of it ("US-CA") are known."""
    country, _, region = name.partition("-")
    known = holidays.list_supported_countries()
    return country in known and (not region or region in known[country])


def _clearings(tables: Tables) -> Iterator[str]:
    known = tables.types.keys() | {entry.family for entry in tables.types.values()}
    for status, clearing in tables.clearings.items():
        for name in clearing.clears:
            if name not in known:
                yield f"clearings {status}: unknown code or family {name!r}"
        for code in (clearing.opens, *clearing.by_text):
            if code and code not in tables.types:
                yield f"clearings {status}: unknown code {code!r}"
        if clearing.by_text and not clearing.opens:
            yield f"clearings {status}: by_text chooses instead of opens, which is empty"


def _words(tables: Tables) -> Iterator[str]:
    for code, words in tables.words.items():
        if code not in tables.types:
            yield f"words: unknown code {code!r}"
        yield from _small(f"words {code}", words)
    for status, words in tables.status_words.items():
        yield from _small(f"status_words {status}", words)
    for guard, words in tables.guards.items():
        yield from _small(f"guards {guard}", words)
    yield from _ambiguous(tables)


def _small(where: str, words: Words) -> Iterator[str]:
    for word in (*words.zh, *words.en):
        if not word.strip() or word != word.strip().casefold():
            yield f"{where}: {word!r} must be small letters without spaces around it"


def _ambiguous(tables: Tables) -> Iterator[str]:
    """One word says one status; of two as long as each other in a text nobody could choose."""
    says: dict[str, str] = {}
    for status, words in tables.status_words.items():
        for word in (*words.zh, *words.en):
            other = says.setdefault(word, status)
            if other != status:
                yield f"status_words: {word!r} says {other} and {status}"
