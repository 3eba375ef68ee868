"""The event log on SQLite, the embedded default: one file, one process, every commit fsynced."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from threading import Event, Lock
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import InterfaceError, OperationalError, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
)

from server.storage.log import SCHEMA_VERSION, EventLog, Watchers, envelope_of
from server.storage.records import (
    ANY,
    EVENTS_PER_SUBMISSION_MAX,
    Conflict,
    LogConflict,
    LogFilter,
    LoggedEvent,
    OutcomeUnknown,
    RawRow,
    RequestAnswer,
    StoreProblem,
    Submission,
    check_sizes,
    positions_of,
)
from server.storage.sqlite_schema import CREATE_STATEMENTS, EVENTS_TABLE

BUSY_SECONDS = 5
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL")
# 16 MiB of pages, and a checkpoint each 32 MiB of WAL: eight times fewer of them than by default
# let the pages of random keys be written once for many commits (1.5 times the commands a second).
WRITER_PRAGMAS = ("cache_size=-16384", "wal_autocheckpoint=8000")
SYNCHRONOUS_FULL = 2
IDS_PER_STATEMENT_MAX = 500
# A statement for each number of rows up to this is kept ready.
ROWS_PER_INSERT_MAX = 64
STATEMENTS_CACHED = 256

# Fixed in 3.51.3, and in these two releases of older lines: a reset of the WAL could lose pages.
WAL_RESET_FIXED = (3, 51, 3)
WAL_RESET_FIXED_ALSO = {(3, 44, 6), (3, 50, 7)}

COLUMNS = (
    *("rowid", "tenant", "originator_id", "originator_version", "topic", "occurred", "recorded"),
    *("actor", "assurance", "correlation_id", "causation_id", "request_id", "order_id"),
)
"""The columns of a raw row before its payload."""

SELECT_ROWS = f"SELECT {', '.join(COLUMNS)}, state FROM {EVENTS_TABLE} WHERE {{}} LIMIT ?"

SEPARATOR = b"\x1e"
"""Stands between payloads. JSON never holds it; a page with a payload that does is read by row."""

# A page in one row: the driver lets go of the interpreter lock at each row that it fetches, and
# beside a busy thread every row would wait for it (6,000 rows a second against 67,000). A list a
# column takes less than a list a row; payloads are joined as they are, not quoted.
SELECT_PAGE = f"""
SELECT json_array({", ".join(f"json_group_array({column})" for column in COLUMNS)}),
       CAST(group_concat(state, '{SEPARATOR.decode()}') AS BLOB)
FROM ({SELECT_ROWS})
"""
Ints = list[int]
Texts = list[str]
ENVELOPES = msgspec.json.Decoder(
    tuple[
        Ints, Texts, list[UUID], Ints, Texts, Ints, Ints, Texts, Texts, Texts, Texts, Texts, Texts
    ]
)
"""Reads the columns of a page, each as one list."""

LAST_POSITION = "SELECT seq FROM sqlite_sequence WHERE name = 'log_events'"

EVENTS = f"""{EVENTS_TABLE} (originator_id, originator_version, topic, state, tenant, order_id,
occurred, recorded, actor, assurance, correlation_id, causation_id, request_id)"""
REQUESTS, SOURCES = "log_requests", "log_sources"

event_columns = attrgetter(
    *("originator_version", "topic", "state", "tenant", "order_id", "occurred", "recorded"),
    *("actor", "assurance", "correlation_id", "causation_id", "request_id"),
)


class SqliteLog(EventLog, SQLiteApplicationRecorder):
    """The event log of a store that lives in one SQLite file.

    Groups are written through one connection of their own: taken in turn from the pool, each
    would find its page cache stale after the writes of the others.
    """

    def __init__(self, datastore: SQLiteDatastore, events_table_name: str = EVENTS_TABLE) -> None:
        super().__init__(datastore, events_table_name)
        if datastore.pool.is_sqlite_memory_mode:
            raise StoreProblem("a log is kept in a file, not in memory")
        self._watchers = Watchers()
        self._writer: sqlite3.Connection | None = None
        self._writer_lock = Lock()

    def construct_create_table_statements(self) -> list[str]:
        return list(CREATE_STATEMENTS)

    def _create_table(self, c: SQLiteCursor) -> None:
        super()._create_table(c)
        c.execute("INSERT OR IGNORE INTO log_meta VALUES ('schema_version', ?)", [SCHEMA_VERSION])
        c.execute("SELECT value FROM log_meta WHERE key = 'schema_version'")
        found = c.fetchone()[0]
        if found != SCHEMA_VERSION:
            raise StoreProblem(f"the store has schema {found}, this program knows {SCHEMA_VERSION}")

    # Writing.

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        return self._write([Submission(stored_events)])[0]

    def insert_group(self, submissions: Sequence[Submission]) -> list[int]:
        check_sizes(submissions)
        positions, before = self._write(submissions)
        return positions_of(submissions, positions, before)

    def _write(self, submissions: Sequence[Submission]) -> tuple[Sequence[int], int]:
        """Commits a group; answers the position of each event and the one before them."""
        with self._writer_lock:
            committing = False
            try:
                raw = self._writing_connection()
                raw.execute("BEGIN IMMEDIATE")
                try:
                    answer = _insert_all(raw, submissions)
                except sqlite3.IntegrityError as error:
                    raw.execute("ROLLBACK")
                    raise LogConflict(_conflict(str(error)), str(error)) from error
                committing = True
                raw.execute("COMMIT")
            except sqlite3.Error as error:
                # After a failed write or fsync nothing that this handle holds is to be trusted.
                self._close_writer()
                problem = OutcomeUnknown if committing else OperationalError
                raise problem(str(error)) from error
            except BaseException:
                if self._writer is not None and self._writer.in_transaction:
                    self._close_writer()
                raise
        self._watchers.wake()
        return answer

    def _writing_connection(self) -> sqlite3.Connection:
        if self._writer is None:
            pool = self.datastore.pool
            self._writer = open_connection(pool.db_name, pool.lock_timeout)
            for pragma in WRITER_PRAGMAS:
                self._writer.execute(f"PRAGMA {pragma}")
        return self._writer

    def _close_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def close(self) -> None:
        """Closes the writing connection; those of readers belong to the factory."""
        with self._writer_lock:
            self._close_writer()

    def ensure_meta(self, defaults: Mapping[str, str]) -> dict[str, str]:
        with self.datastore.transaction(commit=True) as c:
            c.executemany("INSERT OR IGNORE INTO log_meta VALUES (?, ?)", list(defaults.items()))
            c.execute("SELECT key, value FROM log_meta")
            return dict(c.fetchall())

    # Reading.

    def find_requests(self, tenant: str, ids: Sequence[str]) -> dict[str, RequestAnswer]:
        rows = self._read_in(
            "SELECT request_id, fingerprint, answer, position FROM log_requests "
            "WHERE tenant = ? AND request_id IN ({})",
            (tenant,),
            ids,
        )
        return {row[0]: RequestAnswer(*row[1:]) for row in rows}

    def find_sources(
        self, tenant: str, keys: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], UUID]:
        found: dict[tuple[str, str], UUID] = {}
        for part in _parts(keys):
            pairs = ",".join(["(?,?)"] * len(part))
            rows = self._read(
                "SELECT source, source_id, aggregate_id FROM log_sources "
                f"WHERE tenant = ? AND (source, source_id) IN (VALUES {pairs})",
                (tenant, *chain.from_iterable(part)),
            )
            found.update({(source, key): UUID(hex=hexed) for source, key, hexed in rows})
        return found

    def select_log(
        self, after: int, limit: int, *, stop: int | None = None, where: LogFilter = ANY
    ) -> list[RawRow]:
        terms, values = _conditions(where)
        terms, values = ["rowid > ?", *terms], [after, *values]
        if stop is not None:
            terms.append("rowid <= ?")
            values.append(stop)
        return self._read_rows(f"{' AND '.join(terms)} ORDER BY rowid", values, limit)

    def select_aggregate(
        self, aggregate_id: UUID, *, gt: int = 0, lte: int | None = None
    ) -> list[RawRow]:
        terms = "originator_id = ? AND originator_version > ?"
        values: list[Any] = [aggregate_id.hex, gt]
        if lte is not None:
            terms += " AND originator_version <= ?"
            values.append(lte)
        return self._read_rows(f"{terms} ORDER BY originator_version", values)

    def select_aggregates(self, aggregate_ids: Sequence[UUID]) -> list[RawRow]:
        rows: list[RawRow] = []
        for part in _parts([each.hex for each in aggregate_ids]):
            terms = f"originator_id IN ({','.join('?' * len(part))})"
            rows += self._read_rows(f"{terms} ORDER BY rowid", part)
        return sorted(rows, key=lambda row: row[0])

    def max_position(self) -> int:
        return self.max_notification_id() or 0

    def max_version(self, aggregate_id: UUID) -> int:
        rows = self._read(
            f"SELECT MAX(originator_version) FROM {EVENTS_TABLE} WHERE originator_id = ?",
            [aggregate_id.hex],
        )
        return rows[0][0] or 0

    def _read_rows(self, terms: str, values: Sequence[Any], limit: int = -1) -> list[RawRow]:
        """The rows of a condition with its order."""
        bound = (*values, limit)
        envelopes, payloads = self._read(_select_page(terms), bound)[0]
        if payloads is None:
            return []
        try:
            columns = ENVELOPES.decode(envelopes)
            # Strict: with a separator inside of a payload there would be more parts than rows.
            return list(zip(*columns, payloads.split(SEPARATOR), strict=True))
        except (msgspec.DecodeError, ValueError):
            rows = self._read(SELECT_ROWS.format(terms), bound)
            return [(*row[:2], UUID(hex=row[2]), *row[3:]) for row in rows]

    def _read_in(
        self, statement: str, first: Sequence[Any], values: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        """Runs a statement whose `{}` stands for a list of values."""
        rows: list[tuple[Any, ...]] = []
        for part in _parts(values):
            filled = statement.format(",".join("?" * len(part)))
            rows += self._read(filled, (*first, *part))
        return rows

    def _read(self, statement: str, values: Sequence[Any]) -> list[Any]:
        """Runs one reading statement; plain tuples, without the library's row objects."""
        pool = self.datastore.pool
        connection = pool.get_connection()
        try:
            cursor = connection.cursor().sqlite_cursor
            cursor.row_factory = None
            return cursor.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise OperationalError(str(error)) from error
        finally:
            pool.put_connection(connection)

    # Waiting and health.

    def watch(self, event: Event) -> contextlib.AbstractContextManager[None]:
        return self._watchers.watch(event)

    def durability(self) -> list[str]:
        with self._writer_lock:
            raw = self._writing_connection()
            mode = raw.execute("PRAGMA journal_mode").fetchone()[0]
            level = raw.execute("PRAGMA synchronous").fetchone()[0]
        problems = []
        if mode.lower() != "wal":
            problems.append(f"SQLite runs with journal_mode={mode}, not WAL.")
        if level < SYNCHRONOUS_FULL:
            problems.append(f"SQLite runs with synchronous={level}, below FULL (2).")
        return problems

    def warnings(self) -> list[str]:
        version = sqlite3.sqlite_version_info
        if version >= WAL_RESET_FIXED or version in WAL_RESET_FIXED_ALSO:
            return []
        return [
            f"SQLite {sqlite3.sqlite_version} has a rare fault when a WAL is reset (fixed in "
            "3.51.3, 3.50.7 and 3.44.6). One writing process a store, as here, avoids it."
        ]


def open_connection(path: str, lock_timeout: int | None) -> sqlite3.Connection:
    """A connection with every setting that durability depends on set, never assumed."""
    try:
        raw = sqlite3.connect(
            path,
            uri=True,
            check_same_thread=False,
            isolation_level=None,
            timeout=lock_timeout or BUSY_SECONDS,
            cached_statements=STATEMENTS_CACHED,
        )
        for pragma in PRAGMAS:
            raw.execute(f"PRAGMA {pragma}")
    except (sqlite3.Error, TypeError) as error:
        raise InterfaceError(str(error)) from error
    return raw


class LogConnectionPool(SQLiteConnectionPool):
    """The connections of readers, and of the library's own tables."""

    def _create_connection(self) -> SQLiteConnection:
        raw = open_connection(self.db_name, self.lock_timeout)
        self.is_journal_mode_wal = True
        raw.row_factory = sqlite3.Row
        return SQLiteConnection(raw, self.max_age)


class SqliteLogFactory(SQLiteFactory):
    """Makes the log for the library's Application: `PERSISTENCE_MODULE` names this class."""

    application_recorder_class = SqliteLog

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        pool = self.datastore.pool
        self.datastore.pool = LogConnectionPool(
            db_name=pool.db_name, lock_timeout=pool.lock_timeout
        )
        self._logs: list[SqliteLog] = []

    def application_recorder(self) -> SqliteLog:
        log = self.application_recorder_class(self.datastore)
        self._logs.append(log)
        if self.env_create_table():
            log.create_table()
        return log

    def close(self) -> None:
        """Closes every connection to the store; the last one leaves the file without a WAL."""
        for log in self._logs:
            log.close()
        super().close()


@lru_cache(STATEMENTS_CACHED)
def _select_page(terms: str) -> str:
    return SELECT_PAGE.format(terms)


def _insert_all(
    raw: sqlite3.Connection, submissions: Sequence[Submission]
) -> tuple[Sequence[int], int]:
    """Inserts what a group writes, in the open transaction.

    Nobody else writes now, so the positions of the events are neighbours and end with the last
    one given.
    """
    events = [_event_values(event) for each in submissions for event in each.events]
    last = _insert(raw, EVENTS, events) if events else _last_position(raw)
    before = last - len(events)
    positions = range(before + 1, last + 1)
    ends = positions_of(submissions, positions, before)
    requests = [(*s.request, at) for s, at in zip(submissions, ends, strict=True) if s.request]
    _insert(raw, REQUESTS, requests)
    sources = [(*source[:3], source.aggregate_id.hex) for s in submissions for source in s.sources]
    _insert(raw, SOURCES, sources)
    return list(positions), before


def _last_position(raw: sqlite3.Connection) -> int:
    found = raw.execute(LAST_POSITION).fetchone()
    return found[0] if found else 0


def _insert(raw: sqlite3.Connection, into: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Inserts rows by as few statements as can be; answers the rowid of the last one.

    The driver lets go of the interpreter lock once a statement, not once a row as `executemany`
    does: in a busy server a writer that holds SQLite's lock would wait for it at every row.
    """
    last = 0
    for at in range(0, len(rows), ROWS_PER_INSERT_MAX):
        part = rows[at : at + ROWS_PER_INSERT_MAX]
        statement = _insert_statement(into, len(part[0]), len(part))
        last = raw.execute(statement, list(chain.from_iterable(part))).lastrowid or 0
    return last


@lru_cache(STATEMENTS_CACHED)
def _insert_statement(into: str, columns: int, rows: int) -> str:
    row = f"({','.join('?' * columns)})"
    return f"INSERT INTO {into} VALUES {','.join([row] * rows)}"


def _event_values(event: StoredEvent) -> tuple[Any, ...]:
    key = event.originator_id
    hexed = key.hex if isinstance(key, UUID) else key
    if isinstance(event, LoggedEvent):
        return hexed, *event_columns(event)
    fields = (event.originator_version, event.topic, event.state)
    return hexed, *fields, *envelope_of(event)


def _conditions(where: LogFilter) -> tuple[list[str], list[Any]]:
    """The WHERE terms of a filter. A `+` keeps SQLite from leaving the order of positions.

    An event of a request lies at most one submission behind the request's position.
    """
    terms: list[str] = []
    values: list[Any] = []

    def add(term: str, *more: Any) -> None:
        terms.append(term)
        values.extend(more)

    if where.tenant is not None:
        add("+tenant = ?", where.tenant)
    if where.aggregate_id is not None:
        add("originator_id = ?", where.aggregate_id.hex)
    if where.order_id is not None:
        add("order_id = ?" + (" AND order_id <> ''" if where.order_id else ""), where.order_id)
    if where.actor is not None:
        add("+actor = ?", where.actor)
    if where.topics:
        add(f"+topic IN ({','.join('?' * len(where.topics))})", *where.topics)
    if where.request_id is not None:
        add("+request_id = ?", where.request_id)
        if where.tenant is not None:
            found = "(SELECT position FROM log_requests WHERE tenant = ? AND request_id = ?)"
            add(f"rowid <= {found}", where.tenant, where.request_id)
            far = f"{found} - {EVENTS_PER_SUBMISSION_MAX}"
            add(f"rowid > {far}", where.tenant, where.request_id)
    return terms, values


def _conflict(text: str) -> Conflict:
    tables: dict[str, Conflict] = {
        "log_events": "version",
        "log_requests": "request",
        "log_sources": "source",
    }
    return next((what for table, what in tables.items() if table in text), "other")


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    starts: Iterable[int] = range(0, len(values), IDS_PER_STATEMENT_MAX)
    return (values[at : at + IDS_PER_STATEMENT_MAX] for at in starts)
