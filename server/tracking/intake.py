"""The intake: shipments and checkpoints are checked, sealed and stored, many in one transaction."""

from __future__ import annotations

import asyncio
import hashlib
from asyncio import current_task
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec
from eventsourcing.persistence import PersistenceError

from esm.catalog import Catalogue, Status
from esm.detection.model import Checkpoint
from esm.detection.model import Shipment as KnownShipment
from esm.detection.normal import normalised
from esm.errors import DomainError, InvalidCommand, QueueFull, RecordNotFound, Violation
from esm.events import Sealed
from server.clock import Clock
from server.personal import ERASED, KeyMissing, Personal
from server.tracking.inputs import (
    FUTURE_MICROS_MAX,
    ZONE_AHEAD_MICROS_MAX,
    Shipment,
    TrackingCheckpoint,
    checked,
    shipment_of,
)
from server.tracking.recording import FULL, NEW, ORDER, UNMATCHED
from server.tracking.store import (
    CHECKPOINTS_MAX,
    ENDS_MAX,
    PARTS_MAX,
    PIECE_CHECKPOINTS_MAX,
    Arriving,
    Detail,
    Incoming,
    Key,
    Recorded,
    Settle,
    TrackingStore,
    TrackingUnavailable,
    Watched,
    handle_of,
    person_of,
)

QUEUE_ITEMS_MAX: Final = 10_000
"""Shipments and checkpoints that may wait; one more is refused (RESOURCE_EXHAUSTED)."""

GROUP_ITEMS_MAX: Final = 2_000
"""Most of them in one transaction; what waits behind goes into the next."""

READERS_MAX: Final = 4
PAGE_MAX: Final = 500
NODE_DIGEST_BYTES: Final = 8
NODE_KEY_BYTES: Final = 64

T = TypeVar("T")


class Opened(NamedTuple):
    """A stored checkpoint with its words in clear, or with the mark of erasure."""

    detail: Detail
    raw_text: str
    station: str
    courier: str
    signer: str


class Shown(NamedTuple):
    """A shipment with its timeline in occurred order."""

    watched: Watched
    timeline: list[Opened]


@dataclass(slots=True)
class _Job:
    """What waits to be written. One of the two lists is empty."""

    tenant: str
    outcome: asyncio.Future[list[Any]]
    shipments: Sequence[KnownShipment] = ()
    incoming: Sequence[Incoming] = ()
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = len(self.shipments) + len(self.incoming)


class Tracking:
    """Takes what callers and feeds tell, and answers what is known of a shipment.

    ``now`` is the clock that policies follow, in microseconds UTC, ``clock`` the real one; ``wall``
    says that they are the same. ``secret`` is the store's. ``wake`` is called in the event loop
    after a commit that made a shipment due. ``writers`` threads write what waits, on a store that
    takes several transactions at once.
    """

    def __init__(
        self,
        *,
        store: TrackingStore,
        catalogue: Catalogue,
        personal: Personal,
        secret: bytes,
        clock: Clock,
        now: Callable[[], int],
        wall: bool,
        settle: Settle,
        wake: Callable[[], None],
        loop: asyncio.AbstractEventLoop,
        writers: int = 1,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._personal = personal
        self._secret = hashlib.blake2b(secret, digest_size=NODE_KEY_BYTES).digest()
        self._clock = clock
        self._now = now
        self._wall = wall
        self._settle = settle
        self._wake = wake
        self._loop = loop
        self._queue: deque[_Job] = deque()
        self._waiting = 0
        self._writers = writers
        self._draining: set[asyncio.Task[None]] = set()
        self._closed = False
        self._thread = ThreadPoolExecutor(writers, thread_name_prefix="intake")
        self._readers = ThreadPoolExecutor(READERS_MAX, thread_name_prefix="tracking")
        self.unknown_codes: Counter[str] = Counter()
        """Checkpoints by feed of which the catalogue does not know the raw code; those of feeds
        that it does not know either stand under ""."""

    # Writing.

    async def register(self, tenant: str, items: Sequence[Shipment]) -> list[str | DomainError]:
        """What became of each shipment: registered, changed, unchanged, or why it was refused.

        Raises :class:`~esm.errors.QueueFull` and
        :class:`~server.tracking.store.TrackingUnavailable`, and then nothing was taken.
        """
        now = self._now()
        found: list[KnownShipment | DomainError] = []
        for item in items:
            try:
                found.append(shipment_of(item, now))
            except DomainError as refusal:
                found.append(refusal)
        good = [each for each in found if isinstance(each, KnownShipment)]
        outcomes = iter(await self._submit(tenant, shipments=good))
        return [
            _of_shipment(next(outcomes), each) if isinstance(each, KnownShipment) else each
            for each in found
        ]

    async def record(
        self, tenant: str, items: Sequence[TrackingCheckpoint]
    ) -> list[Recorded | DomainError]:
        """What became of each checkpoint, durably; raises as ``register`` does."""
        now, received = self._now(), self._clock.micros()
        found: list[Incoming | DomainError] = []
        unknown: list[bool] = []
        for item in items:
            known = True
            try:
                incoming, known = self._incoming(tenant, item, now, received)
                found.append(incoming)
            except DomainError as refusal:
                found.append(refusal)
            unknown.append(not known)
        good = [each for each in found if isinstance(each, Incoming)]
        outcomes = iter(await self._submit(tenant, incoming=good))
        answers: list[Recorded | DomainError] = [
            _of_checkpoint(next(outcomes)) if isinstance(each, Incoming) else each for each in found
        ]
        if any(unknown):
            self._count(items, answers, unknown)
        return answers

    async def close(self) -> None:
        """Write what waits, then end the threads; what comes in later is refused."""
        self._closed = True
        while self._draining:
            await asyncio.wait(self._draining)
        self._thread.shutdown()
        self._readers.shutdown()

    # Reading.

    async def shipment(self, tenant: str, shipment_code: str) -> Shown:
        """A shipment with its timeline. Raises :class:`~esm.errors.RecordNotFound`."""
        key = Key(tenant, shipment_code)
        found = await self._read(self._shown, key)
        if found is None:
            raise RecordNotFound(
                f"shipment {shipment_code!r} is not watched; register it with RegisterShipments",
                metadata={"shipmentCode": shipment_code},
            )
        return found

    async def watched(
        self,
        tenant: str,
        after: str,
        limit: int,
        *,
        due_before: int = 0,
        status: str = "",
        order_id: str = "",
        number: str = "",
    ) -> list[Watched]:
        """As the store's ``watched``."""
        select = partial(
            self._store.watched,
            due_before=due_before,
            status=status,
            order_id=order_id,
            number=number,
        )
        return await self._read(select, tenant, after, limit)

    async def persons(self, tenant: str, order_id: str) -> list[str]:
        """Whose keys are destroyed when the person of an order is erased.

        They are the order's, and those under which checkpoints of its numbers were sealed before
        anybody knew whose they are.
        """
        return await self._read(self._persons, tenant, order_id)

    def opened(self, key: Key) -> list[Opened]:
        """The timeline of a shipment in clear; blocks."""
        erased: set[tuple[str, str]] = set()
        return [self._opened(key.tenant, each, erased) for each in self._store.checkpoints(key)]

    # Inside.

    def _incoming(
        self, tenant: str, item: TrackingCheckpoint, now: int, received: int
    ) -> tuple[Incoming, bool]:
        """A checkpoint as the store takes it, and whether the catalogue knows its raw code."""
        occurred, source_id, retracts = checked(item)
        if self._wall and item.zone_assumed and 0 < occurred - now <= ZONE_AHEAD_MICROS_MAX:
            occurred = now  # it was local time; what is told has happened
        status = cast(Status, item.status) if item.status else None
        found = normalised(self._catalogue, item.feed, item.raw_code, item.raw_text, status)
        checkpoint = Checkpoint(
            source_id=source_id,
            occurred=occurred,
            received=received,
            feed=item.feed,
            status=found.status,
            raw_code=item.raw_code,
            place=item.place,
            node=item.place or self._node(tenant, item.station),
            piece=item.piece,
            opens=found.opens,
            clears=found.clears,
            attempt=found.attempt,
            retracts=retracts,
            future=self._wall and occurred > now + FUTURE_MICROS_MAX,
        )
        words = (item.raw_text, item.station, item.courier, item.signer)
        incoming = Incoming(
            checkpoint,
            item.shipment_code,
            item.number,
            item.carrier,
            not item.zone_assumed,
            _WORDS_ENCODER.encode(words) if any(words) else b"",
        )
        return incoming, found.known

    def _node(self, tenant: str, station: str) -> str:
        """A name of a station that says nothing of it, the same for the same one."""
        if not station:
            return ""
        text = f"{tenant}\x1f{station}".encode()
        digest = hashlib.blake2b(text, key=self._secret, digest_size=NODE_DIGEST_BYTES)
        return f"#{digest.hexdigest()}"

    def _count(
        self,
        items: Sequence[TrackingCheckpoint],
        answers: Sequence[Recorded | DomainError],
        unknown: Sequence[bool],
    ) -> None:
        for item, answer, is_unknown in zip(items, answers, unknown, strict=True):
            new = isinstance(answer, Recorded) and answer.outcome in (NEW, UNMATCHED)
            if is_unknown and new:
                self.unknown_codes[item.feed if item.feed in self._catalogue.sources else ""] += 1

    async def _submit(
        self,
        tenant: str,
        *,
        shipments: Sequence[KnownShipment] = (),
        incoming: Sequence[Incoming] = (),
    ) -> list[Any]:
        if self._closed:
            raise TrackingUnavailable("this server stores no more; send the same to another one")
        job = _Job(tenant, self._loop.create_future(), shipments, incoming)
        if not job.size:
            return []
        if self._waiting + job.size > QUEUE_ITEMS_MAX:
            raise QueueFull(
                f"{self._waiting} shipments and checkpoints wait to be stored; "
                "send the same again later, what was stored meanwhile is known",
                metadata={"limit": str(QUEUE_ITEMS_MAX)},
            )
        self._waiting += job.size
        self._queue.append(job)
        if len(self._draining) < self._writers:
            self._draining.add(self._loop.create_task(self._drain()))
        # A caller that is gone cancels its own waiting; what it told is stored all the same.
        return await asyncio.shield(job.outcome)

    async def _drain(self) -> None:
        try:
            while self._queue:
                group = self._next_group()
                self._waiting -= sum(job.size for job in group)
                await self._write_all(group)
        finally:
            # Before anything else runs: what comes in after the last look begins another one.
            self._draining = {task for task in self._draining if task is not current_task()}

    def _next_group(self) -> list[_Job]:
        """The jobs at the head that are of one kind, and registrations of one tenant."""
        first = self._queue.popleft()
        group, size = [first], first.size
        while self._queue and size + self._queue[0].size <= GROUP_ITEMS_MAX:
            head = self._queue[0]
            alike = bool(head.shipments) == bool(first.shipments)
            if not alike or (first.shipments and head.tenant != first.tenant):
                break
            group.append(self._queue.popleft())
            size += head.size
        return group

    async def _write_all(self, group: Sequence[_Job]) -> None:
        """Write a group whole; when that fails for what one job holds, job by job."""
        work = self._loop.run_in_executor(self._thread, self._write, group)
        await asyncio.wait([work])
        error = work.exception()
        if error is None:
            outcomes, soonest = work.result()
            for job, answers in zip(group, outcomes, strict=True):
                _settled(job.outcome, answers)
            if 0 < soonest <= self._now():
                self._wake()
        elif isinstance(error, TrackingUnavailable) or len(group) == 1:
            for job in group:
                if not job.outcome.done():
                    job.outcome.set_exception(error)
        else:
            for job in group:
                await self._write_all([job])

    def _write(self, group: Sequence[_Job]) -> tuple[list[list[Any]], int]:
        """Runs in a thread that writes; what became of each job, and the first moment of all."""
        tenant = group[0].tenant
        soonest = 0

        def settle(watched: Watched) -> Watched:
            nonlocal soonest
            settled = self._settle(watched)
            if settled.due and (not soonest or settled.due < soonest):
                soonest = settled.due
            return settled

        shipments = [each for job in group for each in job.shipments]
        if not shipments:
            batches = [Arriving(job.tenant, job.incoming) for job in group]
            recorded = self._store.record_many(batches, settle, self._seal)
            return cast(list[list[Any]], recorded), soonest
        self._ensure(tenant, {person_of(each.order_id, "") for each in shipments})
        outcomes = iter(self._store.register(tenant, shipments, settle))
        return [[next(outcomes) for _ in job.shipments] for job in group], soonest

    def _ensure(self, tenant: str, persons: set[str]) -> None:
        try:
            self._personal.ensure(tenant, persons)
        except PersistenceError as error:
            raise TrackingUnavailable(str(error)) from error

    def _seal(self, tenant: str, details: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """Boxes of details, each under the key of its person; nothing stays nothing."""
        self._ensure(tenant, {person for person, plain in details if plain})
        return [
            self._sealed(tenant, person, plain.decode()) if plain else b""
            for person, plain in details
        ]

    def _sealed(self, tenant: str, person: str, text: str) -> bytes:
        try:
            sealed = self._personal.seal(tenant, person, text)
        except KeyMissing:  # it was forgotten since: keys are not held for ever
            self._ensure(tenant, {person})
            sealed = self._personal.seal(tenant, person, text)
        return _BOX_ENCODER.encode((sealed.subject, sealed.key_id, sealed.box))

    async def _read(self, function: Callable[..., T], *arguments: Any) -> T:
        return await self._loop.run_in_executor(self._readers, function, *arguments)

    def _shown(self, key: Key) -> Shown | None:
        watched = self._store.load([key])
        return Shown(watched[0], self.opened(key)) if watched else None

    def _opened(self, tenant: str, detail: Detail, erased: set[tuple[str, str]]) -> Opened:
        if not detail.detail:
            return Opened(detail, "", "", "", "")
        subject, key_id, box = _BOX_DECODER.decode(detail.detail)
        text = None
        if (subject, key_id) not in erased:
            try:
                sealed = Sealed(subject=subject, key_id=key_id, box=box)
                text = self._personal.open(tenant, sealed)
            except PersistenceError as error:
                raise TrackingUnavailable(str(error)) from error
        if text is None:
            erased.add((subject, key_id))
            return Opened(detail, ERASED, ERASED, ERASED, ERASED)
        return Opened(detail, *_WORDS_DECODER.decode(text))

    def _persons(self, tenant: str, order_id: str) -> list[str]:
        persons = {person_of(order_id, "")}
        after = ""
        while True:
            page = self._store.watched(tenant, after, PAGE_MAX, order_id=order_id)
            for each in page:
                after = each.shipment.shipment_code
                persons.add(handle_of(after, ""))
                persons |= {handle_of("", number.number) for number in each.shipment.numbers}
            if len(page) < PAGE_MAX:
                return sorted(persons)


_WORDS_ENCODER: Final = msgspec.json.Encoder()
_WORDS_DECODER: Final = msgspec.json.Decoder(tuple[str, str, str, str])
_BOX_ENCODER: Final = msgspec.msgpack.Encoder()
_BOX_DECODER: Final = msgspec.msgpack.Decoder(tuple[str, str, bytes])


def _settled(outcome: asyncio.Future[list[Any]], answers: list[Any]) -> None:
    if not outcome.done():
        outcome.set_result(answers)


def _of_shipment(outcome: str, shipment: KnownShipment) -> str | DomainError:
    if outcome == ORDER:
        text = f"is not that of shipment {shipment.shipment_code}, which is known already"
        return InvalidCommand([Violation("order_id", text)])
    if outcome == FULL:
        text = f"the shipment would have more than {PARTS_MAX} numbers or pieces"
        return InvalidCommand([Violation("numbers", text)])
    return outcome


def _of_checkpoint(recorded: Recorded) -> Recorded | DomainError:
    if recorded.outcome != FULL:
        return recorded
    text = (
        f"shipment {recorded.shipment_code} has {CHECKPOINTS_MAX} checkpoints, the most there are"
        f" besides {PIECE_CHECKPOINTS_MAX} of each piece; beyond that only {ENDS_MAX} are taken,"
        " and one for each piece, that end its way"
    )
    return InvalidCommand([Violation("shipment_code", text)])
