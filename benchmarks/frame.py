"""Arithmetic of the figures: interleaved pairs, medians, spreads, and when a run is void."""

import json
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

BEHIND_SECONDS_MAX: Final = 2.0
"""A run at whose end a projection is further behind than this does not count."""

PAIRS_MIN: Final = 3
"""Fewer valid pairs than this give no ratio."""

Value = float | str | None | list[float] | dict[str, str]
"""What a figure can be: a number, its spread, nothing, or words about it."""


class Run(NamedTuple):
    """One timed run. Rates are operations a second; ``behind_seconds`` that of its end.

    ``stopped`` says which projection stands still, ``unfinished`` what was not done though due.
    """

    per_second: float
    operations: int
    errors: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    behind_seconds: float = 0.0
    stopped: str = ""
    unfinished: str = ""


class Pair(NamedTuple):
    """A run of the yardstick and, right after it, one of ours."""

    yardstick: Run
    ours: Run


class Ratio(NamedTuple):
    """Ours by yardstick: median and range over the valid pairs; None with too few of them."""

    value: float | None
    low: float | None
    high: float | None
    valid: int
    void: tuple[str, ...]


REQUIRED: Final[Mapping[str, str]] = {
    "unary_sqlite_vs_echo": "ratio",
    "unary_postgres_vs_echo": "ratio",
    "unary_postgres_vs_plain": "ratio",
    "batch_postgres_vs_insert": "ratio",
    "replay_events_per_s": "events/s",
    "ledger_postgres_events_per_s": "events/s",
    "ledger_sqlite_events_per_s": "events/s",
    "ryw_p99_ms": "ms",
    "rss_mb_100k_open": "MB",
    "umadb_appends_per_s": "appends/s",
}
"""Figures that every result has, each with its unit; None where it was not measured."""


def void_reason(run: Run) -> str:
    """Why a run does not count, "" when it does."""
    if run.stopped:
        return f"projection stopped: {run.stopped}"
    if run.unfinished:
        return run.unfinished
    if run.errors:
        return f"{run.errors} calls failed"
    if not run.operations:
        return "nothing was done"
    if run.behind_seconds > BEHIND_SECONDS_MAX:
        return f"a projection was {run.behind_seconds:.1f} s behind at the end"
    return ""


def behind_seconds(lag: int, per_second: float) -> float:
    """How long ago the oldest event was written that a projection has not seen.

    A command writes at least one event, so the rate of commands never makes it look younger.
    """
    if lag <= 0:
        return 0.0
    return lag / per_second if per_second > 0 else lag * BEHIND_SECONDS_MAX + 1.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value below or at which the share (0 to 1) of the values lies; 0.0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def interleave(
    yardstick: Callable[[], Run], ours: Callable[[], Run], *, pairs: int, attempts: int
) -> list[Pair]:
    """Runs yardstick, ours, yardstick, ours, … until enough pairs are valid or tries run out."""
    made: list[Pair] = []
    while len(made) < attempts and sum(is_valid(pair) for pair in made) < pairs:
        made.append(Pair(yardstick(), ours()))
    return made


def is_valid(pair: Pair) -> bool:
    """Whether both runs of a pair count."""
    return not (void_reason(pair.yardstick) or void_reason(pair.ours))


def ratio(pairs: Sequence[Pair]) -> Ratio:
    """Ours by yardstick over the valid pairs: the median of the ratios, not the ratio of medians.

    A pair shares its moment, so what disturbs the machine then falls out of the quotient.
    """
    found = sorted(p.ours.per_second / p.yardstick.per_second for p in pairs if is_valid(p))
    void = tuple(void_reason(p.yardstick) or void_reason(p.ours) for p in pairs if not is_valid(p))
    if len(found) < PAIRS_MIN:
        return Ratio(None, None, None, len(found), void)
    return Ratio(median(found), found[0], found[-1], len(found), void)


def rates(runs: Sequence[Run]) -> float | None:
    """The median rate of the runs that count, None of none."""
    found = [run.per_second for run in runs if not void_reason(run)]
    return median(found) if found else None


def put_ratio(figures: dict[str, Value], name: str, found: Ratio) -> None:
    """Adds a ratio, its spread and, if there were any, the reasons of void pairs."""
    figures[name] = rounded(found.value)
    spread = [found.low, found.high]
    figures[f"{name}_spread"] = [round(x, 3) for x in spread if x is not None] or None
    if found.void:
        figures[f"{name}_void"] = "; ".join(found.void)


def rounded(value: float | None) -> float | None:
    """Three significant places below ten, whole numbers above a thousand."""
    if value is None:
        return None
    return round(value) if value >= 1000 else round(value, 3 if value < 10 else 1)


def said(figures: Mapping[str, Value], name: str, unit: str) -> str:
    """A figure as people read it: its spread and the reasons of void runs behind it."""
    spread = figures.get(f"{name}_spread")
    void = figures.get(f"{name}_void")
    return (
        f"{name:36} {figures[name]!s:>10} {unit:10}"
        f" {f'spread {spread}' if spread else ''}{f' void: {void}' if void else ''}"
    )


def completed(
    figures: Mapping[str, Value], required: Mapping[str, str] = REQUIRED
) -> dict[str, Value]:
    """The figures with every required key, None where nothing was measured."""
    missing = {name: None for name in required if name not in figures}
    spreads = {
        f"{name}_spread": None
        for name, unit in required.items()
        if unit == "ratio" and f"{name}_spread" not in figures
    }
    return {**figures, **missing, **spreads}


def last_line(figures: Mapping[str, Value]) -> str:
    """The one JSON object that a result ends with."""
    return json.dumps(figures, ensure_ascii=False)
