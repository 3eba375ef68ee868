"""TrackingService: parcels that are watched, and what carriers tell of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any, Final, TypeVar

import grpc
from shipment_exception.v1 import tracking_pb2
from shipment_exception.v1 import tracking_service_pb2 as pb
from shipment_exception.v1 import tracking_service_pb2_grpc as rpc

from esm.detection.model import Outlook
from esm.errors import DomainError, InvalidCommand, QueueFull, StorageUnavailable, Violation
from server.consistency import PageKey
from server.services.base import PAGE_BYTES_MAX, Page, Servicer
from server.services.calls import Context, caller_of
from server.services.streams import in_order
from server.tracking.inputs import STATUSES
from server.tracking.store import TrackingUnavailable, Watched
from server.wire import tracking as wire
from server.wire.answers import Wire
from server.wire.requests import REPEATED_MAX, WORD_CHARS_MAX

AHEAD_MAX: Final = 4
"""Requests of one stream that are worked on before the first of them is answered."""

FULL_TRIES: Final = 100
FULL_PAUSE_SECONDS: Final = 0.05
"""A stream waits for room, five seconds at most, where a unary call is refused at once."""

R = TypeVar("R")
T = TypeVar("T")


class TrackingService(Servicer, rpc.TrackingServiceServicer):
    """Parcels and their timelines. Input data: nothing of it is in the event log but the cases."""

    NAME = pb.DESCRIPTOR.services_by_name["TrackingService"].full_name

    def add_to(self, server: grpc.aio.Server) -> None:
        rpc.add_TrackingServiceServicer_to_server(self, server)

    async def RegisterShipments(
        self, request: pb.RegisterShipmentsRequest, context: Context
    ) -> pb.RegisterShipmentsResponse:
        tenant, sent = caller_of(context).tenant, request.shipments
        _check_size("shipments", sent)
        read = [wire.read_shipment(each) for each in sent]
        good = [each for each in read if not isinstance(each, DomainError)]
        done = await _stored(self.services.tracking.register(tenant, good))
        results = map(wire.shipment_result, sent, _in_place(read, done))
        return pb.RegisterShipmentsResponse(results=results)

    async def RecordCheckpoints(
        self, request: pb.RecordCheckpointsRequest, context: Context
    ) -> pb.RecordCheckpointsResponse:
        results = await self._recorded(caller_of(context).tenant, request.checkpoints)
        return pb.RecordCheckpointsResponse(results=results)

    async def StreamCheckpoints(
        self, requests: AsyncIterator[pb.StreamCheckpointsRequest], context: Context
    ) -> AsyncIterator[pb.StreamCheckpointsResponse]:
        tenant, stopping = caller_of(context).tenant, self.services.stopping

        async def answer(request: pb.StreamCheckpointsRequest) -> pb.StreamCheckpointsResponse:
            results = await self._recorded(tenant, request.checkpoints, tries=FULL_TRIES)
            return pb.StreamCheckpointsResponse(results=results)

        async for response in in_order(requests, answer, stopping, ahead=AHEAD_MAX):
            yield response
        if stopping.is_set():
            said = "the server stops; send again what was not acknowledged"
            await context.abort(grpc.StatusCode.UNAVAILABLE, said)

    async def GetShipment(
        self, request: pb.GetShipmentRequest, context: Context
    ) -> pb.GetShipmentResponse:
        caller = caller_of(context)
        _check_names(shipment_code=request.shipment_code)
        if not request.shipment_code:
            raise InvalidCommand([Violation("shipment_code", "is required")])
        query = f"{request.DESCRIPTOR.full_name}\0{caller.tenant}\0{request.shipment_code}".encode()
        after = self.services.tokens.key(request.page_token, query)
        found = await _stored(self.services.tracking.shipment(caller.tenant, request.shipment_code))
        outlook = await asyncio.to_thread(self.services.outlook, found.watched)
        frame = self.frame(caller)
        answer = pb.GetShipmentResponse(
            shipment=wire.watched(found.watched, outlook, frame),
            deviations=wire.deviations(found.watched, outlook, frame),
        )
        size = 0
        last: PageKey = ()
        for place, fact in wire.timeline(found.timeline, outlook, frame):
            if place <= after:
                continue
            entry = tracking_pb2.TimelineEntry(**fact)
            size += entry.ByteSize()
            if last and size > PAGE_BYTES_MAX:
                answer.next_page_token = self.services.tokens.page(query, last)
                break
            answer.timeline.append(entry)
            last = place
        return answer

    async def ListWatched(
        self, request: pb.ListWatchedRequest, context: Context
    ) -> pb.ListWatchedResponse:
        caller = caller_of(context)
        page = Page(request, caller, self.services)
        _check_names(order_id=request.order_id, number=request.number)
        if request.status and request.status not in STATUSES:
            text = f"is none of {', '.join(sorted(STATUSES))}"
            raise InvalidCommand([Violation("status", text)])
        selected = self.services.tracking.watched(
            caller.tenant,
            str(page.key[0]) if page.key else "",
            page.limit,
            order_id=request.order_id,
            status=request.status,
            number=request.number,
        )
        found = await _stored(selected)
        outlooks = await asyncio.to_thread(lambda: [*map(self.services.outlook, found)])
        frame = self.frame(caller)

        def write(value: tuple[Watched, Outlook]) -> tracking_pb2.WatchedShipment:
            return tracking_pb2.WatchedShipment(**wire.watched(*value, frame))

        def key(last: tuple[Watched, Outlook]) -> PageKey:
            return (last[0].shipment.shipment_code,)

        shipments, token = page.cut(list(zip(found, outlooks, strict=True)), write, key)
        return pb.ListWatchedResponse(shipments=shipments, next_page_token=token)

    async def _recorded(
        self, tenant: str, sent: Sequence[tracking_pb2.TrackingCheckpoint], *, tries: int = 1
    ) -> list[Wire]:
        """The results of tracking facts. Raises :class:`InvalidCommand` for none or too many.

        While too much waits, it is tried again; the last try raises :class:`QueueFull`.
        """
        _check_size("checkpoints", sent)
        read = [wire.read_checkpoint(each) for each in sent]
        good = [each for each in read if not isinstance(each, DomainError)]
        record = self.services.tracking.record
        for left in reversed(range(tries)):
            try:
                done = await _stored(record(tenant, good))
                break
            except QueueFull:
                if not left:
                    raise
                await asyncio.sleep(FULL_PAUSE_SECONDS)
        if len(good) == len(read):
            return list(map(wire.checkpoint_result, sent, done))
        return list(map(wire.checkpoint_result, sent, _in_place(read, done)))


async def _stored(asked: Awaitable[T]) -> T:
    """What the tracking store answers. Raises :class:`StorageUnavailable`."""
    try:
        return await asked
    except TrackingUnavailable:
        text = "the tracking store cannot be reached now; send the request again"
        raise StorageUnavailable(text) from None


def _in_place(
    read: Sequence[Any | DomainError], done: Sequence[R | DomainError]
) -> list[R | DomainError]:
    """What became of each item, in order; what could not be read is refused alone."""
    results = iter(done)
    return [each if isinstance(each, DomainError) else next(results) for each in read]


def _check_names(**given: str) -> None:
    """Raises :class:`InvalidCommand` for what can be no name."""
    found = [
        Violation(field, f"is a name of up to {WORD_CHARS_MAX} characters, without NUL")
        for field, value in given.items()
        if len(value) > WORD_CHARS_MAX or "\0" in value
    ]
    if found:
        raise InvalidCommand(found)


def _check_size(field: str, items: Sequence[object]) -> None:
    if not 1 <= len(items) <= REPEATED_MAX:
        raise InvalidCommand([Violation(field, f"must have 1 to {REPEATED_MAX} elements")])
