"""A PostgreSQL that goes away and comes back: reads say so, and work again."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from shipment_exception.v1 import exception_service_pb2 as calls
from shipment_exception.v1 import ledger_service_pb2, ticket_service_pb2
from shipment_exception.v1.exception_pb2 import Signal, Subject

from tests.serving import Client, client, postgres_settings, serving

BACK_SECONDS_MAX = 60
"""The pools of connections try again ever more seldom, up to as long as the store was away."""


@pytest.fixture
def database(postgres_dsn: str) -> Iterator[str]:
    """A database of one test, so that it can be closed to everybody."""
    name = f"away_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield name
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def reachable(dsn: str, database: str, yes: bool) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        connection.execute(statement.format(sql.Identifier(database), sql.Literal(yes)))
        if not yes:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (database,),
            )


def detect(at: Client, parcel: str) -> Any:
    return at.exceptions.DetectException(
        calls.DetectExceptionRequest(
            subject=Subject(order_id="O-1", shipment_code=parcel),
            code="LOST",
            signal=Signal(kind="person"),
            none_yet_looked_at={"seconds": 1_700_000_000},
            request_id=parcel,
        )
    )


def answered(read: Callable[[], Any]) -> None:
    """Reads as a client does that is told to come back later."""
    until = time.monotonic() + BACK_SECONDS_MAX
    while True:
        try:
            read()
        except grpc.RpcError as refused:
            if refused.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > until:
                raise
        else:
            return


def every_kind_of_read(at: Client, case: str) -> dict[str, Callable[[], Any]]:
    return {
        "a read of the log": lambda: at.exceptions.GetException(
            calls.GetExceptionRequest(exception_id=case)
        ),
        "a ticket": lambda: at.tickets.GetTicket(
            ticket_service_pb2.GetTicketRequest(exception_id=case)
        ),
        "the books": lambda: at.ledger.ListEntries(ledger_service_pb2.ListEntriesRequest()),
    }


def test_reads_are_unavailable_while_the_database_is_away_and_work_again(
    postgres_dsn: str, database: str
) -> None:
    dsn = make_conninfo(postgres_dsn, dbname=database)
    with serving(postgres_settings(dsn, "esm")) as server, client(server.address) as at:
        made = detect(at, "P-1")
        case = made.exception.exception_id
        at.tickets.GetTicket(
            ticket_service_pb2.GetTicketRequest(exception_id=case, min_position=made.position)
        )
        reads = every_kind_of_read(at, case)
        reachable(postgres_dsn, database, False)
        found = {}
        for name, read in reads.items():
            with pytest.raises(grpc.RpcError) as refused:
                read()
            found[name] = refused.value.code()
        assert set(found.values()) == {grpc.StatusCode.UNAVAILABLE}, found
        reachable(postgres_dsn, database, True)
        for read in reads.values():
            answered(read)
