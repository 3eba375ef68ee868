"""Cases as the API shows them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from operator import attrgetter
from typing import Any

from shipment_exception.v1 import exception_pb2 as pb

from esm.events import Alert, Checkpoint, Source, TermLine
from esm.exception.gates import open_items
from esm.exception.reports import opened_answers
from esm.exception.state import Accrual, Action, Booked, Carry, Case, OpenItem, Verification
from esm.ids import event_id
from server.wire.answers import Answer, Frame, Make, Wire, write_money
from server.wire.kept import Kept


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


def _report_fields(source: Source, frame: Frame) -> list[Wire]:
    if source.fields is None:
        return []
    answers = opened_answers(frame.open(source.fields))
    return [{"name": name, "values": values} for name, values in answers.items()]


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

_SOURCES: Mapping[str, str | Make] = {
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
    "cleared_source_ids": "cleared",
}

_PARTS = (
    _ACTION,
    Answer(pb.Checkpoint, Checkpoint),
    Answer(
        pb.Source,
        Source,
        {"report_fields": _report_fields},
        parts=[Answer(pb.Alert, Alert, {"next_stage_at": "next_at"})],
    ),
    Answer(pb.Verification, Verification),
    Answer(pb.Carry, Carry),
    Answer(pb.Accrual, Accrual),
)


def _table(elsewhere: Collection[str]) -> Answer[Case]:
    return Answer(
        pb.ShipmentException,
        Case,
        _SOURCES,
        elsewhere=elsewhere,
        currency="currency",
        parts=_PARTS,
    )


_FIELDS = frozenset(pb.ShipmentException.DESCRIPTOR.fields_by_name) - {"etag"}

_CASE = _table({"etag"})

# An answer to a command is written in three parts: what the work on a case changes all the time,
# what persons may have said, and the rest, which stays as it is for long. Every attribute of a
# case belongs to one part, and the fields of a part are written from its own attributes only.

_WORK = frozenset({"state", "level", "team", "owner", "waiting_on"})

_SAID = frozenset({"checkpoint", "sources", "verifications", "summary"})


def _fields_of(attributes: frozenset[str]) -> frozenset[str]:
    """The fields of the message that are written from the attributes of those names."""
    return frozenset(f for f in _FIELDS if _SOURCES.get(f, f) in attributes)


def _only(fields: frozenset[str]) -> Answer[Case]:
    return _table({"etag"} | _FIELDS - fields)


_WORK_TABLE = _only(_fields_of(_WORK))

_KEPT = (
    (_only(_fields_of(_SAID)), attrgetter(*_SAID)),
    (
        _only(_FIELDS - _fields_of(_WORK | _SAID)),
        attrgetter(*(a for a in Case.__struct_fields__ if a not in _WORK | _SAID)),
    ),
)
"""The parts that are kept: their table, and what gets the attributes that they are written from."""


def case(version: int, state: Case, frame: Frame) -> Wire:
    """The resource of a case at a version."""
    wire = _CASE.write(state, frame)
    wire["etag"] = str(version)
    return wire


def fill_case(
    message: pb.ShipmentException, version: int, state: Case, frame: Frame, kept: Kept
) -> None:
    """Makes an empty message the same resource, from what was kept of it where that is right."""
    message.etag = str(version)
    for name, value in _WORK_TABLE.write(state, frame).items():
        setattr(message, name, value)
    for number, (table, attributes_of) in enumerate(_KEPT):
        key, made_from = (state.id.int, number), attributes_of(state)
        part = kept.find(key, made_from)
        if part is None:
            frame.opened = False
            part = pb.ShipmentException(**table.write(state, frame)).SerializeToString()
            if not frame.opened:
                kept.keep(key, made_from, part)
        message.MergeFromString(part)
