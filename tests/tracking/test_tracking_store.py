"""Tracking stores on both engines."""

from __future__ import annotations

import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from server.tracking.postgres import PostgresTrackingStore
from server.tracking.sqlite import SqliteTrackingStore
from server.tracking.sqlite_schema import SELECT_AGENDA
from server.tracking.store import (
    Arriving,
    Recorded,
    TrackingStore,
    TrackingUnavailable,
    Watched,
    as_given,
)
from tests.conformance.tracking_checkpoints import TrackingStoreConformance
from tests.conformance.tracking_store import (
    MONTH,
    START,
    a_shipment,
    counting,
    told,
)


class TestSqliteTrackingStore(TrackingStoreConformance):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Iterator[Callable[[], TrackingStore]]:
        stores: list[TrackingStore] = []

        def open_one() -> TrackingStore:
            stores.append(SqliteTrackingStore(tmp_path / "tracking.db"))
            return stores[-1]

        yield open_one
        for store in stores:
            store.close()

    @pytest.fixture
    def store(self, open_store: Callable[[], TrackingStore]) -> TrackingStore:
        return open_store()

    def test_only_the_owner_may_read_the_file(self, store: TrackingStore, tmp_path: Path) -> None:
        assert stat.S_IMODE((tmp_path / "tracking.db").stat().st_mode) == 0o600

    def test_what_is_acknowledged_is_on_the_disk(self, store: TrackingStore) -> None:
        assert isinstance(store, SqliteTrackingStore)
        with store._transaction() as connection:
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_what_is_due_is_found_by_an_index(self, store: TrackingStore, tmp_path: Path) -> None:
        connection = sqlite3.connect(tmp_path / "tracking.db")
        rows = connection.execute(f"EXPLAIN QUERY PLAN {SELECT_AGENDA}", (1, 1)).fetchall()
        connection.close()
        plan = " ".join(row[3] for row in rows)
        assert "INDEX tracking_shipments_agenda" in plan
        assert "TEMP B-TREE" not in plan

    def test_a_file_that_another_process_holds_is_unavailable_and_works_again(
        self, store: TrackingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("server.tracking.sqlite.BUSY_SECONDS", 0)
        impatient = SqliteTrackingStore(tmp_path / "tracking.db")
        other = sqlite3.connect(tmp_path / "tracking.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TrackingUnavailable, match="locked"):
            impatient.register("t", [a_shipment()], counting)
        other.close()
        assert impatient.register("t", [a_shipment()], counting) == ["registered"]
        impatient.close()


class TestPostgresTrackingStore(TrackingStoreConformance):
    @pytest.fixture
    def open_store(
        self, postgres_dsn: str, postgres_schema: str
    ) -> Iterator[Callable[[], TrackingStore]]:
        stores: list[TrackingStore] = []

        def open_one() -> TrackingStore:
            stores.append(PostgresTrackingStore(postgres_dsn, postgres_schema))
            return stores[-1]

        yield open_one
        for store in stores:
            store.close()

    @pytest.fixture
    def store(self, open_store: Callable[[], TrackingStore]) -> TrackingStore:
        return open_store()

    def test_checkpoints_stand_in_a_partition_for_the_month_that_they_came_in(
        self, store: TrackingStore, postgres_dsn: str, postgres_schema: str
    ) -> None:
        store.register("t", [a_shipment()], counting)
        received = (START, START + 1, START + MONTH - 1, START + MONTH)
        for i, at in enumerate(received):
            store.record("t", [told(str(i), i, code="P-1", received=at)], counting)
        with psycopg.connect(postgres_dsn) as connection:
            rows = connection.execute(
                f"SELECT tableoid::regclass::text, count(*) FROM {postgres_schema}"
                ".tracking_checkpoints GROUP BY 1 ORDER BY 1".encode()
            ).fetchall()
        assert [(name.partition(".")[2], count) for name, count in rows] == [
            ("tracking_checkpoints_2026_01", 3),
            ("tracking_checkpoints_2026_02", 1),
        ]

    def test_what_is_due_is_found_by_an_index(
        self, store: TrackingStore, postgres_dsn: str, postgres_schema: str
    ) -> None:
        store.register("t", [a_shipment(f"P-{i}") for i in range(2_000)], counting)
        with psycopg.connect(postgres_dsn, autocommit=True) as connection:
            table = f"{postgres_schema}.tracking_shipments"
            connection.execute(f"ANALYZE {table}".encode())
            rows = connection.execute(
                f"EXPLAIN SELECT tenant, shipment_code, agenda <> due FROM {table}"
                " WHERE agenda > 0 AND agenda <= 5 ORDER BY agenda LIMIT 10".encode()
            ).fetchall()
        assert "tracking_shipments_agenda" in " ".join(row[0] for row in rows)

    def test_a_transaction_that_another_pushes_out_is_begun_again(
        self, store: TrackingStore, postgres_dsn: str, postgres_schema: str
    ) -> None:
        store.register("t", [a_shipment()], counting)
        store.record("t", [told("1", 1, code="P-1")], counting)
        other = psycopg.connect(postgres_dsn)
        other.execute("SET deadlock_timeout = '60s'")  # so that it is not the one pushed out
        other.execute(f"LOCK TABLE {postgres_schema}.tracking_checkpoints".encode())

        def cross() -> None:
            rows = f"SELECT 1 FROM {postgres_schema}.tracking_shipments FOR UPDATE"
            other.execute(rows.encode())
            other.close()

        thread = Thread(target=cross)
        sealed: list[int] = []

        def seal(tenant: str, details: Sequence[tuple[str, bytes]]) -> list[bytes]:
            if not sealed:
                thread.start()
                time.sleep(0.2)
            sealed.append(len(details))
            return as_given(tenant, details)

        batch = Arriving("t", [told("2", 2, code="P-1")])
        assert store.record_many([batch], counting, seal) == [[Recorded("new", "P-1")]]
        thread.join()
        assert sealed == [1, 1]

    def test_a_server_that_is_away_is_unavailable(
        self, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("server.tracking.postgres.POOL_WAIT_SECONDS_MAX", 0.2)
        nowhere = make_conninfo(postgres_dsn, port=1)
        with pytest.raises(TrackingUnavailable):
            PostgresTrackingStore(nowhere, "esm")

    def test_a_lost_connection_is_unavailable_once_and_loses_nothing(
        self, store: TrackingStore, postgres_dsn: str
    ) -> None:
        def settle(watched: Watched) -> Watched:
            with psycopg.connect(postgres_dsn, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND state = 'idle in transaction'"
                )
            return counting(watched)

        with pytest.raises(TrackingUnavailable):
            store.register("t", [a_shipment()], settle)
        assert store.register("t", [a_shipment()], counting) == ["registered"]
