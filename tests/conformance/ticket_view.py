"""What every ticket view must do, whatever engine it stands on."""

import msgspec
import pytest

from esm import events as e
from esm.times import instant
from projections.engine import Engine
from projections.query import Condition, Order, QueryRefused
from projections.tickets.projection import TicketProjection
from projections.tickets.sql import SqlTicketView
from projections.tickets.view import (
    COUNT_FIELDS,
    FILTERS,
    SORTABLE,
    ActionSummary,
    Check,
    CodeStep,
    Ticket,
    page_key,
)
from tests.projections.running import run
from tests.projections.samples import (
    HOUR,
    SECOND,
    START,
    Log,
    approved,
    busy_log,
    case_id,
    detected,
    escalated,
    outcome,
    proposed,
)

CASE = str(case_id(1))
SEALED = e.Sealed(subject="p1", key_id="k1", box=b"\x00\xff")


def view_of(engine: Engine, log: Log) -> SqlTicketView:
    run(engine, TicketProjection(), log)
    return SqlTicketView(engine)


def whole_story() -> Log:
    """One case with a fact of every kind that a ticket shows."""
    log = Log()
    case = case_id(1)
    facts: list[e.Event] = [
        detected(1),
        e.SourceJoined(source=e.Source(kind="alert"), checkpoint=None, code=""),
        escalated(1),
        e.Assigned(
            from_owner="queue:logistics", owner="anna", from_team="logistics", team="support"
        ),
        e.NoteAdded(text=SEALED),
        e.ContactRecorded(party="customer", channel="phone", direction="out", reached=True),
        e.Verified(item="address", result="not_obtainable", by="anna"),
        e.Verified(item="address", result="confirmed", by="anna"),
        e.Reclassified(from_code="TRANSIT_DELAY", code="LOST", phase="post_ship", priority="P1"),
        proposed("A1"),
        approved(None, "A1", amount=4_200),
        e.ActionSubmitted(action_id="A1"),
        outcome(None, "A1"),
        proposed("A2", side="recovery"),
        e.WaitingStarted(party="carrier"),
    ]
    for fact in facts:
        log.add(case, fact)
    return log


def cases_by_state() -> Log:
    """Cases 1-6: detected, two escalated, remediated, withdrawn, and one of another tenant."""
    log = Log()
    for number in range(1, 6):
        log.add(case_id(number), detected(number))
    log.add(case_id(2), escalated(1))
    log.add(case_id(3), escalated(3, owner="ben"))
    log.add(case_id(4), escalated(2))
    log.add(
        case_id(4), e.Remediated(resolution="refunded", customer_resolved_at=instant(START + HOUR))
    )
    log.add(case_id(5), e.Withdrawn(from_state="detected", resolution="false_alarm"))
    log.add(case_id(6, "t2"), detected(6), tenant="t2")
    return log


def ids(*numbers: int) -> list[str]:
    return [str(case_id(number)) for number in numbers]


class TicketViewConformance:
    def test_a_ticket_shows_what_its_facts_say(self, engine: Engine) -> None:
        ticket = view_of(engine, whole_story()).get("t1", CASE)
        checkpoint = detected(1).checkpoint
        assert ticket == Ticket(
            tenant="t1",
            exception_id=CASE,
            state="escalated",
            code="LOST",
            family="delay_loss",
            phase="post_ship",
            stage="breached",
            priority="P1",
            team="support",
            level=1,
            owner="anna",
            order_id="O1",
            shipment_code="S1",
            first_source="carrier",
            source_kinds=("alert", "carrier"),
            sources=2,
            checkpoint=checkpoint,
            waiting_on="carrier",
            waiting_since=START + 14 * SECOND,
            detected_at=START,
            escalated_at=START + 2 * SECOND,
            updated_at=START + 14 * SECOND,
            last_actor="anna",
            actions=(
                ActionSummary(
                    action_id="A1",
                    kind="full_refund",
                    side="customer",
                    status="succeeded",
                    episode=1,
                    amount=4_200,
                    currency="EUR",
                ),
                ActionSummary(
                    action_id="A2",
                    kind="full_refund",
                    side="recovery",
                    status="proposed",
                    episode=1,
                    currency="EUR",
                ),
            ),
            open_actions=1,
            notes=1,
            contacts=1,
            checks=(Check(item="address", result="confirmed"),),
            codes=(
                CodeStep(from_code="", code="TRANSIT_DELAY", at=START),
                CodeStep(from_code="TRANSIT_DELAY", code="LOST", at=START + 8 * SECOND),
            ),
            version=15,
            position=29,
        )

    def test_personal_text_stays_sealed_as_it_came(self, engine: Engine) -> None:
        ticket = view_of(engine, whole_story()).get("t1", CASE)
        assert ticket is not None
        assert ticket.checkpoint is not None
        assert ticket.checkpoint.raw_text == SEALED

    def test_what_ends_an_episode_is_shown_and_reopening_clears_it(self, engine: Engine) -> None:
        log = whole_story()
        done = e.Remediated(
            resolution="refunded", customer_resolved_at=instant(START + HOUR), summary=SEALED
        )
        log.add(case_id(1), done)
        log.add(case_id(1), e.Reconciled(write_back=("B1",)))
        view = view_of(engine, log)
        ticket = view.get("t1", CASE)
        assert ticket is not None
        assert (ticket.state, ticket.is_open, ticket.waiting_on) == ("reconciled", False, "")
        assert (ticket.resolution, ticket.summary) == ("refunded", SEALED)
        assert ticket.customer_resolved_at == START + HOUR
        assert ticket.reconciled_at == START + 16 * SECOND

        log.add(
            case_id(1),
            e.Reopened(from_state="reconciled", episode=2, level=2, team="claims", owner="cleo"),
        )
        ticket = view_of(engine, log).get("t1", CASE)
        assert ticket is not None
        assert (ticket.state, ticket.episode, ticket.level) == ("escalated", 2, 2)
        assert (ticket.team, ticket.owner, ticket.resolution) == ("claims", "cleo", "")
        assert (ticket.customer_resolved_at, ticket.reconciled_at) == (0, 0)

    def test_a_merged_duplicate_and_its_survivor_name_each_other(self, engine: Engine) -> None:
        log = Log()
        log.add(case_id(1), detected(1))
        log.add(case_id(2), detected(2))
        log.add(case_id(2), e.Merged(from_state="detected", into=CASE))
        other = str(case_id(2))
        log.add(case_id(1), e.MergeReceived(merged_id=other, sources=(e.Source(kind="person"),)))
        view = view_of(engine, log)
        survivor, duplicate = view.get("t1", CASE), view.get("t1", other)
        assert survivor is not None
        assert duplicate is not None
        assert (survivor.merged_from, survivor.sources) == ((other,), 2)
        assert (duplicate.state, duplicate.merged_into) == ("merged", CASE)

    @pytest.mark.parametrize(
        ("conditions", "expected"),
        [
            ((), [1, 2, 3, 4, 5]),
            ((Condition("open", "=", True),), [1, 2, 3]),
            ((Condition("open", "=", False),), [4, 5]),
            ((Condition("open", "!=", True),), [4, 5]),
            ((Condition("state", "=", "escalated"),), [2, 3]),
            ((Condition("state", "!=", "escalated"),), [1, 4, 5]),
            ((Condition("level", ">=", 2),), [3, 4]),
            ((Condition("level", "<", 1),), [1, 5]),
            ((Condition("level", ":", "*"),), [2, 3, 4]),
            ((Condition("owner", ":", "queue:"),), [2, 4]),
            ((Condition("owner", ":", "*"),), [2, 3, 4]),
            ((Condition("owner", ":", "%"),), []),
            ((Condition("order_id", "=", "O4"),), [4]),
            ((Condition("shipment_code", ">", "S3"),), [4, 5]),
            ((Condition("detected_at", "<=", START + SECOND),), [1, 2]),
            ((Condition("updated_at", ">", START + 5 * SECOND),), [3, 4, 5]),
            ((Condition("level", ">", 0), Condition("state", "=", "escalated")), [2, 3]),
            ((Condition("exception_id", "=", str(case_id(3))),), [3]),
            ((Condition("code", "=", "it's"),), []),
            ((Condition("stage", "=", "breached"),), [1, 2, 3, 4, 5]),
            ((Condition("first_source", "!=", "carrier"),), []),
            ((Condition("due_at", ":", "*"),), []),
            ((Condition("due_at", "<", START + 9 * HOUR),), []),
            ((Condition("due_at", ">", START),), [1, 2, 3, 4, 5]),
        ],
    )
    def test_a_list_holds_what_meets_every_condition(
        self, engine: Engine, conditions: tuple[Condition, ...], expected: list[int]
    ) -> None:
        view = view_of(engine, cases_by_state())
        tickets = view.list("t1", conditions, order_by=(Order("detected_at"),), limit=100)
        assert [ticket.exception_id for ticket in tickets] == ids(*expected)

    @pytest.mark.parametrize(
        "order_by",
        [
            (),
            (Order("updated_at", descending=True),),
            (Order("level"), Order("updated_at", descending=True)),
            (Order("state", descending=True), Order("owner")),
            (Order("code"), Order("exception_id", descending=True)),
        ],
    )
    def test_pages_put_together_are_the_whole_list(
        self, engine: Engine, order_by: tuple[Order, ...]
    ) -> None:
        view = view_of(engine, busy_log(20, tenants=["t1"]))
        whole = view.list("t1", order_by=order_by, limit=100)
        pages: list[Ticket] = []
        after: tuple[str | int, ...] = ()
        while page := view.list("t1", order_by=order_by, after=after, limit=3):
            pages.extend(page)
            after = page_key(page[-1], order_by)
        assert pages == whole
        assert len(whole) == 20
        for key in reversed(order_by):
            whole = sorted(
                whole, key=lambda ticket: getattr(ticket, key.field), reverse=key.descending
            )
        keys = [[getattr(ticket, key.field) for key in order_by] for ticket in whole]
        assert [[getattr(ticket, key.field) for key in order_by] for ticket in pages] == keys

    @pytest.mark.parametrize("field", SORTABLE)
    def test_every_field_can_be_ordered_and_filtered_by(self, engine: Engine, field: str) -> None:
        view = view_of(engine, cases_by_state())
        first = view.list("t1", order_by=(Order(field),), limit=1)[0]
        same = view.list("t1", (Condition(field, "=", getattr(first, field)),), limit=100)
        assert first in same

    @pytest.mark.parametrize(
        "condition",
        [
            Condition("body", "=", "x"),
            Condition("tenant", "=", "t2"),
            Condition("level", "=", "high"),
            Condition("level", ":", 1),
            Condition("open", "<", True),
            Condition("state", "=", 1),
        ],
    )
    def test_a_condition_that_makes_no_sense_is_refused(
        self, engine: Engine, condition: Condition
    ) -> None:
        view = view_of(engine, Log())
        with pytest.raises(QueryRefused, match=condition.field):
            view.list("t1", (condition,), limit=1)

    def test_orders_and_counts_by_other_fields_are_refused(self, engine: Engine) -> None:
        view = view_of(engine, Log())
        with pytest.raises(QueryRefused, match="open"):
            view.list("t1", order_by=(Order("open"),), limit=1)
        with pytest.raises(QueryRefused, match="twice"):
            view.list("t1", order_by=(Order("code"), Order("code", descending=True)), limit=1)
        with pytest.raises(QueryRefused, match="team"):
            view.count("t1", "team")
        with pytest.raises(QueryRefused, match="team"):
            view.count("t1", "state", (Condition("team", "=", "x"),), as_of=START)
        with pytest.raises(QueryRefused, match="page key"):
            view.list("t1", after=("x",), limit=1)

    def test_a_watcher_gets_changed_tickets_once_in_log_order(self, engine: Engine) -> None:
        log = cases_by_state()
        view = view_of(engine, log)
        first = view.changed_after("t1", 0, 3)
        rest = view.changed_after("t1", first[-1].position, 100)
        seen = [ticket.exception_id for ticket in (*first, *rest)]
        assert seen == ids(1, 2, 3, 4, 5)
        assert view.changed_after("t1", rest[-1].position, 100) == []
        log.add(case_id(2), e.NoteAdded(text=SEALED))
        changed = view_of(engine, log).changed_after("t1", rest[-1].position, 100)
        assert [ticket.exception_id for ticket in changed] == ids(2)

    def test_counts_now_are_per_value(self, engine: Engine) -> None:
        view = view_of(engine, cases_by_state())
        assert view.count("t1", "state") == {
            "detected": 1,
            "escalated": 2,
            "remediated": 1,
            "withdrawn": 1,
        }
        assert view.count("t1", "level", (Condition("open", "=", True),)) == {0: 1, 1: 1, 3: 1}
        assert view.count("t1", "owner", (Condition("level", ">", 0),)) == {
            "ben": 1,
            "queue:logistics": 2,
        }
        assert view.count("t2", "code") == {"TRANSIT_DELAY": 1}
        assert view.count("t3", "family") == {}

    def test_a_count_as_of_a_moment_folds_what_had_occurred_in_log_order(
        self, engine: Engine
    ) -> None:
        log = Log()
        log.add(case_id(1), detected(1), occurred=START)
        log.add(case_id(2), detected(2), occurred=START + HOUR)
        log.add(case_id(1), escalated(1), occurred=START + 2 * HOUR)
        # Recorded later, but it happened before the escalation: log order decides.
        log.add(case_id(1), escalated(2, from_level=1, owner="ben"), occurred=START + HOUR)
        done = e.Remediated(resolution="told", customer_resolved_at=instant(START + 4 * HOUR))
        log.add(case_id(1), done, occurred=START + 4 * HOUR)
        view = view_of(engine, log)
        is_open = (Condition("open", "=", True),)

        def levels(hours: int, less: int = 0) -> dict[str | int, int]:
            return dict(view.count("t1", "level", is_open, as_of=START + hours * HOUR - less))

        assert levels(0, less=1) == {}
        assert levels(0) == {0: 1}
        assert levels(1) == {0: 1, 2: 1}
        assert levels(2) == {0: 1, 2: 1}
        assert levels(4, less=1) == {0: 1, 2: 1}
        assert levels(4) == {0: 1}
        assert view.count("t1", "state", as_of=START + 4 * HOUR) == {"detected": 1, "remediated": 1}
        assert view.count("t1", "owner", as_of=START + HOUR) == {"": 1, "ben": 1}

    def test_a_case_whose_first_fact_had_not_occurred_is_not_counted(self, engine: Engine) -> None:
        log = Log()
        log.add(case_id(1), detected(1), occurred=START + HOUR)
        log.add(case_id(1), escalated(1), occurred=START)
        assert view_of(engine, log).count("t1", "state", as_of=START) == {}

    @pytest.mark.parametrize("by", COUNT_FIELDS)
    def test_a_count_as_of_the_end_of_time_is_the_count_now(self, engine: Engine, by: str) -> None:
        view = view_of(engine, busy_log(15))
        assert view.count("t1", by, as_of=START + 1_000 * HOUR) == view.count("t1", by)
        conditions = (Condition("open", "=", True), Condition("level", ">=", 2))
        now = view.count("t1", by, conditions)
        assert view.count("t1", by, conditions, as_of=START + 1_000 * HOUR) == now

    def test_no_tenant_sees_tickets_of_another(self, engine: Engine) -> None:
        view = view_of(engine, cases_by_state())
        foreign = str(case_id(6, "t2"))
        assert view.get("t1", foreign) is None
        assert view.get("t2", CASE) is None
        assert [t.exception_id for t in view.list("t2", limit=100)] == [foreign]
        assert all(t.tenant == "t1" for t in view.list("t1", limit=100))
        assert all(t.tenant == "t1" for t in view.changed_after("t1", 0, 100))
        condition = (Condition("exception_id", "=", foreign),)
        assert view.list("t1", condition, limit=100) == []
        assert sum(view.count("t2", "state", as_of=START + HOUR).values()) == 1

    def test_the_position_is_that_of_the_last_event_scanned(self, engine: Engine) -> None:
        log = cases_by_state()
        assert view_of(engine, Log()).position() == 0
        log.publish()
        assert view_of(engine, log).position() == log.position

    def test_every_field_of_a_condition_is_a_property_of_a_ticket(self, engine: Engine) -> None:
        fields = {field.name for field in msgspec.structs.fields(Ticket)}
        assert set(FILTERS) - {"open"} <= fields
        assert set(COUNT_FIELDS) <= set(FILTERS)
