"""Tells a history to a server, step by step: commands of many cases at once, facts together."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.backfill.course import Advance, Batch, Step
from server.backfill.facts import RECORD, REGISTER
from server.backfill.plan import ACTION, CASE, OPENING, PROPOSAL, Planned
from server.backfill.rows import BadRow

CASES_AT_ONCE = 32
CLOCK = "clock"
"""What a report names in place of a file when the clock was not advanced."""

ADVANCE = "AdvanceClock"
ITEMS = {REGISTER: "shipments", RECORD: "checkpoints"}
"""The repeated field of the requests that take facts."""

COMMANDS_WAITING_MAX = 4_096
"""Most commands that are planned ahead of what was sent."""

Send = Callable[[str, dict[str, Any]], Awaitable[Mapping[str, Any]]]
"""(rpc, request) -> response, both in the API's JSON form with the names of the proto.

Raises :class:`Refused` when the server will never accept the request; it is for ``send`` to
repeat one that may be accepted later.
"""


class Refused(Exception):
    """The server refused a command; the text says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many commands and facts were accepted, and how many rows were bad or refused."""

    sent: int
    bad: int

    @property
    def exit_code(self) -> int:
        """What a command line ends with: 2 when any row was bad."""
        return 2 if self.bad else 0


@dataclass(slots=True)
class _Lane:
    """The commands of a case that wait, and what its answers said so far."""

    waiting: deque[Planned] = field(default_factory=deque)
    running: bool = False
    known: dict[str, str] = field(default_factory=dict)
    given_up: tuple[str, int] = ("", 0)


async def run(
    steps: Iterable[Step],
    send: Send,
    *,
    report: Callable[[BadRow], None],
    progress: Callable[[int], None] = lambda _: None,
    cases_at_once: int = CASES_AT_ONCE,
) -> Outcome:
    """Send every command in the order of its case; bad rows and refusals go to ``report``.

    Before facts and before the clock goes on, all that was sent is answered. A refusal ends its
    row, not its case. ``progress`` gets the number of commands and facts that were taken so far.
    Any other exception of ``send`` stops everything: what was sent stays, and running the same
    rows again changes nothing of it.
    """
    runner = _Runner(send, report, progress, cases_at_once)
    try:
        coming = iter(steps)
        barrier: Batch | Advance | None = await runner.commands(coming)
        while barrier is not None:
            await runner.apart(barrier)
            barrier = await runner.commands(coming)
    except ExceptionGroup as group:
        # What stopped the first case is why the others stopped.
        raise group.exceptions[0] from group
    return Outcome(sent=runner.sent, bad=runner.bad)


class _Runner:
    """Lanes of cases with a bound on what waits and on what is under way."""

    def __init__(
        self,
        send: Send,
        report: Callable[[BadRow], None],
        progress: Callable[[int], None],
        cases_at_once: int,
    ) -> None:
        self.sent = 0
        self.bad = 0
        self._send = send
        self._report = report
        self._progress = progress
        self._lanes: dict[str, _Lane] = {}
        self._room = asyncio.Semaphore(COMMANDS_WAITING_MAX)
        self._turns = asyncio.Semaphore(cases_at_once)

    def fail(self, row: BadRow) -> None:
        """Count and report a row that is bad."""
        self.bad += 1
        self._report(row)

    async def commands(self, coming: Iterator[Step]) -> Batch | Advance | None:
        """Send commands until something else comes, which is answered, None for the end."""
        async with asyncio.TaskGroup() as tasks:
            for step in coming:
                if isinstance(step, BadRow):
                    self.fail(step)
                elif isinstance(step, Planned):
                    await self._take(step, tasks)
                else:
                    return step
        return None

    async def apart(self, step: Batch | Advance) -> None:
        """Tell facts, or advance the clock, while nothing else is under way."""
        if isinstance(step, Batch):
            await self._tell(step)
            return
        try:
            await self._send(ADVANCE, {"to": step.to})
        except Refused as refusal:
            self.fail(BadRow(CLOCK, 0, f"{ADVANCE} to {step.to}: {refusal}"))

    async def _tell(self, batch: Batch) -> None:
        request = {ITEMS[batch.rpc]: [fact.body for fact in batch.facts]}
        try:
            results = (await self._send(batch.rpc, request))["results"]
        except Refused as refusal:
            results = [{"error": {"message": str(refusal)}}] * len(batch.facts)
        for fact, result in zip(batch.facts, results, strict=True):
            if "error" in result:
                self.fail(BadRow(fact.file, fact.line, f"{batch.rpc}: {_said(result['error'])}"))
            else:
                self.sent += 1
        self._progress(self.sent)

    async def _take(self, planned: Planned, tasks: asyncio.TaskGroup) -> None:
        """Put a command behind the others of its case; waits while too many wait."""
        await self._room.acquire()
        lane = self._lanes.setdefault(planned.case, _Lane())
        lane.waiting.append(planned)
        if not lane.running:
            lane.running = True
            tasks.create_task(self._work(lane))

    async def _work(self, lane: _Lane) -> None:
        """Send what waits in a lane, giving the turn to other cases after each command."""
        while lane.waiting:
            planned = lane.waiting.popleft()
            try:
                async with self._turns:
                    await self._one(lane, planned)
            finally:
                self._room.release()
        lane.running = False

    async def _one(self, lane: _Lane, planned: Planned) -> None:
        place = (planned.file, planned.line)
        if lane.given_up == place:
            return
        missing = [name for name in planned.fills if name not in lane.known]
        try:
            if missing:
                raise Refused("its case was not opened" if CASE in missing else "no action")
            request = {name: lane.known[name] for name in planned.fills} | planned.request
            response = await self._send(planned.rpc, request)
        except Refused as refusal:
            lane.given_up = place
            self.fail(BadRow(*place, f"{planned.rpc}: {refusal}"))
            return
        self.sent += 1
        if planned.rpc == OPENING:
            lane.known[CASE] = response["exception"]["exception_id"]
        elif planned.rpc == PROPOSAL:
            lane.known[ACTION] = response["exception"]["actions"][-1]["action_id"]
        self._progress(self.sent)


def _said(error: Mapping[str, Any]) -> str:
    """What an item's error says, with the fields that it is about."""
    fields = [f"{each['field']} {each['description']}" for each in error.get("violations", [])]
    return f"{error.get('message', '')} ({'; '.join(fields)})" if fields else error["message"]
