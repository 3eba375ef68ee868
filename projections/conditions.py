"""Conditions, orders and page keys as pieces of the SQL that both engines speak."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from projections.query import NEVER, PRESENT, Condition, Kind, Order, QueryRefused, Value

T = TypeVar("T")

Clause = tuple[str, list[Value]]
"""A condition in SQL and its parameters."""


def compare(column: str, kind: Kind, condition: Condition, contains: str) -> Clause:
    """A condition on a column; ``contains`` is the engine's function for ``:`` on text."""
    _, op, value = condition
    if op == ":" and value == PRESENT:
        return f"{column} <> ?", [_UNSET.get(kind, "")]
    if op == ":":
        return f"{contains}({column}, ?) > 0", [value]
    return f"{column} {'<>' if op == '!=' else op} ?", [value]


def joined(clauses: Sequence[Clause]) -> Clause:
    """All clauses by AND; there must be one."""
    return (
        " AND ".join(text for text, _ in clauses),
        [value for _, values in clauses for value in values],
    )


def ordering(order_by: Sequence[Order]) -> str:
    """The keys of an ORDER BY."""
    return ", ".join(f"{key.field}{' DESC' if key.descending else ''}" for key in order_by)


def behind(order_by: Sequence[Order], after: Sequence[Value]) -> Clause:
    """The rows that come after the key ``after`` in an order; one value per key.

    Keys that all run one way become a row comparison, which an index answers.
    """
    if len(after) != len(order_by):
        raise QueryRefused("after", f"the page key needs {len(order_by)} values")
    if len({key.descending for key in order_by}) == 1:
        names = ", ".join(key.field for key in order_by)
        return f"({names}) {_sign(order_by[0])} ({marks(len(order_by))})", list(after)
    parts: list[str] = []
    values: list[Value] = []
    for depth, key in enumerate(order_by):
        equal = [f"{earlier.field} = ?" for earlier in order_by[:depth]]
        parts.append(f"({' AND '.join([*equal, f'{key.field} {_sign(key)} ?'])})")
        values.extend(after[: depth + 1])
    return f"({' OR '.join(parts)})", values


def marks(count: int) -> str:
    """Placeholders of a list of ``count`` parameters."""
    return ", ".join("?" * count)


def padded(values: Sequence[T]) -> list[T]:
    """The values, the last one repeated up to a power of two, so that statements repeat too."""
    size = 1 << (len(values) - 1).bit_length()
    return [*values, *[values[-1]] * (size - len(values))]


_UNSET: Mapping[Kind, Value] = {"integer": 0, "time": 0, "due": NEVER}
"""What stands in a column that is not set; empty text in all others."""


def _sign(order: Order) -> str:
    return "<" if order.descending else ">"
