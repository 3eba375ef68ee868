"""The timekeeper says everything once, whatever stops in between, and nothing holds it up."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from esm.errors import NotCaughtUp, QueueFull
from server.app import Running
from server.clock import Clock
from server.settings import Settings
from server.tracking.detecting import Detecting, detecting
from server.tracking.inputs import Shipment, TrackingCheckpoint
from server.tracking.store import OPENED, Key, Recorded, Watched
from tests.esm.story import CATALOGUE
from tests.server.writing import rows, run

TENANT = "t1"
HOUR = 3_600_000_000
DETECTED, JOINED, ESCALATED = (
    "exception.detected.v1",
    "exception.source_joined.v1",
    "exception.escalated.v1",
)
STALL = [DETECTED, JOINED, ESCALATED]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A store of its own that follows a feed's clock, so that nothing is due by itself."""
    return Settings(address="127.0.0.1:0", data=tmp_path / "data", clock="feed")


@contextlib.asynccontextmanager
async def watching(server: Running) -> AsyncIterator[Detecting]:
    """Another tracking on the server's store, of which only the test turns the hands."""
    async with detecting(server.store, server.writer, CATALOGUE, Clock()) as parts:
        yield parts


async def stalled(parts: Detecting, *parcels: str) -> int:
    """Parcels that were scanned once; gives the moment at which their stall is breached."""
    scanned = "2026-03-02T00:00:00.000000Z"
    shipments = [Shipment(order_id=f"O-{p}", shipment_code=p) for p in parcels]
    scans = [
        TrackingCheckpoint(
            feed="wms", source_id=p, shipment_code=p, occurred_at=scanned, status="departed"
        )
        for p in parcels
    ]
    assert await parts.tracking.register(TENANT, shipments) == ["registered"] * len(parcels)
    taken = await parts.tracking.record(TENANT, scans)
    assert [each.outcome for each in taken if isinstance(each, Recorded)] == ["new"] * len(parcels)
    return 1_772_409_600_000_000 + 48 * HOUR


def topics(server: Running) -> list[str]:
    """What the log says of cases."""
    return [row.topic for row in rows(server) if row.topic.startswith("exception.")]


def play(settings: Settings, test: Callable[[Running, Detecting], Any]) -> None:
    """A test with a server and a tracking of its own."""

    async def main(server: Running) -> None:
        async with watching(server) as parts:
            await test(server, parts)

    run(settings, main)


def test_what_is_due_is_said_once(settings: Settings) -> None:
    async def test(server: Running, parts: Detecting) -> None:
        breached = await stalled(parts, "P1")
        assert await parts.timekeeper.run_until(breached - 13 * HOUR) == 0
        assert await parts.timekeeper.run_until(breached) == 2
        assert topics(server) == STALL
        assert await parts.timekeeper.run_until(breached) == 0

    play(settings, test)


def test_a_stop_between_the_events_and_the_row_says_nothing_twice(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(server: Running, parts: Detecting) -> None:
        breached = await stalled(parts, "P1", "P2")
        store = server.store.tracking
        put_back = store.put_back

        def stop(watched: list[Watched]) -> list[bool]:
            if any(told.outcome == OPENED for each in watched for told in each.told):
                raise KeyboardInterrupt
            return put_back(watched)

        with monkeypatch.context() as patched:
            patched.setattr(store, "put_back", stop)
            with contextlib.suppress(KeyboardInterrupt):
                await parts.timekeeper.run_until(breached)
        said = topics(server)
        assert said.count(DETECTED) == 2
        async with watching(server) as again:
            await again.timekeeper.run_until(breached)
        assert sorted(topics(server)) == sorted(2 * STALL)

    play(settings, test)


def test_a_late_scan_after_a_stop_clears_what_was_said_before_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(server: Running, parts: Detecting) -> None:
        breached = await stalled(parts, "P1")
        store = server.store.tracking
        put_back = store.put_back

        def stop(watched: list[Watched]) -> list[bool]:
            if any(told.outcome == OPENED for each in watched for told in each.told):
                raise KeyboardInterrupt
            return put_back(watched)

        with monkeypatch.context() as patched:
            patched.setattr(store, "put_back", stop)
            with contextlib.suppress(KeyboardInterrupt):
                await parts.timekeeper.run_until(breached - 12 * HOUR)
        assert topics(server) == [DETECTED]
        late = TrackingCheckpoint(
            feed="wms",
            source_id="late",
            shipment_code="P1",
            occurred_at="2026-03-03T06:00:00.000000Z",
            status="departed",
        )
        await parts.tracking.record(TENANT, [late])
        async with watching(server) as again:
            await again.timekeeper.run_until(breached - 12 * HOUR)
        assert topics(server)[1:] == ["exception.signal_cleared.v1", "exception.withdrawn.v1"]

    play(settings, test)


def test_two_timekeepers_at_once_say_nothing_twice(settings: Settings) -> None:
    async def test(server: Running, parts: Detecting) -> None:
        parcels = [f"P{i}" for i in range(40)]
        breached = await stalled(parts, *parcels)
        async with watching(server) as other:
            await asyncio.gather(
                parts.timekeeper.run_until(breached), other.timekeeper.run_until(breached)
            )
        assert sorted(topics(server)) == sorted(40 * STALL)

    play(settings, test)


def test_a_shipment_that_cannot_be_read_holds_up_no_other_and_is_named(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(server: Running, parts: Detecting) -> None:
        breached = await stalled(parts, "P1", "P2", "P3")
        with sqlite3.connect(settings.data / "tracking.db") as file:
            of_p2 = "tracking_shipments WHERE shipment_code = 'P2'"
            (body,) = file.execute(f"SELECT body FROM {of_p2}").fetchone()
            file.execute("UPDATE tracking_shipments SET body = '{' WHERE shipment_code = 'P2'")
        with pytest.raises(NotCaughtUp, match=r"1 of the shipments .* P2 among") as refused:
            await parts.timekeeper.run_until(breached)
        assert refused.value.metadata == {"shipments": "1", "sent": "4"}
        assert sorted(topics(server)) == sorted(2 * STALL)
        assert "shipment P2 could not be looked after" in caplog.text
        with sqlite3.connect(settings.data / "tracking.db") as file:
            mended = "UPDATE tracking_shipments SET body = ? WHERE shipment_code = 'P2'"
            file.execute(mended, (body,))
        assert await parts.timekeeper.run_until(breached) == 2
        assert sorted(topics(server)) == sorted(3 * STALL)

    play(settings, test)


def test_what_the_writer_cannot_take_now_stays_due(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(server: Running, parts: Detecting) -> None:
        breached = await stalled(parts, "P1")

        async def full(items: Any) -> list[QueueFull]:
            return [QueueFull("later") for _ in items]

        with monkeypatch.context() as patched:
            patched.setattr(server.writer, "handle_batch", full)
            with pytest.raises(QueueFull):
                await parts.timekeeper.run_until(breached)
        assert topics(server) == []
        await parts.timekeeper.run_until(breached)
        assert topics(server) == STALL

    play(settings, test)


def test_a_shipment_that_changed_meanwhile_is_looked_at_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(server: Running, parts: Detecting) -> None:
        breached = await stalled(parts, "P1")
        store = server.store.tracking
        put_back = store.put_back
        tries: list[int] = []

        def changed_meanwhile(watched: list[Watched]) -> list[bool]:
            if not tries:
                (now,) = store.load([Key(TENANT, "P1")])
                assert put_back([now]) == [True]
            tries.append(1)
            return put_back(watched)

        monkeypatch.setattr(store, "put_back", changed_meanwhile)
        await parts.timekeeper.run_until(breached)
        assert len(tries) > 2
        assert topics(server) == STALL

    play(settings, test)
