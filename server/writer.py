"""The one door for commands: idempotency, order per aggregate, group commit, bounded retry."""

import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from msgspec.structs import replace

from esm.catalog import Catalogue
from esm.clock.state import BEGINNING
from esm.commands import Command, Context
from esm.decide import decide, hint
from esm.errors import Contention, DomainError, InvalidCommand, QueueFull, Violation
from esm.times import instant, micros
from esm.unit import Missing, Unit
from server.batch import Batch
from server.clock import Clock, FeedClock
from server.committer import Committer, Fact
from server.locks import KeyedLocks
from server.personal import EphemeralSealer
from server.states import Needs, States
from server.storage.records import LogConflict
from server.submission import Answer, Call, Submissions, answer_of

QUEUE_COMMANDS_MAX = 2_048
"""Commands that may be under way at once; one more is refused (RESOURCE_EXHAUSTED)."""

TRIES_MAX = 3
"""How often a command is decided again after another process was faster."""

FUTURE_MICROS_MAX = 300_000_000
"""How far the occurred time may lie ahead of a wall clock: five minutes."""

OCCURRED_MIN = BEGINNING
"""Nothing occurs before; an earlier time is a mistake that would open a year in the books."""


class Writer:
    """Commands in, facts out. One per process and store.

    ``feed`` is the clock of a store that follows a feed: what names no time occurs when it stands
    there. Without one the wall clock is the store's, and nothing occurs in the future.
    """

    def __init__(
        self,
        *,
        states: States,
        submissions: Submissions,
        committer: Committer,
        catalogue: Catalogue,
        clock: Clock,
        feed: FeedClock | None = None,
    ) -> None:
        self.states = states
        self.submissions = submissions
        self.locks = KeyedLocks()
        self._committer = committer
        self._catalogue = catalogue
        self._clock = clock
        self._feed = feed
        self._in_flight: dict[tuple[str, str], list[asyncio.Future[None]]] = {}
        self._position = 0
        self._under_way = 0

    async def handle(self, command: Command, call: Call) -> Answer:
        """Decide and record a command. Gives the first answer to a repeated request id.

        Raises :class:`~esm.errors.DomainError`. Cancelling the caller does not stop a commit.
        """
        self._admit(1)
        try:
            await self._look_at_clock()
            if call.validate_only:
                return await self._preview(command, self.context(call))
            return await self._once(command, call, self.submissions.fingerprint(command, call))
        finally:
            self._under_way -= 1

    async def handle_batch(
        self, items: Sequence[tuple[Command, Call]]
    ) -> list[Answer | DomainError]:
        """Many commands of one tenant in their order, each standing for itself.

        What they need is read in a few statements and all are committed as neighbours; an item
        that is refused or meets a conflict is handled alone.
        """
        self._admit(len(items))
        try:
            await self._look_at_clock()
            found = await Batch(self).run(items)
        finally:
            self._under_way -= len(items)
        return [
            answer if answer is not None else await self._alone(*item)
            for item, answer in zip(items, found, strict=True)
        ]

    def context(self, call: Call) -> Context:
        """What a decision may know besides state. Raises :class:`InvalidCommand`."""
        now_micros = self._clock.micros()
        now = instant(now_micros)
        present = now_micros if self._feed is None else self._feed.micros()
        occurred_micros = micros(call.occurred) if call.occurred else present
        if self._feed is None and occurred_micros > now_micros + FUTURE_MICROS_MAX:
            allowed = "lies in the future; on a wall-clock store it is at most five minutes ahead"
            raise InvalidCommand([Violation("occurred_at", allowed)])
        if call.occurred and call.occurred < OCCURRED_MIN:
            raise InvalidCommand([Violation("occurred_at", f"is at least {OCCURRED_MIN[:10]}")])
        return Context(
            tenant=call.tenant,
            actor=call.actor,
            assurance=call.assurance,
            now=now,
            occurred=call.occurred or instant(present),
            catalogue=self._catalogue,
            seal=partial(self.states.seal, call.tenant),
            etag=call.etag,
            occurred_micros=occurred_micros,
            feed="" if self._feed is None else instant(present),
        )

    async def submit(
        self,
        units: Sequence[tuple[Unit, tuple[UUID, ...], Call, bytes]],
        held: frozenset[UUID] = frozenset(),
    ) -> list["asyncio.Future[int]"]:
        """Queue decided commands as neighbours; each future gets its position.

        The locks ``held`` are given back when the last of them is settled, whoever still waits.
        """
        pendings = []
        publication: Sequence[Fact] = ()
        for i, (unit, shown, call, fingerprint) in enumerate(units, start=1):
            pending = self.submissions.pending(unit, shown, call, fingerprint)
            given_back = held if i == len(units) else frozenset()
            pending.settled = partial(self._settled, unit, call.tenant, given_back)
            if unit.events and not publication:
                publication = await self.submissions.publication(call.tenant)
                pending.facts = [*publication, *pending.facts]
            pending.after = frozenset(fact.aggregate_id for fact in publication)
            if self.states.shared or len(units) > 1:
                rests_on = unit.rested_on()
                pending.after |= rests_on.keys()
                if self.states.shared:
                    pending.rests_on = list(rests_on.items())
            pendings.append(pending)
        self._committer.submit(pendings)
        return [pending.outcome for pending in pendings]

    async def _look_at_clock(self) -> None:
        """On a log that others write too, they may have advanced the clock of the store."""
        if self._feed is not None and self._feed.shared:
            await self.states.in_thread(self._feed.refresh)

    async def _alone(self, command: Command, call: Call) -> Answer | DomainError:
        try:
            return await self.handle(command, call)
        except DomainError as refusal:
            return refusal

    async def _once(self, command: Command, call: Call, fingerprint: bytes) -> Answer:
        """Let a second request with the same id wait for the first one."""
        key = (call.tenant, call.request_id)
        while (waiting := self._in_flight.get(key)) is not None:
            first = asyncio.get_running_loop().create_future()
            waiting.append(first)
            await first
            known = await self.submissions.first_answer(call, fingerprint)
            if known is not None:
                return known
        self._in_flight[key] = []
        try:
            return await self._try(command, call, fingerprint)
        finally:
            for first in self._in_flight.pop(key):
                if not first.done():
                    first.set_result(None)

    async def _try(self, command: Command, call: Call, fingerprint: bytes) -> Answer:
        """Decide until committed or refused; a conflict decides again on fresh state."""
        context = self.context(call)
        needs = await self._needs(command, context)
        for _ in range(1 + TRIES_MAX):
            try:
                return await self._attempt(command, call, context, fingerprint, needs)
            except (LogConflict, DomainError) as problem:
                known = await self.submissions.first_answer(call, fingerprint)
                if known is not None:
                    return known
                if isinstance(problem, LogConflict):
                    self.states.forget(needs.aggregates)
                    self.submissions.unpublished(call.tenant)
                    needs.sources.clear()
                elif not await self.states.refreshed(needs):
                    raise
        raise Contention("other writers were faster every time; send the same request again")

    async def _attempt(
        self, command: Command, call: Call, context: Context, fingerprint: bytes, needs: Needs
    ) -> Answer:
        while True:
            held = frozenset(needs.aggregates)
            await self.locks.acquire(held)
            try:
                decided = await self._decided(command, context, needs, held)
                if decided is not None:
                    unit, shown = decided
                    outcomes = await self.submit([(unit, shown, call, fingerprint)], held)
                    held = frozenset()
                    # A caller that is gone cancels its own waiting; the commit goes on.
                    return answer_of(unit, shown, await outcomes[0])
            finally:
                self.locks.release(held)

    async def _needs(self, command: Command, context: Context) -> Needs:
        """What the request alone tells that its decision will need."""
        wanted = hint(command, context)
        needs = Needs(aggregates=set(wanted.aggregates))
        if wanted.sources or wanted.persons:
            await self.states.provide(wanted, context.tenant, needs)
        return needs

    async def _decided(
        self, command: Command, context: Context, needs: Needs, held: frozenset[UUID]
    ) -> tuple[Unit, tuple[UUID, ...]] | None:
        """A decided unit, or None when it needs locks on more aggregates first."""
        while True:
            states = self.states.cached(held)
            if states is None:
                states = await self.states.load(held)
            needs.look(states)
            unit = Unit(context, states, needs.sources)
            try:
                shown = decide(command, unit)
            except Missing as missing:
                await self.states.provide(missing, context.tenant, needs)
                if not needs.aggregates <= held:
                    return None
                continue
            if not unit.events and await self.states.refreshed(needs):
                continue
            return unit, shown

    async def _preview(self, command: Command, context: Context) -> Answer:
        """Decide without locks, keys or a commit: what the real call would record now."""
        sealer = EphemeralSealer()
        context = replace(context, seal=partial(sealer.seal, context.tenant))
        needs = await self._needs(command, context)
        while True:
            states = await self.states.load(needs.aggregates)
            needs.look(states)
            unit = Unit(context, states, needs.sources)
            try:
                shown = decide(command, unit)
                # Nothing is committed, so nobody else would find that a state was old.
                if not await self.states.refreshed(needs):
                    break
            except Missing as missing:
                await self.states.provide(missing, context.tenant, needs)
            except DomainError:
                if not await self.states.refreshed(needs):
                    raise
        answer = answer_of(unit, shown, self._position)
        return replace(answer, events=tuple(unit.events))

    def _settled(
        self, unit: Unit, tenant: str, held: frozenset[UUID], outcome: int | BaseException
    ) -> None:
        """Runs in the event loop when the commit is known, even if nobody waits any more."""
        if isinstance(outcome, int):
            self._position = max(self._position, outcome)
            self.states.remember(unit.changed())
            if unit.events:
                self.submissions.published(tenant)
        else:
            # What was written is not known, or others wrote: the log tells.
            self.states.forget(unit.aggregates())
            self.submissions.unpublished(tenant)
        self.locks.release(held)

    def _admit(self, commands: int) -> None:
        if self._under_way + commands > QUEUE_COMMANDS_MAX:
            raise QueueFull(
                f"{self._under_way} commands are under way; send the same request again later",
                metadata={"limit": str(QUEUE_COMMANDS_MAX)},
            )
        self._under_way += commands
