"""The BPI 2013 incidents go in by mapping alone, and the API gives the published figures.

The test opens no store; of the file it computes the expected side only.
"""

import base64
import csv
import dataclasses
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from server.client import Client, connect
from server.settings import Settings
from tests.serving import serving

MAPPING = Path(__file__).resolve().parents[2] / "examples" / "mappings" / "bpi2013.toml"
NOON = "2012-04-15T12:00:00Z"
TENANT = "bpi"

pytestmark = pytest.mark.real_data


class Desk(NamedTuple):
    """The incident desk's file, case by case in the order of its rows."""

    lines: list[list[int]]
    groups: list[list[str]]
    done: list[list[bool]]


class Answers(NamedTuple):
    """What the API says of the cases: its events, and the client to ask more."""

    client: Client
    address: str
    events: list[dict[str, Any]]

    def of(self, topic: str) -> dict[str, list[dict[str, Any]]]:
        """The payloads of a topic, by case in log order."""
        found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in self.events:
            if event["topic"] == topic:
                found[event["aggregate_id"]].append(json.loads(base64.b64decode(event["payload"])))
        return found


@pytest.fixture(scope="module")
def desk(real_data: Path) -> Desk:
    rows: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    with (real_data / "bpi2013" / "incidents.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows[row["case"]].append(row)
    cases = [sorted(case, key=lambda row: int(row["idx"])) for case in rows.values()]
    return Desk(
        lines=[[_line(row["org:group"]) for row in case] for case in cases],
        groups=[[row["org:group"] for row in case] for case in cases],
        done=[[row["concept:name"] == "Completed" for row in case] for case in cases],
    )


def _line(group: str) -> int:
    return 3 if group.endswith(" 3rd") else 2 if group.endswith(" 2nd") else 1


@pytest.fixture(scope="module")
def answers(settings: Settings, real_data: Path) -> Iterator[Answers]:
    """A feed store that the file was sent to, and what ListEvents says of it."""
    with serving(dataclasses.replace(settings, clock="feed")) as server:
        backfill(server.address, real_data)
        with connect(server.address, tenant=TENANT) as client:
            events = list(client.pages("ListEvents", {"page_size": 500}, "events"))
            client.call("CountTickets", {"by": "TICKET_PROPERTY_STATE", **_after(events)})
            yield Answers(client, server.address, events)


def backfill(address: str, real_data: Path) -> None:
    """Send the file as a user does; no row may be bad."""
    file = real_data / "bpi2013" / "incidents.csv"
    command = [sys.executable, "-m", "server.cli", "backfill", "--mapping", str(MAPPING)]
    subprocess.run(
        [*command, "--address", address, "--tenant", TENANT, str(file)],
        check=True,
        capture_output=True,
    )


def _after(events: list[dict[str, Any]]) -> dict[str, str]:
    return {"min_position": events[-1]["position"]}


def tickets(counted: dict[str, Any]) -> dict[str, int]:
    """Tickets by value; JSON writes 64-bit numbers as text."""
    return {c["value"]: int(c["tickets"]) for c in counted["counts"]}


def moves(answers: Answers) -> dict[str, list[tuple[int, int]]]:
    """Level moves by case; coming from level 0 is being taken into work, no move."""
    return {
        case: [(e["from_level"], e["level"]) for e in escalated if e["from_level"]]
        for case, escalated in answers.of("exception.escalated.v1").items()
    }


def test_every_incident_is_one_case(answers: Answers, desk: Desk) -> None:
    assert len(answers.of("exception.detected.v1")) == len(desk.lines) == 754


def test_level_moves_are_those_between_the_lines_of_support(answers: Answers, desk: Desk) -> None:
    expected = Counter((a, b) for case in desk.lines for a, b in pairwise(case) if a != b)
    found = moves(answers)
    assert Counter(m for case in found.values() for m in case) == expected
    assert expected == {
        (1, 2): 710,
        (1, 3): 63,
        (2, 3): 70,
        (2, 1): 453,
        (3, 1): 48,
        (3, 2): 41,
    }
    assert sum(any(a < b for a, b in case) for case in found.values()) == 466
    assert sum(any(a > b for a, b in case) for case in found.values()) == 288


def test_the_highest_line_reached_is_the_highest_level(answers: Answers, desk: Desk) -> None:
    escalated = answers.of("exception.escalated.v1").values()
    found = Counter(max(e["level"] for e in case) for case in escalated)
    assert found == Counter(map(max, desk.lines)) == {1: 226, 2: 410, 3: 118}


def test_a_hand_off_is_an_assignment_from_one_group_to_another(
    answers: Answers, desk: Desk
) -> None:
    expected = sum(a != b for case in desk.groups for a, b in pairwise(case))
    assigned = [e for case in answers.of("exception.assigned.v1").values() for e in case]
    found = sum(not e["from_owner"].startswith("queue:") for e in assigned)
    assert found == expected == 2_527


def test_what_goes_on_after_completion_is_reopened(answers: Answers, desk: Desk) -> None:
    expected = [sum(a and not b for a, b in pairwise(case)) for case in desk.done]
    reopened = answers.of("exception.reopened.v1")
    assert sum(map(len, reopened.values())) == sum(expected) == 182
    assert len(reopened) == sum(map(bool, expected)) == 152


def test_the_open_count_of_a_past_noon_is_split_by_line(answers: Answers) -> None:
    asked = {"as_of": NOON, "filter": "open = true", "by": "TICKET_PROPERTY_LEVEL"}
    counted = answers.client.call("CountTickets", asked)
    assert int(counted["total"]) == 527
    assert tickets(counted) == {"1": 211, "2": 262, "3": 54}


def test_a_ticket_ends_as_its_last_row_says(answers: Answers, desk: Desk) -> None:
    counted = answers.client.call("CountTickets", {"by": "TICKET_PROPERTY_STATE"})
    found = tickets(counted)
    done = sum(case[-1] for case in desk.done)
    assert found == {k: v for k, v in (("remediated", done), ("escalated", 754 - done)) if v}
    case = next(iter(answers.of("exception.reopened.v1")))
    ticket = answers.client.call("GetTicket", {"exception_id": case})["ticket"]
    assert ticket["episode"] > 1


def test_the_same_file_again_changes_nothing(answers: Answers, real_data: Path) -> None:
    backfill(answers.address, real_data)
    again = list(answers.client.pages("ListEvents", {"page_size": 500}, "events"))
    assert again == answers.events
