"""Detection: identity, join, precedence, occurrence, reopening, and source ids for ever."""

from typing import Any

import pytest

from esm import commands as c
from esm.errors import InvalidCommand
from esm.events import Detected, Escalated, InvoiceLine, Reclassified, Reopened, SourceJoined
from esm.events import Subject as About
from esm.ids import exception_id
from tests.esm import given as g
from tests.esm.story import NOW, Story

PARCEL = About(order_id="O1", shipment_code="S1")


def kinds(events: list[Any]) -> list[type]:
    return [type(event) for event in events]


def test_the_id_follows_from_tenant_subject_family_and_occurrence() -> None:
    story = Story()
    case = g.detected(story)
    assert case == str(exception_id("t1", "parcel␟O1␟S1␟", "delay_loss", 1))
    assert g.detected(Story("t2")) != case


def test_a_signal_escalates_at_once_at_the_level_and_to_the_team_of_its_code() -> None:
    story = Story()
    events = story.do(g.detection("LOST"))
    assert kinds(events) == [Detected, Escalated]
    case = story.case()
    assert (case.state, case.level, case.team, case.owner) == (
        "escalated",
        3,
        "task_force",
        "queue:task_force",
    )


def test_an_at_risk_stage_rests_detected_until_a_later_stage_comes() -> None:
    story = Story()
    assert kinds(story.do(g.detection("TRACKING_STALLED", stage="at_risk"))) == [Detected]
    assert (story.case().state, story.case().level, story.case().owner) == ("detected", 0, "")
    assert kinds(story.do(g.detection("TRACKING_STALLED", stage="at_risk"))) == [SourceJoined]
    events = story.do(g.detection("TRACKING_STALLED", stage="breached"))
    assert kinds(events) == [SourceJoined, Escalated]


def test_a_signal_of_the_same_family_joins_and_a_stronger_code_wins() -> None:
    story = Story()
    case = g.detected(story, "TRACKING_STALLED")
    assert kinds(story.do(g.detection("LOST"))) == [SourceJoined, Reclassified]
    assert (str(story.case().id), story.case().code) == (case, "LOST")
    assert kinds(story.do(g.detection("WEATHER_DELAY"))) == [SourceJoined]
    assert story.case().code == "LOST"
    assert [change.code for change in story.case().codes] == ["TRACKING_STALLED", "LOST"]
    assert len(story.case().sources) == 3


def test_level_and_team_are_those_of_the_stronger_code_whatever_the_signal_says() -> None:
    story = Story()
    case = g.detected(story, "LOST", stage="at_risk")
    strong = story.catalogue.type_of("LOST")
    story.do(g.detection("CARRIER_REPORTED"))
    found = story.case(case)
    assert (found.code, found.state) == ("LOST", "escalated")
    assert (found.level, found.team) == (strong.level, strong.team)


def test_another_family_piece_or_parcel_opens_another_case() -> None:
    story = Story()
    other = About(order_id="O1", shipment_code="S2")
    piece = About(order_id="O1", shipment_code="S1", piece="2")
    cases = {
        g.detected(story),
        g.detected(story, "WRONG_ITEM"),
        g.detected(story, subject=other),
        g.detected(story, subject=piece),
    }
    assert len(cases) == 4


def test_a_commercial_code_is_about_the_order_whatever_parcel_it_names() -> None:
    story = Story()
    first = g.detected(story, "PLATFORM_COMPLAINT")
    subject = About(order_id="O1", shipment_code="S2")
    assert g.detected(story, "PLATFORM_COMPLAINT", subject=subject) == first


def test_a_line_of_a_carriers_invoice_is_a_subject_of_its_own() -> None:
    story = Story()
    line = InvoiceLine(carrier="sf", number="2026-02", line="17")
    story.do(g.detection("WEIGHT_DISPUTE", subject=About(invoice_line=line)))
    assert story.case().subject.invoice_line == line
    assert story.case().person == "order/invoice␟sf␟2026-02␟17"


@pytest.mark.parametrize("end", ["remediated", "withdrawn"])
def test_a_signal_on_a_remediated_or_withdrawn_case_reopens_it(end: str) -> None:
    story, case = g.lost_parcel()
    if end == "remediated":
        g.explained(story, case)
        g.remediated(story, case)
    else:
        story.do(c.Withdraw(exception_id=case, resolution="RESUMED"))
    assert kinds(story.do(g.detection())) == [Reopened, SourceJoined]
    assert str(story.case().id) == case
    assert (story.case().state, story.case().episode) == ("escalated", 2)


@pytest.mark.parametrize("end", ["reconciled", "merged"])
def test_occurrence_grows_only_past_a_reconciled_or_merged_case(end: str) -> None:
    story, case = g.lost_parcel()
    if end == "reconciled":
        g.explained(story, case)
        g.remediated(story, case)
        story.do(c.Reconcile(exception_id=case))
    else:
        into = g.detected(story, "WRONG_ITEM")
        story.do(c.Merge(exception_id=case, into=into))
    again = g.detected(story)
    assert again != case
    assert (story.case().occurrence, story.case().episode) == (2, 1)
    assert story.case(case).state == end


def test_a_source_id_is_accepted_once_for_ever_whatever_became_of_its_case() -> None:
    story, case = g.lost_parcel()
    signal = c.Signal(kind="carrier", feed="sf", source_id="scan-1")
    story.do(g.detection(signal=signal))
    g.explained(story, case)
    g.remediated(story, case)
    story.do(c.Reconcile(exception_id=case))
    before = len(story.events)
    assert story.do(g.detection("WRONG_ITEM", signal=signal)) == []
    assert (str(story.case().id), len(story.events)) == (case, before)


@pytest.mark.parametrize(
    "signal",
    [
        c.Signal(kind="carrier", feed="yto", source_id="scan-1"),
        c.Signal(kind="alert", feed="sf", source_id="scan-1"),
        c.Signal(kind="carrier", feed="sf", source_id="scan-2"),
    ],
)
def test_source_ids_are_apart_by_kind_and_feed(signal: c.Signal) -> None:
    story = Story()
    first = c.Signal(kind="carrier", feed="sf", source_id="scan-1")
    story.do(g.detection(signal=first))
    assert kinds(story.do(g.detection(signal=signal))) == [SourceJoined]


def test_a_person_may_report_twice_without_a_source_id() -> None:
    story = Story()
    story.do(g.detection())
    assert kinds(story.do(g.detection())) == [SourceJoined]


def test_a_raw_code_is_mapped_by_its_feed_and_an_unknown_one_is_kept_as_other() -> None:
    story = Story()
    known = c.Signal(
        kind="carrier", feed="track17", source_id="1", raw_code="DeliveryFailure_InvalidAddress"
    )
    story.do(g.detection("", signal=known))
    assert story.case().code == "ADDRESS_INCORRECT"
    unknown = c.Signal(kind="carrier", feed="track17", source_id="2", raw_code="Martians")
    story.do(g.detection("", signal=unknown))
    assert (story.case().code, story.case().sources[0].raw_code) == ("OTHER", "Martians")


def test_times_and_checkpoint_are_kept_as_they_were_told() -> None:
    story = Story()
    scan = c.CheckpointInput(occurred_at="2026-02-26T08:00:00.000000Z", place="Hub 7", raw_text="x")
    story.do(g.detection(last_checkpoint=scan, none_yet_looked_at=""))
    checkpoint = story.case().checkpoint
    assert checkpoint is not None
    assert (checkpoint.occurred, checkpoint.received) == ("2026-02-26T08:00:00.000000Z", NOW)
    assert checkpoint.raw_text is not None
    assert story.case().none_yet == ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "MARTIANS"}, "code"),
        ({"signal": c.Signal(kind="ghost")}, "signal.kind"),
        ({"signal": c.Signal()}, "signal.kind"),
        ({"signal": c.Signal(kind="carrier", feed="sf")}, "signal.source_id"),
        ({"signal": c.Signal(kind="person", raw_code="X")}, "code"),
        ({"subject": About(shipment_code="S1")}, "subject.order_id"),
        ({"subject": About(order_id="O1")}, "subject.shipment_code"),
        ({"subject": About(order_id=" O1", shipment_code="S1")}, "subject.order_id"),
        ({"subject": About(order_id="O␟1", shipment_code="S1")}, "subject.order_id"),
        ({"subject": About(order_id="O" * 129, shipment_code="S1")}, "subject.order_id"),
        ({"none_yet_looked_at": ""}, "last_checkpoint"),
        ({"last_checkpoint": c.CheckpointInput(occurred_at=NOW)}, "last_checkpoint"),
        (
            {"last_checkpoint": c.CheckpointInput(), "none_yet_looked_at": ""},
            "last_checkpoint.occurred_at",
        ),
        ({"stage": "panic"}, "stage"),
        ({"person": "a\tb"}, "person"),
        (
            {"code": "PLATFORM_COMPLAINT", "subject": About()},
            "subject.order_id",
        ),
        ({"code": "STOCK_OUT", "subject": About(order_id="O1")}, "failing_check"),
        (
            {
                "subject": About(
                    order_id="O1", invoice_line=InvoiceLine(carrier="", number="1", line="2")
                )
            },
            "subject.invoice_line.carrier",
        ),
    ],
)
def test_a_signal_that_hangs_in_the_air_is_refused(changes: dict[str, Any], field: str) -> None:
    story = Story()
    with pytest.raises(InvalidCommand) as refused:
        story.do(g.detection(**({"code": "LOST"} | changes)))
    assert field in refused.value.metadata["fields"].split(",")
    assert story.events == []


def test_every_finding_is_told_at_once() -> None:
    with pytest.raises(InvalidCommand) as refused:
        Story().do(g.detection(subject=About(), none_yet_looked_at=""))
    assert len(refused.value.violations) == 2
