"""The example mapping on the real incident log: planned commands give the published figures."""

from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from server.backfill import Planned, SignalsMapping, load, plan, read

MAPPING = Path(__file__).resolve().parents[2] / "examples" / "mappings" / "bpi2013.toml"
NOON: Final = "2012-04-15T12:00:00.000000Z"

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def commands(real_data: Path) -> list[Planned]:
    (mapping,) = load(MAPPING)
    assert isinstance(mapping, SignalsMapping)
    rows, bad = read([real_data / "bpi2013" / "incidents.csv"], mapping)
    assert (len(rows), bad) == (13_019, [])
    planned = [item for item in plan(mapping, rows) if isinstance(item, Planned)]
    assert len({item.request_id for item in planned}) == len(planned)
    return planned


def of(commands: list[Planned], rpc: str, field: str) -> dict[str, list[str]]:
    """Per case, a field of the commands of one RPC in their order."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for command in commands:
        if command.rpc == rpc:
            found[command.case].append(command.request[field])
    return found


def test_every_incident_becomes_a_case(commands: list[Planned]) -> None:
    assert Counter(c.rpc for c in commands)["DetectException"] == 754


def test_level_moves_are_those_between_the_lines_of_support(commands: list[Planned]) -> None:
    levels = of(commands, "EscalateException", "level")
    assert Counter(max(case)[-1] for case in levels.values()) == {"1": 226, "2": 410, "3": 118}
    moves = Counter(f"{a[-1]}{b[-1]}" for case in levels.values() for a, b in pairwise(case))
    assert moves == {"12": 710, "13": 63, "23": 70, "21": 453, "31": 48, "32": 41}
    pairs = [list(pairwise(case)) for case in levels.values()]
    assert sum(any(a < b for a, b in case) for case in pairs) == 466
    assert sum(any(a > b for a, b in case) for case in pairs) == 288


def test_owners_change_with_every_hand_off_of_a_team(commands: list[Planned]) -> None:
    owners = of(commands, "AssignException", "owner")
    assert sum(len(case) - 1 for case in owners.values()) == 2_527


def test_what_goes_on_after_completion_is_reopened(commands: list[Planned]) -> None:
    reopened = of(commands, "ReopenException", "reason")
    assert sum(map(len, reopened.values())) == 182
    assert len(reopened) == 152


def test_cases_open_at_a_moment_are_split_by_level(commands: list[Planned]) -> None:
    levels: dict[str, str] = {}
    open_cases: set[str] = set()
    for command in commands:
        if command.occurred > NOON:
            break
        if command.rpc in ("DetectException", "ReopenException"):
            open_cases.add(command.case)
        elif command.rpc == "RemediateException":
            open_cases.remove(command.case)
        elif command.rpc == "EscalateException":
            levels[command.case] = command.request["level"][-1]
    assert Counter(levels[case] for case in open_cases) == {"1": 211, "2": 262, "3": 54}


def test_rows_may_both_move_and_complete_or_reopen(commands: list[Planned]) -> None:
    rows: defaultdict[int, set[str]] = defaultdict(set)
    for command in commands:
        rows[command.line].add(command.rpc)
    moves = {"EscalateException", "AssignException"}
    ends = {"RemediateException", "ReopenException"}
    later = [rpcs for rpcs in rows.values() if "DetectException" not in rpcs]
    assert sum(bool(rpcs & moves and rpcs & ends) for rpcs in later) == 40
