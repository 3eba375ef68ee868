"""Cases as the API shows them."""

from __future__ import annotations

from typing import Any

from shipment_exception.v1 import exception_pb2 as pb

from esm.events import Checkpoint, Source, TermLine
from esm.exception.gates import open_items
from esm.exception.state import Accrual, Action, Booked, Carry, Case, OpenItem, Verification
from esm.ids import event_id
from server.wire.answers import Answer, Frame, Wire, write_money


def _booked(state: Case, booked: Booked) -> Wire:
    return {
        "event_id": event_id(state.id, booked.version),
        "rows": [part.row for part in booked.entry.parts],
        "reversed": any(booked.reversed),
        "kind": booked.kind,
    }


def _agreed(action: Action, frame: Frame) -> Wire | None:
    amount = action.amount or action.terms.amount
    return write_money(amount, frame) if amount else None


def _balances(state: Case, frame: Frame) -> list[dict[str, Any]]:
    return [
        {"account": account, "item": item, "amount": write_money(amount, frame)}
        for (account, item), amount in state.balances.items()
        if amount
    ]


_LINE = Answer(pb.RefundLine, TermLine)

_ACTION = Answer(
    pb.Action,
    Action,
    {
        "lines": "terms.lines",
        "amount": _agreed,
        "goods_cost": "terms.goods_cost",
        "freight": "terms.freight",
        "shipment_code": lambda action, _: action.shipment_code or action.terms.shipment_code,
        "logistics_line": "terms.logistics_line",
        "cause_event_ids": "terms.cause_event_ids",
        "tax_document": "terms.tax_document",
        "basis": "terms.basis",
        "coupon_kind": "terms.coupon_kind",
        "restores_action_id": "terms.restores_action_id",
        "counterparty": "terms.counterparty",
    },
    currency="terms.currency",
    parts=[_LINE],
)

_OPEN_ITEM = Answer(pb.OpenItem, OpenItem, {"item": "ref"})

_CASE = Answer(
    pb.ShipmentException,
    Case,
    {
        "exception_id": "id",
        "last_checkpoint": "checkpoint",
        "none_yet_looked_at": "none_yet",
        "entries": lambda case, _: [_booked(case, booked) for booked in case.booked],
        "balances": _balances,
        "open_items": lambda case, frame: [
            _OPEN_ITEM.write(item, frame) for item in open_items(case, frame.catalogue)
        ],
        "billing_lines": lambda case, _: list(case.billing_lines),
        "written_back": lambda case, _: list(case.written_back),
    },
    elsewhere=["etag"],
    currency="currency",
    parts=[
        _ACTION,
        Answer(pb.Checkpoint, Checkpoint),
        Answer(pb.Source, Source),
        Answer(pb.Verification, Verification),
        Answer(pb.Carry, Carry),
        Answer(pb.Accrual, Accrual),
    ],
)


def case(version: int, state: Case, frame: Frame) -> Wire:
    """The resource of a case at a version."""
    wire = _CASE.write(state, frame)
    wire["etag"] = str(version)
    return wire
