"""The view store in one PostgreSQL schema: pools of connections, bulk writes, elected pumps."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg_pool import ConnectionPool

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
    Unavailable,
    resolved,
    table_name,
)
from projections.postgres_arrays import integers, texts

READERS_MAX = 8
WRITERS_MAX = 4
READER_WAIT_SECONDS_MAX = 2.0
WRITER_WAIT_SECONDS_MAX = 30.0
"""How long a read, or a batch of a projection, waits for a connection."""

LOCK_MILLISECONDS_MAX = 10_000
READ_TRIES_MAX = 5
SCAN_ROWS = 2_000
COPY_ROWS_MIN = 20
"""Fewer rows than this are inserted by a statement; more are copied."""

DDL_LOCK = 0x65736D_76696577
"""Key of the advisory lock under which view tables are made and dropped."""

_SKIPPING = " FOR UPDATE SKIP LOCKED"
_WAITING = " FOR UPDATE"

_REFUSALS = (psycopg.DataError, psycopg.IntegrityError, errors.ProgramLimitExceeded)
"""What the server says of a value or a key that it cannot take, one too long for an index too."""

_TYPES = {"text": "text", "integer": "bigint"}

Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresReader(Reader):
    """Reads on one connection."""

    CONTAINS = "strpos"

    def __init__(self, connection: Connection, generation: int) -> None:
        self._connection = connection
        self.generation = generation

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        query = _placeholders(resolved(sql, self.generation))
        return self._connection.execute(query, tuple(parameters)).fetchall()

    def scan(self, table: Table) -> Iterator[Row]:
        name = table_name(table.name, self.generation)
        query = f"SELECT {', '.join(table.names)} FROM {name} ORDER BY {', '.join(table.key)}"
        with self._connection.cursor(f"scan_{name}") as cursor:
            cursor.itersize = SCAN_ROWS
            yield from cursor.execute(query.encode())


class PostgresHeld(PostgresReader, Held):
    """A transaction that has locked a projection's tracking row."""

    def __init__(
        self, connection: Connection, projection: str, tracking: tuple[int, int, int, str]
    ) -> None:
        generation, self.position, self.halted_at, self.halted_reason = tracking
        super().__init__(connection, generation)
        self._projection = projection

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        if len(rows) < COPY_ROWS_MIN:
            self._unnest(_insert(table, self.generation), table, rows)
            return
        name = table_name(table.name, self.generation)
        columns = ", ".join(table.names)
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {name} ({columns}) FROM STDIN".encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def upsert(self, table: Table, rows: Sequence[Row]) -> None:
        self._unnest(_upsert(table, self.generation), table, rows)

    def update(self, table: Table, before: Sequence[Row], after: Sequence[Row]) -> None:
        # A changed row is a new one here, with an entry in every index whatever changed.
        del before
        self.upsert(table, after)

    def advance(self, position: int, parked: Sequence[Parked]) -> None:
        key = (self._projection, self.generation)
        self._unnest(_insert(PARKED, None), PARKED, [(*key, *p) for p in parked])
        self._track(position, 0, "")

    def halt(self, position: int, at: int, reason: str) -> None:
        self._track(position, at, reason)

    def beside(self, generation: int) -> "PostgresHeld":
        found = _tracking(self._connection, self._projection, generation, _SKIPPING)
        if found is None:
            raise NoSuchProjection(f"{self._projection} has no free generation {generation}")
        return PostgresHeld(self._connection, self._projection, found)

    def switch(self, generation: int) -> None:
        self._connection.execute(
            "UPDATE view_tracking SET live = (generation = %s)::int WHERE projection = %s",
            (generation, self._projection),
        )

    def _unnest(self, statement: bytes, table: Table, rows: Sequence[Row]) -> None:
        if rows:
            arrays = [
                _ARRAYS[column.kind](values)
                for column, values in zip(table.columns, zip(*rows, strict=True), strict=True)
            ]
            self._connection.execute(statement, arrays)

    def _track(self, position: int, halted_at: int, reason: str) -> None:
        self._connection.execute(
            "UPDATE view_tracking SET position = %s, halted_position = %s, halted_reason = %s"
            " WHERE projection = %s AND generation = %s",
            (position, halted_at, reason, self._projection, self.generation),
        )
        self.position = position


class PostgresEngine(Engine):
    """The tables ``view_*`` of one schema; None = the schema that the DSN itself leads to.

    Any number of processes may share it. Needs a connection that keeps its session settings.
    """

    def __init__(self, dsn: str, *, schema: str | None = None) -> None:
        self._schema = schema
        self._readers = self._pool(
            dsn, READERS_MAX, READER_WAIT_SECONDS_MAX, self._configure_reader
        )
        self._writers = self._pool(
            dsn, WRITERS_MAX, WRITER_WAIT_SECONDS_MAX, self._configure_writer
        )
        with self._ddl() as connection:
            if schema is not None:
                name = sql.Identifier(schema)
                connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
            for table in (TRACKING, PARKED):
                connection.execute(_create(table, table.name, missing_only=True))

    def ensure(self, spec: Spec) -> None:
        with self._ddl() as connection:
            if _tracking(connection, spec.name, None) is None:
                _new_generation(connection, spec, 1, live=True)

    @contextmanager
    def hold(
        self, projection: str, generation: int | None = None, *, wait: bool = False
    ) -> Iterator[PostgresHeld | None]:
        lock = _WAITING if wait else _SKIPPING
        try:
            with self._writers.connection() as connection, connection.transaction():
                found = _tracking(connection, projection, generation, lock)
                if found is None:
                    _require(connection, projection, generation)
                    yield None
                else:
                    yield PostgresHeld(connection, projection, found)
        except _REFUSALS as error:
            text = error.diag.message_primary or str(error)
            raise Rejected(f"{type(error).__name__}: {text}") from error
        except UnicodeEncodeError as error:
            raise Rejected(f"{type(error).__name__}: {error.reason}") from error

    def read(self, projection: str, question: Callable[[Reader], T]) -> T:
        for _ in range(READ_TRIES_MAX - 1):
            # A rebuild may drop the generation that was live when the question began.
            with suppress(errors.UndefinedTable):
                return self._read(projection, question)
        return self._read(projection, question)

    def position(self, projection: str) -> int:
        with self._reading() as connection:
            return _require(connection, projection, None)[1]

    def fingerprint(self, projection: str) -> str:
        query = "SELECT fingerprint FROM view_tracking WHERE projection = %s AND live = 1"
        with self._reading() as connection:
            found = connection.execute(query, (projection,)).fetchall()
        return str(found[0][0]) if found else ""

    def progress(self, projection: str, generation: int | None = None) -> Progress:
        with self._reading() as connection:
            generation, position, halted_at, reason = _require(connection, projection, generation)
            found = connection.execute(
                "SELECT count(*) FROM view_parked WHERE projection = %s AND generation = %s",
                (projection, generation),
            ).fetchall()
        return Progress(projection, generation, position, found[0][0], halted_at, reason)

    def parked(self, projection: str, tenant: str, limit: int) -> list[Parked]:
        with self._reading() as connection:
            found = connection.execute(
                "SELECT p.position, p.tenant, p.event_id, p.topic, p.reason FROM view_parked p"
                " JOIN view_tracking t"
                " ON t.projection = p.projection AND t.generation = p.generation"
                " WHERE p.projection = %s AND t.live = 1 AND p.tenant = %s"
                " ORDER BY p.position DESC LIMIT %s",
                (projection, tenant, limit),
            ).fetchall()
        return [Parked(*row) for row in found]

    def create(self, spec: Spec) -> int:
        with self._writers.connection() as connection:
            left = [
                generation
                for generation, live in connection.execute(
                    "SELECT generation, live FROM view_tracking WHERE projection = %s",
                    (spec.name,),
                )
                if not live
            ]
        for generation in left:
            self.drop(spec, generation)
        with self._ddl() as connection:
            newest = connection.execute(
                "SELECT max(generation) FROM view_tracking WHERE projection = %s", (spec.name,)
            ).fetchall()[0][0]
            # Never a number that a rebuild which is still running may have.
            new: int = max([*left, newest or 0]) + 1
            _new_generation(connection, spec, new, live=False)
            return new

    def drop(self, spec: Spec, generation: int) -> None:
        # One table a transaction: readers lock several, so holding two could be a deadlock.
        # The tracking row goes last, so that a drop that was broken off is done again.
        with self._writers.connection() as connection:
            for table in spec.tables:
                statement = f"DROP TABLE IF EXISTS {table_name(table.name, generation)}"
                connection.execute(statement.encode())
            with connection.transaction():
                for table in (TRACKING, PARKED):
                    statement = (
                        f"DELETE FROM {table.name} WHERE projection = %s AND generation = %s"
                    )
                    connection.execute(statement.encode(), (spec.name, generation))

    def close(self) -> None:
        self._readers.close()
        self._writers.close()

    def _read(self, projection: str, question: Callable[[Reader], T]) -> T:
        with self._reading() as connection, connection.transaction():
            generation = _require(connection, projection, None)[0]
            return question(PostgresReader(connection, generation))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._readers.connection() as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise Unavailable(str(error)) from error

    @contextmanager
    def _ddl(self) -> Iterator[Connection]:
        with self._writers.connection() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (DDL_LOCK,))
            yield connection

    def _pool(
        self, dsn: str, size: int, wait: float, configure: Callable[[Connection], None]
    ) -> ConnectionPool[Connection]:
        return ConnectionPool(
            dsn,
            min_size=1,
            max_size=size,
            timeout=wait,
            configure=configure,
            kwargs={"autocommit": True},
            open=True,
        )

    def _configure_reader(self, connection: Connection) -> None:
        self._configure(connection)
        # All statements of a question see one moment.
        connection.execute("SET default_transaction_isolation = 'repeatable read'")
        connection.execute("SET default_transaction_read_only = on")

    def _configure_writer(self, connection: Connection) -> None:
        self._configure(connection)
        # Rows and position are lost together in a crash of the server, and projected again.
        connection.execute("SET synchronous_commit = off")

    def _configure(self, connection: Connection) -> None:
        connection.execute(f"SET lock_timeout = {LOCK_MILLISECONDS_MAX}".encode())
        if self._schema is not None:
            name = sql.Identifier(self._schema)
            connection.execute(sql.SQL("SET search_path TO {}").format(name))


@lru_cache(maxsize=1024)
def _placeholders(query: str) -> bytes:
    return query.replace("%", "%%").replace("?", "%s").encode()


def _tracking(
    connection: Connection, projection: str, generation: int | None, lock: str = ""
) -> tuple[int, int, int, str] | None:
    """(generation, position, halted at, reason) of a generation, None = of the live one.

    ``lock`` is one of the clauses above: skipping finds nothing while another has the row.
    """
    which, values = ("live = 1", ()) if generation is None else ("generation = %s", (generation,))
    query = (
        "SELECT generation, position, halted_position, halted_reason FROM view_tracking"
        f" WHERE projection = %s AND {which}{lock}"
    )
    return connection.execute(query.encode(), (projection, *values)).fetchone()


def _require(
    connection: Connection, projection: str, generation: int | None
) -> tuple[int, int, int, str]:
    found = _tracking(connection, projection, generation)
    if found is None:
        raise NoSuchProjection(f"{projection} has no generation {generation or 'at all'}")
    return found


def _new_generation(connection: Connection, spec: Spec, generation: int, *, live: bool) -> None:
    for table in spec.tables:
        name = table_name(table.name, generation)
        connection.execute(_create(table, name))
        for number, index in enumerate(table.indexes):
            where = f" WHERE {index.where}" if index.where else ""
            statement = (
                f"CREATE {'UNIQUE ' if index.unique else ''}INDEX {name}_i{number}"
                f" ON {name} ({', '.join(index.columns)}){where}"
            )
            connection.execute(statement.encode())
    connection.execute(
        "INSERT INTO view_tracking VALUES (%s, %s, 0, %s, 0, '', %s)",
        (spec.name, generation, int(live), spec.fingerprint),
    )


def _create(table: Table, name: str, *, missing_only: bool = False) -> bytes:
    columns = ", ".join(_column(column) for column in table.columns)
    missing = "IF NOT EXISTS " if missing_only else ""
    key = ", ".join(table.key)
    return f"CREATE TABLE {missing}{name} ({columns}, PRIMARY KEY ({key}))".encode()


def _column(column: Column) -> str:
    kind = 'text COLLATE "C"' if column.kind == "text" else "bigint"
    return f"{column.name} {kind}{'' if column.nullable else ' NOT NULL'}"


_ARRAYS: dict[str, Callable[[Sequence[Any]], str]] = {"text": texts, "integer": integers}


@lru_cache(maxsize=64)
def _insert(table: Table, generation: int | None) -> bytes:
    name = table.name if generation is None else table_name(table.name, generation)
    arrays = ", ".join(f"%s::{_TYPES[column.kind]}[]" for column in table.columns)
    return f"INSERT INTO {name} ({', '.join(table.names)}) SELECT * FROM unnest({arrays})".encode()


@lru_cache(maxsize=64)
def _upsert(table: Table, generation: int) -> bytes:
    others = ", ".join(f"{name} = excluded.{name}" for name in table.names if name not in table.key)
    conflict = f" ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {others}"
    return _insert(table, generation) + conflict.encode()
