"""Rules that wait: no scan, one node, the label, the courier's round, the promise (A3 to A9)."""

from pathlib import Path
from typing import Any

import pytest
from shipment_exception.v1.exception_pb2 import ShipmentException, Stage

from server.settings import Settings
from tests.features.rule_files import overlay
from tests.scenarios.watching import Watch, at, watching

SECOND = 1 / 3600
"""In hours, as all times here."""

DAY = 24


def test_48_hours_without_a_scan_open_a_stall_and_a_gap_of_48_hours_does_not(
    watch: Watch,
) -> None:
    """A3."""
    for parcel in ("quiet", "saved", "late"):
        watch.register(parcel)
        watch.scan(0, "departed", parcel=parcel)
    watch.until(35)
    watch.scan(48, "arrived", parcel="saved")
    watch.scan(48 + SECOND, "arrived", parcel="late")
    watch.until(48 - SECOND)
    assert {each.stage for each in watch.tickets()} == {Stage.STAGE_AT_RISK}
    watch.until(48)
    stages = [(36, "at_risk"), (48, "breached")]
    assert watch.found("TRACKING_STALLED", "quiet") == stages
    assert watch.found("TRACKING_STALLED", "saved") == [(36, "at_risk")]
    assert watch.found("TRACKING_STALLED", "late") == stages
    worked_on = {each.subject.shipment_code: each for each in watch.tickets("open = true")}
    assert worked_on.keys() == {"quiet", "late"}
    ticket = worked_on["quiet"]
    assert (ticket.code, ticket.state) == ("TRACKING_STALLED", ShipmentException.STATE_ESCALATED)


def test_an_operator_sets_how_long_a_stall_takes(fresh: Settings, tmp_path: Path) -> None:
    """A3."""
    spans = {'at_risk = "36h"': 'at_risk = "9h"', 'breached = "48h"': 'breached = "12h"'}
    with watching(overlay(fresh, tmp_path, TRACKING_STALLED=spans)) as watch:
        watch.register()
        watch.scan(0, "departed")
        watch.until(12)
        assert watch.found("TRACKING_STALLED") == [(9, "at_risk"), (12, "breached")]
        assert [each.state for each in watch.tickets()] == [ShipmentException.STATE_ESCALATED]


def test_72_hours_at_one_node_open_a_case_though_it_scans_again(watch: Watch) -> None:
    """A4."""
    watch.register()
    for hours in (0, 20, 40, 60):
        watch.scan(hours, "arrived", place="Wuhan hub")
    watch.until(72 - SECOND)
    assert watch.found("NODE_STUCK") == [(48, "at_risk")]
    watch.until(72)
    assert watch.found("NODE_STUCK") == [(48, "at_risk"), (72, "breached")]
    assert watch.found("TRACKING_STALLED") == []
    (case,) = watch.cases()
    found = watch.world.case(case)
    assert (found.code, found.state) == ("NODE_STUCK", ShipmentException.STATE_ESCALATED)
    (alert,) = [e["source"]["alert"] for e in watch.facts(case, "source_joined")]
    assert alert["evidence"] == ["wms/c1", "wms/c4"]


def test_a_parcel_that_leaves_its_node_in_time_is_not_stuck(watch: Watch) -> None:
    """A4."""
    for parcel, hours, status, place in (
        ("left", 72, "departed", "Wuhan hub"),
        ("elsewhere", 72, "arrived", "Changsha hub"),
        ("there", 71, "arrived", "Wuhan hub"),
    ):
        watch.register(parcel)
        watch.scan(0, "arrived", parcel=parcel, place="Wuhan hub")
        watch.scan(30, "arrived", parcel=parcel, place="Wuhan hub")
        watch.scan(hours, status, parcel=parcel, place=place)
    watch.until(73)
    stuck = [(48, "at_risk"), (72, "breached")]
    assert watch.found("NODE_STUCK", "left") == stuck[:1]
    assert watch.found("NODE_STUCK", "elsewhere") == stuck[:1]
    assert watch.found("NODE_STUCK", "there") == stuck


def test_an_operator_sets_how_long_a_parcel_may_stay_at_a_node(
    fresh: Settings, tmp_path: Path
) -> None:
    """A4."""
    spans = {'at_risk = "48h"': 'at_risk = "8h"', 'breached = "72h"': 'breached = "10h"'}
    with watching(overlay(fresh, tmp_path, NODE_STUCK=spans)) as watch:
        watch.register()
        watch.scan(0, "arrived", place="Wuhan hub")
        watch.scan(9, "arrived", place="Wuhan hub")
        watch.until(10)
        assert watch.found("NODE_STUCK") == [(8, "at_risk"), (10, "breached")]


def test_each_stage_of_a_rule_is_an_event_of_its_own(watch: Watch) -> None:
    """A6."""
    watch.register()
    watch.scan(0, "departed")
    watch.until(36)
    (case,) = watch.cases()
    assert watch.story(case) == [(36, "detected")]
    found = watch.world.case(case)
    assert (found.state, found.stage) == (ShipmentException.STATE_DETECTED, Stage.STAGE_AT_RISK)
    watch.until(48)
    assert watch.story(case)[1:] == [(48, "source_joined"), (48, "escalated")]
    found = watch.world.case(case)
    assert (found.state, found.stage) == (ShipmentException.STATE_ESCALATED, Stage.STAGE_BREACHED)
    watch.until(7 * DAY)
    assert watch.story(case)[3:5] == [(168, "source_joined"), (168, "reclassified")]
    found = watch.world.case(case)
    assert (found.code, found.stage) == ("SUSPECTED_LOST", Stage.STAGE_SERIOUS)
    alerts = [each["source"]["alert"] for each in watch.facts(case, "detected")]
    alerts += [each["source"]["alert"] for each in watch.facts(case, "source_joined")]
    assert [each["stage"] for each in alerts] == ["at_risk", "breached", "serious"]
    assert {(each["rule"], each["version"]) for each in alerts} == {("TRACKING_STALLED", 1)}
    assert [each.get("next_at", "") for each in alerts] == [*(e["at"] for e in alerts[1:]), ""]


@pytest.mark.parametrize(
    ("rule", "fact"), [("LABEL_NO_SCAN", "labelled_at"), ("PICKUP_TIMEOUT", "handed_over_at")]
)
def test_a_parcel_that_is_not_scanned_after_its_label_or_hand_over_opens_a_case(
    watch: Watch, rule: str, fact: str
) -> None:
    """A7."""
    for parcel in ("quiet", "saved", "late"):
        facts: dict[str, Any] = {fact: at(0)}
        watch.register(parcel, **facts)
    watch.scan(24, "collected", parcel="saved")
    watch.scan(24 + SECOND, "collected", parcel="late")
    watch.until(18 - SECOND)
    assert watch.cases() == []
    watch.until(48)
    stages = [(18, "at_risk"), (24, "breached"), (48, "serious")]
    assert watch.found(rule, "quiet") == stages
    assert watch.found(rule, "saved") == stages[:1]
    assert watch.found(rule, "late") == stages[:2]
    states = {each.subject.shipment_code: (each.code, each.state) for each in watch.tickets()}
    assert states == {
        "quiet": (rule, ShipmentException.STATE_ESCALATED),
        "saved": (rule, ShipmentException.STATE_WITHDRAWN),
        "late": (rule, ShipmentException.STATE_WITHDRAWN),
    }


def test_our_own_hand_over_ends_the_wait_after_the_label(watch: Watch) -> None:
    """A7."""
    watch.register(labelled_at=at(0))
    watch.until(10)
    watch.register(handed_over_at=at(17))
    watch.until(17 + 18)
    assert watch.found("LABEL_NO_SCAN") == []
    assert watch.found("PICKUP_TIMEOUT") == [(35, "at_risk")]
    assert watch.codes() == ["PICKUP_TIMEOUT"]


def test_a_round_without_sign_off_opens_a_case(watch: Watch) -> None:
    """A8."""
    for parcel in ("quiet", "saved", "late"):
        watch.register(parcel)
        watch.scan(0, "out_for_delivery", parcel=parcel)
    watch.scan(24, "delivered", parcel="saved")
    watch.scan(24 + SECOND, "delivered", parcel="late")
    watch.until(48)
    stages = [(18, "at_risk"), (24, "breached"), (48, "serious")]
    assert watch.found("DELIVERY_TIMEOUT", "quiet") == stages
    assert watch.found("DELIVERY_TIMEOUT", "saved") == stages[:1]
    assert watch.found("DELIVERY_TIMEOUT", "late") == stages[:2]
    (ticket,) = watch.tickets("open = true")
    assert (ticket.code, ticket.team) == ("DELIVERY_TIMEOUT", "carrier_desk")
    assert ticket.subject.shipment_code == "quiet"


def test_a_promise_that_passes_without_delivery_opens_a_case(watch: Watch) -> None:
    """A9."""
    for parcel in ("quiet", "saved", "late"):
        watch.register(parcel, promised_at=at(100), untracked=True)
    watch.scan(100, "delivered", parcel="saved")
    watch.scan(100 + SECOND, "delivered", parcel="late")
    watch.until(88 - SECOND)
    assert watch.cases() == []
    watch.until(100 + 72)
    stages = [(88, "at_risk"), (100, "breached"), (172, "serious")]
    assert watch.found("PROMISE_MISSED", "quiet") == stages
    assert watch.found("PROMISE_MISSED", "saved") == stages[:1]
    assert watch.found("PROMISE_MISSED", "late") == stages[:2]
    states = {each.subject.shipment_code: (each.code, each.state) for each in watch.tickets()}
    assert states == {
        "quiet": ("PROMISE_MISSED", ShipmentException.STATE_ESCALATED),
        "saved": ("PROMISE_MISSED", ShipmentException.STATE_WITHDRAWN),
        # A promise that was broken stays broken: people tell the customer.
        "late": ("PROMISE_MISSED", ShipmentException.STATE_ESCALATED),
    }


def test_another_promise_is_another_wait(watch: Watch) -> None:
    """A9."""
    watch.register(promised_at=at(100), untracked=True)
    watch.until(50)
    watch.register(promised_at=at(200))
    watch.until(200)
    assert watch.found("PROMISE_MISSED") == [(188, "at_risk"), (200, "breached")]
