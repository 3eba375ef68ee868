"""Checks of fields that are stored in clear: identifiers of one word, names of checks."""

from typing import Any

import pytest

from esm import commands as c
from esm.checks import IDENTIFIER_CHARS_MAX, ITEMS_MAX, WORD_CHARS_MAX, Checks
from esm.errors import InvalidCommand
from esm.events import Subject
from tests.esm import given as g
from tests.esm.story import NOW, Story

SENTENCE = "Ursula Vogel, 3 Hill Road"


def refused_fields(checks: Checks) -> list[str]:
    """The fields that were refused."""
    try:
        checks.done()
    except InvalidCommand as refusal:
        return [violation.field for violation in refusal.violations]
    return []


@pytest.mark.parametrize(
    "value", ["sf", "anna@desk", "queue:claims", "\u987a\u4e30", "mail-7", "é"]
)
def test_a_reference_is_one_word_of_any_script(value: str) -> None:
    checks = Checks()
    checks.reference("owner", value)
    assert refused_fields(checks) == []


@pytest.mark.parametrize(
    "value",
    ["a b", " a", "a\t", "a\u3000b", "a\u00a0b", "a\nb", "x" * (IDENTIFIER_CHARS_MAX + 1), ""],
)
def test_a_reference_holds_no_sentence(value: str) -> None:
    checks = Checks()
    checks.reference("owner", value)
    assert set(refused_fields(checks)) == {"owner"}


def test_a_reference_that_is_not_required_may_be_empty() -> None:
    checks = Checks()
    checks.reference("owner", "", required=False)
    assert refused_fields(checks) == []


def test_each_wrong_reference_of_a_list_is_named_and_the_list_is_bounded() -> None:
    checks = Checks()
    checks.references("evidence", ("mail-7", "see the mail", ""))
    checks.references("more", ("a",) * (ITEMS_MAX + 1))
    assert refused_fields(checks) == ["evidence[1]", "evidence[2]", "more"]


@pytest.mark.parametrize(
    "value", ["house_number_missing", "stock", "a.b:c-1", "x" * WORD_CHARS_MAX]
)
def test_the_name_of_a_check_is_a_word(value: str) -> None:
    checks = Checks()
    checks.word("failing_check", value)
    assert refused_fields(checks) == []


@pytest.mark.parametrize(
    "value", ["", "no stock", "stock\n", "\u5730\u5740", "x" * (WORD_CHARS_MAX + 1)]
)
def test_the_name_of_a_check_is_nothing_else(value: str) -> None:
    checks = Checks()
    checks.word("failing_check", value)
    assert refused_fields(checks) == ["failing_check"]


# --- where they are asked -------------------------------------------------------------------------


CLAIM = {"kind": "claim", "amount": g.cny(1)}
CARRY = {"item": "write_back:L1", "reason": "x", "due": "2099-01-31"}


@pytest.mark.parametrize(
    ("command", "field", "terms"),
    [
        (c.Assign, "owner", {}),
        (c.RecordContact, "channel", {"party": "customer"}),
        (c.RecordVerification, "evidence", {"item": "order_facts"}),
        (c.Reclassify, "evidence", {"code": "SUSPECTED_LOST", "reason": "x"}),
        (c.ProposeAction, "counterparty", CLAIM),
        (c.ProposeAction, "counterparty", {"kind": "explain_only"}),
        (c.CarryItem, "owner", CARRY),
    ],
)
def test_no_sentence_about_a_person_is_stored_in_clear(
    command: type[c.CaseCommand], field: str, terms: dict[str, Any]
) -> None:
    story, case = g.lost_parcel()
    many = field == "evidence"
    words = {field: (SENTENCE,) if many else SENTENCE}
    if command is c.CarryItem:
        g.explained(story, case)
        story.do(c.Remediate(exception_id=case, resolution="EXPLAINED", summary="x"))
    with pytest.raises(InvalidCommand) as refusal:
        story.do(command(exception_id=case, **terms, **words))
    found = [violation.field for violation in refusal.value.violations]
    assert (f"{field}[0]" if many else field) in found


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "STOCK_OUT", "subject": Subject(order_id="O1"), "none_yet_looked_at": ""},
        {"code": "STOCK_OUT"},
        {"code": "LOST"},
        {"code": "REFUND_DISPUTE", "none_yet_looked_at": ""},
    ],
    ids=["pre_ship", "pre_ship with a parcel", "post_ship", "commercial"],
)
def test_the_failing_check_is_a_name_whatever_the_code(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidCommand) as refusal:
        Story().do(g.detection(**changes, failing_check=SENTENCE))
    assert [violation.field for violation in refusal.value.violations] == ["failing_check"]


def test_a_checkpoint_is_checked_whatever_the_code() -> None:
    scan = c.CheckpointInput(occurred_at=NOW, place="x" * (IDENTIFIER_CHARS_MAX + 1))
    with pytest.raises(InvalidCommand) as refusal:
        Story().do(g.detection("REFUND_DISPUTE", last_checkpoint=scan, none_yet_looked_at=""))
    assert [violation.field for violation in refusal.value.violations] == ["last_checkpoint.place"]


@pytest.mark.parametrize("code", ["LOST", "REFUND_DISPUTE"])
def test_nobody_looked_in_the_future(code: str) -> None:
    late = NOW.replace("09:00", "09:06")
    with pytest.raises(InvalidCommand) as refusal:
        Story().do(g.detection(code, none_yet_looked_at=late))
    assert [violation.field for violation in refusal.value.violations] == ["none_yet_looked_at"]
    Story().do(g.detection(code, none_yet_looked_at=NOW.replace("09:00", "09:05")))


def test_a_feed_that_is_ahead_of_our_clock_looks_at_its_own_time() -> None:
    ahead = "2026-03-09T09:00:00.000000Z"
    Story().do(g.detection(none_yet_looked_at=ahead), at=ahead)
