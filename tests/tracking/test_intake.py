"""The intake in front of the tracking store: real stores, real keys, one event loop a test."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace

from esm import catalog
from esm.errors import DomainError, InvalidCommand, QueueFull, RecordNotFound
from esm.times import instant
from server.clock import Clock
from server.personal import Personal
from server.storage.keys_postgres import PostgresKeyStore
from server.storage.keys_sqlite import SqliteKeyStore
from server.tracking import intake
from server.tracking.inputs import CarrierNumber, Shipment, TrackingCheckpoint
from server.tracking.intake import Tracking
from server.tracking.postgres import PostgresTrackingStore
from server.tracking.sqlite import SqliteTrackingStore
from server.tracking.store import Key, Recorded, Settle, TrackingUnavailable, Watched
from tests.conformance.tracking_store import HOUR, START, counting

CATALOGUE = catalog.load()
SECRET = b"s" * 32
CANARY = "张三-canary"
NOON = START + 12 * HOUR

T = TypeVar("T")
Story = Callable[[Tracking], Awaitable[Any]]


@pytest.fixture(params=["sqlite", "postgres"])
def stores(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[SqliteTrackingStore | PostgresTrackingStore, Personal]]:
    """A tracking store and the keys of persons of one engine."""
    if request.param == "sqlite":
        store: SqliteTrackingStore | PostgresTrackingStore
        keys: SqliteKeyStore | PostgresKeyStore
        store = SqliteTrackingStore(tmp_path / "tracking.db")
        keys = SqliteKeyStore(tmp_path / "keys.db")
    else:
        dsn = request.getfixturevalue("postgres_dsn")
        schema = request.getfixturevalue("postgres_schema")
        store = PostgresTrackingStore(dsn, schema)
        keys = PostgresKeyStore(dsn, schema)
    yield store, Personal(keys)
    store.close()
    keys.close()


@asynccontextmanager
async def taking_in(
    stores: tuple[Any, Personal],
    *,
    settle: Settle = counting,
    wall: bool = True,
    wake: Callable[[], None] = lambda: None,
    writers: int = 1,
) -> Any:
    tracking = Tracking(
        store=stores[0],
        catalogue=CATALOGUE,
        personal=stores[1],
        secret=SECRET,
        clock=Clock(),
        now=lambda: NOON,
        wall=wall,
        settle=settle,
        wake=wake,
        loop=asyncio.get_running_loop(),
        writers=writers,
    )
    yield tracking
    await tracking.close()


def told(stores: tuple[Any, Personal], story: Story, **how: Any) -> Any:
    """What a story answers that is told to a new intake."""

    async def run() -> Any:
        async with taking_in(stores, **how) as tracking:
            return await story(tracking)

    return asyncio.run(run())


def shipment(code: str = "P-1", number: str = "YT1", order_id: str = "O-1") -> Shipment:
    numbers = (CarrierNumber(number=number, carrier="yuantong"),)
    return Shipment(order_id=order_id, shipment_code=code, numbers=numbers)


def fact(source_id: str, hour: int = 1, **more: Any) -> TrackingCheckpoint:
    values = {"number": "YT1", "raw_text": CANARY, **more}
    at = f"2026-01-01T{hour:02d}:00:00.000000Z"
    return TrackingCheckpoint(feed="mine", source_id=source_id, occurred_at=at, **values)


def test_every_item_of_a_batch_stands_for_itself(stores: Any) -> None:
    async def story(tracking: Tracking) -> Any:
        registered = await tracking.register(
            "t", [shipment(), Shipment(), shipment("P-1", order_id="O-2")]
        )
        facts = [fact("1"), fact("2", number=""), fact("1"), fact("3", number="YT9")]
        return registered, await tracking.record("t", facts)

    registered, recorded = told(stores, story)
    assert registered[0] == "registered"
    assert [type(each) for each in registered[1:]] == [InvalidCommand] * 2
    assert registered[2].violations[0].field == "order_id"
    assert (recorded[0], recorded[2]) == (Recorded("new", "P-1"), Recorded("known", "P-1"))
    assert isinstance(recorded[1], InvalidCommand)
    assert recorded[3] == Recorded("unmatched", "")


def test_a_shipment_is_shown_with_its_words_in_clear(stores: Any) -> None:
    async def story(tracking: Tracking) -> Any:
        await tracking.register("t", [shipment()])
        said = fact("1", 2, station="天河站", courier="李", signer="王", zone_assumed=True)
        await tracking.record("t", [said, fact("2", 1, raw_text="")])
        return await tracking.shipment("t", "P-1")

    shown = told(stores, story)
    assert shown.watched.looked == NOON
    first, second = shown.timeline
    assert (first.raw_text, first.detail.detail, first.detail.zoned) == ("", b"", True)
    assert second[1:] == (CANARY, "天河站", "李", "王")
    assert (second.detail.number, second.detail.zoned) == ("YT1", False)
    assert second.detail.checkpoint.occurred == START + 2 * HOUR


def test_a_shipment_that_is_not_watched_is_not_found(stores: Any) -> None:
    async def story(tracking: Tracking) -> Any:
        await tracking.register("u", [shipment()])
        return await tracking.shipment("t", "P-1")

    with pytest.raises(RecordNotFound):
        told(stores, story)


def test_the_key_of_an_order_is_there_as_soon_as_its_shipment_is(stores: Any) -> None:
    async def story(tracking: Tracking) -> Any:
        await tracking.register("t", [shipment(), shipment("P-2", "YT2", "O-2")])

    told(stores, story)
    assert stores[1].seal("t", "order/O-1", "x").key_id
    assert stores[1].seal("t", "order/O-2", "x").key_id


def test_erasing_the_persons_of_an_order_erases_the_words_of_its_checkpoints(stores: Any) -> None:
    async def story(tracking: Tracking) -> Any:
        await tracking.record("t", [fact("1")])
        await tracking.register("t", [shipment(), shipment("P-2", "YT2", "O-2")])
        await tracking.record("t", [fact("2"), fact("3", number="YT2")])
        persons = await tracking.persons("t", "O-1")
        for person in persons:
            stores[1].destroy("t", person)
        shown = await tracking.shipment("t", "P-1"), await tracking.shipment("t", "P-2")
        return persons, shown

    persons, (erased, other) = told(stores, story)
    assert persons == ["number/YT1", "order/O-1", "shipment/P-1"]
    assert [each.raw_text for each in erased.timeline] == ["[erased]"] * 2
    assert [each.raw_text for each in other.timeline] == [CANARY]


def test_no_word_of_a_person_stands_in_the_files(stores: Any, tmp_path: Path) -> None:
    async def story(tracking: Tracking) -> Any:
        await tracking.register("t", [shipment()])
        said = fact("1", station=CANARY, courier=CANARY, signer=CANARY)
        await tracking.record("t", [said, fact("2", number="YT9", courier=CANARY)])

    told(stores, story)
    files = [path.read_bytes() for path in tmp_path.glob("tracking.db*")]
    assert all(CANARY.encode() not in content for content in files)
    if files:
        assert any(b"YT9" in content for content in files)
    else:
        (row,) = stores[0].checkpoints(Key("t", "P-1"))
        assert CANARY.encode() not in row.detail
        assert CANARY not in repr(row.checkpoint)


def test_a_station_is_a_node_that_says_nothing_of_it_and_a_place_goes_before_it(
    stores: Any,
) -> None:
    async def story(tracking: Tracking) -> Any:
        await tracking.register("t", [shipment()])
        await tracking.record(
            "t",
            [
                fact("1", 1, station="a"),
                fact("2", 2, station="a"),
                fact("3", 3, station="b"),
                fact("4", 4, station="a", place="Lyon"),
                fact("5", 5),
            ],
        )
        return [each.node for each in (await tracking.shipment("t", "P-1")).watched.timeline]

    first, same, other, place, none = told(stores, story)
    assert first == same != other
    assert first.startswith("#")
    assert (place, none) == ("Lyon", "")
    assert told(stores, story) == [first, same, other, place, none]


@pytest.mark.parametrize(("wall", "flagged"), [(True, [False, True]), (False, [False, False])])
def test_a_time_far_ahead_of_a_wall_clock_is_kept_and_flagged(
    stores: Any, wall: bool, flagged: list[bool]
) -> None:
    async def story(tracking: Tracking) -> Any:
        await tracking.register("t", [shipment()])
        just = replace(fact("1"), occurred_at="2026-01-01T12:05:00.000000Z")
        far = replace(fact("2"), occurred_at="2026-01-01T12:05:00.000001Z")
        await tracking.record("t", [just, far])
        return [each.future for each in (await tracking.shipment("t", "P-1")).watched.timeline]

    assert told(stores, story, wall=wall) == flagged


def test_local_time_that_was_taken_for_another_zones_is_no_time_ahead(stores: Any) -> None:
    """The clock says noon in UTC; the carrier, in China, told what it scanned a minute ago."""

    async def story(tracking: Tracking) -> Any:
        await tracking.register("t", [shipment()])
        scans = [
            replace(fact(str(n)), occurred_at=at, zone_assumed=assumed)
            for n, (at, assumed) in enumerate(
                [
                    ("2026-01-01T19:59:00.000000Z", True),
                    ("2026-01-02T02:00:00.000000Z", True),
                    ("2026-01-02T02:00:00.000001Z", True),
                    ("2026-01-01T19:59:00.000000Z", False),
                    ("2026-01-01T11:00:00.000000Z", True),
                ]
            )
        ]
        await tracking.record("t", scans)
        timeline = (await tracking.shipment("t", "P-1")).watched.timeline
        found = {each.source_id: (instant(each.occurred), each.future) for each in timeline}
        return [found[source_id] for source_id in sorted(found)]

    noon = "2026-01-01T12:00:00.000000Z"
    assert told(stores, story, wall=True) == [
        (noon, False),
        (noon, False),
        ("2026-01-02T02:00:00.000001Z", True),
        ("2026-01-01T19:59:00.000000Z", True),
        ("2026-01-01T11:00:00.000000Z", False),
    ]


def test_the_catalogue_says_what_a_raw_code_means_and_unknown_ones_are_counted_once(
    stores: Any,
) -> None:
    known = next(code for code, raw in CATALOGUE.sources["aftership"].codes.items() if raw.opens)

    async def story(tracking: Tracking) -> Any:
        await tracking.register("t", [shipment()])
        facts = [
            replace(fact("1", 1), feed="aftership", raw_code=known),
            replace(fact("2", 2), feed="aftership", raw_code="never_seen"),
            replace(fact("3", 3), feed="nobody", raw_code="x"),
            fact("4", 4, status="delivered"),
        ]
        await tracking.record("t", facts)
        await tracking.record("t", facts)
        watched = (await tracking.shipment("t", "P-1")).watched
        return watched.timeline, dict(tracking.unknown_codes)

    timeline, counted = told(stores, story)
    assert timeline[0].opens == CATALOGUE.sources["aftership"].codes[known].case_code
    assert timeline[3].status == "delivered"
    assert counted == {"aftership": 1, "": 1}


def test_who_waits_is_woken_when_something_became_due(stores: Any) -> None:
    dues = {"P-1": NOON, "P-2": NOON + 1, "P-3": 0}
    woken: list[str] = []

    def settle(watched: Watched) -> Watched:
        return replace(watched, due=dues[watched.shipment.shipment_code])

    async def story(tracking: Tracking) -> Any:
        for code in dues:
            before = len(woken)
            await tracking.register("t", [shipment(code, f"N-{code}")])
            await asyncio.sleep(0.01)
            assert len(woken) - before == (1 if code == "P-1" else 0)
        await tracking.record("t", [fact("1", number="N-P-2")])
        await tracking.record("t", [fact("2", number="N-P-1")])
        await tracking.record("t", [fact("2", number="N-P-1")])

    told(stores, story, settle=settle, wake=lambda: woken.append("woken"))
    assert len(woken) == 2  # what is known already changes nothing


def test_more_than_may_wait_is_refused_and_the_rest_is_stored(
    stores: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "QUEUE_ITEMS_MAX", 3)
    held = Event()

    def settle(watched: Watched) -> Watched:
        held.wait(10)
        return counting(watched)

    async def story(tracking: Tracking) -> Any:
        register = asyncio.create_task(tracking.register("t", [shipment()]))
        await asyncio.sleep(0.05)
        first = asyncio.create_task(tracking.record("t", [fact("1"), fact("2")]))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await tracking.record("t", [fact("3"), fact("4")])
        held.set()
        return await register, await first, await tracking.record("t", [fact("3"), fact("4")])

    registered, *recorded = told(stores, story, settle=settle)
    assert registered == ["registered"]
    assert [r.outcome for answer in recorded for r in answer] == ["new"] * 4


def test_a_batch_that_cannot_be_settled_fails_alone(stores: Any) -> None:
    held = Event()

    def settle(watched: Watched) -> Watched:
        if watched.shipment.shipment_code == "P-0":
            held.wait(10)
        if watched.shipment.shipment_code == "P-1" and watched.timeline:
            raise LookupError("planted")
        return counting(watched)

    async def story(tracking: Tracking) -> Any:
        await tracking.register("t", [shipment(), shipment("P-2", "YT2")])
        blocked = asyncio.create_task(tracking.register("t", [shipment("P-0", "YT0")]))
        await asyncio.sleep(0.05)
        batches = [[fact("1")], [fact("2", number="YT2")], [fact("3"), fact("4", number="YT2")]]
        tasks = [asyncio.create_task(tracking.record("t", each)) for each in batches]
        await asyncio.sleep(0)
        held.set()
        await blocked
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = told(stores, story, settle=settle)
    assert isinstance(first, LookupError)
    assert isinstance(third, LookupError)
    assert second == [Recorded("new", "P-2")]
    (whole,) = stores[0].load([Key("t", "P-2")])
    assert len(whole.timeline) == 1


def test_batches_that_wait_are_one_transaction(
    stores: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    record_many = stores[0].record_many

    def watched(batches: Any, *rest: Any) -> Any:
        sizes.append(len(batches))
        return record_many(batches, *rest)

    monkeypatch.setattr(stores[0], "record_many", watched)

    async def story(tracking: Tracking) -> Any:
        await tracking.register("t", [shipment()])
        await asyncio.gather(*(tracking.record("t", [fact(str(i))]) for i in range(20)))
        return await tracking.shipment("t", "P-1")

    assert len(told(stores, story).timeline) == 20
    assert sum(sizes) == 20
    assert max(sizes) > 1


def test_a_caller_that_is_gone_stops_no_commit(stores: Any) -> None:
    async def story(tracking: Tracking) -> Any:
        await tracking.register("t", [shipment()])
        task = asyncio.create_task(tracking.record("t", [fact("1")]))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return await tracking.record("t", [fact("1")])

    assert told(stores, story) == [Recorded("known", "P-1")]


def test_a_store_that_is_away_is_unavailable_and_takes_nothing_in(
    stores: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "tracking.db"

    async def story(tracking: Tracking) -> Any:
        await tracking.register("t", [shipment()])
        held = sqlite3.connect(path, isolation_level=None)
        held.execute("BEGIN IMMEDIATE")
        with pytest.raises(TrackingUnavailable):
            await asyncio.gather(*(tracking.record("t", [fact(str(i))]) for i in range(3)))
        held.close()
        return await tracking.record("t", [fact("0")])

    monkeypatch.setattr("server.tracking.sqlite.BUSY_SECONDS", 0)
    store = SqliteTrackingStore(path)
    assert told((store, stores[1]), story) == [Recorded("new", "P-1")]
    store.close()


def test_refusals_are_refusals_of_the_domain(stores: Any) -> None:
    async def story(tracking: Tracking) -> Any:
        await tracking.register("t", [shipment()])
        facts = [fact(str(i), raw_text="") for i in range(501)]
        return await tracking.record("t", facts)

    *stored, over = told(stores, story)
    assert {each.outcome for each in stored} == {"new"}
    assert isinstance(over, DomainError)


def test_messages_that_two_threads_write_are_stored_once_and_whole(stores: Any) -> None:
    async def story(tracking: Tracking) -> Any:
        numbers = [f"YT{n}" for n in range(20)]
        await tracking.register("t", [shipment(f"P-{n}", each) for n, each in enumerate(numbers)])
        messages = [
            [fact(f"{hour}-{each}", hour, number=each) for each in numbers] for hour in range(1, 9)
        ]
        answers = await asyncio.gather(*(tracking.record("t", m) for m in [*messages, *messages]))
        return answers, [await tracking.shipment("t", f"P-{n}") for n in range(20)]

    answers, shown = told(stores, story, writers=2)
    counted = Counter(each.outcome for answer in answers for each in answer)
    assert counted == {"new": 160, "known": 160}
    for each in shown:
        assert len(each.timeline) == 8
        assert not any(one.detail.checkpoint.late for one in each.timeline)


def test_what_comes_in_right_after_a_group_was_written_is_written_too(stores: Any) -> None:
    async def story(tracking: Tracking) -> Any:
        await tracking.register("t", [shipment()])
        found = []
        for hour in range(1, 20):
            found += await asyncio.wait_for(tracking.record("t", [fact(str(hour), hour)]), 10)
        return found

    assert [each.outcome for each in told(stores, story, writers=2)] == ["new"] * 19


def test_what_waits_when_the_intake_closes_is_stored_and_later_items_are_refused(
    stores: Any,
) -> None:
    async def story(tracking: Tracking) -> Any:
        waiting = asyncio.create_task(tracking.register("t", [shipment()]))
        await asyncio.sleep(0)
        await tracking.close()
        with pytest.raises(TrackingUnavailable):
            await tracking.record("t", [fact("1")])
        return await waiting

    assert told(stores, story) == ["registered"]
