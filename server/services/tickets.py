"""TicketService: reads of the ticket view."""

from __future__ import annotations

import operator
from asyncio import to_thread
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

import grpc
from shipment_exception.v1 import ticket_pb2
from shipment_exception.v1 import ticket_service_pb2 as pb
from shipment_exception.v1 import ticket_service_pb2_grpc as rpc

from esm.errors import InvalidCommand, RecordNotFound, Violation
from esm.times import micros
from projections.query import PRESENT, Condition
from projections.tickets.view import (
    AS_OF_FILTERS,
    DEFAULT_ORDER,
    FILTERS,
    SORTABLE,
    Ticket,
    page_key,
)
from server.services.base import Page, StreamServicer
from server.services.calls import Context, caller_of
from server.wire.enums import words
from server.wire.filters import parse_filter, parse_order
from server.wire.requests import read_instant
from server.wire.tickets import ticket

TICKETS: Final = "tickets"
"""Name of the projection."""

WATCH_BATCH: Final = 100
WATCH_SECONDS: Final = 10.0
"""How long a watch sleeps at most before it looks again."""

_PROPERTIES: Final = words(pb.TicketProperty.DESCRIPTOR)

_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    ":": lambda have, want: bool(have) if want == PRESENT else want in have,
}


class TicketService(StreamServicer, rpc.TicketServiceServicer):
    """Tickets: cases as the people who work on them see them."""

    NAME = pb.DESCRIPTOR.services_by_name["TicketService"].full_name

    def add_to(self, server: grpc.aio.Server) -> None:
        rpc.add_TicketServiceServicer_to_server(self, server)

    async def GetTicket(
        self, request: pb.GetTicketRequest, context: Context
    ) -> pb.GetTicketResponse:
        caller = caller_of(context)
        await self.caught_up(TICKETS, request.min_position, context)
        view = self.services.tickets
        found = await to_thread(view.get, caller.tenant, request.exception_id)
        if found is None:
            raise RecordNotFound(
                f"ticket {request.exception_id!r} does not exist",
                metadata={"exceptionId": request.exception_id},
            )
        return pb.GetTicketResponse(ticket=ticket(found, self.frame(caller)))

    async def ListTickets(
        self, request: pb.ListTicketsRequest, context: Context
    ) -> pb.ListTicketsResponse:
        caller = caller_of(context)
        page = Page(request, caller, self.services)
        conditions = parse_filter(request.filter, FILTERS)
        order_by = parse_order(request.order_by, SORTABLE) or DEFAULT_ORDER
        await self.caught_up(TICKETS, request.min_position, context)
        found = await to_thread(
            self.services.tickets.list,
            caller.tenant,
            conditions,
            order_by=order_by,
            after=page.key,
            limit=page.limit,
        )
        frame = self.frame(caller)

        def write(value: Ticket) -> ticket_pb2.Ticket:
            return ticket_pb2.Ticket(**ticket(value, frame))

        tickets, token = page.cut(found, write, lambda last: page_key(last, order_by))
        return pb.ListTicketsResponse(tickets=tickets, next_page_token=token)

    async def WatchTickets(
        self, request: pb.WatchTicketsRequest, context: Context
    ) -> AsyncIterator[pb.WatchTicketsResponse]:
        caller = caller_of(context)
        position = self.services.tokens.number(request.position, "position")
        conditions = parse_filter(request.filter, FILTERS)
        view, frame = self.services.tickets, self.frame(caller)
        while not self.services.stopping.is_set():
            seen = await to_thread(view.position)
            changed = await to_thread(view.changed_after, caller.tenant, position, WATCH_BATCH)
            for each in changed:
                if meets(each, conditions):
                    yield pb.WatchTicketsResponse(ticket=ticket(each, frame))
            if changed:
                position = changed[-1].position
            else:
                position = max(position, seen)
                await self.grown(TICKETS, position + 1, WATCH_SECONDS)
        await self.stopped(context)

    async def CountTickets(
        self, request: pb.CountTicketsRequest, context: Context
    ) -> pb.CountTicketsResponse:
        caller = caller_of(context)
        by, as_of = _counted(request)
        conditions = parse_filter(request.filter, FILTERS if as_of is None else AS_OF_FILTERS)
        await self.caught_up(TICKETS, request.min_position, context)
        view = self.services.tickets
        counts = await to_thread(view.count, caller.tenant, by, conditions, as_of=as_of)
        return pb.CountTicketsResponse(
            counts=[{"value": str(v), "tickets": n} for v, n in sorted(counts.items())],
            total=sum(counts.values()),
        )


def meets(value: Ticket, conditions: Sequence[Condition]) -> bool:
    """Whether a ticket meets every condition."""
    return all(
        _COMPARE[op](getattr(value, "is_open" if field == "open" else field), wanted)
        for field, op, wanted in conditions
    )


def _counted(request: pb.CountTicketsRequest) -> tuple[str, int | None]:
    found: list[Violation] = []
    by = _PROPERTIES.word_of.get(request.by, "")
    if not by:
        allowed = ", ".join(word for word in _PROPERTIES.number_of if word)
        found.append(Violation("by", f"is required; allowed: {allowed}"))
    as_of = ""
    if request.HasField("as_of"):
        as_of = read_instant(request.as_of, "as_of", found)
    if found:
        raise InvalidCommand(found)
    return by, micros(as_of) if as_of else None
