"""Two servers on one PostgreSQL schema: conflicts decide again, nothing is decided on old state."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from esm import commands as c
from esm.errors import Contention, DomainError, IllegalMove
from esm.events import CataloguePublished
from esm.ids import event_id, order_aggregate_id
from esm.order.state import Order
from server.app import Running
from server.settings import Settings
from tests.esm import given as g
from tests.server import writing as w
from tests.serving import postgres_settings

CLIENTS = 16
COMMANDS_PER_CLIENT = 60
FINISHED_PERCENT_MIN = 95


@pytest.fixture
def settings(postgres_dsn: str, postgres_schema: str) -> Settings:
    return postgres_settings(postgres_dsn, postgres_schema)


def run(settings: Settings, test: Callable[[Running, Running], Awaitable[None]]) -> None:
    async def main() -> None:
        async with w.two(settings) as (one, other):
            await test(one, other)

    asyncio.run(main())


def test_a_command_on_a_state_that_the_other_server_changed_is_decided_again(
    settings: Settings,
) -> None:
    async def test(one: Running, other: Running) -> None:
        case = await w.opened(one)
        for server in (other, one, other, one):
            answer = await server.writer.handle(c.AddNote(exception_id=case, text="x"), w.call())
        assert answer.targets[0][1] == 6
        assert w.versions(one, UUID(case)) == [1, 2, 3, 4, 5, 6]

    run(settings, test)


def test_a_refusal_is_not_given_on_an_old_state(settings: Settings) -> None:
    async def test(one: Running, other: Running) -> None:
        case = await w.opened(one, "TRACKING_STALLED", stage="at_risk")
        contact = c.RecordContact(exception_id=case, party="customer")
        with pytest.raises(IllegalMove):
            await other.writer.handle(contact, w.call())
        await one.writer.handle(c.Escalate(exception_id=case), w.call())
        await other.writer.handle(contact, w.call())

    run(settings, test)


def test_nothing_to_do_is_not_said_on_an_old_state(settings: Settings) -> None:
    async def test(one: Running, other: Running) -> None:
        case = await w.opened(one)
        assign = c.Assign(exception_id=case, owner="eve")
        await other.writer.handle(assign, w.call())
        await one.writer.handle(c.Assign(exception_id=case, owner="bob"), w.call())
        await other.writer.handle(assign, w.call())
        assert w.state(one, UUID(case)).owner == "eve"

    run(settings, test)


def test_a_refund_is_not_submitted_on_an_old_order_that_it_only_reads(settings: Settings) -> None:
    async def test(one: Running, other: Running) -> None:
        case, submit = await refund_approved(one)
        await other.writer.handle(submit, w.call(validate_only=True))
        await one.writer.handle(g.money("chargeback_opened", "d1", g.GROSS), w.call())
        with pytest.raises(DomainError) as refused:
            await other.writer.handle(submit, w.call())
        assert refused.value.reason == "DISPUTE_OPEN"
        assert w.state(one, UUID(case)).actions[-1].status == "approved"

    run(settings, test)


def test_what_a_waiting_command_only_reads_may_not_move_before_its_commit(
    settings: Settings,
) -> None:
    async def test(one: Running, other: Running) -> None:
        case, submit = await refund_approved(one)
        with w.commits_held(other):
            waiting = asyncio.ensure_future(other.writer.handle(submit, w.call()))
            await asyncio.sleep(0.3)
            await one.writer.handle(g.money("chargeback_opened", "d1", g.GROSS), w.call())
        with pytest.raises(DomainError) as refused:
            await waiting
        assert refused.value.reason == "DISPUTE_OPEN"
        assert w.state(one, UUID(case)).actions[-1].status == "approved"

    run(settings, test)


async def refund_approved(server: Running) -> tuple[str, c.SubmitAction]:
    """A case with an approved refund, and the command that submits it."""
    case = await w.opened(server)
    await w.verified(server, case)
    propose = c.ProposeAction(
        exception_id=case,
        kind="full_refund",
        shipment_code="S1",
        logistics_line="L1",
        cause_event_ids=(event_id(UUID(case), 1),),
        tax_document="D",
    )
    answer = await server.writer.handle(propose, w.call())
    action = w.case_of(answer).actions[-1].action_id
    approve = c.ApproveAction(exception_id=case, action_id=action)
    await server.writer.handle(approve, w.call(actor="bob"))
    return case, c.SubmitAction(exception_id=case, action_id=action)


def test_a_preview_is_not_refused_on_an_old_state(settings: Settings) -> None:
    async def test(one: Running, other: Running) -> None:
        case = await w.opened(one, "TRACKING_STALLED", stage="at_risk")
        preview = w.call(validate_only=True)
        contact = c.RecordContact(exception_id=case, party="customer")
        with pytest.raises(IllegalMove):
            await other.writer.handle(contact, preview)
        await one.writer.handle(c.Escalate(exception_id=case), w.call())
        assert (await other.writer.handle(contact, preview)).events

    run(settings, test)


def test_a_preview_does_not_rest_on_an_old_state(settings: Settings) -> None:
    async def test(one: Running, other: Running) -> None:
        case = await w.opened(one)
        assign = c.Assign(exception_id=case, owner="eve")
        await other.writer.handle(assign, w.call())
        await one.writer.handle(c.Assign(exception_id=case, owner="bob"), w.call())
        preview = await other.writer.handle(assign, w.call(validate_only=True))
        assert [type(event).__name__ for _, _, event in preview.events] == ["Assigned"]
        note = c.AddNote(exception_id=case, text="x")
        await one.writer.handle(note, w.call())
        preview = await other.writer.handle(note, w.call(validate_only=True))
        assert preview.targets[0][1] == len(w.versions(one, UUID(case))) + 1

    run(settings, test)


def test_the_same_request_at_both_servers_counts_once(settings: Settings) -> None:
    async def test(one: Running, other: Running) -> None:
        case = await w.opened(one)
        note = c.AddNote(exception_id=case, text="x")
        calls = [
            server.writer.handle(note, w.call("r1")) for _ in range(100) for server in (one, other)
        ]
        answers = await asyncio.gather(*calls)
        assert all(answer == answers[0] for answer in answers)
        assert w.versions(one, UUID(case)) == [1, 2, 3]

    run(settings, test)


def test_two_detectors_that_race_open_one_case(settings: Settings) -> None:
    async def test(one: Running, other: Running) -> None:
        calls = [
            server.writer.handle(g.detection(code), w.call())
            for code in ("LOST", "TRACKING_STALLED", "NODE_STUCK")
            for server in (one, other)
        ]
        answers = await asyncio.gather(*calls)
        (case,) = {w.case_of(answer).id for answer in answers}
        assert len(w.state(one, case).sources) == 6
        assert w.state(other, case).code == "LOST"
        assert w.without_gaps(one)

    run(settings, test)


def test_a_batch_that_meets_the_other_servers_events_is_decided_again(
    settings: Settings,
) -> None:
    async def test(one: Running, other: Running) -> None:
        case = await w.opened(one)
        charges = [
            c.RecordCarrierCharge(
                exception_id=case, logistics_line="L1", kind="storage", step="accrued", net=g.cny(1)
            )
            for _ in range(5)
        ]
        batches = [
            server.writer.handle_batch([(charge, w.call()) for charge in charges])
            for _ in range(4)
            for server in (one, other)
        ]
        found = [answer for batch in await asyncio.gather(*batches) for answer in batch]
        done = [answer for answer in found if not isinstance(answer, DomainError)]
        assert all(isinstance(x, Contention) for x in found if isinstance(x, DomainError))
        assert w.state(one, UUID(case)).accruals[0].net == len(done)
        assert w.without_gaps(one)

    run(settings, test)


def test_the_catalogue_is_published_once_and_first_whichever_server_begins(
    settings: Settings,
) -> None:
    async def test(one: Running, other: Running) -> None:
        orders = [g.record_order(f"O{number}") for number in range(20)]
        calls = [
            server.writer.handle_batch([(order, w.call()) for order in orders[i : i + 5]])
            for i, server in ((0, one), (5, other), (10, one), (15, other))
        ]
        found = [answer for batch in await asyncio.gather(*calls) for answer in batch]
        assert not any(isinstance(answer, DomainError) for answer in found)
        topics = [row.topic for row in w.rows(one)]
        assert topics == [CataloguePublished.TOPIC, *["order.recorded.v1"] * 20]

    run(settings, test)


# --- sixteen clients on one case and one order ----------------------------------------------------


class Client:
    """One client that proposes, approves, pays, claims and reverses on one case, over and over."""

    def __init__(self, server: Running, case: str, number: int) -> None:
        self.server = server
        self.case = case
        self.number = number
        self.outcomes: list[str] = []

    async def run(self) -> None:
        while len(self.outcomes) < COMMANDS_PER_CLIENT:
            await (self._claim if self.number % 4 == 3 else self._refund)()

    async def _do(self, command: c.Command) -> bool:
        try:
            await self.server.writer.handle(command, w.call(actor=f"client-{self.number}"))
        except DomainError as refusal:
            self.outcomes.append(refusal.reason)
            return False
        self.outcomes.append("")
        return True

    async def _refund(self) -> None:
        lines = (c.RefundLine(sale_line="1", amount=g.cny(4000 + self.number)),)
        action = await self._proposed(
            "partial_refund",
            lines=lines,
            shipment_code="S1",
            logistics_line="L1",
            cause_event_ids=(event_id(UUID(self.case), 1),),
        )
        if not action:
            return
        step: dict[str, Any] = {"exception_id": self.case, "action_id": action}
        approved = await self._do(c.ApproveAction(**step))
        if approved and self.number % 4 == 2:
            await self._do(c.CancelAction(**step))
        elif approved and self.number % 4 == 1:
            await self._do(c.SubmitAction(**step))
            paid = c.RecordActionOutcome(
                **step, outcome="succeeded", account="1020", external_id=action
            )
            if await self._do(paid):
                await self._do(c.RecordActionOutcome(**step, outcome="failed"))
                await self._do(c.CancelAction(**step))
        elif approved:
            state = w.state(self.server, UUID(self.case))
            event = event_id(UUID(self.case), state.action(action).approved_version)
            await self._do(c.ReverseEntry(exception_id=self.case, event_id=event, reason="x"))

    async def _claim(self) -> None:
        action = await self._proposed("claim", amount=g.cny(100), counterparty="sf")
        if action:
            step: dict[str, Any] = {"exception_id": self.case, "action_id": action}
            await self._do(c.ApproveAction(**step))
            await self._do(c.SubmitAction(**step))
            await self._do(c.RecordActionOutcome(**step, outcome="claim_denied"))

    async def _proposed(self, kind: str, **terms: Any) -> str:
        propose = c.ProposeAction(
            exception_id=self.case,
            kind=kind,
            **terms,
        )
        call = w.call(actor=f"client-{self.number}")
        try:
            answer = await self.server.writer.handle(propose, call)
        except DomainError as refusal:
            self.outcomes.append(refusal.reason)
            return ""
        self.outcomes.append("")
        return w.case_of(answer).actions[-1].action_id


def test_sixteen_clients_on_one_case_and_one_order_never_decide_above_what_was_captured(
    settings: Settings,
) -> None:
    async def test(one: Running, other: Running) -> None:
        case = await w.opened(one)
        await w.verified(one, case)
        clients = [Client((one, other)[i % 2], case, i) for i in range(CLIENTS)]
        await asyncio.gather(*(client.run() for client in clients))
        outcomes = [outcome for client in clients for outcome in client.outcomes]
        finished = [outcome for outcome in outcomes if outcome != Contention.reason]
        assert len(finished) * 100 >= FINISHED_PERCENT_MIN * len(outcomes)
        assert set(finished) <= {
            "",
            "AMOUNT_EXCEEDS_AVAILABLE",
            "REVERSAL_REFUSED",
            "ILLEGAL_ACTION_MOVE",
            "ACTIONS_UNFINISHED",
        }
        assert "AMOUNT_EXCEEDS_AVAILABLE" in finished
        order_id = order_aggregate_id("t1", "O1")
        assert w.without_gaps(one)
        for version in range(1, len(w.versions(one, order_id)) + 1):
            _, order = one.store.application.state_at(order_id, version)
            assert isinstance(order, Order)
            assert 0 <= order.committed <= order.captured == g.GROSS
            assert order.available >= 0

    run(settings, test)
