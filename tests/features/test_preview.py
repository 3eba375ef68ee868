"""A dry run of every command shows what the real call then stores (rows G3, N15)."""

import json
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass
from shipment_exception.v1 import exception_service_pb2, order_service_pb2

from tests.features.valid_requests import EXCEPTION, ORDER, REQUESTS, plain
from tests.scenarios.driver import World, moment, money

FILES = {EXCEPTION: exception_service_pb2, ORDER: order_service_pb2}
ITEMS = {
    "BatchDetectExceptions": "requests",
    "RecordOrders": "orders",
    "RecordCarrierCharges": "charges",
}
"""The field of a batch that holds its commands."""

POSTING = {
    "ApproveAction": 1,
    "CancelAction": 1,
    "RecordCarrierCharges": 1,
    "RecordExternalMoney": 1,
    "ReverseEntry": 1,
}
"""Commands of the table whose request makes entries, and how many."""


def method_of(service: str, name: str) -> MethodDescriptor:
    """The method's description."""
    found: MethodDescriptor = (
        FILES[service].DESCRIPTOR.services_by_name[service.rpartition(".")[2]].methods_by_name[name]
    )
    return found


COMMANDS = [
    (service, name)
    for service, name in sorted(REQUESTS)
    if service in FILES and not name.startswith("Get")
]


NEW_EACH_TIME = {"box", "key_id", "received"}
"""What sealing draws, and when the server got the call."""


def without_boxes(value: Any) -> Any:
    """A fact without what is new at each call."""
    if isinstance(value, dict):
        return {k: without_boxes(v) for k, v in value.items() if k not in NEW_EACH_TIME}
    return [without_boxes(each) for each in value] if isinstance(value, list) else value


def told(event: Any) -> tuple[Any, ...]:
    """What of an event must be the same in a preview and in the log."""
    fact = without_boxes(json.loads(event.payload))
    who = (event.actor, event.assurance, event.request_id)
    return (event.event_id, event.topic, event.version, event.aggregate_id, who, fact)


def made(entry: Any) -> tuple[Any, ...]:
    """What of an entry must be the same in a preview and in the books."""
    head = (entry.event_id, entry.rules, entry.effective, entry.currency, entry.mirrors)
    return (*head, entry.order_id, entry.exception_id, entry.episode, list(entry.lines))


@pytest.mark.parametrize(("service", "name"), COMMANDS, ids=[name for _, name in COMMANDS])
def test_the_preview_of_a_command_is_what_the_real_call_then_stores(
    world: World, service: str, name: str
) -> None:
    """G3, N15."""
    method = method_of(service, name)
    body = plain(REQUESTS[service, name](world))
    if name == "ApproveAction":
        body = refund_to_approve(world)
    request: Any = ParseDict(body, GetMessageClass(method.input_type)())
    item = getattr(request, ITEMS[name])[0] if name in ITEMS else request
    item.request_id, item.validate_only = "the-command", True
    item.occurred_at.CopyFrom(moment("2026-03-01T08:00:00Z"))
    rpc = getattr(world.client.exceptions if service == EXCEPTION else world.client.orders, name)
    before, books = world.history(), world.entries()

    answer = world.send(rpc, request)
    preview = answer.results[0].preview if name in ITEMS else answer.preview
    assert world.history() == before
    assert world.entries() == books

    item.validate_only = False
    world.send(rpc, request)
    stored = [e for e in world.events(request_id="the-command") if e.topic != PUBLISHED]
    if name != "StopWaiting":  # nobody waited, so there is nothing to stop
        assert stored
    assert [told(event) for event in preview.events] == [told(event) for event in stored]
    new = world.entries()[len(books) :]
    assert [made(entry) for entry in preview.entries] == [made(entry) for entry in new]
    assert len(new) == POSTING.get(name, 0)


PUBLISHED = "catalogue.published.v1"
"""The first command of a tenant publishes its rules besides."""


def refund_to_approve(world: World) -> dict[str, Any]:
    """The approval of a refund on an order of its own."""
    world.record_order("O2")
    case = world.detect("LOST", order="O2")
    world.verify(case)
    action = world.propose(case, "full_refund", **world.refund_terms(case, {"1": "50"}))
    return {"exception_id": case, "action_id": action}


def test_the_preview_of_an_outside_fact_that_opens_a_case_is_what_is_stored(
    world: World,
) -> None:
    """N15."""
    world.record_order()
    fields = {"provider": "tmall", "account": "1025", "tax_document": "CN-9"}
    preview = world.outside("platform_refund", "200", "p-1", validate_only=True, **fields).preview
    assert world.entries() == []
    done = world.outside("platform_refund", "200", "p-1", **fields)
    assert [entry.lines for entry in preview.entries] == [e.lines for e in world.entries()]
    assert world.balances(done.exceptions[0].exception_id) == {"1150": "75.70"}
    assert world.entries()[0].lines[-1].credit == money("75.70")
