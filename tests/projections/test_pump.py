"""Batches, poison and leadership of pumps, on both engines."""

from collections.abc import Sequence
from threading import Barrier, Thread

import pytest

from esm import events as e
from projections.deadlines.projection import DeadlineProjection
from projections.engine import Engine, Held, NoSuchProjection
from projections.ledger.projection import LedgerProjection
from projections.ledger.sql import SqlLedgerView
from projections.pump import Projection, Pump, Session, decoded
from projections.tickets.projection import TicketProjection
from projections.tickets.sql import SqlTicketView
from tests.projections.running import dumped, run, run_in_random_batches
from tests.projections.samples import (
    Log,
    approved,
    busy_log,
    case_id,
    detected,
    entry,
    escalated,
    outcome,
)

REFUND = [("4100", 100), ("2010", -100)]
TOO_LARGE = 1 << 63

PROJECTIONS = (TicketProjection, LedgerProjection, DeadlineProjection)


class Crash(Exception):
    pass


class CrashingProjection(Projection):
    """A projection whose process dies between its rows and its position."""

    NAME = TicketProjection.NAME
    TABLES = TicketProjection.TABLES
    HALTS = False

    def begin(self, held: Held, events: Sequence[e.Recorded]) -> Session:
        session = TicketProjection().begin(held, events)
        written = session.write

        def write() -> None:
            written()
            raise Crash

        session.write = write  # type: ignore[method-assign] # the crash is the test
        return session


def unknown(topic: str, payload: bytes = b"{}") -> e.Event | e.UnknownEvent:
    return decoded(topic, payload)


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_a_batch_scans_at_most_the_limit_and_says_how_many(
    engine: Engine, projection: type[Projection]
) -> None:
    log = busy_log(5)
    engine.ensure(projection().spec)
    pump = Pump(engine, projection(), log)
    assert pump.run_once(7) == 7
    assert pump.progress().position == log.recorded[6].position
    assert pump.run_once(10_000) == len(log.recorded) - 7
    assert pump.run_once() == 0
    assert pump.progress().position == log.position


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_batches_cut_anywhere_give_the_same_view(
    engine: Engine, projection: type[Projection], seed: int
) -> None:
    log = busy_log(12, seed)
    run_in_random_batches(engine, projection(), log, seed)
    cut = dumped(engine, projection())
    engine.drop(projection().spec, engine.progress(projection.NAME).generation)
    run(engine, projection(), log, limit=10_000)
    assert dumped(engine, projection()) == cut
    assert len(cut) > 50


def test_tickets_park_what_they_cannot_apply_and_go_on(engine: Engine) -> None:
    log = Log()
    log.add(case_id(1), detected(1))
    strange = log.add(case_id(1), unknown("exception.invented.v9"))
    broken = log.add(case_id(1), unknown("exception.assigned.v1", b'{"owner": 3}'))
    orphan = log.add(case_id(2), escalated(1))
    astray = log.add(case_id(1), outcome(None, "A9"))
    log.add(case_id(3), detected(3))
    log.add(case_id(1), escalated(2))
    assert run(engine, TicketProjection(), log) == 7
    progress = engine.progress("tickets")
    assert (progress.position, progress.parked, progress.halted_at) == (log.position, 4, 0)

    parked = {found.position: found for found in engine.parked("tickets", "t1", 10)}
    assert list(parked) == [r.position for r in (astray, orphan, broken, strange)]
    assert parked[strange.position].reason == "Poison: unknown topic exception.invented.v9"
    assert "bad payload of exception.assigned.v1" in parked[broken.position].reason
    assert "has no ticket" in parked[orphan.position].reason
    assert "no action 'A9'" in parked[astray.position].reason
    assert parked[orphan.position].topic == "exception.escalated.v1"
    assert engine.parked("tickets", "t2", 10) == []
    assert len(engine.parked("tickets", "t1", 2)) == 2

    view = SqlTicketView(engine)
    ticket = view.get("t1", str(case_id(1)))
    assert ticket is not None
    assert (ticket.level, ticket.state) == (2, "escalated")
    assert view.get("t1", str(case_id(3))) is not None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (unknown("order.invented.v1"), "unknown topic order.invented.v1"),
        (unknown("exception.action_approved.v1", b"["), "bad payload"),
        (approved(entry([("4100", 100), ("2010", -99)])), "unbalanced by 1"),
        (
            approved(entry([("4100", 5), ("9010", -5)])),
            "unbalanced by 5, memorandum accounts by -5",
        ),
        (approved(entry([("4100", 100), ("2999", -100)])), "account '2999' is not in the chart"),
        (approved(entry([("4100", 0), ("2010", 0)])), "debit 0 and credit 0"),
        (approved(entry([])), "no lines"),
        (approved(entry(REFUND, rules="never")), "rules 'never' were never published"),
        (approved(entry(REFUND, effective="yesterday")), "Invalid isoformat"),
        (approved(entry(REFUND, effective="20260131")), "not written YYYY-MM-DD"),
        (e.CataloguePublished(digest="d", postings_digest="p", content="{}"), "accounts"),
    ],
)
def test_the_ledger_stops_at_what_it_cannot_book_and_says_so(
    engine: Engine, event: e.Event | e.UnknownEvent, reason: str
) -> None:
    log = Log()
    log.publish()
    before = log.add(case_id(1), approved(entry(REFUND)))
    poison = log.add(case_id(1), event)
    log.add(case_id(1), approved(entry(REFUND)))
    assert run(engine, LedgerProjection(), log) == 2
    progress = engine.progress("ledger")
    assert (progress.position, progress.halted_at) == (before.position, poison.position)
    assert reason in progress.halted_reason
    assert progress.parked == 0
    assert len(SqlLedgerView(engine).entries("t1", limit=10)) == 1
    assert Pump(engine, LedgerProjection(), log).run_once() == 0


def test_a_halted_ledger_goes_on_once_its_event_can_be_read(engine: Engine) -> None:
    log = Log()
    log.publish()
    log.add(case_id(1), approved(entry(REFUND)))
    poison = log.add(case_id(1), unknown("exception.invented.v9"))
    log.add(case_id(1), approved(entry(REFUND)))
    run(engine, LedgerProjection(), log)
    assert engine.progress("ledger").halted_at == poison.position
    # A newer version of the program knows the topic.
    at = log.recorded.index(poison)
    log.recorded[at] = e.Recorded(
        **{
            **{name: getattr(poison, name) for name in poison.__struct_fields__},
            "event": approved(entry(REFUND)),
        }
    )
    assert run(engine, LedgerProjection(), log) == 2
    progress = engine.progress("ledger")
    assert (progress.position, progress.halted_at, progress.halted_reason) == (log.position, 0, "")
    numbers = [found.number for found in SqlLedgerView(engine).entries("t1", limit=10)]
    assert numbers == [1, 2, 3]


def test_a_value_that_the_store_cannot_hold_stops_the_ledger_at_its_event(engine: Engine) -> None:
    log = Log()
    log.publish()
    before = log.add(case_id(1), approved(entry(REFUND)))
    poison = log.add(case_id(1), approved(entry([("4100", TOO_LARGE), ("2010", -TOO_LARGE)])))
    log.add(case_id(1), approved(entry(REFUND)))
    run(engine, LedgerProjection(), log)
    progress = engine.progress("ledger")
    assert (progress.position, progress.halted_at) == (before.position, poison.position)
    assert progress.halted_reason.startswith("Rejected: ")


def test_a_value_that_the_store_cannot_hold_parks_only_its_event(engine: Engine) -> None:
    log = Log()
    for number in range(4):
        log.add(case_id(number), detected(number))
    poison = log.add(case_id(1), escalated(TOO_LARGE))
    log.add(case_id(2), escalated(2))
    assert run(engine, TicketProjection(), log) == 6
    parked = engine.parked("tickets", "t1", 10)
    assert [found.position for found in parked] == [poison.position]
    ticket = SqlTicketView(engine).get("t1", str(case_id(2)))
    assert ticket is not None
    assert ticket.level == 2


@pytest.mark.parametrize("text", ["\x00", "x" * 20_000])
def test_text_that_one_engine_cannot_hold_stops_no_ticket(engine: Engine, text: str) -> None:
    log = Log()
    strange = detected(1, subject=e.Subject(order_id=text))
    log.add(case_id(1), strange)
    log.add(case_id(2), detected(2))
    assert run(engine, TicketProjection(), log) == 2
    assert SqlTicketView(engine).get("t1", str(case_id(2))) is not None
    assert engine.progress("tickets").parked in {0, 1}


def test_a_crash_between_rows_and_position_leaves_neither(engine: Engine) -> None:
    log = busy_log(3)
    engine.ensure(TicketProjection().spec)
    with pytest.raises(Crash):
        Pump(engine, CrashingProjection(), log).run_once()
    assert engine.progress("tickets").position == 0
    assert dumped(engine, TicketProjection()) == []
    assert run(engine, TicketProjection(), log) == len(log.recorded)


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_two_pumps_at_once_project_every_event_once(
    engine: Engine, projection: type[Projection]
) -> None:
    log = busy_log(40)
    engine.ensure(projection().spec)
    start = Barrier(2)
    counts: list[int] = []

    def pump_all() -> None:
        pump = Pump(engine, projection(), log)
        start.wait()
        total = 0
        while engine.position(projection.NAME) < log.position:
            total += pump.run_once(25)
        counts.append(total)

    threads = [Thread(target=pump_all) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(counts) == len(log.recorded)
    twice = dumped(engine, projection())
    engine.drop(projection().spec, 1)
    run(engine, projection(), log)
    assert dumped(engine, projection()) == twice


def test_no_row_of_the_ledger_ever_changes(engine: Engine) -> None:
    log = busy_log(15)
    projection = LedgerProjection()
    engine.ensure(projection.spec)
    seen: set[bytes] = set()
    pump = Pump(engine, projection, log)
    while pump.run_once(13):
        rows = {
            line
            for line in dumped(engine, projection)
            if line.startswith((b'{"table":"ledger_entries"', b'{"table":"ledger_lines"'))
        }
        assert seen <= rows
        seen = rows
    assert len(seen) > 200


def test_rules_published_later_leave_older_entries_as_they_are(engine: Engine) -> None:
    log = Log()
    log.publish()
    old = log.add(case_id(1), approved(entry(REFUND)))
    run(engine, LedgerProjection(), log)
    before = SqlLedgerView(engine).entries("t1", limit=10)
    chart = {"4100": {"kind": "contra_revenue"}, "2011": {"kind": "liability"}}
    log.publish(rules="rules-2", chart=chart)
    log.add(case_id(1), approved(entry([("4100", 1), ("2011", -1)], rules="rules-2")))
    log.add(case_id(1), approved(entry(REFUND)))
    log.add(case_id(1), approved(entry([("4100", 1), ("2010", -1)], rules="rules-2")))
    run(engine, LedgerProjection(), log)
    entries = SqlLedgerView(engine).entries("t1", limit=10)
    assert entries[:1] == before
    assert [found.rules for found in entries] == ["rules-1", "rules-2", "rules-1"]
    assert entries[0].position == old.position
    assert (
        "'2010' is not in the chart of rules 'rules-2'" in engine.progress("ledger").halted_reason
    )


def test_rules_of_one_tenant_do_not_serve_another(engine: Engine) -> None:
    log = Log()
    log.publish("t1")
    log.add(case_id(1, "t2"), approved(entry(REFUND)), tenant="t2")
    run(engine, LedgerProjection(), log)
    assert "were never published" in engine.progress("ledger").halted_reason


def test_a_projection_without_tables_is_named(engine: Engine) -> None:
    with pytest.raises(NoSuchProjection, match="ledger"):
        engine.position("ledger")
    with pytest.raises(NoSuchProjection, match="ledger"):
        Pump(engine, LedgerProjection(), Log()).run_once()
    with pytest.raises(NoSuchProjection, match="ledger"):
        SqlLedgerView(engine).entries("t1", limit=1)


def test_making_the_tables_again_changes_nothing(engine: Engine) -> None:
    log = busy_log(3)
    run(engine, TicketProjection(), log)
    before = dumped(engine, TicketProjection())
    engine.ensure(TicketProjection().spec)
    assert dumped(engine, TicketProjection()) == before
    assert engine.position("tickets") == log.position


def test_a_long_reason_is_kept_short_and_without_zero_bytes(engine: Engine) -> None:
    log = Log()
    log.add(case_id(1), detected(1))
    log.add(case_id(1), outcome(None, "\x00" + "x" * 5_000))
    run(engine, TicketProjection(), log)
    (parked,) = engine.parked("tickets", "t1", 10)
    assert parked.reason.startswith("Poison: the ticket has no action '")
    assert len(parked.reason) == 500
