"""HistoryService: the log itself, and cases as they were."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import grpc
from shipment_exception.v1 import event_pb2
from shipment_exception.v1 import history_service_pb2 as pb
from shipment_exception.v1 import history_service_pb2_grpc as rpc

from esm.errors import InvalidCommand, RecordNotFound, Violation
from esm.events import Recorded
from esm.exception.state import Case
from esm.times import micros
from projections.query import Condition, Kind
from server.consistency import LOG
from server.services.base import Page, StreamServicer, exception_uuid
from server.services.calls import Context, caller_of
from server.wire.cases import case
from server.wire.events import event
from server.wire.filters import parse_filter
from server.wire.requests import read_instant

FILTERS: Final[Mapping[str, Kind]] = {
    "aggregate_id": "text",
    "order_id": "text",
    "topic": "text",
    "actor": "text",
    "request_id": "text",
}
"""Fields that conditions on events may name, once each and with "=" only."""

SUBSCRIBE_BATCH: Final = 200
SUBSCRIBE_SECONDS: Final = 10.0
"""How long a subscription sleeps at most before it looks again."""


class HistoryService(StreamServicer, rpc.HistoryServiceServicer):
    """The log itself, for auditors and for systems that follow it."""

    NAME = pb.DESCRIPTOR.services_by_name["HistoryService"].full_name

    def add_to(self, server: grpc.aio.Server) -> None:
        rpc.add_HistoryServiceServicer_to_server(self, server)

    async def ListEvents(
        self, request: pb.ListEventsRequest, context: Context
    ) -> pb.ListEventsResponse:
        caller = caller_of(context)
        page = Page(request, caller, self.services)
        wanted = _wanted(parse_filter(request.filter, FILTERS))
        await self.caught_up(LOG, request.min_position, context)
        found = await self.services.history.events(
            caller.tenant, after=page.after, limit=page.limit, **wanted
        )
        frame = self.frame(caller)

        def write(value: Recorded) -> event_pb2.Event:
            return event_pb2.Event(**event(value, frame))

        events, token = page.cut(found, write, lambda last: (last.position,))
        return pb.ListEventsResponse(events=events, next_page_token=token)

    async def SubscribeEvents(
        self, request: pb.SubscribeEventsRequest, context: Context
    ) -> AsyncIterator[pb.SubscribeEventsResponse]:
        caller = caller_of(context)
        after = self.services.tokens.number(request.position, "position")
        wanted = _wanted(parse_filter(request.filter, FILTERS))
        history, frame = self.services.history, self.frame(caller)
        while not self.services.stopping.is_set():
            end = await history.max_position()
            found = await history.events(
                caller.tenant, after=after, limit=SUBSCRIBE_BATCH, **wanted
            )
            for each in found:
                yield pb.SubscribeEventsResponse(event=event(each, frame))
            if found:
                after = found[-1].position
            if len(found) < SUBSCRIBE_BATCH:
                after = max(after, end)  # all up to there was looked at
                await self.grown(LOG, after + 1, SUBSCRIBE_SECONDS)
        await self.stopped(context)

    async def GetExceptionAsOf(
        self, request: pb.GetExceptionAsOfRequest, context: Context
    ) -> pb.GetExceptionAsOfResponse:
        caller = caller_of(context)
        exception = exception_uuid(request.exception_id)
        bound = _bound(request)
        version, state = await self.services.history.fold(caller.tenant, exception, **bound)
        if not isinstance(state, Case):
            raise RecordNotFound(
                f"no event of exception {request.exception_id!r} qualifies",
                metadata={"exceptionId": request.exception_id},
            )
        return pb.GetExceptionAsOfResponse(exception=case(version, state, self.frame(caller)))


def _wanted(conditions: Sequence[Condition]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for field, op, value in conditions:
        if op != "=" or field in wanted or (field == "topic" and "topics" in wanted):
            raise InvalidCommand([Violation("filter", f"{field} is named once, with =")])
        if field == "topic":
            wanted["topics"] = (value,)
        elif field == "aggregate_id":
            wanted[field] = _uuid(str(value))
        else:
            wanted[field] = value
    return wanted


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidCommand([Violation("filter", "aggregate_id is a UUID")]) from None


def _bound(request: pb.GetExceptionAsOfRequest) -> dict[str, int]:
    which = request.WhichOneof("as_of")
    found: list[Violation] = []
    if which is None:
        found.append(Violation("as_of", "is required: version, occurred or recorded"))
    elif which == "version":
        if request.version >= 1:
            return {"version": request.version}
        found.append(Violation("version", "must be at least 1"))
    else:
        moment = read_instant(getattr(request, which), which, found)
        if not found:
            return {which: micros(moment)}
    raise InvalidCommand(found)
