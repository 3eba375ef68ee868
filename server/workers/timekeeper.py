"""Looks after shipments when their moment comes, and says to cases what is to be said."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec
from eventsourcing.persistence import PersistenceError

from esm.commands import Command
from esm.detection.model import Checkpoint, Outlook, Shipment
from esm.errors import DomainError, NotCaughtUp, StorageUnavailable
from esm.times import micros
from server.submission import Answer, Call
from server.tracking.deviations import Open, Signal, due_after, signals
from server.tracking.following import EVENTS_PER_LOOK_MAX
from server.tracking.inputs import FUTURE_MICROS_MAX
from server.tracking.naming import source_id_of
from server.tracking.store import Key, TrackingStore, TrackingUnavailable, Watched
from server.tracking.telling import LATER, Moment, after, command_of

SHIPMENTS_PER_PAGE = 200
SIGNALS_PER_BATCH = 500
POLL_SECONDS = 0.5
"""How often the clock is looked at when nothing wakes the timekeeper."""

RETRY_SECONDS = 1.0
FAILED_SECONDS = 60.0
"""How long a shipment is left out that could not be looked after."""

LATENCIES_KEPT = 10_000
NAMED_MAX = 5
"""Shipments that a refusal names."""

T = TypeVar("T")
Outlooks = Callable[[Shipment, Sequence[Checkpoint], int], Outlook]
"""(shipment, timeline, moment in microseconds UTC) -> outlook."""

_log = logging.getLogger(__name__)


class Door(Protocol):
    """What of the writer the timekeeper uses."""

    async def handle_batch(
        self, items: Sequence[tuple[Command, Call]]
    ) -> Sequence[Answer | DomainError]:
        """Decides and records commands of one tenant in their order, each for itself."""
        ...


class Timekeeper:
    """One per server. Several on one store do no harm: what they say is accepted once.

    ``now`` is the clock of every rule, ``recorded`` that of the world (microseconds UTC); they
    differ where ``wall`` is False. ``follow`` lets shipments know what the log says, and tells how
    many events that were; ``texts`` reads the words of a shipment's checkpoints; ``secret`` makes
    request ids.
    """

    def __init__(
        self,
        *,
        store: TrackingStore,
        writer: Door,
        outlook: Outlooks,
        follow: Callable[[int], int],
        texts: Callable[[Key], Mapping[str, str]],
        now: Callable[[], int],
        recorded: Callable[[], int],
        secret: bytes,
        wall: bool,
    ) -> None:
        self._store = store
        self._writer = writer
        self._outlook = outlook
        self._follow = follow
        self._texts = texts
        self._now = now
        self._recorded = recorded
        self._secret = secret
        self._wall = wall
        self._turn = asyncio.Lock()
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="timekeeper")
        self._task: asyncio.Task[None] | None = None
        self._failed: dict[Key, float] = {}
        self._latencies: deque[float] = deque(maxlen=LATENCIES_KEPT)

    def start(self) -> None:
        """Begin to look after what becomes due."""
        self._task = self._loop.create_task(self._run())

    async def stop(self) -> None:
        """End after the page under way; what is left is due at the next start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await asyncio.to_thread(self._executor.shutdown)

    def wake(self) -> None:
        """Something became due; from any thread."""
        with suppress(RuntimeError):  # the loop ends before those who wake it
            self._loop.call_soon_threadsafe(self._woken.set)

    def latency_seconds(self, percent: int) -> float:
        """Percentile of threshold (or arrival) to event, over the last detections; 0 for none."""
        kept = sorted(self._latencies)
        return kept[min(len(kept) * percent // 100, len(kept) - 1)] if kept else 0.0

    async def run_until(self, moment: int) -> int:
        """Say everything that is due at a moment (microseconds UTC) or before.

        Each shipment has its moments in order. Of several, those that are due earlier come first,
        a page at a time; their events say when they occurred. Gives the number of signals.

        Raises :class:`NotCaughtUp` when something is wrong with a shipment, so that it was left
        out; :class:`StorageUnavailable` and other refusals that the same call may not meet again.
        """
        self._failed.clear()  # who asks wants it tried again
        sent = await self._rounds(moment)
        if self._failed:
            codes = sorted(key.shipment_code for key in self._failed)
            raise NotCaughtUp(
                f"{len(codes)} of the shipments that are due could not be looked after,"
                f" {', '.join(codes[:NAMED_MAX])} among them; the server's log says why."
                f" {sent} signals were sent for the others. The same call tries again",
                metadata={"shipments": str(len(codes)), "sent": str(sent)},
            )
        return sent

    async def _rounds(self, moment: int) -> int:
        sent = 0
        async with self._turn:
            while True:
                noted = await self._thread(self._follow, moment)
                keys = await self._next(moment)
                # What was noted is due by now; where more waits than one look reads, it goes on.
                if not keys and noted < EVENTS_PER_LOOK_MAX:
                    return sent
                sent += await self._page(keys, moment)

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._rounds(await self._thread(self._now))
            except LATER as problem:
                _log.warning("shipments are looked after later: %s", problem)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # a fault of one look must not end the watch
                _log.exception("it is not known which shipments are due; trying again")
                await asyncio.sleep(RETRY_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)

    async def _next(self, moment: int) -> list[Key]:
        """Shipments that are due, without those that failed a while ago."""
        now = self._loop.time()
        self._failed = {key: until for key, until in self._failed.items() if until > now}
        limit = SHIPMENTS_PER_PAGE + len(self._failed)
        due = await self._thread(self._store.due, moment, limit)
        return [key for key in due if key not in self._failed]

    async def _page(self, keys: Sequence[Key], now: int) -> int:
        """Look after shipments; one that fails is left out for a while, and holds up no other."""
        try:
            return await self._look_after(keys, now)
        except LATER:
            raise
        except Exception:  # whatever is wrong with a shipment, the others have their moment too
            if len(keys) == 1:
                _log.exception("shipment %s could not be looked after", keys[0].shipment_code)
                self._failed[keys[0]] = self._loop.time() + FAILED_SECONDS
                return 0
        return sum([await self._page([key], now) for key in keys])

    async def _look_after(self, keys: Sequence[Key], now: int) -> int:
        """One moment of each shipment: what opens is said first, then what that leads to.

        It stands in the log then, and in the shipment's row a moment later; whatever comes between
        them, the row hears of it by following the log.
        """
        moments = await self._thread(self._read, keys, now)
        sent, busy = 0, moments
        while busy:
            asked = [
                (key, signal)
                for key, moment in busy.items()
                for signal in signals(moment.watched, moment.outlook, moment.as_of, wall=self._wall)
            ]
            if not asked:
                break
            busy = await self._say(asked, moments)
            sent += len(asked)
        if moments:
            await self._thread(self._put_back, list(moments.values()))
        return sent

    async def _say(
        self, asked: Sequence[tuple[Key, Signal]], moments: dict[Key, Moment]
    ) -> dict[Key, Moment]:
        """Send signals, keep their answers in ``moments``; those that may have more to say."""
        by_tenant: dict[str, list[tuple[Key, Signal]]] = {}
        for key, signal in asked:
            by_tenant.setdefault(key.tenant, []).append((key, signal))
        unread = {key for key, _ in asked if moments[key].texts is None}
        if unread:
            for key, texts in (await self._thread(self._words, unread)).items():
                moments[key] = msgspec.structs.replace(moments[key], texts=texts)
        heard: dict[Key, Moment] = {}
        for of_tenant in by_tenant.values():
            for start in range(0, len(of_tenant), SIGNALS_PER_BATCH):
                batch = of_tenant[start : start + SIGNALS_PER_BATCH]
                items = [command_of(signal, moments[key], self._secret) for key, signal in batch]
                # Whatever comes in from here on, the case that is opened does not know.
                before = self._recorded()
                answers = await self._writer.handle_batch(items)
                for (key, signal), (_, call), answer in zip(batch, items, answers, strict=True):
                    since = before if self._wall else micros(call.occurred)
                    watched = after(signal, moments[key].watched, answer, since)
                    self._note(key, signal, answer, moments[key])
                    moments[key] = msgspec.structs.replace(moments[key], watched=watched)
                    heard[key] = moments[key]
        return heard

    def _words(self, keys: Collection[Key]) -> dict[Key, Mapping[str, str]]:
        return {key: self._texts(key) for key in keys}

    def _read(self, keys: Sequence[Key], now: int) -> dict[Key, Moment]:
        """The shipments that are still due, as they are at their moments, the earliest first.

        A shipment that was looked at ahead of the clock, since that was put back, is looked at as
        of now.
        """
        found = []
        for watched in self._store.load(keys):
            if not 0 < watched.due <= now:
                continue  # another server was faster
            as_of = max(watched.due, watched.looked)
            if as_of > now + FUTURE_MICROS_MAX:
                as_of = now
            outlook = self._outlook(watched.shipment, watched.timeline, as_of)
            found.append(Moment(watched=watched, outlook=outlook, as_of=as_of))
        return {each.key: each for each in sorted(found, key=lambda each: each.as_of)}

    def _put_back(self, moments: Sequence[Moment]) -> None:
        """Write what was said. A row that changed meanwhile stays due, and is looked at again."""
        rows = []
        for each in moments:
            due = due_after(each.watched, each.outlook)
            if 0 < due <= each.as_of:  # nothing is left to say, so time alone must not stand still
                _log.error("shipment %s is due again at its own moment", each.key.shipment_code)
                due = each.as_of + 1
            rows.append(
                msgspec.structs.replace(
                    each.watched, status=each.outlook.status, looked=each.as_of, due=due
                )
            )
        self._store.put_back(rows)

    def _note(self, key: Key, signal: Signal, answer: Answer | DomainError, at: Moment) -> None:
        """Measure a detection, or tell the operator of a signal that no case took."""
        if isinstance(answer, DomainError):
            if answer.reason not in ("MUTED", "EXPECTED"):
                _log.warning("shipment %s: %s: %s", key.shipment_code, answer.reason, answer)
        elif self._wall and isinstance(signal, Open) and _is_first(signal, at.watched):
            since = max(signal.finding.at, at.watched.due)
            self._latencies.append(max(self._recorded() - since, 0) / 1e6)

    async def _thread(self, function: Callable[..., T], *arguments: Any) -> T:
        try:
            return await self._loop.run_in_executor(self._executor, partial(function, *arguments))
        except (TrackingUnavailable, PersistenceError) as problem:
            raise StorageUnavailable(str(problem)) from problem


def _is_first(signal: Open, watched: Watched) -> bool:
    """Whether a finding is said for the first time; a mute or a correction may delay the next."""
    unsaid = all(each.source_id != signal.source_id for each in watched.told)
    return unsaid and signal.source_id == source_id_of(signal.finding, watched, 1)
