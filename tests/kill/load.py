"""Callers that keep a server busy and write down what they ask and what they are told."""

import asyncio
import itertools
from collections import deque
from collections.abc import Iterator
from typing import Any

from server.client import AioClient, ClientError, Json, connect_aio
from tests.kill.record import ACKNOWLEDGED, UNKNOWN, Asked, Record

CALLERS = 16
CASES = 32
TENANT = "kill"
ORDER = "O1"
LOOKED = "2026-02-25T00:00:00Z"
CALL_SECONDS = 10.0

BROKEN = frozenset({"UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED"})
"""What a client may see of a server that is being killed."""

EVENTS = {"AddNote": 1, "AssignException": 1, "RecordCarrierCharges": 1, "DetectException": 2}
"""How many events each command of the load makes, once."""


def cny(minor_units: int) -> Json:
    """An amount in fen."""
    return {"currency": "CNY", "minor_units": minor_units}


def detection(parcel: str) -> Json:
    """A report about a parcel."""
    return {
        "subject": {"order_id": ORDER, "shipment_code": parcel},
        "code": "LOST",
        "signal": {"kind": "carrier", "feed": "sf", "source_id": parcel},
        "none_yet_looked_at": LOOKED,
    }


async def prepare(address: str) -> list[str]:
    """An order and the cases that the load is about; gives their ids. Safe to repeat."""
    order = {
        "order_id": ORDER,
        "source": "erp",
        "source_id": ORDER,
        "currency": "CNY",
        "sale_lines": [{"line_id": "1", "sku": "A", "quantity": 1, "goods": cny(10000)}],
        "logistics_lines": [{"line_id": "L1", "shipment_code": "P0", "carrier": "sf"}],
        "request_id": "prepare-order",
    }
    requests = [
        {**detection(f"P{number}"), "request_id": f"prepare-{number}"} for number in range(CASES)
    ]
    async with connect_aio(address, tenant=TENANT, actor="load") as client:
        await client.call("RecordOrders", {"orders": [order]}, wait=True)
        answer = await client.call("BatchDetectExceptions", {"requests": requests})
    return [result["exception"]["exception_id"] for result in answer["results"]]


class Load:
    """The callers of one round. ``acknowledged`` holds the loop times of acknowledgements."""

    def __init__(self, address: str, record: Record, cases: list[str], name: str) -> None:
        self._address = address
        self._record = record
        self._cases = itertools.cycle(cases)
        self._names = (f"{name}-{number}" for number in itertools.count(1))
        self._stopping = False
        self.acknowledged: deque[float] = deque()

    async def run(self) -> None:
        """Call until the server is gone, or :meth:`stop`."""
        async with connect_aio(self._address, tenant=TENANT, actor="load") as client:
            await asyncio.gather(*(self._caller(client, n) for n in range(CALLERS)))

    def stop(self) -> None:
        """Let every caller end with the command it is at."""
        self._stopping = True

    async def _caller(self, client: AioClient, number: int) -> None:
        for rpc, request in self._commands(number):
            if self._stopping:
                return
            asked = Asked(next(self._names), rpc, request)
            await self._record.invoke(asked)
            outcome = await send(client, asked)
            await self._record.settle(asked.request_id, *outcome)
            if outcome[0] == UNKNOWN:
                return
            self.acknowledged.append(asyncio.get_running_loop().time())

    def _commands(self, number: int) -> Iterator[tuple[str, Json]]:
        for step in itertools.count(number):
            about = {"exception_id": next(self._cases)}
            match step % 10:
                case 0:
                    yield "DetectException", detection(f"new-{next(self._names)}")
                case 1:
                    charge = {"logistics_line": "L1", "kind": "storage", "step": "accrued"}
                    yield "RecordCarrierCharges", {**about, **charge, "net": cny(100)}
                case 2 | 3 | 4:
                    yield "AssignException", {**about, "owner": next(self._names)}
                case _:
                    yield "AddNote", {**about, "text": "on the phone with the carrier"}


async def send(client: AioClient, asked: Asked) -> tuple[str, str]:
    """Send a command under its request id; gives outcome and the version that was answered.

    Raises :class:`ClientError` for a refusal: none of the load's commands is ever refused.
    """
    request: dict[str, Any] = {**asked.request, "request_id": asked.request_id}
    if asked.rpc == "RecordCarrierCharges":
        request = {"charges": [request]}
    try:
        answer = await client.call(asked.rpc, request, seconds=CALL_SECONDS)
    except ClientError as error:
        if error.code in BROKEN:
            return UNKNOWN, error.code
        raise
    found = answer["results"][0] if "results" in answer else answer
    if "error" in found:
        raise ClientError("REFUSED", str(found["error"]), reason=found["error"]["reason"])
    return ACKNOWLEDGED, found["exception"]["etag"]


async def settle(address: str, record: Record, unknown: list[Asked]) -> None:
    """Send everything whose outcome is unknown again, until it is known."""
    async with connect_aio(address, tenant=TENANT, actor="load") as client:
        for asked in unknown:
            outcome = await send(client, asked)
            assert outcome[0] == ACKNOWLEDGED, f"{asked} is still unknown: {outcome}"
            await record.settle(asked.request_id, *outcome)
