"""The yardstick of intake: a bare binary COPY of the same checkpoints into one table."""

from collections.abc import Iterable
from typing import Any, Final

import psycopg

from benchmarks.frame import Run
from benchmarks.parcels import TENANT, Fact
from benchmarks.storage import chunks, timed

SCHEMA: Final = "copied"
COLUMNS: Final = {
    "tenant": "text",
    "source_id": "text",
    "number": "text",
    "occurred": "int8",
    "received": "int8",
    "raw_code": "text",
    "place": "text",
    "detail": "bytea",
}

Row = tuple[Any, ...]


def row_of(fact: Fact, received: int) -> Row:
    """A checkpoint as a row: what is told of it, with its words as bytes."""
    detail = "\x1f".join((fact.words, fact.station, fact.courier)).encode()
    return (
        TENANT,
        fact.source_id,
        fact.tracking_number,
        fact.occurred,
        received,
        fact.raw_code,
        fact.place,
        detail,
    )


class Copies:
    """A table without an index on a connection of its own; every run begins with it empty."""

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn, autocommit=True)
        columns = ", ".join(f"{name} {kind} NOT NULL" for name, kind in COLUMNS.items())
        self._connection.execute(f"CREATE SCHEMA {SCHEMA}".encode())
        self._connection.execute(f"CREATE TABLE {SCHEMA}.checkpoints ({columns})".encode())

    def at_once(self, facts: Iterable[Fact], now: int) -> Run:
        """All rows in one COPY and one transaction."""
        rows = [row_of(fact, now) for fact in facts]
        self._connection.execute(f"TRUNCATE {SCHEMA}.checkpoints".encode())
        return timed(len(rows), lambda: self._copy(rows))

    def by_message(self, facts: Iterable[Fact], now: int, size: int) -> Run:
        """The rows of each message in a COPY and a transaction of their own."""
        rows = [row_of(fact, now) for fact in facts]
        self._connection.execute(f"TRUNCATE {SCHEMA}.checkpoints".encode())

        def copy() -> None:
            for message in chunks(rows, size):
                self._copy(message)

        return timed(len(rows), copy)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def _copy(self, rows: Iterable[Row]) -> None:
        statement = f"COPY {SCHEMA}.checkpoints FROM STDIN (FORMAT BINARY)".encode()
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(list(COLUMNS.values()))
            for row in rows:
                copy.write_row(row)
