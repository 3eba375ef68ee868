"""Whatever comes in, a clear status goes out: never UNKNOWN, never a word of Python."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from shipment_exception.v1 import (
    admin_service_pb2,
    exception_service_pb2,
    history_service_pb2,
    ledger_service_pb2,
    order_service_pb2,
    ticket_service_pb2,
    tracking_service_pb2,
)
from shipment_exception.v1 import exception_actions_pb2 as actions_pb
from shipment_exception.v1 import exception_service_pb2 as cases_pb
from shipment_exception.v1 import history_service_pb2 as history_pb
from shipment_exception.v1 import ledger_service_pb2 as ledger_pb
from shipment_exception.v1 import order_service_pb2 as orders_pb
from shipment_exception.v1 import ticket_service_pb2 as tickets_pb

from server import writer
from server.app import MESSAGE_BYTES_MAX, Running
from server.edge import REQUEST_BYTES_MAX
from tests.features.refusals import refused
from tests.scenarios.driver import World, money
from tests.serving import client

FILES = (
    admin_service_pb2,
    exception_service_pb2,
    history_service_pb2,
    ledger_service_pb2,
    order_service_pb2,
    ticket_service_pb2,
    tracking_service_pb2,
)
NOWHERE = "00000000-0000-4000-8000-000000000000"
FRACTION = b"\x0a\x03CNY\x11\x00\x00\x00\x00\x00\x00\xf8\x3f"
"""A Money whose minor units are the double 1.5 instead of a whole number."""


def methods() -> Iterator[MethodDescriptor]:
    """Every method of the API."""
    for file in FILES:
        for service in file.DESCRIPTOR.services_by_name.values():
            yield from service.methods


def path_of(method: MethodDescriptor) -> str:
    """The path that gRPC calls a method by."""
    return f"/{method.containing_service.full_name}/{method.name}"


def raw(server: Running, method: MethodDescriptor, body: bytes, *, tenant: str = "default") -> Any:
    """A call with these very bytes."""
    metadata = (("esm-tenant", tenant),)
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(server.address, options=options) as channel:
        if method.server_streaming:
            stream = channel.unary_stream(path_of(method), None, None)
            return list(stream(body, timeout=10, metadata=metadata))
        return channel.unary_unary(path_of(method), None, None)(body, timeout=10, metadata=metadata)


def lost(world: World, order: str = "O1") -> str:
    """An order whose parcel is lost, verified."""
    world.record_order(order)
    case = world.detect("LOST", order=order)
    world.verify(case)
    return case


@pytest.mark.parametrize("method", list(methods()), ids=lambda m: m.name)
@pytest.mark.parametrize("body", [b"\xff\xff\xff\xff", b"\x0a\x02\xff\xfe"], ids=["wire", "utf8"])
def test_undecodable_bytes_are_invalid_for_every_method(
    server: Running, method: MethodDescriptor, body: bytes
) -> None:
    fields = method.input_type.fields_by_number
    if body[0] == 0x0A and (1 not in fields or fields[1].type != fields[1].TYPE_STRING):
        body = b"\xff\xff\xff\xff"
    with refused("INVALID_ARGUMENT", "MALFORMED_REQUEST"):
        raw(server, method, body)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"order": ""}, "subject.order_id"),
        ({"parcel": ""}, "subject.shipment_code"),
        ({"code": "NO_SUCH_CODE"}, "code"),
        ({"code": ""}, "code"),
    ],
)
def test_a_case_without_its_facts_is_refused(
    world: World, change: dict[str, str], field: str
) -> None:
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", field) as refusal:
        world.detect(**{"code": "LOST", **change})
    assert refusal.metadata["fields"]


def test_a_case_after_shipping_without_last_checkpoint_is_refused(world: World) -> None:
    request = world.detection("LOST")
    request.ClearField("none_yet_looked_at")
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "last_checkpoint"):
        world.send(world.client.exceptions.DetectException, request)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [(-1, "CNY"), (0, "CNY"), (100, "XQZ"), (100, ""), (100, "cny"), (100, "USD"), (2**62, "CNY")],
)
def test_money_that_can_never_be_right_is_refused(world: World, amount: int, currency: str) -> None:
    case = lost(world)
    wanted = money("1", currency)
    wanted.minor_units = amount
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "amount"):
        world.propose(case, "cash_compensation", amount=wanted, basis="beyond_contract")


@pytest.mark.parametrize("goods", ["-1", "0"])
def test_an_order_with_wrong_money_is_refused_in_its_item(world: World, goods: str) -> None:
    order = world.order_input(lines={"1": {"goods": "1", "tax": "-1" if goods == "-1" else "0"}})
    order.sale_lines[0].goods.minor_units = -100 if goods == "-1" else 1
    order.sale_lines[0].goods.currency = "CNY" if goods == "-1" else "XQZ"
    request = orders_pb.RecordOrdersRequest(orders=[order])
    (result,) = world.send(world.client.orders.RecordOrders, request).results
    assert (result.error.code, result.error.reason) == (3, "INVALID_COMMAND")
    assert "sale_lines[0].goods" in [v.field for v in result.error.violations]


def test_fractional_money_is_refused(world: World, server: Running) -> None:
    case = lost(world)
    request = actions_pb.ProposeActionRequest(exception_id=case, kind="coupon")
    body = request.SerializeToString() + b"\x22" + bytes([len(FRACTION)]) + FRACTION
    method = exception_service_pb2.DESCRIPTOR.services_by_name["ExceptionService"]
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "amount"):
        raw(server, method.methods_by_name["ProposeAction"], body, tenant=world.tenant)


def test_a_refund_above_what_is_available_is_refused(world: World) -> None:
    case = lost(world)
    with refused("FAILED_PRECONDITION", "AMOUNT_EXCEEDS_AVAILABLE") as refusal:
        world.propose(case, "partial_refund", **world.refund_terms(case, {"1": "124.31"}))
    assert refusal.metadata
    with refused("FAILED_PRECONDITION", "AMOUNT_EXCEEDS_AVAILABLE"):
        action = world.propose(
            case, "cash_compensation", amount=money("124.31"), basis="beyond_contract"
        )
        world.do("ApproveAction", case, action_id=action)
    assert world.entries() == []


def test_a_charge_back_that_overshoots_is_recorded_booked_and_opens_a_dispute(
    world: World,
) -> None:
    world.record_order()
    world.outside("chargeback_opened", "200", "cb-1", fee="15")
    answer = world.outside("chargeback_lost", "200", "cb-1", tax_document="CN-1")
    assert sorted(case.code for case in answer.exceptions) == ["CHARGEBACK", "REFUND_DISPUTE"]
    assert world.book() == [
        "H1: 1130 200.00, 5080 15.00 / 1020 215.00",
        "H4.recognised+H5: 4100 100.00, 4110 10.00, 2070 14.30, 1150 75.70 / 1130 200.00",
    ]


def test_an_illegal_move_names_the_allowed_ones(world: World) -> None:
    case = world.detect("LOST")
    with refused("FAILED_PRECONDITION", "ILLEGAL_MOVE") as refusal:
        world.do("ReconcileException", case)
    assert "RemediateException" in refusal.metadata["allowed"]
    assert "RemediateException" in refusal.text


def test_a_stale_etag_is_aborted(world: World) -> None:
    case = world.detect("LOST")
    with refused("ABORTED", "STALE_ETAG") as refusal:
        world.do("AddNote", case, text="x", etag="1")
    assert refusal.metadata["current"] == world.case(case).etag
    assert refusal.retry_after_millis > 0


def test_the_same_request_id_with_another_body_is_refused(world: World) -> None:
    case = world.detect("LOST")
    world.do("AddNote", case, text="one", request_id="r-1")
    with refused("INVALID_ARGUMENT", "REQUEST_ID_REUSED", "request_id"):
        world.do("AddNote", case, text="two", request_id="r-1")


@pytest.mark.parametrize("request_id", ["x" * 129, "with space", "umläut"])
def test_a_request_id_that_is_none_is_refused(world: World, request_id: str) -> None:
    case = world.detect("LOST")
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "request_id"):
        world.do("AddNote", case, text="one", request_id=request_id)


def test_a_negative_page_is_refused_and_a_huge_one_is_cut(world: World) -> None:
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "page_size"):
        world.client.tickets.ListTickets(tickets_pb.ListTicketsRequest(page_size=-1))
    for half in range(2):
        requests = [world.detection("LOST", order=f"O{half}-{i}") for i in range(300)]
        batch = cases_pb.BatchDetectExceptionsRequest(requests=requests)
        world.send(world.client.exceptions.BatchDetectExceptions, batch)
    pages = {
        "tickets": world.client.tickets.ListTickets(
            tickets_pb.ListTicketsRequest(page_size=1_000_000, min_position=world.position)
        ).tickets,
        "events": world.client.history.ListEvents(
            history_pb.ListEventsRequest(page_size=1_000_000)
        ).events,
    }
    assert {name: len(page) for name, page in pages.items()} == {"tickets": 500, "events": 500}


@pytest.mark.parametrize("token", ["nonsense", "AAAA", "\u00e9", "x" * 5_000])
def test_a_page_token_or_position_that_is_none_is_refused(world: World, token: str) -> None:
    with refused("INVALID_ARGUMENT", "TOKEN_REFUSED", "page_token"):
        world.client.ledger.ListEntries(ledger_pb.ListEntriesRequest(page_token=token))
    with refused("INVALID_ARGUMENT", "TOKEN_REFUSED", "min_position"):
        world.client.tickets.ListTickets(tickets_pb.ListTicketsRequest(min_position=token))


def test_a_batch_of_more_than_500_items_is_refused_whole(world: World) -> None:
    requests = [world.detection("LOST", order=f"O{i}") for i in range(501)]
    batch = cases_pb.BatchDetectExceptionsRequest(requests=requests)
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "requests"):
        world.send(world.client.exceptions.BatchDetectExceptions, batch)
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "orders"):
        world.send(world.client.orders.RecordOrders, orders_pb.RecordOrdersRequest())


def test_a_text_that_is_too_long_is_refused(world: World) -> None:
    case = world.detect("LOST")
    for length in (4_001, 10_001, 1_000_000):
        with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "text"):
            world.do("AddNote", case, text="x" * length)


def test_a_message_that_is_too_large_is_refused_with_its_limit(
    world: World, server: Running
) -> None:
    case = world.detect("LOST")
    request = cases_pb.AddNoteRequest(exception_id=case, text="x" * (REQUEST_BYTES_MAX + 1))
    service = exception_service_pb2.DESCRIPTOR.services_by_name["ExceptionService"]
    add_note = service.methods_by_name["AddNote"]
    with refused("INVALID_ARGUMENT", "MESSAGE_TOO_LARGE") as refusal:
        raw(server, add_note, request.SerializeToString())
    assert str(REQUEST_BYTES_MAX) in refusal.text
    with pytest.raises(grpc.RpcError) as raised:  # the transport answers before us
        raw(server, add_note, b"\0" * (MESSAGE_BYTES_MAX + 1))
    beyond: Any = raised.value
    assert beyond.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(MESSAGE_BYTES_MAX) in beyond.details()
    assert world.case(case).etag == "2"


def test_a_full_queue_says_when_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = world.detect("LOST")
    monkeypatch.setattr(writer, "QUEUE_COMMANDS_MAX", 0)
    with refused("RESOURCE_EXHAUSTED", "QUEUE_FULL") as refusal:
        world.do("AddNote", case, text="x", request_id="again")
    assert refusal.retry_after_millis > 0
    monkeypatch.undo()
    world.do("AddNote", case, text="x", request_id="again")


def test_what_belongs_to_another_tenant_does_not_exist(world: World, server: Running) -> None:
    case = lost(world)
    refund = world.approve_refund(case)
    event = world.entries()[0].event_id
    with client(server.address, tenant="somebody-else") as calls:
        other = World(calls, "somebody-else")
        for verb, fields in (
            ("AddNote", {"text": "x"}),
            ("ApproveAction", {"action_id": refund}),
            ("EscalateException", {"level": 3, "reason": "r"}),
            ("ReverseEntry", {"event_id": event, "reason": "r"}),
            ("MergeExceptions", {"into": case}),
        ):
            with refused("NOT_FOUND", "EXCEPTION_NOT_FOUND") as theirs:
                other.do(verb, case, **fields)
            with refused("NOT_FOUND", "EXCEPTION_NOT_FOUND") as nobodys:
                other.do(verb, NOWHERE, **fields)
            assert theirs.text.replace(case, NOWHERE) == nobodys.text
        with refused("NOT_FOUND", "EXCEPTION_NOT_FOUND"):
            other.case(case)
        with refused("NOT_FOUND", "ORDER_NOT_FOUND"):
            other.order("O1")
        with refused("NOT_FOUND"):
            calls.tickets.GetTicket(tickets_pb.GetTicketRequest(exception_id=case))
        with refused("NOT_FOUND"):
            calls.ledger.GetEntry(ledger_pb.GetEntryRequest(event_id=event))
        with refused("NOT_FOUND"):
            calls.history.GetExceptionAsOf(
                history_pb.GetExceptionAsOfRequest(exception_id=case, version=1)
            )
        assert other.events(case) == []
        assert other.entries() == []
        with refused("NOT_FOUND", "ORDER_NOT_FOUND"):
            other.statement("O1")
        assert other.trial_balance() == {}


@pytest.mark.parametrize(
    "metadata", [("esm-tenant", "No Such"), ("esm-actor", "-x"), ("esm-tenant", "../x")]
)
def test_a_tenant_or_actor_that_is_none_is_refused(
    server: Running, metadata: tuple[str, str]
) -> None:
    field = f"metadata {metadata[0]}"
    with client(server.address) as calls, refused("INVALID_ARGUMENT", "INVALID_COMMAND", field):
        calls.history.ListEvents(history_pb.ListEventsRequest(), metadata=(metadata,))


@pytest.mark.parametrize("filter_", ["colour = red", "state =", "state = a OR b = c", "(", "'"])
def test_a_filter_that_cannot_be_read_is_refused(world: World, filter_: str) -> None:
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "filter"):
        world.client.tickets.ListTickets(tickets_pb.ListTicketsRequest(filter=filter_))
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "filter"):
        world.client.history.ListEvents(history_pb.ListEventsRequest(filter=filter_))


def test_an_unknown_method_is_unimplemented(server: Running) -> None:
    with grpc.insecure_channel(server.address) as channel:
        call = channel.unary_unary("/shipment_exception.v1.ExceptionService/No", None, None)
        with pytest.raises(grpc.RpcError) as raised:
            call(b"", timeout=5)
    found: Any = raised.value
    assert found.code() is grpc.StatusCode.UNIMPLEMENTED
