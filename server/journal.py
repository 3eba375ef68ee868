"""Events and journal entries as they come over the API, as plain values for audits and exports."""

from dataclasses import dataclass
from typing import Any


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


def event_of(message: Any, tenant: str = "") -> LoggedEvent:
    """The value of an ``Event`` message; the tenant is the call's."""
    return LoggedEvent(
        position=message.position,
        event_id=message.event_id,
        topic=message.topic,
        version=message.version,
        aggregate_id=message.aggregate_id,
        occurred=message.occurred.ToMicroseconds(),
        recorded=message.recorded.ToMicroseconds(),
        actor=message.actor,
        payload=message.payload,
        tenant=tenant,
    )


def entry_of(message: Any) -> JournalEntry:
    """The value of a ``JournalEntry`` message."""
    return JournalEntry(
        event_id=message.event_id,
        position=message.position,
        number=message.number,
        year=message.year,
        ledger=message.ledger,
        currency=message.currency,
        effective=message.effective,
        recorded=message.recorded.ToMicroseconds(),
        occurred=message.occurred.ToMicroseconds(),
        topic=message.topic,
        actor=message.actor,
        rules=message.rules,
        order_id=message.order_id,
        exception_id=message.exception_id,
        episode=message.episode,
        mirrors=message.mirrors,
        lines=tuple(_line_of(line) for line in message.lines),
    )


def account_of(message: Any) -> Account:
    """The value of an ``Account`` message."""
    return Account(number=message.number, kind=message.kind, title=dict(message.title))


def turnover_of(message: Any, ledger: str) -> Turnover:
    """The value of an ``AccountBalance`` message of a ledger's trial balance."""
    return Turnover(
        ledger=ledger,
        account=message.account,
        currency=message.debit.currency or message.credit.currency,
        debit=message.debit.minor_units,
        credit=message.credit.minor_units,
    )


def _line_of(message: Any) -> Line:
    side = message.debit if message.HasField("debit") else message.credit
    return Line(
        index=message.index,
        account=message.account,
        currency=side.currency,
        debit=message.debit.minor_units,
        credit=message.credit.minor_units,
        row=message.row,
        party=message.party,
        order_id=message.order_id,
        sale_line=message.sale_line,
        logistics_line=message.logistics_line,
        shipment_code=message.shipment_code,
        exception_id=message.exception_id,
        episode=message.episode,
        action_id=message.action_id,
    )
