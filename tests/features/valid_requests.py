"""A valid request for every unary method of the server, with the state that it needs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from shipment_exception.v1 import tracking_service_pb2 as tracking_pb

from server.clock import Clock
from tests.scenarios.driver import LOOKED_AT, World, money

Body = dict[str, Any]
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
CNY_10 = {"currency": "CNY", "minor_units": "1000"}


def lost(world: World, order: str = "O1") -> str:
    """An order whose parcel is lost, verified."""
    world.record_order(order)
    case = world.detect("LOST", order=order)
    world.verify(case)
    return case


def told(world: World) -> str:
    """A case whose customer was told the end."""
    case = lost(world)
    world.outcome(case, world.act(case, "explain_only"), "succeeded")
    world.remediate(case, "EXPLAINED")
    return case


def on_case(make: Callable[[World], str] = lost, **fields: Any) -> Callable[[World], Body]:
    """A request about a case that ``make`` leaves."""
    return lambda world: {"exception_id": make(world), **fields}


def on_action(kind: str, *, up_to: str = "proposed", **fields: Any) -> Callable[[World], Body]:
    """A request about an action of a case."""

    def body(world: World) -> Body:
        case = lost(world)
        terms = {"amount": money("10"), "counterparty": "sf"} if kind == "claim" else {}
        if up_to == "proposed":
            action = world.propose(case, kind, **terms)
        else:
            action = world.act(case, kind, **terms)
        if kind == "claim":
            world.outcome(case, action, "claim_approved", amount=money("10"))
        return {"exception_id": case, "action_id": action, **fields}

    return body


def approved_action(world: World) -> Body:
    """An action that was approved and not handed in."""
    case = lost(world)
    return {"exception_id": case, "action_id": world.approve_refund(case)}


def booked(world: World) -> tuple[str, str]:
    """A case and the event of its first entry."""
    case = lost(world)
    world.approve_refund(case)
    return case, world.entries()[0].event_id


def proposal(world: World) -> Body:
    """A refund with everything that it names."""
    case = lost(world)
    return {"exception_id": case, "kind": "full_refund", **world.refund_terms(case)}


def reversal(world: World) -> Body:
    """The reversal of an approval."""
    case, event = booked(world)
    return {"exception_id": case, "event_id": event, "reason": "entered wrong"}


def carrying(world: World) -> Body:
    """A claim that is carried."""
    case = lost(world)
    claim = world.act(case, "claim", amount=money("10"), counterparty="sf")
    return {
        "exception_id": case,
        "item": f"action:{claim}",
        "reason": "pays in May",
        "owner": "carol",
        "due": "2099-05-31",
    }


def carried(world: World) -> Body:
    """A claim that two persons carried, so that it is due."""
    body = carrying(world)
    case = str(body.pop("exception_id"))
    for actor in ("ann", "bob"):
        world.do("CarryItem", case, actor=actor, **body)
    return {"min_position": world.position}


def write_back_done(world: World) -> str:
    """A case that only needs to be reconciled."""
    case = told(world)
    world.write_back_to(case, none=True)
    return case


def merging(world: World) -> Body:
    """A duplicate and the case that stays."""
    case = lost(world)
    return {"exception_id": case, "into": world.detect("DAMAGED"), "reason": "the same"}


def detection(world: World) -> Body:
    """A person's report."""
    return MessageToDict(world.detection("LOST"), preserving_proto_field_name=True)


def orders(world: World) -> Body:
    """An order from the shop."""
    return {"orders": [MessageToDict(world.order_input(), preserving_proto_field_name=True)]}


def deduction(world: World) -> Body:
    """A penalty that a platform took."""
    world.record_order()
    return {
        "order_id": "O1",
        "kind": "wallet_deduction",
        "provider": "tmall",
        "external_id": "fine-1",
        "amount": CNY_10,
    }


def carrier_charge(world: World) -> Body:
    """A surcharge that is known."""
    return {
        "charges": [
            {
                "exception_id": lost(world),
                "logistics_line": "L1",
                "kind": "surcharge",
                "step": "accrued",
                "net": CNY_10,
            }
        ]
    }


def of_order(world: World) -> Body:
    """A read of an order with money."""
    booked(world)
    return {"order_id": "O1", "min_position": world.position}


def of_books(world: World, **fields: Any) -> Body:
    """A read of books that hold an entry."""
    booked(world)
    return {"min_position": world.position, **fields}


def of_case(world: World, **fields: Any) -> Body:
    """A read of a case."""
    return {"exception_id": lost(world), "min_position": world.position, **fields}


def shipment(world: World) -> Body:
    """A parcel that is watched from now on."""
    body = {"order_id": "O1", "shipment_code": "S1", "numbers": [{"number": "SF1"}]}
    request = ParseDict({"shipments": [body]}, tracking_pb.RegisterShipmentsRequest())
    world.send(world.client.tracking.RegisterShipments, request)
    return body


def checkpoint(world: World) -> Body:
    """What a carrier tells of it."""
    return {
        "feed": "kuaidi100",
        "source_id": "1",
        "number": shipment(world)["numbers"][0]["number"],
        "occurred_at": LOOKED_AT,
        "raw_code": "1001",
    }


EXCEPTION, ORDER, TICKET, LEDGER, HISTORY, ADMIN, TRACKING = (
    f"shipment_exception.v1.{name}Service"
    for name in ("Exception", "Order", "Ticket", "Ledger", "History", "Admin", "Tracking")
)

REQUESTS: dict[tuple[str, str], Callable[[World], Body]] = {
    (EXCEPTION, "DetectException"): detection,
    (EXCEPTION, "BatchDetectExceptions"): lambda world: {"requests": [detection(world)]},
    (EXCEPTION, "EscalateException"): on_case(level=2, reason="second week"),
    (EXCEPTION, "AssignException"): on_case(owner="carol"),
    (EXCEPTION, "ReclassifyException"): on_case(code="SUSPECTED_LOST", reason="not sure"),
    (EXCEPTION, "AddNote"): on_case(text="a note"),
    (EXCEPTION, "RecordContact"): on_case(party="customer", channel="phone", reached=True),
    (EXCEPTION, "RecordVerification"): on_case(item="order_facts"),
    (EXCEPTION, "StartWaiting"): on_case(party="customer"),
    (EXCEPTION, "StopWaiting"): on_case(),
    (EXCEPTION, "ProposeAction"): proposal,
    (EXCEPTION, "ApproveAction"): on_action("explain_only"),
    (EXCEPTION, "SubmitAction"): approved_action,
    (EXCEPTION, "RecordActionOutcome"): on_action(
        "explain_only", up_to="submitted", outcome="ACTION_OUTCOME_SUCCEEDED"
    ),
    (EXCEPTION, "CancelAction"): approved_action,
    (EXCEPTION, "WriteOffAction"): on_action("claim", up_to="submitted", reason="bankrupt"),
    (EXCEPTION, "ReverseEntry"): reversal,
    (EXCEPTION, "RemediateException"): lambda world: {
        "exception_id": remediable(world),
        "resolution": "EXPLAINED",
        "summary": "told",
    },
    (EXCEPTION, "CarryItem"): carrying,
    (EXCEPTION, "ReconcileException"): on_case(write_back_done),
    (EXCEPTION, "WithdrawException"): on_case(resolution="FALSE_ALARM", reason="no"),
    (EXCEPTION, "MergeExceptions"): merging,
    (EXCEPTION, "ReopenException"): on_case(told, reason="it came back"),
    (EXCEPTION, "MuteRule"): lambda _: {
        "rule": "TRACKING_STALLED",
        "order_id": "O1",
        "until": TOMORROW,
        "reason": "the hub is closed",
    },
    (EXCEPTION, "GetException"): of_case,
    (ORDER, "RecordOrders"): orders,
    (ORDER, "RecordExternalMoney"): deduction,
    (ORDER, "RecordCarrierCharges"): carrier_charge,
    (ORDER, "WriteBack"): on_case(told, none=True),
    (ORDER, "GetOrder"): of_order,
    (TICKET, "GetTicket"): of_case,
    (TICKET, "ListTickets"): lambda world: _without_case(of_case(world)),
    (TICKET, "CountTickets"): lambda world: {
        **_without_case(of_case(world)),
        "by": "TICKET_PROPERTY_STATE",
    },
    (TICKET, "ListDeadlines"): carried,
    (LEDGER, "ListAccounts"): of_books,
    (LEDGER, "ListEntries"): of_books,
    (LEDGER, "GetEntry"): lambda world: {
        "event_id": booked(world)[1],
        "min_position": world.position,
    },
    (LEDGER, "GetTrialBalance"): of_books,
    (LEDGER, "GetAccountStatement"): lambda world: of_books(world, account="2010"),
    (LEDGER, "GetOrderStatement"): of_order,
    (HISTORY, "ListEvents"): lambda world: _without_case(of_case(world)),
    (HISTORY, "GetExceptionAsOf"): lambda world: {"exception_id": lost(world), "version": "1"},
    (TRACKING, "RegisterShipments"): lambda world: {"shipments": [shipment(world)]},
    (TRACKING, "RecordCheckpoints"): lambda world: {"checkpoints": [checkpoint(world)]},
    (TRACKING, "GetShipment"): lambda world: {"shipment_code": shipment(world)["shipment_code"]},
    (TRACKING, "ListWatched"): lambda world: {"order_id": shipment(world)["order_id"]},
    (ADMIN, "AdvanceClock"): lambda _: {"to": Clock().now()},
    (ADMIN, "GetStatus"): lambda _: {},
    ("grpc.health.v1.Health", "Check"): lambda _: {"service": EXCEPTION},
    ("grpc.health.v1.Health", "List"): lambda _: {},
}
"""(service, method) -> what leaves the needed state and gives the request."""


def remediable(world: World) -> str:
    """A case whose customer only needs to be told."""
    case = lost(world)
    world.outcome(case, world.act(case, "explain_only"), "succeeded")
    return case


def plain(body: Body) -> Body:
    """The request as JSON would hold it, messages inside included."""

    def written(value: Any) -> Any:
        return MessageToDict(value, preserving_proto_field_name=True)

    found: Body = json.loads(json.dumps(body, default=written))
    return found


def _without_case(body: Body) -> Body:
    return {name: value for name, value in body.items() if name != "exception_id"}
