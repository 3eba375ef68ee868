"""Events and journal entries as they come over the API, as plain values for audits and exports."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Json = Mapping[str, Any]
"""A message in the API's JSON form with the field names of the proto."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """A fact of the log. ``position`` is opaque; times are microseconds UTC."""

    position: str
    event_id: str
    topic: str
    version: int
    aggregate_id: str
    occurred: int
    recorded: int
    actor: str
    payload: bytes
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an entry: exactly one of debit and credit is positive, in minor units."""

    index: int
    account: str
    currency: str
    debit: int
    credit: int
    row: str
    party: str
    order_id: str
    sale_line: str
    logistics_line: str
    shipment_code: str
    exception_id: str
    episode: int
    action_id: str


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An entry of the books. ``effective`` is ``YYYY-MM-DD``, times are microseconds UTC.

    ``number`` counts per ledger and ``year``; ``mirrors`` is the event id of the entry undone.
    """

    event_id: str
    position: str
    number: int
    year: int
    ledger: str
    currency: str
    effective: str
    recorded: int
    occurred: int
    topic: str
    actor: str
    rules: str
    order_id: str
    exception_id: str
    episode: int
    mirrors: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the chart, with its name by language."""

    number: str
    kind: str
    title: dict[str, str]


@dataclass(frozen=True, slots=True)
class Turnover:
    """What moved on an account of a ledger in a currency; minor units."""

    ledger: str
    account: str
    currency: str
    debit: int
    credit: int


def event_of(message: Json, tenant: str = "") -> LoggedEvent:
    """The value of an ``Event``; the tenant is the call's."""
    return LoggedEvent(
        **_texts(message, "position", "event_id", "topic", "aggregate_id", "actor"),
        version=int(message.get("version", 0)),
        occurred=_micros(message, "occurred"),
        recorded=_micros(message, "recorded"),
        payload=base64.b64decode(message.get("payload", "")),
        tenant=tenant,
    )


def entry_of(message: Json) -> JournalEntry:
    """The value of a ``JournalEntry``."""
    return JournalEntry(
        **_texts(message, "event_id", "position", "ledger", "currency", "effective", "topic"),
        **_texts(message, "actor", "rules", "order_id", "exception_id", "mirrors"),
        number=int(message.get("number", 0)),
        year=message.get("year", 0),
        recorded=_micros(message, "recorded"),
        occurred=_micros(message, "occurred"),
        episode=message.get("episode", 0),
        lines=tuple(_line_of(line) for line in message.get("lines", ())),
    )


def account_of(message: Json) -> Account:
    """The value of an ``Account``."""
    return Account(**_texts(message, "number", "kind"), title=dict(message.get("title", {})))


def turnover_of(message: Json, ledger: str) -> Turnover:
    """The value of an ``AccountBalance`` in the trial balance of a ledger."""
    return Turnover(
        ledger=ledger,
        account=message.get("account", ""),
        currency=_currency(message),
        debit=_minor_units(message, "debit"),
        credit=_minor_units(message, "credit"),
    )


def _line_of(message: Json) -> Line:
    return Line(
        **_texts(message, "account", "row", "party", "order_id", "sale_line", "logistics_line"),
        **_texts(message, "shipment_code", "exception_id", "action_id"),
        index=message.get("index", 0),
        currency=_currency(message),
        debit=_minor_units(message, "debit"),
        credit=_minor_units(message, "credit"),
        episode=message.get("episode", 0),
    )


def _texts(message: Json, *names: str) -> dict[str, Any]:
    """Text fields; the JSON form leaves out empty ones."""
    return {name: message.get(name, "") for name in names}


def _micros(message: Json, name: str) -> int:
    at = message.get(name)
    return 0 if at is None else (datetime.fromisoformat(at) - _EPOCH) // timedelta(microseconds=1)


def _minor_units(message: Json, side: str) -> int:
    return int(message.get(side, {}).get("minor_units", 0))


def _currency(message: Json) -> str:
    sides = (message.get(side, {}).get("currency", "") for side in ("debit", "credit"))
    return next((currency for currency in sides if currency), "")
