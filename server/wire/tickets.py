"""Tickets as the API shows them."""

from __future__ import annotations

from shipment_exception.v1 import exception_pb2, ticket_pb2

from esm.events import InvoiceLine
from projections.tickets.view import ActionSummary, Ticket
from server.wire.answers import Answer, Frame, Wire

_INVOICE_LINE = Answer(exception_pb2.InvoiceLine, InvoiceLine)

_SUBJECT = Answer(exception_pb2.Subject, Ticket, parts=[_INVOICE_LINE])

_TICKET = Answer(
    ticket_pb2.Ticket,
    Ticket,
    {
        "etag": "version",
        "subject": _SUBJECT.write,
        "last_checkpoint": "checkpoint",
        "none_yet_looked_at": "none_yet",
    },
    parts=[Answer(ticket_pb2.TicketAction, ActionSummary, currency="currency")],
)


def ticket(value: Ticket, frame: Frame) -> Wire:
    """The resource of a ticket."""
    return _TICKET.write(value, frame)
