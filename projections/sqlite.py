"""The view store in one SQLite file: a writer connection, and one reader per thread."""

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from operator import itemgetter
from pathlib import Path

from projections.engine import (
    PARKED,
    TRACKING,
    Column,
    Engine,
    Held,
    NoSuchProjection,
    Parked,
    Progress,
    Reader,
    Rejected,
    Row,
    Spec,
    T,
    Table,
    resolved,
    table_name,
)

BUSY_MILLISECONDS_MAX = 10_000
CACHE_KIBIBYTES = 16_384
PAGE_BYTES = 4_096
"""Of a new file. A batch of tickets changes a little in many pages, and each goes whole to the
write-ahead log: with twice the size a ticket takes a tenth more processor, alone a fifth."""
CHECKPOINT_BYTES = 64_000_000
"""Size of the write-ahead log before its pages go to the file: fewer, larger steps are cheaper,
for a page that many batches changed goes once."""

_REFUSALS = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    OverflowError,
    UnicodeEncodeError,
)
"""What the driver raises for a value or a key that it cannot take."""


class SqliteReader(Reader):
    """Reads on one connection."""

    CONTAINS = "instr"

    def __init__(self, connection: sqlite3.Connection, generation: int) -> None:
        self._connection = connection
        self.generation = generation

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        query = resolved(sql, self.generation)
        return self._connection.execute(query, tuple(parameters)).fetchall()

    def scan(self, table: Table) -> Iterator[Row]:
        name = table_name(table.name, self.generation)
        yield from self._connection.execute(
            f"SELECT {', '.join(table.names)} FROM {name} ORDER BY {', '.join(table.key)}"
        )


class SqliteHeld(SqliteReader, Held):
    """The write transaction of the file, on one generation."""

    def __init__(
        self, connection: sqlite3.Connection, projection: str, tracking: tuple[int, int, int, str]
    ) -> None:
        generation, self.position, self.halted_at, self.halted_reason = tracking
        super().__init__(connection, generation)
        self._projection = projection

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        if rows:
            self._connection.executemany(_insert(table, self.generation), rows)

    def upsert(self, table: Table, rows: Sequence[Row]) -> None:
        if rows:
            self._connection.executemany(_upsert(table, self.generation), rows)

    def update(self, table: Table, before: Sequence[Row], after: Sequence[Row]) -> None:
        # SQLite writes an entry of every index that a statement names a column of, changed or
        # not, and each lies in another page: so a statement names only those that did change.
        indexed = _indexed(table)
        alike: defaultdict[tuple[int, ...], list[Row]] = defaultdict(list)
        for old, new in zip(before, after, strict=True):
            if old != new:
                alike[tuple([n for n in indexed if old[n] != new[n]])].append(new)
        for changed, rows in alike.items():
            statement, values = _update(table, self.generation, changed)
            if self._connection.executemany(statement, map(values, rows)).rowcount != len(rows):
                raise Rejected(f"a row of {table.name} that is to be changed is not there")

    def advance(self, position: int, parked: Sequence[Parked]) -> None:
        key = (self._projection, self.generation)
        self._connection.executemany(
            "INSERT INTO view_parked VALUES (?, ?, ?, ?, ?, ?, ?)", [(*key, *p) for p in parked]
        )
        self._track(position, 0, "")

    def halt(self, position: int, at: int, reason: str) -> None:
        self._track(position, at, reason)

    def beside(self, generation: int) -> "SqliteHeld":
        found = _require(self._connection, self._projection, generation)
        return SqliteHeld(self._connection, self._projection, found)

    def switch(self, generation: int) -> None:
        self._connection.execute(
            "UPDATE view_tracking SET live = (generation = ?) WHERE projection = ?",
            (generation, self._projection),
        )

    def _track(self, position: int, halted_at: int, reason: str) -> None:
        self._connection.execute(
            "UPDATE view_tracking SET position = ?, halted_position = ?, halted_reason = ?"
            " WHERE projection = ? AND generation = ?",
            (position, halted_at, reason, self._projection, self.generation),
        )
        self.position = position


class SqliteEngine(Engine):
    """One file that may be deleted at any time while no process has it open.

    Writers of this process wait for each other on a lock, those of other processes on the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._lock = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._writing = threading.Lock()
        self._writer = self._connect()
        with self._transaction() as connection:
            for table in (TRACKING, PARKED):
                connection.execute(_create(table, table.name, missing_only=True))

    def ensure(self, spec: Spec) -> None:
        with self._transaction() as connection:
            if _tracking(connection, spec.name, None) is None:
                _new_generation(connection, spec, 1, live=True)

    @contextmanager
    def hold(
        self, projection: str, generation: int | None = None, *, wait: bool = False
    ) -> Iterator[SqliteHeld | None]:
        del wait  # The file has one writer, so everybody waits.
        with self._transaction() as connection:
            found = _require(connection, projection, generation)
            try:
                yield SqliteHeld(connection, projection, found)
            except _REFUSALS as error:
                raise Rejected(f"{type(error).__name__}: {error}") from error

    def read(self, projection: str, question: Callable[[Reader], T]) -> T:
        connection = self._reader()
        connection.execute("BEGIN")
        try:
            generation = _require(connection, projection, None)[0]
            return question(SqliteReader(connection, generation))
        finally:
            connection.execute("ROLLBACK")

    def position(self, projection: str) -> int:
        return _require(self._reader(), projection, None)[1]

    def fingerprint(self, projection: str) -> str:
        sql = "SELECT fingerprint FROM view_tracking WHERE projection = ? AND live = 1"
        found = self._reader().execute(sql, (projection,)).fetchone()
        return str(found[0]) if found else ""

    def progress(self, projection: str, generation: int | None = None) -> Progress:
        connection = self._reader()
        generation, position, halted_at, reason = _require(connection, projection, generation)
        (parked,) = connection.execute(
            "SELECT count(*) FROM view_parked WHERE projection = ? AND generation = ?",
            (projection, generation),
        ).fetchone()
        return Progress(projection, generation, position, parked, halted_at, reason)

    def parked(self, projection: str, tenant: str, limit: int) -> list[Parked]:
        found = self._reader().execute(
            "SELECT p.position, p.tenant, p.event_id, p.topic, p.reason FROM view_parked p"
            " JOIN view_tracking t ON t.projection = p.projection AND t.generation = p.generation"
            " WHERE p.projection = ? AND t.live = 1 AND p.tenant = ?"
            " ORDER BY p.position DESC LIMIT ?",
            (projection, tenant, limit),
        )
        return [Parked(*row) for row in found]

    def create(self, spec: Spec) -> int:
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT generation, live FROM view_tracking WHERE projection = ?", (spec.name,)
            ).fetchall()
            for generation, live in rows:
                if not live:
                    _drop(connection, spec, generation)
            new = max((generation for generation, _ in rows), default=0) + 1
            _new_generation(connection, spec, new, live=False)
            return new

    def drop(self, spec: Spec, generation: int) -> None:
        with self._transaction() as connection:
            _drop(connection, spec, generation)

    def close(self) -> None:
        with self._lock:
            for connection in (*self._readers, self._writer):
                connection.close()
            self._readers.clear()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """The one write transaction; the lock is taken before the first read."""
        with self._writing:
            connection = self._writer
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            with self._lock:
                self._readers.append(connection)
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_MILLISECONDS_MAX / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_BYTES // page_bytes}")
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection


def _tracking(
    connection: sqlite3.Connection, projection: str, generation: int | None
) -> tuple[int, int, int, str] | None:
    """(generation, position, halted at, reason) of a generation, None = of the live one."""
    which, values = ("live = 1", ()) if generation is None else ("generation = ?", (generation,))
    row: tuple[int, int, int, str] | None = connection.execute(
        "SELECT generation, position, halted_position, halted_reason FROM view_tracking"
        f" WHERE projection = ? AND {which}",
        (projection, *values),
    ).fetchone()
    return row


def _require(
    connection: sqlite3.Connection, projection: str, generation: int | None
) -> tuple[int, int, int, str]:
    found = _tracking(connection, projection, generation)
    if found is None:
        raise NoSuchProjection(f"{projection} has no generation {generation or 'at all'}")
    return found


def _new_generation(
    connection: sqlite3.Connection, spec: Spec, generation: int, *, live: bool
) -> None:
    for table in spec.tables:
        name = table_name(table.name, generation)
        connection.execute(_create(table, name))
        for number, index in enumerate(table.indexes):
            where = f" WHERE {index.where}" if index.where else ""
            connection.execute(
                f"CREATE {'UNIQUE ' if index.unique else ''}INDEX {name}_i{number}"
                f" ON {name} ({', '.join(index.columns)}){where}"
            )
    connection.execute(
        "INSERT INTO view_tracking VALUES (?, ?, 0, ?, 0, '', ?)",
        (spec.name, generation, int(live), spec.fingerprint),
    )


def _drop(connection: sqlite3.Connection, spec: Spec, generation: int) -> None:
    for table in spec.tables:
        connection.execute(f"DROP TABLE IF EXISTS {table_name(table.name, generation)}")
    for table in (TRACKING, PARKED):
        connection.execute(
            f"DELETE FROM {table.name} WHERE projection = ? AND generation = ?",
            (spec.name, generation),
        )


def _create(table: Table, name: str, *, missing_only: bool = False) -> str:
    columns = ", ".join(_column(column) for column in table.columns)
    options = "STRICT, WITHOUT ROWID" if table.clustered else "STRICT"
    missing = "IF NOT EXISTS " if missing_only else ""
    key = ", ".join(table.key)
    return f"CREATE TABLE {missing}{name} ({columns}, PRIMARY KEY ({key})) {options}"


def _column(column: Column) -> str:
    return f"{column.name} {column.kind.upper()}{'' if column.nullable else ' NOT NULL'}"


@lru_cache(maxsize=64)
def _insert(table: Table, generation: int) -> str:
    marks = ", ".join("?" * len(table.columns))
    return f"INSERT INTO {table_name(table.name, generation)} VALUES ({marks})"


@lru_cache(maxsize=64)
def _indexed(table: Table) -> tuple[int, ...]:
    """Where in a row the columns outside the key are that an index holds."""
    held = {name for index in table.indexes for name in index.columns}
    return tuple(n for n, name in enumerate(table.names) if name in held and name not in table.key)


@lru_cache(maxsize=256)
def _update(
    table: Table, generation: int, changed: tuple[int, ...]
) -> tuple[str, Callable[[Row], Row]]:
    """Sets the columns that no index holds and ``changed`` ones; and what it takes of a row."""
    kept = {*_indexed(table)}.difference(changed)
    names = [name for n, name in enumerate(table.names) if n not in kept and name not in table.key]
    changes = ", ".join(f"{name} = ?" for name in names)
    which = " AND ".join(f"{name} = ?" for name in table.key)
    return (
        f"UPDATE {table_name(table.name, generation)} SET {changes} WHERE {which}",
        itemgetter(*[table.names.index(name) for name in (*names, *table.key)]),
    )


@lru_cache(maxsize=64)
def _upsert(table: Table, generation: int) -> str:
    others = ", ".join(f"{name} = excluded.{name}" for name in table.names if name not in table.key)
    return (
        f"{_insert(table, generation)} ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {others}"
    )
