"""What detection asks of the writer: on both engines, twice, from two servers, and read again."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from esm import commands as c
from esm.errors import DomainError, Expected, Muted
from esm.events import Detected, SourceJoined
from esm.times import instant, micros
from esm.watch.state import Watch
from server.app import Running
from server.settings import Settings
from server.submission import Answer
from tests.esm import given as g
from tests.server import writing as w
from tests.serving import postgres_settings, sqlite_settings

STALL = "TRACKING_STALLED"
DAY_MICROS = 86_400_000_000
SIGNALS = 40


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return sqlite_settings(tmp_path / "store")
    dsn, schema = (request.getfixturevalue(n) for n in ("postgres_dsn", "postgres_schema"))
    return postgres_settings(dsn, schema)


def test_a_stall_goes_from_its_stages_to_its_end_and_comes_back(settings: Settings) -> None:
    async def test(server: Running) -> None:
        handle = server.writer.handle
        await handle(g.deviation(STALL, "at_risk", stage="at_risk"), w.call())
        answer = await handle(g.deviation(STALL, "breached", stage="breached"), w.call())
        case = w.case_of(answer)
        assert (case.state, case.stage) == ("escalated", "breached")
        clear = c.ClearSignal(
            exception_id=str(case.id),
            source_ids=("at_risk", "breached"),
            last_checkpoint=g.scan(raw_text="arrived at the hub"),
        )
        for _ in range(2):
            withdrawn = w.case_of(await handle(clear, w.call()))
            assert (withdrawn.state, withdrawn.resolution) == ("withdrawn", "RESUMED")
        again = w.case_of(await handle(g.deviation(STALL, "again", stage="breached"), w.call()))
        assert (again.id, again.episode, again.state) == (case.id, 2, "escalated")
        assert w.state(server, case.id) == again

    w.run(settings, test)


def test_what_is_at_risk_again_is_accepted_once_and_records_nothing(settings: Settings) -> None:
    async def test(server: Running) -> None:
        handle = server.writer.handle
        case = w.case_of(await handle(g.deviation(STALL, "a", stage="at_risk"), w.call()))
        clear = c.ClearSignal(exception_id=str(case.id), source_ids=("a",))
        withdrawn = w.case_of(await handle(clear, w.call()))
        alone = g.deviation(STALL, "b", stage="at_risk")
        for call in (w.call("same"), w.call("same"), w.call()):
            answer = await handle(alone, call)
            assert w.case_of(answer) == withdrawn
        together = [g.deviation(STALL, name, stage="at_risk") for name in ("c", "b", "c")]
        answers = await server.writer.handle_batch([(each, w.call()) for each in together])
        assert [w.case_of(a) for a in answers if isinstance(a, Answer)] == [withdrawn] * 3
        gone = c.ClearSignal(exception_id=str(case.id), source_ids=("b", "c"), undone=True)
        assert w.case_of(await handle(gone, w.call())) == withdrawn
        assert w.versions(server, case.id) == [1, 2, 3]
        key = "signal/alert/detection"
        known = server.store.application.events_log.find_sources("t1", [(key, "b"), (key, "c")])
        assert known == {(key, "b"): case.id, (key, "c"): case.id}
        again = w.case_of(await handle(g.deviation(STALL, "d", stage="breached"), w.call()))
        assert (again.id, again.episode, again.state) == (case.id, 2, "escalated")

    w.run(settings, test)


def tomorrow(server: Running) -> str:
    return instant(micros(server.writer.context(w.call()).present) + DAY_MICROS)


def test_a_mute_and_an_action_that_explains_are_found_in_the_log(settings: Settings) -> None:
    async def test(server: Running) -> None:
        handle = server.writer.handle
        muted = await handle(g.mute(STALL, tomorrow(server)), w.call())
        watch = muted.targets[0][2]
        assert isinstance(watch, Watch)
        assert w.state(server, watch.id) == watch
        assert [row.order_id for row in w.rows(server) if row.aggregate_id == watch.id] == ["O1"]
        with pytest.raises(Muted):
            await handle(g.deviation(STALL, "a"), w.call())
        code = "DELIVERED_NOT_RECEIVED"
        case = await w.opened(server, code)
        await w.verified(server, case, code)
        answer = await handle(c.ProposeAction(exception_id=case, kind="redeliver"), w.call())
        action = w.case_of(answer).actions[0].action_id
        await handle(c.ApproveAction(exception_id=case, action_id=action), w.call())
        await handle(c.SubmitAction(exception_id=case, action_id=action), w.call())
        with pytest.raises(Expected) as refused:
            await handle(g.deviation("TRACKING_ANOMALY", "b"), w.call())
        assert refused.value.metadata["exceptionId"] == case

    w.run(settings, test)


def test_a_batch_of_findings_answers_each_for_itself(settings: Settings) -> None:
    async def test(server: Running) -> None:
        await server.writer.handle(g.mute("NODE_STUCK", tomorrow(server)), w.call())
        found = [
            g.deviation(STALL, "a", stage="at_risk"),
            g.deviation("NODE_STUCK", "b", stage="at_risk"),
            g.deviation("TRACKING_ANOMALY", "c"),
            g.deviation(STALL, "a", stage="at_risk"),
        ]
        answers = await server.writer.handle_batch([(each, w.call()) for each in found])
        assert [a.reason if isinstance(a, DomainError) else "" for a in answers] == [
            "",
            "MUTED",
            "",
            "",
        ]
        cases = {w.case_of(a).id for a in answers if isinstance(a, Answer)}
        assert len(cases) == 1
        assert w.versions(server, cases.pop()) == [1, 2, 3, 4]

    w.run(settings, test)


def test_two_servers_that_find_the_same_make_one_case_with_one_source_each(
    postgres_dsn: str, postgres_schema: str
) -> None:
    """A15."""

    async def test() -> None:
        async with w.two(postgres_settings(postgres_dsn, postgres_schema)) as servers:
            found = [g.deviation(STALL, f"s{i}", stage="breached") for i in range(SIGNALS)]
            answers = await asyncio.gather(
                *(server.writer.handle(each, w.call()) for each in found for server in servers)
            )
            (case,) = {w.case_of(answer).id for answer in answers}
            topics = [row.topic for row in w.rows(servers[0]) if row.aggregate_id == case]
            assert topics.count(Detected.TOPIC) == 1
            assert topics.count(SourceJoined.TOPIC) == SIGNALS - 1
            assert w.without_gaps(servers[0])

    asyncio.run(test())


async def done(server: Running, propose: c.ProposeAction, outcome: dict[str, Any]) -> None:
    """An action from its proposal to an outcome."""
    handle, case = server.writer.handle, propose.exception_id
    action = w.case_of(await handle(propose, w.call())).actions[-1].action_id
    await handle(c.ApproveAction(exception_id=case, action_id=action), w.call())
    await handle(c.SubmitAction(exception_id=case, action_id=action), w.call())
    ended = c.RecordActionOutcome(exception_id=case, action_id=action, **outcome)
    await handle(ended, w.call())


def test_a_movement_told_twice_at_once_reopens_once(settings: Settings) -> None:
    async def test(server: Running) -> None:
        handle = server.writer.handle
        case = await w.opened(server)
        await w.verified(server, case)
        terms: dict[str, Any] = {"amount": g.cny(100), "counterparty": "sf"}
        approved = {"outcome": "claim_approved", "amount": g.cny(100)}
        await done(server, c.ProposeAction(exception_id=case, kind="claim", **terms), approved)
        explain = c.ProposeAction(exception_id=case, kind="explain_only")
        await done(server, explain, {"outcome": "succeeded"})
        told = c.Remediate(exception_id=case, resolution="CLAIM_SETTLED", summary="told")
        await handle(told, w.call())
        await asyncio.gather(*(handle(g.moved(case, delivered=True), w.call()) for _ in range(8)))
        found = w.state(server, UUID(case))
        assert (found.episode, found.code) == (2, "DELIVERED_AFTER_REMEDY")

    w.run(settings, test)
