"""The log and the views: follow, look back, audit, read one's own writes (G7, G9, G10, G14)."""

import json
import time
from collections.abc import Iterator
from itertools import islice
from threading import Event, Thread
from typing import Any

import grpc
import pytest
from shipment_exception.v1 import admin_service_pb2 as admin_pb
from shipment_exception.v1 import exception_service_pb2 as cases_pb
from shipment_exception.v1 import history_service_pb2 as history_pb
from shipment_exception.v1 import ledger_service_pb2 as ledger_pb
from shipment_exception.v1 import order_service_pb2 as orders_pb
from shipment_exception.v1 import ticket_service_pb2 as tickets_pb
from shipment_exception.v1.exception_pb2 import ShipmentException

from server.app import Running
from server.consistency import Tokens
from tests.features.refusals import refused
from tests.scenarios.driver import World, moment
from tests.serving import client

DEADLINE = 20


def followed(world: World, count: int, position: str = "", filter_: str = "") -> list[Any]:
    """The first events of a subscription."""
    request = history_pb.SubscribeEventsRequest(position=position, filter=filter_)
    stream = world.client.history.SubscribeEvents(request, timeout=DEADLINE)
    found = [answer.event for answer in islice(stream, count)]
    stream.cancel()
    return found


def test_a_subscription_goes_on_from_any_position_without_gap_or_repeat(world: World) -> None:
    """G7."""
    case = world.detect("LOST")
    for number in range(10):
        world.do("AddNote", case, text=f"note {number}")
    all_events = list(world.history())
    assert len(all_events) == 13
    assert followed(world, 13) == all_events
    for cut in (1, 5, 12):
        rest = followed(world, 13 - cut, all_events[cut - 1].position)
        assert rest == all_events[cut:]
    notes = followed(world, 10, filter_='topic = "exception.note_added.v1"')
    assert notes == all_events[3:]


def test_a_long_log_comes_whole_and_every_event_once(world: World) -> None:
    """G7."""
    requests = [world.detection("LOST", order=f"L{number}") for number in range(300)]
    batch = cases_pb.BatchDetectExceptionsRequest(requests=requests)
    world.send(world.client.exceptions.BatchDetectExceptions, batch)
    all_events = list(world.history())
    assert len(all_events) == 1 + 2 * 300
    assert followed(world, 601) == all_events
    caught_up = tickets_pb.ListTicketsRequest(page_size=1, min_position=world.position)
    world.send(world.client.tickets.ListTickets, caught_up)
    request = tickets_pb.WatchTicketsRequest()
    stream = world.client.tickets.WatchTickets(request, timeout=DEADLINE)
    tickets = [answer.ticket.exception_id for answer in islice(stream, 300)]
    stream.cancel()
    assert len(set(tickets)) == 300


def test_events_that_are_written_meanwhile_come_in_order_and_once(world: World) -> None:
    """G7."""
    case = world.detect("LOST")
    seen: list[Any] = []
    ready = Event()

    def follow() -> None:
        stream = world.client.history.SubscribeEvents(
            history_pb.SubscribeEventsRequest(), timeout=DEADLINE
        )
        for answer in islice(stream, 33):
            seen.append(answer.event)
            ready.set()
        stream.cancel()

    thread = Thread(target=follow)
    thread.start()
    assert ready.wait(DEADLINE)
    for number in range(30):
        world.do("AddNote", case, text=f"note {number}")
    thread.join(DEADLINE)
    assert seen == list(world.history())


def test_watched_tickets_resume_behind_a_position(world: World) -> None:
    """G7."""
    cases = [world.detect("LOST", order=f"W{number}") for number in range(5)]

    def watched(position: str = "") -> Iterator[Any]:
        request = tickets_pb.WatchTicketsRequest(position=position)
        found: Iterator[Any] = world.client.tickets.WatchTickets(request, timeout=DEADLINE)
        return found

    stream = watched()
    first = [answer.ticket for answer in islice(stream, 5)]
    assert {ticket.exception_id for ticket in first} == set(cases)
    again = watched(first[1].position)
    assert [a.ticket.exception_id for a in islice(again, 3)] == [t.exception_id for t in first[2:]]
    world.do("AddNote", cases[0], text="changed")
    changed = next(again).ticket
    assert (changed.exception_id, changed.notes) == (cases[0], 1)


def test_a_case_as_of_a_version_an_occurred_and_a_recorded_time(world: World) -> None:
    """G9."""
    first = world.detection("LOST", occurred_at=moment("2026-03-01T08:00:00Z"))
    case = world.send(world.client.exceptions.DetectException, first).exception.exception_id
    world.do("AssignException", case, owner="carol", occurred_at=moment("2026-03-03T08:00:00Z"))
    world.do("AssignException", case, owner="dave", occurred_at=moment("2026-03-02T08:00:00Z"))
    written_at = [event.recorded for event in world.events(case)]

    def as_of(**bound: Any) -> Any:
        request = history_pb.GetExceptionAsOfRequest(exception_id=case, **bound)
        return world.send(world.client.history.GetExceptionAsOf, request).exception

    assert as_of(version=1).state == ShipmentException.STATE_DETECTED
    assert as_of(version=2).owner == "queue:task_force"
    assert as_of(version=3).owner == "carol"
    assert as_of(version=99).owner == "dave"
    assert as_of(occurred=moment("2026-03-01T12:00:00Z")).owner == "queue:task_force"
    assert as_of(occurred=moment("2026-03-02T12:00:00Z")).owner == "dave"
    assert as_of(recorded=written_at[2]).owner == "carol"
    assert as_of(recorded=written_at[3]).owner == "dave"
    with refused("NOT_FOUND", "NOT_FOUND"):
        as_of(occurred=moment("2026-02-01T00:00:00Z"))
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "as_of"):
        as_of()


def test_an_auditor_lists_raw_events_by_actor_case_and_order(world: World) -> None:
    """G10."""
    world.record_order("O1")
    one = world.detect("LOST", order="O1")
    two = world.detect("LOST", order="O2")
    world.do("AddNote", one, text="by carol", actor="carol")
    everything = world.history()
    by_actor = world.history('actor = "carol"')
    assert [event.topic for event in by_actor] == ["exception.note_added.v1"]
    assert {event.aggregate_id for event in world.events(two)} == {two}
    by_order = world.history('order_id = "O1"')
    assert len(by_order) == 1 + 2 + 1
    assert one in {event.aggregate_id for event in by_order}
    both = world.history('order_id = "O1" AND actor = "carol"')
    assert both == by_actor
    for event in everything:
        assert json.loads(event.payload)
        assert event.event_id
        assert event.version >= 1


def test_an_auditor_exports_the_whole_log_page_by_page(world: World) -> None:
    """G10."""
    case = world.detect("LOST")
    for number in range(20):
        world.do("AddNote", case, text=f"note {number}")
    whole = list(world.history())
    pages, token = [], ""
    while True:
        request = history_pb.ListEventsRequest(page_size=7, page_token=token)
        answer = world.send(world.client.history.ListEvents, request)
        assert len(answer.events) <= 7
        pages += answer.events
        token = answer.next_page_token
        if not token:
            break
    assert pages == whole
    assert len(whole) == 23


def test_every_read_shows_the_write_whose_position_it_is_given(world: World) -> None:
    """G14."""
    for number in range(10):
        order = f"O{number}"
        world.record_order(order)
        assert world.order(order).order_id == order
        case = world.detect("LOST", order=order)
        world.verify(case)
        ticket = tickets_pb.GetTicketRequest(exception_id=case, min_position=world.position)
        assert len(world.send(world.client.tickets.GetTicket, ticket).ticket.checks) == 3
        count = tickets_pb.CountTicketsRequest(
            by=tickets_pb.TICKET_PROPERTY_STATE, min_position=world.position
        )
        assert world.send(world.client.tickets.CountTickets, count).total == number + 1
        world.approve_refund(case)
        assert len(world.entries(f'order_id = "{order}"')) == 1
        assert len(world.statement(order).entries) == 1


@pytest.mark.parametrize("service", ["tickets", "ledger", "history", "orders", "exceptions"])
def test_a_position_that_is_never_reached_is_said_before_the_deadline(
    server: Running, world: World, service: str
) -> None:
    """G14."""
    case = world.detect("LOST")
    far = far_position(world)
    calls = {
        "tickets": (
            world.client.tickets.GetTicket,
            tickets_pb.GetTicketRequest(exception_id=case, min_position=far),
        ),
        "ledger": (
            world.client.ledger.ListEntries,
            ledger_pb.ListEntriesRequest(min_position=far),
        ),
        "history": (
            world.client.history.ListEvents,
            history_pb.ListEventsRequest(min_position=far),
        ),
        "orders": (
            world.client.orders.GetOrder,
            orders_pb.GetOrderRequest(order_id="O1", min_position=far),
        ),
        "exceptions": (
            world.client.exceptions.GetException,
            cases_pb.GetExceptionRequest(exception_id=case, min_position=far),
        ),
    }
    rpc, request = calls[service]
    before = time.monotonic()
    with refused("UNAVAILABLE", "NOT_CAUGHT_UP") as refusal:
        rpc(request, timeout=0.5)
    assert time.monotonic() - before < 2
    assert refusal.retry_after_millis > 0
    with client(server.address) as other, pytest.raises(grpc.RpcError):
        other.history.ListEvents(history_pb.ListEventsRequest(min_position="nonsense"))


def far_position(world: World) -> str:
    """A position of this store that no write has reached yet."""
    status = world.client.admin.GetStatus(admin_pb.GetStatusRequest())
    return Tokens(status.store_id).position(10**9)
