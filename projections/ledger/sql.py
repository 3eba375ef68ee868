"""The ledger view on a view store."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from projections.conditions import Clause, compare, joined, marks, padded
from projections.engine import Engine, Reader, Row
from projections.ledger.chart import Chart, read_chart
from projections.ledger.projection import LedgerProjection
from projections.ledger.tables import ENTRY_COLUMNS, LINE_COLUMNS
from projections.ledger.view import (
    ENTRIES_MAX,
    FILTERS,
    MEMO,
    Account,
    Balance,
    By,
    JournalEntry,
    LedgerView,
    Line,
    NetCost,
    OrderStatement,
    StatementLine,
    TrialBalance,
)
from projections.query import Condition, QueryRefused, check_conditions

NAME = LedgerProjection.NAME

_ENTRY = ", ".join(f"e.{name}" for name in ENTRY_COLUMNS)
_LINE = ", ".join(f"l.{name}" for name in LINE_COLUMNS)
_OF_LINES = {
    "account": "account",
    "row": "posting_row",
    "action_id": "action_id",
    "shipment_code": "shipment_code",
}
"""Fields of conditions that ask for an entry with such a line, and their columns."""

_NET_COST = {
    "revenue_undone": ("41",),
    "handling_cost": ("50", "51"),
    "recovered": ("60",),
}
"""What the first two digits of an account make it in the net cost of a case."""


class SqlLedgerView(LedgerView):
    """Reads the ledger from the live generation of a store's tables."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def accounts(self, tenant: str) -> Sequence[Account]:
        chart = self._engine.read(NAME, lambda read: _chart(read, tenant))
        return [chart[number] for number in sorted(chart)]

    def ledgers(self, tenant: str) -> Sequence[str]:
        sql = "SELECT DISTINCT ledger FROM {ledger_numbers} WHERE tenant = ? ORDER BY ledger"
        return [name for (name,) in self._engine.read(NAME, lambda read: read.rows(sql, (tenant,)))]

    def entries(
        self, tenant: str, conditions: Sequence[Condition] = (), *, after: int = 0, limit: int
    ) -> Sequence[JournalEntry]:
        check_conditions(conditions, FILTERS)

        def question(read: Reader) -> Sequence[JournalEntry]:
            clauses: list[Clause] = [("e.tenant = ?", [tenant]), ("e.position > ?", [after])]
            clauses += [_clause(tenant, c, read.CONTAINS) for c in conditions]
            return _entries(read, tenant, clauses, limit)

        return self._engine.read(NAME, question)

    def entry(self, tenant: str, event_id: str) -> JournalEntry | None:
        clauses: list[Clause] = [("e.tenant = ?", [tenant]), ("e.event_id = ?", [event_id])]
        found = self._engine.read(NAME, lambda read: _entries(read, tenant, clauses, 1))
        return found[0] if found else None

    def trial_balance(
        self,
        tenant: str,
        ledger: str,
        *,
        effective: str | None = None,
        recorded: int | None = None,
    ) -> TrialBalance:
        clauses: list[Clause] = [("l.tenant = ?", [tenant]), ("l.ledger = ?", [ledger])]
        where, values = joined([*clauses, *_cut(effective, recorded)])
        sql = (
            f"SELECT l.account, l.currency, {_sum('l.debit')}, {_sum('l.credit')}"
            f" FROM {{ledger_lines}} l WHERE {where}"
            " GROUP BY l.account, l.currency ORDER BY l.account, l.currency"
        )

        def question(read: Reader) -> TrialBalance:
            chart = _chart(read, tenant)
            accounts: list[Balance] = []
            memoranda: list[Balance] = []
            for account, currency, debit, credit in read.rows(sql, values):
                kind = chart[account].kind if account in chart else ""
                (memoranda if kind == MEMO else accounts).append(
                    Balance(account=account, currency=currency, debit=debit, credit=credit)
                )
            return TrialBalance(accounts=tuple(accounts), memoranda=tuple(memoranda))

        return self._engine.read(NAME, question)

    def account_statement(
        self,
        tenant: str,
        ledger: str,
        account: str,
        *,
        by: By = "effective",
        effective: str | None = None,
        recorded: int | None = None,
        after: Sequence[str | int] = (),
        limit: int,
    ) -> Sequence[StatementLine]:
        if after and len(after) != len(_keys(by)):
            raise QueryRefused("after", "the page key is not of a statement")
        clauses: list[Clause] = [
            ("l.tenant = ?", [tenant]),
            ("l.ledger = ?", [ledger]),
            ("l.account = ?", [account]),
            *_cut(effective, recorded),
        ]

        def question(read: Reader) -> Sequence[StatementLine]:
            opening = _opening(read, clauses, by, after) if after else {}
            return _statement(read, clauses, by, after, balances=opening, limit=limit)

        return self._engine.read(NAME, question)

    def order_statement(
        self, tenant: str, order_id: str, *, after: int = 0, limit: int
    ) -> OrderStatement:
        clauses: list[Clause] = [
            ("e.tenant = ?", [tenant]),
            ("e.order_id = ?", [order_id]),
            ("e.position > ?", [after]),
        ]

        def question(read: Reader) -> OrderStatement:
            return OrderStatement(
                entries=tuple(_entries(read, tenant, clauses, limit)),
                costs=_costs(read, tenant, order_id),
            )

        return self._engine.read(NAME, question)

    def position(self) -> int:
        return self._engine.position(NAME)


def _chart(read: Reader, tenant: str) -> Chart:
    """Every account ever published to the tenant; of a number the newest one."""
    sql = "SELECT accounts FROM {ledger_rules} WHERE tenant = ? ORDER BY position, digest"
    chart: dict[str, Account] = {}
    for text in dict.fromkeys(text for (text,) in read.rows(sql, (tenant,))):
        chart.update(read_chart(text))
    return chart


def _entries(
    read: Reader, tenant: str, clauses: Sequence[Clause], limit: int
) -> list[JournalEntry]:
    where, values = joined(clauses)
    sql = f"SELECT {_ENTRY} FROM {{ledger_entries}} e WHERE {where} ORDER BY e.position LIMIT ?"
    rows = read.rows(sql, (*values, min(limit, ENTRIES_MAX)))
    lines = _lines(read, tenant, [row[0] for row in rows])
    return [_entry(row, lines[row[0]]) for row in rows]


def _lines(read: Reader, tenant: str, positions: Sequence[int]) -> defaultdict[int, list[Line]]:
    found: defaultdict[int, list[Line]] = defaultdict(list)
    if positions:
        wanted = padded(positions)
        sql = (
            f"SELECT {_LINE} FROM {{ledger_lines}} l"
            f" WHERE l.tenant = ? AND l.position IN ({marks(len(wanted))})"
            " ORDER BY l.position, l.leg"
        )
        for row in read.rows(sql, (tenant, *wanted)):
            found[row[0]].append(_line(row))
    return found


def _opening(
    read: Reader, clauses: Sequence[Clause], by: By, after: Sequence[str | int]
) -> dict[str, int]:
    """The balance per currency up to a page key, that line included."""
    keys = ", ".join(_keys(by))
    where, values = joined([*clauses, (f"({keys}) <= (?, ?, ?)", [*after])])
    sql = (
        f"SELECT l.currency, {_sum('l.debit - l.credit')} FROM {{ledger_lines}} l"
        f" WHERE {where} GROUP BY l.currency"
    )
    return dict(read.rows(sql, values))


def _statement(
    read: Reader,
    clauses: Sequence[Clause],
    by: By,
    after: Sequence[str | int],
    *,
    balances: dict[str, int],
    limit: int,
) -> list[StatementLine]:
    keys = ", ".join(_keys(by))
    page: list[Clause] = [(f"({keys}) > (?, ?, ?)", [*after])] if after else []
    where, values = joined([*clauses, *page])
    sql = (
        f"SELECT {_LINE}, {_ENTRY} FROM {{ledger_lines}} l"
        " JOIN {ledger_entries} e ON e.tenant = l.tenant AND e.position = l.position"
        f" WHERE {where} ORDER BY {keys} LIMIT ?"
    )
    answer: list[StatementLine] = []
    for row in read.rows(sql, (*values, min(limit, ENTRIES_MAX))):
        line = _line(row[: len(LINE_COLUMNS)])
        entry = _entry(row[len(LINE_COLUMNS) :], ())
        balance = balances.get(entry.currency, 0) + line.debit - line.credit
        balances[entry.currency] = balance
        answer.append(StatementLine(entry=entry, line=line, balance=balance))
    return answer


def _costs(read: Reader, tenant: str, order_id: str) -> tuple[NetCost, ...]:
    """What each case of an order cost, by case and currency."""
    sql = (
        f"SELECT l.exception_id, l.currency, substr(l.account, 1, 2), {_sum('l.debit - l.credit')}"
        # CROSS: else SQLite goes through all lines and looks for the entry of each.
        " FROM {ledger_entries} e CROSS JOIN {ledger_lines} l"
        " WHERE l.tenant = e.tenant AND l.position = e.position"
        " AND e.tenant = ? AND e.order_id = ?"
        " GROUP BY l.exception_id, l.currency, substr(l.account, 1, 2)"
    )
    totals: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for case, currency, group, amount in read.rows(sql, (tenant, order_id)):
        totals[case, currency][group] = amount
    return tuple(
        NetCost(
            exception_id=case,
            currency=currency,
            revenue_undone=_group(groups, "revenue_undone"),
            handling_cost=_group(groups, "handling_cost"),
            recovered=-_group(groups, "recovered"),
        )
        for (case, currency), groups in sorted(totals.items())
    )


def _group(groups: dict[str, int], part: str) -> int:
    return sum(groups.get(digits, 0) for digits in _NET_COST[part])


def _clause(tenant: str, condition: Condition, contains: str) -> Clause:
    column = _OF_LINES.get(condition.field)
    if column is not None:
        text, values = compare(f"l.{column}", "text", condition, contains)
        return _has_line(text), values
    text, values = compare(f"e.{condition.field}", FILTERS[condition.field], condition, contains)
    if condition.field != "exception_id" or condition.op == "!=":
        return text, values
    # Not an OR and not correlated: either would look at every entry of the tenant.
    own, own_values = compare("o.exception_id", "text", condition, contains)
    shared, shared_values = compare("s.exception_id", "text", condition, contains)
    sql = (
        f"e.position IN (SELECT o.position FROM {{ledger_entries}} o WHERE o.tenant = ? AND {own}"
        f" UNION SELECT s.position FROM {{ledger_shared}} s WHERE s.tenant = ? AND {shared})"
    )
    return sql, [tenant, *own_values, tenant, *shared_values]


def _has_line(text: str) -> str:
    return (
        "EXISTS (SELECT 1 FROM {ledger_lines} l"
        f" WHERE l.tenant = e.tenant AND l.position = e.position AND {text})"
    )


def _cut(effective: str | None, recorded: int | None) -> Iterable[Clause]:
    if effective is not None:
        yield "l.effective <= ?", [effective]
    if recorded is not None:
        yield "l.recorded <= ?", [recorded]


def _keys(by: By) -> tuple[str, str, str]:
    return (f"l.{by}", "l.position", "l.leg")


def _sum(expression: str) -> str:
    return f"CAST(sum({expression}) AS bigint)"


def _entry(row: Row, lines: Iterable[Line]) -> JournalEntry:
    return JournalEntry(**dict(zip(ENTRY_COLUMNS, row, strict=True)), lines=tuple(lines))


def _line(row: Row) -> Line:
    (_, index, account, debit, credit, posting_row, party, order_id) = row[:8]
    (sale_line, logistics_line, shipment_code, exception_id, episode, action_id) = row[8:]
    return Line(
        index=index,
        account=account,
        debit=debit,
        credit=credit,
        row=posting_row,
        party=party,
        order_id=order_id,
        sale_line=sale_line,
        logistics_line=logistics_line,
        shipment_code=shipment_code,
        exception_id=exception_id,
        episode=episode,
        action_id=action_id,
    )
