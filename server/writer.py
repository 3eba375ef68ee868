"""The one door for commands: idempotency, order per aggregate, group commit, bounded retry."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from esm import codec
from esm.catalog import Catalogue
from esm.commands import CaseCommand, Command, Context
from esm.decide import decide
from esm.errors import (
    Contention,
    DomainError,
    InvalidCommand,
    QueueFull,
    RequestIdReused,
    Violation,
)
from esm.events import CataloguePublished, Event, Sealed
from esm.evolve import State
from esm.exception.state import Case
from esm.ids import catalogue_aggregate_id
from esm.order.state import Order
from esm.times import Instant, micros
from esm.unit import Missing, Unit
from server.application import Loaded, ShipmentExceptions
from server.clock import Clock
from server.committer import Committer, Envelope, Fact, Pending
from server.locks import KeyedLocks
from server.personal import EphemeralSealer, KeyMissing, Personal
from server.storage.records import LogConflict, RequestRecord, SourceRecord

QUEUE_COMMANDS_MAX = 2_048
"""Commands that may be under way at once; one more is refused (RESOURCE_EXHAUSTED)."""

TRIES_MAX = 3
"""How often a command is decided again after another process was faster."""

CACHE_STATES_MAX = 8_192
"""States kept in memory; the least recently used one goes first."""

FUTURE_MICROS_MAX = 300_000_000
"""How far the occurred time may lie ahead of a wall clock: five minutes."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks for what: everything about a request besides its command."""

    tenant: str
    actor: str
    assurance: str
    request_id: str
    correlation_id: str = ""
    causation_id: str = ""
    occurred: Instant = ""
    etag: str = ""
    validate_only: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command led to. ``targets``: what the response shows, as the command left it.

    ``events`` are those a preview would record, empty for a real command.
    """

    targets: tuple[tuple[UUID, int, State], ...]
    position: int
    events: tuple[tuple[UUID, int, Event], ...] = ()


class StoredAnswer(msgspec.Struct, array_like=True):
    """What is kept of an answer: the aggregates shown and their versions."""

    shown: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Attempt:
    """What one command needs to be decided; it grows as decisions say what they lack."""

    aggregates: set[UUID] = field(default_factory=set)
    sources: dict[tuple[str, str], UUID | None] = field(default_factory=dict)
    verified: bool = False


class Writer:
    """Commands in, facts out. One per process and store.

    ``shared`` says that other processes write the same log: then a refusal or a no-change that
    rests on a cached state is decided again on a fresh one.
    """

    def __init__(
        self,
        *,
        application: ShipmentExceptions,
        committer: Committer,
        personal: Personal,
        catalogue: Catalogue,
        clock: Clock,
        executor: Executor,
        shared: bool,
        wall: bool,
    ) -> None:
        self._application = application
        self._committer = committer
        self._personal = personal
        self._catalogue = catalogue
        self._clock = clock
        self._executor = executor
        self._shared = shared
        self._wall = wall
        self._locks = KeyedLocks()
        self._cache: OrderedDict[UUID, Loaded] = OrderedDict()
        self._in_flight: dict[tuple[str, str], asyncio.Future[None]] = {}
        self._published: set[str] = set()
        self._position = 0
        self._under_way = 0

    @property
    def position(self) -> int:
        """Position of the last command that this process committed."""
        return self._position

    async def handle(self, command: Command, call: Call) -> Answer:
        """Decide and record a command. Gives the first answer to a repeated request id.

        Raises :class:`~esm.errors.DomainError`. Cancelling the caller does not stop a commit.
        """
        self._admit(1)
        try:
            context = self._context(call)
            if call.validate_only:
                return await self._preview(command, context)
            return await self._once(command, call, context, fingerprint_of(command, call))
        finally:
            self._under_way -= 1

    async def handle_batch(
        self, items: Sequence[tuple[Command, Call]]
    ) -> list[Answer | DomainError]:
        """Many commands in their order, each standing for itself.

        What they need is read in a few statements, and all of them are committed as one group;
        an item that meets a conflict is handled alone.
        """
        self._admit(len(items))
        try:
            needs = Attempt()
            while True:
                run = await self._decide_all(items, needs)
                if run is not None:
                    break
        finally:
            self._under_way -= len(items)
        return [await self._finish(item, found) for item, found in zip(items, run, strict=True)]

    # --- one command ------------------------------------------------------------------------

    async def _once(
        self, command: Command, call: Call, context: Context, fingerprint: bytes
    ) -> Answer:
        """Let a second request with the same id wait for the first one."""
        key = (call.tenant, call.request_id)
        while (first := self._in_flight.get(key)) is not None:
            await asyncio.shield(first)
            if (answer := await self._first_answer(call, fingerprint)) is not None:
                return answer
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._in_flight[key] = done
        try:
            return await self._try(command, call, context, fingerprint)
        finally:
            del self._in_flight[key]
            done.set_result(None)

    async def _try(
        self, command: Command, call: Call, context: Context, fingerprint: bytes
    ) -> Answer:
        attempt = Attempt(aggregates=_named_by(command))
        for _ in range(TRIES_MAX + 1):
            try:
                return await self._attempt(command, call, context, fingerprint, attempt)
            except LogConflict:
                if (answer := await self._first_answer(call, fingerprint)) is not None:
                    return answer
                for aggregate_id in attempt.aggregates:
                    self._cache.pop(aggregate_id, None)
                self._published.discard(call.tenant)
                attempt.sources.clear()
        raise Contention("other writers were faster every time; send the same request again")

    async def _attempt(
        self,
        command: Command,
        call: Call,
        context: Context,
        fingerprint: bytes,
        attempt: Attempt,
    ) -> Answer:
        while True:
            await self._locks.acquire(attempt.aggregates)
            held = frozenset(attempt.aggregates)
            try:
                unit, shown = await self._decided(command, context, attempt, held)
                if unit is not None:
                    pending = await self._submit(unit, shown, call, fingerprint, held)
                    held = frozenset()  # the commit gives them back, whoever still waits for it
                    position = await asyncio.shield(pending.outcome)
                    return _answer(unit, shown, position)
            except DomainError:
                if (answer := await self._first_answer(call, fingerprint)) is not None:
                    return answer
                if not await self._refreshed(attempt):
                    raise
            finally:
                self._locks.release(held)

    async def _decided(
        self, command: Command, context: Context, attempt: Attempt, held: frozenset[UUID]
    ) -> tuple[Unit | None, tuple[UUID, ...]]:
        """One run of ``decide``; (None, ()) when it needs locks on more aggregates first."""
        while True:
            loaded = await self._load(held)
            unit = Unit(context, loaded, attempt.sources)
            try:
                shown = decide(command, unit)
            except Missing as missing:
                await self._provide(missing, context.tenant, attempt)
                if not attempt.aggregates <= held:
                    return None, ()
                continue
            if not unit.events and await self._refreshed(attempt):
                continue
            return unit, shown

    async def _preview(self, command: Command, context: Context) -> Answer:
        """Decide without locks, keys or a commit: what the real call would record now."""
        sealer = EphemeralSealer()
        context = _with_seal(context, partial(sealer.seal, context.tenant))
        attempt = Attempt(aggregates=_named_by(command))
        while True:
            unit = Unit(context, await self._load(attempt.aggregates), attempt.sources)
            try:
                shown = decide(command, unit)
                break
            except Missing as missing:
                await self._provide(missing, context.tenant, attempt)
            except DomainError:
                if not await self._refreshed(attempt):
                    raise
        answer = _answer(unit, shown, self._position)
        return Answer(answer.targets, answer.position, tuple(unit.events))

    # --- what a decision needs ----------------------------------------------------------------

    def _context(self, call: Call) -> Context:
        now = self._clock.now()
        occurred = call.occurred or now
        if self._wall and micros(occurred) > micros(now) + FUTURE_MICROS_MAX:
            allowed = "lies in the future; on a wall-clock store it is at most five minutes ahead"
            raise InvalidCommand([Violation("occurred_at", allowed)])
        return Context(
            tenant=call.tenant,
            actor=call.actor,
            assurance=call.assurance,
            now=now,
            occurred=occurred,
            catalogue=self._catalogue,
            seal=partial(self._seal, call.tenant),
            etag=call.etag,
        )

    def _seal(self, tenant: str, person: str, text: str) -> Sealed:
        try:
            return self._personal.seal(tenant, person, text)
        except KeyMissing:
            raise Missing(persons=[person]) from None

    async def _load(self, aggregate_ids: Iterable[UUID]) -> dict[UUID, Loaded]:
        loaded: dict[UUID, Loaded] = {}
        unknown: list[UUID] = []
        for aggregate_id in aggregate_ids:
            cached = self._cache.get(aggregate_id)
            if cached is None:
                unknown.append(aggregate_id)
            else:
                self._cache.move_to_end(aggregate_id)
                loaded[aggregate_id] = cached
        if unknown:
            fresh = await self._in_thread(self._application.load, unknown)
            loaded.update(fresh)
            self._remember(fresh)
        return loaded

    async def _provide(self, missing: Missing, tenant: str, attempt: Attempt) -> None:
        if missing.persons:
            await self._in_thread(self._personal.ensure, tenant, missing.persons)
        if missing.sources:
            keys = list(missing.sources)
            find = self._application.events_log.find_sources
            found = await self._in_thread(find, tenant, keys)
            attempt.sources.update({key: found.get(key) for key in keys})
        attempt.aggregates |= missing.aggregates

    async def _refreshed(self, attempt: Attempt) -> bool:
        """On a shared log, read again what a refusal rests on; True when to decide again."""
        if not self._shared or attempt.verified:
            return False
        attempt.verified = True
        known = {a: self._cache.get(a, (0, None))[0] for a in attempt.aggregates}
        fresh = await self._in_thread(self._application.load, list(attempt.aggregates))
        self._remember(fresh)
        return any(version != known[a] for a, (version, _) in fresh.items())

    async def _first_answer(self, call: Call, fingerprint: bytes) -> Answer | None:
        """The stored answer of the request id, rebuilt by folding to its versions."""
        find = self._application.events_log.find_requests
        found = await self._in_thread(find, call.tenant, [call.request_id])
        known = found.get(call.request_id)
        if known is None:
            return None
        if known.fingerprint != fingerprint:
            raise RequestIdReused(call.request_id)
        stored = msgspec.json.decode(known.answer, type=StoredAnswer)
        targets = []
        for text, version in stored.shown:
            state_at = self._application.state_at
            _, state = await self._in_thread(state_at, UUID(text), version)
            assert state is not None, "a stored answer names versions that stand in the log"
            targets.append((UUID(text), version, state))
        return Answer(tuple(targets), known.position)

    # --- committing ---------------------------------------------------------------------------

    async def _submit(
        self,
        unit: Unit,
        shown: tuple[UUID, ...],
        call: Call,
        fingerprint: bytes,
        held: frozenset[UUID],
    ) -> Pending:
        facts = await self._publication(call.tenant) if unit.events else []
        pending = self._pending(unit, shown, call, fingerprint, facts)
        pending.settled = partial(self._settled, unit, call.tenant, held)
        self._committer.submit([pending])
        return pending

    def _pending(
        self,
        unit: Unit,
        shown: tuple[UUID, ...],
        call: Call,
        fingerprint: bytes,
        first: Sequence[Fact],
    ) -> Pending:
        outcome = unit.outcome()
        facts = [
            Fact(a, version, type(event).TOPIC, codec.encode(event), _order_id(outcome[a][1]))
            for a, version, event in unit.events
        ]
        stored = StoredAnswer(tuple((str(a), outcome[a][0]) for a in shown))
        return Pending(
            envelope=Envelope(
                tenant=call.tenant,
                occurred=micros(unit.context.occurred),
                actor=call.actor,
                assurance=call.assurance,
                correlation_id=call.correlation_id or call.request_id,
                causation_id=call.causation_id,
                request_id=call.request_id,
            ),
            facts=[*first, *facts],
            request=RequestRecord(
                call.tenant, call.request_id, fingerprint, msgspec.json.encode(stored)
            ),
            sources=[SourceRecord(call.tenant, *accepted) for accepted in unit.accepted],
            outcome=asyncio.get_running_loop().create_future(),
        )

    async def _publication(self, tenant: str) -> list[Fact]:
        """The published catalogue as first fact of a tenant that has not seen its digest."""
        if tenant in self._published:
            return []
        catalogue = self._catalogue
        aggregate_id = catalogue_aggregate_id(tenant, catalogue.digest)
        log = self._application.events_log
        if await self._in_thread(log.max_version, aggregate_id):
            self._published.add(tenant)
            return []
        event = CataloguePublished(
            catalogue=catalogue.digest,
            digest=catalogue.digest,
            postings_digest=catalogue.postings_digest,
            content=catalogue.content.decode(),
        )
        return [Fact(aggregate_id, 1, event.TOPIC, codec.encode(event), "")]

    def _settled(
        self, unit: Unit, tenant: str, held: frozenset[UUID], outcome: int | BaseException
    ) -> None:
        """Runs in the event loop when the commit is known, even if nobody waits any more."""
        if isinstance(outcome, int):
            self._position = max(self._position, outcome)
            if unit.events:
                self._published.add(tenant)
            self._remember(unit.outcome())
        self._locks.release(held)

    def _remember(self, states: Mapping[UUID, Loaded]) -> None:
        """Keep states; one without history is not kept, another process may begin it."""
        for aggregate_id, (version, state) in states.items():
            if state is not None:
                self._cache[aggregate_id] = (version, state)
                self._cache.move_to_end(aggregate_id)
        while len(self._cache) > CACHE_STATES_MAX:
            self._cache.popitem(last=False)

    # --- batches ------------------------------------------------------------------------------

    async def _decide_all(
        self, items: Sequence[tuple[Command, Call]], needs: Attempt
    ) -> "list[_Found] | None":
        """Decide all items on one set of locks; None when more has to be read first."""
        await self._locks.acquire(needs.aggregates)
        held = frozenset(needs.aggregates)
        try:
            states: dict[UUID, Loaded] = dict(await self._load(held))
            found: list[_Found] = []
            lacking = False
            for command, call in items:
                result = self._decide_item(command, call, states, needs)
                if isinstance(result, Missing):
                    await self._provide(result, call.tenant, needs)
                    lacking = True
                found.append(_Found(call=call, result=result))
            if lacking:
                return None
            await self._commit_all(items, found)
            return found
        finally:
            self._locks.release(held)

    def _decide_item(
        self,
        command: Command,
        call: Call,
        states: dict[UUID, Loaded],
        needs: Attempt,
    ) -> "Missing | DomainError | tuple[Unit, tuple[UUID, ...]]":
        try:
            unit = Unit(self._context(call), states, needs.sources)
            shown = decide(command, unit)
        except (Missing, DomainError) as refusal:
            return refusal
        states.update(unit.outcome())
        for source, source_id, aggregate_id in unit.accepted:
            needs.sources[source, source_id] = aggregate_id
        return unit, shown

    async def _commit_all(
        self, items: Sequence[tuple[Command, Call]], found: "Sequence[_Found]"
    ) -> None:
        """Submit what was decided as neighbours in the queue, and wait for all of it."""
        pendings = []
        for (command, call), item in zip(items, found, strict=True):
            if isinstance(item.result, tuple):
                unit, shown = item.result
                facts = await self._publication(call.tenant) if unit.events else []
                self._published.add(call.tenant)
                item.pending = self._pending(
                    unit, shown, call, fingerprint_of(command, call), facts
                )
                item.pending.settled = partial(self._settled, unit, call.tenant, frozenset())
                pendings.append(item.pending)
        self._committer.submit(pendings)
        waits = [asyncio.shield(p.outcome) for p in pendings]
        await asyncio.gather(*waits, return_exceptions=True)

    async def _finish(self, item: tuple[Command, Call], found: "_Found") -> Answer | DomainError:
        """The answer of an item; one that was refused or met a conflict is handled alone."""
        if found.pending is not None and isinstance(found.result, tuple):
            with suppress(LogConflict, DomainError):
                return _answer(*found.result, found.pending.outcome.result())
        try:
            return await self.handle(*item)
        except DomainError as refusal:
            return refusal

    # --- small things ---------------------------------------------------------------------------

    def _admit(self, commands: int) -> None:
        if self._under_way + commands > QUEUE_COMMANDS_MAX:
            raise QueueFull(
                f"{self._under_way} commands are under way; send the same request again later",
                metadata={"limit": str(QUEUE_COMMANDS_MAX)},
            )
        self._under_way += commands

    def _in_thread(self, function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(
            self._executor, partial(function, *arguments)
        )


@dataclass(slots=True)
class _Found:
    """What became of one item of a batch so far."""

    call: Call
    result: Missing | DomainError | tuple[Unit, tuple[UUID, ...]]
    pending: Pending | None = None


def fingerprint_of(command: Command, call: Call) -> bytes:
    """What makes two requests the same: the decoded command and what else decides it."""
    content = msgspec.msgpack.encode((type(command).__name__, command, call.occurred, call.etag))
    return hashlib.sha256(content).digest()


def _answer(unit: Unit, shown: tuple[UUID, ...], position: int) -> Answer:
    outcome = unit.outcome()
    targets = []
    for aggregate_id in shown:
        version, state = outcome[aggregate_id]
        assert state is not None, "a decision shows aggregates that exist"
        targets.append((aggregate_id, version, state))
    return Answer(tuple(targets), position)


def _named_by(command: Command) -> set[UUID]:
    """The aggregate that a command names; a malformed id is refused when it is decided."""
    if isinstance(command, CaseCommand):
        with suppress(ValueError):
            return {UUID(command.exception_id)}
    return set()


def _order_id(state: State | None) -> str:
    if isinstance(state, Case):
        return state.subject.order_id
    return state.order_id if isinstance(state, Order) else ""


def _with_seal(context: Context, seal: Callable[[str, str], Sealed]) -> Context:
    return Context(
        tenant=context.tenant,
        actor=context.actor,
        assurance=context.assurance,
        now=context.now,
        occurred=context.occurred,
        catalogue=context.catalogue,
        seal=seal,
        etag=context.etag,
    )
