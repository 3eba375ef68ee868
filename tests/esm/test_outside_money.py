"""Money that others moved: facts that are never refused, booked once, with their own cases."""

from typing import Any

import pytest

from esm import commands as c
from esm.errors import InvalidCommand, OrderNotFound
from tests.esm import given as g
from tests.esm.story import Story


def ordered() -> Story:
    story = Story()
    story.do(g.record_order())
    return story


def test_a_charge_back_opens_its_case_withholds_the_funds_and_blocks_the_order() -> None:
    story = ordered()
    story.do(g.money("chargeback_opened", "d1", g.GROSS, fee=g.cny(1500), fee_tax=g.cny(90)))
    case = g.case_of(story, "CHARGEBACK")
    assert (case.state, case.team) == ("escalated", "finance")
    assert story.trial_balance() == {"1130": g.GROSS, "5080": 1500, "1165": 90, "1020": -14020}
    assert story.order().available == 0
    assert story.order().disputes[0].status == "open"


def test_a_charge_back_that_is_won_brings_the_funds_back() -> None:
    story = ordered()
    story.do(g.money("chargeback_opened", "d1", g.GROSS))
    story.do(g.money("chargeback_won", "d1", g.GROSS))
    assert story.trial_balance() == {}
    assert (story.order().available, story.order().disputes[0].status) == (g.GROSS, "won")


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        ("goods", {"4100": 10000, "4110": 1000, "5140": 1430}),
        ("service", {"4100": 10000, "4110": 1000, "5140": 1430}),
        ("fraud", {"5070": g.GROSS}),
    ],
)
def test_a_lost_charge_back_undoes_revenue_or_is_a_loss_by_its_reason(
    reason: str, wanted: dict[str, int]
) -> None:
    story = ordered()
    story.do(g.money("chargeback_opened", "d1", g.GROSS, reason=reason))
    story.do(g.money("chargeback_lost", "d1", g.GROSS))
    assert story.trial_balance() == wanted | {"1020": -g.GROSS}
    assert (story.order().charged_back, story.order().available) == (g.GROSS, 0)


def test_a_lost_charge_back_pays_a_refund_that_was_approved_and_unpaid() -> None:
    story, case = g.lost_parcel()
    action = g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    story.do(g.money("chargeback_opened", "d1", g.GROSS, fee=g.cny(1500)))
    story.do(g.money("chargeback_lost", "d1", g.GROSS))
    settled = story.case(case).action(action)
    assert settled is not None
    assert (settled.status, settled.settled_by) == ("succeeded", "chargeback")
    balances = story.case(case).balances
    assert ("2010", f"action:{action}") not in balances
    assert "1130" not in story.trial_balance()
    assert story.order().available == 0
    g.remediated(story, case, "DISPUTE_LOST")


def test_a_lost_charge_back_above_what_is_left_is_owed_by_the_customer() -> None:
    story, case = g.lost_parcel()
    g.refunded(story, case)
    story.do(g.money("chargeback_opened", "d1", g.GROSS))
    assert story.order().available == -g.GROSS
    story.do(g.money("chargeback_lost", "d1", g.GROSS))
    dispute = g.case_of(story, "REFUND_DISPUTE")
    assert dispute.raised_by == str(g.case_of(story, "CHARGEBACK").id)
    assert dispute.balances["1150", ""] == g.GROSS
    story.do(g.money("customer_payment", "v1", g.GROSS, exception_id=str(dispute.id)))
    assert "1150" not in story.trial_balance()
    assert story.order().available == 0


def test_a_verdict_on_a_charge_back_that_nobody_told_us_of_opens_it_first() -> None:
    story = ordered()
    story.do(g.money("chargeback_lost", "d1", 5000))
    assert g.case_of(story, "CHARGEBACK").balances.get(("1130", "dispute:d1"), 0) == 0
    assert story.order().charged_back == 5000


def test_a_charge_back_won_in_part_stays_open_with_the_rest() -> None:
    story = ordered()
    story.do(g.money("chargeback_opened", "d1", g.GROSS))
    story.do(g.money("chargeback_won", "d1", 2430))
    assert story.order().open_disputes == 10000
    assert story.order().disputes[0].status == "open"
    story.do(g.money("chargeback_lost", "d1", 10000))
    assert story.order().open_disputes == 0


def test_a_platforms_own_refund_has_no_cap_and_its_excess_is_recovered() -> None:
    story, case = g.lost_parcel()
    story.do(
        g.money(
            "platform_refund",
            "p1",
            g.GROSS + 700,
            account="1025",
            exception_id=case,
            tax_document="CN-9",
        )
    )
    assert story.trial_balance() == {
        "4100": 10000,
        "4110": 1000,
        "2070": 1430,
        "1150": 700,
        "1025": -g.GROSS - 700,
    }
    assert g.case_of(story, "REFUND_DISPUTE").raised_by == case
    assert story.order().available == -700
    assert story.case(case).state == "escalated"


def test_a_providers_refund_without_a_case_gets_one_of_its_own() -> None:
    story = ordered()
    story.do(g.money("provider_refund", "p1", 1000))
    assert str(story.shown[0]) == str(story.order().id)
    assert g.case_of(story, "REFUND_DISPUTE").balances["1020", ""] == -1000


def test_a_fact_about_a_closed_case_is_answered_by_another_case() -> None:
    story, case = g.lost_parcel()
    g.explained(story, case)
    g.remediated(story, case)
    story.do(c.Reconcile(exception_id=case))
    story.do(g.money("provider_refund", "p1", 1000, exception_id=case))
    assert story.case(case).state == "reconciled"
    assert g.case_of(story, "REFUND_DISPUTE").raised_by == case


def test_a_wallet_deduction_is_a_penalty_notified_and_paid_at_once() -> None:
    story = ordered()
    story.do(g.money("wallet_deduction", "w1", 500, account=""))
    assert story.trial_balance() == {"5090": 500, "1025": -500}
    assert g.case_of(story, "PLATFORM_COMPLAINT").state == "escalated"


def test_a_payout_is_known_and_posts_nothing() -> None:
    story = ordered()
    events = story.do(g.money("payout", "o1", 9000, account=""))
    assert [event.TOPIC for event in events] == ["order.outside_money_noted.v1"]
    assert story.trial_balance() == {}


def test_a_payment_captured_later_may_be_given_back() -> None:
    story = ordered()
    story.do(g.money("payment_captured", "p2", 500, account=""))
    assert story.order().available == g.GROSS + 500


@pytest.mark.parametrize(
    "kind",
    [
        "payment_captured",
        "platform_refund",
        "provider_refund",
        "chargeback_opened",
        "chargeback_won",
        "chargeback_lost",
        "wallet_deduction",
        "payout",
    ],
)
def test_a_fact_is_recorded_once_per_provider_kind_and_external_id(kind: str) -> None:
    story = ordered()
    story.do(g.money(kind, "x1", 1000))
    before, shown = story.trial_balance(), story.shown
    assert story.do(g.money(kind, "x1", 1000)) == []
    assert (story.trial_balance(), story.shown) == (before, shown)
    assert story.do(g.money(kind, "x1", 1000, provider="other"))


def test_a_fact_is_recorded_whatever_state_the_case_is_in() -> None:
    """No state of the named case refuses a fact: it takes it, or another case answers."""
    story, case = g.lost_parcel()
    story.do(g.money("provider_refund", "1", 100, exception_id=case))
    story.do(g.money("chargeback_opened", "2", 100, exception_id=case))
    g.explained(story, case)
    g.remediated(story, case)
    story.do(g.money("provider_refund", "3", 100, exception_id=case))
    other = g.detected(story, "WRONG_ITEM")
    story.do(c.Withdraw(exception_id=other, resolution="FALSE_ALARM"))
    story.do(g.money("provider_refund", "4", 100, exception_id=other))
    third = g.detected(story, "MISSING_ITEM", stage="at_risk")
    story.do(g.money("provider_refund", "5", 100, exception_id=third))
    assert story.order().refunded_outside == 400


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "gift"}, "kind"),
        ({"provider": ""}, "provider"),
        ({"external_id": ""}, "external_id"),
        ({"amount": None}, "amount"),
        ({"amount": g.cny(0)}, "amount"),
        ({"amount": g.cny(-1)}, "amount"),
        ({"account": ""}, "account"),
        ({"account": "4100"}, "account"),
        ({"reason": "spite"}, "reason"),
        ({"kind": "customer_payment"}, "exception_id"),
    ],
)
def test_a_fact_that_says_too_little_is_refused(changes: dict[str, Any], field: str) -> None:
    story = ordered()
    fields: dict[str, Any] = {
        "order_id": "O1",
        "kind": "chargeback_opened",
        "provider": "visa",
        "external_id": "d1",
        "amount": g.cny(5),
        "account": "1020",
    }
    with pytest.raises(InvalidCommand) as refused:
        story.do(c.RecordExternalMoney(**(fields | changes)))
    assert field in refused.value.metadata["fields"].split(",")


def test_money_of_another_order_or_of_none_is_refused() -> None:
    story, case = g.lost_parcel()
    story.do(g.record_order("O2"))
    with pytest.raises(InvalidCommand):
        story.do(g.money("provider_refund", "p1", 5, order_id="O2", exception_id=case))
    with pytest.raises(OrderNotFound):
        story.do(g.money("provider_refund", "p1", 5, order_id="O9"))


@pytest.mark.parametrize(
    "kind",
    ["payment_captured", "platform_refund", "chargeback_lost", "wallet_deduction", "payout"],
)
def test_a_fact_told_again_with_another_amount_is_refused_with_what_was_recorded(
    kind: str,
) -> None:
    story = ordered()
    story.do(g.money(kind, "x1", 1000))
    with pytest.raises(InvalidCommand, match="1000 minor units were recorded") as refused:
        story.do(g.money(kind, "x1", 999))
    assert refused.value.metadata["fields"] == "amount"


@pytest.mark.parametrize("kind", ["payment_captured", "platform_refund", "payout"])
def test_a_fact_told_again_of_another_order_is_refused_with_the_order(kind: str) -> None:
    story = ordered()
    story.do(g.record_order("O2"))
    story.do(g.money(kind, "x1", 1000))
    with pytest.raises(InvalidCommand, match="was recorded for order 'O1'"):
        story.do(g.money(kind, "x1", 1000, order_id="O2"))


def test_a_customers_payment_under_a_known_payments_id_says_the_same_amount() -> None:
    story = ordered()
    story.do(g.money("provider_refund", "r1", g.GROSS + 700))
    case = str(g.case_of(story, "REFUND_DISPUTE").id)
    story.do(g.money("payment_captured", "x1", 700, account=""))
    with pytest.raises(InvalidCommand, match="700 minor units were recorded"):
        story.do(g.money("customer_payment", "x1", 600, exception_id=case))
    story.do(g.money("customer_payment", "x1", 700, exception_id=case))
    assert "1150" not in story.trial_balance()
    assert story.order().captured == g.GROSS + 700
