"""Whatever the order, the repetition and the steps in time: one timeline has one outlook."""

import random
from typing import get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from esm.catalog.data import Status
from esm.detection.model import Checkpoint, Finding, Outlook, Shipment
from tests.detection.given import CATALOGUE, DAY, DETECTION, HOUR, START

STATUSES: tuple[Status, ...] = get_args(Status)
OPENS = ("", "", "", "DAMAGED", "DELIVERY_FAILED", "CUSTOMS_DOCUMENTS", "OTHER")
STEPS_MAX = 400
WAITS_AGAIN = {
    each.rule
    for each in CATALOGUE.rules.values()
    if each.since in {"promised", "first_scan", "first_piece"}
}
"""Rules by which a parcel that was called back and moves on after all is waited for again."""
CODES = st.sampled_from(OPENS)

checkpoints = st.builds(
    lambda number, status, hour, node, piece, opens, ahead: Checkpoint(
        source_id=f"feed/{number}",
        feed="feed",
        status=status,
        occurred=START + hour * HOUR,
        received=START + (hour - 3 * ahead) * HOUR,
        node=node,
        place=node,
        piece=piece,
        opens=opens,
        attempt=status == "attempted",
        clears=("delivery",) if status == "information" and node == "B" else (),
        future=ahead,
    ),
    st.integers(0, 10_000),
    st.sampled_from(STATUSES),
    st.integers(0, 900),
    st.sampled_from(("", "A", "B")),
    st.sampled_from(("", "", "a", "b", "z")),
    CODES,
    st.sampled_from((False, False, False, True)),
)
timelines = st.lists(checkpoints, max_size=12, unique_by=lambda each: each.source_id)
moments = st.none() | st.integers(-100, 900).map(lambda hour: START + hour * HOUR)
shipments = st.builds(
    lambda pieces, lane, labelled, handed_over, promised, untracked: Shipment(
        order_id="O1",
        shipment_code="S1",
        destination="Aachen",
        pieces=pieces,
        lane=lane,
        labelled=labelled or 0,
        handed_over=handed_over or 0,
        promised=promised or 0,
        untracked=untracked,
    ),
    st.sampled_from(((), (), ("a", "b"))),
    st.sampled_from(("", "CN-US", "DE-CN")),
    moments,
    moments,
    moments,
    st.booleans(),
)
hours = st.integers(-50, 2_000)


def look(of: Shipment, timeline: list[Checkpoint], as_of: int) -> Outlook:
    return DETECTION.outlook(of, timeline, as_of)


@given(shipments, timelines, hours, st.randoms(use_true_random=False), st.data())
@settings(max_examples=1_000, deadline=None)
def test_shuffled_and_repeated_checkpoints_give_an_equal_outlook(
    of: Shipment, timeline: list[Checkpoint], hour: int, chance: random.Random, data: st.DataObject
) -> None:
    as_of = START + hour * HOUR
    times = data.draw(st.lists(st.integers(1, 5), min_size=len(timeline), max_size=len(timeline)))
    timeline = with_retractions(timeline, data)
    again = [each for each, many in zip(timeline, times, strict=True) for _ in range(many)]
    chance.shuffle(again)
    assert look(of, again, as_of) == look(of, timeline, as_of)


@given(shipments, timelines, hours, st.integers(0, 60))
@settings(max_examples=300, deadline=None)
def test_what_was_found_stays_found_when_nothing_new_comes(
    of: Shipment, timeline: list[Checkpoint], hour: int, days: int
) -> None:
    as_of = START + hour * HOUR
    before, after = look(of, timeline, as_of), look(of, timeline, as_of + days * DAY)
    assert keys(before.findings) <= keys(after.findings)
    ended = {each.key for each in before.findings if each.ended and each.rule not in WAITS_AGAIN}
    assert not ended & {each.key for each in after.findings if not each.ended}
    assert len({each.key for each in after.findings}) == len(after.findings)


@given(shipments, timelines)
@settings(max_examples=150, deadline=None)
def test_nothing_changes_between_two_moments_that_are_due(
    of: Shipment, timeline: list[Checkpoint]
) -> None:
    as_of, found = START - 200 * HOUR, look(of, timeline, START - 200 * HOUR)
    seen = dict.fromkeys(each.key for each in found.findings)
    for _ in range(STEPS_MAX):
        if not found.due:
            break
        assert found.due > as_of
        assert look(of, timeline, found.due - 1) == found
        as_of, found = found.due, look(of, timeline, found.due)
        new = [each for each in found.findings if each.key not in seen]
        assert all(each.at == as_of for each in new), "found at another moment than its own"
        seen.update(dict.fromkeys(each.key for each in new))
    assert found.due == 0
    assert look(of, timeline, as_of + 10_000 * DAY) == found
    assert set(seen) == keys(found.findings)


@given(shipments, timelines, hours)
@settings(max_examples=200, deadline=None)
def test_a_finding_is_never_older_than_the_moment_and_ends_after_it_began(
    of: Shipment, timeline: list[Checkpoint], hour: int
) -> None:
    as_of = START + hour * HOUR
    found = look(of, timeline, as_of)
    assert [each.at for each in found.findings] == sorted(each.at for each in found.findings)
    for each in found.findings:
        assert each.at <= as_of
        assert not each.ended or each.at < each.ended <= as_of or not each.stage
    assert found.due == 0 or found.due > as_of


def with_retractions(timeline: list[Checkpoint], data: st.DataObject) -> list[Checkpoint]:
    """The timeline in which some checkpoints declare others wrong."""
    if not timeline:
        return timeline
    wrong = st.lists(st.sampled_from([each.source_id for each in timeline]), max_size=2)
    said = data.draw(st.dictionaries(st.integers(0, len(timeline) - 1), wrong, max_size=3))
    return [
        msgspec.structs.replace(each, retracts=tuple(said.get(number, ())))
        for number, each in enumerate(timeline)
    ]


def keys(findings: tuple[Finding, ...]) -> set[str]:
    return {each.key for each in findings}
