"""The one door on real stores: idempotency, refusals, previews, cancelled callers, full queue."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_status import rpc_status
from msgspec import structs
from shipment_exception.v1 import exception_service_pb2 as pb
from shipment_exception.v1.exception_service_pb2_grpc import ExceptionServiceStub

import server.writer
from esm import commands as c
from esm.errors import (
    ChecklistIncomplete,
    DomainError,
    InvalidCommand,
    QueueFull,
    RequestIdReused,
    StaleEtag,
)
from esm.events import CataloguePublished
from server.app import Running
from server.settings import ClockKind, Settings
from tests.esm import given as g
from tests.server import writing as w
from tests.serving import postgres_settings, sqlite_settings

SAME_REQUESTS = 1_000


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return sqlite_settings(tmp_path / "store")
    dsn = request.getfixturevalue("postgres_dsn")
    return postgres_settings(dsn, request.getfixturevalue("postgres_schema"))


def note(case: str, text: str = "x") -> c.AddNote:
    return c.AddNote(exception_id=case, text=text)


# --- the same request again -----------------------------------------------------------------------


def test_a_repeated_request_gets_the_first_answer_even_after_later_changes_and_a_restart(
    settings: Settings,
) -> None:
    answers = []

    async def first(server: Running) -> None:
        case = await w.opened(server)
        assign = c.Assign(exception_id=case, owner="eve")
        answers.append(await server.writer.handle(assign, w.call("r1")))
        await server.writer.handle(c.Assign(exception_id=case, owner="bob"), w.call())
        again = await server.writer.handle(assign, w.call("r1"))
        assert again == answers[0]
        assert w.case_of(again).owner == "eve"
        assert w.state(server, UUID(case)).owner == "bob"

    async def second(server: Running) -> None:
        case = str(w.case_of(answers[0]).id)
        before = len(w.rows(server))
        again = await server.writer.handle(c.Assign(exception_id=case, owner="eve"), w.call("r1"))
        assert again == answers[0]
        assert len(w.rows(server)) == before

    w.run(settings, first)
    w.run(settings, second)


def test_a_request_with_a_state_that_would_refuse_it_now_still_gets_its_first_answer(
    settings: Settings,
) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        contact = c.RecordContact(exception_id=case, party="customer")
        first = await server.writer.handle(contact, w.call("r1"))
        await server.writer.handle(
            c.Withdraw(exception_id=case, resolution="FALSE_ALARM"), w.call()
        )
        assert await server.writer.handle(contact, w.call("r1")) == first

    w.run(settings, test)


@pytest.mark.parametrize(
    "changes",
    [{}, {"occurred": "2026-03-01T00:00:00.000000Z"}, {"etag": "1"}],
    ids=["body", "occurred", "etag"],
)
def test_another_body_under_the_same_request_id_is_refused(
    settings: Settings, changes: dict[str, Any]
) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        await server.writer.handle(note(case), w.call("r1"))
        other = note(case) if changes else note(case, "something else")
        with pytest.raises(RequestIdReused):
            await server.writer.handle(other, w.call("r1", **changes))
        with pytest.raises(RequestIdReused):
            await server.writer.handle(c.StopWaiting(exception_id=case), w.call("r1"))
        assert w.versions(server, UUID(case)) == [1, 2, 3]

    w.run(settings, test)


def test_a_request_id_is_the_tenants_own(settings: Settings) -> None:
    async def test(server: Running) -> None:
        await server.writer.handle(g.record_order(), w.call("r1"))
        other = w.call("r1", tenant="t2")
        answer = await server.writer.handle(g.record_order("O7"), other)
        assert w.order_of(answer).order_id == "O7"

    w.run(settings, test)


def test_a_thousand_same_requests_at_once_make_one_event_and_get_one_answer(
    settings: Settings,
) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        calls = [server.writer.handle(note(case), w.call("r1")) for _ in range(SAME_REQUESTS)]
        answers = await asyncio.gather(*calls)
        assert all(answer == answers[0] for answer in answers)
        assert w.versions(server, UUID(case)) == [1, 2, 3]

    w.run(settings, test)


def test_the_same_request_over_the_api_gets_the_same_bytes(settings: Settings) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        request = pb.AddNoteRequest(exception_id=case, text="x", request_id="r1")
        async with grpc.aio.insecure_channel(server.address) as channel:
            stub: Any = ExceptionServiceStub(channel)
            metadata = (("esm-tenant", "t1"), ("esm-actor", "ann"))
            calls = [stub.AddNote(request, metadata=metadata) for _ in range(50)]
            answers = await asyncio.gather(*calls)
        assert len({a.SerializeToString(deterministic=True) for a in answers}) == 1

    w.run(settings, test)


def test_a_refusal_is_not_stored(settings: Settings) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        propose = c.ProposeAction(exception_id=case, kind="coupon", amount=g.cny(5))
        with pytest.raises(ChecklistIncomplete):
            await server.writer.handle(propose, w.call("r1"))
        await w.verified(server, case)
        answer = await server.writer.handle(propose, w.call("r1"))
        assert len(w.case_of(answer).actions) == 1

    w.run(settings, test)


def test_a_command_that_changed_nothing_is_stored_too(settings: Settings) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        assign = c.Assign(exception_id=case, owner="queue:task_force")
        first = await server.writer.handle(assign, w.call("r1"))
        assert w.versions(server, UUID(case)) == [1, 2]
        await server.writer.handle(c.Assign(exception_id=case, owner="bob"), w.call())
        assert await server.writer.handle(assign, w.call("r1")) == first
        with pytest.raises(RequestIdReused):
            await server.writer.handle(note(case), w.call("r1"))
        assert w.state(server, UUID(case)).owner == "bob"

    w.run(settings, test)


def test_an_etag_from_an_answer_is_good_once(settings: Settings) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        async with grpc.aio.insecure_channel(server.address) as channel:
            stub: Any = ExceptionServiceStub(channel)
            metadata = (("esm-tenant", "t1"),)
            read = pb.GetExceptionRequest(exception_id=case)
            etag = (await stub.GetException(read, metadata=metadata)).exception.etag
            request = pb.AddNoteRequest(exception_id=case, text="x", etag=etag)
            await stub.AddNote(request, metadata=metadata)
        with pytest.raises(StaleEtag):
            await server.writer.handle(note(case), w.call(etag=etag))

    w.run(settings, test)


# --- previews -------------------------------------------------------------------------------------


def test_a_preview_shows_what_would_be_recorded_and_writes_nothing_not_even_a_key(
    settings: Settings,
) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server, person="customer-7")
        before = w.rows(server)
        preview = structs.replace(w.call("r1"), validate_only=True)
        answer = await server.writer.handle(note(case), preview)
        assert [event.TOPIC for _, _, event in answer.events] == ["exception.note_added.v1"]
        assert w.rows(server) == before
        keys = server.store.personal._keys
        assert keys.fetch("t1", ["customer-7"]) == {}
        # The request id is still free, also for another body.
        await server.writer.handle(note(case, "another"), w.call("r1"))
        assert set(keys.fetch("t1", ["customer-7"])) == {"customer-7"}

    w.run(settings, test)


def test_a_preview_of_what_would_be_refused_is_refused(settings: Settings) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        propose = c.ProposeAction(exception_id=case, kind="coupon", amount=g.cny(5))
        with pytest.raises(ChecklistIncomplete):
            await server.writer.handle(propose, structs.replace(w.call(), validate_only=True))

    w.run(settings, test)


def test_a_preview_that_read_before_a_commit_does_not_bring_the_old_state_back(
    settings: Settings,
) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server, "TRACKING_STALLED", stage="at_risk")
        states = server.writer.states
        old = await states.load([UUID(case)])
        await server.writer.handle(c.Escalate(exception_id=case), w.call())
        states.remember(old)
        await server.writer.handle(c.RecordContact(exception_id=case, party="customer"), w.call())

    w.run(settings, test)


# --- time -----------------------------------------------------------------------------------------


def test_nothing_occurs_in_the_future_of_a_wall_clock(settings: Settings) -> None:
    async def test(server: Running) -> None:
        with pytest.raises(InvalidCommand) as refused:
            await server.writer.handle(
                g.record_order(), w.call(occurred="2999-01-01T00:00:00.000000Z")
            )
        assert refused.value.metadata["fields"] == "occurred_at"

    w.run(settings, test)


# --- callers that go away, queues that fill -------------------------------------------------------


@pytest.mark.parametrize("clock", ["wall", "feed"])
def test_nothing_occurs_before_the_year_2000(settings: Settings, clock: ClockKind) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server, none_yet_looked_at="2000-01-01T00:00:00.000000Z")
        early = w.call(occurred="1999-12-31T23:59:59.999999Z")
        with pytest.raises(InvalidCommand) as refusal:
            await server.writer.handle(note(case), early)
        assert [found.field for found in refusal.value.violations] == ["occurred_at"]
        await server.writer.handle(note(case), w.call(occurred="2000-01-01T00:00:00.000000Z"))

    w.run(replace(settings, clock=clock), test)


def test_a_cancelled_caller_does_not_stop_the_commit(settings: Settings) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        await server.writer.handle(note(case), w.call())
        with w.commits_held(server):
            waiting = asyncio.ensure_future(server.writer.handle(note(case), w.call("r1")))
            await asyncio.sleep(0.2)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert len(server.writer.locks) == 1
        answer = await server.writer.handle(note(case), w.call("r1"))
        assert answer.targets[0][1] == 4
        await server.writer.handle(note(case), w.call())
        assert w.versions(server, UUID(case)) == [1, 2, 3, 4, 5]

    w.run(settings, test)


def test_callers_cancelled_while_they_wait_for_a_lock_leave_none_behind(
    settings: Settings,
) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        await server.writer.handle(note(case), w.call())
        with w.commits_held(server):
            waiting = [
                asyncio.ensure_future(server.writer.handle(note(case), w.call())) for _ in range(20)
            ]
            await asyncio.sleep(0.2)
            for task in waiting[::2]:
                task.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(*waiting, return_exceptions=True)
        answer = await server.writer.handle(note(case), w.call())
        assert answer.targets[0][1] in (14, 15)
        assert w.without_gaps(server)

    w.run(settings, test)


def test_a_full_queue_refuses_with_a_pause_and_takes_commands_again_afterwards(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(running: Running) -> None:
        case = await w.opened(running)
        await running.writer.handle(note(case), w.call())
        monkeypatch.setattr(server.writer, "QUEUE_COMMANDS_MAX", 2)
        with w.commits_held(running):
            waiting = [
                asyncio.ensure_future(running.writer.handle(note(case), w.call())) for _ in range(2)
            ]
            await asyncio.sleep(0.1)
            with pytest.raises(QueueFull):
                await running.writer.handle_batch([(note(case), w.call())])
            status = await refused_over_the_api(running, case)
        assert status.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        call: Any = status  # the library's own types leave its asyncio half out
        details = rpc_status.from_call(call)
        assert details is not None
        info, retry = ErrorInfo(), RetryInfo()
        assert any(detail.Unpack(info) for detail in details.details)
        assert info.reason == "QUEUE_FULL"
        assert any(detail.Unpack(retry) for detail in details.details)
        assert retry.retry_delay.ToMilliseconds() > 0
        await asyncio.gather(*waiting)
        await running.writer.handle(note(case), w.call())

    w.run(settings, test)


async def refused_over_the_api(running: Running, case: str) -> grpc.aio.AioRpcError:
    async with grpc.aio.insecure_channel(running.address) as channel:
        stub: Any = ExceptionServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.AddNote(
                pb.AddNoteRequest(exception_id=case, text="x"), metadata=(("esm-tenant", "t1"),)
            )
    return refused.value


def test_a_refused_command_holds_no_lock(settings: Settings) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        refusals = await asyncio.gather(
            *(server.writer.handle(c.Reconcile(exception_id=case), w.call()) for _ in range(50)),
            server.writer.handle(note("nonsense"), w.call()),
            server.writer.handle(note("00000000-0000-0000-0000-000000000000"), w.call()),
            return_exceptions=True,
        )
        assert all(isinstance(refusal, DomainError) for refusal in refusals)
        assert len(server.writer.locks) == 0

    w.run(settings, test)


# --- the catalogue --------------------------------------------------------------------------------


def test_the_first_fact_of_a_tenant_is_the_catalogue_whoever_comes_first(
    settings: Settings,
) -> None:
    async def test(server: Running) -> None:
        calls = [server.writer.handle(g.record_order(f"O{i}"), w.call(f"r{i}")) for i in range(64)]
        await asyncio.gather(*calls)
        topics = [row.topic for row in w.rows(server)]
        assert topics[0] == CataloguePublished.TOPIC
        assert topics.count(CataloguePublished.TOPIC) == 1
        assert len(topics) == 65

    w.run(settings, test)


def test_new_rules_are_published_before_the_first_fact_that_names_them(
    settings: Settings, tmp_path: Path
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    expected = '[[coupon_expected_use]]\nkind = "coupon"\nfrom = "2000-01-01"\npercent = 50\n'
    (rules / "compensation.toml").write_text(expected, "utf-8")

    async def first(server: Running) -> None:
        await server.writer.handle(g.record_order("O1"), w.call("r1"))

    async def second(server: Running) -> None:
        known, fresh = (g.record_order("O1"), w.call("r1")), (g.record_order("O2"), w.call("r2"))
        found = await server.writer.handle_batch([known, fresh])
        assert not any(isinstance(answer, DomainError) for answer in found)
        assert [row.topic for row in w.rows(server)] == [
            CataloguePublished.TOPIC,
            "order.recorded.v1",
            CataloguePublished.TOPIC,
            "order.recorded.v1",
        ]

    w.run(settings, first)
    w.run(replace(settings, catalog=rules), second)
