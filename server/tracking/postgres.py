"""The tracking store in one PostgreSQL schema, for any number of servers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from threading import Lock
from typing import Any, TypeVar, cast

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier, Literal
from psycopg_pool import ConnectionPool

from esm.detection.timeline import ENDS
from projections.postgres_arrays import integers, texts
from server.storage.postgres import CONNECTION
from server.storage.postgres_arrays import blobs
from server.tracking import postgres_schema as q
from server.tracking.store import Key, KnownCase, TrackingUnavailable, Watched, handle_of
from server.tracking.table_store import TableStore
from server.tracking.tables import (
    SET_ASIDE,
    Body,
    KeptDetail,
    Number,
    Registered,
    Row,
    Selection,
    SourceKey,
    Tables,
    Unmatched,
    agenda_of,
    decoded,
    decoded_case,
    decoded_checkpoint,
    decoded_kept,
    encoded,
    encoded_fact,
    encoded_kept,
)

CONNECTIONS_MAX = 6
POOL_WAIT_SECONDS_MAX = 2.0
LOCK_SECONDS_MAX = 10
TRIES_MAX = 4
"""How often a transaction is begun that others push out."""

IDS_DRAWN = 5_000
"""Numbers of checkpoints' rows that are drawn at once; what a server does not use is lost."""

STATEMENTS_MAX = 256
PARTITION = "tracking_checkpoints_{:%Y_%m}"

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]

_PUSHED_OUT = (errors.DeadlockDetected, errors.SerializationFailure)


class MonthMissing(Exception):
    """No partition holds a time; it is made outside of the transaction, which begins again."""

    def __init__(self, received: int) -> None:
        super().__init__(received)
        self.received = received


class PostgresTables(Tables):
    """The tables in the transaction of one connection."""

    def __init__(self, store: PostgresTrackingStore, connection: Connection) -> None:
        self._store = store
        self._connection = connection

    def guard(self) -> None:
        self._run(q.GUARD, (q.guard_key(self._store.schema),))

    def registrations(self, numbers: Collection[Number]) -> dict[Number, list[Registered]]:
        found: dict[Number, list[Registered]] = {}
        rows = self._run(q.SELECT_NUMBERS, _columns(numbers)) if numbers else []
        for tenant, number, *registered in rows:
            found.setdefault((tenant, number), []).append(Registered(*registered))
        return found

    def orders(self, keys: Collection[Key]) -> dict[Key, str]:
        return {Key(t, code): o for t, code, o in self._run(q.SELECT_ORDERS, _columns(keys))}

    def claim(self, sources: Mapping[SourceKey, str]) -> dict[SourceKey, str]:
        values = sorted((*source, code) for source, code in sources.items())
        new = set(self._run(q.CLAIM, _columns(values)))
        known = sources.keys() - new
        if not known:
            return {}
        found = self._run(q.SELECT_SOURCES, _columns(known))
        return {(tenant, source_id): code for tenant, source_id, code in found}

    def unclaim(self, sources: Collection[SourceKey]) -> None:
        self._run(q.UNCLAIM, _columns(sources))

    def reclaim(self, sources: Mapping[SourceKey, str]) -> None:
        self._run(q.RECLAIM, _columns((*source, code) for source, code in sources.items()))

    def rows(self, keys: Collection[Key], *, lock: bool) -> dict[Key, Row]:
        if not keys:
            return {}
        found = self._run(q.LOCK_ROWS if lock else q.SELECT_ROWS, _columns(sorted(keys)))
        return {Key(r.watched.tenant, r.watched.shipment.shipment_code): r for r in _rows(found)}

    def of_orders(self, orders: Collection[tuple[str, str]], *, lock: bool) -> list[Row]:
        statement = q.LOCK_ORDERS if lock else q.OF_ORDERS
        return _rows(self._run(statement, _columns(orders))) if orders else []

    def write(self, rows: Collection[Row]) -> None:
        new = [_new_values(row) for row in rows if not row.place]
        if new:
            self._run(q.INSERT_ROWS, _arrays(_NEW, new))
        old = [_values(row) for row in rows if row.place]
        if old:
            self._run(q.UPDATE_ROWS, _arrays(_CHANGED, old))

    def add_numbers(self, tenant: str, rows: Collection[Row], ordinal: int) -> None:
        del tenant
        values = [
            each
            for at, row in enumerate(rows, ordinal)
            for each in _numbers([row.watched], ordinal=at)
        ]
        if values:
            self._run(q.INSERT_NUMBERS, _arrays(_NUMBERS, values))

    def places(self, count: int) -> Sequence[int]:
        return self._store.draw(self._connection, count)

    def keep(self, details: Collection[KeptDetail]) -> None:
        for received in {d.received for d in details}:
            self._store.check_month(received)
        values = [(d.place, *d.key, *d[2:]) for d in details]
        try:
            self._run(q.INSERT_CHECKPOINTS, _arrays(_DETAILS, values))
        except errors.CheckViolation as error:
            raise MonthMissing(max(d.received for d in details)) from error

    def details(self, received: Collection[int], places: Collection[int]) -> list[KeptDetail]:
        found = self._run(q.SELECT_DETAILS, (integers(received), integers(places)))
        return [KeptDetail(place, Key(t, code), *rest) for place, t, code, *rest in found]

    def keep_unmatched(self, unmatched: Collection[Unmatched]) -> None:
        values = [
            (
                u.tenant,
                handle_of(u.shipment_code, u.number),
                u.checkpoint.source_id,
                *u[2:6],
                encoded_fact(u.checkpoint),
                u.detail,
            )
            for u in unmatched
        ]
        self._run(q.INSERT_UNMATCHED, _arrays(_UNMATCHED, values))

    def unmatched(self, tenant: str, handles: Collection[str]) -> list[Unmatched]:
        found = self._run(q.SELECT_UNMATCHED, (tenant, texts(list(handles))))
        return [Unmatched(tenant, decoded_checkpoint(fact), *rest) for fact, *rest in found]

    def drop_unmatched(self, unmatched: Collection[Unmatched]) -> None:
        values = [
            (u.tenant, handle_of(u.shipment_code, u.number), u.checkpoint.source_id)
            for u in unmatched
        ]
        self._run(q.DELETE_UNMATCHED, _columns(values))

    def set_aside(self, unmatched: Collection[Unmatched]) -> None:
        values = [
            (SET_ASIDE, u.tenant, handle_of(u.shipment_code, u.number), u.checkpoint.source_id)
            for u in unmatched
        ]
        self._run(q.SET_ASIDE, _columns(values))

    def rouse(self, now: int, behind: Key, limit: int) -> tuple[int, Key | None]:
        keys = [Key(*each) for each in self._run(q.NEXT_KEYS, (*behind, limit))]
        if not keys:
            return 0, None
        values = (now, now, *_columns(keys), now, texts(sorted(ENDS)))
        return self._run(q.ROUSE, values)[0][0], keys[-1]

    def add_cases(self, cases: Collection[tuple[Key, KnownCase]]) -> None:
        values = [(*key, case.case_id, encoded_fact(case)) for key, case in cases]
        self._run(q.INSERT_CASES, _columns(values))

    def take_cases(self, keys: Collection[Key]) -> dict[Key, list[KnownCase]]:
        found: dict[Key, list[KnownCase]] = {}
        rows = self._run(q.TAKE_CASES, _columns(keys)) if keys else []
        for tenant, code, _, fact in sorted(rows):
            found.setdefault(Key(tenant, code), []).append(decoded_case(fact))
        return found

    def number(self, name: str) -> int:
        found = self._run(q.SELECT_NUMBER, (name,))
        return found[0][0] if found else 0

    def set_number(self, name: str, value: int) -> None:
        self._run(q.SET_NUMBER, (name, value))

    def agenda(self, before: int, limit: int) -> list[tuple[Key, bool]]:
        found = self._run(q.SELECT_AGENDA, (before, limit))
        return [(Key(tenant, code), later) for tenant, code, later in found]

    def put_off(self, keys: Collection[Key]) -> None:
        self._run(q.PUT_OFF, _columns(keys))

    def due_count(self, now: int) -> int:
        count: int = self._run(q.COUNT_DUE, (now, now))[0][0]
        return count

    def select(self, selection: Selection) -> list[Watched]:
        tenant, after, limit, due_before, status, order_id, number = selection
        given = {
            "s.agenda > 0 AND s.agenda <= %s": (due_before,),
            "s.due > 0 AND s.due <= %s": (due_before,),
            "s.status = %s": (status,),
            "s.order_id = %s": (order_id,),
            q.OF_NUMBER: (number and tenant, number),
        }
        asked = {term: values for term, values in given.items() if all(values)}
        terms = ["s.tenant = %s AND s.shipment_code > %s", *asked]
        statement = (
            f"SELECT {q.ROW} FROM {{schema}}.tracking_shipments AS s"
            f" WHERE {' AND '.join(terms)} ORDER BY s.shipment_code LIMIT %s"
        )
        values = (tenant, after, *chain.from_iterable(asked.values()), limit)
        return [row.watched for row in _rows(self._run(statement, values))]

    def copy(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Write many rows that are not there yet."""
        statement = SQL("COPY {}.{} FROM STDIN").format(
            Identifier(self._store.schema), Identifier(table)
        )
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def _run(self, statement: str, values: Sequence[Any]) -> list[Any]:
        text = _composed(statement, self._store.schema)
        cursor = self._connection.execute(text, values, prepare=True, binary=True)
        return cursor.fetchall() if cursor.description else []


class PostgresTrackingStore(TableStore):
    """The tables ``tracking_*`` of a store's schema, which is made when it is missing.

    Whoever locks does so in one order: the guard, source ids, shipments; the last two sorted.
    """

    def __init__(self, dsn: str, schema: str) -> None:
        self.schema = schema
        self._ids: list[int] = []
        self._ids_lock = Lock()
        self._months: set[tuple[int, int]] = set()
        given = conninfo_to_dict(dsn)
        defaults = {name: value for name, value in CONNECTION.items() if name not in given}
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            dsn,
            min_size=1,
            max_size=CONNECTIONS_MAX,
            timeout=POOL_WAIT_SECONDS_MAX,
            configure=_configure,
            kwargs={**defaults, "autocommit": True, "row_factory": tuple_row},
            check=ConnectionPool.check_connection,
            open=True,
        )
        # Two servers may start at once, and IF NOT EXISTS alone does not stand that.
        with self._guarded() as connection:
            connection.execute(self._composed("CREATE SCHEMA IF NOT EXISTS {schema}"))
            for statement in q.CREATE_STATEMENTS:
                connection.execute(self._composed(statement))

    def close(self) -> None:
        self._pool.close()

    def draw(self, connection: Connection, count: int) -> list[int]:
        """Numbers for rows of checkpoints that nobody else has."""
        with self._ids_lock:
            if len(self._ids) < count:
                drawn = connection.execute(
                    self._composed(q.NEXT_IDS), (max(IDS_DRAWN, count),), prepare=True
                )
                self._ids = [number for (number,) in drawn]
            taken, self._ids = self._ids[:count], self._ids[count:]
            return taken

    def check_month(self, received: int) -> None:
        """Raises :class:`MonthMissing` unless the month of this time is known to be there."""
        if _month(received) not in self._months:
            raise MonthMissing(received)

    def _write(self, work: Callable[[Tables], T]) -> T:
        tries = 0
        while True:
            try:
                with self._connected() as connection, connection.transaction():
                    return work(PostgresTables(self, connection))
            except MonthMissing as missing:
                self._make_month(missing.received)
            except _PUSHED_OUT as error:
                tries += 1
                if tries == TRIES_MAX:
                    raise TrackingUnavailable(str(error)) from error

    def _read(self, work: Callable[[Tables], T]) -> T:
        with self._connected() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            return work(PostgresTables(self, connection))

    def _load(self, tables: Tables, watched: Sequence[Watched]) -> None:
        assert isinstance(tables, PostgresTables)
        new = (_new_values(Row(each, [])) for each in watched)
        tables.copy("tracking_shipments", ((*v[:-2], v[-2].decode(), v[-1]) for v in new))
        tables.copy("tracking_numbers", _numbers(watched, ordinal=0))
        sources = (
            (w.tenant, c.source_id, w.shipment.shipment_code) for w in watched for c in w.timeline
        )
        tables.copy("tracking_sources", sources)

    def _make_month(self, received: int) -> None:
        """Make the partition of a time's month, unless another server did."""
        first, end = _bounds(received)
        name = PARTITION.format(first)
        with self._guarded() as connection:
            there = connection.execute(
                "SELECT to_regclass(%s)", (f'"{self.schema}"."{name}"',)
            ).fetchone()
            if there is None or there[0] is None:
                for statement in (q.CREATE_PARTITION, q.ATTACH_PARTITION):
                    composed = SQL(cast(Any, statement)).format(
                        schema=Identifier(self.schema),
                        name=Identifier(name),
                        first=Literal(_micros(first)),
                        end=Literal(_micros(end)),
                    )
                    connection.execute(composed)
        self._months.add(_month(received))

    @contextmanager
    def _guarded(self) -> Iterator[Connection]:
        with self._connected() as connection, connection.transaction():
            # Another key than that of the guard, which a transaction that waits here may hold.
            key = q.guard_key(f"tables of {self.schema}")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (key,))
            yield connection

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A connection. What the server cannot do now raises :class:`TrackingUnavailable`."""
        try:
            with self._pool.connection() as connection:
                yield connection
        except _PUSHED_OUT:
            raise
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise TrackingUnavailable(str(error)) from error

    def _composed(self, statement: str) -> bytes:
        return _composed(statement, self.schema)


def _configure(connection: Connection) -> None:
    connection.execute(f"SET lock_timeout = '{LOCK_SECONDS_MAX}s'".encode())
    # Every statement here finds its rows by key, whatever the statistics of the moment say.
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED


@lru_cache(STATEMENTS_MAX)
def _composed(statement: str, schema: str) -> bytes:
    return SQL(cast(Any, statement)).format(schema=Identifier(schema)).as_bytes()


def _rows(found: Sequence[tuple[Any, ...]]) -> list[Row]:
    bodies: list[Body] = decoded(b",".join([row[7] for row in found]))
    kept = decoded_kept(",".join([row[8] for row in found]))
    return [
        Row(
            Watched(
                tenant=row[0],
                shipment=body.shipment,
                timeline=body.timeline,
                told=body.told,
                cases=body.cases,
                status=row[2],
                due=row[3],
                looked=row[5],
                revision=row[6],
            ),
            places,
            place=1,
            agenda=row[4],
        )
        for row, body, places in zip(found, bodies, kept, strict=True)
    ]


def _new_values(row: Row) -> tuple[Any, ...]:
    tenant, code, *rest = _values(row)
    return (tenant, code, row.watched.shipment.order_id, *rest)


def _values(row: Row) -> tuple[Any, ...]:
    w = row.watched
    key = (w.tenant, w.shipment.shipment_code)
    moments = (w.due, agenda_of(row), w.looked)
    return (*key, w.status, *moments, w.revision, encoded(w), encoded_kept(row.kept))


def _numbers(watched: Iterable[Watched], *, ordinal: int) -> list[tuple[Any, ...]]:
    return [
        (
            *(w.tenant, n.number, s.shipment_code, n.carrier, n.piece, n.leg, n.since, s.order_id),
            ordinal,
        )
        for w, s in ((w, w.shipment) for w in watched)
        for n in s.numbers
    ]


def _booleans(values: Sequence[bool]) -> str:
    return "{" + ",".join(["t" if value else "f" for value in values]) + "}"


_NEW = (*(texts,) * 4, *(integers,) * 4, q.BODIES.join, texts)
_CHANGED = (*(texts,) * 3, *(integers,) * 4, q.BODIES.join, texts)
_NUMBERS = (*(texts,) * 5, integers, integers, texts, integers)
_DETAILS = (integers, texts, texts, texts, integers, texts, texts, _booleans, blobs)
_UNMATCHED = (*(texts,) * 6, _booleans, texts, blobs)


def _arrays(kinds: Sequence[Callable[[Any], Any]], rows: Sequence[Sequence[Any]]) -> list[Any]:
    """Rows as one array a column."""
    columns = zip(*rows, strict=True)
    return [kind(column) for kind, column in zip(kinds, columns, strict=True)]


def _columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """The same for rows of texts, of which there is one at least."""
    return [texts(column) for column in zip(*rows, strict=True)]


def _month(received: int) -> tuple[int, int]:
    at = _EPOCH + timedelta(microseconds=received)
    return at.year, at.month


def _bounds(received: int) -> tuple[datetime, datetime]:
    """The month of a time: its first moment, and that of the next one."""
    year, month = _month(received)
    first = datetime(year, month, 1, tzinfo=UTC)
    return first, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
