"""Conventions of every call: health, ids, previews, versions, moves, errors (rows G1 to G6)."""

import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from shipment_exception.v1 import common_pb2
from shipment_exception.v1 import exception_actions_pb2 as actions_pb
from shipment_exception.v1 import exception_closing_pb2 as closing_pb
from shipment_exception.v1 import exception_service_pb2 as cases_pb
from shipment_exception.v1 import exception_watch_pb2 as watch_pb
from shipment_exception.v1 import history_service_pb2 as history_pb
from shipment_exception.v1 import order_service_pb2 as orders_pb
from shipment_exception.v1.exception_pb2 import ShipmentException

from server.app import Running
from tests.features.refusals import refused
from tests.scenarios.driver import World, money

ROOT = Path(__file__).resolve().parents[2]
SERVICES = {
    f"shipment_exception.v1.{name}Service"
    for name in ("Admin", "Exception", "History", "Ledger", "Order", "Ticket", "Tracking")
}


def test_health_and_reflection_answer_for_every_service_of_a_versioned_package(
    server: Running,
) -> None:
    """G1."""
    with grpc.insecure_channel(server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", *sorted(SERVICES)):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        ask = reflection_pb2.ServerReflectionRequest(list_services="*")
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        (listed,) = stub.ServerReflectionInfo(iter([ask]))
        names = {service.name for service in listed.list_services_response.service}
    assert names - SERVICES == {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert names >= SERVICES


def test_buf_finds_nothing_wrong_with_the_api() -> None:
    """G1."""
    buf = Path(sysconfig.get_path("scripts")) / "buf"
    for check in (["lint"], ["breaking", "--against", "proto/release.binpb"]):
        done = subprocess.run([buf, *check], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def commands() -> list[Any]:
    """Every request message of the API that changes something."""
    files = (cases_pb, actions_pb, closing_pb, watch_pb, orders_pb)
    found = [m for f in files for m in f.DESCRIPTOR.message_types_by_name.values()]
    return [m for m in found if "request_id" in m.fields_by_name]


def test_every_command_takes_a_request_id_and_validate_only() -> None:
    """G2, G3."""
    names = {message.name for message in commands()}
    reads = {"GetExceptionRequest", "GetOrderRequest"}
    batches = {
        "BatchDetectExceptionsRequest",
        "RecordOrdersRequest",
        "RecordCarrierChargesRequest",
    }
    files = (cases_pb.DESCRIPTOR, orders_pb.DESCRIPTOR)
    wanted = {
        method.input_type.name
        for file in files
        for service in file.services_by_name.values()
        for method in service.methods
    }
    assert wanted - reads - batches <= names
    assert {"OrderInput", "CarrierChargeInput"} <= names
    for message in commands():
        assert {"validate_only", "occurred_at"} <= set(message.fields_by_name)
        # A signal and a mute name no case; which one a signal joins is what the answer says.
        named = message.name not in ("DetectExceptionRequest", "MuteRuleRequest")
        assert ("etag" in message.fields_by_name) == named


def test_a_repeated_request_id_gets_the_first_answer_and_changes_nothing(world: World) -> None:
    """G2."""
    case = world.detect("LOST")
    request = cases_pb.AddNoteRequest(exception_id=case, text="once", request_id="note-1")
    first = world.send(world.client.exceptions.AddNote, request)
    world.do("AddNote", case, text="something else happened meanwhile")
    events = len(world.events(case))
    second = world.send(world.client.exceptions.AddNote, request)
    assert second == first
    assert len(world.events(case)) == events


def test_a_request_id_with_another_body_is_refused(world: World) -> None:
    """G2."""
    case = world.detect("LOST")
    request = cases_pb.AddNoteRequest(exception_id=case, text="once", request_id="note-1")
    world.send(world.client.exceptions.AddNote, request)
    request.text = "twice"
    with refused("INVALID_ARGUMENT", "REQUEST_ID_REUSED", "request_id"):
        world.send(world.client.exceptions.AddNote, request)


def test_a_repeated_item_of_a_batch_gets_its_first_answer(world: World) -> None:
    """G2."""
    requests = [world.detection("LOST", order=f"O{i}", request_id=f"d-{i}") for i in range(3)]
    batch = cases_pb.BatchDetectExceptionsRequest(requests=requests)
    first = world.send(world.client.exceptions.BatchDetectExceptions, batch)
    second = world.send(world.client.exceptions.BatchDetectExceptions, batch)
    assert second.results == first.results
    assert len(world.history("")) == 1 + 2 * 3


def test_validate_only_answers_what_would_happen_and_changes_nothing(world: World) -> None:
    """G3."""
    world.record_order()
    case = world.detect("LOST")
    world.verify(case)
    before = len(world.history())
    request = actions_pb.ProposeActionRequest(
        exception_id=case, kind="full_refund", validate_only=True, **world.refund_terms(case)
    )
    answer = world.send(world.client.exceptions.ProposeAction, request)
    assert [event.topic for event in answer.preview.events] == ["exception.action_proposed.v1"]
    assert len(answer.exception.actions) == 1
    preview = orders_pb.RecordOrdersRequest(orders=[world.order_input("O9")])
    preview.orders[0].validate_only = True
    (result,) = world.send(world.client.orders.RecordOrders, preview).results
    assert [event.topic for event in result.preview.events] == ["order.recorded.v1"]
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "text"):
        world.do("AddNote", case, text="", validate_only=True)
    assert len(world.history()) == before
    assert world.case(case).actions == []
    with refused("NOT_FOUND", "ORDER_NOT_FOUND"):
        world.order("O9")


def test_a_stale_etag_is_aborted_with_the_current_version(world: World) -> None:
    """G4."""
    case = world.detect("LOST")
    old = world.case(case).etag
    now = world.do("AddNote", case, text="meanwhile").etag
    with refused("ABORTED", "STALE_ETAG") as refusal:
        world.do("AssignException", case, owner="carol", etag=old)
    assert refusal.metadata == {"given": old, "current": now}
    assert refusal.retry_after_millis > 0
    assert world.do("AssignException", case, owner="carol", etag=now).owner == "carol"


def test_no_request_can_set_a_state_and_an_illegal_move_names_the_allowed_ones(
    world: World,
) -> None:
    """G5."""
    for message in commands():
        assert not {"state", "exception", "order"} & set(message.fields_by_name)
    case = world.detect("LOST")
    with refused("FAILED_PRECONDITION", "ILLEGAL_MOVE") as refusal:
        world.do("ReconcileException", case)
    assert refusal.metadata["state"] == "escalated"
    assert "RemediateException" in refusal.metadata["allowed"]
    assert "ReconcileException" not in refusal.metadata["allowed"]
    assert "RemediateException" in refusal.text
    world.do("WithdrawException", case, resolution="FALSE_ALARM")
    with refused("FAILED_PRECONDITION", "ILLEGAL_MOVE") as refusal:
        world.do("AssignException", case, owner="carol")
    assert set(refusal.metadata["allowed"].split(",")) == {"AddNote", "ReopenException"}
    assert world.case(case).state == ShipmentException.STATE_WITHDRAWN


def test_an_illegal_step_of_an_action_names_the_allowed_ones(world: World) -> None:
    """G5."""
    case = world.detect("LOST")
    action = world.propose(case, "explain_only")
    with refused("FAILED_PRECONDITION", "ILLEGAL_ACTION_MOVE") as refusal:
        world.do("SubmitAction", case, action_id=action)
    assert set(refusal.metadata["allowed"].split(",")) == {"approve", "cancel"}


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        ("INVALID_ARGUMENT", "INVALID_COMMAND", "fields"),
        ("FAILED_PRECONDITION", "CHECKLIST_INCOMPLETE", "fields"),
        ("ABORTED", "STALE_ETAG", "retry"),
        ("NOT_FOUND", "EXCEPTION_NOT_FOUND", "info"),
    ],
)
def test_a_refusal_carries_the_details_of_its_kind(
    world: World, code: str, reason: str, kind: str
) -> None:
    """G6."""
    case = world.detect("LOST")
    with refused(code, reason) as refusal:
        if code == "INVALID_ARGUMENT":
            world.do("AddNote", case, text="")
        elif code == "FAILED_PRECONDITION":
            world.propose(case, "cash_compensation", amount=money("1"))
        elif code == "ABORTED":
            world.do("AddNote", case, text="x", etag="77")
        else:
            world.do("AddNote", "00000000-0000-4000-8000-000000000000", text="x")
    assert bool(refusal.fields) == (kind == "fields")
    assert bool(refusal.retry_after_millis) == (kind == "retry")
    assert refusal.text


def test_an_item_of_a_batch_is_refused_with_the_same_details(world: World) -> None:
    """G6."""
    good, bad = world.detection("LOST"), world.detection("NO_SUCH_CODE")
    batch = cases_pb.BatchDetectExceptionsRequest(requests=[bad, good])
    answer = world.send(world.client.exceptions.BatchDetectExceptions, batch)
    refusal, done = answer.results
    assert (refusal.error.code, refusal.error.reason) == (3, "INVALID_COMMAND")
    assert [type(v) for v in refusal.error.violations] == [common_pb2.Violation]
    assert refusal.error.violations[0].field == "code"
    assert done.exception.code == "LOST"
    assert isinstance(answer.position, str)
    request = history_pb.ListEventsRequest(min_position=answer.position)
    assert len(world.send(world.client.history.ListEvents, request).events) == 3
