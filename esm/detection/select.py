"""Which thresholds hold for which shipment: a rule with its overrides, worked out once."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from esm.catalog.rules import STAGES, Override, Rule, Span, Stage, Thresholds
from esm.detection.calendars import MICROS_PER_DAY, moved

_UNITS: Final = {"m": 60_000_000, "h": 3_600_000_000, "d": MICROS_PER_DAY}
_BUSINESS_DAY_LEAST: Final = MICROS_PER_DAY - 2 * _UNITS["h"]
"""A business day is never shorter, even when clocks are put forward."""
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_SETTINGS: Final = Thresholds.__struct_fields__


class Step(NamedTuple):
    """A stage: its span in microseconds, or in business days, and its code."""

    stage: Stage
    micros: int
    days: int
    code: str


class Spans(NamedTuple):
    """The stages that hold for one wait, the mildest first."""

    steps: tuple[Step, ...]
    inclusive: bool
    suppressed: bool
    calendar: str
    zone: str
    soonest: int | None
    """Microseconds to the first stage; None where that hangs on business days."""

    def first(self, begin: int) -> int:
        """When the first stage is reached in a wait that began at ``begin``; there is one."""
        return min(self.moments(begin)) if self.soonest is None else begin + self.soonest

    def moments(self, begin: int) -> list[int]:
        """When each stage is reached in a wait that began at ``begin``."""
        return [
            moved(begin, step.days, self.calendar, self.zone) if step.days else begin + step.micros
            for step in self.steps
        ]


class Plan:
    """A rule with the overrides that concern some shipments.

    ``shortest`` is a length in microseconds before which no stage is ever reached, ``stays`` the
    stages that the end of the wait does not undo, ``never`` that it is suppressed whenever.
    """

    __slots__ = (
        "_by_match", "_changing", "_fixed", "_overrides", "never", "rule", "shortest", "stays",
        "until", "while_",
    )  # fmt: skip

    def __init__(self, rule: Rule, overrides: tuple[Override, ...]) -> None:
        self.rule = rule
        self.while_: frozenset[str] = frozenset(rule.while_)
        self.until: frozenset[str] = frozenset(rule.until)
        self.stays = STAGES[STAGES.index(rule.stays) :] if rule.stays else ()
        self._overrides = overrides
        self._changing = [each for each in self._overrides if each.season or each.status]
        self._by_match: dict[tuple[bool, ...], Spans] = {}
        self._fixed = None if self._changing else _spans(rule, self._overrides)
        self.never = self._fixed is not None and self._fixed.suppressed
        self.shortest = min(
            (_shortest(step) for each in (rule, *self._overrides) for step in _steps(each, rule)),
            default=0,
        )

    def spans(self, begin: int, state: str) -> Spans:
        """The stages of a wait that began at a moment, with the parcel in a state."""
        if self._fixed is not None:
            return self._fixed
        day = _day_of_year(begin // MICROS_PER_DAY)
        match = tuple([_holds(each, day, state) for each in self._changing])
        found = self._by_match.get(match)
        if found is None:
            out = {id(each) for each, held in zip(self._changing, match, strict=True) if not held}
            found = _spans(self.rule, (each for each in self._overrides if id(each) not in out))
            self._by_match[match] = found
        return found


def concerning(rule: Rule, carrier: str, lane: str, service: str) -> tuple[Override, ...]:
    """The overrides of a rule that are about such shipments, at some moment."""
    return tuple(each for each in rule.override if _concerns(each, carrier, lane, service))


def _spans(rule: Rule, overrides: Iterable[Override]) -> Spans:
    """The rule with overrides laid over it: a later one wins, threshold by threshold."""
    settings = {name: getattr(rule, name) for name in _SETTINGS}
    for override in overrides:
        for name in _SETTINGS:
            value = getattr(override, name)
            if value is not None:
                settings[name] = value
    merged = Thresholds(**settings)
    steps = tuple(_steps(merged, rule))
    fixed = steps and not any(step.days for step in steps)
    return Spans(
        steps=steps,
        inclusive=bool(merged.inclusive),
        suppressed=bool(merged.suppressed),
        calendar=merged.calendar or "",
        zone=merged.zone or "UTC",
        soonest=min(step.micros for step in steps) if fixed else None,
    )


def _steps(thresholds: Thresholds, rule: Rule) -> Iterable[Step]:
    for stage in STAGES:
        span: Span | None = getattr(thresholds, stage)
        if span is not None:
            serious = stage == "serious" and thresholds.serious_code
            micros, days = _length(span)
            yield Step(stage, micros, days, serious or rule.code)


def _length(span: Span) -> tuple[int, int]:
    """Microseconds, or business days, of a span."""
    if span.endswith("bd"):
        return 0, int(span.removesuffix("bd"))
    return int(span[:-1]) * _UNITS[span[-1]], 0


def _shortest(step: Step) -> int:
    if step.days < 0:
        return step.days * 366 * MICROS_PER_DAY  # holidays before it may be many
    return step.days * _BUSINESS_DAY_LEAST + step.micros


def _concerns(override: Override, carrier: str, lane: str, service: str) -> bool:
    return (
        (not override.carrier or carrier in override.carrier)
        and (not override.service or service in override.service)
        and (not override.lane or any(_is_lane(each, lane) for each in override.lane))
        and (not override.cross_border or _crosses(lane))
    )


def _is_lane(pattern: str, lane: str) -> bool:
    if pattern.startswith("*-"):
        return lane.endswith(pattern[1:])
    if pattern.endswith("-*"):
        return lane.startswith(pattern[:-1])
    return pattern == lane


def _crosses(lane: str) -> bool:
    begin, dash, end = lane.partition("-")
    return bool(dash) and begin != end


def _holds(override: Override, day: str, state: str) -> bool:
    if override.status and state not in override.status:
        return False
    first, _, last = override.season.partition("/")
    if first <= last:
        return not override.season or first <= day <= last
    return day >= first or day <= last


@lru_cache(maxsize=4096)
def _day_of_year(day: int) -> str:
    """Month and day ("11-30", UTC) of a number of days since 1970."""
    return date.fromordinal(_EPOCH_DAY + day).isoformat()[5:]
