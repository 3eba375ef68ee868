"""Pumps that take turns in one thread."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event

from esm.events import Recorded
from projections.engine import Engine
from projections.ledger.projection import LedgerProjection
from projections.pump import Pump
from projections.tickets.projection import TicketProjection
from server.workers.projector import Projector, SamePage
from tests.projections.samples import Log, approved, busy_log, case_id, entry

WAIT_SECONDS = 10.0


class CountingLog:
    """A log that counts how often it is read."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.reads = 0

    def read(self, after: int, limit: int) -> Sequence[Recorded]:
        self.reads += 1
        return self._log.read(after, limit)


class Away(Pump):
    """A pump whose store is away; counts how often it was tried."""

    tries = 0

    def run_once(self, limit: int = 0) -> int:
        self.tries += 1
        raise ConnectionError


@contextmanager
def unwatched(_: Event) -> Iterator[None]:
    yield


def pumps(engine: Engine, log: Log) -> dict[str, Pump]:
    for projection in (TicketProjection(), LedgerProjection()):
        engine.ensure(projection.spec)
    page = SamePage(log)
    return {p.NAME: Pump(engine, p, page) for p in (TicketProjection(), LedgerProjection())}


def test_a_page_that_one_pump_read_is_given_to_the_next() -> None:
    counting = CountingLog(busy_log(3))
    page = SamePage(counting)
    first = page.read(0, 500)
    assert page.read(0, 500) == first
    assert page.read(0, 1) == first[:1]
    assert counting.reads == 1
    page.read(first[1].position, 500)
    assert counting.reads == 2


def test_an_empty_page_is_read_again() -> None:
    log = Log()
    page = SamePage(log)
    assert not page.read(0, 500)
    log.publish()
    assert [r.position for r in page.read(0, 500)] == [log.position]


def test_a_halted_projection_is_left_out_for_a_while(engine: Engine) -> None:
    log = Log()
    log.publish()
    log.add(case_id(1), approved(entry([("4100", 1), ("2010", 1)])))
    made = pumps(engine, log)
    projector = Projector(made, unwatched, lambda _name, _position: None)
    taken = []

    def run_once(limit: int = 0) -> int:
        taken.append("ledger")
        return Pump.run_once(made["ledger"])

    made["ledger"].run_once = run_once  # type: ignore[method-assign] # counts its turns
    for _ in range(5):
        projector._take_turns()
    assert made["ledger"].halted
    assert made["tickets"].position == log.position
    assert len(taken) == 2


def test_pumps_that_take_turns_tell_how_far_each_is(engine: Engine) -> None:
    log = busy_log(10)
    reached: dict[str, int] = {}
    there = Event()

    def advanced(name: str, position: int) -> None:
        reached[name] = position
        if set(reached.values()) == {log.position} and len(reached) == 2:
            there.set()

    projector = Projector(pumps(engine, log), unwatched, advanced)
    projector.start()
    assert there.wait(WAIT_SECONDS)
    projector.stop()


def test_a_pump_that_fails_does_not_hold_up_the_others(engine: Engine) -> None:
    log = busy_log(3)
    there = Event()

    def advanced(name: str, position: int) -> None:
        assert name == "tickets"
        assert away.tries == 1
        if position == log.position:
            there.set()

    away = Away(engine, LedgerProjection(), log)
    tickets = pumps(engine, log)["tickets"]
    projector = Projector({"ledger": away, "tickets": tickets}, unwatched, advanced)
    projector.start()
    assert there.wait(WAIT_SECONDS)
    projector.stop()
