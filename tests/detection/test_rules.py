"""Every built-in rule fires at its threshold, not a microsecond before it, and ends as it says."""

from typing import NamedTuple

import pytest

from esm.catalog.data import Status
from esm.catalog.rules import EVENT_SINCE
from esm.detection.contradictions import SIGHTS
from esm.detection.model import Checkpoint, Shipment
from esm.detection.waits import WAITS
from tests.detection.given import (
    CATALOGUE,
    DAY,
    START,
    at,
    detection,
    of_rule,
    outlook,
    seen,
    shipment,
    stages,
)

# The post_ship codes whose deviation is a matter of time. Two more codes have thresholds and no
# rule here, because no parcel's timeline tells of them: SHIP_OVERDUE (an order's platform clock)
# and COD_REMITTANCE_OVERDUE (days of a contract, after a delivery).
TIMED_CODES = {
    "PICKUP_TIMEOUT",
    "LABEL_NO_SCAN",
    "TRACKING_NOT_FOUND",
    "TRACKING_STALLED",
    "NODE_STUCK",
    "DISPATCH_TIMEOUT",
    "PROMISE_MISSED",
    "LONG_TRANSIT",
    "DELIVERY_TIMEOUT",
    "PICKUP_POINT_EXPIRED",
    "CUSTOMS_DELAY",
    "RETURN_NOT_RECEIVED",
}
ANOMALIES = {"scan_after_delivery", "scan_in_the_future", "scan_elsewhere"}
STAGES = ["at_risk", "breached", "serious"]


class Case(NamedTuple):
    """A rule with a wait that begins at START, its three spans in hours, and what ends it."""

    rule: str
    hours: tuple[float, float, float]
    ends: str
    of: Shipment = shipment()
    before: tuple[Checkpoint, ...] = ()


CASES = [
    Case("PICKUP_TIMEOUT", (18, 24, 48), "collected", shipment(handed_over=START)),
    Case("LABEL_NO_SCAN", (18, 24, 48), "in_transit", shipment(labelled=START, untracked=True)),
    Case("TRACKING_NOT_FOUND", (12, 24, 72), "registered", before=(seen("unknown", 0),)),
    Case("TRACKING_STALLED", (36, 48, 168), "information", before=(seen("arrived", 0),)),
    Case("NODE_STUCK", (48, 72, 120), "departed", before=(seen("arrived", 0, node="A"),)),
    Case("DISPATCH_TIMEOUT", (36, 48, 72), "departed", before=(seen("collected", 0),)),
    Case("PROMISE_MISSED", (-12, 0, 72), "delivered", shipment(promised=START, untracked=True)),
    Case("LONG_TRANSIT", (600, 720, 1080), "delivered", before=(seen("collected", 0),)),
    Case("DELIVERY_TIMEOUT", (18, 24, 48), "attempted", before=(seen("out_for_delivery", 0),)),
    Case("PICKUP_POINT_EXPIRED", (120, 144, 168), "delivered",
         before=(seen("awaiting_collection", 0),)),
    Case("CUSTOMS_DELAY", (72, 168, 336), "customs_released", before=(seen("customs", 0),)),
    Case("RETURN_NOT_RECEIVED", (120, 168, 336), "returned", before=(seen("returning", 0),)),
    Case("SHORT_DELIVERY", (24, 48, 120), "delivered", shipment(pieces=("a", "b")),
         (seen("delivered", 0, piece="a"),)),
]  # fmt: skip
CHECKED = pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
EACH_STAGE = pytest.mark.parametrize("number", [0, 1, 2], ids=STAGES)


def piece_of(case: Case) -> str:
    return "b" if case.of.pieces else ""


def ending(case: Case, moment: int) -> Checkpoint:
    """What ends the wait of a case, at a moment."""
    return Checkpoint(
        source_id="feed/end",
        feed="feed",
        status=case.ends,
        occurred=moment,
        received=moment,
        piece=piece_of(case),
    )


def test_every_code_that_is_a_matter_of_time_has_a_rule_with_three_stages() -> None:
    timed = [each for each in CATALOGUE.rules.values() if each.since not in EVENT_SINCE]
    assert {each.code for each in timed} == TIMED_CODES | {"SHORT"}
    assert all(each.at_risk and each.breached and each.serious for each in timed)
    assert {case.rule for case in CASES} == {each.rule for each in timed}


def test_every_rule_has_a_way_to_be_looked_for() -> None:
    assert set(WAITS) | set(SIGHTS) == {each.since for each in CATALOGUE.rules.values()}
    events = {each.rule for each in CATALOGUE.rules.values() if each.since in EVENT_SINCE}
    assert events == {"carrier_event", "ATTEMPTS_EXHAUSTED", *ANOMALIES}
    assert {CATALOGUE.rules[each].code for each in ANOMALIES} == {"TRACKING_ANOMALY"}


@CHECKED
@EACH_STAGE
def test_a_stage_is_reached_when_the_clock_reaches_it(case: Case, number: int) -> None:
    moment = at(case.hours[number])
    before = outlook(*case.before, of=case.of, as_of=moment - 1)
    assert stages(before, case.rule, piece_of(case)) == STAGES[:number]
    now = outlook(*case.before, of=case.of, as_of=moment)
    assert stages(now, case.rule, piece_of(case)) == STAGES[: number + 1]
    found = [each for each in of_rule(now, case.rule) if each.piece == piece_of(case)][-1]
    assert (found.at, found.ended, found.version) == (moment, 0, 1)
    assert found.next_at == (at(case.hours[number + 1]) if number < 2 else 0)


@CHECKED
@EACH_STAGE
def test_the_moment_of_a_stage_is_due_before_it(case: Case, number: int) -> None:
    moment = at(case.hours[number])
    due = outlook(*case.before, of=case.of, as_of=moment - 1).due
    assert due == moment


@CHECKED
@EACH_STAGE
def test_what_comes_at_the_very_moment_saves_it(case: Case, number: int) -> None:
    moment = at(case.hours[number])
    saved = outlook(*case.before, ending(case, moment), of=case.of, as_of=moment + DAY)
    assert stages(saved, case.rule, piece_of(case)) == STAGES[:number]
    too_late = outlook(*case.before, ending(case, moment + 1), of=case.of, as_of=moment + DAY)
    assert stages(too_late, case.rule, piece_of(case)) == STAGES[: number + 1]


@CHECKED
def test_what_ends_a_wait_ends_what_was_found_in_it(case: Case) -> None:
    end = at(case.hours[0]) + 1
    now = outlook(*case.before, ending(case, end), of=case.of, as_of=end)
    (found,) = [each for each in of_rule(now, case.rule) if each.piece == piece_of(case)]
    assert (found.stage, found.ended, found.ended_by) == ("at_risk", end, "feed/end")
    assert found.next_at == 0


def test_a_promise_that_was_missed_is_not_undone_by_the_delivery() -> None:
    delivered = seen("delivered", 1)
    now = outlook(delivered, of=shipment(promised=START), as_of=at(100))
    assert stages(now, "PROMISE_MISSED") == ["at_risk", "breached"]
    assert [each.ended for each in of_rule(now, "PROMISE_MISSED")] == [0, 0]
    assert now.due == 0


@pytest.mark.parametrize("called_back", ["cancelled", "returning"])
def test_a_parcel_that_was_called_back_and_moves_on_is_waited_for_again(
    called_back: Status,
) -> None:
    of = shipment(promised=at(48))
    back = [seen("collected", 1), seen(called_back, 2)]
    on = [*back, seen("in_transit", 3), seen("out_for_delivery", 90)]
    assert stages(outlook(*back, of=of, as_of=at(100)), "PROMISE_MISSED") == []
    late = outlook(*on, of=of, as_of=at(100))
    assert stages(late, "PROMISE_MISSED") == ["at_risk", "breached"]
    for rule in ("PROMISE_MISSED", "LONG_TRANSIT"):
        found = stages(outlook(*on, of=of, as_of=at(3_000)), rule)
        straight = stages(outlook(*on[:1], *on[2:], of=of, as_of=at(3_000)), rule)
        assert found == straight != []


@pytest.mark.parametrize("inclusive", [False, True])
def test_what_passed_while_a_parcel_was_called_back_is_found_when_it_moves_on(
    inclusive: bool,
) -> None:
    by = detection("PROMISE_MISSED", inclusive=inclusive)
    of = shipment(promised=at(48))
    track = [seen("collected", 1), seen("cancelled", 36), seen("in_transit", 40)]
    track += [seen("returning", 47), seen("out_for_delivery", 90)]
    found = of_rule(outlook(*track, of=of, as_of=at(90), by=by), "PROMISE_MISSED")
    at_risk = at(36) if inclusive else at(40)
    assert [(each.stage, each.at) for each in found] == [("at_risk", at_risk), ("breached", at(90))]
    assert not any(each.ended for each in found)
    serious = outlook(*track, of=of, as_of=at(120), by=by).findings[-1]
    assert (serious.rule, serious.stage, serious.at) == ("PROMISE_MISSED", "serious", at(120))


def test_another_promise_is_another_finding() -> None:
    first = outlook(of=shipment(promised=START), as_of=at(1))
    second = outlook(of=shipment(promised=at(2)), as_of=at(3))
    assert not {each.key for each in first.findings} & {each.key for each in second.findings}
    assert first.findings[0].evidence == ("promised",)


def test_a_stall_that_grows_serious_is_suspected_lost() -> None:
    now = outlook(seen("in_transit", 0), as_of=at(168))
    assert [each.code for each in of_rule(now, "TRACKING_STALLED")] == [
        "TRACKING_STALLED",
        "TRACKING_STALLED",
        "SUSPECTED_LOST",
    ]


@pytest.mark.parametrize(
    "status", ["out_for_delivery", "customs", "awaiting_collection", "returning", "registered"]
)
def test_silence_where_another_rule_waits_is_no_stall(status: str) -> None:
    before = [seen("arrived", -1)] if status != "registered" else []
    now = outlook(*before, seen(status, 0), as_of=at(20 * 24))  # type: ignore[arg-type]  # a name
    assert stages(now, "TRACKING_STALLED") == []


def test_a_remark_moves_nothing_and_ends_a_stall_which_may_begin_again() -> None:
    now = outlook(seen("in_transit", 0), seen("information", 40), as_of=at(88))
    assert now.status == "in_transit"
    found = of_rule(now, "TRACKING_STALLED")
    assert [(each.stage, each.anchor, each.ended) for each in found] == [
        ("at_risk", "feed/in_transit@0", at(40)),
        ("at_risk", "feed/information@40", 0),
        ("breached", "feed/information@40", 0),
    ]


def test_further_scans_at_a_node_do_not_save_it_but_one_elsewhere_does() -> None:
    scans = [seen("arrived", hour, node="A") for hour in (0, 30, 60)]
    stuck = outlook(*scans, as_of=at(72))
    assert stages(stuck, "NODE_STUCK") == ["at_risk", "breached"]
    assert [each.evidence for each in of_rule(stuck, "NODE_STUCK")] == [
        ("feed/arrived@0", "feed/arrived@30"),
        ("feed/arrived@0", "feed/arrived@60"),
    ]
    assert stages(stuck, "TRACKING_STALLED") == []
    moved = outlook(*scans, seen("arrived", 71, node="B"), as_of=at(72))
    assert stages(moved, "NODE_STUCK") == ["at_risk"]


def test_a_scan_that_names_no_node_does_not_show_that_the_parcel_left() -> None:
    now = outlook(
        seen("arrived", 0, node="A"), seen("in_transit", 40), seen("problem", 60), as_of=at(72)
    )
    assert stages(now, "NODE_STUCK") == ["at_risk", "breached"]


@pytest.mark.parametrize("status", ["information", "unknown", "registered"])
def test_what_moves_nothing_is_at_no_node(status: Status) -> None:
    scans = [seen("arrived", hour, node="A") for hour in (0, 30, 60)]
    remarks = [seen(status, hour, node=node) for hour, node in ((20, "A"), (47, "B"), (71, "A"))]
    stuck = outlook(*scans, *remarks, as_of=at(72))
    assert of_rule(stuck, "NODE_STUCK") == of_rule(outlook(*scans, as_of=at(72)), "NODE_STUCK")
    nowhere = outlook(seen("in_transit", 0), *remarks, as_of=at(200))
    assert of_rule(nowhere, "NODE_STUCK") == []


def test_trouble_is_where_the_parcel_is() -> None:
    there = seen("problem", 40, node="B")
    now = outlook(seen("arrived", 0, node="A"), there, as_of=at(88))
    found = of_rule(now, "NODE_STUCK")
    assert [(each.stage, each.anchor) for each in found] == [("at_risk", there.source_id)]


def test_a_parcel_that_comes_back_to_a_node_waits_there_anew() -> None:
    track = [seen("arrived", 0, node="A"), seen("departed", 5, node="A")]
    track.append(seen("arrived", 30, node="A"))
    assert stages(outlook(*track, as_of=at(77)), "NODE_STUCK") == []
    assert stages(outlook(*track, as_of=at(78)), "NODE_STUCK") == ["at_risk"]


def test_a_hand_over_ends_the_label_rule_and_begins_that_of_the_pickup() -> None:
    parcel = shipment(labelled=START, handed_over=at(20), untracked=False)
    now = outlook(of=parcel, as_of=at(44))
    (label,) = of_rule(now, "LABEL_NO_SCAN")
    assert (label.stage, label.ended, label.ended_by) == ("at_risk", at(20), "handed_over")
    assert stages(now, "PICKUP_TIMEOUT") == ["at_risk", "breached"]


def test_a_hand_over_before_the_label_raises_nothing() -> None:
    parcel = shipment(labelled=START, handed_over=at(-3), untracked=True)
    assert outlook(of=parcel, as_of=at(1000)).findings == ()


def test_facts_ahead_of_the_moment_do_not_count_yet_and_are_due() -> None:
    parcel = shipment(labelled=at(1), handed_over=at(50), untracked=True)
    assert outlook(of=parcel, as_of=START).due == at(1)
    now = outlook(of=parcel, as_of=at(25))
    assert stages(now, "LABEL_NO_SCAN") == ["at_risk", "breached"]
    assert not any(each.ended for each in now.findings)
    assert now.due == at(49)


def test_nobody_scans_an_untracked_shipment() -> None:
    parcel = shipment(handed_over=START, promised=at(50), untracked=True)
    now = outlook(seen("in_transit", 1), of=parcel, as_of=at(30 * 24))
    assert {each.rule for each in now.findings} == {"PROMISE_MISSED"}
    by_service = shipment(handed_over=START, service="untracked_mail")
    assert outlook(of=by_service, as_of=at(30 * 24)).findings == ()


def test_a_number_that_the_carrier_knew_once_is_not_unknown() -> None:
    now = outlook(seen("collected", 0), seen("unknown", 10), as_of=at(40))
    assert stages(now, "TRACKING_NOT_FOUND") == []
    assert stages(now, "TRACKING_STALLED") == ["at_risk"]
    assert now.status == "collected"


def test_a_second_round_of_delivery_does_not_begin_the_wait_anew() -> None:
    now = outlook(seen("out_for_delivery", 0), seen("out_for_delivery", 23), as_of=at(24))
    assert stages(now, "DELIVERY_TIMEOUT") == ["at_risk", "breached"]
    again = outlook(
        seen("out_for_delivery", 0), seen("attempted", 4), seen("out_for_delivery", 20),
        as_of=at(37),
    )  # fmt: skip
    assert stages(again, "DELIVERY_TIMEOUT") == []


def test_a_parcel_brought_back_to_the_depot_was_still_not_delivered() -> None:
    now = outlook(seen("out_for_delivery", 0), seen("arrived", 12), as_of=at(24))
    assert now.status == "arrived"
    assert stages(now, "DELIVERY_TIMEOUT") == ["at_risk", "breached"]


def test_a_return_ends_with_what_happens_to_it() -> None:
    now = outlook(seen("returning", 0), seen("in_transit", 100), as_of=at(220))
    assert now.status == "returning"
    (found,) = of_rule(now, "RETURN_NOT_RECEIVED")
    assert (found.stage, found.anchor) == ("at_risk", "feed/in_transit@100")
    assert stages(now, "TRACKING_STALLED") == []


def test_what_ends_a_rules_wait_also_ends_its_code_when_a_carrier_reported_it() -> None:
    # What is short of its contents is not made whole by a scan; a missing piece is.
    for entry in CATALOGUE.rules.values():
        family = CATALOGUE.types[entry.code].family if entry.code else ""
        for status in entry.until:
            clears = CATALOGUE.clearings[status].clears
            assert entry.code == "SHORT" or {entry.code, family} & set(clears), (entry, status)
