"""Remedies from proposal to submission, cancellation, and claims given up by two persons."""

from typing import Any

import pytest

from esm import commands as c
from esm.errors import (
    ActionNotFound,
    ActionsUnfinished,
    AmountExceedsAvailable,
    DisputeOpen,
    IllegalActionMove,
    IllegalMove,
    InvalidCommand,
    OrderNotFound,
    ReversalRefused,
    SecondPersonRequired,
)
from esm.events import InvoiceLine, Subject
from esm.money import Money
from tests.esm import given as g
from tests.esm.story import CATALOGUE, Story


def test_approval_posts_what_we_owe_by_line_and_counts_on_the_order() -> None:
    story, case = g.lost_parcel()
    g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    assert story.legs() == [("4100", 10000), ("4110", 1000), ("2070", 1430), ("2010", -g.GROSS)]
    assert story.order().available == 0
    assert story.order().commitments[0].unpaid == g.GROSS


def test_a_refund_before_the_sale_is_recognised_touches_no_revenue() -> None:
    story, case = g.lost_parcel(sale_lines=(g.sale_line(sale_recognised_at=""),))
    g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    assert story.legs() == [("2090", g.GROSS), ("2010", -g.GROSS)]


def test_tax_without_a_document_is_not_recoverable() -> None:
    story, case = g.lost_parcel()
    g.approved(story, case, "full_refund", **g.refund_terms(story, case, tax_document=""))
    assert ("5140", 1430) in story.legs()


def test_a_proposal_posts_nothing_and_binds_nobody() -> None:
    story, case = g.lost_parcel()
    g.proposed(story, case, "full_refund", **g.refund_terms(story, case))
    assert story.legs() == []
    assert story.order().available == g.GROSS


def test_a_full_refund_after_a_partial_one_takes_the_remainder_of_the_line() -> None:
    story, case = g.lost_parcel()
    part = (c.RefundLine(sale_line="1", amount=g.cny(3000)),)
    g.refunded(story, case, "partial_refund", lines=part)
    g.refunded(story, case)
    assert story.trial_balance() == {
        "4120": 2655,
        "4100": 7345,
        "4110": 1000,
        "2070": 1430,
        "1020": -g.GROSS,
    }


@pytest.mark.parametrize("amount", [g.GROSS + 1, 10**9])
def test_more_than_a_line_has_left_is_refused(amount: int) -> None:
    story, case = g.lost_parcel()
    lines = (c.RefundLine(sale_line="1", amount=g.cny(amount)),)
    with pytest.raises(AmountExceedsAvailable) as refused:
        g.proposed(story, case, "partial_refund", **g.refund_terms(story, case, lines=lines))
    assert refused.value.metadata["available"] == str(g.GROSS)


def test_never_is_more_decided_than_was_captured_whatever_was_proposed_before() -> None:
    story, case = g.lost_parcel()
    other = g.detected(story, "WRONG_ITEM")
    g.verified(story, other)
    first = g.proposed(story, case, "full_refund", **g.refund_terms(story, case))
    second = g.proposed(story, other, "full_refund", **g.refund_terms(story, other))
    story.do(c.ApproveAction(exception_id=case, action_id=first))
    with pytest.raises(AmountExceedsAvailable):
        story.do(c.ApproveAction(exception_id=other, action_id=second))
    assert story.order().available == 0


def test_what_was_not_captured_is_not_refunded_although_the_line_has_it_left() -> None:
    part_paid = c.TenderInput(provider="alipay", external_id="1", captured=g.cny(5000))
    story, case = g.lost_parcel(tenders=(part_paid,))
    with pytest.raises(AmountExceedsAvailable) as refused:
        g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    assert refused.value.metadata["available"] == "5000"


def test_compensation_counts_against_what_was_captured_too() -> None:
    story, case = g.lost_parcel()
    g.refunded(story, case)
    with pytest.raises(AmountExceedsAvailable):
        g.approved(story, case, "cash_compensation", amount=g.cny(1), basis="beyond_contract")


@pytest.mark.parametrize(
    ("basis", "account"), [("late_performance", "4120"), ("beyond_contract", "5030")]
)
def test_compensation_is_a_price_reduction_or_a_cost_by_its_basis(basis: str, account: str) -> None:
    story, case = g.lost_parcel()
    lines = (c.RefundLine(sale_line="1"),) if basis == "late_performance" else ()
    action = g.submitted(
        story, case, "cash_compensation", amount=g.cny(500), basis=basis, lines=lines
    )
    assert story.legs()[0][0] == account
    g.outcome(story, case, action, "succeeded", account="1020", external_id="c1")
    assert "2030" not in story.trial_balance()


def test_an_open_dispute_blocks_decisions_and_payments_of_refunds() -> None:
    story, case = g.lost_parcel()
    approved = g.approved(
        story,
        case,
        "partial_refund",
        **g.refund_terms(story, case, lines=(c.RefundLine(sale_line="1", amount=g.cny(1000)),)),
    )
    waiting = g.proposed(story, case, "shipping_refund", **g.refund_terms(story, case))
    story.do(g.money("chargeback_opened", "d1", 1000))
    for command in (
        c.SubmitAction(exception_id=case, action_id=approved),
        c.ApproveAction(exception_id=case, action_id=waiting),
    ):
        with pytest.raises(DisputeOpen) as refused:
            story.do(command)
        assert refused.value.metadata == {"disputes": "d1"}
    story.do(g.money("chargeback_won", "d1", 1000))
    story.do(c.SubmitAction(exception_id=case, action_id=approved))


def test_a_shipping_refund_takes_shipping_and_its_share_of_tax_only() -> None:
    story, case = g.lost_parcel()
    g.approved(story, case, "shipping_refund", **g.refund_terms(story, case))
    assert story.legs() == [("4110", 1000), ("2070", 130), ("2010", -1130)]
    lines = (c.RefundLine(sale_line="1", amount=g.cny(500)),)
    again = g.proposed(story, case, "shipping_refund", **g.refund_terms(story, case, lines=lines))
    with pytest.raises(AmountExceedsAvailable):
        story.do(c.ApproveAction(exception_id=case, action_id=again))


def test_a_reshipment_is_an_obligation_that_cancelling_undoes() -> None:
    story, case = g.lost_parcel()
    action = g.approved(story, case, "reship", goods_cost=g.cny(6000), freight=g.cny(800))
    assert story.trial_balance() == {"5020": 6000, "5010": 800, "2040": -6800}
    story.do(c.CancelAction(exception_id=case, action_id=action))
    assert story.trial_balance() == {}
    assert story.case(case).actions[-1].status == "cancelled"


@pytest.mark.parametrize(
    ("kind", "terms", "field"),
    [
        ("teleport", {}, "kind"),
        ("explain_only", {"amount": g.cny(1)}, "amount"),
        ("coupon", {}, "amount"),
        ("coupon", {"amount": g.cny(0)}, "amount"),
        ("coupon", {"amount": g.cny(-5)}, "amount"),
        ("coupon", {"amount": Money("USD", 5)}, "amount"),
        ("coupon", {"amount": Money("DUCATS", 5)}, "amount"),
        ("coupon", {"amount": g.cny(5), "coupon_kind": "hug"}, "coupon_kind"),
        ("claim", {"amount": g.cny(5)}, "counterparty"),
        ("reship", {}, "goods_cost"),
        ("partial_refund", {"cause_event_ids": ("x",)}, "lines"),
        ("cash_compensation", {"amount": g.cny(5)}, "lines"),
        ("cash_compensation", {"amount": g.cny(5), "basis": "whim"}, "basis"),
        ("restore_sale", {"restores_action_id": "A1"}, "restores_action_id"),
    ],
)
def test_a_proposal_that_lacks_what_its_remedy_needs_is_refused(
    kind: str, terms: dict[str, Any], field: str
) -> None:
    story, case = g.lost_parcel()
    with pytest.raises(InvalidCommand) as refused:
        g.proposed(story, case, kind, **terms)
    assert field in refused.value.metadata["fields"].split(",")


def test_money_needs_the_order_recorded_first() -> None:
    story = Story()
    case = g.detected(story)
    g.verified(story, case)
    with pytest.raises(OrderNotFound):
        g.proposed(story, case, "coupon", amount=g.cny(5))


def test_a_case_about_an_invoice_line_alone_moves_no_money_of_orders() -> None:
    story = Story()
    line = InvoiceLine(carrier="sf", number="1", line="1")
    case = g.detected(story, "WEIGHT_DISPUTE", subject=Subject(invoice_line=line))
    with pytest.raises(InvalidCommand) as refused:
        g.proposed(story, case, "claim", amount=g.cny(5), counterparty="sf")
    assert refused.value.metadata["fields"] == "exception_id"


def test_steps_come_in_their_order() -> None:
    story, case = g.lost_parcel()
    action = g.proposed(story, case, "explain_only")
    with pytest.raises(IllegalActionMove):
        story.do(c.SubmitAction(exception_id=case, action_id=action))
    story.do(c.ApproveAction(exception_id=case, action_id=action))
    with pytest.raises(IllegalActionMove) as refused:
        story.do(c.ApproveAction(exception_id=case, action_id=action))
    assert refused.value.metadata["allowed"] == "cancel,settle,submit"
    with pytest.raises(ActionNotFound) as unknown:
        story.do(c.ApproveAction(exception_id=case, action_id="A9"))
    assert unknown.value.metadata["known"] == action


def test_a_customers_action_takes_a_remediated_case_back_to_work_and_recovery_does_not() -> None:
    story, case = g.lost_parcel()
    g.explained(story, case)
    g.remediated(story, case)
    g.proposed(story, case, "claim", amount=g.cny(5), counterparty="sf")
    assert story.case(case).state == "remediated"
    g.proposed(story, case, "coupon", amount=g.cny(5))
    assert (story.case(case).state, story.case(case).episode) == ("escalated", 1)


def test_a_case_at_risk_has_no_actions_yet() -> None:
    story = Story()
    case = g.detected(story, "TRACKING_STALLED", stage="at_risk")
    with pytest.raises(IllegalMove) as refused:
        g.proposed(story, case, "explain_only")
    assert refused.value.metadata["move"] == "ProposeAction"


# --- cancelling -------------------------------------------------------------------------------


def test_cancelling_an_unpaid_refund_gives_line_and_order_back() -> None:
    story, case = g.lost_parcel()
    action = g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    story.do(c.CancelAction(exception_id=case, action_id=action))
    assert story.trial_balance() == {}
    assert story.order().available == g.GROSS
    assert g.refunded(story, case)


@pytest.mark.parametrize("kind", sorted(CATALOGUE.remedies))
@pytest.mark.parametrize("until", ["proposed", "approved", "failed"])
def test_a_remedy_of_any_kind_can_be_called_off_and_leaves_nothing(kind: str, until: str) -> None:
    story, case = g.lost_parcel()
    before: dict[str, int] = {}
    terms: dict[str, Any] = {
        "full_refund": g.refund_terms(story, case),
        "shipping_refund": g.refund_terms(story, case),
        "partial_refund": g.refund_terms(
            story, case, lines=(c.RefundLine(sale_line="1", amount=g.cny(500)),)
        ),
        "cash_compensation": {"amount": g.cny(5), "basis": "beyond_contract"},
        "coupon": {"amount": g.cny(5)},
        "claim": {"amount": g.cny(5), "counterparty": "sf"},
    }
    for reshipment in ("reship", "exchange_advance", "exchange_keep", "exchange_return_first"):
        terms[reshipment] = {"goods_cost": g.cny(60), "freight": g.cny(8)}
    if kind == "restore_sale":
        terms[kind] = {"restores_action_id": g.refunded(story, case)}
        before = story.trial_balance()
    action = g.proposed(story, case, kind, **terms.get(kind, {}))
    step: dict[str, Any] = {"exception_id": case, "action_id": action}
    if until != "proposed":
        story.do(c.ApproveAction(**step))
    if until == "failed":
        story.do(c.SubmitAction(**step))
        end = "claim_denied" if kind == "claim" else "failed"
        story.do(c.RecordActionOutcome(**step, outcome=end))
    story.do(c.CancelAction(**step))
    assert story.trial_balance() == before
    assert story.case(case).actions[-1].status == "cancelled"


def test_cancelling_after_a_partial_reversal_mirrors_only_the_rest() -> None:
    story, case = g.lost_parcel()
    action = g.refund_submitted(story, case)
    approval = g.last_event_id(story, "exception.action_approved.v1")
    legs = (c.LegReversal(leg=0, amount=g.cny(4000)), c.LegReversal(leg=3, amount=g.cny(4000)))
    story.do(c.ReverseEntry(exception_id=case, event_id=approval, legs=legs, reason="too much"))
    assert story.order().available == 4000
    g.outcome(story, case, action, "failed")
    story.do(c.CancelAction(exception_id=case, action_id=action))
    assert story.trial_balance() == {}
    assert story.order().available == g.GROSS
    assert story.order().commitments[0].amount == 0


def test_cancelling_after_a_charge_back_paid_a_part_releases_the_rest_only() -> None:
    story, case = g.lost_parcel()
    action = g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    story.do(g.money("chargeback_opened", "d1", 2430))
    story.do(g.money("chargeback_lost", "d1", 2430))
    story.do(c.CancelAction(exception_id=case, action_id=action))
    assert "2010" not in story.trial_balance()
    assert story.order().available == 10000
    assert story.order().commitments[0].amount == story.order().commitments[0].paid == 2430


def test_cancelling_what_is_partly_reversed_and_partly_settled_is_left_to_people() -> None:
    story, case = g.lost_parcel()
    action = g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    approval = g.last_event_id(story, "exception.action_approved.v1")
    legs = (c.LegReversal(leg=0, amount=g.cny(9000)), c.LegReversal(leg=3, amount=g.cny(9000)))
    story.do(c.ReverseEntry(exception_id=case, event_id=approval, legs=legs, reason="x"))
    story.do(g.money("chargeback_opened", "d1", 1000))
    story.do(g.money("chargeback_lost", "d1", 1000))
    with pytest.raises(ReversalRefused, match="leg by leg"):
        story.do(c.CancelAction(exception_id=case, action_id=action))


def test_a_paid_refund_is_not_cancelled() -> None:
    story, case = g.lost_parcel()
    action = g.refunded(story, case)
    with pytest.raises(IllegalActionMove):
        story.do(c.CancelAction(exception_id=case, action_id=action))


def test_nothing_is_submitted_that_is_not_owed_any_more() -> None:
    story, case = g.lost_parcel()
    action = g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    approval = g.last_event_id(story, "exception.action_approved.v1")
    story.do(c.ReverseEntry(exception_id=case, event_id=approval, reason="decided otherwise"))
    with pytest.raises(ActionsUnfinished, match="nothing is owed"):
        story.do(c.SubmitAction(exception_id=case, action_id=action))


# --- two persons ------------------------------------------------------------------------------


def claim_approved(story: Story, case: str, filed: int, amount: int) -> str:
    action = g.submitted(story, case, "claim", amount=g.cny(filed), counterparty="sf")
    g.outcome(story, case, action, "claim_approved", amount=g.cny(amount))
    return action


def test_a_write_off_takes_two_persons() -> None:
    story, case = g.lost_parcel()
    action = claim_approved(story, case, 6000, 6000)
    command = c.WriteOffAction(exception_id=case, action_id=action, reason="insolvent")
    story.do(command, actor="ann")
    assert story.trial_balance() == {"1110": 6000, "6010": -6000}
    with pytest.raises(SecondPersonRequired) as refused:
        story.do(command, actor="ann")
    assert refused.value.metadata == {"proposedBy": "ann"}
    story.do(command, actor="bob")
    assert story.trial_balance() == {"6010": -6000, "5100": 6000}
    assert story.case(case).actions[-1].status == "written_off"
    with pytest.raises(IllegalActionMove):
        story.do(command, actor="eve")


def test_a_write_off_needs_an_answered_claim_with_something_unpaid() -> None:
    story, case = g.lost_parcel()
    unanswered = claim_approved(story, case, 6000, 4000)
    with pytest.raises(InvalidCommand, match="is not answered yet"):
        story.do(c.WriteOffAction(exception_id=case, action_id=unanswered, reason="x"))
    none = g.submitted(story, case, "claim", amount=g.cny(5), counterparty="sf")
    with pytest.raises(InvalidCommand, match="no approved amount is unpaid"):
        story.do(c.WriteOffAction(exception_id=case, action_id=none, reason="x"))
    coupon = g.submitted(story, case, "coupon", amount=g.cny(5))
    with pytest.raises(InvalidCommand, match="coupon cannot be written off"):
        story.do(c.WriteOffAction(exception_id=case, action_id=coupon, reason="x"))


def test_a_claim_is_noted_outside_the_balance_when_it_is_filed() -> None:
    story, case = g.lost_parcel()
    g.submitted(story, case, "claim", amount=g.cny(6000), counterparty="sf")
    assert story.legs() == [("9010", 6000), ("9990", -6000)]
