"""Filter and order strings: what they mean, and that nonsense is refused in words."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esm.errors import InvalidCommand
from projections.query import PRESENT, Condition, Kind, Order
from server.wire.filters import (
    CONDITIONS_MAX,
    FILTER_CHARS_MAX,
    ORDER_KEYS_MAX,
    parse_filter,
    parse_order,
)

FIELDS: dict[str, Kind] = {
    "state": "text",
    "level": "integer",
    "open": "flag",
    "detected_at": "time",
    "effective": "date",
}


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("", []),
        ("  ", []),
        ("state=escalated", [Condition("state", "=", "escalated")]),
        ('state = "a b" AND level >= 2', [("state", "=", "a b"), ("level", ">=", 2)]),
        (r'state != "say \"hi\" \\ AND"', [("state", "!=", 'say "hi" \\ AND')]),
        ("state:'queue:'", [("state", ":", "queue:")]),
        ("state:*", [("state", ":", PRESENT)]),
        ("level < -3", [("level", "<", -3)]),
        ("open = true AND open != false", [("open", "=", True), ("open", "!=", False)]),
        ('detected_at <= "1970-01-01T00:00:01Z"', [("detected_at", "<=", 1_000_000)]),
        ('detected_at > "1970-01-01T01:00:00+01:00"', [("detected_at", ">", 0)]),
        ("effective >= 2026-01-31", [("effective", ">=", "2026-01-31")]),
        ("state = 已升级", [("state", "=", "已升级")]),
    ],
)
def test_a_filter_means_its_comparisons(text: str, conditions: list[Condition]) -> None:
    assert list(parse_filter(text, FIELDS)) == conditions


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nope = 1", "unknown field 'nope'; allowed: state, level"),
        ("state", "ends before"),
        ("state =", "ends before"),
        ("state = a level = 1", "AND only, not by 'level'"),
        ("state = a OR level = 1", "AND only, not by 'OR'"),
        ("state = a AND", "AND only"),
        ("NOT state = a", "'NOT' is not known"),
        ("-state = a", "'-state' is not known"),
        ("(state = a)", "cannot be read from character 1 on"),
        ('state = "a', "cannot be read from character 8 on"),
        ("level = 1.5", "compared with a whole number"),
        ("level = 99999999999999999999", "compared with a whole number"),
        ("level = 9223372036854775808", "compared with a whole number"),
        ("level : 3", ": is not allowed for level"),
        ("open > true", "> is not allowed for open"),
        ("open = yes", "compared with true or false"),
        ('detected_at = "2026-01-01T00:00:00"', "RFC 3339 with its offset"),
        ("effective = 2026-02-30", "compared with a date"),
        ("effective = 20260131", "compared with a date"),
        ("= = =", "is no comparison"),
        ("state = " + "a" * FILTER_CHARS_MAX, f"at most {FILTER_CHARS_MAX}"),
        (" AND ".join(["level = 1"] * (CONDITIONS_MAX + 1)), f"at most {CONDITIONS_MAX}"),
    ],
)
def test_a_filter_that_is_none_is_refused_with_what_is_allowed(text: str, words: str) -> None:
    with pytest.raises(InvalidCommand) as refused:
        parse_filter(text, FIELDS)
    (violation,) = refused.value.violations
    assert violation.field == "filter"
    assert words in violation.description


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_is_refused(text: str) -> None:
    with suppress(InvalidCommand):
        parse_filter(text, FIELDS)


@given(st.text(max_size=40))
def test_any_quoted_text_comes_back_as_it_was(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_filter(f'state = "{quoted}"', FIELDS) == (Condition("state", "=", text),)


def test_an_order_means_its_keys() -> None:
    assert parse_order("", ["level"]) == ()
    assert parse_order("level desc, state , open asc", ["level", "state", "open"]) == (
        Order("level", descending=True),
        Order("state"),
        Order("open"),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nope", "cannot order by 'nope'; allowed: level"),
        ("level down", "each key is a field"),
        ("level,,state", "each key is a field"),
        ("level, level desc", "named twice"),
        (", ".join(["level"] * (ORDER_KEYS_MAX + 1)), f"at most {ORDER_KEYS_MAX}"),
        ("level" + " " * 300, "at most 200 characters"),
    ],
)
def test_an_order_that_is_none_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidCommand) as refused:
        parse_order(text, ["level", "state"])
    (violation,) = refused.value.violations
    assert violation.field == "order_by"
    assert words in violation.description
