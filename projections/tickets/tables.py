"""The tables of the ticket view, and how tickets become rows and come back."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from projections.conditions import marks, padded
from projections.engine import Column, Index, Reader, Row, Table, integer, text
from projections.tickets.view import Ticket

Key = tuple[str, str]
"""Tenant and exception id."""

TICKETS = Table(
    "tickets",
    (
        *text("tenant", "exception_id", "state"),
        *integer("level"),
        *text("team", "owner", "code", "family", "phase", "priority", "stage", "first_source"),
        *text("order_id", "shipment_code", "waiting_on"),
        *integer("episode", "due_at", "detected_at", "updated_at", "position"),
        *text("body"),
    ),
    key=("tenant", "exception_id"),
    indexes=(
        Index(("tenant", "priority", "due_at", "detected_at", "exception_id")),
        Index(("tenant", "updated_at", "exception_id")),
        Index(("tenant", "position")),
        Index(("tenant", "state", "team", "level")),
        Index(("tenant", "owner", "state")),
        Index(("tenant", "order_id")),
        Index(("tenant", "shipment_code"), where="shipment_code <> ''"),
    ),
    clustered=False,
)
"""``body`` is the whole ticket as JSON; the other columns repeat what can be asked for."""

CHANGES = Table(
    "ticket_changes",
    (
        *text("tenant", "exception_id"),
        *integer("version", "position", "occurred"),
        Column("state", nullable=True),
        Column("level", "integer", nullable=True),
        Column("owner", nullable=True),
        Column("code", nullable=True),
        Column("family", nullable=True),
        Column("first_source", nullable=True),
    ),
    key=("tenant", "position"),
)
"""What each fact set of the things that tickets are counted by; null = not set by it.

The key is the place in the log: rows that come in order share their pages.
"""

_LOAD_MAX = 512
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Ticket)


def ticket_row(ticket: Ticket, body: str = "") -> Row:
    """The row of a ticket; ``body`` spares writing it where it is known."""
    return (
        ticket.tenant,
        ticket.exception_id,
        ticket.state,
        ticket.level,
        ticket.team,
        ticket.owner,
        ticket.code,
        ticket.family,
        ticket.phase,
        ticket.priority,
        ticket.stage,
        ticket.first_source,
        ticket.order_id,
        ticket.shipment_code,
        ticket.waiting_on,
        ticket.episode,
        ticket.due_at,
        ticket.detected_at,
        ticket.updated_at,
        ticket.position,
        body or _ENCODER.encode(ticket).decode(),
    )


def change_row(ticket: Ticket, occurred: int, sets: Sequence[str | int | None]) -> Row:
    """The row of what a fact set; ``sets`` has the countable columns in their order."""
    return (
        ticket.tenant,
        ticket.exception_id,
        ticket.version,
        ticket.position,
        occurred,
        *sets,
    )


def from_body(body: str) -> Ticket:
    """The ticket of a row."""
    return _DECODER.decode(body)


def load(reader: Reader, keys: Iterable[Key]) -> dict[Key, str]:
    """The bodies of the tickets with these keys; those that do not exist are absent."""
    by_tenant: defaultdict[str, list[str]] = defaultdict(list)
    for tenant, exception_id in sorted(keys):
        by_tenant[tenant].append(exception_id)
    found: dict[Key, str] = {}
    for tenant, ids in by_tenant.items():
        for chunk in _chunks(ids):
            sql = (
                "SELECT exception_id, body FROM {tickets}"
                f" WHERE tenant = ? AND exception_id IN ({marks(len(chunk))})"
            )
            for exception_id, body in reader.rows(sql, (tenant, *chunk)):
                found[tenant, exception_id] = body
    return found


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _LOAD_MAX):
        yield padded(ids[start : start + _LOAD_MAX])
