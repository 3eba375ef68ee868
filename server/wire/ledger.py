"""Accounts, entries and statements as the API shows them, and the entries of a preview."""

from __future__ import annotations

from uuid import UUID

from shipment_exception.v1 import ledger_pb2 as pb

from esm.events import Entry, Event, Leg
from esm.ids import event_id
from projections.ledger.view import (
    Account,
    Balance,
    JournalEntry,
    Line,
    NetCost,
    StatementLine,
)
from server.wire.answers import Answer, Frame, Wire

_LINE = Answer(pb.EntryLine, Line)

_ENTRY = Answer(pb.JournalEntry, JournalEntry, currency="currency", parts=[_LINE])

_STATEMENT_LINE = Answer(
    pb.StatementLine, StatementLine, currency="entry.currency", zeros=True, parts=[_ENTRY, _LINE]
)

_ACCOUNT = Answer(pb.Account, Account)

_BALANCE = Answer(pb.AccountBalance, Balance, currency="currency", zeros=True)

_COST = Answer(pb.CaseCost, NetCost, currency="currency", zeros=True)

_LEG = Answer(
    pb.EntryLine,
    Leg,
    elsewhere=["index", "order_id", "episode"],
)

_PREVIEW = Answer(
    pb.JournalEntry,
    Entry,
    {
        "year": lambda entry, _: int(entry.effective[:4]),
        "lines": lambda entry, frame: [
            _leg(index, leg, entry, frame) for index, leg in enumerate(entry.legs)
        ],
    },
    elsewhere=["event_id", "position", "number", "recorded", "occurred", "topic", "actor"],
    currency="currency",
)


def account(value: Account, frame: Frame) -> Wire:
    """An account of the chart."""
    return _ACCOUNT.write(value, frame)


def entry(value: JournalEntry, frame: Frame) -> Wire:
    """An entry of the ledger with its lines."""
    return _ENTRY.write(value, frame)


def balance(value: Balance, frame: Frame) -> Wire:
    """What moved on an account."""
    return _BALANCE.write(value, frame)


def statement_line(value: StatementLine, frame: Frame) -> Wire:
    """A line of an account with the balance behind it."""
    return _STATEMENT_LINE.write(value, frame)


def cost(value: NetCost, frame: Frame) -> Wire:
    """What a case cost."""
    return _COST.write(value, frame)


def preview_entry(aggregate: UUID, version: int, event: Event, frame: Frame) -> Wire | None:
    """The entry that an event not recorded would make, None when it makes none."""
    decided: Entry | None = getattr(event, "entry", None)
    if decided is None:
        return None
    wire = _PREVIEW.write(decided, frame)
    wire["event_id"] = event_id(aggregate, version)
    wire["topic"] = event.TOPIC
    return wire


def _leg(index: int, leg: Leg, decided: Entry, frame: Frame) -> Wire:
    wire = _LEG.write(leg, frame)
    wire["index"] = index
    wire["order_id"] = decided.order_id
    wire["episode"] = decided.episode
    wire["exception_id"] = leg.exception_id or decided.exception_id
    return wire
