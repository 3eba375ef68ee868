"""Persons' keys in `keys.db`: apart from the log, with a backup policy of their own."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from threading import Lock

import msgspec
from eventsourcing.persistence import OperationalError

from server.personal import Key, KeyStore

BUSY_SECONDS = 5

CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS keys_subjects (
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    key_id TEXT NOT NULL,
    secret BLOB NOT NULL,
    PRIMARY KEY (tenant, subject)
) WITHOUT ROWID
"""

# One row: the driver lets go of the interpreter lock at each row that it fetches, and beside a busy
# thread every row would wait for it.
SELECT_KEYS = """
SELECT json_group_array(json_array(s.subject, s.key_id, hex(s.secret)))
FROM json_each(?) AS k CROSS JOIN keys_subjects AS s ON s.tenant = ? AND s.subject = k.value
"""


class SqliteKeyStore(KeyStore):
    """Keys in one SQLite file that only the owner of the process may read."""

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        # Made before SQLite makes it, for SQLite would let the umask decide who may read it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS
        )
        # A rollback journal, not WAL: when a deletion has returned, no file holds the key still.
        for pragma in ("journal_mode=DELETE", "synchronous=EXTRA", "secure_delete=ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(CREATE_TABLE)

    def fetch(self, tenant: str, subjects: Collection[str]) -> dict[str, Key]:
        with self._transaction(begin="BEGIN") as connection:
            return _fetch(connection, tenant, subjects)

    def add(self, tenant: str, keys: Mapping[str, Key]) -> dict[str, Key]:
        rows = [(tenant, subject, *key) for subject, key in keys.items()]
        with self._transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO keys_subjects VALUES (?,?,?,?)", rows)
            return _fetch(connection, tenant, keys)

    def destroy(self, tenant: str, subject: str) -> bool:
        with self._transaction() as connection:
            statement = "DELETE FROM keys_subjects WHERE tenant = ? AND subject = ?"
            return connection.execute(statement, (tenant, subject)).rowcount > 0

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def _transaction(self, *, begin: str = "BEGIN IMMEDIATE") -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute(begin)
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise OperationalError(str(error)) from error


def _fetch(
    connection: sqlite3.Connection, tenant: str, subjects: Collection[str]
) -> dict[str, Key]:
    wanted = msgspec.json.encode(list(subjects)).decode()
    (found,) = connection.execute(SELECT_KEYS, (wanted, tenant)).fetchone()
    return {
        subject: Key(key_id, bytes.fromhex(secret))
        for subject, key_id, secret in msgspec.json.decode(found)
    }
