"""Sequences written by hand, so that every RPC, outcome and refusal of the API is met."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from server.client import Json
from server.consistency import Tokens
from tests.properties.world import GROSS, LOOKED, ORDER, World, cny, detection, order

FAR_POSITION = 2**40
IMPATIENT_SECONDS = 0.5


def acted(world: World, number: int, kind: str, **terms: object) -> tuple[Json, str]:
    """An action proposed, approved and submitted; gives what its outcome names, and its id."""
    about = {"exception_id": world.case(number)["exception_id"]}
    case = world.must("ProposeAction", {**about, "kind": kind, **terms})
    action = case["actions"][-1]["action_id"]
    step = {**about, "action_id": action}
    world.must("ApproveAction", step, "bob")
    world.must("SubmitAction", step)
    return step, action


def told(world: World, step: Json, outcome: str, **fields: object) -> Json:
    """Record an outcome that must be taken."""
    request = {**step, "outcome": f"ACTION_OUTCOME_{outcome}", **fields}
    return world.must("RecordActionOutcome", request)


def claims(world: World) -> None:
    """A claim partly approved, paid and denied; another given up by two persons."""
    world.begin()
    terms = {"amount": cny(6000), "counterparty": "sf", "logistics_line": "L1"}
    step, _ = acted(world, 0, "claim", **terms)
    told(world, step, "ACKNOWLEDGED")
    told(world, step, "CLAIM_APPROVED", amount=cny(4000))
    told(world, step, "CLAIM_DENIED")
    told(world, step, "CLAIM_PAID", amount=cny(3900), fee=cny(100), account="1010")
    step, _ = acted(world, 0, "claim", **terms)
    told(world, step, "CLAIM_APPROVED", amount=cny(6000))
    write_off = {**step, "reason": "insolvent"}
    world.must("WriteOffAction", write_off)
    assert world.refused("WriteOffAction", write_off) == "SECOND_PERSON_REQUIRED"
    world.must("WriteOffAction", write_off, "bob")
    assert world.refused("CancelAction", step) == "ILLEGAL_ACTION_MOVE"


def coupons_and_reshipments(world: World) -> None:
    """Coupons used, revoked and expired; a reshipment that left; one that was cancelled."""
    world.begin()
    for end in ("USED", "REVOKED", "EXPIRED"):
        step, _ = acted(world, 0, "coupon", amount=cny(1000), logistics_line="L1")
        told(world, step, "SUCCEEDED")
        told(world, step, f"COUPON_{end}")
    costs = {"goods_cost": cny(6000), "freight": cny(800)}
    step, _ = acted(world, 0, "reship", **costs, logistics_line="L2")
    told(world, step, "DISPATCHED", **costs, logistics_line="L2", shipment_code="S2")
    told(world, step, "SUCCEEDED")
    step, _ = acted(world, 0, "reship", **costs)
    told(world, step, "FAILED")
    world.must("CancelAction", {**step, "reason": "found"})


def refunds(world: World) -> None:
    """Refund, reversal, over-refund, dispute, and closing with what is carried."""
    world.begin()
    case = world.case(0)
    about = {"exception_id": case["exception_id"]}
    line = {"lines": [{"sale_line": "1", "amount": cny(3000)}]}
    terms = world.refund_terms(case)
    step, _ = acted(world, 0, "partial_refund", **terms, **line)
    approval = world.case(0)["entries"][0]["event_id"]
    reverse: Json = {**about, "event_id": approval, "reason": "wrong"}
    uneven = {"legs": [{"leg": 0, "amount": cny(10)}]}
    assert world.refused("ReverseEntry", {**reverse, **uneven}) == "UNBALANCED_ENTRY"
    world.must("ReverseEntry", reverse)
    reversal = world.case(0)["entries"][-1]["event_id"]
    told(world, step, "FAILED")
    world.must("CancelAction", {**step, "reason": "reversed"})
    step, _ = acted(world, 0, "partial_refund", **terms, **line)
    paid = told(world, step, "SUCCEEDED", account="1025", external_id="e1")["entries"][-1]
    stands = {**reverse, "event_id": paid["event_id"]}
    assert world.refused("ReverseEntry", stands) == "REVERSAL_REFUSED"
    assert world.refused("ReverseEntry", {**reverse, "event_id": reversal}) == "REVERSAL_REFUSED"
    assert world.refused("ReverseEntry", {**reverse, "event_id": "x"}) == "ENTRY_NOT_FOUND"
    over = {"lines": [{"sale_line": "1", "amount": cny(GROSS)}]}
    propose = {**about, "kind": "partial_refund", **terms, **over}
    assert world.refused("ProposeAction", propose) == "AMOUNT_EXCEEDS_AVAILABLE"
    waiting = world.must("ProposeAction", {**about, "kind": "shipping_refund", **terms})
    money = {"order_id": ORDER, "provider": "visa", "external_id": "d1", "account": "1020"}
    opened = {**money, "kind": "chargeback_opened", "amount": cny(500)}
    world.must("RecordExternalMoney", opened)
    approve = {**about, "action_id": waiting["actions"][-1]["action_id"]}
    assert world.refused("ApproveAction", approve) == "DISPUTE_OPEN"
    world.must("RecordExternalMoney", {**opened, "kind": "chargeback_won"})
    closing(world, about)


def closing(world: World, about: Json) -> None:
    """Everything that stands between a case and its end."""
    world.must("CancelAction", {**about, "action_id": world.case(0)["actions"][-1]["action_id"]})
    remediate = {**about, "resolution": "EXPLAINED", "summary": "told"}
    step, _ = acted(world, 0, "explain_only")
    assert world.refused("RemediateException", remediate) == "ACTIONS_UNFINISHED"
    told(world, step, "SUCCEEDED")
    withdraw = {**about, "resolution": "FALSE_ALARM"}
    assert world.refused("WithdrawException", withdraw) == "MONEY_POSTED"
    world.must("RemediateException", remediate)
    assert world.refused("ReconcileException", about) == "OPEN_ITEMS_REMAIN"
    world.must("WriteBack", {**about, "logistics_line": "L1"})
    carry = {**about, "reason": "slow", "owner": "fin", "due": "2099-12-31"}
    for item in world.case(0).get("open_items", []):
        for actor in ("ann", "bob"):
            world.must("CarryItem", {**carry, "item": item["item"]}, actor)
    world.must("ReconcileException", about)
    assert world.refused("StartWaiting", {**about, "party": "carrier"}) == "ILLEGAL_MOVE"
    world.must("ReopenException", {**about, "reason": "found"})


def handling(world: World) -> None:
    """The work on a case, merge and withdrawal."""
    world.begin(verified=False)
    about = {"exception_id": world.case(0)["exception_id"]}
    other = {"exception_id": world.case(1)["exception_id"]}
    coupon = {**about, "kind": "coupon", "amount": cny(1)}
    assert world.refused("ProposeAction", coupon) == "CHECKLIST_INCOMPLETE"
    level = {"level": "RESPONSE_LEVEL_1", "reason": "calm"}
    world.must("EscalateException", {**about, **level})
    world.must("AssignException", {**about, "owner": "eve", "team": "finance"})
    world.must("ReclassifyException", {**about, "code": "STOLEN", "reason": "seen"})
    world.must("AddNote", {**about, "text": "x"})
    world.must("RecordContact", {**about, "party": "carrier"})
    world.must("StartWaiting", {**about, "party": "carrier"})
    world.must("StopWaiting", about)
    charge = {**about, "logistics_line": "L1", "kind": "storage", "step": "accrued"}
    reasons = world.do_all(
        "RecordCarrierCharges", "charges", [{**charge, "net": cny(9)}, {**charge, "net": cny(-9)}]
    )
    assert reasons == ["", "INVALID_COMMAND"]
    assert world.refused("MergeExceptions", {**about, "into": about["exception_id"]})
    world.must("DetectException", detection("LOST"))
    world.must("MergeExceptions", {**other, "into": about["exception_id"]})
    world.must("DetectException", detection("DELIVERY_FAILED"))
    third = {"exception_id": world.case(2)["exception_id"]}
    world.must("WithdrawException", {**third, "resolution": "FALSE_ALARM"})


def strangers(world: World) -> None:
    """What is not there, stale, used before, damaged or in the future."""
    world.begin(verified=False)
    about = {"exception_id": world.case(0)["exception_id"]}
    note = {**about, "text": "x"}
    assert world.refused("AddNote", {**note, "exception_id": "x"}) == "EXCEPTION_NOT_FOUND"
    assert world.refused("GetOrder", {"order_id": "O9"}) == "ORDER_NOT_FOUND"
    assert world.refused("ApproveAction", {**about, "action_id": "A9"}) == "ACTION_NOT_FOUND"
    assert world.refused("GetTicket", {"exception_id": LOOKED}) in (
        "NOT_FOUND",
        "EXCEPTION_NOT_FOUND",
    )
    assert world.refused("GetEntry", {"event_id": "x"}) == "NOT_FOUND"
    assert world.refused("AddNote", {**note, "etag": "1"}) == "STALE_ETAG"
    world.must("AddNote", {**note, "request_id": "mine"})
    again = {**note, "text": "y", "request_id": "mine"}
    assert world.refused("AddNote", again) == "REQUEST_ID_REUSED"
    assert world.refused("GetOrder", {"order_id": ORDER, "min_position": "x"}) == "TOKEN_REFUSED"
    status = world.call("GetStatus", {})
    ahead = {"order_id": ORDER, "min_position": Tokens(status["store_id"]).position(FAR_POSITION)}
    assert world.refused("GetOrder", ahead, seconds=IMPATIENT_SECONDS) == "NOT_CAUGHT_UP"


def reading(world: World) -> None:
    """Every read, and both streams."""
    world.begin()
    about = {"exception_id": world.case(0)["exception_id"]}
    step, _ = acted(world, 0, "full_refund", **world.refund_terms(world.case(0)))
    case = told(world, step, "SUCCEEDED", account="1020", external_id="e1")
    here = {"min_position": world.position}
    world.call("GetTicket", {**about, **here})
    world.call("ListTickets", here)
    world.call("CountTickets", {"by": "TICKET_PROPERTY_STATE", **here})
    world.call("ListAccounts", here)
    world.call("GetEntry", {"event_id": case["entries"][0]["event_id"], **here})
    world.call("GetAccountStatement", {"account": "1020", **here})
    world.call("GetOrderStatement", {"order_id": ORDER, **here})
    for rpc in ("WatchTickets", "SubscribeEvents"):
        assert next(world.client.stream(rpc, {}, seconds=10))
        world.seen.rpcs[rpc] += 1


def outside_money(world: World) -> None:
    """Facts of every kind, some above what the order has left."""
    world.begin(recognised=False)
    about = {"exception_id": world.case(0)["exception_id"]}
    money: Json = {"order_id": ORDER, "provider": "p", "account": "1020"}
    for number, kind in enumerate(
        ("payment_captured", "payout", "wallet_deduction", "provider_refund", "platform_refund")
    ):
        fact = {**money, "kind": kind, "external_id": str(number), "amount": cny(9000), **about}
        world.must("RecordExternalMoney", fact)
    lost = {**money, "kind": "chargeback_lost", "external_id": "9", "amount": cny(9000)}
    world.must("RecordExternalMoney", lost)
    dispute = next(c for c in world.cases.values() if c["code"] == "REFUND_DISPUTE")
    paid = {**money, "kind": "customer_payment", "external_id": "10", "amount": cny(100)}
    world.must("RecordExternalMoney", {**paid, "exception_id": dispute["exception_id"]})
    world.do_all("RecordOrders", "orders", [order("O2"), order("O2")])


def watching(world: World) -> None:
    """A parcel that is watched, a rule that is muted for it, and what comes due."""
    world.begin(verified=False)
    world.must("AddNote", {"exception_id": world.case(0)["exception_id"], "text": "watched"})
    shipment: Json = {"order_id": ORDER, "shipment_code": "S9", "numbers": [{"number": "SF9"}]}
    world.call("RegisterShipments", {"shipments": [shipment]})
    scan = {"feed": "wms", "number": "SF9", "status": "in_transit", "occurred_at": LOOKED}
    world.call("RecordCheckpoints", {"checkpoints": [{**scan, "source_id": "1"}]})
    facts = {"checkpoints": [{**scan, "source_id": "2"}]}
    assert next(world.client.stream("StreamCheckpoints", facts, seconds=10))["results"]
    world.seen.rpcs["StreamCheckpoints"] += 1
    assert len(world.call("GetShipment", {"shipment_code": "S9"})["timeline"]) == 2
    world.call("ListWatched", {"order_id": ORDER})
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    mute = {"rule": "NODE_STUCK", "order_id": ORDER, "until": until, "reason": "x"}
    answer = world.call("MuteRule", mute)
    world.call("ListDeadlines", {"min_position": answer["position"]})
    advance = {"to": "2026-01-01T00:00:00Z"}
    assert world.refused("AdvanceClock", advance) == "NOT_A_FEED_CLOCK"


SCRIPTS: tuple[Callable[[World], None], ...] = (
    claims,
    coupons_and_reshipments,
    refunds,
    handling,
    strangers,
    reading,
    outside_money,
    watching,
)
