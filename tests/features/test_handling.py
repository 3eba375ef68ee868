"""The work on a case: its log, its end, its actions (rows C3, C34, D10, D21)."""

import json

from shipment_exception.v1.exception_pb2 import (
    ACTION_STATUS_FAILED,
    ACTION_STATUS_SUBMITTED,
    ACTION_STATUS_SUCCEEDED,
    ShipmentException,
)

from tests.features.refusals import refused
from tests.scenarios.driver import World, money


def lost(world: World) -> str:
    """An order whose parcel is lost, verified."""
    world.record_order()
    case = world.detect("LOST")
    world.verify(case)
    return case


def test_the_handling_log_says_who_what_when_before_after_and_the_reply(world: World) -> None:
    """C3."""
    case = world.detect("TRACKING_STALLED", actor="system")
    world.do("AssignException", case, owner="carol", actor="boss")
    world.do(
        "RecordContact",
        case,
        party="customer",
        channel="phone",
        reached=True,
        summary="will wait until Friday",
        actor="carol",
    )
    world.do("AddNote", case, text="carrier desk informed", actor="carol")
    world.verify(case, "last_event_and_path")
    world.do("EscalateException", case, level=2, reason="second week", actor="carol")
    log = world.events(case)
    assert [(event.topic.split(".")[1], event.actor) for event in log] == [
        ("detected", "system"),
        ("escalated", "system"),
        ("assigned", "boss"),
        ("contact_recorded", "carol"),
        ("note_added", "carol"),
        ("verified", "ann"),
        ("escalated", "carol"),
    ]
    assert all(e.HasField("occurred") and e.HasField("recorded") for e in log)
    facts = [json.loads(event.payload) for event in log]
    assert (facts[2]["from_owner"], facts[2]["owner"]) == ("queue:support", "carol")
    assert (facts[3]["party"], facts[3]["reached"]) == ("customer", True)
    assert (facts[6]["from_level"], facts[6]["level"]) == (1, 2)
    assert all("box" in facts[i][name] for i, name in ((3, "summary"), (4, "text")))


def test_a_running_claim_does_not_hold_up_the_customers_end(world: World) -> None:
    """C34."""
    case = lost(world)
    world.refund(case)
    claim = world.act(case, "claim", amount=money("60"), counterparty="sf", logistics_line="L1")
    world.remediate(case, "REFUNDED")
    now = world.case(case)
    assert now.state == ShipmentException.STATE_REMEDIATED
    told = world.events(case)[-1]
    assert now.customer_resolved_at == told.occurred
    assert now.actions[-1].status == ACTION_STATUS_SUBMITTED
    world.outcome(case, claim, "claim_approved", amount=money("60"))
    world.outcome(case, claim, "claim_paid", amount=money("60"), account="1010")
    later = world.case(case)
    assert later.state == ShipmentException.STATE_REMEDIATED
    assert later.customer_resolved_at == now.customer_resolved_at


def test_an_action_for_the_customer_holds_it_up(world: World) -> None:
    """C34."""
    case = lost(world)
    world.act(case, "explain_only")
    with refused("FAILED_PRECONDITION", "ACTIONS_UNFINISHED"):
        world.remediate(case, "EXPLAINED")


def test_a_refund_names_line_cause_parcel_and_billing_line(world: World) -> None:
    """D10."""
    case = lost(world)
    terms = world.refund_terms(case)
    for missing in ("cause_event_ids", "shipment_code", "logistics_line"):
        with refused("INVALID_ARGUMENT", "INVALID_COMMAND", missing):
            rest = {name: value for name, value in terms.items() if name != missing}
            world.propose(case, "full_refund", **rest)
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "lines"):
        world.propose(case, "partial_refund", **terms)
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "cause_event_ids"):
        world.propose(case, "full_refund", **{**terms, "cause_event_ids": ["no-event"]})
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "logistics_line"):
        world.propose(case, "full_refund", **{**terms, "logistics_line": "L2"})
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "lines[0].sale_line"):
        world.propose(case, "full_refund", **world.refund_terms(case, {"99": "1"}))
    assert world.case(case).actions == []
    action = world.propose(case, "full_refund", **terms)
    (proposed,) = world.case(case).actions
    assert proposed.action_id == action
    assert [line.sale_line for line in proposed.lines] == ["1"]
    assert list(proposed.cause_event_ids) == list(terms["cause_event_ids"])


def test_before_there_is_a_parcel_a_refund_needs_neither_code_nor_billing_line(
    world: World,
) -> None:
    """D10."""
    world.record_order(recognised=False, parcels={})
    case = world.detect("STOCK_OUT", parcel="", failing_check="stock")
    world.verify(case)
    cause = world.events(case)[0].event_id
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "cause_event_ids"):
        world.propose(case, "full_refund")
    action = world.propose(case, "full_refund", cause_event_ids=[cause])
    world.do("ApproveAction", case, action_id=action)
    assert world.book() == ["R2: 2090 124.30 / 2010 124.30"]


def test_closing_needs_a_resolution_code_and_a_summary(world: World) -> None:
    """D21."""
    case = lost(world)
    refund = world.refund(case)
    failed = world.act(case, "coupon", amount=money("5"))
    world.outcome(case, failed, "failed", note="no such account")
    for resolution, summary, field in (
        ("", "told", "resolution"),
        ("MADE_UP", "told", "resolution"),
        ("RESUMED", "told", "resolution"),
        ("REFUNDED", "", "summary"),
    ):
        with refused("INVALID_ARGUMENT", "INVALID_COMMAND", field):
            world.do("RemediateException", case, resolution=resolution, summary=summary)
    world.remediate(case, "REFUNDED")
    now = world.case(case)
    assert (now.resolution, now.summary) == ("REFUNDED", "told the customer")
    assert [(a.action_id, a.kind, a.status, a.amount) for a in now.actions] == [
        (refund, "full_refund", ACTION_STATUS_SUCCEEDED, money("124.30")),
        (failed, "coupon", ACTION_STATUS_FAILED, money("5")),
    ]
