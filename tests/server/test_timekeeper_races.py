"""Between a command and the row of its shipment anything may happen; in the end both agree."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from esm.commands import Command
from esm.detection.timeline import ENDS
from esm.times import instant
from server.app import Running
from server.app import running as one
from server.clock import Clock
from server.settings import Settings
from server.submission import Call
from server.tracking.detecting import Detecting
from server.tracking.inputs import Shipment, TrackingCheckpoint
from server.tracking.store import OPENED, Key, Watched
from tests.scenarios.engines import fresh
from tests.server.test_timekeeper import HOUR, TENANT, stalled, topics, watching
from tests.server.writing import rows, two

__all__ = ["fresh"]

DETECTED = "exception.detected.v1"
CLEARED, WITHDRAWN, REOPENED = (
    "exception.signal_cleared.v1",
    "exception.withdrawn.v1",
    "exception.reopened.v1",
)


@pytest.fixture
def feed(fresh: Settings) -> Settings:
    """Settings of a fresh store that follows a feed's clock, on each engine."""
    return dataclasses.replace(fresh, clock="feed")


Pair = tuple[Running, Detecting, Detecting]


@contextlib.asynccontextmanager
async def pair(settings: Settings) -> AsyncIterator[Pair]:
    """Two timekeepers on one store: of two servers where the engine lets them share it."""
    async with contextlib.AsyncExitStack() as stack:
        if settings.dsn:
            first, second = await stack.enter_async_context(two(settings))
        else:
            first = second = await stack.enter_async_context(one(settings))
        a = await stack.enter_async_context(watching(first))
        b = await stack.enter_async_context(watching(second))
        yield first, a, b


def play(settings: Settings, test: Callable[[Running, Detecting, Detecting], Any]) -> None:
    async def main() -> None:
        async with pair(settings) as (server, a, b):
            await test(server, a, b)

    asyncio.run(main())


async def told(parts: Detecting, source_id: str, at: int, status: str, **more: Any) -> None:
    """Parcel P1 is seen at a moment."""
    seen = TrackingCheckpoint(
        feed="wms",
        source_id=source_id,
        shipment_code="P1",
        occurred_at=instant(at),
        status=status,
        **more,
    )
    await parts.tracking.record(TENANT, [seen])


def parcel(server: Running) -> Watched:
    (found,) = server.store.tracking.load([Key(TENANT, "P1")])
    return found


def state(server: Running) -> Any:
    """The state of the one case."""
    (case,) = {row.aggregate_id for row in rows(server) if row.topic == DETECTED}
    loaded: Any = server.store.application.state_at(case)[1]
    return loaded.state


class HeldDoor:
    """The writer's door, shut until ``open`` is set; ``reached`` when somebody stands there."""

    def __init__(self, parts: Detecting) -> None:
        self.open, self.reached = asyncio.Event(), asyncio.Event()
        self._door = parts.timekeeper._writer
        parts.timekeeper._writer = self

    async def handle_batch(self, items: Sequence[tuple[Command, Call]]) -> Any:
        self.reached.set()
        await self.open.wait()
        return await self._door.handle_batch(items)


def test_a_late_scan_while_the_alarm_is_on_its_way_ends_it_whoever_looks_first(
    feed: Settings,
) -> None:
    async def test(server: Running, a: Detecting, b: Detecting) -> None:
        at_risk = await stalled(a, "P1") - 12 * HOUR
        door = HeldDoor(a)
        speaking = asyncio.create_task(a.timekeeper.run_until(at_risk))
        await door.reached.wait()
        await told(b, "late", at_risk - 6 * HOUR, "departed")
        await b.timekeeper.run_until(at_risk)
        assert topics(server) == []
        door.open.set()
        await speaking
        await b.timekeeper.run_until(at_risk)
        assert topics(server) == [DETECTED, CLEARED, WITHDRAWN]
        assert [(each.outcome, each.cleared) for each in parcel(server).told] == [(OPENED, True)]

    play(feed, test)


def test_who_asked_may_go_away_while_the_alarm_is_on_its_way(feed: Settings) -> None:
    async def test(server: Running, a: Detecting, b: Detecting) -> None:
        at_risk = await stalled(a, "P1") - 12 * HOUR
        door = HeldDoor(a)
        speaking = asyncio.create_task(a.timekeeper.run_until(at_risk))
        await door.reached.wait()
        door.open.set()
        await asyncio.sleep(0)
        speaking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await speaking
        await told(b, "late", at_risk - 6 * HOUR, "delivered")
        for parts in (b, a, b):
            await parts.timekeeper.run_until(at_risk)
        await asyncio.sleep(0.1)  # what was on its way is in the log by then
        await b.timekeeper.run_until(at_risk)
        assert parcel(server).status in ENDS
        assert topics(server) in ([], [DETECTED, CLEARED, WITHDRAWN])

    play(feed, test)


@pytest.mark.parametrize("stops", [True, False])
def test_what_was_cleared_and_stands_again_is_said_again_whatever_comes_between(
    feed: Settings, stops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(server: Running, a: Detecting, b: Detecting) -> None:
        breached = await stalled(a, "P1")
        await told(a, "tried", breached - 20 * HOUR, "attempted")
        await a.timekeeper.run_until(breached - 19 * HOUR)
        await told(a, "wrong", breached + HOUR, "delivered")
        store, loop = server.store.tracking, asyncio.get_running_loop()
        put_back = store.put_back

        async def retracted() -> None:
            await told(a, "sorry", breached + HOUR, "information", retracts=("wrong",))

        def between(watched: Sequence[Watched]) -> list[bool]:
            if any(each.cleared for row in watched for each in row.told):
                if stops:
                    raise KeyboardInterrupt
                monkeypatch.setattr(store, "put_back", put_back)
                asyncio.run_coroutine_threadsafe(retracted(), loop).result()
            return put_back(watched)

        with monkeypatch.context() as patched, contextlib.suppress(KeyboardInterrupt):
            patched.setattr(store, "put_back", between)
            await a.timekeeper.run_until(breached + HOUR)
        assert CLEARED in topics(server)
        if stops:
            await retracted()
        await b.timekeeper.run_until(breached + 10 * HOUR)
        assert REOPENED in topics(server)
        assert state(server) == "escalated"

    play(feed, test)


def test_a_shipment_that_another_server_looked_after_is_not_looked_at_ahead_of_the_clock(
    feed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(server: Running, a: Detecting, b: Detecting) -> None:
        at_risk = await stalled(a, "P1") - 12 * HOUR
        loop, store = asyncio.get_running_loop(), a.timekeeper._store
        faster: list[int] = []

        class Slow:
            def __getattr__(self, name: str) -> Any:
                return getattr(store, name)

            def due(self, before: int, limit: int) -> list[Key]:
                found = store.due(before, limit)
                if found and not faster:
                    other = b.timekeeper.run_until(at_risk)
                    faster.append(asyncio.run_coroutine_threadsafe(other, loop).result())
                return found

        monkeypatch.setattr(a.timekeeper, "_store", Slow())
        assert await a.timekeeper.run_until(at_risk) == 0
        assert faster == [1]
        assert topics(server) == [DETECTED]
        assert parcel(server).looked == at_risk

    play(feed, test)


def test_a_shipment_that_a_clock_ahead_of_the_present_looked_at_is_looked_at_as_of_now(
    tmp_path: Path,
) -> None:
    """The clock was wrong by half a day for a while; a restart put it right."""

    async def test(server: Running, a: Detecting, b: Detecting) -> None:
        now, store = Clock().micros(), server.store.tracking
        await a.tracking.register(TENANT, [Shipment(order_id="O-1", shipment_code="P1")])
        await told(a, "first", now - 37 * HOUR, "departed")
        await a.timekeeper.run_until(Clock().micros())
        while not store.put_back([replace(parcel(server), looked=now + 13 * HOUR)])[0]:
            await asyncio.sleep(0.1)
        await told(a, "next", now - 2 * HOUR, "arrived")
        await a.timekeeper.run_until(Clock().micros())
        assert topics(server) == [DETECTED, CLEARED, WITHDRAWN]
        assert parcel(server).looked <= Clock().micros()

    play(Settings(address="127.0.0.1:0", data=tmp_path / "data"), test)
