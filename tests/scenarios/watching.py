"""Parcels as they are watched: checkpoints come in, and the clock of the feed goes on."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from shipment_exception.v1 import admin_service_pb2 as admin_pb
from shipment_exception.v1 import exception_watch_pb2 as watch_pb
from shipment_exception.v1 import ticket_service_pb2 as tickets_pb
from shipment_exception.v1 import tracking_pb2
from shipment_exception.v1 import tracking_service_pb2 as tracking_pb

from server.settings import Settings
from tests.scenarios.driver import World
from tests.serving import client, serving

START = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday; hour 0 of every story."""


def at(hours: float) -> Timestamp:
    """The moment that lies so many hours after the start."""
    found = Timestamp()
    found.FromDatetime(START + timedelta(hours=hours))
    return found


class Watch:
    """The tracking side of a world whose store follows a feed's clock. Times are hours."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._ids = count(1)

    def register(self, parcel: str = "S1", order: str = "O1", **facts: Any) -> None:
        """Watch a parcel; its number is that of the parcel."""
        shipment = tracking_pb2.Shipment(order_id=order, shipment_code=parcel, **facts)
        if not shipment.numbers:
            shipment.numbers.add(number=f"N-{parcel}", carrier="sf")
        request = tracking_pb.RegisterShipmentsRequest(shipments=[shipment])
        (result,) = self.world.send(self.world.client.tracking.RegisterShipments, request).results
        assert result.outcome, result.error

    def scan(self, hours: float, status: str, *, parcel: str = "S1", **more: Any) -> str:
        """A checkpoint of a caller that names our status; gives its source id."""
        fact = tracking_pb2.TrackingCheckpoint(
            feed="wms",
            source_id=more.pop("source_id", f"c{next(self._ids)}"),
            number=f"N-{parcel}",
            occurred_at=at(hours),
            status=status,
            **more,
        )
        (outcome,) = self.record([fact])
        assert outcome in ("new", "known")
        return fact.source_id

    def record(self, facts: Sequence[tracking_pb2.TrackingCheckpoint]) -> list[str]:
        """Checkpoints as they are; gives their outcomes."""
        request = tracking_pb.RecordCheckpointsRequest(checkpoints=facts)
        answer = self.world.send(self.world.client.tracking.RecordCheckpoints, request)
        assert not any(result.HasField("error") for result in answer.results), answer
        return [result.outcome for result in answer.results]

    def until(self, hours: float) -> None:
        """The clock of the feed goes on, and everything that is due by then has happened."""
        request = admin_pb.AdvanceClockRequest(to=at(hours))
        self.world.send(self.world.client.admin.AdvanceClock, request)

    def shown(self, parcel: str = "S1") -> Any:
        """A watched parcel with timeline and deviations."""
        request = tracking_pb.GetShipmentRequest(shipment_code=parcel)
        return self.world.send(self.world.client.tracking.GetShipment, request)

    def cases(self) -> list[str]:
        """The cases that were opened, in the order of the log."""
        found = self.world.history('topic = "exception.detected.v1"')
        return [event.aggregate_id for event in found]

    def story(self, case: str) -> list[tuple[float, str]]:
        """What happened to a case: hours since the start, and the name of the event."""
        return [
            (
                (event.occurred.ToDatetime(UTC) - START) / timedelta(hours=1),
                event.topic.removeprefix("exception.").removesuffix(".v1"),
            )
            for event in self.world.events(case)
        ]

    def facts(self, case: str, name: str) -> list[dict[str, Any]]:
        """The stored contents of a case's events of one name."""
        topic = f"exception.{name}.v1"
        return [json.loads(e.payload) for e in self.world.events(case) if e.topic == topic]

    def codes(self) -> list[str]:
        """The codes that the cases have now, in the order in which they were opened."""
        return [self.world.case(case).code for case in self.cases()]

    def found(self, rule: str, parcel: str = "S1") -> list[tuple[float, str]]:
        """What a rule found of a parcel: hours since the start, and the stage."""
        return [
            ((each.at.ToDatetime(UTC) - START) / timedelta(hours=1), each.stage)
            for each in self.shown(parcel).deviations
            if each.rule == rule
        ]

    def tickets(self, filter_: str = "") -> list[Any]:
        """Tickets that a filter finds, in the order of the queue."""
        request = tickets_pb.ListTicketsRequest(
            filter=filter_, page_size=500, min_position=self.world.position
        )
        return list(self.world.send(self.world.client.tickets.ListTickets, request).tickets)

    def report(self, code: str, kind: str, hours: float, **more: Any) -> str:
        """Somebody tells of trouble with the parcel; gives the id of its case."""
        request = self.world.detection(code, occurred_at=at(hours), **more)
        request.signal.kind = kind
        answer = self.world.send(self.world.client.exceptions.DetectException, request)
        return str(answer.exception.exception_id)

    def mute(self, rule: str, until: float, **more: Any) -> Any:
        """Let a rule be silent for the parcel until some hours after the start."""
        given = {"order_id": "O1", "shipment_code": "S1", "reason": "the hub is closed"} | more
        request = watch_pb.MuteRuleRequest(rule=rule, until=at(until), **given)
        return self.world.send(self.world.client.exceptions.MuteRule, request).watch

    def status(self) -> Any:
        """What the server says of itself."""
        return self.world.send(self.world.client.admin.GetStatus, admin_pb.GetStatusRequest())


@contextmanager
def watching(settings: Settings) -> Iterator[Watch]:
    """A world with a tenant of its own, on a server whose store follows the clock of a feed."""
    with serving(replace(settings, clock="feed")) as running:
        name = f"t-{uuid.uuid4().hex[:12]}"
        with client(running.address, tenant=name) as stubs:
            yield Watch(World(stubs, name))
