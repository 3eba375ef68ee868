"""The two clocks of a store: the wall's, and one that only AdvanceClock moves."""

import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from esm import commands as c
from esm.clock.state import BEGINNING
from esm.errors import ClockBackwards, NotAFeedClock
from esm.times import instant, micros
from server.administration import Administration
from server.app import Running
from server.client import ClientError, connect
from server.settings import Settings
from tests.esm import given as g
from tests.scenarios.engines import fresh
from tests.server import writing as w
from tests.serving import postgres_settings, serving

__all__ = ["fresh"]

MAY = "2018-05-01T00:00:00.000000Z"
JUNE = "2018-06-01T00:00:00.000000Z"
ADVANCED = "clock.advanced.v1"
SECONDS_MAX = 20
REPORT = {
    "subject": {"order_id": "O1", "shipment_code": "S1"},
    "code": "LOST",
    "signal": {"kind": "person"},
    "none_yet_looked_at": MAY,
}


@pytest.fixture
def feed(fresh: Settings) -> Settings:
    """Settings of a fresh store that follows a feed, on each engine."""
    return dataclasses.replace(fresh, clock="feed")


def report(code: str) -> c.Detect:
    """A person's report that names no time."""
    return g.detection(code, none_yet_looked_at=BEGINNING)


class Fired:
    """A timekeeper that notes until when it was run, and what the log held then."""

    def __init__(self, server: Running) -> None:
        self.moments: list[tuple[str, list[str]]] = []
        self._server = server

    async def run_until(self, moment: int) -> int:
        topics = [row.topic for row in w.rows(self._server)]
        self.moments.append((instant(moment), topics))
        await self._server.writer.handle(report("LOST"), w.call())
        return 1

    def latency_seconds(self, percent: int) -> float:
        return percent / 100


def administration(server: Running, timekeeper: Fired) -> Administration:
    store, feed = server.store, server.store.feed
    assert feed is not None
    return Administration(
        store,
        "digest",
        ThreadPoolExecutor(1),
        writer=server.writer,
        clock=feed,
        timekeeper=timekeeper,
        counts=lambda now: (7, 3 if now == micros(MAY) else 0),
        unknown_codes={},
        messages=dict,
    )


def test_what_names_no_time_occurs_where_the_feeds_clock_stands(feed: Settings) -> None:
    async def test(server: Running) -> None:
        admin = administration(server, Fired(server))
        await server.writer.handle(report("DAMAGED"), w.call())
        await admin.advance_clock(c.AdvanceClock(to=MAY), w.call())
        await server.writer.handle_batch([(report("WRONG_ITEM"), w.call())])
        occurred = {row.topic: instant(row.occurred) for row in w.rows(server)}
        opened = ("exception.detected.v1", "exception.source_joined.v1")
        times = [instant(row.occurred) for row in w.rows(server) if row.topic in opened]
        assert times == [BEGINNING, MAY, MAY]
        assert occurred[ADVANCED] == MAY
        assert all(row.recorded > micros("2020-01-01T00:00:00.000000Z") for row in w.rows(server))

    w.run(feed, test)


def test_all_that_is_due_is_sent_before_the_advance_returns(feed: Settings) -> None:
    async def test(server: Running) -> None:
        timekeeper = Fired(server)
        admin = administration(server, timekeeper)
        answer = await admin.advance_clock(c.AdvanceClock(to=MAY), w.call())
        ((moment, topics),) = timekeeper.moments
        assert (moment, topics[-1]) == (MAY, ADVANCED)
        assert (answer.clock, answer.fired) == (MAY, 1)
        assert answer.position == server.store.application.events_log.max_position()
        status = await admin.status("t1")
        assert (status.clock, status.clock_time) == ("feed", MAY)
        assert (status.watched, status.due_now) == (7, 3)
        latencies = status.detection_latency_p50_seconds, status.detection_latency_p99_seconds
        assert latencies == (0.5, 0.99)

    w.run(feed, test)


def test_where_it_stands_already_only_does_what_is_left(feed: Settings) -> None:
    async def test(server: Running) -> None:
        timekeeper = Fired(server)
        admin = administration(server, timekeeper)
        for _ in range(2):
            answer = await admin.advance_clock(c.AdvanceClock(to=MAY), w.call())
        assert (answer.clock, answer.fired) == (MAY, 1)
        assert [moment for moment, _ in timekeeper.moments] == [MAY, MAY]
        assert [row.topic for row in w.rows(server)].count(ADVANCED) == 1

    w.run(feed, test)


def test_it_goes_forward_only_for_every_tenant(feed: Settings) -> None:
    async def test(server: Running) -> None:
        admin = administration(server, Fired(server))
        await admin.advance_clock(c.AdvanceClock(to=JUNE), w.call())
        with pytest.raises(ClockBackwards, match="2018-06-01"):
            await admin.advance_clock(c.AdvanceClock(to=MAY), w.call(tenant="t2"))
        assert (await admin.status("t1")).clock_time == JUNE

    w.run(feed, test)


def test_a_preview_moves_nothing(feed: Settings) -> None:
    async def test(server: Running) -> None:
        timekeeper = Fired(server)
        admin = administration(server, timekeeper)
        call = w.call(validate_only=True)
        answer = await admin.advance_clock(c.AdvanceClock(to=MAY), call)
        assert [event.TOPIC for _, _, event in answer.events] == [ADVANCED]
        assert (w.rows(server), timekeeper.moments) == ([], [])
        assert (await admin.status("t1")).clock_time == BEGINNING

    w.run(feed, test)


def test_a_wall_clock_is_not_advanced(fresh: Settings) -> None:
    async def test(server: Running) -> None:
        with pytest.raises(NotAFeedClock):
            await server.writer.handle(c.AdvanceClock(to=MAY), w.call())
        assert server.store.feed is None

    w.run(fresh, test)


def test_the_clock_stands_where_it_stood_after_a_restart(feed: Settings) -> None:
    for to in (MAY, JUNE):
        with serving(feed) as server, connect(server.address) as client:
            assert client.call("AdvanceClock", {"to": to})["clock"] == to[:19] + "Z"
    with serving(feed) as server, connect(server.address) as client:
        assert client.call("GetStatus")["clock_time"] == JUNE[:19] + "Z"


def test_over_grpc_the_refusals_say_what_is_wrong(feed: Settings) -> None:
    with serving(feed) as server, connect(server.address) as client:
        answer = client.call("AdvanceClock", {"to": JUNE, "request_id": "to-june"})
        assert answer["position"]
        for request, code, reason in (
            ({"to": MAY}, "FAILED_PRECONDITION", "CLOCK_BACKWARDS"),
            ({"to": MAY, "request_id": "to-june"}, "INVALID_ARGUMENT", "REQUEST_ID_REUSED"),
            ({}, "INVALID_ARGUMENT", "INVALID_COMMAND"),
            ({"to": "2999-01-01T00:00:00Z"}, "INVALID_ARGUMENT", "INVALID_COMMAND"),
        ):
            with pytest.raises(ClientError) as refused:
                client.call("AdvanceClock", request)
            assert (refused.value.code, refused.value.reason) == (code, reason)
        preview = client.call("AdvanceClock", {"to": "2018-07-01T00:00:00Z", "validate_only": True})
        assert [event["topic"] for event in preview["preview"]["events"]] == [ADVANCED]


@pytest.mark.parametrize("to", [JUNE, "2150-06-01T00:00:00Z"])
def test_a_wall_store_refuses_over_grpc(fresh: Settings, to: str) -> None:
    with serving(fresh) as server, connect(server.address) as client:
        with pytest.raises(ClientError) as refused:
            client.call("AdvanceClock", {"to": to})
        assert refused.value.code == "FAILED_PRECONDITION"
        assert refused.value.reason == "NOT_A_FEED_CLOCK"


def test_the_timers_of_another_server_see_an_advance_by_themselves(
    postgres_dsn: str, postgres_schema: str
) -> None:
    settings = postgres_settings(postgres_dsn, postgres_schema, clock="feed")
    with serving(settings) as one, serving(settings) as other, connect(one.address) as here:
        here.call("AdvanceClock", {"to": MAY})
        assert other.store.feed is not None
        until = time.monotonic() + SECONDS_MAX
        while other.store.feed.micros() != micros(MAY) and time.monotonic() < until:
            time.sleep(0.05)
        assert other.store.feed.micros() == micros(MAY)


def test_another_server_sees_an_advance_with_its_next_command(
    postgres_dsn: str, postgres_schema: str
) -> None:
    settings = postgres_settings(postgres_dsn, postgres_schema, clock="feed")
    with (
        serving(settings) as one,
        serving(settings) as other,
        connect(one.address) as here,
        connect(other.address) as there,
    ):
        here.call("AdvanceClock", {"to": MAY})
        assert there.call("GetStatus")["clock_time"] == MAY[:19] + "Z"
        here.call("AdvanceClock", {"to": JUNE})
        there.call("DetectException", REPORT)
        events = list(there.pages("ListEvents", {"page_size": 500}, "events"))
        detected = [e for e in events if e["topic"] == "exception.detected.v1"]
        assert [event["occurred"] for event in detected] == [JUNE[:19] + "Z"]
        with pytest.raises(ClientError, match="stands at 2018-06-01"):
            there.call("AdvanceClock", {"to": MAY})
