"""Random histories of parcels, and servers that watch them and may be stopped anywhere."""

import asyncio
import dataclasses
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any, Final, NamedTuple, cast, get_args

import msgspec

from esm.catalog import Status
from esm.commands import AdvanceClock, Command, MuteRule
from esm.errors import DomainError
from esm.times import instant, micros
from server.clock import Clock
from server.committer import Committer
from server.settings import Settings
from server.states import States
from server.store import Store, open_store
from server.submission import Answer, Call, Submissions
from server.tracking.detecting import Detecting, detecting
from server.tracking.inputs import Shipment, TrackingCheckpoint
from server.tracking.store import Key, Recorded, TrackingStore, Watched
from server.writer import Writer
from tests.esm.story import CATALOGUE
from tests.server.writing import call

TENANT: Final = "t1"
OPERATOR: Final = "t0"
FEED: Final = "wms"
HOUR: Final = 3_600_000_000
BEGIN: Final = micros("2026-03-02T00:00:00.000000Z")
ROWS_MAX: Final = 1_000
QUIET: Final = 60 * 24 * HOUR
"""How long the clock goes on when all is told: every wait is at its end by then, every mute is."""

FACTS_MAX: Final = 14
GAPS: Final = (0, 1, 5, 20, 35, 36, 37, 48, 49, 73, 200)
"""Hours between two facts: many lie about the limits of rules."""

DELAYS: Final = (0, 0, 0, 0, 1, 3, 30, 60, 100, 300)
"""Hours from a fact until it is told."""

SORRY: Final = (0, 2, 10, 40)
"""Hours from a fact that is told until it is retracted."""

STEPS: Final = (1, 6, 12, 24)
"""Hours by which the clock moves on."""

LAST_STEP: Final = 3 * 24

STATUSES: Final = get_args(Status)
OFTEN: Final = {"in_transit": 6, "arrived": 6, "departed": 6, "out_for_delivery": 4, "attempted": 4}
"""Statuses that are told so many times as often as others."""

PLACES: Final = ("A", "B", "C", "")
PIECES: Final = ((), (), (), ("p1", "p2"), ("p1", "p2", "p3"))
WORDS: Final = ("", "nobody there", "破损", "no attempt was made", "\u202eturned\x07", "  ")
CODES_UNKNOWN: Final = ("??\u2028é", "'; --", "\U0001f4e6")
MUTED: Final = ("TRACKING_STALLED", "NODE_STUCK", "carrier_event", "PROMISE_MISSED")

What = Shipment | TrackingCheckpoint | MuteRule


class Telling(NamedTuple):
    """What is told at a moment (microseconds UTC)."""

    at: int
    what: What


def history(chance: Random, code: str) -> list[Telling]:
    """What is told of a parcel: facts, some late, again, corrected or retracted; and mutes."""
    pieces = chance.choice(PIECES)
    told = _registered(chance, code, pieces)
    occurred = BEGIN
    for number in range(chance.randint(1, FACTS_MAX)):
        occurred += int(chance.choice(GAPS) * HOUR * chance.choice((1, 1, 1, 0.5)))
        fact = _fact(chance, code, number, occurred, pieces)
        at = occurred + chance.choice(DELAYS) * HOUR
        told.append(Telling(at, fact))
        if chance.random() < 0.2:
            told.append(Telling(at + chance.randint(0, 50) * HOUR, fact))
        if chance.random() < 0.25:
            told.append(Telling(at + chance.choice(SORRY) * HOUR, _retracting(fact)))
    if chance.random() < 0.3:
        at = BEGIN + chance.randint(0, 150) * HOUR
        until = instant(at + chance.randint(1, 200) * HOUR)
        rule = chance.choice(MUTED)
        mute = MuteRule(
            order_id=f"O-{code}", shipment_code=code, rule=rule, until=until, reason="known"
        )
        told.append(Telling(at, mute))
    return told


def _registered(chance: Random, code: str, pieces: tuple[str, ...]) -> list[Telling]:
    """The parcel is watched, perhaps after its first facts; its own facts may be corrected."""

    def hours(most: int) -> str:
        return instant(BEGIN + chance.randint(1, most) * HOUR)

    def some(share: float, most: int) -> str:
        return hours(most) if chance.random() < share else ""

    def at(begin: int, share: float, most: int) -> int:
        return begin + (chance.randint(1, most) * HOUR if chance.random() < share else 0)

    begin = at(BEGIN, 0.2, 100)
    known = Shipment(order_id=f"O-{code}", shipment_code=code)
    first = msgspec.structs.replace(
        known, pieces=pieces, labelled_at=some(0.4, 2), promised_at=some(0.4, 200)
    )
    told = [Telling(begin, first)]
    if chance.random() < 0.3:
        later = msgspec.structs.replace(known, promised_at=hours(300))
        told.append(Telling(at(begin, 1, 200), later))
    if chance.random() < 0.2:
        later = msgspec.structs.replace(known, handed_over_at=hours(100))
        told.append(Telling(at(begin, 1, 200), later))
    return told


def _fact(
    chance: Random, code: str, number: int, occurred: int, pieces: tuple[str, ...]
) -> TrackingCheckpoint:
    status, raw_code = _status(chance), ""
    if chance.random() < 0.08:
        status, raw_code = "", chance.choice(CODES_UNKNOWN)
    return TrackingCheckpoint(
        feed=FEED,
        source_id=f"{code}-{number}",
        shipment_code=code,
        piece=chance.choice(pieces) if pieces and chance.random() < 0.5 else "",
        occurred_at=instant(occurred),
        raw_code=raw_code,
        status=status,
        raw_text=chance.choice(WORDS),
        place=chance.choice(PLACES),
    )


def _retracting(fact: TrackingCheckpoint) -> TrackingCheckpoint:
    """The feed says that a fact was wrong."""
    return msgspec.structs.replace(
        fact,
        source_id=f"{fact.source_id}-sorry",
        status="information",
        raw_code="",
        retracts=(fact.source_id,),
    )


def _status(chance: Random) -> str:
    (status,) = chance.choices(STATUSES, [OFTEN.get(each, 1) for each in STATUSES])
    return str(status)


class Hand(Clock):
    """A wall clock that the test sets; asked again it is a little later, as a real one."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._last = at
        self._lock = threading.Lock()

    def micros(self) -> int:
        """Now."""
        with self._lock:
            self._last += 1
            return self._last

    def advance(self, to: int) -> None:
        """It is at least so late."""
        with self._lock:
            self._last = max(self._last, to)


class Stopped(BaseException):
    """The server was stopped here."""


BEFORE_LOG, MID_BATCH, AFTER_LOG = "before the log", "in mid-batch", "after the log"
BEFORE_ROWS, AFTER_ROWS = "before the rows", "after the rows"
POINTS: Final = (BEFORE_LOG, MID_BATCH, AFTER_LOG, BEFORE_ROWS, AFTER_ROWS)
"""Where a look can be stopped: about what it says, and about what it writes of that."""

PASSES: Final = (0, 0, 0, 1, 2)
"""How often a look gets past a point before it is stopped there."""

DOWN: Final = (0, 12, 60)
"""Hours until a timekeeper that was stopped looks again; others look, and facts come in."""

PAUSE_SECONDS_MAX: Final = 0.03
"""How slow a server may be between what it reads and what it says of that."""


class Stops:
    """Stops the looks of one server, and knows whether one was; ``pause`` makes it slow."""

    def __init__(self) -> None:
        self.happened, self.pause = False, 0.0
        self._point, self._passes = "", 0

    def arm(self, point: str, passes: int) -> None:
        """Stop the next look at a point, when it came past that so many times."""
        self._point, self._passes = point, passes

    def disarm(self) -> None:
        """Stop nothing, and be quick."""
        self._point, self.pause = "", 0.0

    def meets(self, point: str) -> bool:
        """Whether to stop here and now."""
        if point != self._point:
            return False
        self._passes -= 1
        if self._passes >= 0:
            return False
        self._point, self.happened = "", True
        return True

    def at(self, point: str) -> None:
        """Raises :class:`Stopped` when that is to be here."""
        if self.meets(point):
            raise Stopped(point)


class StoppingDoor:
    """A writer's door at which who speaks may be stopped; what he said so far is said."""

    def __init__(self, writer: Writer, stops: Stops) -> None:
        self._writer, self._stops = writer, stops

    async def handle_batch(
        self, items: Sequence[tuple[Command, Call]]
    ) -> Sequence[Answer | DomainError]:
        await asyncio.sleep(self._stops.pause)
        self._stops.at(BEFORE_LOG)
        if self._stops.meets(MID_BATCH):
            await self._writer.handle_batch(items[: len(items) // 2 or 1])
            raise Stopped(MID_BATCH)
        answers = await self._writer.handle_batch(items)
        self._stops.at(AFTER_LOG)
        return answers


class StoppingRows:
    """A tracking store at whose rows who looked may be stopped."""

    def __init__(self, store: TrackingStore, stops: Stops) -> None:
        self._store, self._stops = store, stops

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def due(self, before: int, limit: int) -> list[Key]:
        found = self._store.due(before, limit)
        time.sleep(self._stops.pause)
        return found

    def put_back(self, watched: Sequence[Watched]) -> list[bool]:
        self._stops.at(BEFORE_ROWS)
        written = self._store.put_back(watched)
        self._stops.at(AFTER_ROWS)
        return written


class Server:
    """What of a server watches parcels. Only the test turns its hands."""

    def __init__(self, store: Store, writer: Writer, clock: Clock) -> None:
        self.store, self.writer, self.stops = store, writer, Stops()
        self._clock = clock
        self._running = AsyncExitStack()
        self.down_until = 0
        self.parts: Detecting

    async def start(self) -> None:
        """Begin, or begin anew with nothing in mind, as after a stop."""
        await self.close()
        rows = cast(TrackingStore, StoppingRows(self.store.tracking, self.stops))
        store = dataclasses.replace(self.store, tracking=rows)
        door = StoppingDoor(self.writer, self.stops)
        watching = detecting(store, door, CATALOGUE, self._clock)
        self.parts = await self._running.enter_async_context(watching)

    async def close(self) -> None:
        """Write what was taken, and end."""
        await self._running.aclose()


@asynccontextmanager
async def server_on(settings: Settings, clock: Clock) -> AsyncIterator[Server]:
    """A server on the store of the settings, by a clock."""
    with open_store(settings, clock) as store, ThreadPoolExecutor(2) as executor:
        log = store.application.events_log
        committer = Committer(log, clock, asyncio.get_running_loop())
        states = States(store.application, store.personal, executor, shared=store.shared)
        writer = Writer(
            states=states,
            submissions=Submissions(
                store.application, CATALOGUE, states, secret=store.request_secret
            ),
            committer=committer,
            catalogue=CATALOGUE,
            clock=clock,
            feed=store.feed,
        )
        server = Server(store, writer, clock)
        await server.start()
        try:
            yield server
        finally:
            await server.close()
            await asyncio.to_thread(committer.close)


class Play:
    """A history as it is told to servers, which look at moments of their own and are stopped.

    ``hand`` is the wall clock, None on a store that follows the clock of a feed. ``now`` is where
    the clock stands (microseconds UTC), ``stopped`` how many looks were, and ``ahead`` the parcels
    that were once looked at as of a moment that was still to come.
    """

    STOPPED, TOGETHER, LOOKS, BETWEEN, SLOW, SETTLED = 0.4, 0.5, 0.7, 0.6, 0.3, 0.1
    """Shares of looks that are stopped, of looks of all servers at once, of steps, and of what is
    told, with a look afterwards, of what is told while servers look, of slow ones then, and of
    steps after which all is looked after."""

    def __init__(self, servers: Sequence[Server], hand: Hand | None, chance: Random) -> None:
        self.servers, self.hand, self.chance = servers, hand, chance
        self.now, self.stopped = BEGIN - HOUR, 0
        self.ahead: set[str] = set()

    async def through(
        self, told: Sequence[Telling]
    ) -> AsyncIterator[tuple[int, Sequence[Telling]]]:
        """Tell all of it, each at its moment, and go on until nothing of it is due any more.

        Now and then all that was told so far is looked after, the last time at the end: gives what
        that was, and as of when (microseconds UTC).
        """
        waiting = sorted(told, key=lambda each: each.at)
        end = waiting[-1].at + QUIET
        number = 0
        while self.now < end:
            hours = self.chance.choice(STEPS) if number < len(waiting) else LAST_STEP
            step = self.now + hours * HOUR
            while number < len(waiting) and waiting[number].at <= step:
                await self._advance(max(self.now, waiting[number].at))
                await self._meanwhile(waiting[number].what)
                number += 1
            await self._advance(step)
            if self.chance.random() < self.LOOKS:
                await self._look()
            if self.chance.random() < self.SETTLED or self.now >= end:
                moment = self._moment()
                for server in (*self.servers, *self.servers):
                    await server.parts.timekeeper.run_until(moment)
                yield moment, waiting[:number]

    def _moment(self) -> int:
        return self.hand.micros() if self.hand else self.now

    async def _advance(self, to: int) -> None:
        if self.hand:
            self.hand.advance(to)
        elif to > self.now:
            server = self.chance.choice(self.servers)
            await server.writer.handle(AdvanceClock(to=instant(to)), call(tenant=OPERATOR))
            assert server.store.feed is not None
            server.store.feed.advance(to)  # the other one hears of it when it asks
        self.now = to

    async def _meanwhile(self, what: What) -> None:
        """Tell it to one server, on a shared store while all of them look, and look after it."""
        if len(self.servers) > 1 and self.chance.random() < self.BETWEEN:
            later = self.chance.random() * PAUSE_SECONDS_MAX
            await self._looks(self.servers, self._tell(what, later))
        else:
            await self._tell(what)
        if self.chance.random() < self.LOOKS:
            await self._look()

    async def _tell(self, what: What, later: float = 0.0) -> None:
        server = self.chance.choice(self.servers)
        await asyncio.sleep(later)
        if isinstance(what, MuteRule):
            await server.writer.handle(what, call(tenant=TENANT))
            return
        taken: Sequence[object]
        if isinstance(what, Shipment):
            taken = await server.parts.tracking.register(TENANT, [what])
        else:
            taken = await server.parts.tracking.record(TENANT, [what])
        assert isinstance(taken[0], str | Recorded), taken

    async def _look(self) -> None:
        together = self.chance.random() < self.TOGETHER
        await self._looks(self.servers if together else [self.chance.choice(self.servers)])

    async def _looks(self, servers: Sequence[Server], *meanwhile: Awaitable[None]) -> None:
        """Let those of the servers look that are not down."""
        up = [each for each in servers if each.down_until <= self.now]
        for server in up:
            slow = len(up) > 1 and self.chance.random() < self.SLOW
            server.stops.pause = self.chance.random() * PAUSE_SECONDS_MAX if slow else 0.0
            if self.chance.random() < self.STOPPED:
                server.stops.arm(self.chance.choice(POINTS), self.chance.choice(PASSES))
        await asyncio.gather(*meanwhile, *map(self._one, up))
        for server in up:
            if server.stops.happened:
                await self._after_stop(server)
        rows = self.servers[0].store.tracking.watched(TENANT, "", ROWS_MAX)
        now = self._moment()
        self.ahead |= {each.shipment.shipment_code for each in rows if each.looked > now}

    async def _one(self, server: Server) -> None:
        try:
            await server.parts.timekeeper.run_until(self._moment())
        except Stopped:
            self.stopped += 1
        finally:
            server.stops.disarm()

    async def _after_stop(self, server: Server) -> None:
        """Some start anew with nothing in mind, some only fell over; and it takes its time."""
        server.stops.happened = False
        server.down_until = self.now + self.chance.choice(DOWN) * HOUR
        if self.chance.random() < 0.5:
            await server.start()
