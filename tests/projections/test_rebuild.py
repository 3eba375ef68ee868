"""Rebuilding beside the live view: equal when nothing was lost, and told when something was."""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest

from projections.deadlines.projection import DeadlineProjection
from projections.engine import Engine, Held
from projections.ledger.projection import LedgerProjection
from projections.ledger.sql import SqlLedgerView
from projections.postgres import PostgresEngine
from projections.pump import Projection, Pump, decoded
from projections.query import Condition
from projections.rebuild import Outcome, RebuildFailed, Step, prepare, rebuild
from projections.sqlite import SqliteEngine
from projections.tickets.projection import TicketProjection
from projections.tickets.sql import SqlTicketView
from tests.projections.running import dumped, rebuilt, run, run_in_random_batches
from tests.projections.samples import Log, approved, busy_log, case_id, detected, entry, escalated

PROJECTIONS = (TicketProjection, LedgerProjection, DeadlineProjection)


def spoil(engine: Engine, projection: str, sql: str) -> None:
    """Change the live view behind the back of its projection."""
    with engine.hold(projection) as held:
        assert held is not None
        held.rows(sql + " RETURNING tenant")


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_a_rebuilt_view_equals_the_one_that_grew(
    engine: Engine, projection: type[Projection], seed: int
) -> None:
    log = busy_log(12, seed)
    run_in_random_batches(engine, projection(), log, seed)
    before = dumped(engine, projection())
    outcome = rebuilt(engine, projection(), log)
    assert outcome.equal
    assert outcome.difference == ""
    assert (outcome.position, outcome.rows) == (log.position, len(before))
    assert outcome.generation == engine.progress(projection.NAME).generation == 2
    assert dumped(engine, projection()) == before


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_both_engines_have_the_same_dump(
    projection: type[Projection], tmp_path: Path, postgres_dsn: str, postgres_schema: str
) -> None:
    log = busy_log(10)
    sqlite = SqliteEngine(tmp_path / "views.db")
    postgres = PostgresEngine(postgres_dsn, schema=postgres_schema)
    for engine in (sqlite, postgres):
        run(engine, projection(), log)
    assert dumped(sqlite, projection()) == dumped(postgres, projection())
    digests = {rebuilt(engine, projection(), log).live_digest for engine in (sqlite, postgres)}
    assert len(digests) == 1
    sqlite.close()
    postgres.close()


def test_a_rebuild_tells_how_far_it_is(engine: Engine) -> None:
    log = busy_log(10)
    run(engine, TicketProjection(), log)
    *steps, last = rebuild(engine, TicketProjection(), log, batch=50)
    assert isinstance(last, Outcome)
    assert [step for step in steps if not isinstance(step, Step)] == []
    assert [step[0] for step in steps] == sorted(step[0] for step in steps)
    assert len(steps) == -(-len(log.recorded) // 50)
    assert steps[-1] == (log.position, log.position)


@pytest.mark.parametrize(
    ("sql", "difference"),
    [
        ("DELETE FROM {tickets} WHERE order_id = 'O2'", "only in the rebuilt view"),
        ("UPDATE {tickets} SET level = 9 WHERE order_id = 'O2'", "level: live 9, rebuilt 1"),
        ("UPDATE {tickets} SET tenant = 't0' WHERE order_id = 'O2'", "only in the live view"),
        ("DELETE FROM {ticket_changes} WHERE level = 1", "ticket_changes"),
    ],
)
def test_a_lost_write_of_the_ticket_view_is_found_and_mended(
    engine: Engine, sql: str, difference: str
) -> None:
    log = Log()
    log.add(case_id(1), detected(1))
    log.add(case_id(2), detected(2))
    log.add(case_id(2), escalated(1))
    run(engine, TicketProjection(), log)
    right = dumped(engine, TicketProjection())
    spoil(engine, "tickets", sql)
    outcome = rebuilt(engine, TicketProjection(), log)
    assert not outcome.equal
    assert outcome.live_digest != outcome.rebuilt_digest
    assert difference in outcome.difference
    assert dumped(engine, TicketProjection()) == right
    assert rebuilt(engine, TicketProjection(), log).equal


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM {ledger_lines} WHERE leg = 1",
        "UPDATE {ledger_lines} SET debit = credit, credit = debit WHERE leg = 0",
        "UPDATE {ledger_entries} SET number = number + 100 WHERE number = 3",
        "UPDATE {ledger_entries} SET order_id = 'O99' WHERE number = 2",
        "DELETE FROM {ledger_numbers} WHERE tenant = 't1'",
    ],
)
def test_a_spoilt_ledger_is_found_and_mended(engine: Engine, sql: str) -> None:
    log = busy_log(6)
    run(engine, LedgerProjection(), log)
    right = dumped(engine, LedgerProjection())
    spoil(engine, "ledger", sql)
    assert not rebuilt(engine, LedgerProjection(), log).equal
    assert dumped(engine, LedgerProjection()) == right


def test_a_comparison_without_switch_leaves_the_live_view(engine: Engine) -> None:
    log = busy_log(3)
    run(engine, TicketProjection(), log)
    spoil(engine, "tickets", "DELETE FROM {tickets} WHERE order_id = 'O0'")
    spoilt = dumped(engine, TicketProjection())
    *_, outcome = rebuild(engine, TicketProjection(), log, switch=False)
    assert isinstance(outcome, Outcome)
    assert not outcome.equal
    assert outcome.generation == engine.progress("tickets").generation == 1
    assert dumped(engine, TicketProjection()) == spoilt


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_after_a_switch_the_pump_goes_on_and_readers_see_the_new_view(
    engine: Engine, projection: type[Projection]
) -> None:
    log = busy_log(3)
    pump = Pump(engine, projection(), log)
    run(engine, projection(), log)
    dumped(engine, projection())
    rebuilt(engine, projection(), log)
    log.add(case_id(77), detected(77))
    assert pump.run_once() == 1
    assert engine.position(projection.NAME) == log.position
    if projection is TicketProjection:
        found = SqlTicketView(engine).list("t1", (Condition("order_id", "=", "O77"),), limit=9)
        assert len(found) == 1


def test_a_rebuild_left_early_leaves_nothing_behind(engine: Engine) -> None:
    log = busy_log(10)
    run(engine, TicketProjection(), log)
    steps = rebuild(engine, TicketProjection(), log, batch=20)
    next(steps)
    steps.close()  # type: ignore[attr-defined] # it is a generator
    assert engine.progress("tickets").generation == 1
    assert engine.create(TicketProjection().spec) == 2


def test_what_a_killed_rebuild_left_is_dropped_by_the_next(engine: Engine) -> None:
    log = busy_log(4)
    run(engine, TicketProjection(), log)
    left = engine.create(TicketProjection().spec)
    Pump(engine, TicketProjection(), log, generation=left).run_once(10)
    outcome = rebuilt(engine, TicketProjection(), log)
    assert outcome.equal
    assert outcome.generation == 3


def test_events_that_come_during_a_rebuild_are_in_both_views(engine: Engine) -> None:
    log = busy_log(10)
    run(engine, LedgerProjection(), log)
    steps = rebuild(engine, LedgerProjection(), log, batch=50)
    next(steps)
    for number in range(60, 70):
        booked = entry([("4100", 5), ("2010", -5)], case=case_id(number))
        log.add(case_id(number), approved(booked))
    run(engine, LedgerProjection(), log, limit=3)
    *_, outcome = steps
    assert isinstance(outcome, Outcome)
    assert outcome.equal
    assert outcome.position == log.position


def test_a_live_pump_at_work_does_not_disturb_a_rebuild(engine: Engine) -> None:
    log = busy_log(60)
    engine.ensure(LedgerProjection().spec)
    Pump(engine, LedgerProjection(), log).run_once(300)
    done = Event()

    def live() -> None:
        pump = Pump(engine, LedgerProjection(), log)
        while not done.is_set():
            if not pump.run_once(10):
                done.wait(0.001)

    thread = Thread(target=live)
    thread.start()
    try:
        for _ in range(3):
            assert rebuilt(engine, LedgerProjection(), log).equal
    finally:
        done.set()
        thread.join(60)
    run(engine, LedgerProjection(), log)
    assert rebuilt(engine, LedgerProjection(), log).equal


def test_readers_go_on_while_rebuilds_switch(engine: Engine) -> None:
    log = busy_log(20)
    run(engine, LedgerProjection(), log)
    view = SqlLedgerView(engine)
    expected = view.trial_balance("t1", "default")
    done = Event()
    answers: list[bool] = []

    def reading() -> None:
        while not done.is_set():
            answers.append(view.trial_balance("t1", "default") == expected)

    thread = Thread(target=reading)
    thread.start()
    try:
        for _ in range(4):
            assert rebuilt(engine, LedgerProjection(), log).equal
    finally:
        done.set()
        thread.join(60)
    assert answers
    assert all(answers)


def test_a_rebuild_that_halts_fails_and_the_live_ledger_stays(engine: Engine) -> None:
    log = busy_log(3)
    run(engine, LedgerProjection(), log)
    before = dumped(engine, LedgerProjection())
    at = len(log.recorded) // 2
    good = log.recorded[at]
    fields = {name: getattr(good, name) for name in good.__struct_fields__}
    log.recorded[at] = type(good)(**{**fields, "event": decoded("order.invented.v1", b"{}")})
    with pytest.raises(RebuildFailed, match="unknown topic"):
        rebuilt(engine, LedgerProjection(), log)
    assert engine.progress("ledger").generation == 1
    assert dumped(engine, LedgerProjection()) == before


def test_a_halted_ledger_can_be_rebuilt_up_to_where_it_stands(engine: Engine) -> None:
    log = busy_log(3)
    log.add(case_id(1), decoded("order.invented.v1", b"{}"))
    run(engine, LedgerProjection(), log)
    outcome = rebuilt(engine, LedgerProjection(), log)
    assert outcome.equal
    run(engine, LedgerProjection(), log)
    assert engine.progress("ledger").halted_at == log.position


def test_a_rejected_row_during_a_rebuild_is_parked_as_it_was_live(engine: Engine) -> None:
    log = busy_log(2)
    log.add(case_id(1), escalated(1 << 63))
    run(engine, TicketProjection(), log)
    assert rebuilt(engine, TicketProjection(), log).equal
    assert engine.progress("tickets").parked == 1


def test_a_view_store_may_be_deleted_and_grows_again(tmp_path: Path) -> None:
    log = busy_log(5)
    dumps: list[list[bytes]] = []
    for _ in range(2):
        engine = SqliteEngine(tmp_path / "views.db")
        run(engine, LedgerProjection(), log)
        dumps.append(dumped(engine, LedgerProjection()))
        engine.close()
        for path in tmp_path.glob("views.db*"):
            path.unlink()
    assert dumps[0] == dumps[1]


def test_tables_are_prepared_once_and_then_kept(engine: Engine) -> None:
    log = busy_log(3)
    projection = TicketProjection()
    assert prepare(engine, projection, lambda: log.position)
    run(engine, projection, log)
    assert not prepare(engine, projection, lambda: log.position)
    assert engine.position("tickets") == log.position


def test_a_view_ahead_of_its_log_begins_from_nothing(engine: Engine) -> None:
    run(engine, TicketProjection(), busy_log(6))
    shorter = busy_log(2)
    assert prepare(engine, TicketProjection(), lambda: shorter.position)
    assert engine.position("tickets") == 0
    run(engine, TicketProjection(), shorter)
    assert len(SqlTicketView(engine).list("t1", limit=10)) == 2


def test_tables_of_another_version_of_the_program_are_made_anew(engine: Engine) -> None:
    log = busy_log(3)
    run(engine, TicketProjection(), log)

    class Newer(TicketProjection):
        VERSION = TicketProjection.VERSION + 1

    assert prepare(engine, Newer(), lambda: log.position)
    assert engine.fingerprint("tickets") == Newer().spec.fingerprint
    assert run(engine, Newer(), log) == len(log.recorded)
    assert not prepare(engine, Newer(), lambda: log.position)


def test_a_rebuild_whose_generation_another_took_away_says_so(engine: Engine) -> None:
    log = busy_log(10)
    run(engine, TicketProjection(), log)
    first = rebuild(engine, TicketProjection(), log, batch=20)
    next(first)
    assert rebuilt(engine, TicketProjection(), log).equal
    with pytest.raises(RebuildFailed, match="another rebuild"):
        list(first)
    assert engine.progress("tickets").generation == 3


def test_a_lost_update_inside_the_projection_is_found(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = busy_log(10)
    with monkeypatch.context() as patched:
        held_class = _held_class(engine)
        patched.setattr(held_class, "update", _forgetful(held_class.update))
        run(engine, TicketProjection(), log, limit=25)
    outcome = rebuilt(engine, TicketProjection(), log)
    assert not outcome.equal
    assert outcome.difference.startswith("tickets ")


def _held_class(engine: Engine) -> type[Held]:
    engine.ensure(TicketProjection().spec)
    with engine.hold("tickets") as held:
        assert held is not None
        return type(held)


def _forgetful(update: Callable[..., None]) -> Callable[..., None]:
    """An update that forgets the last row of every batch."""
    return lambda held, table, before, after: update(held, table, before[:-1], after[:-1])
