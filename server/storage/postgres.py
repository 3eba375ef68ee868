"""The event log on PostgreSQL, for any number of servers on one store (one schema)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from threading import Event, Lock
from typing import Any, cast
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    InterfaceError,
    OperationalError,
    ProgrammingError,
    StoredEvent,
)
from eventsourcing.postgres import (
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresFactory,
)
from eventsourcing.utils import Environment, retry
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row, tuple_row
from psycopg.sql import SQL, Identifier, Literal

from server.storage.listening import Listener
from server.storage.log import SCHEMA_VERSION, EventLog
from server.storage.postgres_arrays import group_arrays, rested_on
from server.storage.postgres_schema import (
    FIND_MOVED,
    INSERT_GROUP,
    channel_of,
    create_statements,
    lock_key,
)
from server.storage.records import (
    ANY,
    EVENTS_PER_SUBMISSION_MAX,
    Conflict,
    LogConflict,
    LogFilter,
    OutcomeUnknown,
    RawRow,
    RequestAnswer,
    StoreProblem,
    Submission,
    check_sizes,
    positions_of,
)

EVENTS_TABLE = "log_events"
DEFAULT_SCHEMA = "esm"
SCHEMA_BYTES_MAX = 50
LOCK_SECONDS_MAX = 5
# A connection that rested longer is asked whether it still lives before it writes.
WRITER_IDLE_SECONDS_MAX = 1.0
STATEMENTS_MAX = 512
CONNECT_SECONDS_MAX = 5
POOL_WAIT_SECONDS_MAX = 2.0
"""How long a read waits for a connection; it is tried three times."""

CONNECTION = {
    "application_name": "esm",
    "connect_timeout": CONNECT_SECONDS_MAX,
    # A server that vanished without a word is given up after 15 to 25 s, not after two hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""Parameters of libpq, each unless the DSN says otherwise."""

SELECT_ROWS = """
SELECT notification_id, tenant, originator_id, originator_version, topic, occurred, recorded,
       actor, assurance, correlation_id, causation_id, request_id, order_id, state
FROM {schema}.log_events WHERE """

FIND_REQUESTS = """
SELECT request_id, fingerprint, answer, position FROM {schema}.log_requests
WHERE tenant = %s AND request_id = ANY(%s)
"""

FIND_SOURCES = """
SELECT s.source, s.source_id, s.aggregate_id
FROM unnest(%s::text[], %s::text[]) AS k (source, source_id)
JOIN {schema}.log_sources AS s
  ON s.tenant = %s AND s.source = k.source AND s.source_id = k.source_id
"""

ADD_META = """
INSERT INTO {schema}.log_meta SELECT * FROM unnest(%s::text[], %s::text[]) ON CONFLICT DO NOTHING
"""

reading = retry((InterfaceError, OperationalError), max_attempts=3, wait=0.2)
"""Reads may be repeated after a lost connection; writes never are, see `OutcomeUnknown`."""


class PostgresLog(EventLog, PostgresApplicationRecorder):
    """The event log of a store that lives in one schema of a PostgreSQL database.

    Groups are written through one connection of their own: writers wait for each other anyway,
    within the process here and between processes at the advisory lock.
    """

    def __init__(
        self, datastore: PostgresDatastore, *, events_table_name: str = EVENTS_TABLE
    ) -> None:
        super().__init__(datastore, events_table_name=events_table_name)
        schema = datastore.schema
        if len(schema.encode()) > SCHEMA_BYTES_MAX:
            raise ProgrammingError(f"the name of a schema has at most {SCHEMA_BYTES_MAX} bytes")
        # Only our own statements: the library's would add a type and a function that a second
        # application in the schema would overwrite.
        self.sql_create_statements = create_statements(schema)
        datastore.db_type_names.discard(self.stored_event_type_name)
        self.channel_name = channel_of(schema)
        self._key = lock_key(schema)
        self._insert_group = SQL(INSERT_GROUP).format(
            schema=Identifier(schema), key=Literal(self._key), channel=Literal(self.channel_name)
        )
        self._find_moved = SQL(FIND_MOVED).format(schema=Identifier(schema))
        self._writer: psycopg.Connection[Any] | None = None
        self._writer_lock = Lock()
        self._writer_used = 0.0
        self._listener = Listener(self._connect, self.channel_name)

    def create_table(self) -> None:
        """Makes what is missing of schema and tables; raises StoreProblem for another version.

        The writers' lock is held meanwhile, so that two servers may start at once.
        """
        with self.datastore.transaction(commit=True) as cursor:
            version = self._version(cursor)
            if version is None:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", (self._key,))
                if not cursor.execute(
                    "SELECT 1 FROM pg_namespace WHERE nspname = %s", (self.datastore.schema,)
                ).fetchone():
                    name = Identifier(self.datastore.schema)
                    cursor.execute(SQL("CREATE SCHEMA {}").format(name))
                self._create_table(cursor)
                cursor.execute(self._sql(ADD_META), (["schema_version"], [SCHEMA_VERSION]))
                version = self._version(cursor)
        if version != SCHEMA_VERSION:
            raise StoreProblem(
                f"the store has schema {version}, this program knows {SCHEMA_VERSION}"
            )

    def _version(self, cursor: psycopg.Cursor[DictRow]) -> str | None:
        table = f'"{self.datastore.schema}".log_meta'
        found = cursor.execute("SELECT to_regclass(%s) AS name", (table,)).fetchone()
        if found is None or found["name"] is None:
            return None
        statement = "SELECT value FROM {schema}.log_meta WHERE key = 'schema_version'"
        row = cursor.execute(self._sql(statement)).fetchone()
        return None if row is None else cast(str, row["value"])

    # Writing.

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        if not stored_events:
            return []
        return self._write([Submission(stored_events)])[1:]

    def insert_group(self, submissions: Sequence[Submission]) -> list[int]:
        check_sizes(submissions)
        if not submissions:
            return []
        before, *positions = self._write(submissions)
        return positions_of(submissions, positions, before)

    def _write(self, submissions: Sequence[Submission]) -> list[int]:
        """Commits a group; answers the highest position before it, then those of its events."""
        values, rests_on = group_arrays(submissions), rested_on(submissions)
        with self._writer_lock:
            connection = self._writing_connection()
            try:
                with connection.transaction() if rests_on else contextlib.nullcontext():
                    if rests_on:
                        self._check_unmoved(connection, rests_on)
                    cursor = connection.execute(self._insert_group, values, prepare=True)
                    row = cursor.fetchone()
            except psycopg.IntegrityError as error:
                raise LogConflict(_conflict(error), str(error)) from error
            except psycopg.Error as error:
                if connection.closed:
                    raise OutcomeUnknown(str(error)) from error
                raise OperationalError(str(error)) from error
            self._writer_used = time.monotonic()
        assert row is not None
        self._listener.watchers.wake()
        return cast(list[int], row[0])

    def _check_unmoved(
        self, connection: psycopg.Connection[Any], rests_on: tuple[str, str]
    ) -> None:
        """Takes the writers' lock; raises LogConflict when an aggregate is not as it was read."""
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (self._key,), prepare=True)
        moved = connection.execute(self._find_moved, rests_on, prepare=True).fetchone()
        if moved is not None:
            raise LogConflict("version", f"{moved[0]} is not as it was when it was read")

    def _writing_connection(self) -> psycopg.Connection[Any]:
        connection = self._writer
        if connection is not None and not connection.closed:
            if time.monotonic() - self._writer_used < WRITER_IDLE_SECONDS_MAX:
                return connection
            try:
                connection.execute("SELECT 1")
            except psycopg.Error:
                connection.close()
            else:
                return connection
        self._writer = self._connect()
        # The check of what a group rests on must see what was committed while it waited.
        self._writer.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        self._writer.execute(f"SET lock_timeout = '{LOCK_SECONDS_MAX}s'")
        return self._writer

    def _connect(self) -> psycopg.Connection[Any]:
        """A connection beside the pool, with the same parameters."""
        pool = self.datastore.pool
        parameters = {**cast(dict[str, Any], pool.kwargs), "row_factory": tuple_row}
        try:
            return psycopg.Connection.connect(
                cast(str, pool.conninfo), autocommit=True, **parameters
            )
        except psycopg.Error as error:
            raise OperationalError(str(error)) from error

    def ensure_meta(self, defaults: Mapping[str, str]) -> dict[str, str]:
        self._read(f"{ADD_META} RETURNING key", (list(defaults), list(defaults.values())))
        return dict(self._read("SELECT key, value FROM {schema}.log_meta", ()))

    # Reading.

    def find_requests(self, tenant: str, ids: Sequence[str]) -> dict[str, RequestAnswer]:
        rows = self._read(FIND_REQUESTS, (tenant, list(ids)))
        return {row[0]: RequestAnswer(*row[1:]) for row in rows}

    def find_sources(
        self, tenant: str, keys: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], UUID]:
        sources, source_ids = [key[0] for key in keys], [key[1] for key in keys]
        rows = self._read(FIND_SOURCES, (sources, source_ids, tenant))
        return {(row[0], row[1]): row[2] for row in rows}

    def select_log(
        self, after: int, limit: int, *, stop: int | None = None, where: LogFilter = ANY
    ) -> list[RawRow]:
        terms, values = _conditions(where)
        terms, values = ["notification_id > %s", *terms], [after, *values]
        if stop is not None:
            terms.append("notification_id <= %s")
            values.append(stop)
        statement = f"{SELECT_ROWS}{' AND '.join(terms)} ORDER BY notification_id LIMIT %s"
        rows: list[RawRow] = self._read(statement, (*values, limit))
        return rows

    def select_aggregate(
        self, aggregate_id: UUID, *, gt: int = 0, lte: int | None = None
    ) -> list[RawRow]:
        statement = f"{SELECT_ROWS}originator_id = %s AND originator_version > %s"
        values: list[Any] = [aggregate_id, gt]
        if lte is not None:
            statement += " AND originator_version <= %s"
            values.append(lte)
        rows: list[RawRow] = self._read(f"{statement} ORDER BY originator_version", values)
        return rows

    def select_aggregates(self, aggregate_ids: Sequence[UUID]) -> list[RawRow]:
        rows: list[RawRow] = self._read(
            f"{SELECT_ROWS}originator_id = ANY(%s)", (list(aggregate_ids),)
        )
        return sorted(rows, key=lambda row: row[0])

    def max_position(self) -> int:
        return self.max_notification_id() or 0

    def max_version(self, aggregate_id: UUID) -> int:
        statement = "SELECT max(originator_version) FROM {schema}.log_events WHERE originator_id=%s"
        return self._read(statement, (aggregate_id,))[0][0] or 0

    @reading
    def _read(self, statement: str, values: Sequence[Any]) -> list[Any]:
        """Runs one statement that may be repeated; plain tuples in binary form."""
        with (
            self.datastore.get_connection() as connection,
            connection.cursor(row_factory=tuple_row, binary=True) as cursor,
        ):
            return cursor.execute(self._sql(statement), values, prepare=True).fetchall()

    def _sql(self, statement: str) -> bytes:
        return _composed(statement, self.datastore.schema)

    # Waiting and health.

    def watch(self, event: Event) -> contextlib.AbstractContextManager[None]:
        return self._listener.watch(event)

    def durability(self) -> list[str]:
        settings = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"
        names = ["fsync", "full_page_writes", "synchronous_commit"]
        return [
            f"PostgreSQL runs with {name}={setting}."
            for name, setting in sorted(self._read(settings, (names,)))
            if setting == "off"
        ]

    def warnings(self) -> list[str]:
        return []

    def close(self) -> None:
        """Ends the listener and the writing connection; the pool belongs to the factory."""
        self._listener.close()
        with self._writer_lock:
            if self._writer is not None:
                self._writer.close()


class PostgresLogFactory(PostgresFactory):
    """Makes the log for the library's Application: `PERSISTENCE_MODULE` names this class.

    `POSTGRES_DSN` is a whole connection string, so that TLS and every other parameter of libpq
    can be given; POSTGRES_SCHEMA names the store (default `esm`).
    """

    POSTGRES_DSN = "POSTGRES_DSN"
    application_recorder_class = PostgresLog

    def __init__(self, env: Environment) -> None:
        settings = {
            self.POSTGRES_SCHEMA: DEFAULT_SCHEMA,
            self.POSTGRES_PRE_PING: "y",
            self.POSTGRES_LOCK_TIMEOUT: str(LOCK_SECONDS_MAX),
            self.POSTGRES_CONNECT_TIMEOUT: str(CONNECT_SECONDS_MAX),
            # The library insists on these; the DSN says what they are.
            **dict.fromkeys((self.POSTGRES_DBNAME, self.POSTGRES_HOST), ""),
            **dict.fromkeys((self.POSTGRES_USER, self.POSTGRES_PASSWORD), ""),
        }
        for key, value in settings.items():
            if env.get(key) is None:
                env[key] = value
        super().__init__(env)
        self.datastore.pool.timeout = POOL_WAIT_SECONDS_MAX
        # They would write into the table of whichever application made them last, unlocked.
        self.datastore.enable_db_functions = False
        dsn = env.get(self.POSTGRES_DSN)
        if dsn:
            given = conninfo_to_dict(dsn)
            defaults = {name: value for name, value in CONNECTION.items() if name not in given}
            self.datastore.pool.conninfo = dsn
            self.datastore.pool.kwargs = {**defaults, "row_factory": dict_row}
        self._logs: list[PostgresLog] = []

    def application_recorder(self) -> PostgresLog:
        log = self.application_recorder_class(self.datastore)
        self._logs.append(log)
        if self.env_create_table():
            log.create_table()
        return log

    def close(self) -> None:
        for log in getattr(self, "_logs", ()):
            log.close()
        super().close()


def postgres_environment(dsn: str, schema: str = DEFAULT_SCHEMA) -> dict[str, str]:
    """The settings under which the library makes the log of a store."""
    return {
        "PERSISTENCE_MODULE": "server.storage.postgres:PostgresLogFactory",
        "POSTGRES_DSN": dsn,
        "POSTGRES_SCHEMA": schema,
    }


@lru_cache(STATEMENTS_MAX)
def _composed(statement: str, schema: str) -> bytes:
    return SQL(cast(Any, statement)).format(schema=Identifier(schema)).as_bytes()


def _conditions(where: LogFilter) -> tuple[list[str], list[Any]]:
    """The WHERE terms of a filter.

    An event of a request lies at most one submission behind the request's position.
    """
    terms: list[str] = []
    values: list[Any] = []

    def add(term: str, *more: Any) -> None:
        terms.append(term)
        values.extend(more)

    if where.tenant is not None:
        add("tenant = %s", where.tenant)
    if where.aggregate_id is not None:
        add("originator_id = %s", where.aggregate_id)
    if where.order_id is not None:
        add("order_id = %s" + (" AND order_id <> ''" if where.order_id else ""), where.order_id)
    if where.actor is not None:
        add("actor = %s", where.actor)
    if where.topics:
        add("topic = ANY(%s)", list(where.topics))
    if where.request_id is not None:
        add("request_id = %s", where.request_id)
        if where.tenant is not None:
            found = (
                "(SELECT position FROM {schema}.log_requests WHERE tenant = %s AND request_id = %s)"
            )
            add(f"notification_id <= {found}", where.tenant, where.request_id)
            far = f"{found} - {EVENTS_PER_SUBMISSION_MAX}"
            add(f"notification_id > {far}", where.tenant, where.request_id)
    return terms, values


def _conflict(error: psycopg.IntegrityError) -> Conflict:
    tables: dict[str | None, Conflict] = {
        "log_events": "version",
        "log_requests": "request",
        "log_sources": "source",
    }
    return tables.get(error.diag.table_name, "other")
