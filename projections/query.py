"""What a caller may ask of a read model: conditions, orders, and the fields they may name."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Operator = Literal["=", "!=", "<", "<=", ">", ">=", ":"]
OPERATORS: tuple[Operator, ...] = ("=", "!=", "<", "<=", ">", ">=", ":")

Kind = Literal["text", "word", "integer", "time", "due", "date", "flag"]
"""What a field holds: text, a word that is only compared whole, an integer, microseconds UTC, the
same with :data:`NEVER` for none, ``YYYY-MM-DD``, or True / False."""

Value = str | int | bool

NEVER = 2**63 - 1
"""The due time of what is not due at all: later than any time."""

PRESENT = "*"
"""The value of ``:`` that asks only whether the field is set at all."""


class Condition(NamedTuple):
    """One comparison; several are joined by AND.

    The value is as the field's kind says. ``:`` on text means "contains", with :data:`PRESENT`
    "is set" (text not empty, number or time not zero); flags and words know ``=`` and ``!=`` only.
    """

    field: str
    op: Operator
    value: Value


class Order(NamedTuple):
    """One key of a sort order."""

    field: str
    descending: bool = False


class QueryRefused(ValueError):
    """A condition or order names a field, operator or value that the read model has not.

    ``field`` is what was named; the text says what is allowed.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def check_conditions(conditions: Sequence[Condition], fields: Mapping[str, Kind]) -> None:
    """Raises :class:`QueryRefused` at the first condition that ``fields`` does not allow."""
    for field, op, value in conditions:
        kind = fields.get(field)
        if kind is None:
            raise QueryRefused(field, f"unknown field {field!r}; allowed: {', '.join(fields)}")
        if op not in _operators(kind, value):
            raise QueryRefused(field, f"{op} is not allowed for {field} with {value!r}")
        wanted = _TYPES.get(kind, str)
        if type(value) is not wanted and not (op == ":" and value == PRESENT):
            raise QueryRefused(field, f"{field} is compared with {kind}, not with {value!r}")


def check_order(order: Sequence[Order], fields: Sequence[str]) -> None:
    """Raises :class:`QueryRefused` for a key that cannot be sorted by, or one named twice."""
    seen: set[str] = set()
    for field, _ in order:
        if field not in fields:
            raise QueryRefused(field, f"cannot order by {field!r}; allowed: {', '.join(fields)}")
        if field in seen:
            raise QueryRefused(field, f"{field} is named twice in the order")
        seen.add(field)


_TYPES: Mapping[Kind, type] = {"integer": int, "time": int, "due": int, "flag": bool}
"""Kinds whose values are not text."""


def _operators(kind: Kind, value: Value) -> Sequence[Operator]:
    if kind in ("flag", "word"):
        return ("=", "!=")
    if kind == "text" or value == PRESENT:
        return OPERATORS
    return OPERATORS[:-1]
