"""Many commands at once: one set of locks, a few reads, neighbours in one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol
from uuid import UUID

from esm.commands import Command, Context
from esm.decide import decide, hint
from esm.errors import DomainError
from esm.unit import Missing, Unit
from server.application import Loaded
from server.locks import KeyedLocks
from server.states import Needs, States
from server.storage.records import LogConflict
from server.submission import Answer, Call, Submissions, answer_of

Sources = dict[tuple[str, str], UUID | None]
Decided = tuple[Unit, tuple[UUID, ...], Call, bytes]


class Asked(NamedTuple):
    """A command of a batch; without a context it is left to be handled alone."""

    command: Command
    call: Call
    context: Context | None


class Door(Protocol):
    """What of the writer a batch uses."""

    locks: KeyedLocks
    states: States
    submissions: Submissions

    def context(self, call: Call) -> Context:
        """What a decision may know besides state."""
        ...

    async def submit(
        self, units: Sequence[Decided], held: frozenset[UUID]
    ) -> Sequence[asyncio.Future[int]]:
        """Queue decided commands as neighbours; gives the locks back when they are settled."""
        ...


class Batch:
    """One run over the commands of a batch, in their order; each sees those before it."""

    def __init__(self, writer: Door) -> None:
        self._writer = writer
        self._needs = Needs()

    async def run(self, items: Sequence[tuple[Command, Call]]) -> list[Answer | None]:
        """The answers; None for an item to be handled alone (refused, a preview, a conflict)."""
        hints: list[Missing] = []
        asked = [Asked(*item, self._context(*item, hints)) for item in items]
        await self._provide(hints, items[0][1].tenant)
        while True:
            held = frozenset(self._needs.aggregates)
            await self._writer.locks.acquire(held)
            try:
                decided = await self._decide_all(asked, held)
                if decided is None:
                    continue
                units = [d for d in decided if d is not None]
                outcomes = await self._writer.submit(units, held)
                held = frozenset() if units else held
                await asyncio.shield(asyncio.gather(*outcomes, return_exceptions=True))
                break
            finally:
                self._writer.locks.release(held)
        settled = iter(outcomes)
        return [None if d is None else _answer(d, next(settled)) for d in decided]

    def _context(self, command: Command, call: Call, hints: list[Missing]) -> Context | None:
        """What deciding may know; what it will need is added to ``hints``.

        None for a preview, and for a call that is refused anyway.
        """
        if call.validate_only:
            return None
        with suppress(DomainError):
            context = self._writer.context(call)
            hints.append(hint(command, context))
            return context
        return None

    async def _decide_all(
        self, items: Sequence[Asked], held: frozenset[UUID]
    ) -> list[Decided | None] | None:
        """Every item decided, None in place of a refused one; None when more must be read."""
        states = await self._writer.states.load(held)
        # Of this pass alone: what it accepts is not accepted if the batch is decided again.
        sources = dict(self._needs.sources)
        decided: list[Decided | None] = []
        lacking: list[Missing] = []
        for item in items:
            if item.context is None:
                decided.append(None)
                continue
            try:
                decided.append(self._decide(item, item.context, states, sources))
            except Missing as missing:
                lacking.append(missing)
            except DomainError:
                decided.append(None)
        if not lacking:
            return decided
        await self._provide(lacking, items[0].call.tenant)
        return None

    async def _provide(self, lacking: Sequence[Missing], tenant: str) -> None:
        """Get what several items lack in one go."""
        together = Missing(
            aggregates=frozenset().union(*(m.aggregates for m in lacking)),
            sources=frozenset().union(*(m.sources for m in lacking)),
            persons=frozenset().union(*(m.persons for m in lacking)),
        )
        await self._writer.states.provide(together, tenant, self._needs)

    def _decide(
        self, item: Asked, context: Context, states: dict[UUID, Loaded], sources: Sources
    ) -> Decided:
        unit = Unit(context, states, sources)
        shown = decide(item.command, unit)
        unit.freeze(shown)
        states.update(unit.changed())
        for source, source_id, aggregate_id in unit.accepted:
            sources[source, source_id] = aggregate_id
        fingerprint = self._writer.submissions.fingerprint(item.command, item.call)
        return unit, shown, item.call, fingerprint


def _answer(decided: Decided, outcome: asyncio.Future[int]) -> Answer | None:
    unit, shown, _, _ = decided
    with suppress(LogConflict, DomainError):
        return answer_of(unit, shown, outcome.result())
    return None
