"""From what is found to one case: joins, contradictions, clearings, mutes (A14 to A21)."""

import json
import time
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from shipment_exception.v1 import exception_pb2, tracking_pb2
from shipment_exception.v1.exception_pb2 import ShipmentException

from tests.features.refusals import refused
from tests.scenarios.driver import World, money
from tests.scenarios.watching import Watch, at

ESCALATED = ShipmentException.STATE_ESCALATED
SECONDS_MAX = 20


def failed(source_id: str, hours: float, text: str = "") -> tracking_pb2.TrackingCheckpoint:
    """A failed delivery of the parcel S1, as AfterShip tells it."""
    return tracking_pb2.TrackingCheckpoint(
        feed="aftership",
        source_id=source_id,
        number="N-S1",
        occurred_at=at(hours),
        raw_code="AttemptFail_001",
        raw_text=text,
    )


def test_a_carriers_notice_is_a_source_of_its_own_and_opens_a_case(watch: Watch) -> None:
    """A14."""
    watch.until(2)
    notice = exception_pb2.Signal(
        kind="carrier", feed="sf-desk", source_id="mail-7", raw_text="包裹异常，请联系"
    )
    case = watch.world.detect("CARRIER_REPORTED", signal=notice, occurred_at=at(1))
    found = watch.world.case(case)
    (source,) = found.sources
    assert (source.kind, source.feed, source.source_id) == ("carrier", "sf-desk", "mail-7")
    assert (source.raw_text, found.state, found.team) == (
        "包裹异常，请联系",
        ESCALATED,
        "carrier_desk",
    )
    (ticket,) = watch.tickets("platform_type = carrier_reported")
    assert (ticket.exception_id, list(ticket.source_kinds)) == (case, ["carrier"])


def test_an_ambiguous_notice_goes_to_the_carrier_desk_with_its_candidate(watch: Watch) -> None:
    """A14."""
    watch.until(2)
    notice = exception_pb2.Signal(
        kind="carrier", feed="track17", source_id="n-1", raw_code="Exception_Lost"
    )
    case = watch.world.detect("", signal=notice, occurred_at=at(1))
    found = watch.world.case(case)
    assert (found.code, found.team) == ("CARRIER_REPORTED", "carrier_desk")
    assert found.sources[0].candidate == "SUSPECTED_LOST"


REPORTS = {"customer": "TRACKING_STALLED", "carrier": "TRANSIT_DELAY", "platform": "SUSPECTED_LOST"}
"""Who else tells of a parcel that does not come, each under a code of their own."""


def tell(watch: Watch, kind: str) -> str:
    signal = exception_pb2.Signal(kind=kind, feed=f"{kind}-desk", source_id="1")
    return watch.world.detect(REPORTS[kind], signal=signal, occurred_at=at(47))


@pytest.mark.parametrize("order", [*permutations(REPORTS)][::2], ids="-".join)
def test_alert_customer_carrier_and_platform_make_one_case_whatever_code_each_used(
    watch: Watch, order: tuple[str, ...]
) -> None:
    """A15."""
    watch.register()
    watch.scan(0, "departed")
    watch.until(47)
    first = tell(watch, order[0])
    watch.until(48)
    cases = {first, *(tell(watch, kind) for kind in order[1:])}
    assert cases == set(watch.cases()) == {first}
    found = watch.world.case(first)
    assert {s.kind for s in found.sources} == {"alert", *REPORTS}
    assert len(found.sources) == 5  # the alert's two stages
    assert found.code == "SUSPECTED_LOST"
    events = len(watch.world.events(first))
    assert {tell(watch, kind) for kind in order} == {first}
    watch.scan(0, "departed", source_id="c1")
    watch.until(49)
    assert len(watch.world.events(first)) == events
    assert len(watch.tickets('shipment_code = "S1"')) == 1


def test_a_repeated_trouble_after_the_books_are_closed_is_a_case_of_its_own(watch: Watch) -> None:
    """A15."""
    watch.register()
    watch.scan(0, "departed")
    watch.until(48)
    (first,) = watch.cases()
    watch.world.verify(first)
    watch.world.outcome(first, watch.world.act(first, "explain_only"), "succeeded")
    watch.world.remediate(first, "EXPLAINED")
    watch.world.reconcile(first)
    second = watch.report("TRACKING_STALLED", "customer", 47)
    assert second != first
    assert [watch.world.case(case).occurrence for case in (first, second)] == [1, 2]


def test_troubles_of_several_families_stand_side_by_side_on_one_timeline(watch: Watch) -> None:
    """A16."""
    watch.register(promised_at=at(60))
    watch.scan(0, "departed")
    watch.record([failed("f1", 50)])
    watch.until(70)
    watch.report("DAMAGED", "customer", 65)
    tickets = watch.tickets('shipment_code = "S1" AND open = true')
    assert {t.family for t in tickets} == {"delay_loss", "delivery", "contents"}
    assert {t.code for t in tickets} == {"PROMISE_MISSED", "DELIVERY_FAILED", "DAMAGED"}
    deviations = [(d.rule, d.stage, d.code) for d in watch.shown().deviations]
    assert deviations == [
        ("TRACKING_STALLED", "at_risk", "TRACKING_STALLED"),
        ("PROMISE_MISSED", "at_risk", "PROMISE_MISSED"),
        ("TRACKING_STALLED", "breached", "TRACKING_STALLED"),
        ("carrier_event", "", "DELIVERY_FAILED"),
        ("PROMISE_MISSED", "breached", "PROMISE_MISSED"),
    ]
    cases = {d.exception_id for d in watch.shown().deviations}
    assert cases == {t.exception_id for t in tickets if t.code != "DAMAGED"}
    opened = [event.aggregate_id for event in watch.world.history('order_id = "O1"')]
    assert set(opened) == {t.exception_id for t in tickets}


def anomalies(watch: Watch) -> list[tuple[str, str]]:
    """Rules that found a contradiction, and what became of it."""
    return [(d.rule, d.outcome) for d in watch.shown().deviations if d.code == "TRACKING_ANOMALY"]


def test_delivered_and_then_out_for_delivery_is_a_contradiction(watch: Watch) -> None:
    """A18."""
    watch.register()
    watch.scan(0, "collected")
    watch.scan(20, "delivered")
    watch.scan(25, "out_for_delivery")
    watch.until(26)
    assert anomalies(watch) == [("scan_after_delivery", "opened")]
    assert (watch.codes(), watch.shown().shipment.status) == (["TRACKING_ANOMALY"], "delivered")


def test_a_delivery_in_another_city_is_a_contradiction(watch: Watch) -> None:
    """A18."""
    for parcel, place in (("S1", "Marseille"), ("S2", "69001 LYON"), ("S3", "")):
        watch.register(parcel, destination="Lyon")
        watch.scan(20, "delivered", parcel=parcel, place=place)
    watch.until(21)
    assert anomalies(watch) == [("scan_elsewhere", "opened")]
    assert [watch.world.case(case).subject.shipment_code for case in watch.cases()] == ["S1"]


def test_a_time_in_the_future_is_a_contradiction(world: World) -> None:
    """A18."""
    watch = Watch(world)
    watch.register()
    ahead = Timestamp()
    ahead.FromDatetime(datetime.now(UTC) + timedelta(minutes=10))
    near = Timestamp()
    near.FromDatetime(datetime.now(UTC) + timedelta(minutes=4))
    for source_id, moment in (("near", near), ("ahead", ahead)):
        fact = tracking_pb2.TrackingCheckpoint(
            feed="wms", source_id=source_id, number="N-S1", status="arrived", occurred_at=moment
        )
        assert watch.record([fact]) == ["new"]
    end = time.monotonic() + SECONDS_MAX
    while not watch.cases():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert watch.codes() == ["TRACKING_ANOMALY"]
    assert anomalies(watch) == [("scan_in_the_future", "opened")]
    assert {e.source_id: e.future for e in watch.shown().timeline} == {"near": False, "ahead": True}


@pytest.mark.parametrize("remedy", ["redeliver", "expedite"])
def test_an_action_of_ours_makes_the_same_scans_expected(watch: Watch, remedy: str) -> None:
    """A18."""
    watch.world.record_order(recognised=True)
    watch.register()
    watch.scan(0, "collected")
    watch.scan(20, "delivered")
    watch.until(21)
    case = watch.report("DELIVERED_NOT_RECEIVED", "customer", 21)
    watch.world.verify(case)
    action = watch.world.act(case, remedy)
    watch.scan(25, "out_for_delivery")
    watch.until(26)
    assert anomalies(watch) == [("scan_after_delivery", "expected")]
    assert watch.cases() == [case]
    watch.world.outcome(case, action, "failed")
    watch.scan(27, "out_for_delivery")
    watch.until(28)
    assert anomalies(watch)[-1] == ("scan_after_delivery", "opened")


def test_a_stall_with_money_stays_open_when_the_parcel_moves(watch: Watch) -> None:
    """A19."""
    watch.world.record_order(recognised=True)
    watch.register()
    watch.scan(0, "departed")
    watch.until(48)
    (case,) = watch.cases()
    watch.world.verify(case)
    coupon = watch.world.act(case, "coupon", amount=money("5"))
    watch.world.outcome(case, coupon, "succeeded")
    watch.scan(53, "arrived")
    watch.until(54)
    found = watch.world.case(case)
    assert (found.state, found.episode) == (ESCALATED, 1)
    (cleared,) = watch.facts(case, "signal_cleared")
    assert cleared["checkpoint"]["status"] == "arrived"
    assert not watch.tickets("due_at:*")


def test_a_late_scan_takes_a_stall_back_when_it_is_told(watch: Watch) -> None:
    """A19."""
    watch.register()
    watch.scan(0, "departed")
    watch.until(50)
    (case,) = watch.cases()
    watch.scan(20, "arrived")
    watch.until(51)
    assert watch.world.case(case).resolution == "RESUMED"
    (cleared,) = watch.facts(case, "signal_cleared")
    assert cleared["checkpoint"]["status"] == "arrived"
    assert watch.story(case)[-2:] == [(50, "signal_cleared"), (50, "withdrawn")]
    assert watch.found("TRACKING_STALLED") == []


def test_a_delivery_ends_a_stall_with_the_reason(watch: Watch) -> None:
    """A19."""
    watch.register()
    watch.scan(0, "departed")
    watch.until(48)
    (case,) = watch.cases()
    watch.scan(60, "delivered")
    watch.until(60)
    found = watch.world.case(case)
    assert (found.state, found.resolution) == (ShipmentException.STATE_WITHDRAWN, "RESUMED")
    story = [(60, "signal_cleared"), (60, "withdrawn")]
    assert [each for each in watch.story(case) if each[0] > 48] == story
    assert watch.world.entries() == []


def test_a_stronger_code_of_a_family_covers_a_weaker_one(watch: Watch) -> None:
    """A20."""
    watch.register()
    watch.scan(0, "arrived", place="Wuhan hub")
    watch.until(60)
    (case,) = watch.cases()
    assert watch.world.case(case).code == "TRACKING_STALLED"
    watch.until(72)
    assert watch.world.case(case).code == "NODE_STUCK"
    tell(watch, "carrier")
    assert (watch.cases(), watch.world.case(case).code) == ([case], "NODE_STUCK")
    assert len(watch.tickets("open = true")) == 1


def test_a_muted_rule_opens_nothing_until_the_end_of_the_mute(watch: Watch) -> None:
    """A20."""
    for parcel in ("S1", "S2"):
        watch.register(parcel)
        watch.scan(0, "departed", parcel=parcel)
    watch.until(30)
    watch.mute("TRACKING_STALLED", until=60)
    watch.until(60 - 1 / 3600)
    assert [watch.world.case(c).subject.shipment_code for c in watch.cases()] == ["S2"]
    stages = [(d.stage, d.outcome) for d in watch.shown().deviations]
    assert stages == [("at_risk", "muted"), ("breached", "muted")]
    watch.until(60)
    (_, case) = watch.cases()
    found = watch.world.case(case)
    assert (found.subject.shipment_code, found.state) == ("S1", ESCALATED)
    assert {d.outcome for d in watch.shown().deviations} == {"opened"}
    (mute,) = watch.world.history('topic = "watch.rule_muted.v1"')
    payload = json.loads(mute.payload)
    assert payload["until"] == "2026-03-04T12:00:00.000000Z"
    assert "the hub is closed" not in mute.payload.decode()


def test_a_mute_that_is_shortened_ends_when_it_says(watch: Watch) -> None:
    """A20."""
    watch.register()
    watch.scan(0, "departed")
    watch.until(30)
    watch.mute("TRACKING_STALLED", until=24 * 60)
    watch.until(60)
    assert watch.cases() == []
    watch.mute("TRACKING_STALLED", until=70)
    watch.until(70 - 1 / 3600)
    assert watch.cases() == []
    watch.until(70)
    (case,) = watch.cases()
    assert watch.world.case(case).state == ESCALATED


def test_what_ended_while_it_was_muted_is_never_reported(watch: Watch) -> None:
    """A20."""
    watch.register()
    watch.scan(0, "departed")
    watch.until(30)
    watch.mute("TRACKING_STALLED", until=60)
    watch.scan(50, "arrived")
    watch.until(80)
    assert [(d.stage, d.outcome) for d in watch.shown().deviations] == [
        ("at_risk", "muted"),
        ("breached", "muted"),
    ]
    assert watch.cases() == []
    watch.until(50 + 36)
    assert len(watch.cases()) == 1


@pytest.mark.parametrize(("field", "given"), [("reason", {"reason": ""}), ("until", {"until": 0})])
def test_a_mute_without_a_reason_or_an_end_is_refused(
    watch: Watch, field: str, given: dict[str, Any]
) -> None:
    """A20."""
    watch.register()
    watch.scan(0, "departed")
    watch.until(30)
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", field):
        watch.mute("TRACKING_STALLED", **{"until": 60, **given})
    watch.until(36)
    assert len(watch.cases()) == 1


def test_no_attempt_is_told_from_a_failed_delivery_and_not_counted(watch: Watch) -> None:
    """A21."""
    watch.register()
    watch.record([failed("f1", 1), failed("f2", 2, "虚假派送"), failed("f3", 3, "no attempt made")])
    watch.record([failed("f4", 4, "receiver asked for another day")])
    watch.until(5)
    rules = [(d.rule, d.code) for d in watch.shown().deviations]
    codes = ["DELIVERY_FAILED", "NO_ATTEMPT", "NO_ATTEMPT", "DELIVERY_FAILED"]
    assert rules == [("carrier_event", code) for code in codes]
    (case,) = watch.cases()
    assert watch.world.case(case).code == "NO_ATTEMPT"
    watch.record([failed("f5", 6)])
    watch.until(6)
    (exhausted,) = [d for d in watch.shown().deviations if d.rule == "ATTEMPTS_EXHAUSTED"]
    assert list(exhausted.evidence) == ["aftership/f1", "aftership/f4", "aftership/f5"]


def test_a_customer_who_was_at_home_makes_a_failed_delivery_no_attempt(watch: Watch) -> None:
    """A21."""
    watch.register()
    watch.record([failed("f1", 1)])
    watch.until(2)
    (case,) = watch.cases()
    assert watch.world.case(case).code == "DELIVERY_FAILED"
    fields = [exception_pb2.ReportField(name="at_home", values=["yes"])]
    report = exception_pb2.Report(template="no_attempt", fields=fields)
    said = exception_pb2.Signal(kind="customer")
    joined = watch.world.detect("", signal=said, report=report, occurred_at=at(2))
    found = watch.world.case(case)
    assert (joined, found.code) == (case, "NO_ATTEMPT")
