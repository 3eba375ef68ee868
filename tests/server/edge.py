"""The edge of the server over a real connection, with fakes behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection_pb2_grpc
from grpc_reflection.v1alpha._async import ReflectionServicer
from grpc_status import rpc_status

from esm import errors as e
from esm import events
from esm.catalog import load
from esm.codec import encode
from esm.commands import AdvanceClock, Command
from esm.detection.model import Outlook
from esm.events import Recorded, Subject
from esm.evolve import State
from esm.exception.state import Case
from esm.ids import exception_id
from projections.deadlines.view import Deadline, DeadlineView
from projections.ledger.view import Balance, LedgerView, OrderStatement, TrialBalance
from projections.query import Condition, Order
from projections.tickets.view import DEFAULT_ORDER, Belongs, Ticket, TicketView
from server.consistency import LOG, Tokens
from server.edge import guarded
from server.errors import DOMAIN
from server.services import add_all
from server.services.context import (
    Advanced,
    Parked,
    Progress,
    ProjectionState,
    Services,
    Status,
)
from server.submission import Answer, Call
from server.tracking.inputs import Shipment, TrackingCheckpoint
from server.tracking.intake import Shown
from server.tracking.store import Recorded as TrackingRecorded
from server.tracking.store import Watched

SECRET = "Frau Müller, +49 170 1234567"
GARBAGE = b"\xff\xff\xff\xff"
TOKENS = Tokens("store-1")
CASE_ID = exception_id("default", "O-1", "damage", 1)


def a_case(tenant: str = "default") -> Case:
    return Case(
        id=CASE_ID,
        tenant=tenant,
        subject=Subject(order_id="O-1"),
        code="OTHER",
        family="other",
        phase="commercial",
        occurrence=1,
        state="escalated",
        stage="",
        priority="P3",
        team="care",
        person="buyer-1",
    )


def an_event(position: int) -> Recorded:
    event = events.WaitingStopped(party="carrier")
    return Recorded(
        position=position,
        tenant="default",
        aggregate_id=CASE_ID,
        version=position,
        topic=event.TOPIC,
        occurred=1,
        recorded=2,
        actor="ann",
        assurance="asserted",
        correlation_id="",
        causation_id="",
        request_id="r",
        order_id="O-1",
        payload=encode(event),
        event=event,
    )


class FakeWriter:
    """Refuses what a test tells it to; otherwise answers the case and keeps the call."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.seen: list[tuple[Command, Call]] = []

    async def handle(self, command: Command, call: Call) -> Answer:
        self.seen.append((command, call))
        if self.refusal is not None:
            raise self.refusal
        made = events.WaitingStopped(party="carrier")
        preview = ((CASE_ID, 4, made),) if call.validate_only else ()
        return Answer(targets=((CASE_ID, 3, a_case()),), position=7, events=preview)

    async def handle_batch(
        self, items: Sequence[tuple[Command, Call]]
    ) -> Sequence[Answer | e.DomainError]:
        return [await self._one(*item) for item in items]

    async def _one(self, command: Command, call: Call) -> Answer | e.DomainError:
        if call.request_id == "refuse":
            return e.IllegalMove("join", "merged", ["note"])
        return await self.handle(command, call)


class FakeHistory:
    """A log of as many events as a test wants, all of one case of the default tenant."""

    def __init__(self) -> None:
        self.length = 3

    async def events(
        self, tenant: str, *, after: int = 0, limit: int, **_wanted: Any
    ) -> Sequence[Recorded]:
        last = min(after + limit, self.length) if tenant == "default" else 0
        return [an_event(position) for position in range(after + 1, last + 1)]

    async def state(self, tenant: str, aggregate_id: UUID) -> tuple[int, State | None]:
        mine = tenant == "default" and aggregate_id == CASE_ID
        return (3, a_case()) if mine else (0, None)

    async def fold(
        self,
        tenant: str,
        aggregate_id: UUID,
        *,
        version: int | None = None,
        occurred: int | None = None,
        recorded: int | None = None,
    ) -> tuple[int, State | None]:
        return await self.state(tenant, aggregate_id) if version else (0, None)

    async def max_position(self) -> int:
        return self.length


def a_ticket(number: int) -> Ticket:
    return Ticket(
        tenant="default",
        exception_id=str(CASE_ID),
        state="escalated" if number % 2 else "detected",
        code="OTHER",
        family="other",
        phase="commercial",
        stage="",
        priority="P3",
        team="care",
        order_id=f"O-{number}",
        detected_at=number,
        updated_at=number,
        position=number,
    )


class FakeTickets(TicketView):
    """A thousand tickets, all of the default tenant."""

    def get(self, tenant: str, exception_id: str) -> Ticket | None:
        return a_ticket(1) if tenant == "default" and exception_id == str(CASE_ID) else None

    def list(
        self, tenant: str, conditions: Sequence[Condition | Belongs] = (), **page: Any
    ) -> Sequence[Ticket]:
        detected_at = DEFAULT_ORDER.index(Order("detected_at"))
        first = page["after"][detected_at] - 1 if page["after"] else 1_000
        return [a_ticket(number) for number in range(first, max(0, first - page["limit"]), -1)]

    def changed_after(self, tenant: str, position: int, limit: int) -> Sequence[Ticket]:
        return [a_ticket(n) for n in range(position + 1, min(1_000, position + limit) + 1)]

    def count(
        self,
        tenant: str,
        by: str,
        conditions: Sequence[Condition | Belongs] = (),
        *,
        as_of: int | None = None,
    ) -> Mapping[str | int, int]:
        return {"detected": 2, "escalated": 1 if as_of is None else 5}

    def position(self) -> int:
        return 1_000


class FakeDeadlines(DeadlineView):
    """Nothing is due."""

    def due(self, before: int, limit: int) -> Sequence[Deadline]:
        return ()

    def list(self, tenant: str, **page: Any) -> Sequence[Deadline]:
        return ()

    def position(self) -> int:
        return 1_000


class FakeLedger(LedgerView):
    """Books with one entry's worth of turnover."""

    def accounts(self, tenant: str) -> Any:
        return ()

    def ledgers(self, tenant: str) -> Sequence[str]:
        return ()

    def entries(self, tenant: str, conditions: Any = (), *, after: int = 0, limit: int) -> Any:
        return ()

    def entry(self, tenant: str, event_id: str) -> None:
        return None

    def trial_balance(self, tenant: str, ledger: str, **cut: Any) -> TrialBalance:
        rows = (
            Balance(account="2010", currency="USD", debit=0, credit=500),
            Balance(account="4100", currency="USD", debit=500, credit=0),
        )
        return TrialBalance(accounts=rows, memoranda=())

    def account_statement(self, tenant: str, ledger: str, account: str, **page: Any) -> Any:
        return ()

    def order_statement(self, tenant: str, order_id: str, **page: Any) -> OrderStatement:
        if order_id == "O-broken":
            raise RuntimeError(SECRET)
        return OrderStatement(entries=(), costs=())

    def position(self) -> int:
        return 1_000


class FakeTracking:
    """Takes every tracking fact, unless a test wants a refusal; watches nothing."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None

    async def register(self, tenant: str, items: Sequence[Shipment]) -> Sequence[str]:
        return ["registered" for _ in await self._taken(items)]

    async def record(
        self, tenant: str, items: Sequence[TrackingCheckpoint]
    ) -> Sequence[TrackingRecorded]:
        return [TrackingRecorded("new", "P-1") for _ in await self._taken(items)]

    async def shipment(self, tenant: str, shipment_code: str) -> Shown:
        raise self.refusal or e.RecordNotFound("not watched")

    async def watched(
        self,
        tenant: str,
        after: str,
        limit: int,
        *,
        order_id: str = "",
        status: str = "",
        number: str = "",
    ) -> Sequence[Watched]:
        return await self._taken([])

    async def _taken(self, items: Sequence[Any]) -> Sequence[Any]:
        if self.refusal is not None:
            raise self.refusal
        return items


class FakeWaiter:
    """Every projection has seen position 1,000, and the log is as long as it is."""

    def __init__(self, history: FakeHistory) -> None:
        self._history = history

    async def reach(self, projection: str, position: int, timeout: float) -> bool:
        seen = self._history.length if projection == LOG else 1_000
        if position > seen:
            await asyncio.sleep(min(timeout, 0.05))
        return position <= seen


class FakeAdmin:
    """A server with one projection that can be rebuilt."""

    async def status(self, tenant: str) -> Status:
        return Status(
            store_id="store-1",
            engine="sqlite",
            clock="wall",
            catalogue="d1g35t",
            position=9,
            projections=(ProjectionState(name="tickets", position=8, lag=1),),
            parked=(Parked(projection="tickets", position=5, event_id="e", topic="t", reason="r"),),
            clock_time="2026-01-01T00:00:00.000000Z",
        )

    async def advance_clock(self, command: AdvanceClock, call: Call) -> Advanced:
        return Advanced(clock=command.to, position=9, fired=3)

    async def rebuild(self, projection: str) -> AsyncIterator[Progress]:
        if projection != "tickets":
            raise e.RecordNotFound("no such projection", metadata={"projection": projection})
        yield Progress(events_done=1, events_total=2)
        yield Progress(events_done=2, events_total=2, done=True, equal=True)


class World(NamedTuple):
    """A running server with its fakes."""

    channel: grpc.aio.Channel
    writer: FakeWriter
    history: FakeHistory
    tracking: FakeTracking
    stopping: asyncio.Event


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    writer, history, tracking = FakeWriter(), FakeHistory(), FakeTracking()
    services = Services(
        writer=writer,
        history=history,
        tickets=FakeTickets(),
        ledger=FakeLedger(),
        tracking=tracking,
        outlook=lambda watched: Outlook(status=watched.status),
        deadlines=FakeDeadlines(),
        waiter=FakeWaiter(history),
        admin=FakeAdmin(),
        catalogue=load(),
        tokens=TOKENS,
        opener=lambda _, sealed: sealed.box.decode(),
    )
    server = grpc.aio.server()
    at = guarded(server)
    names = add_all(services, at)
    health_pb2_grpc.add_HealthServicer_to_server(HealthServicer(), at)
    described = ReflectionServicer(names)
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(described, at)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield World(channel, writer, history, tracking, services.stopping)
    finally:
        await server.stop(None)


def play(scene: Callable[[World], Awaitable[None]]) -> None:
    async def played() -> None:
        async with world() as at:
            await scene(at)

    asyncio.run(played())


def info_of(error: grpc.aio.AioRpcError) -> ErrorInfo:
    status = rpc_status.from_call(error)  # type: ignore[arg-type] # has the same three methods
    assert status is not None
    info = ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    assert info.domain == DOMAIN
    return info


def details_of(error: grpc.aio.AioRpcError, kind: Any) -> Any:
    status = rpc_status.from_call(error)  # type: ignore[arg-type] # has the same three methods
    assert status is not None
    found = kind()
    assert any(detail.Unpack(found) for detail in status.details)
    return found


async def refused(call: Awaitable[Any], code: grpc.StatusCode, reason: str) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() == code, caught.value.details()
    assert info_of(caught.value).reason == reason
    return caught.value
