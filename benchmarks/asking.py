"""What load processes have in common: a server's backlog, and answers to lines of JSON."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from grpc import aio
from shipment_exception.v1 import admin_service_pb2
from shipment_exception.v1.admin_service_pb2_grpc import AdminServiceStub

READY_SECONDS_MAX: Final = 60.0
DRAIN_SECONDS_MAX: Final = 15.0
POLL_SECONDS: Final = 0.05
OPTIONS: Final = (("grpc.max_receive_message_length", 64 * 1024 * 1024),)

Answer = dict[str, Any]


class Backlog:
    """What a server of ours has accepted and not worked off."""

    def __init__(self, channel: aio.Channel) -> None:
        self._admin = AdminServiceStub(channel)

    async def status(self) -> admin_service_pb2.GetStatusResponse:
        """How the server stands."""
        found: admin_service_pb2.GetStatusResponse = await self._admin.GetStatus(
            admin_service_pb2.GetStatusRequest()
        )
        return found

    async def lag(self) -> tuple[int, str]:
        """Events that the slowest projection has not seen, and which projections stopped."""
        status = await self.status()
        stopped = "; ".join(f"{p.name}: {p.stopped}" for p in status.projections if p.stopped)
        return max((p.lag for p in status.projections), default=0), stopped

    async def drained(self, most: float = DRAIN_SECONDS_MAX, *, watch: bool = False) -> float:
        """Waits until every projection has seen everything; seconds that it took.

        With ``watch`` also until no watched shipment is due.
        """
        begun = time.perf_counter()
        while time.perf_counter() < begun + most:
            lag, stopped = await self.lag()
            due = (await self.status()).due_now if watch else 0
            if (lag <= 0 and due <= 0) or stopped:
                break
            await asyncio.sleep(POLL_SECONDS)
        return time.perf_counter() - begun


async def answer_questions(address: str, make: Callable[[aio.Channel], object]) -> None:
    """Connects, and calls what each line of the standard input asks: a method and its arguments."""
    async with aio.insecure_channel(address, options=OPTIONS) as channel:
        await asyncio.wait_for(channel.channel_ready(), READY_SECONDS_MAX)
        load = make(channel)
        print(json.dumps({"ready": address}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            question = json.loads(line)
            answer = await getattr(load, question.pop("do"))(**question)
            print(json.dumps(answer), flush=True)
