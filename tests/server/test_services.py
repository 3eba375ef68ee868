"""Reads and streams over a real connection: pages, positions, tenants, what is not there."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from shipment_exception.v1 import admin_service_pb2 as admin_pb
from shipment_exception.v1 import exception_service_pb2 as cases_pb
from shipment_exception.v1 import history_service_pb2 as history_pb
from shipment_exception.v1 import ledger_service_pb2 as ledger_pb
from shipment_exception.v1 import ticket_service_pb2 as tickets_pb
from shipment_exception.v1.admin_service_pb2_grpc import AdminServiceStub
from shipment_exception.v1.exception_service_pb2_grpc import ExceptionServiceStub
from shipment_exception.v1.history_service_pb2_grpc import HistoryServiceStub
from shipment_exception.v1.ledger_service_pb2_grpc import LedgerServiceStub
from shipment_exception.v1.ticket_service_pb2_grpc import TicketServiceStub

from server.services.base import PAGE_SIZE_MAX
from tests.server.edge import CASE_ID, TOKENS, World, details_of, play, refused


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
        tickets_pb.CountTicketsRequest(
            by=tickets_pb.TICKET_PROPERTY_STATE, filter="team = x", as_of=Timestamp()
        ),
        "CountTickets",
    ),
    (
        "as_of",
        tickets_pb.CountTicketsRequest(
            by=tickets_pb.TICKET_PROPERTY_STATE, as_of=Timestamp(nanos=-1)
        ),
        "CountTickets",
    ),
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
        missing = ledger_pb.GetOrderStatementRequest(order_id="O-unknown")
        await refused(stub.GetOrderStatement(missing), code, "ORDER_NOT_FOUND")
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
