"""Key stores on both engines."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import OperationalError
from psycopg.sql import SQL, Identifier

from server.personal import Key, KeyStore
from server.storage.keys_postgres import PostgresKeyStore
from server.storage.keys_sqlite import SqliteKeyStore
from tests.conformance.keys import KeyStoreConformance


class TestSqliteKeys(KeyStoreConformance):
    @pytest.fixture
    def open_keys(self, tmp_path: Path) -> Iterator[Callable[[], KeyStore]]:
        stores: list[KeyStore] = []

        def open_one() -> KeyStore:
            stores.append(SqliteKeyStore(tmp_path / "keys.db"))
            return stores[-1]

        yield open_one
        for store in stores:
            store.close()

    @pytest.fixture
    def keys(self, open_keys: Callable[[], KeyStore]) -> KeyStore:
        return open_keys()

    def test_only_the_owner_may_read_the_file(self, keys: KeyStore, tmp_path: Path) -> None:
        assert (tmp_path / "keys.db").stat().st_mode & 0o777 == 0o600

    def test_no_file_holds_a_destroyed_key(self, keys: KeyStore, tmp_path: Path) -> None:
        secret = bytes(range(32))
        keys.add("t1", {"ann": Key("k1", secret)})
        assert secret in (tmp_path / "keys.db").read_bytes()
        keys.destroy("t1", "ann")
        assert all(secret not in path.read_bytes() for path in tmp_path.iterdir())

    def test_a_locked_store_is_an_operational_error(
        self, keys: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("server.storage.keys_sqlite.BUSY_SECONDS", 0)
        impatient = SqliteKeyStore(tmp_path / "keys.db")
        other = sqlite3.connect(tmp_path / "keys.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            impatient.add("t1", {"ann": Key("k1", b"1" * 32)})
        other.close()
        assert impatient.fetch("t1", ["ann"]) == {}
        impatient.close()


class TestPostgresKeys(KeyStoreConformance):
    @pytest.fixture
    def open_keys(
        self, postgres_dsn: str, postgres_schema: str
    ) -> Iterator[Callable[[], KeyStore]]:
        with psycopg.connect(postgres_dsn, autocommit=True) as connection:
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(postgres_schema)))
        stores: list[KeyStore] = []

        def open_one() -> KeyStore:
            stores.append(PostgresKeyStore(postgres_dsn, postgres_schema))
            return stores[-1]

        yield open_one
        for store in stores:
            store.close()

    @pytest.fixture
    def keys(self, open_keys: Callable[[], KeyStore]) -> KeyStore:
        return open_keys()
