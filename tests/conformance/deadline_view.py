"""What every deadline view must do, whatever engine it stands on."""

import pytest

from esm import events as e
from esm.ids import catalogue_aggregate_id
from esm.times import instant, micros
from projections.deadlines.projection import DeadlineProjection
from projections.deadlines.sql import SqlDeadlineView
from projections.deadlines.view import Deadline, page_key
from projections.engine import Engine
from tests.projections.running import dumped, rebuilt, run, run_in_random_batches
from tests.projections.samples import (
    HOUR,
    START,
    Log,
    alert,
    busy_log,
    carried,
    case_id,
    detected,
    joined_by,
    outcome,
    proposed,
)

WATCH = catalogue_aggregate_id("t1", "a watch, as far as a view can tell")


def view_of(engine: Engine, log: Log) -> SqlDeadlineView:
    run(engine, DeadlineProjection(), log)
    return SqlDeadlineView(engine)


def told(view: SqlDeadlineView, tenant: str = "t1") -> list[tuple[str, str, int]]:
    """Kind, name and hours behind the start of everything that is due."""
    found = view.list(tenant, limit=100)
    return [(each.kind, each.name, (each.due_at - START) // HOUR) for each in found]


def muted(rule: str, hours: int, parcel: str = "S1") -> e.RuleMuted:
    subject = e.Subject(order_id="O1", shipment_code=parcel)
    return e.RuleMuted(subject=subject, rule=rule, until=instant(START + hours * HOUR), by="ann")


class DeadlineViewConformance:
    def test_the_next_stage_of_a_standing_alert_is_due(self, engine: Engine) -> None:
        log = Log()
        log.add(case_id(1), detected(1, source=alert("STALL", "at_risk", 36, 48)))
        view = view_of(engine, log)
        assert list(view.list("t1", limit=10)) == [
            Deadline(
                tenant="t1",
                kind="next_stage",
                exception_id=str(case_id(1)),
                name="STALL",
                subject=e.Subject(order_id="O1", shipment_code="S1"),
                due_at=START + 48 * HOUR,
            )
        ]

    def test_the_newest_word_of_a_rule_counts_and_rules_stand_side_by_side(
        self, engine: Engine
    ) -> None:
        log = Log()
        log.add(case_id(1), detected(1))
        log.add(case_id(1), joined_by(alert("STALL", "at_risk", 36, 48)))
        log.add(case_id(1), joined_by(alert("NODE", "at_risk", 48, 72)))
        view = view_of(engine, log)
        assert told(view) == [("next_stage", "STALL", 48), ("next_stage", "NODE", 72)]
        log.add(case_id(1), joined_by(alert("STALL", "breached", 48, 168)))
        assert told(view_of(engine, log)) == [
            ("next_stage", "NODE", 72),
            ("next_stage", "STALL", 168),
        ]
        log.add(case_id(1), joined_by(alert("STALL", "serious", 168)))
        assert told(view_of(engine, log)) == [("next_stage", "NODE", 72)]

    def test_what_was_cleared_is_due_no_more(self, engine: Engine) -> None:
        log = Log()
        log.add(case_id(1), detected(1, source=alert("STALL", "at_risk", 36, 48)))
        log.add(case_id(1), joined_by(alert("NODE", "at_risk", 48, 72)))
        log.add(case_id(1), e.SignalCleared(source_ids=("STALL/at_risk", "unknown")))
        assert told(view_of(engine, log)) == [("next_stage", "NODE", 72)]
        # A rule that speaks anew is due anew.
        log.add(case_id(1), joined_by(alert("STALL", "at_risk", 60, 99, source_id="later")))
        both = [("next_stage", "NODE", 72), ("next_stage", "STALL", 99)]
        assert told(view_of(engine, log)) == both

    @pytest.mark.parametrize(
        ("end", "state"),
        [
            (e.Withdrawn(from_state="detected", resolution="cleared"), "withdrawn"),
            (e.Remediated(resolution="told", customer_resolved_at=instant(START)), "remediated"),
            (e.Reconciled(write_back=()), "reconciled"),
            (e.Merged(from_state="detected", into="x"), "merged"),
        ],
    )
    def test_a_case_that_is_not_open_has_no_next_stage_until_it_is_again(
        self, engine: Engine, end: e.Event, state: str
    ) -> None:
        log = Log()
        log.add(case_id(1), detected(1, source=alert("STALL", "at_risk", 36, 48)))
        log.add(case_id(1), end)
        assert told(view_of(engine, log)) == []
        # What joins it meanwhile waits with it.
        log.add(case_id(1), joined_by(alert("NODE", "at_risk", 48, 72)))
        assert told(view_of(engine, log)) == []
        again = e.Reopened(from_state=state, episode=2, level=1, team="support", owner="ben")
        log.add(case_id(1), again)
        both = [("next_stage", "STALL", 48), ("next_stage", "NODE", 72)]
        assert told(view_of(engine, log)) == both

    def test_an_action_that_opens_a_remediated_case_again_brings_its_next_stage_back(
        self, engine: Engine
    ) -> None:
        log = Log()
        log.add(case_id(1), detected(1, source=alert("STALL", "breached", 48, 168)))
        log.add(case_id(1), proposed("A1"))
        log.add(case_id(1), e.Remediated(resolution="told", customer_resolved_at=instant(START)))
        assert told(view_of(engine, log)) == []
        failed = outcome(None, "A1", "failed", from_state="remediated", state="escalated")
        log.add(case_id(1), failed)
        assert told(view_of(engine, log)) == [("next_stage", "STALL", 168)]

    def test_the_alerts_of_a_duplicate_go_on_with_the_survivor(self, engine: Engine) -> None:
        log = Log()
        log.add(case_id(1), detected(1))
        sources = (e.Source(kind="person"), alert("STALL", "breached", 48, 168))
        log.add(case_id(1), e.MergeReceived(merged_id="x", sources=sources))
        assert told(view_of(engine, log)) == [("next_stage", "STALL", 168)]

    def test_what_a_duplicate_knew_as_cleared_is_due_with_nobody(self, engine: Engine) -> None:
        log = Log()
        log.add(case_id(1), detected(1))
        gone = (alert("STALL", "breached", 48, 168), alert("NODE", "at_risk", 48, 72))
        cleared = ("STALL/breached",)
        log.add(case_id(1), e.MergeReceived(merged_id="x", sources=gone, cleared=cleared))
        assert told(view_of(engine, log)) == [("next_stage", "NODE", 72)]

    @pytest.mark.parametrize(
        ("own", "handed_on", "expected"),
        [
            (alert("STALL", "at_risk", 60, 72), alert("STALL", "breached", 48, 168), [72]),
            (alert("STALL", "breached", 48, 168), alert("STALL", "at_risk", 60, 72), [72]),
            (alert("STALL", "serious", 168), alert("STALL", "breached", 48, 169), []),
            (alert("STALL", "breached", 48, 168), alert("STALL", "serious", 168), []),
        ],
    )
    def test_of_a_survivor_and_a_duplicate_the_later_word_of_a_rule_counts(
        self, engine: Engine, own: e.Source, handed_on: e.Source, expected: list[int]
    ) -> None:
        log = Log()
        log.add(case_id(1), detected(1, source=own))
        log.add(case_id(1), e.MergeReceived(merged_id="x", sources=(handed_on,)))
        assert [hours for _, _, hours in told(view_of(engine, log))] == expected

    def test_what_a_survivor_knew_as_cleared_hides_nothing_that_a_duplicate_knows(
        self, engine: Engine
    ) -> None:
        log = Log()
        log.add(case_id(1), detected(1, source=alert("STALL", "at_risk", 60, 72)))
        log.add(case_id(1), e.SignalCleared(source_ids=("STALL/at_risk",)))
        handed_on = (alert("STALL", "breached", 48, 168),)
        log.add(case_id(1), e.MergeReceived(merged_id="x", sources=handed_on))
        assert told(view_of(engine, log)) == [("next_stage", "STALL", 168)]

    def test_a_carried_item_is_due_when_its_last_day_is_over_and_the_newest_date_counts(
        self, engine: Engine
    ) -> None:
        log = Log()
        log.add(case_id(1), detected(1))
        log.add(case_id(1), carried(due="2026-07-01"))
        log.add(case_id(1), carried(due="2026-07-15"))
        log.add(case_id(1), e.Reconciled(write_back=("B1",)))
        (found,) = view_of(engine, log).list("t1", limit=10)
        assert (found.kind, found.name) == ("carried_item", "2010/A1")
        assert found.due_at == micros("2026-07-16T00:00:00.000000Z")

    def test_a_mute_ends_per_rule_and_subject_and_the_newest_word_counts(
        self, engine: Engine
    ) -> None:
        log = Log()
        for fact in (
            muted("STALL", 5),
            muted("STALL", 9),
            muted("NODE", 7),
            muted("STALL", 6, "S2"),
        ):
            log.add(WATCH, fact)
        view = view_of(engine, log)
        assert told(view) == [
            ("mute_end", "STALL", 6),
            ("mute_end", "NODE", 7),
            ("mute_end", "STALL", 9),
        ]
        assert [each.subject.shipment_code for each in view.list("t1", limit=10)] == [
            "S2",
            "S1",
            "S1",
        ]
        assert {each.exception_id for each in view.list("t1", limit=10)} == {""}

    def test_a_list_is_of_one_tenant(self, engine: Engine) -> None:
        log = Log()
        for number, (tenant, hours) in enumerate((("t2", 3), ("t1", 1), ("t2", 2)), 1):
            source = alert("STALL", "at_risk", 0, hours)
            log.add(case_id(number, tenant), detected(number, source=source), tenant=tenant)
        view = view_of(engine, log)
        assert told(view) == [("next_stage", "STALL", 1)]
        assert told(view, "t2") == [("next_stage", "STALL", 2), ("next_stage", "STALL", 3)]
        assert told(view, "t3") == []

    def test_a_list_is_cut_by_kind_and_span_and_pages_put_together_are_the_whole(
        self, engine: Engine
    ) -> None:
        log = Log()
        for number in range(1, 8):
            source = alert("STALL", "at_risk", 0, 1 + number // 3)
            log.add(case_id(number), detected(number, source=source))
        log.add(WATCH, muted("STALL", 2))
        view = view_of(engine, log)
        whole = list(view.list("t1", limit=100))
        assert len(whole) == 8
        assert [each.kind for each in view.list("t1", kind="mute_end", limit=9)] == ["mute_end"]
        span = view.list("t1", since=START + 2 * HOUR, until=START + 2 * HOUR, limit=100)
        assert list(span) == [each for each in whole if each.due_at == START + 2 * HOUR]
        pages: list[Deadline] = []
        after: tuple[str | int, ...] = ()
        while page := view.list("t1", after=after, limit=3):
            pages.extend(page)
            after = page_key(page[-1])
        assert pages == whole

    def test_a_fact_of_a_case_that_was_never_detected_is_parked(self, engine: Engine) -> None:
        log = Log()
        log.add(case_id(1), joined_by(alert("STALL", "at_risk", 36, 48)))
        log.add(case_id(2), detected(2, source=alert("STALL", "at_risk", 36, 48)))
        view = view_of(engine, log)
        assert len(view.list("t1", limit=10)) == 1
        (parked,) = engine.parked("deadlines", "t1", 10)
        assert "never detected" in parked.reason

    def test_facts_that_have_nothing_to_do_with_deadlines_leave_no_row(
        self, engine: Engine
    ) -> None:
        log = Log()
        log.publish()
        log.add(case_id(9), e.UnknownEvent("exception.invented.v9", b"{}"))
        log.add(case_id(9), e.Assigned(from_owner="", owner="a", from_team="t", team="t"))
        assert view_of(engine, log).position() == log.position
        assert dumped(engine, DeadlineProjection()) == []
        assert engine.progress("deadlines").parked == 0

    @pytest.mark.parametrize("seed", range(3))
    def test_a_rebuilt_view_equals_one_that_grew_in_batches_of_any_size(
        self, engine: Engine, seed: int
    ) -> None:
        log = busy_log(15, seed)
        for rule, hours in (("STALL", 4), ("NODE", 5), ("STALL", 8)):
            log.add(WATCH, muted(rule, hours))
        run_in_random_batches(engine, DeadlineProjection(), log, seed)
        outcome_ = rebuilt(engine, DeadlineProjection(), log)
        assert outcome_.equal, outcome_.difference
        kinds = {each.kind for each in SqlDeadlineView(engine).list("t1", limit=1_000)}
        assert kinds == {"next_stage", "carried_item", "mute_end"}
