"""The ticket view on a view store."""

from collections.abc import Mapping, Sequence

from projections.conditions import Clause, behind, compare, joined, marks, ordering, padded
from projections.engine import Engine, Reader
from projections.query import (
    Condition,
    Kind,
    Order,
    QueryRefused,
    Value,
    check_conditions,
    check_order,
)
from projections.tickets.projection import TicketProjection
from projections.tickets.tables import from_body
from projections.tickets.view import (
    AS_OF_FILTERS,
    COUNT_FIELDS,
    DEFAULT_ORDER,
    FILTERS,
    OPEN_STATES,
    SORTABLE,
    TICKETS_MAX,
    Belongs,
    Ticket,
    TicketView,
)

NAME = TicketProjection.NAME


class SqlTicketView(TicketView):
    """Reads tickets from the live generation of a store's tables."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, tenant: str, exception_id: str) -> Ticket | None:
        sql = "SELECT body FROM {tickets} WHERE tenant = ? AND exception_id = ?"
        rows = self._engine.read(NAME, lambda read: read.rows(sql, (tenant, exception_id)))
        return from_body(rows[0][0]) if rows else None

    def list(
        self,
        tenant: str,
        conditions: Sequence[Condition | Belongs] = (),
        *,
        order_by: Sequence[Order] = DEFAULT_ORDER,
        after: Sequence[str | int] = (),
        limit: int,
    ) -> Sequence[Ticket]:
        check_conditions(_plain(conditions), FILTERS)
        check_order(order_by, SORTABLE)
        keys = _with_id(order_by)

        def question(read: Reader) -> Sequence[Ticket]:
            clauses = [_tenant(tenant), *_clauses(conditions, FILTERS, read.CONTAINS)]
            if after:
                clauses.append(behind(keys, after[: len(keys)]))
            where, values = joined(clauses)
            sql = f"SELECT body FROM {{tickets}} WHERE {where} ORDER BY {ordering(keys)} LIMIT ?"
            rows = read.rows(sql, (*values, min(limit, TICKETS_MAX)))
            return [from_body(body) for (body,) in rows]

        return self._engine.read(NAME, question)

    def changed_after(self, tenant: str, position: int, limit: int) -> Sequence[Ticket]:
        sql = (
            "SELECT body FROM {tickets} WHERE tenant = ? AND position > ? ORDER BY position LIMIT ?"
        )
        values = (tenant, position, min(limit, TICKETS_MAX))
        rows = self._engine.read(NAME, lambda read: read.rows(sql, values))
        return [from_body(body) for (body,) in rows]

    def count(
        self,
        tenant: str,
        by: str,
        conditions: Sequence[Condition | Belongs] = (),
        *,
        as_of: int | None = None,
    ) -> Mapping[str | int, int]:
        if by not in COUNT_FIELDS:
            raise QueryRefused(by, f"cannot count by {by!r}; allowed: {', '.join(COUNT_FIELDS)}")
        allowed = FILTERS if as_of is None else AS_OF_FILTERS
        check_conditions(_plain(conditions), allowed)

        def question(read: Reader) -> Mapping[str | int, int]:
            if as_of is None:
                sql, values = _count_now(tenant, by, conditions, read.CONTAINS)
            else:
                sql, values = _count_as_of(tenant, by, conditions, as_of, read.CONTAINS)
            return dict(read.rows(sql, values))

        return self._engine.read(NAME, question)

    def position(self) -> int:
        return self._engine.position(NAME)


def _count_now(
    tenant: str, by: str, conditions: Sequence[Condition | Belongs], contains: str
) -> Clause:
    where, values = joined([_tenant(tenant), *_clauses(conditions, FILTERS, contains)])
    sql = f"SELECT {by}, count(*) FROM {{tickets}} WHERE {where} GROUP BY {by} ORDER BY {by}"
    return sql, values


def _count_as_of(
    tenant: str, by: str, conditions: Sequence[Condition | Belongs], as_of: int, contains: str
) -> Clause:
    """Of each property that matters the newest value that was set in time.

    Newest is in log order; a case counts once its first fact had occurred.
    """
    needed = sorted({by, *(name for condition in conditions for name in _columns(condition))})
    newest = "".join(
        f", max(CASE WHEN {name} IS NOT NULL THEN position END) AS of_{name}" for name in needed
    )
    joins = "".join(
        f" JOIN {{ticket_changes}} of_{name} ON of_{name}.tenant = ?"
        f" AND of_{name}.position = seen.of_{name}"
        for name in needed
    )
    clauses = _clauses(conditions, AS_OF_FILTERS, contains, prefix="of_{0}.")
    where, values = joined([("seen.first_version = ?", [1]), *clauses])
    sql = (
        f"SELECT of_{by}.{by}, count(*) FROM (SELECT exception_id, min(version) AS first_version"
        f"{newest} FROM {{ticket_changes}} WHERE tenant = ? AND occurred <= ?"
        f" GROUP BY exception_id) AS seen{joins}"
        f" WHERE {where} GROUP BY of_{by}.{by} ORDER BY of_{by}.{by}"
    )
    return sql, [tenant, as_of, *[tenant] * len(needed), *values]


def _plain(conditions: Sequence[Condition | Belongs]) -> list[Condition]:
    return [condition for condition in conditions if isinstance(condition, Condition)]


def _columns(condition: Condition | Belongs) -> tuple[str, ...]:
    """The columns that a condition asks about."""
    if isinstance(condition, Belongs):
        return ("code", "first_source") if condition.first_source else ("code",)
    return ("state",) if condition.field == "open" else (condition.field,)


def _belongs(condition: Belongs, prefix: str) -> Clause:
    where, values = "1 = 0", list[Value]()
    if condition.codes:
        codes = padded(condition.codes)
        where, values = f"{prefix.format('code')}code IN ({marks(len(codes))})", [*codes]
    if condition.excluded:
        where = f"NOT ({where})"
    if condition.first_source:
        where = f"{where} AND {prefix.format('first_source')}first_source = ?"
        values.append(condition.first_source)
    return f"{'NOT ' if condition.negated else ''}({where})", values


def _clauses(
    conditions: Sequence[Condition | Belongs],
    fields: Mapping[str, Kind],
    contains: str,
    prefix: str = "",
) -> list[Clause]:
    clauses: list[Clause] = []
    for condition in conditions:
        if isinstance(condition, Belongs):
            clauses.append(_belongs(condition, prefix))
            continue
        (name,) = _columns(condition)
        column = f"{prefix.format(name)}{name}"
        if condition.field == "open":
            wanted = (condition.op == "=") == condition.value
            states = f"IN ({marks(len(OPEN_STATES))})"
            clauses.append((f"{column} {'' if wanted else 'NOT '}{states}", [*OPEN_STATES]))
        else:
            clauses.append(compare(column, fields[condition.field], condition, contains))
    return clauses


def _tenant(tenant: str) -> Clause:
    return "tenant = ?", [tenant]


def _with_id(order_by: Sequence[Order]) -> list[Order]:
    """The order with the id as its last key, so that no two tickets are equal in it."""
    if any(key.field == "exception_id" for key in order_by):
        return [*order_by]
    descending = bool(order_by) and order_by[-1].descending
    return [*order_by, Order("exception_id", descending)]
