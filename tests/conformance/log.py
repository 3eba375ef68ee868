"""What every event log must do, whatever engine it stands on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from threading import Event, Thread
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import IntegrityError, PersistenceError

from server.storage.log import EventLog
from server.storage.records import (
    EVENTS_PER_SUBMISSION_MAX,
    LogConflict,
    LogFilter,
    LoggedEvent,
    LogRow,
    RequestRecord,
    SourceRecord,
    Submission,
)

WRITERS = 4
GROUPS_PER_WRITER = 25
COMMANDS_PER_GROUP = 3


def event(
    aggregate_id: UUID,
    version: int = 1,
    *,
    topic: str = "exception.noted.v1",
    tenant: str = "t1",
    order_id: str = "",
    occurred: int = 0,
    recorded: int = 0,
    actor: str = "",
    request_id: str = "",
) -> LoggedEvent:
    return LoggedEvent(
        aggregate_id,
        version,
        topic,
        b'{"text":"x"}',
        tenant,
        order_id,
        occurred,
        recorded,
        actor,
        request_id=request_id,
    )


def command(
    *events: LoggedEvent,
    request_id: str = "",
    tenant: str = "t1",
    sources: Sequence[SourceRecord] = (),
) -> Submission:
    request = RequestRecord(tenant, request_id or uuid4().hex, b"print", b'{"answer":1}')
    return Submission(events, request, sources)


class LogConformance:
    """Subclasses give the fixtures `log` and `open_log` (opens the same store once more)."""

    def test_an_empty_log_has_no_position_and_no_version(self, log: EventLog) -> None:
        assert log.max_position() == 0
        assert log.max_version(uuid4()) == 0
        assert log.select_log(0, 10) == []
        assert log.insert_group([]) == []

    def test_a_group_answers_the_position_of_the_last_event_of_each_command(
        self, log: EventLog
    ) -> None:
        a, b = uuid4(), uuid4()
        positions = log.insert_group([command(event(a), event(a, 2)), command(event(b))])
        rows = [LogRow(*row) for row in log.select_log(0, 10)]
        assert [(row.aggregate_id, row.version) for row in rows] == [(a, 1), (a, 2), (b, 1)]
        assert positions == [rows[1].position, rows[2].position]
        assert log.max_position() == positions[-1]
        assert log.max_version(a) == 2

    def test_a_command_that_changed_nothing_stands_where_the_log_stood(self, log: EventLog) -> None:
        first = command(request_id="nothing-in-an-empty-log")
        assert log.insert_group([first]) == [0]
        (before,) = log.insert_group([command(event(uuid4()))])
        quiet = [command(request_id="q1"), command(event(uuid4())), command(request_id="q2")]
        at_first, written, at_last = log.insert_group(quiet)
        assert (at_first, at_last) == (before, written)
        found = log.find_requests("t1", ["q1", "q2", "nothing-in-an-empty-log"])
        assert found["q1"].position == before
        assert found["q2"].position == written
        assert found["nothing-in-an-empty-log"].position == 0

    def test_every_column_of_the_envelope_comes_back_as_it_was_written(self, log: EventLog) -> None:
        aggregate_id = uuid4()
        payload = '{"note":"a \\"quote\\", a \\\\, 中文, {braces}"}'.encode()
        written = LoggedEvent(
            aggregate_id, 7, "order.recorded.v1", payload, "tenant,{}", 'O-"1"\\', 11, 12,
            "user:'x'", "verified", "corr NULL", "cause\n", "request 中",
        )  # fmt: skip
        (position,) = log.insert_group([command(written)])
        assert log.select_log(0, 1) == [
            (
                *(position, "tenant,{}", aggregate_id, 7, "order.recorded.v1", 11, 12, "user:'x'"),
                *("verified", "corr NULL", "cause\n", "request 中", 'O-"1"\\', payload),
            )
        ]
        (row,) = log.select_aggregate(aggregate_id)
        assert LogRow(*row).payload == payload
        assert type(row[2]) is UUID
        assert type(row[13]) is bytes

    @pytest.mark.parametrize("payload", [b"\xff\x00\xfe", b"a\x00b", b"", b'"\\u0000"', b"plain"])
    def test_a_payload_that_is_no_json_comes_back_too(self, log: EventLog, payload: bytes) -> None:
        a = uuid4()
        log.insert_group([command(LoggedEvent(a, 1, "x.v1", payload))])
        assert [row[13] for row in log.select_log(0, 9)] == [payload]
        assert [row[13] for row in log.select_aggregate(a)] == [payload]
        assert [row[2] for row in log.select_aggregates([a])] == [a]

    @pytest.mark.parametrize("what", ["version", "request", "source"])
    def test_a_taken_key_refuses_the_whole_group(self, log: EventLog, what: str) -> None:
        a, b = uuid4(), uuid4()
        source = SourceRecord("t1", "carrier-x", "s-1", a)
        log.insert_group([command(event(a), request_id="r-1", sources=[source])])
        before = log.max_position()
        bad = {
            "version": command(event(a), request_id="r-3"),
            "request": command(event(a, 2), request_id="r-1"),
            "source": command(event(a, 2), request_id="r-3", sources=[source]),
        }[what]
        good = command(event(b), request_id="r-2")
        with pytest.raises(LogConflict) as refused:
            log.insert_group([good, bad])
        assert refused.value.what == what
        assert isinstance(refused.value, IntegrityError)
        assert log.max_position() == before
        assert log.max_version(b) == 0
        assert log.find_requests("t1", ["r-2", "r-3"]) == {}
        # The log still takes what is good, and at a higher position than anything before.
        assert log.insert_group([good])[0] > before

    def test_a_duplicate_within_a_group_refuses_it(self, log: EventLog) -> None:
        a = uuid4()
        with pytest.raises(LogConflict):
            log.insert_group([command(event(a)), command(event(a))])
        with pytest.raises(LogConflict):
            log.insert_group([command(request_id="same"), command(request_id="same")])
        assert log.max_position() == 0

    def test_a_request_gives_its_fingerprint_answer_and_position(self, log: EventLog) -> None:
        (position,) = log.insert_group([command(event(uuid4()), request_id="r-1")])
        assert log.find_requests("t1", ["r-1", "r-unknown"]) == {
            "r-1": (b"print", b'{"answer":1}', position)
        }
        assert log.find_requests("t1", []) == {}

    def test_many_requests_and_sources_are_found_at_once(self, log: EventLog) -> None:
        a = uuid4()
        keys = [("feed", f"s{number}") for number in range(1_200)]
        sources = [SourceRecord("t1", source, key, a) for source, key in keys]
        log.insert_group([command(event(a), sources=sources)])
        log.insert_group([command(request_id=f"r{number}") for number in range(1_200)])
        assert log.find_sources("t1", keys) == dict.fromkeys(keys, a)
        assert len(log.find_requests("t1", [f"r{number}" for number in range(2_000)])) == 1_200

    def test_tenants_share_neither_requests_nor_sources_nor_events(self, log: EventLog) -> None:
        a, b = uuid4(), uuid4()
        for tenant, key in (("t1", a), ("t2", b)):
            source = SourceRecord(tenant, "feed", "s-1", key)
            log.insert_group(
                [
                    command(
                        event(key, tenant=tenant), request_id="r", tenant=tenant, sources=[source]
                    )
                ]
            )
        assert log.find_sources("t1", [("feed", "s-1")]) == {("feed", "s-1"): a}
        assert log.find_sources("t2", [("feed", "s-1")]) == {("feed", "s-1"): b}
        assert log.find_sources("t3", [("feed", "s-1")]) == {}
        assert log.find_requests("t3", ["r"]) == {}
        assert [row[2] for row in log.select_log(0, 10, where=LogFilter(tenant="t2"))] == [b]

    def test_each_filter_lets_through_what_it_names(self, log: EventLog) -> None:
        a, b = uuid4(), uuid4()
        log.insert_group(
            [
                command(
                    event(a, 1, order_id="O-1", actor="ann", request_id="r-1", topic="x.made.v1"),
                    event(a, 2, order_id="O-1", actor="ann", request_id="r-1"),
                    request_id="r-1",
                ),
                command(
                    event(b, 1, order_id="O-2", actor="bob", request_id="r-2"), request_id="r-2"
                ),
                command(event(b, 2, tenant="t2", request_id="r-1"), request_id="r-1", tenant="t2"),
            ]
        )

        def found(where: LogFilter) -> list[tuple[UUID, int]]:
            return [(row[2], row[3]) for row in log.select_log(0, 10, where=where)]

        both = ["x.made.v1", "exception.noted.v1"]
        assert found(LogFilter(aggregate_id=a)) == [(a, 1), (a, 2)]
        assert found(LogFilter(order_id="O-2")) == [(b, 1)]
        assert found(LogFilter(order_id="")) == [(b, 2)]
        assert found(LogFilter(actor="ann", tenant="t1")) == [(a, 1), (a, 2)]
        assert found(LogFilter(topics=["x.made.v1"])) == [(a, 1)]
        assert found(LogFilter(topics=both, actor="ann")) == [(a, 1), (a, 2)]
        assert found(LogFilter(tenant="t1", request_id="r-1")) == [(a, 1), (a, 2)]
        assert found(LogFilter(tenant="t2", request_id="r-1")) == [(b, 2)]
        assert found(LogFilter(tenant="t2", request_id="r-2")) == []
        assert found(LogFilter(request_id="r-1")) == [(a, 1), (a, 2), (b, 2)]

    def test_reading_goes_on_after_a_position_and_ends_at_another(self, log: EventLog) -> None:
        a = uuid4()
        log.insert_group([command(*(event(a, version) for version in range(1, 11)))])
        positions = [row[0] for row in log.select_log(0, 100)]
        assert positions == sorted(set(positions))
        page = log.select_log(positions[2], 3, stop=positions[8])
        assert [row[0] for row in page] == positions[3:6]
        assert [row[0] for row in log.select_log(positions[6], 9, stop=positions[8])] == (
            positions[7:9]
        )

    def test_an_aggregate_is_read_from_one_version_to_another(self, log: EventLog) -> None:
        a, b = uuid4(), uuid4()
        log.insert_group([command(*(event(a, version) for version in range(1, 6)), event(b))])
        assert [row[3] for row in log.select_aggregate(a)] == [1, 2, 3, 4, 5]
        assert [row[3] for row in log.select_aggregate(a, gt=1, lte=3)] == [2, 3]
        both = log.select_aggregates([b, a, uuid4()])
        assert [(row[2], row[3]) for row in both] == [*((a, v) for v in range(1, 6)), (b, 1)]

    def test_a_submission_that_is_too_large_is_refused_before_it_is_written(
        self, log: EventLog
    ) -> None:
        a = uuid4()
        events = tuple(event(a, number) for number in range(EVENTS_PER_SUBMISSION_MAX + 1))
        with pytest.raises(ValueError, match="at most"):
            log.insert_group([Submission(events)])

    def test_four_writers_give_positions_that_strictly_rise_for_every_reader(
        self, log: EventLog, open_log: Callable[[], EventLog]
    ) -> None:
        logs = [open_log() for _ in range(WRITERS)]
        answers: list[list[int]] = [[] for _ in logs]
        errors: list[PersistenceError] = []

        def write(number: int) -> None:
            try:
                for _ in range(GROUPS_PER_WRITER):
                    group = [command(event(uuid4())) for _ in range(COMMANDS_PER_GROUP)]
                    answers[number] += logs[number].insert_group(group)
            except PersistenceError as error:
                errors.append(error)

        threads = [Thread(target=write, args=(number,)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        seen: list[int] = []
        # A reader that goes on after the last position it saw must miss nothing.
        while any(thread.is_alive() for thread in threads):
            seen += [row[0] for row in log.select_log(seen[-1] if seen else 0, 7)]
        for thread in threads:
            thread.join()
        while rows := log.select_log(seen[-1] if seen else 0, 500):
            seen += [row[0] for row in rows]
        assert errors == []
        assert all(list(each) == sorted(set(each)) for each in answers)
        assert seen == sorted(itertools.chain.from_iterable(answers))
        assert len(seen) == WRITERS * GROUPS_PER_WRITER * COMMANDS_PER_GROUP

    def test_a_watcher_is_woken_by_a_group(self, log: EventLog) -> None:
        woken = Event()
        with log.watch(woken):
            log.insert_group([command(event(uuid4()))])
            assert woken.wait(5)

    def test_facts_about_the_store_are_written_once(
        self, log: EventLog, open_log: Callable[[], EventLog]
    ) -> None:
        first = log.ensure_meta({"store_id": "one", "clock": "wall"})
        assert (first["store_id"], first["clock"], first["schema_version"]) == ("one", "wall", "1")
        second = open_log().ensure_meta({"store_id": "two", "clock": "feed", "created": "now"})
        assert second == {**first, "created": "now"}

    def test_durability_is_complete_as_the_tests_run_it(self, log: EventLog) -> None:
        assert log.durability() == []
