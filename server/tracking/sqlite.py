"""The tracking store in one SQLite file: a writing connection, and one reader per thread."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from threading import Lock, local
from typing import Any, TypeVar

import msgspec

from esm.detection.timeline import ENDS
from server.tracking import sqlite_schema as q
from server.tracking.store import Key, KnownCase, TrackingUnavailable, Watched, handle_of
from server.tracking.table_store import TableStore
from server.tracking.tables import (
    SET_ASIDE,
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

BUSY_SECONDS = 10
CACHE_KIBIBYTES = 32_768
CHECKPOINT_PAGES = 16_000
"""Pages of the write-ahead log before they go to the file: many commits change the same ones."""

ROWS_PER_STATEMENT_MAX = 512
"""Rows of one INSERT or UPDATE. The driver lets go of the interpreter lock once a statement, not
once a row as ``executemany`` does: beside a busy thread a writer waits for it every time. What is
left over is written in powers of two, so that few statements are ever made."""

STATEMENTS_CACHED = 256

T = TypeVar("T")

_JSON = msgspec.json.Decoder()


class SqliteTables(Tables):
    """The tables in the transaction of one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def guard(self) -> None:
        """The file has one writer, so everybody else waits anyway."""

    def registrations(self, numbers: Collection[Number]) -> dict[Number, list[Registered]]:
        found: dict[Number, list[Registered]] = {}
        for tenant, number, *registered in self._listed(q.SELECT_NUMBERS, list(numbers)):
            found.setdefault((tenant, number), []).append(Registered(*registered))
        return found

    def orders(self, keys: Collection[Key]) -> dict[Key, str]:
        return {Key(t, code): o for t, code, o in self._listed(q.SELECT_ORDERS, list(keys))}

    def claim(self, sources: Mapping[SourceKey, str]) -> dict[SourceKey, str]:
        found = self._listed(q.SELECT_SOURCES, list(sources))
        known = {(tenant, source_id): code for tenant, source_id, code in found}
        # Neighbours in the order of the key: of a feed that counts its facts they share pages.
        new = sorted((*source, code) for source, code in sources.items() if source not in known)
        self._insert("tracking_sources", new)
        return known

    def unclaim(self, sources: Collection[SourceKey]) -> None:
        self.connection.execute(q.DELETE_SOURCES, (_json(list(sources)),))

    def reclaim(self, sources: Mapping[SourceKey, str]) -> None:
        self.unclaim(sources.keys())
        self._insert("tracking_sources", [(*source, code) for source, code in sources.items()])

    def rows(self, keys: Collection[Key], *, lock: bool) -> dict[Key, Row]:
        del lock  # Whoever writes holds the file.
        found = self.connection.execute(q.BY_KEY, (_json(list(keys)),)).fetchone()
        return {Key(r.watched.tenant, r.watched.shipment.shipment_code): r for r in _rows(found)}

    def of_orders(self, orders: Collection[tuple[str, str]], *, lock: bool) -> list[Row]:
        del lock
        return _rows(self.connection.execute(q.BY_ORDER, (_json(list(orders)),)).fetchone())

    def write(self, rows: Collection[Row]) -> None:
        new = [_new_values(row) for row in rows if not row.place]
        self._insert("tracking_shipments", new)
        old = sorted((row for row in rows if row.place), key=lambda row: row.place)
        self._update(_UPDATE_ROWS, [_values(row) for row in old])
        # By itself, for the index is written whether or not its column changes.
        put = [(row.place, at) for row in old if (at := agenda_of(row)) != row.agenda]
        self._update(_UPDATE_AGENDA, put)

    def add_numbers(self, tenant: str, rows: Collection[Row], ordinal: int) -> None:
        values = [
            (tenant, n.number, s.shipment_code, n.carrier, n.piece, n.leg, n.since, s.order_id, at)
            for at, s in enumerate((row.watched.shipment for row in rows), ordinal)
            for n in s.numbers
        ]
        self._insert("tracking_numbers", values, then=q.NUMBER_KNOWN)

    def places(self, count: int) -> Sequence[int]:
        statement = "SELECT coalesce(max(id), 0) FROM tracking_checkpoints"
        (last,) = self.connection.execute(statement).fetchone()
        return range(last + 1, last + 1 + count)

    def keep(self, details: Collection[KeptDetail]) -> None:
        values = [(d.place, *d.key, *d[2:6], int(d.zoned), d.detail) for d in details]
        self._insert("tracking_checkpoints", values)

    def details(self, received: Collection[int], places: Collection[int]) -> list[KeptDetail]:
        del received
        found = self.connection.execute(q.SELECT_DETAILS, (_json(list(places)),))
        return [
            KeptDetail(place, Key(tenant, code), *rest)
            for place, tenant, code, *rest in found.fetchall()
        ]

    def keep_unmatched(self, unmatched: Collection[Unmatched]) -> None:
        values = [
            (
                u.tenant,
                handle_of(u.shipment_code, u.number),
                u.checkpoint.source_id,
                *u[2:5],
                int(u.zoned),
                encoded_fact(u.checkpoint),
                u.detail,
            )
            for u in unmatched
        ]
        self._insert("tracking_unmatched", values)

    def unmatched(self, tenant: str, handles: Collection[str]) -> list[Unmatched]:
        values = (_json(list(handles)), tenant)
        found = self.connection.execute(q.SELECT_UNMATCHED, values).fetchall()
        return [Unmatched(tenant, decoded_checkpoint(fact), *rest) for tenant, fact, *rest in found]

    def drop_unmatched(self, unmatched: Collection[Unmatched]) -> None:
        values = [
            (u.tenant, handle_of(u.shipment_code, u.number), u.checkpoint.source_id)
            for u in unmatched
        ]
        self.connection.executemany(q.DELETE_UNMATCHED, values)

    def set_aside(self, unmatched: Collection[Unmatched]) -> None:
        values = [
            (SET_ASIDE, u.tenant, handle_of(u.shipment_code, u.number), u.checkpoint.source_id)
            for u in unmatched
        ]
        self.connection.executemany(q.SET_ASIDE, values)

    def rouse(self, now: int, behind: Key, limit: int) -> tuple[int, Key | None]:
        (found,) = self.connection.execute(q.NEXT_KEYS, (*behind, limit)).fetchone()
        keys = [Key(*each) for each in _JSON.decode(found)]
        values = (now, found, _json(sorted(ENDS)))
        return self.connection.execute(q.ROUSE, values).rowcount, keys[-1] if keys else None

    def add_cases(self, cases: Collection[tuple[Key, KnownCase]]) -> None:
        values = [(*key, case.case_id, encoded_fact(case)) for key, case in cases]
        self._insert("tracking_cases", values, "INSERT OR IGNORE")

    def take_cases(self, keys: Collection[Key]) -> dict[Key, list[KnownCase]]:
        statement = (
            "DELETE FROM tracking_cases WHERE (tenant, shipment_code) IN"
            " (SELECT value ->> 0, value ->> 1 FROM json_each(?)) RETURNING *"
        )
        rows = self.connection.execute(statement, (_json(list(keys)),)).fetchall()
        found: dict[Key, list[KnownCase]] = {}
        for tenant, code, _, fact in sorted(rows):
            found.setdefault(Key(tenant, code), []).append(decoded_case(fact))
        return found

    def number(self, name: str) -> int:
        statement = "SELECT value FROM tracking_meta WHERE name = ?"
        found = self.connection.execute(statement, (name,)).fetchone()
        return found[0] if found else 0

    def set_number(self, name: str, value: int) -> None:
        self.connection.execute("INSERT OR REPLACE INTO tracking_meta VALUES (?, ?)", (name, value))

    def agenda(self, before: int, limit: int) -> list[tuple[Key, bool]]:
        (found,) = self.connection.execute(q.SELECT_AGENDA, (before, limit)).fetchone()
        return [(Key(tenant, code), bool(later)) for tenant, code, later in _JSON.decode(found)]

    def put_off(self, keys: Collection[Key]) -> None:
        self.connection.execute(q.PUT_OFF, (_json(list(keys)),))

    def due_count(self, now: int) -> int:
        count: int = self.connection.execute(q.COUNT_DUE, (now,)).fetchone()[0]
        return count

    def select(self, selection: Selection) -> list[Watched]:
        tenant, after, limit, due_before, status, order_id, number = selection
        given = {
            "agenda > 0 AND agenda <= ? AND due > 0 AND due <= ?": (due_before, due_before),
            "status = ?": (status,),
            "order_id = ?": (order_id,),
            q.OF_NUMBER: (number and tenant, number),
        }
        asked = {term: values for term, values in given.items() if all(values)}
        terms = ["tenant = ? AND shipment_code > ?", *asked]
        inner = (
            f"SELECT * FROM tracking_shipments WHERE {' AND '.join(terms)}"
            " ORDER BY shipment_code LIMIT ?"
        )
        values = (tenant, after, *chain.from_iterable(asked.values()), limit)
        found = self.connection.execute(q.SELECT_ROWS.format(inner), values).fetchone()
        return [row.watched for row in _rows(found)]

    def _update(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        for part in _parts(rows):
            text = _update_statement(statement, len(part[0]), len(part))
            self.connection.execute(text, list(chain.from_iterable(part)))

    def _listed(self, statement: str, keys: Sequence[Sequence[str]]) -> list[list[Any]]:
        (found,) = self.connection.execute(statement, (_json(keys),)).fetchone()
        listed: list[list[Any]] = _JSON.decode(found)
        return listed

    def _insert(
        self, table: str, rows: Sequence[tuple[Any, ...]], how: str = "INSERT", then: str = ""
    ) -> None:
        for part in _parts(rows):
            statement = _insert_statement(how, table, len(part[0]), len(part))
            self.connection.execute(statement + then, list(chain.from_iterable(part)))


class SqliteTrackingStore(TableStore):
    """A tracking store in one file. What is acknowledged is on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = local()
        self._lock = Lock()
        self._readers: list[sqlite3.Connection] = []
        self._writing = Lock()
        # Made before SQLite makes it, for SQLite would let the umask decide who may read it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._writer: sqlite3.Connection | None = None
        with self._transaction() as connection:
            for statement in q.CREATE_STATEMENTS:
                connection.execute(statement)

    def close(self) -> None:
        with self._writing, self._lock:
            for connection in self._readers:
                connection.close()
            self._readers.clear()
            self._close_writer()

    def _write(self, work: Callable[[Tables], T]) -> T:
        with self._transaction() as connection:
            return work(SqliteTables(connection))

    def _read(self, work: Callable[[Tables], T]) -> T:
        try:
            connection = self._reader()
            connection.execute("BEGIN")
            try:
                return work(SqliteTables(connection))
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            raise TrackingUnavailable(str(error)) from error

    def _load(self, tables: Tables, watched: Sequence[Watched]) -> None:
        assert isinstance(tables, SqliteTables)
        connection = tables.connection
        connection.executemany(
            _insert_statement("INSERT", "tracking_shipments", 11, 1),
            [_new_values(Row(each, [])) for each in watched],
        )
        connection.executemany(
            _insert_statement("INSERT", "tracking_numbers", 9, 1),
            [
                (
                    w.tenant,
                    n.number,
                    s.shipment_code,
                    n.carrier,
                    n.piece,
                    n.leg,
                    n.since,
                    s.order_id,
                    0,
                )
                for w, s in ((w, w.shipment) for w in watched)
                for n in s.numbers
            ],
        )
        connection.executemany(
            _insert_statement("INSERT", "tracking_sources", 3, 1),
            sorted(
                (w.tenant, c.source_id, w.shipment.shipment_code)
                for w in watched
                for c in w.timeline
            ),
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """The one write transaction; the lock is taken before the first read."""
        with self._writing:
            try:
                if self._writer is None:
                    self._writer = self._writing_connection()
                connection = self._writer
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
            except sqlite3.OperationalError as error:
                # After a failed write or fsync nothing that this handle holds is to be trusted.
                self._close_writer()
                raise TrackingUnavailable(str(error)) from error

    def _close_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _writing_connection(self) -> sqlite3.Connection:
        connection = self._connect()
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        return connection

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
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS_CACHED,
        )
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        return connection


def _rows(found: tuple[str, bytes, str]) -> list[Row]:
    """The rows of a q.SELECT_ROWS."""
    lists, bodies, kept = found
    parts = zip(*_JSON.decode(lists), decoded(bodies), decoded_kept(kept), strict=True)
    return [
        Row(
            Watched(
                tenant=tenant,
                shipment=body.shipment,
                timeline=body.timeline,
                told=body.told,
                cases=body.cases,
                status=status,
                looked=looked,
                due=due,
                revision=revision,
            ),
            places,
            place,
            agenda,
        )
        for place, tenant, _, status, due, agenda, looked, revision, body, places in parts
    ]


def _new_values(row: Row) -> tuple[Any, ...]:
    w, s = row.watched, row.watched.shipment
    key = (None, w.tenant, s.shipment_code, s.order_id)
    body = encoded(w).decode()
    moments = (w.due, agenda_of(row), w.looked)
    return (*key, w.status, *moments, w.revision, body, encoded_kept(row.kept))


def _values(row: Row) -> tuple[Any, ...]:
    w = row.watched
    return (row.place, w.status, w.due, w.looked, w.revision, encoded(w), encoded_kept(row.kept))


@lru_cache(STATEMENTS_CACHED)
def _insert_statement(how: str, table: str, columns: int, rows: int) -> str:
    row = f"({','.join('?' * columns)})"
    return f"{how} INTO {table} VALUES {','.join([row] * rows)}"


_UPDATE_ROWS = """
UPDATE tracking_shipments SET status = v.column2, due = v.column3, looked = v.column4,
    revision = v.column5, body = CAST(v.column6 AS TEXT), kept = v.column7"""
_UPDATE_AGENDA = "UPDATE tracking_shipments SET agenda = v.column2"


@lru_cache(STATEMENTS_CACHED)
def _update_statement(what: str, columns: int, rows: int) -> str:
    row = f"({','.join('?' * columns)})"
    return (
        f"{what} FROM (VALUES {','.join([row] * rows)}) AS v"
        " WHERE tracking_shipments.id = v.column1"
    )


def _json(values: Sequence[object]) -> str:
    return msgspec.json.encode(values).decode()


def _parts(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    at, size = 0, ROWS_PER_STATEMENT_MAX
    while at < len(rows):
        while size > len(rows) - at:
            size //= 2
        yield rows[at : at + size]
        at += size
