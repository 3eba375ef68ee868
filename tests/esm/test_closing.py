"""The end of a case: remediate, carry, write back, reconcile, withdraw, merge, reopen."""

from typing import Any

import pytest

from esm import commands as c
from esm.decide import etag
from esm.errors import (
    ActionsUnfinished,
    ExceptionNotFound,
    IllegalMove,
    InvalidCommand,
    MergeRefused,
    MoneyPosted,
    OpenItemsRemain,
    SecondPersonRequired,
    StaleEtag,
)
from esm.events import InvoiceLine, Subject
from tests.esm import given as g
from tests.esm.story import Story

DUE = "2026-04-30"


def carry(case: str, item: str, **changes: Any) -> c.CarryItem:
    fields: dict[str, Any] = {"reason": "slow carrier", "owner": "fin", "due": DUE}
    return c.CarryItem(exception_id=case, item=item, **(fields | changes))


def with_open_claim() -> tuple[Story, str, str]:
    """A remediated case whose claim of 100 is filed."""
    story, case = g.lost_parcel()
    g.explained(story, case)
    action = g.submitted(
        story, case, "claim", amount=g.cny(10000), counterparty="sf", logistics_line="L1"
    )
    g.remediated(story, case)
    story.do(c.WriteBack(exception_id=case, logistics_line="L1"))
    return story, case, f"action:{action}"


# --- remediate --------------------------------------------------------------------------------


def test_remediate_waits_for_every_action_of_the_customers_side() -> None:
    story, case = g.lost_parcel()
    running = g.refund_submitted(story, case)
    with pytest.raises(ActionsUnfinished) as refused:
        g.remediated(story, case, "REFUNDED")
    assert refused.value.metadata == {"actions": running}


def test_remediate_needs_a_success_unless_the_code_is_commercial() -> None:
    story, case = g.lost_parcel()
    with pytest.raises(ActionsUnfinished, match="has succeeded"):
        g.remediated(story, case)
    billing = g.detected(story, "BILLING_DISPUTE")
    g.remediated(story, billing, "CHARGE_SETTLED")


def test_recovery_does_not_hold_the_customers_side_open_nor_finish_it() -> None:
    story, case = g.lost_parcel()
    g.submitted(story, case, "claim", amount=g.cny(5), counterparty="sf")
    with pytest.raises(ActionsUnfinished, match="has succeeded"):
        g.remediated(story, case)
    g.explained(story, case)
    g.remediated(story, case)


def test_a_new_episode_needs_a_success_of_its_own() -> None:
    story, case = g.lost_parcel()
    g.explained(story, case)
    g.remediated(story, case)
    story.do(c.Reopen(exception_id=case, reason="again"))
    with pytest.raises(ActionsUnfinished):
        g.remediated(story, case)


@pytest.mark.parametrize("resolution", ["", "RESUMED", "MARTIANS"])
def test_a_resolution_leads_to_its_own_end(resolution: str) -> None:
    story, case = g.lost_parcel()
    g.explained(story, case)
    with pytest.raises(InvalidCommand) as refused:
        g.remediated(story, case, resolution)
    assert refused.value.metadata["fields"] == "resolution"


def test_the_customer_was_told_when_the_caller_says_so() -> None:
    story, case = g.lost_parcel()
    g.explained(story, case)
    told = "2026-02-28T12:00:00.000000Z"
    story.do(c.Remediate(exception_id=case, resolution="EXPLAINED", summary="x"), at=told)
    assert story.case(case).customer_resolved_at == told


# --- carry and reconcile ------------------------------------------------------------------------


def test_an_item_is_carried_by_two_persons_and_then_reconcile_passes() -> None:
    story, case, item = with_open_claim()
    story.do(carry(case, item), actor="ann")
    with pytest.raises(OpenItemsRemain):
        story.do(c.Reconcile(exception_id=case))
    with pytest.raises(SecondPersonRequired) as refused:
        story.do(carry(case, item), actor="ann")
    assert refused.value.metadata == {"proposedBy": "ann", "item": item}
    story.do(carry(case, item), actor="bob")
    (reconciled,) = story.do(c.Reconcile(exception_id=case))
    assert getattr(reconciled, "carried", ()) == (item,)


def test_other_terms_are_another_proposal() -> None:
    story, case, item = with_open_claim()
    story.do(carry(case, item), actor="ann")
    story.do(carry(case, item, due="2026-05-31"), actor="bob")
    with pytest.raises(OpenItemsRemain):
        story.do(c.Reconcile(exception_id=case))
    story.do(carry(case, item, due="2026-05-31"), actor="ann")
    story.do(c.Reconcile(exception_id=case))


def test_an_item_that_is_carried_already_stays_as_it_is() -> None:
    story, case, item = with_open_claim()
    story.do(carry(case, item), actor="ann")
    story.do(carry(case, item), actor="bob")
    assert story.do(carry(case, item, owner="eve"), actor="eve") == []


def test_a_carried_claim_goes_on_in_the_reconciled_case_and_nothing_else_does() -> None:
    story, case, item = with_open_claim()
    for actor in ("ann", "bob"):
        story.do(carry(case, item), actor=actor)
    story.do(c.Reconcile(exception_id=case))
    action = item.removeprefix("action:")
    g.outcome(story, case, action, "claim_approved", amount=g.cny(7000))
    g.outcome(story, case, action, "claim_denied")
    g.outcome(story, case, action, "claim_paid", amount=g.cny(7000), account="1010")
    assert story.case(case).state == "reconciled"
    assert story.trial_balance() == {"6010": -7000, "1010": 7000}
    with pytest.raises(IllegalMove) as refused:
        g.proposed(story, case, "explain_only")
    assert refused.value.metadata["allowed"].startswith("AddNote")


def test_an_item_that_grew_since_it_was_carried_is_open_until_it_is_carried_again() -> None:
    story, case = g.lost_parcel()
    g.explained(story, case)
    accrual = c.RecordCarrierCharge(
        exception_id=case, logistics_line="L1", kind="storage", step="accrued", net=g.cny(100)
    )
    story.do(accrual)
    for actor in ("ann", "bob"):
        story.do(carry(case, "logistics:L1"), actor=actor)
    story.do(accrual)
    story.do(c.WriteBack(exception_id=case, logistics_line="L1"))
    g.remediated(story, case)
    with pytest.raises(OpenItemsRemain):
        story.do(c.Reconcile(exception_id=case))
    story.do(carry(case, "logistics:L1"), actor="ann")
    with pytest.raises(OpenItemsRemain):
        story.do(c.Reconcile(exception_id=case))
    story.do(carry(case, "logistics:L1"), actor="bob")
    story.do(c.Reconcile(exception_id=case))


def overpaid_and_carried() -> tuple[Story, str]:
    """A reconciled case on which the customer owes 7.00, carried."""
    story = Story()
    story.do(g.record_order())
    story.do(g.money("provider_refund", "r1", g.GROSS + 700))
    case = str(g.case_of(story, "REFUND_DISPUTE").id)
    for actor in ("ann", "bob"):
        story.do(carry(case, "account:1150"), actor=actor)
    for line in tuple(story.case(case).billing_lines):
        story.do(c.WriteBack(exception_id=case, logistics_line=line))
    g.remediated(story, case, "CHARGE_SETTLED")
    story.do(c.Reconcile(exception_id=case))
    return story, case


def test_what_a_customer_owes_a_reconciled_case_is_paid_to_it() -> None:
    story, case = overpaid_and_carried()
    story.do(g.money("customer_payment", "v1", 500, exception_id=case))
    story.do(g.money("customer_payment", "v2", 200, exception_id=case))
    assert story.case(case).state == "reconciled"
    assert all(account != "1150" for account, _ in story.case(case).balances)
    assert "1150" not in story.trial_balance()


def test_what_a_customer_pays_above_the_carried_item_is_another_case_s() -> None:
    story, case = overpaid_and_carried()
    story.do(g.money("customer_payment", "v1", 1000, exception_id=case))
    assert all(account != "1150" for account, _ in story.case(case).balances)
    (other,) = (str(x) for x in story.shown[2:])
    assert story.case(other).balances["1150", ""] == -300
    assert story.case(other).occurrence == 2


def test_other_money_leaves_a_reconciled_case_alone_though_an_item_is_carried() -> None:
    story, case, item = with_open_claim()
    for actor in ("ann", "bob"):
        story.do(carry(case, item), actor=actor)
    story.do(c.Reconcile(exception_id=case))
    before = story.case(case)
    story.do(g.money("provider_refund", "r1", 1000, exception_id=case))
    assert story.case(case) == before
    assert g.case_of(story, "REFUND_DISPUTE").raised_by == case


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"item": "action:A9"}, "item"),
        ({"amount": g.cny(1)}, "amount"),
        ({"owner": ""}, "owner"),
        ({"reason": ""}, "reason"),
        ({"due": "soon"}, "due"),
        ({"due": "2026-02-30"}, "due"),
        ({"due": "2026-02-28"}, "due"),
    ],
)
def test_a_carry_names_an_open_item_its_amount_an_owner_and_a_due_date(
    changes: dict[str, Any], field: str
) -> None:
    story, case, item = with_open_claim()
    with pytest.raises(InvalidCommand) as refused:
        story.do(carry(case, **({"item": item} | changes)))
    assert set(refused.value.metadata["fields"].split(",")) == {field}


# --- write-back ---------------------------------------------------------------------------------


def test_a_write_back_is_never_carried() -> None:
    story, case = g.lost_parcel()
    g.refunded(story, case)
    g.remediated(story, case, "REFUNDED")
    with pytest.raises(InvalidCommand, match="never carried"):
        story.do(carry(case, "write_back:L1"))


def test_a_write_back_puts_the_net_cost_on_the_billing_line() -> None:
    story, case = g.lost_parcel()
    g.refunded(story, case)
    claim = g.submitted(
        story, case, "claim", amount=g.cny(6000), counterparty="sf", logistics_line="L1"
    )
    g.outcome(story, case, claim, "claim_approved", amount=g.cny(6000))
    story.do(c.WriteBack(exception_id=case, logistics_line="L1"))
    (record,) = story.order().write_backs
    assert (record.revenue_undone, record.handling_cost, record.recovered, record.net_cost) == (
        11000,
        0,
        6000,
        5000,
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"none": True}, "none"),
        ({"logistics_line": "L2"}, "logistics_line"),
        ({}, "logistics_line"),
    ],
)
def test_a_write_back_names_a_line_that_has_money(changes: dict[str, Any], field: str) -> None:
    story, case = g.lost_parcel()
    g.refunded(story, case)
    with pytest.raises(InvalidCommand) as refused:
        story.do(c.WriteBack(exception_id=case, **changes))
    assert field in refused.value.metadata["fields"]


def test_a_case_without_money_is_written_back_as_none() -> None:
    story, case = g.lost_parcel()
    with pytest.raises(InvalidCommand):
        story.do(c.WriteBack(exception_id=case, logistics_line="L1"))
    story.do(c.WriteBack(exception_id=case, none=True))


# --- withdraw and merge -------------------------------------------------------------------------


def test_a_case_with_money_is_never_withdrawn_even_when_it_came_to_zero() -> None:
    story, case = g.lost_parcel()
    action = g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    story.do(c.CancelAction(exception_id=case, action_id=action))
    assert story.case(case).balances == {}
    with pytest.raises(MoneyPosted):
        story.do(c.Withdraw(exception_id=case, resolution="FALSE_ALARM"))


def test_a_withdrawn_case_reopens_in_its_next_episode() -> None:
    story, case = g.lost_parcel()
    story.do(c.StartWaiting(exception_id=case, party="carrier"))
    story.do(c.Withdraw(exception_id=case, resolution="RESUMED"))
    assert story.case(case).waiting_on == ""
    story.do(c.Reopen(exception_id=case, reason="stalls again"))
    assert (story.case(case).state, story.case(case).episode) == ("escalated", 2)


def test_a_duplicate_merges_into_a_case_of_the_same_order_which_takes_its_sources() -> None:
    story, case = g.lost_parcel()
    into = g.detected(story, "WRONG_ITEM")
    story.do(c.Merge(exception_id=case, into=into))
    assert (story.case(case).state, story.case(case).merged_into) == ("merged", into)
    assert story.case(into).merged_from == (case,)
    assert len(story.case(into).sources) == 2
    story.do(c.AddNote(exception_id=case, text="the story goes on elsewhere"))
    with pytest.raises(IllegalMove):
        story.do(c.Reopen(exception_id=case, reason="x"))


def test_a_merge_across_orders_into_itself_or_into_a_closed_case_is_refused() -> None:
    story, case = g.lost_parcel()
    other = g.detected(story, subject=Subject(order_id="O2", shipment_code="S9"))
    closed = g.detected(story, "WRONG_ITEM")
    story.do(c.Withdraw(exception_id=closed, resolution="FALSE_ALARM"))
    for into in (case, other, closed):
        with pytest.raises(MergeRefused):
            story.do(c.Merge(exception_id=case, into=into))
    with pytest.raises(ExceptionNotFound):
        story.do(c.Merge(exception_id=case, into="nobody"))


@pytest.mark.parametrize("move", ["withdraw", "merge"])
def test_a_carried_item_holds_a_case_from_being_withdrawn_or_merged(move: str) -> None:
    story, case = g.lost_parcel()
    g.explained(story, case)
    item = f"action:{g.submitted(story, case, 'carrier_penalty')}"
    for actor in ("ann", "bob"):
        story.do(carry(case, item), actor=actor)
    other = g.detected(story, "WRONG_ITEM")
    commands: dict[str, c.Command] = {
        "withdraw": c.Withdraw(exception_id=case, resolution="RESUMED"),
        "merge": c.Merge(exception_id=case, into=other),
    }
    with pytest.raises(OpenItemsRemain) as refused:
        story.do(commands[move])
    assert refused.value.metadata == {"items": item}


def test_lines_of_different_invoices_have_nothing_in_common_to_merge_on() -> None:
    story = Story()
    lines = [InvoiceLine(carrier="sf", number="1", line=line) for line in ("1", "2")]
    codes = ("WEIGHT_DISPUTE", "WEIGHT_DISPUTE", "BILLING_DISPUTE")
    cases = [
        g.detected(story, code, subject=Subject(invoice_line=line), none_yet_looked_at="")
        for code, line in zip(codes, (*lines, lines[0]), strict=True)
    ]
    with pytest.raises(MergeRefused):
        story.do(c.Merge(exception_id=cases[0], into=cases[1]))
    story.do(c.Merge(exception_id=cases[0], into=cases[2]))
    assert story.case(cases[0]).merged_into == cases[2]


def test_an_older_case_is_not_reopened_beside_a_newer_one_of_the_same_trouble() -> None:
    story, case = g.lost_parcel()
    g.explained(story, case)
    g.remediated(story, case)
    story.do(c.Reconcile(exception_id=case))
    newer = g.detected(story)
    reopen = c.Reopen(exception_id=case, reason="x")
    with pytest.raises(IllegalMove, match=f"case {newer} is escalated"):
        story.do(reopen)
    story.do(c.Withdraw(exception_id=newer, resolution="RESUMED"))
    story.do(reopen)
    with pytest.raises(IllegalMove, match=f"case {case} is escalated"):
        story.do(c.Reopen(exception_id=newer, reason="x"))
    assert g.detected(story) == case


def test_reopening_takes_carries_and_the_resolution_back() -> None:
    story, case, item = with_open_claim()
    for actor in ("ann", "bob"):
        story.do(carry(case, item), actor=actor)
    story.do(c.Reconcile(exception_id=case))
    story.do(c.Reopen(exception_id=case, reason="the parcel came back"))
    reopened = story.case(case)
    assert (reopened.carries, reopened.resolution, reopened.customer_resolved_at) == ((), "", "")
    assert (reopened.owner, reopened.level) == ("queue:task_force", 3)


# --- etags and strangers --------------------------------------------------------------------------


def test_a_stale_etag_is_refused_with_the_current_one() -> None:
    story, case = g.lost_parcel()
    version = story.states[story.case(case).id][0]
    note = c.AddNote(exception_id=case, text="x")
    story.do(note, etag=etag(version))
    with pytest.raises(StaleEtag) as refused:
        story.do(note, etag=etag(version))
    assert refused.value.metadata == {"given": etag(version), "current": etag(version + 1)}


@pytest.mark.parametrize(
    "command",
    [g.record_order(source_id="more"), g.money("settled", "m1", 100)],
    ids=["more_of_the_order", "money"],
)
def test_a_stale_etag_of_an_order_is_refused(command: c.Command) -> None:
    story, _ = g.lost_parcel()
    version = story.states[story.order().id][0]
    with pytest.raises(StaleEtag) as refused:
        story.do(command, etag=etag(version + 1))
    assert refused.value.metadata["current"] == etag(version)


@pytest.mark.parametrize("case", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_case_that_is_not_there_is_not_found(case: str) -> None:
    with pytest.raises(ExceptionNotFound):
        Story().do(c.AddNote(exception_id=case, text="x"))


def test_another_tenants_case_is_as_if_it_did_not_exist() -> None:
    story, case = g.lost_parcel()
    stranger = Story("t2")
    stranger.states.update(story.states)
    with pytest.raises(ExceptionNotFound):
        stranger.do(c.AddNote(exception_id=case, text="x"))
