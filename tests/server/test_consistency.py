"""Opaque tokens: they come back as they went, and foreign or damaged ones are refused."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esm.errors import NotCaughtUp, TokenRefused
from server.consistency import (
    ANSWER_SECONDS,
    WAIT_SECONDS_DEFAULT,
    WAIT_SECONDS_MAX,
    Tokens,
    caught_up,
)

TOKENS = Tokens("store-1")
QUERY = b"ListTickets state"

keys = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.integers(min_value=-(2**63), max_value=2**63 - 1),
    max_size=5,
).map(tuple)


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_a_position_comes_back_and_is_safe_in_a_url(number: int) -> None:
    token = TOKENS.position(number)
    assert TOKENS.number(token, "min_position") == number
    assert re.fullmatch(r"[A-Za-z0-9_-]*", token)


@given(keys)
def test_a_page_key_comes_back_for_the_same_query_only(key: tuple[str | int, ...]) -> None:
    token = TOKENS.page(QUERY, key)
    assert TOKENS.key(token, QUERY) == key
    with pytest.raises(TokenRefused, match="another query"):
        TOKENS.key(token, QUERY + b"!")


def test_no_token_means_the_beginning() -> None:
    assert TOKENS.number("", "position") == 0
    assert TOKENS.key("", QUERY) == ()
    assert TOKENS.position(0) == ""


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (Tokens("store-2").position(5), "another store"),
        (TOKENS.page(QUERY, (1,)), "not a token for this field"),
        ("AAAA", "damaged"),
        ("ä", "not a token"),
        ("A", "not a token"),
        ("!!!!", "damaged"),
        ("A" * 5_000, "too long"),
    ],
)
def test_a_token_that_is_none_of_ours_is_refused_by_field(token: str, words: str) -> None:
    with pytest.raises(TokenRefused, match=words) as refused:
        TOKENS.number(token, "min_position")
    assert [v.field for v in refused.value.violations] == ["min_position"]


@given(st.integers(min_value=1, max_value=10**9), st.data())
def test_a_token_with_one_character_changed_is_refused(number: int, data: st.DataObject) -> None:
    token = TOKENS.position(number)
    at = data.draw(st.integers(min_value=0, max_value=len(token) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_").filter(lambda c: c != token[at]))
    with pytest.raises(TokenRefused):
        TOKENS.number(token[:at] + other + token[at + 1 :], "position")


class FixedWaiter:
    """Answers what it was told to, and remembers how long it was to wait."""

    def __init__(self, *, there: bool) -> None:
        self.there = there
        self.waits: list[tuple[str, int, float]] = []

    async def reach(self, projection: str, position: int, timeout: float) -> bool:
        self.waits.append((projection, position, timeout))
        return self.there


def test_a_read_without_position_does_not_wait() -> None:
    waiter = FixedWaiter(there=False)
    asyncio.run(caught_up(waiter, "tickets", 0, 1.0))
    assert waiter.waits == []


def test_a_projection_that_stays_behind_is_said_to() -> None:
    waiter = FixedWaiter(there=False)
    with pytest.raises(NotCaughtUp) as refused:
        asyncio.run(caught_up(waiter, "tickets", 7, 1.0))
    assert refused.value.metadata == {"projection": "tickets"}
    assert waiter.waits == [("tickets", 7, 1.0 - ANSWER_SECONDS)]


@pytest.mark.parametrize(
    ("remaining", "timeout"),
    [(None, WAIT_SECONDS_DEFAULT), (10_000.0, WAIT_SECONDS_MAX), (0.01, 0.0)],
)
def test_a_wait_is_bounded_by_the_deadline_and_by_us(
    remaining: float | None, timeout: float
) -> None:
    waiter = FixedWaiter(there=True)
    asyncio.run(caught_up(waiter, "ledger", 7, remaining))
    assert waiter.waits == [("ledger", 7, timeout)]
