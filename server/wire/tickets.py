"""Tickets and deadlines as the API shows them, and filters by the catalogue's views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from shipment_exception.v1 import exception_pb2, ticket_pb2, ticket_service_pb2

from esm.catalog import Catalogue
from esm.catalog.views import (
    Members,
    class_members,
    class_of,
    platform_type_members,
    platform_type_of,
)
from esm.errors import InvalidCommand, Violation
from esm.events import InvoiceLine
from projections.deadlines.view import Deadline
from projections.query import NEVER, Condition, Kind
from projections.tickets.view import ActionSummary, Belongs, Ticket
from server.wire.answers import Answer, Frame, Wire, write_micros
from server.wire.filters import parse_filter

CLASS: Final = "class"
PLATFORM_TYPE: Final = "platform_type"

_INVOICE_LINE = Answer(exception_pb2.InvoiceLine, InvoiceLine)

_SUBJECT = Answer(exception_pb2.Subject, Ticket, parts=[_INVOICE_LINE])


def _due_at(value: Ticket, frame: Frame) -> Wire | None:
    return None if value.due_at == NEVER else write_micros(value.due_at, frame)


def _class(value: Ticket, frame: Frame) -> str:
    return class_of(frame.catalogue, value.code)


def _platform_type(value: Ticket, frame: Frame) -> str:
    return platform_type_of(frame.catalogue, value.code, value.first_source)


_TICKET = Answer(
    ticket_pb2.Ticket,
    Ticket,
    {
        "etag": "version",
        "subject": _SUBJECT.write,
        "last_checkpoint": "checkpoint",
        "none_yet_looked_at": "none_yet",
        "due_at": _due_at,
        "ticket_class": _class,
        PLATFORM_TYPE: _platform_type,
    },
    parts=[Answer(ticket_pb2.TicketAction, ActionSummary, currency="currency")],
)

_DEADLINE = Answer(ticket_service_pb2.Deadline, Deadline)


def ticket(value: Ticket, frame: Frame) -> Wire:
    """The resource of a ticket."""
    return _TICKET.write(value, frame)


def deadline(value: Deadline, frame: Frame) -> Wire:
    """The resource of a deadline."""
    return _DEADLINE.write(value, frame)


def read_filter(
    text: str, fields: Mapping[str, Kind], catalogue: Catalogue
) -> tuple[Condition | Belongs, ...]:
    """The conditions of a filter over ``fields`` and over the views of the catalogue.

    A class or platform type becomes what its members are in the catalogue in force. Raises
    :class:`InvalidCommand` that says what is wrong and what is allowed.
    """
    conditions = parse_filter(text, {**fields, CLASS: "word", PLATFORM_TYPE: "word"})
    return tuple(_translated(conditions, catalogue))


def _translated(
    conditions: Sequence[Condition], catalogue: Catalogue
) -> Sequence[Condition | Belongs]:
    views = catalogue.views
    known: Mapping[str, tuple[Mapping[str, object], Callable[[Catalogue, str], Members]]] = {
        CLASS: (views.classes, class_members),
        PLATFORM_TYPE: (views.platform_types, platform_type_members),
    }
    translated: list[Condition | Belongs] = []
    for condition in conditions:
        view = known.get(condition.field)
        if view is None:
            translated.append(condition)
            continue
        allowed, members = view
        name = str(condition.value)
        if name not in allowed:
            told = f"{condition.field} {name!r} is not known; allowed: {', '.join(allowed)}"
            raise InvalidCommand([Violation("filter", told)])
        translated.append(Belongs(*members(catalogue, name), negated=condition.op == "!="))
    return translated
