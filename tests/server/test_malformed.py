"""The edge over a real connection: whatever comes in, a clear status goes out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterator
from typing import Any
from uuid import UUID

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from shipment_exception.v1 import admin_service_pb2 as admin_pb
from shipment_exception.v1 import exception_service_pb2 as cases_pb
from shipment_exception.v1 import history_service_pb2 as history_pb
from shipment_exception.v1 import ledger_service_pb2 as ledger_pb
from shipment_exception.v1 import order_service_pb2 as orders_pb
from shipment_exception.v1 import ticket_service_pb2 as tickets_pb
from shipment_exception.v1 import tracking_service_pb2 as tracking_pb
from shipment_exception.v1.admin_service_pb2_grpc import AdminServiceStub
from shipment_exception.v1.exception_service_pb2_grpc import ExceptionServiceStub
from shipment_exception.v1.ledger_service_pb2_grpc import LedgerServiceStub
from shipment_exception.v1.order_service_pb2_grpc import OrderServiceStub

from esm.commands import Escalate
from server.services import SERVICERS
from server.wire.requests import REPEATED_MAX
from tests.server.edge import (
    CASE_ID,
    GARBAGE,
    SECRET,
    TOKENS,
    World,
    details_of,
    info_of,
    play,
    refused,
)


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
                (tracking_pb, "TrackingService"),
            )
        }[servicer.NAME]
        for method in file.DESCRIPTOR.services_by_name[servicer.NAME.split(".")[-1]].methods:
            yield f"/{servicer.NAME}/{method.name}", method.server_streaming


# --- bytes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "streaming"), list(methods()))
def test_bytes_that_are_no_message_are_refused_as_such(method: str, streaming: bool) -> None:
    async def scene(at: World) -> None:
        if streaming:
            stream = at.channel.unary_stream(method, None, None)(GARBAGE)
            answer: Awaitable[Any] = stream.read()
        else:
            answer = at.channel.unary_unary(method, None, None)(GARBAGE)
        code = grpc.StatusCode.INVALID_ARGUMENT
        error = await refused(answer, code, "MALFORMED_REQUEST")
        assert "Error" not in (error.details() or "")

    play(scene)


def test_bytes_on_a_stream_of_requests_are_refused_as_well() -> None:
    async def scene(at: World) -> None:
        method = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
        stream = at.channel.stream_stream(method, None, None)(iter([GARBAGE]))
        code = grpc.StatusCode.INVALID_ARGUMENT
        await refused(stream.read(), code, "MALFORMED_REQUEST")

    play(scene)


def test_health_and_reflection_work_at_the_guarded_edge() -> None:
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
        call = ledger.GetOrderStatement(ledger_pb.GetOrderStatementRequest(order_id="O-broken"))
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
        assert {v.field for v in answer.results[0].error.violations} == {
            "subject",
            "signal",
        }
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
