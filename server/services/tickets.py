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
from esm.exception.gates import open_items
from esm.exception.state import Case
from esm.times import micros
from projections.deadlines.view import KINDS, Deadline
from projections.deadlines.view import page_key as deadline_key
from projections.query import NEVER, PRESENT, Condition
from projections.tickets.view import (
    AS_OF_FILTERS,
    DEFAULT_ORDER,
    FILTERS,
    SORTABLE,
    Belongs,
    Ticket,
    page_key,
)
from server.services.base import Page, StreamServicer, exception_uuid
from server.services.calls import Caller, Context, caller_of
from server.wire.enums import words
from server.wire.filters import parse_order
from server.wire.requests import read_instant
from server.wire.tickets import deadline, read_filter, ticket

TICKETS: Final = "tickets"
"""Name of the projection."""

DEADLINES: Final = "deadlines"
"""Name of the other one."""

WATCH_BATCH: Final = 100
WATCH_SECONDS: Final = 10.0
"""How long a watch sleeps at most before it looks again."""

_PROPERTIES: Final = words(pb.TicketProperty.DESCRIPTOR)
_KINDS: Final = words(pb.DeadlineKind.DESCRIPTOR)

_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    ":": lambda have, want: have not in ("", 0, NEVER) if want == PRESENT else want in have,
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
        conditions = read_filter(request.filter, FILTERS, self.services.catalogue)
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
        conditions = read_filter(request.filter, FILTERS, self.services.catalogue)
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
        fields = FILTERS if as_of is None else AS_OF_FILTERS
        conditions = read_filter(request.filter, fields, self.services.catalogue)
        await self.caught_up(TICKETS, request.min_position, context)
        view = self.services.tickets
        counts = await to_thread(view.count, caller.tenant, by, conditions, as_of=as_of)
        return pb.CountTicketsResponse(
            counts=[{"value": str(v), "tickets": n} for v, n in sorted(counts.items())],
            total=sum(counts.values()),
        )

    async def ListDeadlines(
        self, request: pb.ListDeadlinesRequest, context: Context
    ) -> pb.ListDeadlinesResponse:
        caller = caller_of(context)
        page = Page(request, caller, self.services)
        span = _span(request)
        await self.caught_up(DEADLINES, request.min_position, context)
        found = await to_thread(
            self.services.deadlines.list,
            caller.tenant,
            kind=next((kind for kind in KINDS if kind == _KINDS.word_of[request.kind]), None),
            since=span[0],
            until=span[1],
            after=page.key,
            limit=page.limit,
        )
        frame = self.frame(caller)

        def write(value: Deadline) -> pb.Deadline:
            return pb.Deadline(**deadline(value, frame))

        written, token = page.cut(found, write, deadline_key)
        standing = [
            message
            for message, each in zip(written, found, strict=False)
            if not await self._settled(each, caller)
        ]
        return pb.ListDeadlinesResponse(deadlines=standing, next_page_token=token)

    async def _settled(self, each: Deadline, caller: Caller) -> bool:
        """Whether a carried item is open no more, by the balances of its case."""
        if each.kind != "carried_item":
            return False
        case_id = exception_uuid(each.exception_id)
        _, case = await self.services.history.state(caller.tenant, case_id)
        if not isinstance(case, Case):
            return False
        items = open_items(case, self.services.catalogue)
        return all(item.ref != each.name for item in items)


def meets(value: Ticket, conditions: Sequence[Condition | Belongs]) -> bool:
    """Whether a ticket meets every condition."""
    return all(
        condition.holds(value.code, value.first_source)
        if isinstance(condition, Belongs)
        else _compared(value, *condition)
        for condition in conditions
    )


def _compared(value: Ticket, field: str, op: str, wanted: Any) -> bool:
    return _COMPARE[op](getattr(value, "is_open" if field == "open" else field), wanted)


def _span(request: pb.ListDeadlinesRequest) -> tuple[int, int]:
    """Since when and until when, microseconds UTC; refuses a kind or moment that is none."""
    found: list[Violation] = []
    if request.kind not in _KINDS.word_of:
        allowed = ", ".join(word for word in _KINDS.number_of if word)
        found.append(Violation("kind", f"is not known; allowed: {allowed}"))
    span = [0, NEVER - 1]
    for index, name in enumerate(("since", "until")):
        if request.HasField(name):
            at = read_instant(getattr(request, name), name, found)
            span[index] = micros(at) if at else 0
    if found:
        raise InvalidCommand(found)
    return span[0], span[1]


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
