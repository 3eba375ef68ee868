"""The edge over a real connection: whatever comes in, a clear status goes out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status
from shipment_exception.v1 import admin_service_pb2 as admin_pb
from shipment_exception.v1 import exception_service_pb2 as cases_pb
from shipment_exception.v1 import history_service_pb2 as history_pb
from shipment_exception.v1 import ledger_service_pb2 as ledger_pb
from shipment_exception.v1 import order_service_pb2 as orders_pb
from shipment_exception.v1 import ticket_service_pb2 as tickets_pb
from shipment_exception.v1.admin_service_pb2_grpc import AdminServiceStub
from shipment_exception.v1.exception_service_pb2_grpc import ExceptionServiceStub
from shipment_exception.v1.history_service_pb2_grpc import HistoryServiceStub
from shipment_exception.v1.ledger_service_pb2_grpc import LedgerServiceStub
from shipment_exception.v1.order_service_pb2_grpc import OrderServiceStub
from shipment_exception.v1.ticket_service_pb2_grpc import TicketServiceStub

from esm import errors as e
from esm import events
from esm.catalog import load
from esm.codec import encode
from esm.commands import Command, Escalate
from esm.events import Recorded, Subject
from esm.evolve import State
from esm.exception.state import Case
from esm.ids import exception_id
from projections.ledger.view import Balance, LedgerView, TrialBalance
from projections.query import Condition
from projections.tickets.view import Ticket, TicketView
from server.consistency import Tokens
from server.errors import DOMAIN, ErrorInterceptor
from server.services import SERVICERS, add_all
from server.services.base import PAGE_SIZE_MAX
from server.services.context import Parked, Progress, ProjectionState, Services, Status
from server.wire.requests import REPEATED_MAX
from server.submission import Answer, Call

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
        updated_at=number,
        position=number,
    )


class FakeTickets(TicketView):
    """A thousand tickets, all of the default tenant."""

    def get(self, tenant: str, exception_id: str) -> Ticket | None:
        return a_ticket(1) if tenant == "default" and exception_id == str(CASE_ID) else None

    def list(
        self, tenant: str, conditions: Sequence[Condition] = (), **page: Any
    ) -> Sequence[Ticket]:
        first = page["after"][0] - 1 if page["after"] else 1_000
        return [a_ticket(number) for number in range(first, max(0, first - page["limit"]), -1)]

    def changed_after(self, tenant: str, position: int, limit: int) -> Sequence[Ticket]:
        return [a_ticket(n) for n in range(position + 1, min(1_000, position + limit) + 1)]

    def count(
        self,
        tenant: str,
        by: str,
        conditions: Sequence[Condition] = (),
        *,
        as_of: int | None = None,
    ) -> Mapping[str | int, int]:
        return {"detected": 2, "escalated": 1 if as_of is None else 5}

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

    def order_statement(self, tenant: str, order_id: str, **page: Any) -> Any:
        raise RuntimeError(SECRET)

    def position(self) -> int:
        return 1_000


class FakeWaiter:
    """Every projection has seen position 1,000; nobody gets further."""

    async def reach(self, projection: str, position: int, timeout: float) -> bool:
        if position > 1_000 or (projection == "log" and position > 5):
            await asyncio.sleep(min(timeout, 0.05))
            return False
        return True


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
        )

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


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    writer, history = FakeWriter(), FakeHistory()
    services = Services(
        writer=writer,
        history=history,
        tickets=FakeTickets(),
        ledger=FakeLedger(),
        waiter=FakeWaiter(),
        admin=FakeAdmin(),
        catalogue=load(),
        tokens=TOKENS,
        opener=lambda _, sealed: sealed.box.decode(),
    )
    server = grpc.aio.server(interceptors=[ErrorInterceptor()])
    names = add_all(services, server)
    health_pb2_grpc.add_HealthServicer_to_server(HealthServicer(), server)
    reflection.enable_server_reflection(names, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield World(channel, writer, history)
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


def methods() -> Iterator[tuple[str, bool]]:
    for servicer in SERVICERS:
        file = {
            pb.DESCRIPTOR.services_by_name[name].full_name: pb
            for pb, name in (
                (cases_pb, "ExceptionService"),
                (orders_pb, "OrderService"),
                (tickets_pb, "TicketService"),
                (ledger_pb, "LedgerService"),
                (history_pb, "HistoryService"),
                (admin_pb, "AdminService"),
            )
        }[servicer.NAME]
        for method in file.DESCRIPTOR.services_by_name[servicer.NAME.split(".")[-1]].methods:
            yield f"/{servicer.NAME}/{method.name}", method.server_streaming


# --- bytes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "streaming"), list(methods()))
def test_bytes_that_are_no_message_are_refused_as_such(method: str, streaming: bool) -> None:
    async def scene(at: World) -> None:
        if streaming:
            stream = at.channel.unary_stream(method)(GARBAGE)
            answer: Awaitable[Any] = stream.read()
        else:
            answer = at.channel.unary_unary(method)(GARBAGE)
        code = grpc.StatusCode.INVALID_ARGUMENT
        error = await refused(answer, code, "MALFORMED_REQUEST")
        assert "Error" not in (error.details() or "")

    play(scene)


def test_bytes_on_a_stream_of_requests_are_refused_as_well() -> None:
    async def scene(at: World) -> None:
        method = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
        stream = at.channel.stream_stream(method)(iter([GARBAGE]))
        code = grpc.StatusCode.INVALID_ARGUMENT
        await refused(stream.read(), code, "MALFORMED_REQUEST")

    play(scene)


def test_health_and_reflection_work_behind_the_interceptor() -> None:
    async def scene(at: World) -> None:
        health = health_pb2_grpc.HealthStub(at.channel)
        assert (await health.Check(health_pb2.HealthCheckRequest())).status == 1
        watch = health.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == 1
        watch.cancel()
        stub = reflection_pb2_grpc.ServerReflectionStub(at.channel)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        answer = await stub.ServerReflectionInfo(iter([asked])).read()
        listed = {service.name for service in answer.list_services_response.service}
        assert {servicer.NAME for servicer in SERVICERS} <= listed

    play(scene)


def test_an_exception_is_internal_and_says_nothing_of_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene(at: World) -> None:
        at.writer.refusal = RuntimeError(SECRET)
        stub = ExceptionServiceStub(at.channel)
        call = stub.AddNote(cases_pb.AddNoteRequest(exception_id="x", text="y"))
        error = await refused(call, grpc.StatusCode.INTERNAL, "INTERNAL")
        assert SECRET not in str(error)
        assert "RuntimeError" not in str(error)
        assert info_of(error).metadata["correlationId"] in caplog.text
        ledger = LedgerServiceStub(at.channel)
        call = ledger.GetOrderStatement(ledger_pb.GetOrderStatementRequest(order_id="O-1"))
        await refused(call, grpc.StatusCode.INTERNAL, "INTERNAL")

    with caplog.at_level(logging.ERROR):
        play(scene)


# --- commands -------------------------------------------------------------------------------


def test_a_command_arrives_with_its_caller_and_its_header() -> None:
    async def scene(at: World) -> None:
        stub = ExceptionServiceStub(at.channel)
        request = cases_pb.EscalateExceptionRequest(
            exception_id=str(CASE_ID),
            level=2,  # type: ignore[arg-type] # a number is what a client of another language sends
            request_id="r-1",
            etag="3",
            occurred_at=Timestamp(seconds=1),
        )
        metadata = [
            ("esm-tenant", "acme"),
            ("esm-actor", "ann@acme"),
            ("esm-correlation-id", "c"),
            ("esm-causation-id", "d"),
        ]
        answer = await stub.EscalateException(request, metadata=metadata)
        assert answer.exception.exception_id == str(CASE_ID)
        assert TOKENS.number(answer.position, "position") == 7
        assert not answer.HasField("preview")
        command, call = at.writer.seen[0]
        assert command == Escalate(exception_id=str(CASE_ID), level=2)
        assert (call.tenant, call.actor, call.assurance) == ("acme", "ann@acme", "asserted")
        assert (call.correlation_id, call.causation_id) == ("c", "d")
        assert (call.request_id, call.etag, call.validate_only) == ("r-1", "3", False)
        assert call.occurred == "1970-01-01T00:00:01.000000Z"

    play(scene)


def test_a_command_without_a_request_id_gets_one_of_its_own() -> None:
    async def scene(at: World) -> None:
        stub = ExceptionServiceStub(at.channel)
        for _ in range(2):
            await stub.StopWaiting(cases_pb.StopWaitingRequest(exception_id="x"))
        ids = [UUID(call.request_id).version for _, call in at.writer.seen]
        assert ids == [4, 4]
        assert at.writer.seen[0][1].request_id != at.writer.seen[1][1].request_id
        assert (at.writer.seen[0][1].tenant, at.writer.seen[0][1].actor) == (
            "default",
            "anonymous",
        )

    play(scene)


def test_a_dry_run_answers_its_preview() -> None:
    async def scene(at: World) -> None:
        stub = ExceptionServiceStub(at.channel)
        request = cases_pb.StopWaitingRequest(exception_id="x", validate_only=True)
        answer = await stub.StopWaiting(request)
        (event,) = answer.preview.events
        assert (event.topic, event.version, event.position) == (
            "exception.waiting_stopped.v1",
            4,
            "",
        )

    play(scene)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("esm-tenant", "Acme"),
        ("esm-tenant", "../x"),
        ("esm-tenant", "a" * 64),
        ("esm-actor", "a b"),
        ("esm-actor", ""),
        ("esm-correlation-id", "a" * 129),
        ("esm-causation-id", "a b"),
    ],
)
def test_metadata_that_are_not_allowed_are_refused_by_key(key: str, value: str) -> None:
    async def scene(at: World) -> None:
        stub = AdminServiceStub(at.channel)
        call = stub.GetStatus(admin_pb.GetStatusRequest(), metadata=[(key, value)])
        error = await refused(call, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_COMMAND")
        bad = details_of(error, BadRequest)
        assert [v.field for v in bad.field_violations] == [f"metadata {key}"]

    play(scene)


def test_a_key_of_the_metadata_is_given_once() -> None:
    async def scene(at: World) -> None:
        twice = [("esm-tenant", "a"), ("esm-tenant", "b")]
        call = AdminServiceStub(at.channel).GetStatus(admin_pb.GetStatusRequest(), metadata=twice)
        await refused(call, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_COMMAND")

    play(scene)


def test_every_item_of_a_batch_stands_for_itself() -> None:
    async def scene(at: World) -> None:
        stub = ExceptionServiceStub(at.channel)
        good = cases_pb.DetectExceptionRequest(
            subject={"order_id": "O-1"}, signal={"kind": "person"}, code="OTHER"
        )
        illegal, dry = cases_pb.DetectExceptionRequest(), cases_pb.DetectExceptionRequest()
        illegal.CopyFrom(good)
        illegal.request_id = "refuse"
        dry.CopyFrom(good)
        dry.validate_only = True
        wrong = cases_pb.DetectExceptionRequest(code="OTHER")
        answer = await stub.BatchDetectExceptions(
            cases_pb.BatchDetectExceptionsRequest(requests=[wrong, good, illegal, dry])
        )
        kinds = [result.WhichOneof("result") for result in answer.results]
        assert kinds == ["error", "exception", "error", "exception"]
        assert {v.field for v in answer.results[0].error.violations} == {"subject"}
        assert answer.results[2].error.code == grpc.StatusCode.FAILED_PRECONDITION.value[0]
        assert answer.results[2].error.metadata["allowed"] == "note"
        assert [r.HasField("preview") for r in answer.results] == [False, False, False, True]
        assert TOKENS.number(answer.position, "position") == 7

    play(scene)


@pytest.mark.parametrize("count", [0, REPEATED_MAX + 1])
def test_a_batch_of_nothing_or_of_too_much_is_refused(count: int) -> None:
    async def scene(at: World) -> None:
        stub = OrderServiceStub(at.channel)
        request = orders_pb.RecordOrdersRequest(orders=[orders_pb.OrderInput()] * count)
        code = grpc.StatusCode.INVALID_ARGUMENT
        error = await refused(stub.RecordOrders(request), code, "INVALID_COMMAND")
        bad = details_of(error, BadRequest)
        assert [v.field for v in bad.field_violations] == ["orders"]
        assert at.writer.seen == []

    play(scene)


# --- reads ----------------------------------------------------------------------------------


def test_another_tenants_case_is_as_if_it_did_not_exist() -> None:
    async def scene(at: World) -> None:
        stub = ExceptionServiceStub(at.channel)
        request = cases_pb.GetExceptionRequest(exception_id=str(CASE_ID))
        assert (await stub.GetException(request)).exception.etag == "3"
        code = grpc.StatusCode.NOT_FOUND
        other = [("esm-tenant", "other")]
        await refused(stub.GetException(request, metadata=other), code, "EXCEPTION_NOT_FOUND")
        request.exception_id = "no uuid"
        await refused(stub.GetException(request), code, "EXCEPTION_NOT_FOUND")
        tickets = TicketServiceStub(at.channel)
        asked = tickets_pb.GetTicketRequest(exception_id=str(CASE_ID))
        assert (await tickets.GetTicket(asked)).ticket.code == "OTHER"
        await refused(tickets.GetTicket(asked, metadata=other), code, "NOT_FOUND")
        history = HistoryServiceStub(at.channel)
        past = history_pb.GetExceptionAsOfRequest(exception_id=str(CASE_ID), version=1)
        assert (await history.GetExceptionAsOf(past)).exception.etag == "3"
        await refused(history.GetExceptionAsOf(past, metadata=other), code, "NOT_FOUND")

    play(scene)


def test_pages_are_coerced_and_join_without_gap_or_overlap() -> None:
    async def scene(at: World) -> None:
        stub = TicketServiceStub(at.channel)
        request = tickets_pb.ListTicketsRequest(page_size=1_000_000)
        seen: list[str] = []
        while True:
            answer = await stub.ListTickets(request)
            assert len(answer.tickets) <= PAGE_SIZE_MAX
            seen += [ticket.subject.order_id for ticket in answer.tickets]
            if not answer.next_page_token:
                break
            request.page_token = answer.next_page_token
            request.page_size = 300
        assert seen == [f"O-{number}" for number in range(1_000, 0, -1)]

    play(scene)


def test_a_page_token_belongs_to_its_query_and_its_tenant() -> None:
    async def scene(at: World) -> None:
        stub = TicketServiceStub(at.channel)
        first = await stub.ListTickets(tickets_pb.ListTicketsRequest(page_size=1))
        again = tickets_pb.ListTicketsRequest(page_token=first.next_page_token)
        code = grpc.StatusCode.INVALID_ARGUMENT
        other = [("esm-tenant", "other")]
        await refused(stub.ListTickets(again, metadata=other), code, "TOKEN_REFUSED")
        again.filter = "level = 1"
        error = await refused(stub.ListTickets(again), code, "TOKEN_REFUSED")
        bad = details_of(error, BadRequest)
        assert [v.field for v in bad.field_violations] == ["page_token"]

    play(scene)


BAD_READS: list[tuple[str, Any, str]] = [
    ("page_size", tickets_pb.ListTicketsRequest(page_size=-1), "ListTickets"),
    ("filter", tickets_pb.ListTicketsRequest(filter="person = x"), "ListTickets"),
    ("order_by", tickets_pb.ListTicketsRequest(order_by="person"), "ListTickets"),
    ("by", tickets_pb.CountTicketsRequest(), "CountTickets"),
    (
        "filter",
        tickets_pb.CountTicketsRequest(by=1, filter="team = x", as_of=Timestamp()),  # type: ignore[arg-type] # a number
        "CountTickets",
    ),
    ("as_of", tickets_pb.CountTicketsRequest(by=1, as_of=Timestamp(nanos=-1)), "CountTickets"),  # type: ignore[arg-type] # a number
    ("min_position", tickets_pb.GetTicketRequest(min_position="nonsense"), "GetTicket"),
]


@pytest.mark.parametrize(("field", "request_", "method"), BAD_READS)
def test_a_read_that_can_never_be_answered_names_its_field(
    field: str, request_: Any, method: str
) -> None:
    async def scene(at: World) -> None:
        call = getattr(TicketServiceStub(at.channel), method)(request_)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        bad = details_of(caught.value, BadRequest)
        assert [v.field for v in bad.field_violations] == [field]

    play(scene)


def test_a_read_that_waits_in_vain_says_so_before_its_deadline() -> None:
    async def scene(at: World) -> None:
        request = tickets_pb.GetTicketRequest(
            exception_id=str(CASE_ID), min_position=TOKENS.position(2_000)
        )
        call = TicketServiceStub(at.channel).GetTicket(request, timeout=5)
        error = await refused(call, grpc.StatusCode.UNAVAILABLE, "NOT_CAUGHT_UP")
        assert details_of(error, RetryInfo).retry_delay.ToMilliseconds() > 0
        request.min_position = TOKENS.position(900)
        assert (await TicketServiceStub(at.channel).GetTicket(request)).ticket.code == "OTHER"

    play(scene)


def test_the_past_of_a_case_needs_a_bound_that_can_be() -> None:
    async def scene(at: World) -> None:
        stub = HistoryServiceStub(at.channel)
        code = grpc.StatusCode.INVALID_ARGUMENT
        request = history_pb.GetExceptionAsOfRequest(exception_id=str(CASE_ID))
        await refused(stub.GetExceptionAsOf(request), code, "INVALID_COMMAND")
        request.version = 0
        await refused(stub.GetExceptionAsOf(request), code, "INVALID_COMMAND")
        request.occurred.FromMilliseconds(5)
        await refused(stub.GetExceptionAsOf(request), grpc.StatusCode.NOT_FOUND, "NOT_FOUND")

    play(scene)


@pytest.mark.parametrize(
    "text",
    ["topic != x", "topic = a AND topic = b", "aggregate_id = nonsense", "position > 3"],
)
def test_a_filter_of_events_knows_equality_only(text: str) -> None:
    async def scene(at: World) -> None:
        call = HistoryServiceStub(at.channel).ListEvents(history_pb.ListEventsRequest(filter=text))
        await refused(call, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_COMMAND")

    play(scene)


def test_an_unknown_ledger_account_or_entry_is_not_found() -> None:
    async def scene(at: World) -> None:
        stub = LedgerServiceStub(at.channel)
        code = grpc.StatusCode.NOT_FOUND
        for call in (
            stub.GetTrialBalance(ledger_pb.GetTrialBalanceRequest(ledger="mars")),
            stub.GetAccountStatement(ledger_pb.GetAccountStatementRequest(account="0000")),
            stub.GetEntry(ledger_pb.GetEntryRequest(event_id="x")),
        ):
            await refused(call, code, "NOT_FOUND")
        wrong = ledger_pb.GetTrialBalanceRequest(as_of={"effective": "20260101"})
        bad = grpc.StatusCode.INVALID_ARGUMENT
        await refused(stub.GetTrialBalance(wrong), bad, "INVALID_COMMAND")

    play(scene)


def test_a_trial_balance_comes_with_its_totals() -> None:
    async def scene(at: World) -> None:
        stub = LedgerServiceStub(at.channel)
        answer = await stub.GetTrialBalance(ledger_pb.GetTrialBalanceRequest())
        (total,) = answer.totals
        assert total.debit.minor_units == total.credit.minor_units == 500
        assert (total.balance.currency, total.balance.minor_units) == ("USD", 0)
        assert [a.balance.minor_units for a in answer.accounts] == [-500, 500]

    play(scene)


# --- streams --------------------------------------------------------------------------------


def test_a_subscription_goes_on_behind_a_position_and_follows_the_log() -> None:
    async def scene(at: World) -> None:
        stub = HistoryServiceStub(at.channel)
        request = history_pb.SubscribeEventsRequest(position=TOKENS.position(1))
        stream = stub.SubscribeEvents(request)
        got = [(await stream.read()).event.version for _ in range(2)]
        at.history.length = 5
        got += [(await stream.read()).event.version for _ in range(2)]
        stream.cancel()
        assert got == [2, 3, 4, 5]

    play(scene)


def test_a_watch_sends_what_its_filter_lets_through_and_goes_on_by_position() -> None:
    async def scene(at: World) -> None:
        stub = TicketServiceStub(at.channel)
        request = tickets_pb.WatchTicketsRequest(
            position=TOKENS.position(994), filter="state = escalated AND open = true"
        )
        stream = stub.WatchTickets(request)
        got = [(await stream.read()).ticket for _ in range(3)]
        stream.cancel()
        assert [t.subject.order_id for t in got] == ["O-995", "O-997", "O-999"]
        assert TOKENS.number(got[-1].position, "position") == 999

    play(scene)


def test_a_stream_that_is_refused_ends_with_the_refusal() -> None:
    async def scene(at: World) -> None:
        stub = HistoryServiceStub(at.channel)
        stream = stub.SubscribeEvents(history_pb.SubscribeEventsRequest(position="x"))
        await refused(stream.read(), grpc.StatusCode.INVALID_ARGUMENT, "TOKEN_REFUSED")
        rebuild = AdminServiceStub(at.channel).RebuildProjection(
            admin_pb.RebuildProjectionRequest(projection="nope")
        )
        await refused(rebuild.read(), grpc.StatusCode.NOT_FOUND, "NOT_FOUND")

    play(scene)


def test_a_rebuild_tells_how_far_it_is_and_the_status_what_runs() -> None:
    async def scene(at: World) -> None:
        stub = AdminServiceStub(at.channel)
        request = admin_pb.RebuildProjectionRequest(projection="tickets")
        progress = [answer async for answer in stub.RebuildProjection(request)]
        assert [(p.events_done, p.done, p.equal) for p in progress] == [
            (1, False, False),
            (2, True, True),
        ]
        status = await stub.GetStatus(admin_pb.GetStatusRequest())
        assert (status.store_id, status.engine, status.catalogue) == (
            "store-1",
            "sqlite",
            "d1g35t",
        )
        assert TOKENS.number(status.projections[0].position, "position") == 8
        assert TOKENS.number(status.parked[0].position, "position") == 5

    play(scene)
