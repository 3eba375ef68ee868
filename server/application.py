"""The library's Application on our event log: envelopes, topics from a table, loading."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import Mapper, PersistenceError, StoredEvent

from esm.clock.state import StoreClock
from esm.errors import HistoryUnreadable, StorageUnavailable
from esm.events import Recorded, UnknownEvent
from esm.evolve import State, fold
from esm.ids import store_clock_id
from esm.times import micros
from projections.pump import decoded
from server.storage.log import EventLog, envelope_of
from server.storage.records import LoggedEvent, RawRow

SQLITE = "server.storage.sqlite:SqliteLogFactory"
POSTGRES = "server.storage.postgres:PostgresLogFactory"

Loaded = tuple[int, State | None]
"""Version and state of an aggregate; (0, None) for one without history."""


class EventMapper(Mapper[UUID]):
    """Envelopes to stored events and back. Topics come from a table: none is ever imported."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The stored event of a :class:`Recorded` envelope."""
        recorded: Recorded = domain_event
        return LoggedEvent(
            originator_id=recorded.aggregate_id,
            originator_version=recorded.version,
            topic=recorded.topic,
            state=recorded.payload,
            tenant=recorded.tenant,
            order_id=recorded.order_id,
            occurred=recorded.occurred,
            recorded=recorded.recorded,
            actor=recorded.actor,
            assurance=recorded.assurance,
            correlation_id=recorded.correlation_id,
            causation_id=recorded.causation_id,
            request_id=recorded.request_id,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The :class:`Recorded` envelope of a stored event; position 0 where it is not known."""
        tenant, order_id, occurred, recorded, *people = envelope_of(stored_event)
        actor, assurance, correlation_id, causation_id, request_id = people
        return Recorded(
            position=getattr(stored_event, "id", 0),
            tenant=tenant,
            aggregate_id=cast("UUID", stored_event.originator_id),
            version=stored_event.originator_version,
            topic=stored_event.topic,
            occurred=occurred,
            recorded=recorded,
            actor=actor,
            assurance=assurance,
            correlation_id=correlation_id,
            causation_id=causation_id,
            request_id=request_id,
            order_id=order_id,
            payload=stored_event.state,
            event=decoded(stored_event.topic, stored_event.state),
        )


class ShipmentExceptions(Application[UUID]):
    """One store: its event log, and aggregates folded from it."""

    def construct_mapper(self) -> Mapper[UUID]:
        """Our own mapper: msgspec structs by topic, envelopes in columns."""
        return EventMapper(transcoder=self.construct_transcoder())

    @property
    def events_log(self) -> EventLog:
        """The recorder, with what both engines offer beyond the library's."""
        return cast("EventLog", self.recorder)

    def state_at(self, aggregate_id: UUID, version: int | None = None) -> Loaded:
        """Version and state, now or after ``version`` events; (0, None) without history."""
        rows = self.events_log.select_aggregate(aggregate_id, lte=version)
        return (len(rows), folded([recorded_of(row) for row in rows]))

    def load(self, aggregate_ids: Sequence[UUID]) -> dict[UUID, Loaded]:
        """Versions and states of several aggregates in one read."""
        histories: dict[UUID, list[Recorded]] = {a: [] for a in aggregate_ids}
        for row in self.events_log.select_aggregates(aggregate_ids):
            histories[row[2]].append(recorded_of(row))
        return {a: (len(h), folded(h)) for a, h in histories.items()}


def recorded_of(row: RawRow) -> Recorded:
    """The envelope of a raw row; bytes that cannot be decoded stay an unknown event."""
    return Recorded(*row, decoded(row[4], row[13]))


def folded(history: Sequence[Recorded]) -> State | None:
    """The state behind a whole history. Raises :class:`HistoryUnreadable` for an unknown event."""
    for recorded in history:
        if isinstance(recorded.event, UnknownEvent):
            raise HistoryUnreadable(
                f"event {recorded.topic} of {recorded.aggregate_id} is unknown to this version",
                metadata={"topic": recorded.topic, "aggregateId": str(recorded.aggregate_id)},
            )
    return fold(history)


class Advances:
    """Where the log says that the clock of the store stands; a call reads only what is new."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._seen = (0, 0)

    def __call__(self) -> int:
        """Microseconds UTC, 0 for a clock that was never advanced.

        Raises :class:`StorageUnavailable`.
        """
        version, at = self._seen
        try:
            rows = self._log.select_aggregate(store_clock_id(), gt=version)
        except PersistenceError as error:
            raise StorageUnavailable("the clock of the store cannot be read now") from error
        if rows:
            last = recorded_of(rows[-1])
            clock = folded([last])
            assert isinstance(clock, StoreClock), "the aggregate holds nothing else"
            self._seen = last.version, max(at, micros(clock.at))
        return self._seen[1]


class LogReader:
    """The log as projections read it: decoded envelopes in log order."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def read(self, after: int, limit: int) -> Sequence[Recorded]:
        """At most ``limit`` events behind a position."""
        return [recorded_of(row) for row in self._log.select_log(after, limit)]
