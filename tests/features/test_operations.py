"""Running it: rebuilds, lag, actors, new reports (rows E1, G13, G17, G21, N12)."""

import time
from collections.abc import Sequence
from threading import Event, Thread
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from shipment_exception.v1 import admin_service_pb2 as admin_pb
from shipment_exception.v1 import exception_actions_pb2 as actions_pb
from shipment_exception.v1 import ledger_service_pb2 as ledger_pb
from shipment_exception.v1 import ticket_service_pb2 as tickets_pb

from esm import codec
from esm.events import ActionApproved, Recorded
from projections import pump
from projections.engine import Held, Table, text
from server import store
from server.settings import Settings
from server.workers import lag
from tests.features.planting import plant
from tests.scenarios.driver import World
from tests.serving import client, serving

SERVING, NOT_SERVING = (
    health_pb2.HealthCheckResponse.SERVING,
    health_pb2.HealthCheckResponse.NOT_SERVING,
)


def lost(world: World, order: str = "O1") -> str:
    """An order whose parcel is lost, verified."""
    world.record_order(order)
    case = world.detect("LOST", order=order)
    world.verify(case)
    return case


def rebuilt(world: World, projection: str) -> Any:
    """The last answer of a rebuild."""
    request = admin_pb.RebuildProjectionRequest(projection=projection)
    return list(world.client.admin.RebuildProjection(request, timeout=60))[-1]


@pytest.mark.parametrize("projection", ["tickets", "ledger"])
def test_a_projection_is_rebuilt_compared_and_switched_while_commands_come_in(
    world: World, projection: str
) -> None:
    """G13."""
    case = lost(world)
    world.refund(case)
    writing, stopped = Event(), Event()
    written: list[str] = []

    def write() -> None:
        while not stopped.is_set():
            written.append(world.do("AddNote", case, text="meanwhile").etag)
            writing.set()

    thread = Thread(target=write)
    thread.start()
    assert writing.wait(20)
    try:
        answers = [rebuilt(world, projection) for _ in range(3)]
    finally:
        stopped.set()
        thread.join(20)
    for last in answers:
        assert (last.done, last.equal) == (True, True)
        assert last.live_digest == last.rebuilt_digest
        assert last.events_done == last.events_total > 0
    request = tickets_pb.GetTicketRequest(exception_id=case, min_position=world.position)
    ticket = world.send(world.client.tickets.GetTicket, request).ticket
    assert (ticket.etag, ticket.notes) == (written[-1], len(written))
    assert len(world.entries()) == 2


def test_a_rebuild_notifies_nobody_again(world: World) -> None:
    """G13."""
    case = lost(world)
    request = tickets_pb.GetTicketRequest(exception_id=case, min_position=world.position)
    world.send(world.client.tickets.GetTicket, request)
    seen: list[str] = []
    stream = world.client.tickets.WatchTickets(tickets_pb.WatchTicketsRequest(), timeout=20)
    assert next(stream).ticket.exception_id == case
    last = world.history()[-1].position

    def watch() -> None:
        seen.append(next(stream).ticket.exception_id)

    thread = Thread(target=watch)
    thread.start()
    assert rebuilt(world, "tickets").equal
    assert world.history()[-1].position == last
    other = world.detect("DAMAGED")
    thread.join(20)
    assert seen == [other]


def health_of(address: str, service: str) -> int:
    """What the health service says of a service."""
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return int(stub.Check(health_pb2.HealthCheckRequest(service=service)).status)


def becomes(address: str, service: str, status: int) -> bool:
    """Whether a service gets a health in time."""
    for _ in range(100):
        if health_of(address, service) == status:
            return True
        time.sleep(0.05)
    return False


def test_a_projection_that_lags_beyond_its_limit_is_not_serving_until_it_is_back(
    fresh: Settings, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G17."""
    tickets, ledger = lag.READERS["tickets"], lag.READERS["ledger"]
    monkeypatch.setattr(lag, "LAG_EVENTS_MAX", 5)
    monkeypatch.setattr(lag, "LOOK_SECONDS", 0.05)
    run_once = pump.Pump.run_once
    with serving(fresh) as running, client(running.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        case = world.detect("LOST")
        request = ledger_pb.ListEntriesRequest(min_position=world.position)
        world.send(calls.ledger.ListEntries, request)
        stalled = {"ledger"}

        def only_the_others(self: pump.Pump, limit: int = 500) -> int:
            return 0 if self.progress().projection in stalled else run_once(self, limit)

        monkeypatch.setattr(pump.Pump, "run_once", only_the_others)
        time.sleep(0.2)
        for _ in range(4):
            world.do("AddNote", case, text="x")
        time.sleep(0.3)
        assert health_of(running.address, ledger) == SERVING
        for _ in range(4):
            world.do("AddNote", case, text="x")
        assert becomes(running.address, ledger, NOT_SERVING)
        status = calls.admin.GetStatus(admin_pb.GetStatusRequest())
        behind = {p.name: p.lag for p in status.projections}
        assert behind["ledger"] == 8
        assert health_of(running.address, tickets) == SERVING
        assert health_of(running.address, "") == SERVING
        stalled.clear()
        assert becomes(running.address, ledger, SERVING)


def test_a_ledger_that_met_an_unbalanced_entry_stops_says_so_and_is_not_serving(
    fresh: Settings, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E1, G17."""
    monkeypatch.setattr(lag, "LOOK_SECONDS", 0.05)
    with serving(fresh) as running, client(running.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        case = lost(world)
        world.approve_refund(case)
        before = world.entries()
        payload = world.events(case)[-1].payload
    whole = codec.decode(ActionApproved.TOPIC, payload)
    assert isinstance(whole, ActionApproved)
    assert whole.entry is not None
    unbalanced = payload.replace(b'"debit":10000', b'"debit":10001')
    assert unbalanced != payload
    plant(fresh, tenant, case, ActionApproved.TOPIC, unbalanced)
    with serving(fresh) as running, client(running.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        assert becomes(running.address, lag.READERS["ledger"], NOT_SERVING)
        status = calls.admin.GetStatus(admin_pb.GetStatusRequest())
        stopped = {p.name: p.stopped for p in status.projections}
        assert "balance" in stopped["ledger"]
        assert stopped["tickets"] == ""
        assert world.entries() == before
        assert health_of(running.address, lag.READERS["tickets"]) == SERVING


def test_every_event_says_how_sure_we_are_of_its_actor(world: World) -> None:
    """G21."""
    case = lost(world)
    world.do("AddNote", case, text="x", actor="carol")
    world.outside("wallet_deduction", "5", "q-1", provider="tmall")
    events = world.history()
    assert {event.assurance for event in events} == {"asserted"}
    assert {event.actor for event in events} == {"ann", "carol"}
    preview = world.client.exceptions.ProposeAction(
        actions_pb.ProposeActionRequest(exception_id=case, kind="explain_only", validate_only=True)
    ).preview
    assert [(e.actor, e.assurance) for e in preview.events] == [("anonymous", "asserted")]


class ActorReport(pump.Projection):
    """A report that nobody thought of before: who did what."""

    NAME = "actors"
    TABLES = (Table("actors", text("event_id", "actor", "topic"), key=("event_id",)),)
    HALTS = False

    def begin(self, held: Held, events: Sequence[Recorded]) -> pump.Session:
        return ActorSession(held)


class ActorSession(pump.Session):
    """One batch of the report."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._rows: list[tuple[str, str, str]] = []

    def apply(self, recorded: Recorded) -> None:
        key = f"{recorded.aggregate_id}/{recorded.version}"
        self._rows.append((key, recorded.actor, recorded.topic))

    def write(self) -> None:
        self._held.insert(ActorReport.TABLES[0], self._rows)


def test_a_report_added_today_covers_the_whole_history(
    fresh: Settings, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N12."""
    with serving(fresh) as running, client(running.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        world.refund(lost(world))
        history = world.history()
    monkeypatch.setattr(store, "PROJECTIONS", (*store.PROJECTIONS, ActorReport))
    with serving(fresh) as running, client(running.address, tenant=tenant) as calls:
        views = running.store.views
        for _ in range(200):
            status = calls.admin.GetStatus(admin_pb.GetStatusRequest())
            if {p.name: p.lag for p in status.projections}["actors"] == 0:
                break
            time.sleep(0.05)
        query = "SELECT actor, topic FROM {actors}"
        rows = views.read("actors", lambda reader: reader.rows(query))
        assert len(rows) == len(history)
        assert sorted(rows) == sorted((event.actor, event.topic) for event in history)
        World(calls, tenant).detect("DAMAGED")
        assert rebuilt(World(calls, tenant), "actors").equal
