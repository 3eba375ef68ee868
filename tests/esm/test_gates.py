"""The gates: nothing open is closed (A), nothing hangs in the air (B), nothing is promised (C)."""

import pytest

from esm import commands as c
from esm.errors import ChecklistIncomplete, InvalidCommand, OpenItemsRemain
from esm.events import Subject
from esm.exception.gates import open_items
from esm.exception.state import OpenItem
from tests.esm import given as g
from tests.esm.story import Story


def opened(story: Story, case: str) -> dict[str, OpenItem]:
    return {i.ref: i for i in open_items(story.case(case), story.catalogue)}


# --- A ----------------------------------------------------------------------------------------


def test_a_control_account_that_is_not_zero_blocks_reconcile_with_its_item_and_amount() -> None:
    story, case = g.lost_parcel()
    g.explained(story, case)
    action = g.submitted(story, case, "claim", amount=g.cny(6000), counterparty="sf")
    g.outcome(story, case, action, "claim_approved", amount=g.cny(6000))
    g.remediated(story, case)
    with pytest.raises(OpenItemsRemain) as refused:
        story.do(c.Reconcile(exception_id=case))
    assert refused.value.metadata == {"items": f"action:{action},write_back:"}
    item = opened(story, case)[f"action:{action}"]
    assert (item.kind, item.amount) == ("balance", 6000)
    assert item.what == "account 1110 stands at 6000 minor units; action claim is submitted"


def test_an_accrued_charge_without_its_invoice_is_open() -> None:
    story, case = g.lost_parcel()
    charge = c.RecordCarrierCharge(
        exception_id=case, logistics_line="L1", kind="storage", step="accrued", net=g.cny(800)
    )
    story.do(charge)
    assert opened(story, case)["logistics:L1"].amount == 800
    assert "write_back:L1" in opened(story, case)


def test_money_after_a_write_back_asks_for_another() -> None:
    story, case = g.lost_parcel()
    g.refunded(story, case)
    story.do(c.WriteBack(exception_id=case, logistics_line="L1"))
    assert opened(story, case) == {}
    for step in ("accrued", "invoiced"):
        story.do(
            c.RecordCarrierCharge(
                exception_id=case,
                logistics_line="L1",
                kind="storage",
                step=step,
                net=g.cny(800),
                carrier="sf",
                invoice="I1",
            )
        )
    assert set(opened(story, case)) == {"write_back:L1"}
    story.do(c.WriteBack(exception_id=case, logistics_line="L1"))
    assert opened(story, case) == {}


def test_a_case_without_money_reconciles_with_write_back_none() -> None:
    story, case = g.lost_parcel()
    g.explained(story, case)
    g.remediated(story, case)
    (event,) = story.do(c.Reconcile(exception_id=case))
    assert getattr(event, "write_back", ()) == ("none",)


def test_a_running_action_without_money_is_an_open_item() -> None:
    story, case = g.lost_parcel()
    action = g.submitted(story, case, "carrier_penalty")
    item = opened(story, case)[f"action:{action}"]
    assert (item.kind, item.amount) == ("action", 0)


@pytest.mark.parametrize("move", ["withdraw", "merge"])
def test_withdraw_and_merge_are_refused_while_something_is_open(move: str) -> None:
    story, case = g.lost_parcel()
    g.submitted(story, case, "redeliver")
    other = g.detected(story, "WRONG_ITEM")
    commands: dict[str, c.Command] = {
        "withdraw": c.Withdraw(exception_id=case, resolution="RESUMED"),
        "merge": c.Merge(exception_id=case, into=other),
    }
    with pytest.raises(OpenItemsRemain) as refused:
        story.do(commands[move])
    assert refused.value.message.startswith(f"{move} is refused")


def test_only_control_accounts_keep_a_case_open() -> None:
    story, case = g.lost_parcel()
    action = g.submitted(story, case, "coupon", amount=g.cny(1000))
    g.outcome(story, case, action, "succeeded")
    assert story.case(case).balances["2020", f"action:{action}"] == -600
    assert set(opened(story, case)) == {"write_back:"}


# --- B ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "field"),
    [
        ({"cause_event_ids": ()}, "cause_event_ids"),
        ({"cause_event_ids": ("someone-elses",)}, "cause_event_ids"),
        ({"shipment_code": ""}, "shipment_code"),
        ({"logistics_line": ""}, "logistics_line"),
        ({"logistics_line": "L2"}, "logistics_line"),
        ({"lines": (c.RefundLine(sale_line="9"),)}, "lines[0].sale_line"),
        ({"lines": (c.RefundLine(sale_line="1"), c.RefundLine(sale_line="1"))}, "lines"),
    ],
)
def test_a_refund_names_line_event_parcel_and_billing_line(
    missing: dict[str, object], field: str
) -> None:
    story, case = g.lost_parcel()
    with pytest.raises(InvalidCommand) as refused:
        g.proposed(story, case, "full_refund", **g.refund_terms(story, case, **missing))
    assert field in refused.value.metadata["fields"].split(",")


def test_a_refund_for_a_parcel_names_that_parcel_and_no_other_of_the_order() -> None:
    story, case = g.lost_parcel()
    terms = g.refund_terms(story, case, shipment_code="S2", logistics_line="L2")
    with pytest.raises(InvalidCommand) as refused:
        g.proposed(story, case, "full_refund", **terms)
    assert refused.value.metadata["fields"] == "shipment_code"


def test_a_refund_for_a_parcel_waits_for_its_billing_line() -> None:
    story, case = g.lost_parcel(logistics_lines=())
    with pytest.raises(InvalidCommand) as refused:
        g.proposed(story, case, "full_refund", **g.refund_terms(story, case))
    assert refused.value.metadata["fields"] == "logistics_line"
    line = c.LogisticsLineInput(line_id="L1", shipment_code="S1", carrier="sf")
    story.do(g.record_order(source_id="2", sale_lines=(), tenders=(), logistics_lines=(line,)))
    g.proposed(story, case, "full_refund", **g.refund_terms(story, case))


def test_a_refund_of_an_order_s_case_may_name_any_parcel_of_the_order() -> None:
    story = Story()
    story.do(g.record_order())
    case = g.detected(story, "PLATFORM_COMPLAINT")
    g.verified(story, case)
    terms = g.refund_terms(story, case, shipment_code="S2", logistics_line="L2")
    assert g.proposed(story, case, "full_refund", **terms)


def test_before_a_parcel_exists_a_refund_needs_no_billing_line() -> None:
    story = Story()
    story.do(g.record_order(logistics_lines=()))
    case = g.detected(
        story,
        "STOCK_OUT",
        subject=Subject(order_id="O1"),
        failing_check="stock",
        none_yet_looked_at="",
    )
    g.verified(story, case)
    cause = (story.first_event_id(case),)
    assert g.approved(story, case, "full_refund", cause_event_ids=cause)


# --- C ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        "full_refund",
        "partial_refund",
        "shipping_refund",
        "cash_compensation",
        "coupon",
        "reship",
        "exchange_advance",
        "exchange_keep",
        "exchange_return_first",
    ],
)
def test_nothing_with_money_is_promised_before_the_checklist_is_complete(kind: str) -> None:
    story = Story()
    story.do(g.record_order())
    case = g.detected(story)
    assert story.catalogue.remedy(kind).promise
    story.do(c.RecordVerification(exception_id=case, item="order_facts"))
    with pytest.raises(ChecklistIncomplete) as refused:
        story.do(c.ProposeAction(exception_id=case, kind=kind))
    assert refused.value.metadata == {"missing": "last_event_and_path,carrier_contact"}


def test_an_item_that_cannot_be_known_counts_with_its_finding() -> None:
    story = Story()
    story.do(g.record_order())
    case = g.detected(story)
    for item in ("order_facts", "last_event_and_path"):
        story.do(c.RecordVerification(exception_id=case, item=item))
    unknown = c.RecordVerification(
        exception_id=case, item="carrier_contact", result="not_obtainable"
    )
    with pytest.raises(InvalidCommand):
        story.do(unknown)
    story.do(
        c.RecordVerification(
            exception_id=case,
            item="carrier_contact",
            result="not_obtainable",
            finding="nobody answers",
        )
    )
    assert g.refunded(story, case)


def test_a_stronger_code_asks_for_its_own_checklist_before_approval() -> None:
    story = Story()
    story.do(g.record_order())
    case = g.detected(story, "TRACKING_STALLED")
    g.verified(story, case)
    action = g.proposed(story, case, "full_refund", **g.refund_terms(story, case))
    story.do(c.Reclassify(exception_id=case, code="LOST", reason="the carrier says so"))
    with pytest.raises(ChecklistIncomplete):
        story.do(c.ApproveAction(exception_id=case, action_id=action))


def test_raising_the_level_by_hand_needs_the_last_event_and_path() -> None:
    story = Story()
    case = g.detected(story, "TRACKING_STALLED")
    with pytest.raises(ChecklistIncomplete) as refused:
        story.do(c.Escalate(exception_id=case, level=2, reason="urgent"))
    assert refused.value.metadata == {"missing": "last_event_and_path"}
    story.do(c.RecordVerification(exception_id=case, item="last_event_and_path"))
    story.do(c.Escalate(exception_id=case, level=2, reason="urgent"))
    story.do(c.Escalate(exception_id=case, level=1, reason="calm again"))
    assert story.case(case).level == 1


def test_asking_the_carrier_needs_the_last_event_and_path() -> None:
    story = Story()
    case = g.detected(story, "REFUSED")
    with pytest.raises(ChecklistIncomplete):
        g.proposed(story, case, "redeliver")
    g.proposed(story, case, "explain_only")
