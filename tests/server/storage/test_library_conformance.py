"""The test cases that the library ships for recorders pass against ours, on both engines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.postgres import (
    PostgresAggregateRecorder,
    PostgresProcessRecorder,
    PostgresTrackingRecorder,
)
from eventsourcing.sqlite import (
    SQLiteAggregateRecorder,
    SQLiteProcessRecorder,
    SQLiteTrackingRecorder,
)
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
)
from eventsourcing.utils import Environment
from psycopg.sql import SQL, Identifier

from server.storage.postgres import PostgresLog, PostgresLogFactory, postgres_environment
from server.storage.sqlite import SqliteLog, SqliteLogFactory

Open = Callable[[], InfrastructureFactory[Any]]


READER = "read_continuously"
JOIN_SECONDS_MAX = 30


def close_all(factories: list[InfrastructureFactory[Any]]) -> None:
    """Close stores once nobody reads them any more.

    The library's concurrency case tells its readers to stop and does not wait for them; a
    connection closed under a running statement takes the interpreter down.
    """
    for thread in threading.enumerate():
        if READER in thread.name:
            thread.join(JOIN_SECONDS_MAX)
    for factory in factories:
        factory.close()


class OnSqlite:
    """Gives every test case an empty store in a file of its own."""

    env: Environment

    @pytest.fixture(autouse=True)
    def _store(self, tmp_path: Path) -> Iterator[None]:
        name = "server.storage.sqlite:SqliteLogFactory"
        path = str(tmp_path / "events.db")
        self.env = Environment("", {"PERSISTENCE_MODULE": name, "SQLITE_DBNAME": path})
        self.open: Open = lambda: InfrastructureFactory.construct(self.env)
        self.opened: list[InfrastructureFactory[Any]] = []
        yield
        close_all(self.opened)

    def made(self) -> InfrastructureFactory[Any]:
        self.opened.append(self.open())
        return self.opened[-1]


class OnPostgres(OnSqlite):
    """The same in a schema of its own."""

    @pytest.fixture(autouse=True)
    def _store(self, postgres_dsn: str, postgres_schema: str) -> Iterator[None]:
        # What the library makes besides the log (snapshots, tracking) wants the schema there.
        with psycopg.connect(postgres_dsn, autocommit=True) as connection:
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(postgres_schema)))
        self.env = Environment("", postgres_environment(postgres_dsn, postgres_schema))
        self.open = lambda: InfrastructureFactory.construct(self.env)
        self.opened = []
        yield
        close_all(self.opened)


class _Snapshots(AggregateRecorderTestCase):
    made: Callable[[], InfrastructureFactory[Any]]

    def create_recorder(self) -> Any:
        return self.made().aggregate_recorder(purpose="snapshots")


class _Log(ApplicationRecorderTestCase[Any]):
    made: Callable[[], InfrastructureFactory[Any]]

    def create_recorder(self) -> Any:
        return self.made().application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class _Positions(NonInterleavingNotificationIDsBaseCase):
    insert_num = 300
    made: Callable[[], InfrastructureFactory[Any]]

    def create_recorder(self) -> Any:
        return self.made().application_recorder()


class TestSqliteSnapshots(OnSqlite, _Snapshots):
    pass


class TestSqliteLog(OnSqlite, _Log):
    pass


class TestSqlitePositions(OnSqlite, _Positions):
    pass


class TestPostgresSnapshots(OnPostgres, _Snapshots):
    pass


class TestPostgresLog(OnPostgres, _Log):
    pass


class TestPostgresPositions(OnPostgres, _Positions):
    pass


class SqliteView(SQLiteTrackingRecorder):
    pass


class PostgresView(PostgresTrackingRecorder):
    pass


class TestSqliteFactory(OnSqlite, InfrastructureFactoryTestCase[SqliteLogFactory]):
    def expected_factory_class(self) -> type[SqliteLogFactory]:
        return SqliteLogFactory

    def expected_aggregate_recorder_class(self) -> type[SQLiteAggregateRecorder]:
        return SQLiteAggregateRecorder

    def expected_application_recorder_class(self) -> type[SqliteLog]:
        return SqliteLog

    def expected_tracking_recorder_class(self) -> type[SQLiteTrackingRecorder]:
        return SQLiteTrackingRecorder

    def tracking_recorder_subclass(self) -> type[SQLiteTrackingRecorder]:
        return SqliteView

    def expected_process_recorder_class(self) -> type[SQLiteProcessRecorder]:
        return SQLiteProcessRecorder


class TestPostgresFactory(OnPostgres, InfrastructureFactoryTestCase[PostgresLogFactory]):
    def expected_factory_class(self) -> type[PostgresLogFactory]:
        return PostgresLogFactory

    def expected_aggregate_recorder_class(self) -> type[PostgresAggregateRecorder]:
        return PostgresAggregateRecorder

    def expected_application_recorder_class(self) -> type[PostgresLog]:
        return PostgresLog

    def expected_tracking_recorder_class(self) -> type[PostgresTrackingRecorder]:
        return PostgresTrackingRecorder

    def tracking_recorder_subclass(self) -> type[PostgresTrackingRecorder]:
        return PostgresView

    def expected_process_recorder_class(self) -> type[PostgresProcessRecorder]:
        return PostgresProcessRecorder


def test_an_aggregate_recorder_reads_an_unknown_aggregate_as_empty(tmp_path: Path) -> None:
    factory = SqliteLogFactory(Environment("", {"SQLITE_DBNAME": str(tmp_path / "events.db")}))
    assert factory.application_recorder().select_events(uuid4()) == []
    factory.close()


# The runner would take the base classes for tests of their own.
del _Log, _Positions, _Snapshots
del AggregateRecorderTestCase, ApplicationRecorderTestCase
del InfrastructureFactoryTestCase, NonInterleavingNotificationIDsBaseCase
