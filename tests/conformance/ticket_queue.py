"""What every ticket view must do about stages, due times, the queue and what belongs to a view."""

import pytest

from esm import events as e
from esm.times import instant
from projections.engine import Engine
from projections.query import NEVER, Condition, Order
from projections.tickets.view import DEFAULT_ORDER, Belongs, TicketAlert, page_key
from tests.conformance.ticket_view import CASE, ids, view_of
from tests.projections.samples import (
    HOUR,
    SECOND,
    START,
    Log,
    alert,
    case_id,
    detected,
    joined_by,
)


def queue() -> Log:
    """Cases whose order in the queue is 1, 2, 3 .. 6, added in another one."""
    log = Log()
    cases: dict[int, tuple[str, int]] = {
        4: ("P2", 3),
        6: ("P2", 0),
        1: ("P0", 0),
        3: ("P1", 9),
        5: ("P2", 0),
        2: ("P1", 2),
    }
    for number, (priority, due) in cases.items():
        source = alert("STALL", "at_risk", 1, due)
        log.add(
            case_id(number),
            detected(number, priority=priority, source=source),
            occurred=START + number * SECOND,
        )
    return log


class TicketQueueConformance:
    def test_due_is_the_next_stage_that_comes_first_of_what_stands(self, engine: Engine) -> None:
        log = Log()

        def due() -> tuple[str, int, list[str]]:
            ticket = view_of(engine, log).get("t1", CASE)
            assert ticket is not None
            hours = NEVER if ticket.due_at == NEVER else (ticket.due_at - START) // HOUR
            return ticket.stage, hours, [each.rule for each in ticket.alerts]

        log.add(case_id(1), detected(1, stage="at_risk", source=alert("STALL", "at_risk", 36, 48)))
        assert due() == ("at_risk", 48, ["STALL"])
        log.add(case_id(1), joined_by(alert("NODE", "at_risk", 40, 72)))
        assert due() == ("at_risk", 48, ["STALL", "NODE"])
        log.add(case_id(1), joined_by(alert("STALL", "breached", 48, 168)))
        assert due() == ("breached", 72, ["NODE", "STALL"])
        log.add(case_id(1), joined_by(alert("NODE", "serious", 72)))
        assert due() == ("serious", 168, ["STALL", "NODE"])
        log.add(case_id(1), e.SignalCleared(source_ids=("STALL/at_risk", "STALL/breached")))
        assert due() == ("serious", NEVER, ["NODE"])

    def test_what_was_cleared_is_due_no_more_and_its_checkpoint_is_the_last(
        self, engine: Engine
    ) -> None:
        log = Log()
        log.add(case_id(1), detected(1, source=alert("STALL", "breached", 48, 168)))
        moved = e.Checkpoint(occurred=instant(START), received=instant(START), place="Graz")
        log.add(case_id(1), e.SignalCleared(source_ids=("STALL/breached",), checkpoint=moved))
        view = view_of(engine, log)
        ticket = view.get("t1", CASE)
        assert ticket is not None
        assert (ticket.alerts, ticket.due_at, ticket.checkpoint) == ((), NEVER, moved)
        is_due = (Condition("due_at", ":", "*"),)
        assert view.count("t1", "state", is_due) == {}

    def test_an_ended_case_is_not_due_and_a_reopened_one_has_the_stage_of_what_stands(
        self, engine: Engine
    ) -> None:
        log = Log()
        log.add(case_id(1), detected(1, stage="at_risk", source=alert("STALL", "at_risk", 1, 48)))
        log.add(case_id(1), joined_by(alert("NODE", "serious", 72)))
        log.add(case_id(1), e.SignalCleared(source_ids=("NODE/serious",)))
        log.add(case_id(1), e.Withdrawn(from_state="escalated", resolution="cleared"))
        ticket = view_of(engine, log).get("t1", CASE)
        assert ticket is not None
        assert (ticket.stage, ticket.due_at) == ("serious", NEVER)
        log.add(
            case_id(1),
            e.Reopened(from_state="withdrawn", episode=2, level=1, team="support", owner="ben"),
        )
        ticket = view_of(engine, log).get("t1", CASE)
        assert ticket is not None
        assert (ticket.stage, ticket.due_at) == ("at_risk", START + 48 * HOUR)
        assert ticket.alerts == (
            TicketAlert(
                rule="STALL",
                stage="at_risk",
                at=START + HOUR,
                next_at=START + 48 * HOUR,
                source_id="STALL/at_risk",
            ),
        )

    def test_the_alerts_of_a_merged_duplicate_stand_on_the_survivor(self, engine: Engine) -> None:
        log = Log()
        log.add(case_id(1), detected(1, stage="at_risk"))
        source = alert("STALL", "breached", 48, 168)
        log.add(case_id(1), e.MergeReceived(merged_id="x", sources=(source,)))
        ticket = view_of(engine, log).get("t1", CASE)
        assert ticket is not None
        assert (ticket.stage, ticket.due_at) == ("breached", START + 168 * HOUR)

    def test_what_a_merged_duplicate_knew_as_cleared_stands_nowhere(self, engine: Engine) -> None:
        log = Log()
        log.add(case_id(1), detected(1, stage="at_risk"))
        gone = (alert("STALL", "breached", 48, 168), alert("NODE", "at_risk", 48, 72))
        cleared = ("STALL/breached",)
        log.add(case_id(1), e.MergeReceived(merged_id="x", sources=gone, cleared=cleared))
        ticket = view_of(engine, log).get("t1", CASE)
        assert ticket is not None
        assert (ticket.stage, ticket.due_at) == ("at_risk", START + 72 * HOUR)
        assert [each.rule for each in ticket.alerts] == ["NODE"]
        assert ticket.sources == 3

    @pytest.mark.parametrize(("at", "stands"), [(48, "at_risk"), (60, "breached")])
    def test_an_older_word_of_a_duplicate_does_not_replace_the_survivors(
        self, engine: Engine, at: int, stands: str
    ) -> None:
        log = Log()
        own = alert("STALL", "at_risk", 50, 62, source_id="own")
        log.add(case_id(1), detected(1, stage="at_risk", source=own))
        # What was told last is not what is later.
        handed_on = (alert("STALL", "breached", at, 168), alert("STALL", "at_risk", 36, 48))
        log.add(case_id(1), e.MergeReceived(merged_id="x", sources=handed_on))
        ticket = view_of(engine, log).get("t1", CASE)
        assert ticket is not None
        assert [each.stage for each in ticket.alerts] == [stands]
        assert ticket.stage == stands
        due = {"at_risk": 62, "breached": 168}[stands]
        assert ticket.due_at == START + due * HOUR

    def test_movement_is_the_last_checkpoint(self, engine: Engine) -> None:
        log = Log()
        log.add(case_id(1), detected(1))
        seen = e.Checkpoint(occurred=instant(START), received=instant(START), place="Linz")
        log.add(case_id(1), e.MovementRecorded(checkpoint=seen))
        ticket = view_of(engine, log).get("t1", CASE)
        assert ticket is not None
        assert ticket.checkpoint == seen

    def test_the_queue_goes_by_priority_then_due_then_age(self, engine: Engine) -> None:
        view = view_of(engine, queue())
        tickets = view.list("t1", limit=100)
        assert [ticket.exception_id for ticket in tickets] == ids(1, 2, 3, 4, 5, 6)
        first = view.list("t1", limit=3)
        rest = view.list("t1", after=page_key(first[-1], DEFAULT_ORDER), limit=100)
        assert [ticket.exception_id for ticket in (*first, *rest)] == ids(1, 2, 3, 4, 5, 6)

    @pytest.mark.parametrize(
        ("belongs", "expected"),
        [
            (Belongs(("LOST", "STOCK_OUT")), [1, 2, 4]),
            (Belongs(("LOST",), negated=True), [2, 3, 5]),
            (Belongs(("LOST",), excluded=True), [2, 3, 5]),
            (Belongs(("LOST",), excluded=True, first_source="carrier"), [3]),
            (Belongs(("LOST",), excluded=True, first_source="carrier", negated=True), [1, 2, 4, 5]),
            (Belongs(("LOST",), first_source="customer"), [4]),
            (Belongs(()), []),
            (Belongs((), negated=True), [1, 2, 3, 4, 5]),
            (Belongs((), excluded=True), [1, 2, 3, 4, 5]),
        ],
    )
    def test_tickets_belong_by_code_and_first_source_now_and_as_of_a_moment(
        self, engine: Engine, belongs: Belongs, expected: list[int]
    ) -> None:
        log = Log()
        sorts = [
            ("LOST", "carrier"),
            ("STOCK_OUT", "person"),
            ("DAMAGED", "carrier"),
            ("LOST", "customer"),
            ("TRANSIT_DELAY", "alert"),
        ]
        for number, (code, kind) in enumerate(sorts, 1):
            fact = detected(number, code=code, source=e.Source(kind=kind))
            log.add(case_id(number), fact, occurred=START)
        # Who else reported it, and what it became since, do not change the first source.
        log.add(case_id(5), joined_by(e.Source(kind="carrier")), occurred=START + HOUR)
        view = view_of(engine, log)
        tickets = view.list("t1", (belongs,), order_by=(Order("detected_at"),), limit=100)
        found = {ticket.exception_id for ticket in tickets}
        assert found == set(ids(*expected))
        assert all(belongs.holds(ticket.code, ticket.first_source) for ticket in tickets)
        everything = view.list("t1", limit=100)
        assert found == {
            ticket.exception_id
            for ticket in everything
            if belongs.holds(ticket.code, ticket.first_source)
        }
        assert sum(view.count("t1", "code", (belongs,)).values()) == len(expected)
        assert sum(view.count("t1", "state", (belongs,), as_of=START).values()) == len(expected)

    def test_a_count_as_of_a_moment_belongs_by_the_code_of_then(self, engine: Engine) -> None:
        log = Log()
        log.add(case_id(1), detected(1))
        step = e.Reclassified(
            from_code="TRANSIT_DELAY", code="LOST", phase="post_ship", priority="P1"
        )
        log.add(case_id(1), step, occurred=START + HOUR)
        view = view_of(engine, log)
        lost = (Belongs(("LOST",)),)
        assert view.count("t1", "state", lost) == {"detected": 1}
        assert view.count("t1", "state", lost, as_of=START + HOUR) == {"detected": 1}
        assert view.count("t1", "state", lost, as_of=START + HOUR - 1) == {}
