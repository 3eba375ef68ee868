"""The client: any RPC by name, and refusals with everything that the server said."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from server.client import (
    METHODS,
    ClientError,
    UnknownMethod,
    connect,
    connect_aio,
    method,
    to_json,
    to_message,
)
from tests.serving import serving, sqlite_settings

NOTE = {"exception_id": "2f1c9e0a-0000-5000-8000-000000000000", "text": "x"}
SIGNAL = {"kind": "person"}
ORDER = {"order_id": "O-1", "source": "shop", "source_id": "O-1", "currency": "USD"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(sqlite_settings(tmp_path_factory.mktemp("store"))) as server:
        yield server.address


def test_every_rpc_is_known_by_its_name() -> None:
    assert all(rpc.path.endswith(f"/{name}") for name, rpc in METHODS.items())
    assert {name for name, rpc in METHODS.items() if rpc.streams} == {
        *("WatchTickets", "SubscribeEvents", "RebuildProjection", "StreamCheckpoints"),
    }
    with pytest.raises(UnknownMethod, match="no Nothing"):
        method("Nothing")


def test_a_field_that_the_api_does_not_have_is_refused_before_the_call() -> None:
    with connect("127.0.0.1:1") as client, pytest.raises(ClientError, match="AddNote") as caught:
        client.call("AddNote", {"words": "x"})
    assert (caught.value.code, caught.value.reason) == ("INVALID_ARGUMENT", "MALFORMED_REQUEST")


@pytest.mark.parametrize(
    ("rpc", "request_", "faults"),
    [
        ("AdvanceClock", {"to": "nonsense"}, [("to", "'nonsense' is no time; write RFC 3339")]),
        ("AdvanceClock", {"to": "2026-03-01T08:00:00"}, [("to", "is no time")]),
        ("CountTickets", {"by": "class"}, [("by", "'class' is none of: TICKET_PROPERTY_STATE, ")]),
        (
            "AddNote",
            {"text": 5, "words": "x"},
            [("text", "5 is no text"), ("words", "is no field")],
        ),
        ("AddNote", {"text": "\ud800"}, [("text", "is no text")]),
        ("AddNote", {"customerVisible": "x"}, [("customerVisible", "is neither true nor false")]),
        ("RegisterShipments", {"shipments": {"a": 1}}, [("shipments", "is no list")]),
        ("RegisterShipments", {"shipments": [{}, None]}, [("shipments[1]", "None is no object")]),
        (
            "RegisterShipments",
            {"shipments": [{"order_id": "O", "numbers": [{"leg": 1e400}], "promised_at": "soon"}]},
            [
                ("shipments[0].numbers[0].leg", "is no whole number"),
                ("shipments[0].promised_at", "'soon' is no time"),
            ],
        ),
    ],
)
def test_every_field_that_is_no_part_of_a_request_is_named_with_what_is_allowed(
    rpc: str, request_: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    with pytest.raises(ClientError) as caught:
        to_message(rpc, request_)
    assert [field for field, _ in caught.value.violations] == [field for field, _ in faults]
    for (_, text), (_, expected) in zip(caught.value.violations, faults, strict=True):
        assert expected in text
    assert caught.value.message.startswith(f"{rpc}: {faults[0][0]} ")
    assert "Failed to parse" not in str(caught.value)


def test_an_answer_that_json_cannot_hold_is_an_error_of_the_client() -> None:
    answer = METHODS["GetStatus"].response()
    answer.clock_time.seconds = 10**12  # type: ignore[attr-defined] # made from its descriptor
    with pytest.raises(ClientError, match="has no JSON form") as caught:
        to_json(answer)
    assert (caught.value.code, caught.value.reason) == ("INTERNAL", "UNREADABLE_ANSWER")


def test_a_refusal_says_reason_metadata_and_violations(address: str) -> None:
    with connect(address) as client:
        with pytest.raises(ClientError) as missing:
            client.call("AddNote", NOTE)
        with pytest.raises(ClientError) as invalid:
            client.call("DetectException", {"subject": {}, "code": "NONE", "signal": SIGNAL})
    assert missing.value.code == "NOT_FOUND"
    assert NOTE["exception_id"] in missing.value.metadata.values()
    assert invalid.value.reason == "INVALID_COMMAND"
    assert [field for field, _ in invalid.value.violations] == ["code"]


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with connect("127.0.0.1:1") as client, pytest.raises(ClientError) as caught:
        client.call("GetStatus", seconds=5)
    assert (caught.value.code, caught.value.reason) == ("UNAVAILABLE", "")


def test_tenant_and_actor_go_with_every_call(address: str) -> None:
    request = {"page_size": 500}
    with connect(address, tenant="mine", actor="ann") as client:
        line = {"line_id": "L1", "sku": "s", "quantity": 1, "goods": {"currency": "USD"}}
        client.call("RecordOrders", {"orders": [{**ORDER, "sale_lines": [line]}]}, actor="bob")
        mine = list(client.pages("ListEvents", request, "events"))
    assert {event["actor"] for event in mine} == {"bob"}
    with connect(address) as client:
        assert list(client.pages("ListEvents", request, "events")) == []


def test_a_stream_ends_when_its_time_is_over(address: str) -> None:
    with connect(address, tenant="quiet") as client, pytest.raises(ClientError) as caught:
        list(client.stream("SubscribeEvents", seconds=0.2))
    assert caught.value.code == "DEADLINE_EXCEEDED"


def test_the_asyncio_client_does_the_same(address: str) -> None:
    async def ask() -> tuple[str, ClientError, int]:
        async with connect_aio(address, tenant="mine", actor="ann") as client:
            engine = (await client.call("GetStatus"))["engine"]
            with pytest.raises(ClientError) as caught:
                await client.call("AddNote", NOTE)
            events = [each async for each in client.pages("ListEvents", {"page_size": 1}, "events")]
            return engine, caught.value, len(events)

    engine, refusal, events = asyncio.run(ask())
    assert (engine, refusal.code, events) == ("sqlite", "NOT_FOUND", 2)
    assert refusal.reason == "EXCEPTION_NOT_FOUND"
