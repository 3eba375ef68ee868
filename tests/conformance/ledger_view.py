"""What every ledger view must do, whatever engine it stands on."""

import pytest

from esm import events as e
from esm.ids import event_id
from projections.engine import Engine
from projections.ledger.projection import LedgerProjection
from projections.ledger.sql import SqlLedgerView
from projections.ledger.view import FILTERS, Balance, By, JournalEntry, NetCost, StatementLine
from projections.query import Condition, QueryRefused
from tests.projections.running import run
from tests.projections.samples import (
    CHART,
    RULES,
    START,
    Log,
    approved,
    busy_log,
    case_id,
    entry,
    outcome,
)

REFUND = [("4100", 8_403), ("2070", 1_597), ("2010", -10_000)]
PAID = [("2010", 10_000), ("1020", -10_000)]
CLAIM = [("9010", 5_000), ("9990", -5_000)]
AGREED = [("1110", 3_000), ("9990", 3_000), ("6010", -3_000), ("9010", -3_000)]
FREIGHT = [("5010", 700), ("5110", 50), ("1010", -750)]


def view_of(engine: Engine, log: Log) -> SqlLedgerView:
    run(engine, LedgerProjection(), log)
    return SqlLedgerView(engine)


def id_of(recorded: e.Recorded) -> str:
    return event_id(recorded.aggregate_id, recorded.version)


def books() -> tuple[Log, list[str]]:
    """A refund (approved, paid), a claim (filed, agreed), freight; and the ids of their events."""
    log = Log()
    log.publish()
    case, other = case_id(1), case_id(2)
    made = [
        log.add(case, approved(entry(REFUND, effective="2026-01-31"))),
        log.add(case, outcome(entry(PAID, effective="2026-02-02"))),
        log.add(case, approved(entry(CLAIM, effective="2026-02-01", action_id="A2"))),
        log.add(case, outcome(entry(AGREED, effective="2025-12-31", action_id="A2"))),
        log.add(
            other, approved(entry(FREIGHT, case=other, effective="2026-02-01", currency="USD"))
        ),
    ]
    return log, [id_of(recorded) for recorded in made]


def balances(found: tuple[Balance, ...]) -> dict[tuple[str, str], tuple[int, int]]:
    return {(b.account, b.currency): (b.debit, b.credit) for b in found}


class LedgerViewConformance:
    def test_an_entry_holds_its_event_and_every_line_its_tags(self, engine: Engine) -> None:
        log, made = books()
        found = view_of(engine, log).entry("t1", made[0])
        assert found is not None
        recorded = log.recorded[1]
        assert (found.position, found.topic) == (recorded.position, recorded.topic)
        assert (found.occurred, found.recorded) == (recorded.occurred, recorded.recorded)
        assert (found.ledger, found.year, found.number) == ("default", 2026, 1)
        assert (found.effective, found.currency, found.rules) == ("2026-01-31", "EUR", RULES)
        assert (found.order_id, found.exception_id, found.episode) == ("O1", str(case_id(1)), 1)
        assert (found.actor, found.mirrors) == ("anna", "")
        assert [(x.index, x.account, x.debit, x.credit) for x in found.lines] == [
            (0, "4100", 8_403, 0),
            (1, "2070", 1_597, 0),
            (2, "2010", 0, 10_000),
        ]
        for line in found.lines:
            assert (line.row, line.party, line.sale_line) == ("R1", "customer", "L1")
            assert (line.logistics_line, line.shipment_code, line.action_id) == ("", "S1", "A1")
            assert (line.order_id, line.exception_id, line.episode) == ("O1", str(case_id(1)), 1)

    def test_an_event_without_entry_makes_none(self, engine: Engine) -> None:
        log = Log()
        log.publish()
        recorded = log.add(case_id(1), approved(None))
        view = view_of(engine, log)
        assert view.entry("t1", id_of(recorded)) is None
        assert view.entries("t1", limit=10) == []
        assert view.position() == log.position

    def test_numbers_run_without_gaps_per_tenant_ledger_and_year(self, engine: Engine) -> None:
        log = Log()
        for tenant in ("t1", "t2"):
            log.publish(tenant)
        for number in range(24):
            case = case_id(number)
            booked = entry(
                PAID,
                case=case,
                ledger="ab"[number % 2],
                effective=f"202{5 + number % 3}-03-01",
            )
            log.add(case, approved(booked), tenant=f"t{1 + number // 12}")
        view = view_of(engine, log)
        for tenant in ("t1", "t2"):
            series: dict[tuple[str, int], list[int]] = {}
            for found in view.entries(tenant, limit=100):
                series.setdefault((found.ledger, found.year), []).append(found.number)
            assert series == {(x, y): [1, 2] for x in "ab" for y in (2025, 2026, 2027)}
            assert view.ledgers(tenant) == ["a", "b"]

    def test_the_trial_balance_is_exact_and_keeps_memoranda_apart(self, engine: Engine) -> None:
        log, _ = books()
        found = view_of(engine, log).trial_balance("t1", "default")
        assert balances(found.accounts) == {
            ("1010", "USD"): (0, 750),
            ("1020", "EUR"): (0, 10_000),
            ("1110", "EUR"): (3_000, 0),
            ("2010", "EUR"): (10_000, 10_000),
            ("2070", "EUR"): (1_597, 0),
            ("4100", "EUR"): (8_403, 0),
            ("5010", "USD"): (700, 0),
            ("5110", "USD"): (50, 0),
            ("6010", "EUR"): (0, 3_000),
        }
        assert balances(found.memoranda) == {
            ("9010", "EUR"): (5_000, 3_000),
            ("9990", "EUR"): (3_000, 5_000),
        }
        for part in (found.accounts, found.memoranda):
            for currency in {b.currency for b in part}:
                assert sum(b.balance for b in part if b.currency == currency) == 0

    def test_a_trial_balance_can_be_cut_by_either_date(self, engine: Engine) -> None:
        log, _ = books()
        view = view_of(engine, log)

        def accounts(effective: str | None = None, recorded: int | None = None) -> set[str]:
            found = view.trial_balance("t1", "default", effective=effective, recorded=recorded)
            return {b.account for b in (*found.accounts, *found.memoranda)}

        assert accounts(effective="2025-12-30") == set()
        assert accounts(effective="2025-12-31") == {"1110", "9990", "6010", "9010"}
        by_january = accounts(effective="2026-01-31")
        assert by_january == {"1110", "9990", "6010", "9010", "4100", "2070", "2010"}
        third = log.recorded[3].recorded
        assert accounts(recorded=third) == {"4100", "2070", "2010", "1020", "9010", "9990"}
        assert accounts(recorded=third - 1) == {"4100", "2070", "2010", "1020"}
        assert accounts(effective="2026-01-31", recorded=third) == {"4100", "2070", "2010"}

    @pytest.mark.parametrize(
        ("by", "expected"),
        [
            ("recorded", [(-10_000, -10_000), (10_000, 0), (-500, -500), (40, -460)]),
            ("effective", [(40, 40), (-500, -460), (-10_000, -10_460), (10_000, -460)]),
        ],
    )
    def test_a_statement_runs_by_the_date_asked_for(
        self, engine: Engine, by: By, expected: list[tuple[int, int]]
    ) -> None:
        log = Log()
        log.publish()
        case = case_id(1)
        log.add(case, approved(entry(REFUND, effective="2026-01-31")))
        log.add(case, outcome(entry(PAID, effective="2026-02-02")))
        log.add(case, approved(entry([("4100", 500), ("2010", -500)], effective="2026-01-30")))
        log.add(case, outcome(entry([("2010", 40), ("1020", -40)], effective="2025-11-01")))
        log.add(
            case, outcome(entry([("2010", 7), ("1020", -7)], effective="2026-01-01", ledger="b"))
        )
        view = view_of(engine, log)
        pages: list[StatementLine] = []
        after: tuple[str | int, ...] = ()
        while page := view.account_statement("t1", "default", "2010", by=by, after=after, limit=3):
            pages.extend(page)
            after = page[-1].key(by)
        assert [(p.line.debit - p.line.credit, p.balance) for p in pages] == expected
        assert view.account_statement("t1", "default", "2010", by=by, limit=100) == pages

    def test_a_statement_can_be_cut_and_keeps_currencies_apart(self, engine: Engine) -> None:
        log = Log()
        log.publish()
        case = case_id(1)
        for day, currency in ((1, "EUR"), (2, "USD"), (3, "EUR")):
            booked = entry(PAID, effective=f"2026-01-0{day}", currency=currency)
            log.add(case, outcome(booked))
        view = view_of(engine, log)

        def run_of(
            effective: str | None = None, recorded: int | None = None
        ) -> list[tuple[str, int]]:
            found = view.account_statement(
                "t1", "default", "2010", effective=effective, recorded=recorded, limit=10
            )
            return [(x.entry.currency, x.balance) for x in found]

        assert run_of() == [("EUR", 10_000), ("USD", 10_000), ("EUR", 20_000)]
        assert run_of(effective="2026-01-02") == [("EUR", 10_000), ("USD", 10_000)]
        assert run_of(recorded=log.recorded[1].recorded) == [("EUR", 10_000)]

    def test_an_order_statement_says_what_its_cases_cost(self, engine: Engine) -> None:
        log, made = books()
        view = view_of(engine, log)
        found = view.order_statement("t1", "O1", limit=100)
        assert [x.event_id for x in found.entries] == made
        assert found.costs == tuple(
            sorted(
                (
                    NetCost(
                        exception_id=str(case_id(1)),
                        currency="EUR",
                        revenue_undone=8_403,
                        handling_cost=0,
                        recovered=3_000,
                    ),
                    NetCost(
                        exception_id=str(case_id(2)),
                        currency="USD",
                        revenue_undone=0,
                        handling_cost=750,
                        recovered=0,
                    ),
                ),
                key=lambda cost: cost.exception_id,
            )
        )
        assert {c.currency: c.net_cost for c in found.costs} == {"EUR": 5_403, "USD": 750}
        second = view.order_statement("t1", "O1", after=found.entries[1].position, limit=2)
        assert [x.event_id for x in second.entries] == made[2:4]
        assert second.costs == found.costs
        assert view.order_statement("t1", "O2", limit=1).entries == ()

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (Condition("account", "=", "2010"), [0, 1]),
            (Condition("account", ":", "9"), [2, 3]),
            (Condition("action_id", "=", "A2"), [2, 3]),
            (Condition("currency", "!=", "EUR"), [4]),
            (Condition("effective", ">=", "2026-02-01"), [1, 2, 4]),
            (Condition("year", "=", 2025), [3]),
            (Condition("number", "=", 2), [1]),
            (Condition("topic", ":", "outcome"), [1, 3]),
            (Condition("exception_id", "=", str(case_id(2))), [4]),
            (Condition("exception_id", "!=", str(case_id(2))), [0, 1, 2, 3]),
            (Condition("order_id", "=", "O2"), []),
            (Condition("mirrors", ":", "*"), []),
            (Condition("recorded", "<", START), []),
        ],
    )
    def test_entries_can_be_asked_for_by_what_they_hold(
        self, engine: Engine, condition: Condition, expected: list[int]
    ) -> None:
        log, made = books()
        found = view_of(engine, log).entries("t1", (condition,), limit=100)
        assert [x.event_id for x in found] == [made[index] for index in expected]

    @pytest.mark.parametrize("field", FILTERS)
    def test_every_field_of_an_entry_can_be_asked_for(self, engine: Engine, field: str) -> None:
        log, _ = books()
        view = view_of(engine, log)
        first = view.entries("t1", limit=1)[0]
        source = first if hasattr(first, field) else first.lines[0]
        same = view.entries("t1", (Condition(field, "=", getattr(source, field)),), limit=100)
        assert first in same

    def test_a_condition_on_another_field_is_refused(self, engine: Engine) -> None:
        view = view_of(engine, Log())
        with pytest.raises(QueryRefused, match="tenant"):
            view.entries("t1", (Condition("tenant", "=", "t2"),), limit=1)

    def test_an_entry_with_a_line_of_another_case_is_found_by_both(self, engine: Engine) -> None:
        log = Log()
        log.publish()
        first, second = str(case_id(1)), str(case_id(2))
        log.add(case_id(1), approved(entry(REFUND, of_case=second)))
        view = view_of(engine, log)
        for case in (first, second):
            found = view.entries("t1", (Condition("exception_id", "=", case),), limit=10)
            assert [x.exception_id for x in found] == [first]
            assert [x.exception_id for x in found[0].lines] == [first, first, second]

    def test_pages_of_entries_are_the_whole_list(self, engine: Engine) -> None:
        view = view_of(engine, busy_log(20))
        whole = view.entries("t1", limit=1_000)
        pages: list[JournalEntry] = []
        while page := view.entries("t1", after=pages[-1].position if pages else 0, limit=7):
            pages.extend(page)
        assert pages == whole
        assert len(whole) == 20 * 4

    def test_the_chart_is_what_was_published(self, engine: Engine) -> None:
        log = Log()
        log.publish()
        more = {**CHART, "1010": {"kind": "asset", "title": {"en": "Banks"}}}
        more["1900"] = {"kind": "asset", "title": {"en": "ERP"}}
        log.publish(rules="rules-2", chart=more)
        view = view_of(engine, log)
        accounts = {account.number: account for account in view.accounts("t1")}
        assert list(accounts) == sorted(more)
        assert accounts["1010"].title == {"en": "Banks"}
        assert (accounts["2010"].kind, accounts["2010"].control) == ("liability", True)
        assert view.accounts("t2") == []

    def test_no_tenant_sees_the_books_of_another(self, engine: Engine) -> None:
        log, made = books()
        log.publish("t2")
        foreign = log.add(
            case_id(9, "t2"), approved(entry(REFUND, case=case_id(9, "t2"))), tenant="t2"
        )
        view = view_of(engine, log)
        assert view.entry("t2", made[0]) is None
        assert view.entry("t1", id_of(foreign)) is None
        assert [x.event_id for x in view.entries("t2", limit=100)] == [id_of(foreign)]
        assert len(view.entries("t1", limit=100)) == len(made)
        assert len(view.order_statement("t2", "O1", limit=100).entries) == 1
        assert len(view.account_statement("t2", "default", "2010", limit=100)) == 1
        found = balances(view.trial_balance("t2", "default").accounts)
        assert found["2010", "EUR"] == (0, 10_000)
        assert view.trial_balance("t3", "default").accounts == ()
        assert view.ledgers("t3") == []
