"""Yardsticks below the API: bare inserts, a bare fold, and the same work by our own parts."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import msgspec
import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresFactory
from eventsourcing.utils import Environment

from benchmarks.frame import Run
from benchmarks.plain_server import library_environment
from esm.codec import TOPICS
from esm.events import Event, Recorded
from esm.evolve import State, evolve
from projections.engine import Engine, Row, Table, table_name
from projections.ledger.projection import LedgerProjection
from projections.ledger.tables import ENTRIES, LINES
from projections.pump import BATCH_EVENTS_MAX, Pump, decoded
from server.storage.log import EventLog
from server.storage.records import LoggedEvent, Submission

INSERT_EVENTS: Final = 100
LOAD_EVENTS: Final = 1_000
READ_EVENTS: Final = 2_000
LEDGER_TABLES: Final = (ENTRIES, LINES)
NOTHING: Final = (0, "")

T = TypeVar("T")
Batch = tuple[list[Row], list[Row]]
"""Rows of entries and of lines that 500 events of the log made."""


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of a size, the last one shorter."""
    left = iter(items)
    while chunk := list(islice(left, size)):
        yield chunk


def timed(count: int, work: Callable[[], object]) -> Run:
    """One run of work that does a known number of things."""
    begun = time.perf_counter()
    work()
    return Run(count / (time.perf_counter() - begun), count)


class Inserts:
    """The library's own recorder on PostgreSQL: 100 events of one size a transaction."""

    def __init__(self, dsn: str, schema: str, sample: LoggedEvent) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}".encode())
        environment = Environment("Bench", {**library_environment(dsn, schema)})
        self._factory = PostgresFactory(environment)
        self._recorder = self._factory.application_recorder()
        self._sample = sample

    def run(self, seconds: float, limit: int = 0) -> Run:
        """Inserts for some seconds, at most ``limit`` events; the rate is that of events."""
        count, begun = 0, time.perf_counter()
        while (taken := time.perf_counter() - begun) < seconds and (not limit or count < limit):
            self._recorder.insert_events(
                [
                    StoredEvent(uuid4(), 1, self._sample.topic, self._sample.state)
                    for _ in range(INSERT_EVENTS)
                ]
            )
            count += INSERT_EVENTS
        return Run(count / taken, count)

    def close(self) -> None:
        """Closes every connection."""
        self._factory.close()


class Reader:
    """The log as a pump reads it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def read(self, after: int, limit: int) -> Sequence[Recorded]:
        """Decoded events with a higher position."""
        return [
            Recorded(*row, event=decoded(row[4], row[13]))
            for row in self._log.select_log(after, limit)
        ]


def load_log(log: EventLog, events: Iterable[LoggedEvent]) -> int:
    """Writes events into an empty log; how many."""
    count = 0
    for chunk in chunks(events, LOAD_EVENTS):
        log.insert_group([Submission(events=chunk)])
        count += len(chunk)
    return count


class Ledger:
    """The ledger projection on one engine, and the bare inserts of the rows that it makes.

    Every run fills a generation of its own, which is dropped again: the same tables and indexes.
    """

    def __init__(self, engine: Engine, log: EventLog, connect: Callable[[], "Writer"]) -> None:
        self._engine = engine
        self._log = log
        self._events = log.max_position()
        self._connect = connect
        self._projection = LedgerProjection()
        self._batches: list[Batch] = []

    def ours(self) -> Run:
        """The projection from the first event to the last."""
        spec = self._projection.spec
        generation = self._engine.create(spec)
        pump = Pump(self._engine, self._projection, Reader(self._log), generation=generation)

        def project() -> None:
            while pump.run_once():
                pass

        run = timed(self._events, project)
        with self._engine.hold(spec.name, generation) as held:
            assert held is not None, "nobody else pumps"
            if held.position != self._log.max_position():
                run = run._replace(stopped=f"at {held.position}: {held.halted_reason}")
            elif not self._batches:
                rows = {table: list(held.scan(table)) for table in LEDGER_TABLES}
                self._batches = _batches(rows[ENTRIES], rows[LINES])
        self._engine.drop(spec, generation)
        return run

    def bare(self) -> Run:
        """The same rows by the bare driver, those of 500 events a transaction."""
        if not self._batches:
            self.ours()
        generation = self._engine.create(self._projection.spec)
        writer = self._connect()

        def insert() -> None:
            for batch in self._batches:
                writer.write(generation, batch)

        run = timed(self._events, insert)
        writer.close()
        self._engine.drop(self._projection.spec, generation)
        return run


class Writer:
    """Bare inserts of ledger rows on one connection."""

    def write(self, generation: int, batch: Batch) -> None:
        """Writes a batch in one transaction."""
        raise NotImplementedError

    def close(self) -> None:
        """Closes the connection."""
        raise NotImplementedError


class SqliteWriter(Writer):
    """``executemany`` of the driver."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def write(self, generation: int, batch: Batch) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for table, rows in zip(LEDGER_TABLES, batch, strict=True):
            marks = ", ".join("?" * len(table.names))
            name = table_name(table.name, generation)
            self._connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class PostgresWriter(Writer):
    """COPY of the driver, which is its fastest way to insert."""

    def __init__(self, dsn: str, schema: str) -> None:
        self._connection = psycopg.connect(dsn, options=f"-c search_path={schema}")

    def write(self, generation: int, batch: Batch) -> None:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            for table, rows in zip(LEDGER_TABLES, batch, strict=True):
                with cursor.copy(_copy(table, generation)) as copy:
                    for row in rows:
                        copy.write_row(row)

    def close(self) -> None:
        self._connection.close()


def _copy(table: Table, generation: int) -> bytes:
    name = table_name(table.name, generation)
    return f"COPY {name} ({', '.join(table.names)}) FROM STDIN".encode()


def _batches(entries: Sequence[Row], lines: Sequence[Row]) -> list[Batch]:
    """Rows by the 500 positions that they came from; both have their position second."""
    found: dict[int, Batch] = {}
    for index, rows in enumerate((entries, lines)):
        for row in rows:
            found.setdefault(row[1] // BATCH_EVENTS_MAX, ([], []))[index].append(row)
    return [found[key] for key in sorted(found)]


def bare_fold(events: Sequence[LoggedEvent]) -> Run:
    """Decodes payloads that are in memory and folds them into the least that is a state."""
    decoders = {topic: msgspec.json.Decoder(struct) for topic, struct in TOPICS.items()}
    items = [(event.originator_id, event.topic, event.state) for event in events]
    states: dict[Any, tuple[int, str]] = {}

    def fold() -> None:
        for aggregate_id, topic, payload in items:
            event = decoders[topic].decode(payload)
            states[aggregate_id] = (states.get(aggregate_id, NOTHING)[0] + 1, event.catalogue)

    return timed(len(items), fold)


def replay(log: EventLog, events: int) -> Run:
    """Reads the whole log, decodes it and folds every aggregate."""
    states: dict[UUID, State | None] = {}

    def fold() -> None:
        position = 0
        while rows := log.select_log(position, READ_EVENTS):
            for row in rows:
                event = decoded(row[4], row[13])
                if isinstance(event, Event):
                    id_ = row[2]
                    states[id_] = evolve(states.get(id_), event, id_, row[1], row[3])
            position = rows[-1][0]

    return timed(events, fold)
