"""The event log on SQLite: what every log does, and what only this engine has."""

from __future__ import annotations

import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import pytest
from eventsourcing.persistence import OperationalError
from eventsourcing.utils import Environment

from server.storage.folder import StoreLock, StoreLocked, backup_store
from server.storage.log import EventLog
from server.storage.records import StoreProblem
from server.storage.sqlite import SEPARATOR, SqliteLog, SqliteLogFactory
from tests.conformance.log import LogConformance, command, event


@pytest.fixture
def open_log(tmp_path: Path) -> Iterator[Callable[[], EventLog]]:
    factories: list[SqliteLogFactory] = []

    def open_one() -> EventLog:
        factory = SqliteLogFactory(Environment("", {"SQLITE_DBNAME": str(tmp_path / "events.db")}))
        factories.append(factory)
        return factory.application_recorder()

    yield open_one
    for factory in factories:
        factory.close()


@pytest.fixture
def log(open_log: Callable[[], SqliteLog]) -> SqliteLog:
    return open_log()


class TestSqliteLog(LogConformance):
    pass


def test_positions_are_never_given_twice_even_after_the_newest_row_is_gone(
    log: SqliteLog, tmp_path: Path
) -> None:
    (position,) = log.insert_group([command(event(uuid4()))])
    with sqlite3.connect(tmp_path / "events.db") as connection:
        connection.execute("DELETE FROM log_events")
    connection.close()
    assert log.insert_group([command(event(uuid4()))]) == [position + 1]


ODD_PAYLOADS = [
    b"",
    b'{"text":"\\u0000 \\u001e \\" \\\\ \\ud83d"}',
    '{"text":"\u4e2d\u6587 \U0001f4e6 \u2028"}'.encode(),
    b'{ "spaced" : [1.0, 1e5, -0, 12345678901234567890], "twice": 1, "twice": 2 }',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe\x00 no text at all",
    b"a\x00b",
    b"",
]


@pytest.mark.parametrize("more", [[], [b"a" + SEPARATOR + b"b"], [SEPARATOR] * 3])
def test_payloads_of_one_page_come_back_byte_for_byte(log: SqliteLog, more: list[bytes]) -> None:
    """Payloads are read joined, so one that holds the separator must not shift the others."""
    payloads = [*ODD_PAYLOADS, *more, b'{"last":1}']
    a = uuid4()
    events = [replace(event(a, at), state=payload) for at, payload in enumerate(payloads, start=1)]
    log.insert_group([command(*events)])
    expected = list(enumerate(payloads, start=1))
    assert [(row[3], row[13]) for row in log.select_log(0, 100)] == expected
    assert [(row[3], row[13]) for row in log.select_aggregate(a)] == expected
    assert [(row[3], row[13]) for row in log.select_aggregates([a])] == expected
    assert {type(row[13]) for row in log.select_log(0, 100)} == {bytes}


def test_a_separator_in_the_envelope_does_not_touch_the_payloads(log: SqliteLog) -> None:
    odd = SEPARATOR.decode()
    log.insert_group([command(event(uuid4(), actor=odd), event(uuid4(), actor=f"a{odd}b"))])
    rows = [(row[7], row[13]) for row in log.select_log(0, 9)]
    assert rows == [(odd, b'{"text":"x"}'), (f"a{odd}b", b'{"text":"x"}')]


def test_the_readable_view_shows_payloads_and_times_as_text(log: SqliteLog, tmp_path: Path) -> None:
    moment = 1_795_343_223_000_042
    log.insert_group([command(event(uuid4(), occurred=moment, recorded=moment + 1))])
    connection = sqlite3.connect(tmp_path / "events.db")
    shown = connection.execute("SELECT payload, occurred, recorded FROM log_readable").fetchone()
    connection.close()
    assert shown == (
        '{"text":"x"}',
        "2026-11-22T10:27:03.000042Z",
        "2026-11-22T10:27:03.000043Z",
    )


def test_settings_that_may_lose_a_commit_are_named(
    open_log: Callable[[], EventLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    unsafe = ("journal_mode=DELETE", "synchronous=NORMAL")
    monkeypatch.setattr("server.storage.sqlite.PRAGMAS", unsafe)
    assert open_log().durability() == [
        "SQLite runs with journal_mode=delete, not WAL.",
        "SQLite runs with synchronous=1, below FULL (2).",
    ]


def test_a_log_in_memory_is_refused() -> None:
    factory = SqliteLogFactory(Environment("", {"SQLITE_DBNAME": ":memory:"}))
    with pytest.raises(StoreProblem, match="not in memory"):
        factory.application_recorder()
    factory.close()


@pytest.mark.parametrize(
    ("version", "warned"),
    [
        ((3, 40, 1), True),
        ((3, 51, 2), True),
        ((3, 44, 6), False),
        ((3, 50, 7), False),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
)
def test_an_sqlite_with_the_wal_reset_fault_is_warned_of(
    log: SqliteLog, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], warned: bool
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert bool(log.warnings()) is warned


def test_a_store_of_another_schema_version_is_refused(
    log: SqliteLog, open_log: Callable[[], EventLog], tmp_path: Path
) -> None:
    connection = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    connection.execute("UPDATE log_meta SET value = '2' WHERE key = 'schema_version'")
    connection.close()
    with pytest.raises(StoreProblem, match="schema 2"):
        open_log()


def test_a_locked_file_is_an_operational_error_and_writing_goes_on_after_it(
    tmp_path: Path,
) -> None:
    environment = {"SQLITE_DBNAME": str(tmp_path / "events.db"), "SQLITE_LOCK_TIMEOUT": "1"}
    factory = SqliteLogFactory(Environment("", environment))
    log = factory.application_recorder()
    other = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        log.insert_group([command(event(uuid4()))])
    other.close()
    assert log.insert_group([command(event(uuid4()))]) == [1]
    factory.close()


def test_a_full_disk_is_an_operational_error_and_what_was_acknowledged_stays(
    log: SqliteLog,
) -> None:
    """A limit on file sizes stands in for the disk: the same error path in SQLite."""
    log.insert_group([command(event(uuid4()))])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    acknowledged, refused = 1, None
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
        while refused is None and acknowledged < 1_000:
            try:
                log.insert_group([command(event(uuid4()))])
                acknowledged += 1
            except OperationalError as error:
                refused = error
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert refused is not None
    assert acknowledged > 10
    assert len(log.select_log(0, 2_000)) == acknowledged
    log.insert_group([command(event(uuid4()))])


def test_a_subscription_gets_what_is_written_while_it_waits(log: SqliteLog) -> None:
    with log.subscribe(gt=0) as subscription:
        log.insert_group([command(event(uuid4(), topic="first.v1"))])
        assert next(subscription).topic == "first.v1"
        log.insert_group([command(event(uuid4(), topic="second.v1"))])
        assert next(subscription).topic == "second.v1"


class TestStoreLock:
    def test_a_second_process_is_told_who_holds_the_store(self, tmp_path: Path) -> None:
        code = (
            "import sys, pathlib; from server.storage.folder import StoreLock;"
            "StoreLock(pathlib.Path(sys.argv[1])).acquire(); print('held', flush=True);"
            "sys.stdin.read()"
        )
        holder = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(StoreLocked, match=f"held by process {holder.pid}"):
                StoreLock(tmp_path).acquire()
            holder.kill()
        # The system let go of a killed holder's lock.
        with StoreLock(tmp_path):
            pass

    def test_a_released_store_can_be_held_again(self, tmp_path: Path) -> None:
        with StoreLock(tmp_path), pytest.raises(StoreLocked):
            StoreLock(tmp_path).acquire()
        with StoreLock(tmp_path):
            pass


class TestBackup:
    def test_a_backup_beside_a_live_writer_holds_all_that_was_acknowledged_before(
        self, log: SqliteLog, open_log: Callable[[], EventLog], tmp_path: Path
    ) -> None:
        acknowledged: list[int] = []
        stop = Event()

        def write() -> None:
            while not stop.is_set():
                acknowledged.extend(log.insert_group([command(event(uuid4()))]))

        writer = Thread(target=write)
        writer.start()
        try:
            while len(acknowledged) < 300:
                time.sleep(0.001)
            before = len(acknowledged)
            (copy,) = backup_store(tmp_path, tmp_path / "copy")
        finally:
            stop.set()
            writer.join()
        factory = SqliteLogFactory(Environment("", {"SQLITE_DBNAME": str(copy)}))
        restored = factory.application_recorder()
        positions = [row[0] for row in restored.select_log(0, 1_000_000)]
        assert len(positions) >= before
        assert positions == acknowledged[: len(positions)]
        factory.close()

    def test_keys_are_left_out_unless_asked_for(self, log: SqliteLog, tmp_path: Path) -> None:
        log.insert_group([command(event(uuid4()))])
        sqlite3.connect(tmp_path / "keys.db").close()
        names = [path.name for path in backup_store(tmp_path, tmp_path / "without")]
        assert names == ["events.db"]
        names = [path.name for path in backup_store(tmp_path, tmp_path / "with", keys=True)]
        assert names == ["events.db", "keys.db"]

    def test_a_backup_never_writes_over_a_store(self, log: SqliteLog, tmp_path: Path) -> None:
        with pytest.raises(StoreProblem, match="exists already"):
            backup_store(tmp_path, tmp_path)
        with pytest.raises(StoreProblem, match="no store"):
            backup_store(tmp_path / "nowhere", tmp_path / "copy")
