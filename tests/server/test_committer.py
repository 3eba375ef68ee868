"""Group commits: what is refused splits no group, and no fault of the store ends the writing."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest
from eventsourcing.persistence import InterfaceError, OperationalError
from grpc_health.v1 import health_pb2, health_pb2_grpc

from esm import commands as c
from esm.errors import StorageUnavailable
from esm.events import Subject
from esm.exception.state import Case
from server.app import Running
from server.settings import Settings
from server.storage import sqlite
from server.storage.records import LogConflict, OutcomeUnknown, Submission
from tests.server import writing as w
from tests.serving import postgres_settings, sqlite_settings

PATIENCE_SECONDS = 30
CASES = 12


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return sqlite_settings(tmp_path / "store")
    dsn = request.getfixturevalue("postgres_dsn")
    return postgres_settings(dsn, request.getfixturevalue("postgres_schema"))


def run(settings: Settings, test: Callable[[Running], Awaitable[None]]) -> None:
    """Run a test that fails, and does not hang, when nobody answers."""

    async def bounded(server: Running) -> None:
        await asyncio.wait_for(test(server), PATIENCE_SECONDS)

    w.run(settings, bounded)


def parcel(code: str) -> Subject:
    return Subject(order_id="O1", shipment_code=code)


def note(case: str) -> c.AddNote:
    return c.AddNote(exception_id=case, text="x")


# --- groups ---------------------------------------------------------------------------------------


def test_a_repeated_request_does_not_split_the_group_that_it_is_in(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        first = await server.writer.handle(note(case), w.call("again"))
        cases = [await w.opened(server, subject=parcel(f"P{i}")) for i in range(CASES)]
        for each in cases:
            await server.writer.handle(note(each), w.call())
        groups = watched(server, monkeypatch)
        with w.commits_held(server):
            ahead = asyncio.ensure_future(server.writer.handle(note(cases[0]), w.call()))
            await asyncio.sleep(0.1)
            rest = asyncio.gather(
                *(server.writer.handle(note(each), w.call()) for each in cases[1:5]),
                server.writer.handle(note(case), w.call("again")),
                *(server.writer.handle(note(each), w.call()) for each in cases[5:]),
            )
            await asyncio.sleep(0.1)
        await ahead
        answers = await rest
        assert answers[4] == first
        assert groups == [1, CASES, CASES - 1]
        assert [answer.targets[0][1] for answer in answers[:4]] == [4] * 4
        assert w.without_gaps(server)

    run(settings, test)


def watched(server: Running, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the groups that are tried from now on."""
    log = server.store.application.events_log
    insert = log.insert_group
    sizes: list[int] = []

    def noted(submissions: Sequence[Submission]) -> list[int]:
        sizes.append(len(submissions))
        return insert(submissions)

    monkeypatch.setattr(type(log), "insert_group", lambda _, submissions: noted(submissions))
    return sizes


# --- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [InterfaceError, OperationalError, RuntimeError])
def test_a_fault_while_a_repeated_request_is_looked_up_does_not_end_the_writing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        log = server.store.application.events_log
        first = await server.writer.handle(note(case), w.call("r1"))

        def broken(*_: Any) -> Any:
            raise fault("the connection is closed")

        with monkeypatch.context() as patch:
            patch.setattr(log, "find_requests", broken)
            with pytest.raises((StorageUnavailable, RuntimeError)):
                await server.writer.handle(note(case), w.call("r1"))
        assert await server.writer.handle(note(case), w.call("r1")) == first
        assert (await server.writer.handle(note(case), w.call())).targets[0][1] == 4

    run(settings, test)


def test_a_fault_at_one_member_of_a_group_is_that_members_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(server: Running) -> None:
        cases = [await w.opened(server, subject=parcel(f"P{i}")) for i in range(3)]
        log = server.store.application.events_log
        insert = log.insert_group

        def failing(submissions: Sequence[Submission]) -> list[int]:
            if len(submissions) > 1:
                raise LogConflict("version", "made up")
            if str(submissions[0].events[0].originator_id) == cases[1]:
                raise InterfaceError("made up")
            return insert(submissions)

        items = [(note(each), w.call(f"r{each}")) for each in cases]
        with monkeypatch.context() as patch:
            patch.setattr(log, "insert_group", failing)
            found = await server.writer.handle_batch(items)
        refused = [isinstance(answer, StorageUnavailable) for answer in found]
        assert refused == [False, True, False]
        assert w.versions(server, UUID(cases[1])) == [1, 2]
        assert w.without_gaps(server)

    run(settings, test)


def test_a_disk_that_fails_at_the_commit_and_again_at_opening_is_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        log: Any = server.store.application.events_log
        log._writer = FullAtCommit(log._writer)

        def away(*_: Any) -> Any:
            raise sqlite3.OperationalError("disk I/O error")

        with monkeypatch.context() as patch:
            patch.setattr(sqlite, "open_connection", away)
            with pytest.raises(StorageUnavailable):
                await server.writer.handle(note(case), w.call("r1"))
            assert log._writer is None
            with pytest.raises(StorageUnavailable):
                await server.writer.handle(note(case), w.call("r1"))
        assert (await server.writer.handle(note(case), w.call("r1"))).targets[0][1] == 3

    run(sqlite_settings(tmp_path / "store"), test)


class FullAtCommit:
    """A connection whose commits fail."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    def execute(self, statement: str, *values: Any) -> Any:
        if statement == "COMMIT":
            raise sqlite3.OperationalError("disk I/O error")
        return self._raw.execute(statement, *values)

    def close(self) -> None:
        self._raw.close()


def test_a_command_that_stands_though_nobody_knew_is_answered_from_the_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its second sending was decided anew, at another time and by another actor."""

    async def test(server: Running) -> None:
        case = await w.opened(server)
        log: Any = server.store.application.events_log
        insert, find = log.insert_group, log.find_requests

        def lost(group: Sequence[Submission]) -> list[int]:
            monkeypatch.setattr(log, "insert_group", away)
            insert(group)
            raise OutcomeUnknown("the connection was lost in mid-commit")

        def away(*_: Any) -> Any:
            raise OperationalError("still away")

        monkeypatch.setattr(log, "insert_group", lost)
        monkeypatch.setattr(log, "find_requests", away)
        verify = c.RecordVerification(exception_id=case, item="order_facts")
        with pytest.raises(StorageUnavailable):
            await server.writer.handle(verify, w.call("again", actor="ann"))
        monkeypatch.setattr(log, "insert_group", insert)
        monkeypatch.setattr(log, "find_requests", find)
        answer = await server.writer.handle(verify, w.call("again", actor="bob"))
        ((case_id, version, state),) = answer.targets
        assert isinstance(state, Case)
        assert [v.by for v in state.verifications] == ["ann"]
        assert server.store.application.state_at(case_id) == (version, state)
        await server.writer.handle(note(case), w.call())
        cached = await server.writer.states.load([case_id])
        assert cached[case_id] == server.store.application.state_at(case_id)

    run(settings, test)


def test_what_was_submitted_before_a_close_is_written(tmp_path: Path) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        writing = asyncio.ensure_future(server.writer.handle(note(case), w.call()))
        committer: Any = server.writer._committer
        while not committer._queue and not writing.done():
            await asyncio.sleep(0)
        committer.close()
        await writing
        with pytest.raises(StorageUnavailable):
            await server.writer.handle(note(case), w.call())

    run(sqlite_settings(tmp_path / "store"), test)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_without_the_thread_that_writes_commands_are_refused_and_the_server_is_unfit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(server: Running) -> None:
        cases = [await w.opened(server, subject=parcel(f"P{i}")) for i in range(CASES)]
        log: Any = server.store.application.events_log

        def ends_the_thread(_: Sequence[Submission]) -> list[int]:
            raise SystemExit

        monkeypatch.setattr(log, "insert_group", ends_the_thread)
        handle = server.writer.handle
        together = [handle(note(case), w.call()) for case in cases]
        refused = await asyncio.gather(*together, return_exceptions=True)
        with pytest.raises(StorageUnavailable):
            await handle(note(cases[0]), w.call())
        assert {type(each) for each in refused} == {StorageUnavailable}
        async with grpc.aio.insecure_channel(server.address) as channel:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            for name in ("", "shipment_exception.v1.ExceptionService"):
                found = await stub.Check(health_pb2.HealthCheckRequest(service=name))
                assert found.status == health_pb2.HealthCheckResponse.NOT_SERVING

    run(sqlite_settings(tmp_path / "store"), test)
