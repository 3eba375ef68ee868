"""Carrier charges: an invoice line counts once, and a reconciled case takes only what it awaits."""

from typing import Any

import pytest

from esm import commands as c
from esm.errors import IllegalMove, InvalidCommand
from esm.events import Subject
from tests.esm import given as g
from tests.esm.story import Story


def charge(case: str, step: str = "invoiced", **changes: Any) -> c.RecordCarrierCharge:
    fields: dict[str, Any] = {
        "logistics_line": "L1",
        "kind": "storage",
        "net": g.cny(800),
        "carrier": "sf",
        "invoice": "I1",
    }
    return c.RecordCarrierCharge(exception_id=case, step=step, **(fields | changes))


def reconciled_with_carried_accrual() -> tuple[Story, str]:
    """A reconciled case that awaits an invoice of 8.00 on the billing line L1."""
    story, case = g.lost_parcel()
    g.explained(story, case)
    story.do(charge(case, "accrued"))
    g.remediated(story, case)
    carry = c.CarryItem(
        exception_id=case, item="logistics:L1", reason="late", owner="fin", due="2026-04-30"
    )
    for actor in ("ann", "bob"):
        story.do(carry, actor=actor)
    story.do(c.WriteBack(exception_id=case, logistics_line="L1"))
    story.do(c.Reconcile(exception_id=case))
    return story, case


def test_orders_may_share_an_invoice_and_the_names_of_their_billing_lines() -> None:
    story, case = g.lost_parcel()
    story.do(g.record_order("O2"))
    other = g.detected(story, subject=Subject(order_id="O2", shipment_code="S1"))
    assert story.do(charge(case))
    assert story.do(charge(other))
    assert story.trial_balance()["5110"] == 1600


def test_an_invoice_line_that_is_told_again_is_booked_once() -> None:
    story, case = g.lost_parcel()
    story.do(charge(case))
    assert story.do(charge(case)) == []


def test_another_amount_for_a_known_invoice_line_is_refused_with_what_was_recorded() -> None:
    story, case = g.lost_parcel()
    story.do(charge(case))
    with pytest.raises(InvalidCommand, match="another amount; invoiced there: 800"):
        story.do(charge(case, net=g.cny(900)))
    with pytest.raises(InvalidCommand):
        story.do(charge(case, tax=g.cny(1)))


def test_an_invoice_line_that_was_reversed_may_be_recorded_right() -> None:
    story, case = g.lost_parcel()
    story.do(charge(case, "accrued"))
    wrong = charge(case, net=g.cny(9000))
    story.do(wrong)
    event = g.last_event_id(story, "exception.carrier_charge_invoiced.v1")
    story.do(c.ReverseEntry(exception_id=case, event_id=event, reason="wrong amount"))
    assert story.do(wrong) == []
    assert story.do(charge(case, net=g.cny(900)))
    assert story.trial_balance()["5110"] == 900
    with pytest.raises(InvalidCommand, match="invoiced there: 900"):
        story.do(charge(case, net=g.cny(901)))


def test_a_known_invoice_line_for_another_case_of_the_order_is_refused_with_its_case() -> None:
    story, case = g.lost_parcel()
    story.do(charge(case))
    other = g.detected(story, "WRONG_ITEM")
    with pytest.raises(InvalidCommand, match=f"was recorded for case {case}") as refused:
        story.do(charge(other))
    assert refused.value.metadata["fields"] == "exception_id"


def test_a_reconciled_case_takes_the_invoice_that_it_awaits_and_accrues_nothing_more() -> None:
    story, case = reconciled_with_carried_accrual()
    with pytest.raises(IllegalMove):
        story.do(charge(case, "accrued", net=g.cny(500000)))
    with pytest.raises(IllegalMove):
        story.do(charge(case, kind="reship_freight"))
    assert story.do(charge(case, net=g.cny(900)))
    assert "2055" not in story.trial_balance()
    assert story.do(charge(case, net=g.cny(900))) == []


def test_money_of_a_carried_item_is_written_back_on_the_reconciled_case() -> None:
    story, case = reconciled_with_carried_accrual()
    write_back = c.WriteBack(exception_id=case, logistics_line="L1")
    with pytest.raises(IllegalMove):
        story.do(write_back)
    story.do(charge(case, net=g.cny(900)))
    story.do(write_back)
    assert (story.case(case).state, story.order().write_backs[0].net_cost) == ("reconciled", 900)
    with pytest.raises(IllegalMove):
        story.do(write_back)
