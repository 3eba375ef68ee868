"""A parcel that moves after a remedy took it for gone: its case, or one of its own, knows."""

from typing import Any

import msgspec
import pytest

from esm import commands as c
from esm.errors import InvalidCommand
from esm.events import (
    Detected,
    Escalated,
    MovementRecorded,
    Reclassified,
    Reopened,
    SourceJoined,
    Subject,
)
from tests.esm import given as g
from tests.esm.story import CATALOGUE, NOW, Story

STALL = "TRACKING_STALLED"
LATER = "2026-03-01T20:00:00.000000Z"
BEFORE = "2026-02-28T20:00:00.000000Z"


def kinds(events: list[Any]) -> list[type]:
    return [type(event) for event in events]


def lost_and_paid(
    kind: str = "full_refund", code: str = "LOST", story: Story | None = None
) -> tuple[Story, str]:
    """A case in work whose remedy succeeded."""
    story = story or Story()
    story.do(g.record_order())
    case = g.detected(story, code)
    g.verified(story, case)
    if kind == "full_refund":
        g.refunded(story, case)
    elif kind == "reship":
        sent = g.submitted(story, case, kind, goods_cost=g.cny(60), freight=g.cny(8))
        changes = {"goods_cost": g.cny(60), "freight": g.cny(8), "logistics_line": "L2"}
        g.outcome(story, case, sent, "dispatched", shipment_code="S2", **changes)
        g.outcome(story, case, sent, "succeeded")
    else:
        filed = g.submitted(story, case, "claim", amount=g.cny(100), counterparty="sf")
        g.outcome(story, case, filed, "claim_approved", amount=g.cny(100))
        g.explained(story, case)
    return story, case


def reconciled(story: Story, case: str) -> None:
    """Close the books, whatever is open being carried."""
    for line in story.case(case).billing_lines:
        story.do(c.WriteBack(exception_id=case, logistics_line=line))
    story.do(c.Reconcile(exception_id=case))


@pytest.mark.parametrize("kind", ["full_refund", "reship", "claim"])
def test_a_lost_parcel_that_moves_after_a_remedy_comes_back_into_work(kind: str) -> None:
    story, case = lost_and_paid(kind)
    g.remediated(story, case, "REFUNDED")
    events = story.do(g.moved(case, LATER, delivered=True))
    assert kinds(events) == [MovementRecorded, Reopened, Reclassified]
    found = story.case(case)
    assert (found.code, found.episode, found.state, found.level) == (
        "DELIVERED_AFTER_REMEDY",
        2,
        "escalated",
        3,
    )
    assert found.checkpoint is not None
    assert found.checkpoint.occurred == LATER
    assert found.codes[-1].evidence == (g.last_event_id(story, MovementRecorded.TOPIC),)


def test_case_two_a_reconciled_case_comes_back_once_for_a_delivery() -> None:
    story, case = lost_and_paid()
    g.remediated(story, case, "REFUNDED")
    reconciled(story, case)
    assert Reopened in kinds(story.do(g.moved(case, LATER, delivered=True)))
    g.explained(story, case)
    g.remediated(story, case)
    reconciled(story, case)
    assert story.do(g.moved(case, LATER, delivered=True)) == []
    assert story.do(g.moved(case, NOW, delivered=True)) == []
    assert (story.case(case).state, story.case(case).episode) == ("reconciled", 2)


def test_in_work_the_first_movement_is_noted_and_the_delivery() -> None:
    story, case = lost_and_paid()
    assert kinds(story.do(g.moved(case, "2026-03-01T01:00:00.000000Z"))) == [MovementRecorded]
    assert story.do(g.moved(case, "2026-03-01T02:00:00.000000Z")) == []
    delivery = g.moved(case, "2026-03-01T03:00:00.000000Z", delivered=True)
    assert kinds(story.do(delivery)) == [MovementRecorded]
    assert story.do(delivery) == []
    assert (story.case(case).code, story.case(case).state) == ("LOST", "escalated")
    g.remediated(story, case, "REFUNDED")
    assert story.do(delivery) == []
    assert Reopened in kinds(story.do(g.moved(case, LATER)))


def lost_again() -> tuple[Story, str, str]:
    """A refunded case whose books are closed, and the next one of the same trouble."""
    story, case = lost_and_paid()
    g.remediated(story, case, "REFUNDED")
    reconciled(story, case)
    again = g.detected(story, STALL, signal=c.Signal(kind="customer", feed="web", source_id="2"))
    assert again != case
    return story, case, again


def test_what_a_later_case_of_the_trouble_works_on_is_told_to_that_one() -> None:
    story, case, again = lost_again()
    events = story.do(g.moved(case, LATER, delivered=True))
    assert kinds(events) == [MovementRecorded, SourceJoined, Reclassified]
    assert (story.case(case).state, story.case(case).code) == ("reconciled", "LOST")
    assert [m.delivered for m in story.case(case).movements] == [True]
    found = story.case()
    assert str(found.id) == again
    assert (found.code, found.state, found.episode) == ("DELIVERED_AFTER_REMEDY", "escalated", 1)
    assert story.do(g.moved(case, LATER, delivered=True)) == []
    assert story.do(g.moved(case, delivered=True)) == []


def test_a_later_case_whose_customer_was_told_comes_back_instead_of_the_refunded_one() -> None:
    story, case, again = lost_again()
    g.verified(story, again)
    g.explained(story, again)
    g.remediated(story, again)
    events = story.do(g.moved(case, LATER, delivered=True))
    assert kinds(events) == [MovementRecorded, Reopened, SourceJoined, Reclassified]
    assert (story.case(case).state, story.case(case).episode) == ("reconciled", 1)
    found = story.case(again)
    assert (found.code, found.state, found.episode) == ("DELIVERED_AFTER_REMEDY", "escalated", 2)


def test_once_the_later_case_is_at_its_end_the_refunded_one_comes_back() -> None:
    story, case, again = lost_again()
    story.do(c.Withdraw(exception_id=again, resolution="FALSE_ALARM"))
    events = story.do(g.moved(case, LATER, delivered=True))
    assert kinds(events) == [MovementRecorded, Reopened, Reclassified]
    assert story.case(case).state == "escalated"
    assert story.case(again).state == "withdrawn"


@pytest.mark.parametrize("kind", ["full_refund", "reship", "claim"])
@pytest.mark.parametrize("at_rest", [True, False])
def test_a_scan_from_before_the_remedy_tells_nothing_but_a_delivery_does(
    kind: str, at_rest: bool
) -> None:
    story, case = lost_and_paid(kind)
    if at_rest:
        g.remediated(story, case, "REFUNDED")
    assert story.do(g.moved(case, BEFORE)) == []
    assert story.case(case).movements == ()
    expected = [MovementRecorded, Reopened, Reclassified] if at_rest else [MovementRecorded]
    assert kinds(story.do(g.moved(case, BEFORE, delivered=True))) == expected


def test_the_day_of_a_remedy_is_that_of_its_ledger() -> None:
    ledger = msgspec.structs.replace(CATALOGUE.ledgers["default"], time_zone="Asia/Shanghai")
    story = Story(catalogue=msgspec.structs.replace(CATALOGUE, ledgers={"default": ledger}))
    case = lost_and_paid(story=story)[1]
    g.remediated(story, case, "REFUNDED")
    assert story.do(g.moved(case, "2026-02-28T15:59:59.999999Z")) == []
    assert Reopened in kinds(story.do(g.moved(case, "2026-02-28T16:00:00.000000Z")))


def test_what_moves_after_the_first_of_two_remedies_is_news() -> None:
    story, case = lost_and_paid("claim")
    for item in story.catalogue.type_of("LOST").checklist:
        story.do(c.RecordVerification(exception_id=case, item=item))
    terms = g.refund_terms(story, case)
    late = "2026-03-04T09:00:00.000000Z"
    refund = g.proposed(story, case, "full_refund", **terms)
    story.do(c.ApproveAction(exception_id=case, action_id=refund), actor="bob", at=late)
    story.do(c.SubmitAction(exception_id=case, action_id=refund), at=late)
    g.outcome(story, case, refund, "succeeded", account="1020", external_id="pay")
    g.remediated(story, case, "REFUNDED")
    assert Reopened in kinds(story.do(g.moved(case, LATER)))


S2 = Subject(order_id="O1", shipment_code="S2")


def merged(into: str, code: str, case: str = "") -> tuple[Story, str, str]:
    """A case of the parcel S2 (``code``) that went into one of S1 (``into``): story and ids.

    Which of them was refunded, ``case`` says: "S1", or "S2" before they were merged.
    """
    story = Story()
    story.do(g.record_order())
    kept = g.detected(story, into)
    story.do(g.deviation(code, "two", subject=S2, stage="breached"))
    gone = str(story.case().id)
    if case == "S2":
        g.verified(story, gone)
        g.refunded(story, gone, shipment_code="S2", logistics_line="L2")
        story.do(c.WriteBack(exception_id=gone, logistics_line="L2"))
    story.do(c.Merge(exception_id=gone, into=kept))
    g.verified(story, kept)
    if case == "S1":
        g.refunded(story, kept)
    else:
        g.explained(story, kept)
    return story, gone, kept


@pytest.mark.parametrize("refunded", ["S1", "S2"])
def test_a_movement_is_handed_on_to_the_case_that_stays(refunded: str) -> None:
    story, gone, kept = merged("LOST", STALL, refunded)
    g.remediated(story, kept, "REFUNDED")
    delivered = g.moved(gone, LATER, delivered=True)
    assert kinds(story.do(delivered)) == [MovementRecorded, Reopened, Reclassified]
    found = story.case(kept)
    assert str(story.case().id) == kept
    assert (found.code, found.state) == ("DELIVERED_AFTER_REMEDY", "escalated")
    assert story.case(gone).movements == ()
    assert story.do(delivered) == []
    assert story.do(g.moved(kept, LATER, delivered=True)) == []


def test_of_a_merged_case_the_case_of_its_own_is_about_the_parcel_that_moved() -> None:
    story, gone, kept = merged("DELIVERED_NOT_RECEIVED", STALL, "S1")
    g.remediated(story, kept, "REFUNDED")
    assert kinds(story.do(g.moved(gone, LATER))) == [MovementRecorded, Detected, Escalated]
    found = story.case()
    assert (found.code, found.raised_by) == ("DELIVERED_AFTER_REMEDY", kept)
    assert found.subject == S2


def test_a_return_that_a_merged_case_ordered_is_no_parcel_found_again() -> None:
    story = Story()
    story.do(g.record_order())
    kept = g.detected(story)
    story.do(g.deviation(STALL, "two", subject=S2, stage="breached"))
    gone = str(story.case().id)
    g.verified(story, gone)
    g.outcome(story, gone, g.submitted(story, gone, "return_goods"), "succeeded")
    story.do(c.Merge(exception_id=gone, into=kept))
    g.verified(story, kept)
    g.refunded(story, kept)
    g.remediated(story, kept, "REFUNDED")
    assert story.do(g.moved(gone, delivered=True)) == []


def test_of_a_merged_case_what_is_ordered_for_the_parcel_that_moved_explains_it() -> None:
    story, gone, kept = merged("LOST", STALL, "S1")
    g.remediated(story, kept, "REFUNDED")
    story.do(g.deviation("DELIVERED_NOT_RECEIVED", "not here", subject=S2))
    other = str(story.case().id)
    g.verified(story, other)
    g.submitted(story, other, "return_goods")
    assert story.do(g.moved(gone, delivered=True)) == []
    assert MovementRecorded in kinds(story.do(g.moved(kept, delivered=True)))


def test_a_movement_that_a_merged_case_noted_is_no_news_to_the_one_that_stays() -> None:
    story = Story()
    story.do(g.record_order())
    kept = g.detected(story)
    story.do(g.deviation(STALL, "two", subject=S2, stage="breached"))
    gone = str(story.case().id)
    g.verified(story, gone)
    g.refunded(story, gone, shipment_code="S2", logistics_line="L2")
    assert kinds(story.do(g.moved(gone))) == [MovementRecorded]
    story.do(c.WriteBack(exception_id=gone, logistics_line="L2"))
    story.do(c.Merge(exception_id=gone, into=kept))
    assert story.do(g.moved(gone)) == []
    assert kinds(story.do(g.moved(gone, LATER, delivered=True))) == [MovementRecorded]


@pytest.mark.parametrize("kind", ["explain_only", "partial_refund", "shipping_refund"])
def test_a_remedy_that_leaves_the_parcel_to_the_customer_expects_it_to_move(kind: str) -> None:
    story = Story()
    story.do(g.record_order())
    case = g.detected(story, "NODE_STUCK")
    g.verified(story, case)
    if kind == "explain_only":
        g.explained(story, case)
    else:
        lines = (c.RefundLine(sale_line="1", amount=g.cny(500)),)
        g.refunded(story, case, kind, lines=lines)
    g.remediated(story, case)
    assert story.do(g.moved(case)) == []


def test_a_refund_that_was_undone_expects_nothing() -> None:
    story, case = lost_and_paid()
    refund = story.case(case).actions[0].action_id
    g.approved(story, case, "restore_sale", restores_action_id=refund)
    assert story.do(g.moved(case)) == []


def test_a_return_that_we_ordered_is_no_parcel_found_again() -> None:
    story, case = lost_and_paid()
    g.outcome(story, case, g.submitted(story, case, "return_goods"), "succeeded")
    g.remediated(story, case, "REFUNDED")
    assert story.do(g.moved(case)) == []


def test_for_another_trouble_a_case_of_its_own_opens_linked() -> None:
    story, case = lost_and_paid(code="DELIVERED_NOT_RECEIVED")
    g.remediated(story, case, "REFUNDED")
    events = story.do(g.moved(case, LATER))
    assert kinds(events) == [MovementRecorded, Detected, Escalated]
    found = story.case()
    assert (found.code, found.raised_by) == ("DELIVERED_AFTER_REMEDY", case)
    assert found.subject == story.case(case).subject
    assert story.case(case).state == "remediated"
    assert story.do(g.moved(case, LATER)) == []
    assert story.do(g.moved(case, NOW, delivered=True)) == []


def test_a_case_that_ended_otherwise_is_not_touched() -> None:
    story = Story()
    story.do(g.deviation(STALL, "breached", stage="breached"))
    case = str(story.case().id)
    assert story.do(g.moved(case)) == []
    story.do(c.Withdraw(exception_id=case, resolution="FALSE_ALARM"))
    assert story.do(g.moved(case)) == []
    with pytest.raises(InvalidCommand):
        story.do(c.RecordMovement(exception_id=case, last_checkpoint=c.CheckpointInput()))
