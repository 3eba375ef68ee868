"""Filter and order strings of list calls to conditions: a subset of AIP-160.

A filter is one or more comparisons ``field op value`` joined by ``AND``. A value is a word, or
text in single or double quotes, with a backslash before a quote or backslash of its own; what
holds a space, a colon or an operator is quoted, so every time is. ``OR``, ``NOT``, ``-`` and
parentheses are not known and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from esm.errors import InvalidCommand, Violation
from esm.times import micros
from projections.query import (
    PRESENT,
    Condition,
    Kind,
    Operator,
    Order,
    QueryRefused,
    Value,
    check_conditions,
    check_order,
)

FILTER_CHARS_MAX = 2_000
CONDITIONS_MAX = 20
ORDER_CHARS_MAX = 200
ORDER_KEYS_MAX = 4

_INTEGER_MAX = 2**63 - 1
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<op><=|>=|!=|=|<|>|:)
      | (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<word>[^\s()"'<>=!:]+)
    )""",
    re.VERBOSE,
)
_KEYWORDS = frozenset({"AND", "OR", "NOT"})


def parse_filter(text: str, fields: Mapping[str, Kind]) -> tuple[Condition, ...]:
    """The conditions of a filter string over ``fields``; none for an empty one.

    Raises :class:`InvalidCommand` that says what is wrong and what is allowed.
    """
    if len(text) > FILTER_CHARS_MAX:
        raise _refused("filter", f"must have at most {FILTER_CHARS_MAX} characters")
    tokens = _tokens(text)
    conditions = []
    while tokens:
        conditions.append(_condition(tokens, fields))
        if len(conditions) > CONDITIONS_MAX:
            raise _refused("filter", f"must have at most {CONDITIONS_MAX} comparisons")
        if tokens:
            _, joint = tokens.pop(0)
            if joint != "AND" or not tokens:
                raise _refused("filter", f"comparisons are joined by AND only, not by {joint!r}")
    _checked(lambda: check_conditions(conditions, fields), "filter")
    return tuple(conditions)


def parse_order(text: str, fields: Sequence[str]) -> tuple[Order, ...]:
    """The keys of an ``order_by`` string; none for an empty one.

    Raises :class:`InvalidCommand` that says what is wrong and what is allowed.
    """
    if len(text) > ORDER_CHARS_MAX:
        raise _refused("order_by", f"must have at most {ORDER_CHARS_MAX} characters")
    if not text.strip():
        return ()
    keys = [_order(part.split()) for part in text.split(",")]
    if len(keys) > ORDER_KEYS_MAX:
        raise _refused("order_by", f"must have at most {ORDER_KEYS_MAX} fields")
    _checked(lambda: check_order(keys, fields), "order_by")
    return tuple(keys)


def _order(words: Sequence[str]) -> Order:
    if len(words) == 1:
        return Order(words[0])
    if len(words) == 2 and words[1] in ("asc", "desc"):
        return Order(words[0], descending=words[1] == "desc")
    raise _refused("order_by", 'each key is a field, with "desc" behind it or not')


def _tokens(text: str) -> list[tuple[str, str]]:
    """(op, quoted or word; text) of everything in a filter."""
    tokens: list[tuple[str, str]] = []
    end = len(text.rstrip())
    at = 0
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _refused("filter", f"cannot be read from character {at + 1} on")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return tokens


def _condition(tokens: list[tuple[str, str]], fields: Mapping[str, Kind]) -> Condition:
    if len(tokens) < 3:
        raise _refused("filter", "ends before a comparison does; a comparison is: field op value")
    (first, field), (second, op), (third, raw) = tokens[:3]
    del tokens[:3]
    if field in _KEYWORDS or field.startswith("-"):
        raise _refused("filter", f"{field!r} is not known; comparisons are joined by AND only")
    if (first, second) != ("word", "op") or third == "op":
        raise _refused("filter", f"{field} {op} {raw} is no comparison; it is: field op value")
    kind = fields.get(field)
    if kind is None:
        raise _refused("filter", f"unknown field {field!r}; allowed: {', '.join(fields)}")
    operator: Operator = op  # type: ignore[assignment] # the pattern knows these only
    value = re.sub(r"\\(.)", r"\1", raw[1:-1]) if third == "quoted" else raw
    if operator == ":" and third == "word" and value == PRESENT:
        return Condition(field, operator, PRESENT)
    return Condition(field, operator, _value(field, kind, value))


def _value(field: str, kind: Kind, text: str) -> Value:
    try:
        return _READERS[kind](text)
    except (ValueError, OverflowError):
        raise _refused(
            "filter", f"{field} is compared with {_WANTED[kind]}, not with {text!r}"
        ) from None


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,19}", text) or abs(int(text)) > _INTEGER_MAX:
        raise ValueError(text)
    return int(text)


def _time(text: str) -> int:
    if datetime.fromisoformat(text).utcoffset() is None:
        raise ValueError(text)
    return micros(text)


def _date(text: str) -> str:
    if len(text) != len("2026-01-31"):
        raise ValueError(text)
    return date.fromisoformat(text).isoformat()


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


_READERS: Mapping[Kind, Callable[[str], Value]] = {
    "text": str,
    "word": str,
    "integer": _integer,
    "time": _time,
    "due": _time,
    "date": _date,
    "flag": _flag,
}

_WANTED: Mapping[Kind, str] = {
    "text": "text",
    "word": "a word",
    "integer": "a whole number of 64 bits",
    "time": "a time in RFC 3339 with its offset",
    "due": "a time in RFC 3339 with its offset",
    "date": "a date YYYY-MM-DD",
    "flag": "true or false",
}


def _checked(check: Callable[[], None], name: str) -> None:
    try:
        check()
    except QueryRefused as refused:
        raise _refused(name, str(refused)) from None


def _refused(field: str, text: str) -> InvalidCommand:
    return InvalidCommand([Violation(field, text)])
