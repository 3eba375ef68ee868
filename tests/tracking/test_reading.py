"""What every adapter has in common: bounds, ids, times, and what is said about a problem."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from server.tracking.feeds import epcis, kuaidi100
from server.tracking.feeds.safely import PAYLOAD_BYTES_MAX, moment
from server.tracking.reading import (
    PROBLEM_CHARS_MAX,
    TEXT_CHARS_MAX,
    WORD_CHARS_MAX,
    FeedProblem,
    Reading,
    reply,
)
from tests.server.esm import run

AT = "2026-03-04T00:00:00.000000Z"
UTC = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("name", "most"),
    [("number", WORD_CHARS_MAX), ("source_id", WORD_CHARS_MAX), ("raw_text", TEXT_CHARS_MAX)],
)
def test_a_field_that_is_too_long_is_named(name: str, most: int) -> None:
    fields: dict[str, Any] = {"number": "N1", "raw_text": "x"}
    assert reply([Reading(occurred=AT, zoned=True, **(fields | {name: "n" * most}))]).readings
    with pytest.raises(FeedProblem, match=f"the {name} of a checkpoint has more than {most}"):
        reply([Reading(occurred=AT, zoned=True, **(fields | {name: "n" * (most + 1)}))])


def test_a_long_number_before_many_rows_is_refused_at_the_first() -> None:
    rows = [{"time": "2026-03-04 08:00:00", "context": ""}] * 20_000
    message = {"nu": "N" * 400_000, "state": "0", "data": rows}
    with pytest.raises(FeedProblem, match="the number of a checkpoint"):
        kuaidi100.read(json.dumps(message).encode(), UTC)


def test_a_long_event_id_before_many_things_is_refused_at_once() -> None:
    event = {
        "type": "ObjectEvent",
        "eventID": "e" * 400_000,
        "eventTime": "2026-01-01T00:00:00Z",
        "epcList": [f"urn:{number}" for number in range(20_000)],
    }
    with pytest.raises(FeedProblem, match=r"eventID: has 400000 characters, at most 500"):
        epcis.read(json.dumps(event).encode(), UTC)


def test_what_a_message_tells_twice_stands_once() -> None:
    told = Reading(number="N1", occurred=AT, zoned=True, source_id="e1")
    assert reply([told, told]).readings == (told,)


@pytest.mark.parametrize("value", ["1712011212345", "20250101", "2025-W05", "2025-01-01x10:00", ""])
def test_what_only_looks_like_a_time_is_none(value: str) -> None:
    with pytest.raises(FeedProblem, match="is not a time that this feed writes"):
        moment(value, "time", UTC)


def test_a_problem_quotes_little_of_what_it_was_sent() -> None:
    assert len(str(FeedProblem("", "x" * 10_000))) == PROBLEM_CHARS_MAX


def test_a_file_without_an_end_is_read_no_further_than_a_message_may_go() -> None:
    shown = run("track", "read", "--feed", "easypost", "/dev/zero")
    assert shown.exit_code == 2
    assert f"too long: at most {PAYLOAD_BYTES_MAX} bytes are read" in shown.stderr


def test_a_message_cannot_command_the_terminal_that_shows_it(tmp_path: Path) -> None:
    row = {"time": "2026-03-04 08:00:00", "context": "\x1b]0;title\x07 arrived"}
    file = tmp_path / "message.json"
    file.write_text(json.dumps({"nu": "N1", "state": "0", "data": [row]}))
    shown = run("track", "read", "--feed", "kuaidi100", str(file))
    assert shown.exit_code == 0
    assert "\x1b" not in shown.stdout
    assert "\x07" not in shown.stdout
