"""What became of an action: payments, failures, reshipments, claims and coupons."""

from typing import Any

import pytest

from esm import commands as c
from esm.errors import DomainError, IllegalActionMove, IllegalMove, InvalidCommand
from tests.esm import given as g
from tests.esm.story import Story


def status(story: Story, case: str, action: str) -> str:
    found = story.case(case).action(action)
    assert found is not None
    return found.status


def refuse(story: Story, case: str, action: str, name: str, **fields: Any) -> DomainError:
    with pytest.raises(DomainError) as refused:
        g.outcome(story, case, action, name, **fields)
    return refused.value


# --- refunds ------------------------------------------------------------------------------------


@pytest.mark.parametrize("account", ["1010", "1020", "1025"])
def test_a_refund_is_paid_from_the_account_that_the_confirmation_names(account: str) -> None:
    story, case = g.lost_parcel()
    action = g.refund_submitted(story, case)
    g.outcome(story, case, action, "acknowledged")
    g.outcome(story, case, action, "succeeded", account=account, external_id="r1")
    assert story.trial_balance()[account] == -g.GROSS
    assert "2010" not in story.trial_balance()
    assert story.order().commitments[0].unpaid == 0


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"external_id": "r1"}, "account"),
        ({"external_id": "r1", "account": "2010"}, "account"),
        ({"account": "1020"}, "external_id"),
        ({"external_id": "r1", "account": "1020", "amount": g.cny(5)}, "amount"),
    ],
)
def test_a_payment_needs_account_and_external_id_and_the_amount_owed(
    fields: dict[str, Any], field: str
) -> None:
    story, case = g.lost_parcel()
    action = g.refund_submitted(story, case)
    refused = refuse(story, case, action, "succeeded", **fields)
    assert isinstance(refused, InvalidCommand)
    assert refused.metadata["fields"] == field


def test_a_refund_that_comes_back_is_owed_again_and_may_be_sent_again() -> None:
    story, case = g.lost_parcel()
    action = g.refunded(story, case)
    g.remediated(story, case, "REFUNDED")
    g.outcome(story, case, action, "failed")
    assert story.case(case).state == "escalated"
    assert story.case(case).episode == 1
    assert story.trial_balance()["2010"] == -g.GROSS
    assert story.order().commitments[0].unpaid == g.GROSS
    story.do(c.SubmitAction(exception_id=case, action_id=action))
    g.outcome(story, case, action, "succeeded", account="1010", external_id="r2")
    assert story.order().commitments[0].unpaid == 0
    assert story.trial_balance()["1010"] == -g.GROSS


def test_a_failure_before_any_success_posts_nothing() -> None:
    story, case = g.lost_parcel()
    action = g.refund_submitted(story, case)
    before = story.legs()
    g.outcome(story, case, action, "failed")
    assert story.legs() == before
    assert status(story, case, action) == "failed"


def test_an_outcome_before_submission_is_refused_with_what_is_allowed() -> None:
    story, case = g.lost_parcel()
    action = g.approved(story, case, "explain_only")
    refused = refuse(story, case, action, "succeeded")
    assert isinstance(refused, IllegalActionMove)
    assert refused.metadata["allowed"] == "cancel,settle,submit"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("explain_only", "dispatched"),
        ("explain_only", "claim_approved"),
        ("explain_only", "claim_denied"),
        ("explain_only", "claim_paid"),
        ("claim", "succeeded"),
        ("claim", "failed"),
        ("claim", "dispatched"),
    ],
)
def test_an_outcome_that_is_not_its_remedys_is_refused(kind: str, name: str) -> None:
    story, case = g.lost_parcel()
    terms = {"amount": g.cny(5), "counterparty": "sf"} if kind == "claim" else {}
    action = g.submitted(story, case, kind, **terms)
    refused = refuse(story, case, action, name, amount=g.cny(1), account="1010", external_id="x")
    assert refused.reason == "INVALID_COMMAND"


def test_an_unknown_outcome_is_refused() -> None:
    story, case = g.lost_parcel()
    action = g.submitted(story, case, "explain_only")
    assert refuse(story, case, action, "vanished").metadata["fields"] == "outcome"


# --- reshipments --------------------------------------------------------------------------------


def reshipped(story: Story, case: str, goods: int, freight: int) -> str:
    action = g.submitted(story, case, "reship", goods_cost=g.cny(6000), freight=g.cny(800))
    g.outcome(
        story,
        case,
        action,
        "dispatched",
        goods_cost=g.cny(goods),
        freight=g.cny(freight),
        logistics_line="L2",
        shipment_code="S2",
    )
    return action


@pytest.mark.parametrize(("goods", "freight"), [(6000, 800), (6500, 700), (5500, 0), (0, 900)])
def test_a_reshipment_ends_its_obligation_at_its_true_cost(goods: int, freight: int) -> None:
    story, case = g.lost_parcel()
    action = reshipped(story, case, goods, freight)
    wanted = {"5020": goods, "5010": freight, "1200": -goods, "2055": -freight}
    assert story.trial_balance() == {a: b for a, b in wanted.items() if b}
    g.outcome(story, case, action, "succeeded")
    assert story.case(case).action(action) is not None


def test_the_freight_of_a_reshipment_waits_for_its_invoice() -> None:
    story, case = g.lost_parcel()
    reshipped(story, case, 6000, 800)
    story.do(
        c.RecordCarrierCharge(
            exception_id=case,
            logistics_line="L2",
            kind="reship_freight",
            step="invoiced",
            net=g.cny(900),
            carrier="sf",
            invoice="I1",
        )
    )
    assert story.trial_balance() == {"5020": 6000, "5010": 900, "1200": -6000, "1900": -900}
    assert story.case(case).accruals == ()


def test_a_reshipment_leaves_once_and_before_it_succeeds() -> None:
    story, case = g.lost_parcel()
    action = g.submitted(story, case, "reship", goods_cost=g.cny(6000), freight=g.cny(800))
    assert "outcome" in refuse(story, case, action, "succeeded").metadata["fields"]
    other = reshipped(story, case, 6000, 800)
    fields = {"goods_cost": g.cny(1), "freight": g.cny(1), "shipment_code": "S2"}
    again = refuse(story, case, other, "dispatched", logistics_line="L2", **fields)
    assert again.metadata["fields"] == "outcome"
    unknown = refuse(story, case, action, "dispatched", logistics_line="L9", **fields)
    assert unknown.metadata["fields"] == "logistics_line"


def test_a_dispatched_reshipment_that_fails_and_is_cancelled_keeps_its_cost() -> None:
    story, case = g.lost_parcel()
    action = reshipped(story, case, 6000, 800)
    g.outcome(story, case, action, "failed")
    story.do(c.CancelAction(exception_id=case, action_id=action))
    assert story.trial_balance() == {"5020": 6000, "5010": 800, "1200": -6000, "2055": -800}


# --- claims -------------------------------------------------------------------------------------


def claimed(story: Story, case: str, amount: int = 10000) -> str:
    return g.submitted(story, case, "claim", amount=g.cny(amount), counterparty="sf")


def test_a_claim_partly_approved_paid_less_a_fee_and_the_rest_denied() -> None:
    story, case = g.lost_parcel()
    action = claimed(story, case)
    g.outcome(story, case, action, "claim_approved", amount=g.cny(7000))
    assert story.trial_balance() == {"9010": 3000, "9990": -3000, "1110": 7000, "6010": -7000}
    g.outcome(story, case, action, "claim_paid", amount=g.cny(6900), fee=g.cny(100), account="1010")
    assert status(story, case, action) == "submitted"
    g.outcome(story, case, action, "claim_denied")
    assert story.trial_balance() == {"1010": 6900, "5080": 100, "6010": -7000}
    assert status(story, case, action) == "succeeded"


def test_a_claim_denied_first_and_paid_last_succeeds_with_the_payment() -> None:
    story, case = g.lost_parcel()
    action = claimed(story, case)
    g.outcome(story, case, action, "claim_approved", amount=g.cny(7000))
    g.outcome(story, case, action, "claim_denied")
    assert status(story, case, action) == "submitted"
    g.outcome(story, case, action, "claim_paid", amount=g.cny(3000), account="1010")
    assert status(story, case, action) == "submitted"
    g.outcome(story, case, action, "claim_paid", amount=g.cny(4000), account="1010")
    assert status(story, case, action) == "succeeded"
    assert story.trial_balance() == {"1010": 7000, "6010": -7000}


def test_a_claim_denied_whole_failed() -> None:
    story, case = g.lost_parcel()
    action = claimed(story, case)
    g.outcome(story, case, action, "claim_denied")
    assert status(story, case, action) == "failed"
    assert story.trial_balance() == {}


def test_a_claim_denied_whole_may_be_filed_again_and_is_noted_again() -> None:
    story, case = g.lost_parcel()
    action = claimed(story, case)
    g.outcome(story, case, action, "claim_denied")
    story.do(c.SubmitAction(exception_id=case, action_id=action))
    assert story.trial_balance() == {"9010": 10000, "9990": -10000}
    g.outcome(story, case, action, "claim_approved", amount=g.cny(10000))
    g.outcome(story, case, action, "claim_paid", amount=g.cny(10000), account="1010")
    assert story.trial_balance() == {"1010": 10000, "6010": -10000}
    assert status(story, case, action) == "succeeded"


def test_a_claim_is_never_approved_or_paid_above_what_was_filed_or_approved() -> None:
    story, case = g.lost_parcel()
    action = claimed(story, case)
    above = refuse(story, case, action, "claim_approved", amount=g.cny(10001))
    early = refuse(story, case, action, "claim_paid", amount=g.cny(1), account="1010")
    assert above.metadata == early.metadata == {"fields": "amount"}
    g.outcome(story, case, action, "claim_approved", amount=g.cny(10000))
    over = refuse(
        story, case, action, "claim_paid", amount=g.cny(10000), fee=g.cny(1), account="1010"
    )
    assert over.metadata["fields"] == "amount"
    assert refuse(story, case, action, "claim_denied").metadata["fields"] == "outcome"


# --- coupons ------------------------------------------------------------------------------------


def coupon(story: Story, case: str, kind: str = "") -> str:
    action = g.submitted(story, case, "coupon", amount=g.cny(1000), coupon_kind=kind)
    g.outcome(story, case, action, "succeeded")
    return action


@pytest.mark.parametrize(("kind", "value"), [("coupon", 600), ("", 600), ("store_credit", 1000)])
def test_a_coupon_is_booked_at_its_expected_use(kind: str, value: int) -> None:
    story, case = g.lost_parcel()
    coupon(story, case, kind)
    assert story.trial_balance() == {"4120": value, "2020": -value}


def test_a_coupon_from_before_the_first_known_expected_use_is_refused() -> None:
    story, case = g.lost_parcel()
    action = g.submitted(story, case, "coupon", amount=g.cny(1000))
    issued = c.RecordActionOutcome(exception_id=case, action_id=action, outcome="succeeded")
    with pytest.raises(InvalidCommand) as refused:
        story.do(issued, at="1999-12-31T23:59:59.000000Z")
    assert refused.value.metadata["fields"] == "occurred_at"


def test_a_coupon_that_is_used_costs_its_face() -> None:
    story, case = g.lost_parcel()
    action = coupon(story, case)
    g.outcome(story, case, action, "coupon_used")
    assert story.trial_balance() == {"4120": 1000, "1900": -1000}


@pytest.mark.parametrize("name", ["coupon_revoked", "coupon_expired"])
def test_a_coupon_that_is_taken_back_or_runs_out_costs_nothing(name: str) -> None:
    story, case = g.lost_parcel()
    action = coupon(story, case)
    g.outcome(story, case, action, name)
    assert story.trial_balance() == {}
    again = refuse(story, case, action, "coupon_used")
    assert name in again.message


def test_a_coupon_is_used_after_the_case_was_remediated_but_not_before_it_was_issued() -> None:
    story, case = g.lost_parcel()
    waiting = g.submitted(story, case, "coupon", amount=g.cny(1000))
    assert isinstance(refuse(story, case, waiting, "coupon_used"), IllegalActionMove)
    g.outcome(story, case, waiting, "succeeded")
    g.remediated(story, case, "COMPENSATED")
    g.outcome(story, case, waiting, "coupon_used")
    assert story.case(case).state == "remediated"


def test_only_a_coupon_is_used() -> None:
    story, case = g.lost_parcel()
    action = g.refunded(story, case)
    assert refuse(story, case, action, "coupon_used").metadata["fields"] == "outcome"


def test_a_customers_outcome_in_a_closed_case_is_refused() -> None:
    story, case = g.lost_parcel()
    action = g.explained(story, case)
    g.remediated(story, case)
    story.do(c.Reconcile(exception_id=case))
    assert isinstance(refuse(story, case, action, "failed"), IllegalMove)


# --- restoring a sale ---------------------------------------------------------------------------


def test_a_restored_sale_mirrors_the_refund_and_is_owed_by_the_customer() -> None:
    story, case = g.lost_parcel()
    refund = g.refunded(story, case)
    action = g.submitted(story, case, "restore_sale", restores_action_id=refund)
    assert story.trial_balance() == {"1020": -g.GROSS, "1150": g.GROSS}
    assert story.order().line("1") is not None
    assert story.order().available == 0
    g.outcome(story, case, action, "succeeded")
    story.do(g.money("customer_payment", "v1", g.GROSS, exception_id=case))
    assert story.trial_balance() == {}
    assert story.order().available == g.GROSS


def test_a_refund_is_restored_once() -> None:
    story, case = g.lost_parcel()
    refund = g.refunded(story, case)
    action = g.proposed(story, case, "restore_sale", restores_action_id=refund)
    with pytest.raises(InvalidCommand):
        g.proposed(story, case, "restore_sale", restores_action_id=refund)
    story.do(c.CancelAction(exception_id=case, action_id=action))
    g.proposed(story, case, "restore_sale", restores_action_id=refund)


@pytest.mark.parametrize("end", ["coupon_used", "coupon_revoked", "coupon_expired"])
def test_a_coupon_ends_weeks_after_its_case_was_reconciled(end: str) -> None:
    story, case = g.lost_parcel()
    action = g.submitted(story, case, "coupon", amount=g.cny(1000), logistics_line="L1")
    g.outcome(story, case, action, "succeeded")
    write_back = c.WriteBack(exception_id=case, logistics_line="L1")
    story.do(write_back)
    g.remediated(story, case)
    story.do(c.Reconcile(exception_id=case))
    g.outcome(story, case, action, end)
    assert story.case(case).state == "reconciled"
    assert "2020" not in story.trial_balance()
    story.do(write_back)


def test_a_coupon_that_was_used_cannot_fail() -> None:
    story, case = g.lost_parcel()
    action = g.submitted(story, case, "coupon", amount=g.cny(1000))
    g.outcome(story, case, action, "succeeded")
    g.remediated(story, case)
    g.outcome(story, case, action, "coupon_used")
    with pytest.raises(IllegalActionMove, match="coupon_used"):
        g.outcome(story, case, action, "failed")
