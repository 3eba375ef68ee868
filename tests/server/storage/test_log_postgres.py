"""The event log on PostgreSQL: what every log does, and what only this engine has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Event, Thread
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import DataError, OperationalError, ProgrammingError
from eventsourcing.utils import Environment
from psycopg.sql import SQL, Identifier

from projections.postgres_arrays import integers
from server.storage.log import EventLog
from server.storage.postgres import PostgresLog, PostgresLogFactory, postgres_environment
from server.storage.postgres_arrays import blobs, texts
from server.storage.postgres_schema import lock_key
from server.storage.records import LogFilter, OutcomeUnknown, StoreProblem
from tests.conformance.log import LogConformance, command, event
from tests.postgres_server import postgres_server

TERMINATE_WAITING_WRITERS = """
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
"""


@pytest.fixture
def open_log(postgres_dsn: str, postgres_schema: str) -> Iterator[Callable[[], EventLog]]:
    factories: list[PostgresLogFactory] = []

    def open_one() -> EventLog:
        environment = postgres_environment(postgres_dsn, postgres_schema)
        factory = PostgresLogFactory(Environment("", {**environment, "POSTGRES_POOL_SIZE": "1"}))
        factories.append(factory)
        return factory.application_recorder()

    yield open_one
    for factory in factories:
        factory.close()


@pytest.fixture
def log(open_log: Callable[[], PostgresLog]) -> PostgresLog:
    return open_log()


@pytest.fixture
def direct(postgres_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        yield connection


class TestPostgresLog(LogConformance):
    pass


def test_a_store_has_tables_only_no_type_no_function_no_trigger(
    log: PostgresLog, postgres_schema: str, direct: psycopg.Connection
) -> None:
    relations = direct.execute(
        "SELECT relname, relkind::text FROM pg_class JOIN pg_namespace n ON relnamespace = n.oid "
        "WHERE nspname = %s AND relkind IN ('r', 'v', 'S') ORDER BY 1",
        (postgres_schema,),
    ).fetchall()
    assert relations == [
        ("log_events", "r"),
        ("log_events_notification_id_seq", "S"),
        ("log_meta", "r"),
        ("log_readable", "v"),
        ("log_requests", "r"),
        ("log_sources", "r"),
    ]
    for catalogue in (
        "pg_proc WHERE pronamespace",
        "pg_constraint WHERE contype = 'f' AND connamespace",
    ):
        statement = f"SELECT count(*) FROM {catalogue} = to_regnamespace(%s)"
        found = direct.execute(statement.encode(), (postgres_schema,)).fetchone()
        assert found == (0,)


def test_the_readable_view_shows_payloads_and_times_as_text(
    log: PostgresLog, postgres_schema: str, direct: psycopg.Connection
) -> None:
    moment = 1_795_343_223_000_042
    log.insert_group([command(event(uuid4(), occurred=moment, recorded=moment + 1))])
    view = SQL("SELECT payload, occurred, recorded FROM {}.log_readable")
    shown = direct.execute(view.format(Identifier(postgres_schema))).fetchone()
    assert shown == (
        '{"text":"x"}',
        "2026-11-22T10:27:03.000042Z",
        "2026-11-22T10:27:03.000043Z",
    )


def test_a_group_is_one_round_trip_that_tells_the_listeners_once(
    log: PostgresLog, postgres_schema: str, direct: psycopg.Connection
) -> None:
    direct.execute(SQL("LISTEN {}").format(Identifier(log.channel_name)))
    log.insert_group([command(event(uuid4())) for _ in range(50)])
    assert len(list(direct.notifies(timeout=0.5))) == 1


def test_a_watcher_hears_of_what_another_server_writes(
    log: PostgresLog, open_log: Callable[[], EventLog]
) -> None:
    woken = Event()
    other = open_log()
    with log.watch(woken):
        # The first wake-up says that the watcher listens from now on.
        assert woken.wait(5)
        woken.clear()
        other.insert_group([command(event(uuid4()))])
        assert woken.wait(5)


def test_a_subscription_outlives_the_loss_of_its_listening_connection(
    log: PostgresLog, open_log: Callable[[], EventLog], direct: psycopg.Connection
) -> None:
    other = open_log()
    with log.subscribe(gt=0) as subscription:
        other.insert_group([command(event(uuid4(), topic="first.v1"))])
        assert next(subscription).topic == "first.v1"
        killed = direct.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = %s",
            (f'LISTEN "{log.channel_name}"',),
        ).fetchall()
        assert killed == [(True,)]
        other.insert_group([command(event(uuid4(), topic="second.v1"))])
        assert next(subscription).topic == "second.v1"


def test_a_writer_that_cannot_get_the_lock_gives_up_and_wrote_nothing(
    log: PostgresLog,
    postgres_schema: str,
    direct: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.storage.postgres.LOCK_SECONDS_MAX", 1)
    with direct.transaction():
        direct.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key(postgres_schema),))
        with pytest.raises(OperationalError, match="lock timeout") as refused:
            log.insert_group([command(event(uuid4()))])
    assert not isinstance(refused.value, OutcomeUnknown)
    assert log.max_position() == 0
    assert len(log.insert_group([command(event(uuid4()))])) == 1


def test_a_connection_lost_while_writing_leaves_the_outcome_to_the_request_id(
    log: PostgresLog, postgres_schema: str, direct: psycopg.Connection
) -> None:
    log.insert_group([command(event(uuid4()))])
    lost: list[BaseException] = []

    def write() -> None:
        try:
            log.insert_group([command(event(uuid4()), request_id="in-doubt")])
        except OperationalError as error:
            lost.append(error)

    writer = Thread(target=write)
    with direct.transaction():
        direct.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key(postgres_schema),))
        writer.start()
        while not direct.execute(TERMINATE_WAITING_WRITERS).fetchall():
            time.sleep(0.01)
        writer.join()
    assert [type(error) for error in lost] == [OutcomeUnknown]
    assert log.find_requests("t1", ["in-doubt"]) == {}
    assert len(log.insert_group([command(event(uuid4()), request_id="in-doubt")])) == 1
    assert list(log.find_requests("t1", ["in-doubt"])) == ["in-doubt"]


def test_a_writer_whose_idle_connection_died_takes_a_new_one(
    log: PostgresLog, direct: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.insert_group([command(event(uuid4()))])
    monkeypatch.setattr("server.storage.postgres.WRITER_IDLE_SECONDS_MAX", 0)
    direct.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%INSERT INTO%' "
        "AND pid <> pg_backend_pid()"
    )
    assert len(log.insert_group([command(event(uuid4()))])) == 1


def test_two_stores_in_one_database_do_not_see_each_other(
    log: PostgresLog, postgres_dsn: str, postgres_schema: str, direct: psycopg.Connection
) -> None:
    other_schema = postgres_schema + "_2"
    factory = PostgresLogFactory(Environment("", postgres_environment(postgres_dsn, other_schema)))
    other = factory.application_recorder()
    try:
        assert log.insert_group([command(event(uuid4()), request_id="r")]) == [1]
        assert other.insert_group([command(event(uuid4()), request_id="r")]) == [1]
        assert len(log.select_log(0, 10, where=LogFilter(tenant="t1"))) == 1
    finally:
        factory.close()
        direct.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(other_schema)))


def test_many_servers_may_make_the_same_store_at_once(open_log: Callable[[], EventLog]) -> None:
    made: list[EventLog] = []
    threads = [Thread(target=lambda: made.append(open_log())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6


def test_a_store_of_another_schema_version_is_refused(
    log: PostgresLog,
    open_log: Callable[[], EventLog],
    postgres_schema: str,
    direct: psycopg.Connection,
) -> None:
    update = SQL("UPDATE {}.log_meta SET value = '2' WHERE key = 'schema_version'")
    direct.execute(update.format(Identifier(postgres_schema)))
    with pytest.raises(StoreProblem, match="schema 2"):
        open_log()


def test_the_name_of_a_schema_is_bounded(postgres_dsn: str) -> None:
    factory = PostgresLogFactory(Environment("", postgres_environment(postgres_dsn, "s" * 51)))
    with pytest.raises(ProgrammingError, match="at most"):
        factory.application_recorder()
    factory.close()


def test_the_functions_of_the_library_stay_off_whatever_the_environment_says(
    postgres_dsn: str, postgres_schema: str
) -> None:
    environment = postgres_environment(postgres_dsn, postgres_schema)
    environment["POSTGRES_ENABLE_DB_FUNCTIONS"] = "y"
    factory = PostgresLogFactory(Environment("", environment))
    assert factory.datastore.enable_db_functions is False
    factory.close()


def test_a_text_with_a_nul_is_refused_before_it_is_sent(log: PostgresLog) -> None:
    with pytest.raises(DataError, match="NUL"):
        log.insert_group([command(event(uuid4(), actor="a\x00b"))])


def test_array_literals_are_what_the_server_reads_back(direct: psycopg.Connection) -> None:
    words = ["", "NULL", 'a"b', "back\\slash", "{x,y}", "new\nline", "中文", " spaced ", "\t"]
    bytes_ = [b"", b"\x00\xff", b"plain"]
    numbers = [0, -1, 2**62]
    row = direct.execute(
        "SELECT %s::text[], %s::bytea[], %s::bigint[], %s::text[], %s::text[]",
        (texts(words), blobs(bytes_), integers(numbers), texts([]), texts([""])),
    ).fetchone()
    assert row == (words, bytes_, numbers, [], [""])


def test_a_server_that_may_lose_commits_is_named() -> None:
    settings = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
    with postgres_server(settings=settings) as dsn:
        factory = PostgresLogFactory(Environment("", postgres_environment(dsn)))
        log = factory.application_recorder()
        assert log.durability() == [
            "PostgreSQL runs with fsync=off.",
            "PostgreSQL runs with full_page_writes=off.",
            "PostgreSQL runs with synchronous_commit=off.",
        ]
        factory.close()
