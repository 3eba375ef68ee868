"""The detection benchmark: what its load consists of, when a run is void, and that it measures."""

import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import detection
from benchmarks.detection import Sizes
from benchmarks.frame import Run, Value, completed, void_reason
from benchmarks.parcels import (
    CLEARS_AFTER,
    CLEARS_EACH,
    FEED,
    JOURNEY,
    OPENS_EACH,
    SOLVED,
    TROUBLES,
    Parcels,
)
from benchmarks.watching import Watching, sweep_seconds
from esm import catalog
from server.tracking.sqlite import SqliteTrackingStore
from server.tracking.store import Key

NOW = 1_795_366_800_000_000
RULES = catalog.load()
WATCHING = Watching(RULES)

TINY = Sizes(
    runs=1, attempts=2, watched=400, checkpoints=300, stalling=3, warm=100, due=20, sweeps=1
)


def test_every_raw_code_of_the_load_has_the_outcome_that_the_load_means() -> None:
    codes = RULES.sources[FEED].codes
    assert not any(codes[step.raw_code].case_code for step in (*JOURNEY, SOLVED))
    assert all(codes[step.raw_code].case_code for step in TROUBLES)
    assert codes[SOLVED.raw_code].clears


def test_a_parcel_has_up_to_eight_earlier_checkpoints_in_the_order_of_its_journey() -> None:
    parcels = Parcels(900, NOW)
    found = [parcels.parcel(number) for number in range(parcels.watched)]
    assert {parcel.earlier for parcel in found} == set(range(len(JOURNEY)))
    for parcel in found[:50]:
        told = parcels.earlier(parcel)
        assert [fact.raw_code for fact in told] == [s.raw_code for s in JOURNEY[: parcel.earlier]]
        assert sorted(fact.occurred for fact in told) == [fact.occurred for fact in told]
        assert all(fact.occurred < NOW for fact in told)


def test_one_of_fifty_further_checkpoints_opens_a_case_and_some_clear_one_that_was_opened() -> None:
    count = CLEARS_AFTER + 1_000
    facts = list(Parcels(50_000, NOW).further(1, count, NOW))
    troubles = {step.raw_code for step in TROUBLES}
    opened = {f.tracking_number: f for f in facts if f.raw_code in troubles}
    solved = [f for f in facts if f.raw_code == SOLVED.raw_code]
    assert len(opened) == count // OPENS_EACH
    assert len(solved) == (count - CLEARS_AFTER) // CLEARS_EACH
    assert all(f.occurred > opened[f.tracking_number].occurred for f in solved)


def test_no_checkpoint_is_told_twice_and_runs_tell_of_different_parcels() -> None:
    parcels = Parcels(10_000, NOW)
    runs = [list(parcels.further(run, 2_000, NOW)) for run in (1, 2, 3)]
    ids = Counter(fact.source_id for run in runs for fact in run)
    ids.update(f.source_id for n in range(500) for f in parcels.earlier(parcels.parcel(n)))
    assert set(ids.values()) == {1}
    numbers = [{fact.tracking_number for fact in run} for run in runs]
    assert numbers[0].isdisjoint(numbers[1])
    assert numbers[1].isdisjoint(numbers[2])


def test_what_is_watched_is_healthy_and_quiet_and_what_is_due_stalls() -> None:
    rows = list(WATCHING.rows(Parcels(2_500, NOW)))
    for row in rows:
        outlook = WATCHING.outlook(row.shipment, row.timeline, NOW)
        assert not outlook.findings
        assert row.due == outlook.due
        assert row.due == 0 or row.due > NOW
        assert row.status == outlook.status
    for row in WATCHING.stalled(3, NOW):
        (finding,) = WATCHING.outlook(row.shipment, row.timeline, NOW).findings
        assert (finding.rule, finding.stage, row.due) == ("TRACKING_STALLED", "at_risk", NOW)


def test_a_sweep_leaves_everything_due_for_the_next_one(tmp_path: Path) -> None:
    store = SqliteTrackingStore(tmp_path / "tracking.db")
    due = list(WATCHING.stalled(30, NOW))
    store.load_bulk(WATCHING.rows(Parcels(100, NOW)))
    store.load_bulk(due)
    keys = [Key(each.tenant, each.shipment.shipment_code) for each in due]
    for _ in range(3):
        assert sweep_seconds(store, WATCHING, keys, NOW) > 0
        assert set(store.due(NOW, 500)) == set(keys)
    store.close()


def test_a_run_after_which_something_is_due_still_is_void() -> None:
    assert void_reason(Run(1.0, 1, unfinished="3 shipments are due still"))
    assert not void_reason(Run(1.0, 1))


@pytest.mark.parametrize(
    ("watched", "name"), [(10_000, "10k"), (100_000, "100k"), (1_000_000, "1m")]
)
def test_a_sweep_names_how_many_parcels_are_watched(watched: int, name: str) -> None:
    required = detection.required(watched)
    assert f"sweep_ms_{name}_watched" in required
    found = completed({}, required)
    assert set(found) == {*required, "checkpoints_postgres_vs_copy_spread"}


def test_the_full_sizes_are_those_of_the_figures() -> None:
    full, quick = detection.FULL, detection.QUICK
    assert (full.runs * full.checkpoints, full.watched) == (200_000, 1_000_000)
    assert (quick.runs * quick.checkpoints, quick.watched) == (20_100, 100_000)


def test_the_benchmark_measures_both_engines(capsys: pytest.CaptureFixture[str]) -> None:
    figures = detection.measured(TINY, "tiny")
    last = capsys.readouterr().out.splitlines()[-1]
    assert json.loads(last) == figures
    for engine in detection.ENGINES:
        assert _number(figures[f"sweep_ratio_{engine}"]) > 0
        if figures[f"checkpoints_per_s_{engine}"] is None:  # a machine that is busy with others
            assert "behind" in str(figures[f"checkpoints_per_s_{engine}_void"])
        else:
            assert _number(figures[f"arrival_count_{engine}"]) == TINY.checkpoints // OPENS_EACH


def _number(value: Value) -> float:
    assert isinstance(value, float | int), value
    return value
