"""Reversal: mirrors line by line, in parts, never twice, never of a reversal."""

import pytest
from msgspec.structs import replace

from esm import commands as c
from esm.errors import (
    EntryNotFound,
    IllegalMove,
    InvalidCommand,
    ReversalRefused,
    UnbalancedEntry,
)
from esm.ids import event_id
from tests.esm import given as g
from tests.esm.story import Story

APPROVED = "exception.action_approved.v1"
OUTCOME = "exception.action_outcome_recorded.v1"
OUTSIDE = "exception.outside_money_recorded.v1"
REVERSED = "exception.entry_reversed.v1"


def reverse(story: Story, case: str, event: str, *legs: tuple[int, int]) -> None:
    picked = tuple(c.LegReversal(leg=leg, amount=g.cny(amount)) for leg, amount in legs)
    story.do(c.ReverseEntry(exception_id=case, event_id=event, legs=picked, reason="wrong"))


def refund_approved() -> tuple[Story, str, str]:
    story, case = g.lost_parcel()
    g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    return story, case, g.last_event_id(story, APPROVED)


def test_a_whole_reversal_mirrors_every_leg_and_gives_the_order_back() -> None:
    story, case, event = refund_approved()
    reverse(story, case, event)
    assert story.trial_balance() == {}
    assert story.order().available == g.GROSS
    assert story.case(case).balances == {}


def test_parts_are_reversed_until_nothing_is_left() -> None:
    story, case, event = refund_approved()
    reverse(story, case, event, (0, 4000), (3, 4000))
    assert story.order().available == 4000
    reverse(story, case, event, (0, 6000), (1, 1000), (3, 7000))
    assert story.trial_balance() == {"2070": 1430, "2010": -1430}
    reverse(story, case, event)
    assert story.trial_balance() == {}
    with pytest.raises(ReversalRefused, match="reversed whole already"):
        reverse(story, case, event)
    assert story.order().available == g.GROSS


def test_more_than_the_unreversed_rest_of_a_leg_is_refused() -> None:
    story, case, event = refund_approved()
    reverse(story, case, event, (0, 4000), (3, 4000))
    with pytest.raises(ReversalRefused) as refused:
        reverse(story, case, event, (0, 6001), (3, 6001))
    assert refused.value.metadata == {"leg": "0", "rest": "6000"}


def test_the_same_leg_named_twice_counts_twice() -> None:
    story, case, event = refund_approved()
    with pytest.raises(ReversalRefused):
        reverse(story, case, event, (0, 6000), (0, 6000), (3, 12000))


def test_legs_that_do_not_balance_are_refused() -> None:
    story, case, event = refund_approved()
    with pytest.raises(UnbalancedEntry):
        reverse(story, case, event, (0, 4000), (3, 3999))


def test_a_reversal_is_never_reversed() -> None:
    story, case, event = refund_approved()
    reverse(story, case, event)
    with pytest.raises(ReversalRefused, match="never reversed"):
        reverse(story, case, g.last_event_id(story, REVERSED))


def test_a_cancellation_is_no_entry_to_reverse_either() -> None:
    story, case, _ = refund_approved()
    action = story.case(case).actions[-1].action_id
    story.do(c.CancelAction(exception_id=case, action_id=action))
    with pytest.raises(ReversalRefused, match="never reversed"):
        reverse(story, case, g.last_event_id(story, "exception.action_cancelled.v1"))


@pytest.mark.parametrize("legs", [((4, 1),), ((-1, 1),), ((0, 0), (3, 0)), ((0, -1), (3, -1))])
def test_a_leg_that_is_not_there_or_an_amount_that_is_none_is_refused(
    legs: tuple[tuple[int, int], ...],
) -> None:
    story, case, event = refund_approved()
    with pytest.raises(InvalidCommand):
        reverse(story, case, event, *legs)


def test_an_event_without_entry_and_another_cases_event_are_not_found() -> None:
    story, case, event = refund_approved()
    other = g.detected(story, "WRONG_ITEM")
    for wrong, about in ((story.first_event_id(case), case), (event, other), ("nonsense", case)):
        with pytest.raises(EntryNotFound):
            reverse(story, about, wrong)


def test_a_reversal_keeps_the_effective_date_of_what_it_undoes() -> None:
    story, case = g.lost_parcel()
    action = g.proposed(story, case, "full_refund", **g.refund_terms(story, case))
    approve = c.ApproveAction(exception_id=case, action_id=action)
    story.do(approve, at="2026-01-31T10:00:00.000000Z")
    reverse(story, case, g.last_event_id(story, APPROVED))
    assert story.case(case).booked[-1].entry.effective == "2026-01-31"


def test_a_payment_is_not_reversed_but_recorded_as_failed() -> None:
    story, case = g.lost_parcel()
    g.refunded(story, case)
    for event in (OUTCOME, APPROVED):
        with pytest.raises(ReversalRefused, match="recorded as failed"):
            reverse(story, case, g.last_event_id(story, event))


def test_reversing_an_outside_refund_makes_the_lines_whole_again() -> None:
    story, case = g.lost_parcel()
    story.do(g.money("platform_refund", "p1", 3000, account="1025", exception_id=case))
    reverse(story, case, g.last_event_id(story, OUTSIDE))
    assert story.trial_balance() == {}
    assert story.order().available == g.GROSS
    assert story.order().lines[0].goods_undone == 0


def test_reversing_an_overshoot_takes_it_off_the_dispute_case_too() -> None:
    story, case = g.lost_parcel()
    story.do(g.money("platform_refund", "p1", g.GROSS + 700, exception_id=case))
    dispute = str(story.shown[-1])
    assert story.case(dispute).balances == {("1150", ""): 700, ("1020", ""): -700}
    reverse(story, case, g.last_event_id(story, OUTSIDE))
    assert story.trial_balance() == {}
    assert story.case(dispute).balances == {}


def test_what_another_command_undoes_is_refused_with_its_name() -> None:
    story, case = g.lost_parcel()
    g.approved(story, case, "reship", goods_cost=g.cny(6000), freight=g.cny(800))
    with pytest.raises(ReversalRefused, match="cancel the action"):
        reverse(story, case, g.last_event_id(story, APPROVED))
    coupon = g.submitted(story, case, "coupon", amount=g.cny(60))
    g.outcome(story, case, coupon, "succeeded")
    with pytest.raises(ReversalRefused, match="coupon_revoked"):
        reverse(story, case, g.last_event_id(story, OUTCOME))
    story.do(g.money("chargeback_opened", "d1", g.GROSS, account="1020"))
    dispute = str(story.shown[-1])
    with pytest.raises(ReversalRefused, match="chargeback_won"):
        reverse(story, dispute, g.last_event_id(story, OUTSIDE))


def test_an_approved_claim_is_reversed_without_touching_the_order() -> None:
    story, case = g.lost_parcel()
    before = story.order()
    action = g.submitted(story, case, "claim", amount=g.cny(60), counterparty="sf")
    g.outcome(story, case, action, "claim_approved", amount=g.cny(60))
    reverse(story, case, g.last_event_id(story, OUTCOME))
    assert story.trial_balance() == {"9010": 60, "9990": -60}
    assert story.order() == before


def test_a_reversed_charge_is_accrued_and_invoiced_anew() -> None:
    story, case = g.lost_parcel()
    charge = {"exception_id": case, "logistics_line": "L1", "kind": "surcharge"}
    accrued = c.RecordCarrierCharge(**charge, step="accrued", net=g.cny(1200), tax=g.cny(72))
    story.do(accrued)
    reverse(story, case, g.last_event_id(story, "exception.carrier_charge_accrued.v1"))
    assert (story.case(case).accruals, story.trial_balance()) == ((), {})
    story.do(accrued)
    invoice = {**charge, "step": "invoiced", "carrier": "sf"}
    story.do(c.RecordCarrierCharge(**invoice, invoice="I1", net=g.cny(1500), tax=g.cny(90)))
    reverse(story, case, g.last_event_id(story, "exception.carrier_charge_invoiced.v1"))
    assert story.trial_balance()["2055"] == -1272
    story.do(c.RecordCarrierCharge(**invoice, invoice="I2", net=g.cny(1200), tax=g.cny(72)))
    assert "2055" not in story.trial_balance()


def test_reversing_a_restoration_undoes_the_refund_again() -> None:
    story, case = g.lost_parcel()
    refund = g.refunded(story, case)
    g.approved(story, case, "restore_sale", restores_action_id=refund)
    assert story.order().lines[0].goods_undone == 0
    reverse(story, case, g.last_event_id(story, APPROVED))
    assert story.order().lines[0].goods_undone == 10000
    assert story.trial_balance() == {"4100": 10000, "4110": 1000, "2070": 1430, "1020": -g.GROSS}


def test_legs_of_two_lines_do_not_make_up_for_each_other() -> None:
    lines = (g.sale_line("1"), g.sale_line("2"))
    paid = c.TenderInput(provider="alipay", external_id="1", captured=g.cny(2 * g.GROSS))
    story, case = g.lost_parcel(sale_lines=lines, tenders=(paid,))
    g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    entry = story.case(case).booked[0].entry
    debit = next(i for i, x in enumerate(entry.legs) if x.debit and x.sale_line == "1")
    credit = next(i for i, x in enumerate(entry.legs) if x.credit and x.sale_line == "2")
    with pytest.raises(UnbalancedEntry):
        reverse(story, case, g.last_event_id(story, APPROVED), (debit, 100), (credit, 100))


def test_an_advance_reversed_in_pieces_gives_back_every_component() -> None:
    sold = (replace(g.sale_line("1"), sale_recognised_at=""),)
    story, case = g.lost_parcel(sale_lines=sold)
    g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    event = g.last_event_id(story, APPROVED)
    reverse(story, case, event, (0, 11000), (1, 11000))
    line = story.order().lines[0]
    assert min(line.goods_undone, line.shipping_undone, line.tax_undone) >= 0
    reverse(story, case, event)
    line = story.order().lines[0]
    assert (line.goods_undone, line.shipping_undone, line.tax_undone) == (0, 0, 0)


def test_a_customers_payment_that_is_reversed_is_no_money_to_give_back() -> None:
    story, case = g.lost_parcel()
    refund = g.refunded(story, case)
    g.approved(story, case, "restore_sale", restores_action_id=refund)
    story.do(g.money("customer_payment", "v1", g.GROSS, exception_id=case))
    assert story.order().available == g.GROSS
    reverse(story, case, g.last_event_id(story, OUTSIDE))
    assert story.order().available == 0
    assert story.trial_balance()["1150"] == g.GROSS


def test_a_closed_case_is_not_reversed_and_a_reason_is_needed() -> None:
    story, case = g.lost_parcel()
    g.refunded(story, case)
    event = g.last_event_id(story, APPROVED)
    with pytest.raises(InvalidCommand):
        story.do(c.ReverseEntry(exception_id=case, event_id=event, reason=" "))
    g.remediated(story, case, "REFUNDED")
    story.do(c.WriteBack(exception_id=case, logistics_line="L1"))
    story.do(c.Reconcile(exception_id=case))
    with pytest.raises(IllegalMove):
        reverse(story, case, event)


def test_the_event_id_is_what_anybody_can_compute() -> None:
    story, case, event = refund_approved()
    booked = story.case(case).booked[0]
    assert event == event_id(story.case(case).id, booked.version)
