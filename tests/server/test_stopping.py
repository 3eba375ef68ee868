"""A server that is asked to stop: streams end at once and say that the server goes."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from shipment_exception.v1 import history_service_pb2, ticket_service_pb2, tracking_service_pb2
from shipment_exception.v1.history_service_pb2_grpc import HistoryServiceStub
from shipment_exception.v1.ticket_service_pb2_grpc import TicketServiceStub
from shipment_exception.v1.tracking_service_pb2_grpc import TrackingServiceStub

from server.app import GRACE_SECONDS, running
from tests.serving import sqlite_settings


async def nothing_yet() -> AsyncIterator[tracking_service_pb2.StreamCheckpointsRequest]:
    """A feed that stays silent."""
    await asyncio.sleep(GRACE_SECONDS * 2)
    yield tracking_service_pb2.StreamCheckpointsRequest()


def test_followers_do_not_hold_up_a_stop(tmp_path: Path) -> None:
    async def follow(stream: Any) -> grpc.StatusCode:
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            async for _ in stream:
                pass
        return ended.value.code()

    async def main() -> None:
        async with running(sqlite_settings(tmp_path / "store")) as server:
            channel = grpc.aio.insecure_channel(server.address)
            history: Any = HistoryServiceStub(channel)
            tickets: Any = TicketServiceStub(channel)
            tracking: Any = TrackingServiceStub(channel)
            following = asyncio.gather(
                follow(history.SubscribeEvents(history_service_pb2.SubscribeEventsRequest())),
                follow(tickets.WatchTickets(ticket_service_pb2.WatchTicketsRequest())),
                follow(tracking.StreamCheckpoints(nothing_yet())),
            )
            await asyncio.sleep(0.5)
            began = time.monotonic()
        assert time.monotonic() - began < GRACE_SECONDS / 2
        assert set(await following) == {grpc.StatusCode.UNAVAILABLE}
        await channel.close(None)

    asyncio.run(main())
