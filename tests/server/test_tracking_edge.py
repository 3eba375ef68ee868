"""TrackingService at its edge: a store that is away or full, and a server that stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import grpc
import pytest
from shipment_exception.v1 import tracking_pb2
from shipment_exception.v1 import tracking_service_pb2 as pb
from shipment_exception.v1.tracking_service_pb2_grpc import TrackingServiceStub

from esm.errors import QueueFull
from server.services import tracking
from server.tracking.store import TrackingUnavailable
from tests.server.edge import GARBAGE, World, play, refused

AWAY, FULL = TrackingUnavailable("host 10.0.0.7"), QueueFull("too much waits")
REFUSALS = [
    (AWAY, grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE"),
    (FULL, grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL"),
]


def facts(count: int = 1) -> list[tracking_pb2.TrackingCheckpoint]:
    return [tracking_pb2.TrackingCheckpoint(feed="wms", source_id=str(n)) for n in range(count)]


async def messages(*sizes: int) -> AsyncIterator[pb.StreamCheckpointsRequest]:
    for size in sizes:
        yield pb.StreamCheckpointsRequest(checkpoints=facts(size))


@pytest.mark.parametrize(("error", "code", "reason"), REFUSALS)
def test_a_store_that_takes_nothing_now_says_so(
    error: Exception, code: grpc.StatusCode, reason: str
) -> None:
    async def scene(at: World) -> None:
        at.tracking.refusal = error
        stub: Any = TrackingServiceStub(at.channel)
        shipments = [tracking_pb2.Shipment(order_id="O-1", shipment_code="P-1")]
        calls: list[Awaitable[Any]] = [
            stub.RegisterShipments(pb.RegisterShipmentsRequest(shipments=shipments)),
            stub.RecordCheckpoints(pb.RecordCheckpointsRequest(checkpoints=facts())),
            stub.GetShipment(pb.GetShipmentRequest(shipment_code="P-1")),
            stub.ListWatched(pb.ListWatchedRequest()),
        ]
        for call in calls:
            refusal = await refused(call, code, reason)
            assert "10.0.0.7" not in (refusal.details() or "")

    play(scene)


def test_a_stream_waits_until_there_is_room() -> None:
    async def scene(at: World) -> None:
        stub: Any = TrackingServiceStub(at.channel)
        at.tracking.refusal = FULL
        stream = stub.StreamCheckpoints(messages(1, 2))
        first = asyncio.ensure_future(stream.read())
        assert await asyncio.wait([first], timeout=0.3) == (set(), {first})
        at.tracking.refusal = None
        assert len((await first).results) == 1
        assert len((await stream.read()).results) == 2

    play(scene)


def test_a_stream_for_which_there_is_no_room_at_last_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracking, "FULL_PAUSE_SECONDS", 0)

    async def scene(at: World) -> None:
        stub: Any = TrackingServiceStub(at.channel)
        at.tracking.refusal = FULL
        code = grpc.StatusCode.RESOURCE_EXHAUSTED
        await refused(stub.StreamCheckpoints(messages(1)).read(), code, "QUEUE_FULL")

    play(scene)


def test_what_was_acknowledged_before_the_store_went_away_stays_acknowledged() -> None:
    async def scene(at: World) -> None:
        sent: asyncio.Queue[int] = asyncio.Queue()

        async def growing() -> AsyncIterator[pb.StreamCheckpointsRequest]:
            while True:
                yield pb.StreamCheckpointsRequest(checkpoints=facts(await sent.get()))

        stub: Any = TrackingServiceStub(at.channel)
        stream = stub.StreamCheckpoints(growing())
        sent.put_nowait(3)
        assert len((await stream.read()).results) == 3
        at.tracking.refusal = AWAY
        sent.put_nowait(1)
        await refused(stream.read(), grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE")

    play(scene)


def test_a_stream_ends_when_the_server_stops() -> None:
    async def scene(at: World) -> None:
        async def endless() -> AsyncIterator[pb.StreamCheckpointsRequest]:
            yield pb.StreamCheckpointsRequest(checkpoints=facts(2))
            await asyncio.sleep(60)

        stub: Any = TrackingServiceStub(at.channel)
        stream = stub.StreamCheckpoints(endless())
        assert len((await stream.read()).results) == 2
        at.stopping.set()
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await asyncio.wait_for(stream.read(), 5)
        assert ended.value.code() == grpc.StatusCode.UNAVAILABLE
        assert "not acknowledged" in (ended.value.details() or "")

    play(scene)


def test_bytes_that_are_no_message_end_a_stream_behind_what_came_before() -> None:
    async def scene(at: World) -> None:
        method = "/shipment_exception.v1.TrackingService/StreamCheckpoints"
        good = pb.StreamCheckpointsRequest(checkpoints=facts(1)).SerializeToString()
        stream: Any = at.channel.stream_stream(method, None, None)(iter([good, GARBAGE]))
        answer = pb.StreamCheckpointsResponse.FromString(await stream.read())
        assert len(answer.results) == 1
        code = grpc.StatusCode.INVALID_ARGUMENT
        await refused(stream.read(), code, "MALFORMED_REQUEST")

    play(scene)
