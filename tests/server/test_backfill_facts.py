"""Rows that are shipments and tracking facts: what they say, and in which order it is told."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from esm.times import instant, micros
from server.backfill import (
    Advance,
    BadRow,
    Batch,
    Fact,
    History,
    MappingError,
    Outcome,
    Planned,
    Refused,
    checkpoints,
    course,
    gather,
    parse,
    run,
)
from server.backfill.course import FACTS_AT_ONCE, Step

SHIPMENTS = """
[[mapping]]
name = "parcels"
facts = "shipments"
key = ["code"]

[[mapping.time]]
column = "made"

[mapping.shipment]
order_id = { column = "order" }
shipment_code = { column = "code" }
service = "untracked_mail"
labelled_at = { column = "made", zone = "Asia/Shanghai" }
promised_at = { column = "until", format = "%d-%b-%y", end_of_day = true, zone = "Asia/Shanghai" }
numbers = [{ number = { column = "waybill" }, carrier = "sf" }]
pieces = [{ column = "piece" }]
"""

CHECKPOINTS = """
[[mapping]]
name = "facts"
facts = "checkpoints"
key = ["code"]

[[mapping.time]]
column = "got"
moment = "collected"
optional = true

[[mapping.time]]
column = "came"
moment = "delivered"
optional = true

[mapping.checkpoint]
feed = "shop"
shipment_code = { column = "code" }
status = { column = "@moment" }
"""

SIGNALS = """
[[mapping]]
name = "desk"
key = ["code"]
files = ["desk*.csv"]

[[mapping.time]]
column = "at"

[mapping.subject]
order_id = { column = "order" }
shipment_code = { column = "code" }

[mapping.open]
code = "DAMAGED"
none_yet = true
"""

HEADER = "order,code,made,until,waybill,piece,got,came\n"
ROWS = """\
O1,S1,2018-01-01T08:00,05-Jan-18,SF1,,2018-01-02T09:00Z,2018-01-06T10:00
O2,S2,2018-01-03T08:00,,,2,,
"""


def written(folder: Path, text: str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def bodies(history: History, rpc: str) -> list[dict[str, Any]]:
    return [fact.body for fact in history.facts if fact.rpc == rpc]


def test_a_shipment_says_what_its_columns_hold(tmp_path: Path) -> None:
    history = gather([written(tmp_path, HEADER + ROWS)], parse(SHIPMENTS))
    assert history.bad == []
    first, second = bodies(history, "RegisterShipments")
    assert first == {
        "order_id": "O1",
        "shipment_code": "S1",
        "service": "untracked_mail",
        "labelled_at": "2018-01-01T00:00:00.000000Z",
        "promised_at": "2018-01-05T15:59:59.999999Z",
        "numbers": [{"number": "SF1", "carrier": "sf"}],
    }
    assert second["pieces"] == ["2"]
    assert {"promised_at", "numbers"}.isdisjoint(second)


def test_a_fact_stands_for_each_moment_that_was(tmp_path: Path) -> None:
    history = gather([written(tmp_path, HEADER + ROWS)], parse(CHECKPOINTS))
    assert history.bad == []
    collected, delivered = bodies(history, "RecordCheckpoints")
    assert collected == {
        "feed": "shop",
        "source_id": collected["source_id"],
        "shipment_code": "S1",
        "status": "collected",
        "occurred_at": "2018-01-02T09:00:00.000000Z",
    }
    assert (delivered["status"], delivered["zone_assumed"]) == ("delivered", True)
    assert delivered["source_id"] != collected["source_id"]
    again = gather([written(tmp_path, HEADER + "\n" + ROWS, "b.csv")], parse(CHECKPOINTS))
    assert bodies(again, "RecordCheckpoints") == [collected, delivered]


def test_a_row_that_cannot_be_read_is_reported_with_its_line(tmp_path: Path) -> None:
    rows = HEADER + "O1,S1,2018-01-01,someday,,,,\nO2,S2,,,,,never,\n"
    path = written(tmp_path, rows)
    history = gather([path], (*parse(SHIPMENTS), *parse(CHECKPOINTS)))
    found = [(bad.line, bad.reason) for bad in history.bad]
    assert [line for line, _ in found] == [3, 2, 3]
    assert "no time column is filled" in found[0][1]
    assert "'someday' is no time" in found[1][1]
    assert "'never' is no time" in found[2][1]


def test_a_file_that_no_mapping_is_for_is_bad(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER)
    assert gather([path], parse(SIGNALS)).bad == [BadRow(str(path), 0, "no mapping is for it")]


def fact(minute: int, number: int = 0, rpc: str = "RecordCheckpoints") -> Fact:
    at = micros("2018-01-01T00:00:00.000000Z") + minute * 60_000_000
    return Fact("f.csv", number, at, rpc, {"source_id": f"{minute}-{number}"})


def minute(minute: int) -> str:
    return instant(fact(minute).at)


def command(at: int) -> Planned:
    return Planned("d.csv", 2, "c", "DetectException", {}, (), minute(at), f"r{at}")


def history(facts: list[Fact], planned: list[Planned] | None = None) -> History:
    times = [each.at for each in facts] + [micros(each.occurred) for each in planned or []]
    return History(planned or [], facts, [], max(times, default=0))


def steps(found: History, clock: int | None = 0) -> list[Step]:
    return list(course(found, clock=clock))


def test_whole_instants_are_told_ahead_up_to_a_batch() -> None:
    early = [fact(1, n) for n in range(FACTS_AT_ONCE - 1)]
    late = [fact(2), fact(2, 1)]
    told = steps(history([*early, *late]))
    assert [type(step) for step in told] == [Batch, Advance, Batch, Advance]
    assert [len(step.facts) for step in told if isinstance(step, Batch)] == [len(early), 2]
    assert [step.to for step in told if isinstance(step, Advance)] == [minute(1), minute(2)]


def test_an_instant_is_never_cut_by_the_clock() -> None:
    told = steps(history([fact(1, n) for n in range(FACTS_AT_ONCE + 1)]))
    assert [type(step) for step in told] == [Batch, Batch, Advance]


def test_shipments_are_told_before_the_facts_of_their_batch() -> None:
    told = steps(history([fact(1), fact(2, rpc="RegisterShipments")]))
    assert [step.rpc for step in told if isinstance(step, Batch)] == [
        *("RegisterShipments", "RecordCheckpoints"),
    ]


def test_beside_commands_the_clock_goes_on_with_every_instant() -> None:
    told = steps(history([fact(1), fact(2), fact(3)], [command(2)]))
    assert [type(step) for step in told] == [
        *(Batch, Advance),
        *(Batch, Planned, Advance),
        *(Batch, Advance),
    ]


def test_commands_alone_need_no_clock_on_their_way() -> None:
    told = steps(history([], [command(1), command(2)]))
    assert [type(step) for step in told] == [Planned, Planned, Advance]
    assert told[-1] == Advance(minute(2))


def test_a_clock_that_is_there_already_is_not_advanced() -> None:
    both = history([fact(1), fact(3)], [command(2)])
    assert Advance(minute(1)) not in steps(both, fact(1).at)
    assert Advance(minute(2)) in steps(both, fact(1).at)
    for clock in (fact(3).at, None):
        assert not [step for step in steps(both, clock) if isinstance(step, Advance)]


def test_nothing_to_tell_leaves_the_clock_alone() -> None:
    assert steps(history([])) == []


class Server:
    """Takes facts, refuses those that it is told to, notes the order of what it was sent."""

    def __init__(self, *refuse: str) -> None:
        self.refuse = refuse
        self.sent: list[str] = []
        self.under_way = 0

    async def send(self, rpc: str, request: dict[str, Any]) -> Mapping[str, Any]:
        if rpc != "DetectException":
            assert self.under_way == 0
        self.under_way += 1
        await asyncio.sleep(0.01)
        self.under_way -= 1
        self.sent.append(rpc)
        if rpc in self.refuse:
            raise Refused("not now")
        if rpc == "DetectException":
            return {"exception": {"exception_id": "e"}}
        return {"results": [self._result(each) for each in request.get("checkpoints", [])]}

    def _result(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["source_id"] in self.refuse:
            wrong = {"field": "shipment_code", "description": "is required"}
            return {"error": {"message": "1 field refused", "violations": [wrong]}}
        return {"outcome": "new"}


def running(server: Server, found: History) -> tuple[Outcome, list[BadRow], list[int]]:
    reported: list[BadRow] = []
    progress: list[int] = []
    sending = run(
        course(found, clock=0), server.send, report=reported.append, progress=progress.append
    )
    return asyncio.run(sending), reported, progress


def test_commands_are_answered_before_the_clock_goes_on() -> None:
    server = Server()
    outcome, _, progress = running(server, history([fact(1), fact(2)], [command(2)]))
    assert outcome == Outcome(sent=3, bad=0)
    assert progress[-1] == 3
    assert server.sent == [
        *("RecordCheckpoints", "AdvanceClock"),
        *("RecordCheckpoints", "DetectException", "AdvanceClock"),
    ]


def test_a_refused_fact_is_reported_and_the_rest_of_its_batch_is_taken() -> None:
    outcome, reported, _ = running(Server("1-8"), history([fact(1, 7), fact(1, 8), fact(1, 9)]))
    assert outcome == Outcome(sent=2, bad=1)
    reason = "RecordCheckpoints: 1 field refused (shipment_code is required)"
    assert reported == [BadRow("f.csv", 8, reason)]


@pytest.mark.parametrize(
    ("rpc", "places"),
    [("RecordCheckpoints", [("f.csv", 7), ("f.csv", 8)]), ("AdvanceClock", [("clock", 0)])],
)
def test_what_is_refused_as_a_whole_is_reported(rpc: str, places: list[tuple[str, int]]) -> None:
    outcome, reported, _ = running(Server(rpc), history([fact(1, 7), fact(1, 8)]))
    assert outcome.exit_code == 2
    assert [(bad.file, bad.line) for bad in reported] == places
    assert all("not now" in bad.reason for bad in reported)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (CHECKPOINTS.replace("shipment_code =", "place ="), "a shipment_code or a number"),
        (CHECKPOINTS.replace("status =", "place ="), "a status or a raw_code"),
        (SHIPMENTS.replace("Asia/Shanghai", "Mars/Olympus"), "unknown time zone"),
        (SHIPMENTS.replace("shipments", "parcels"), "Invalid value 'parcels'"),
        (SHIPMENTS + SHIPMENTS, "not twice: parcels, parcels"),
        (SHIPMENTS.replace("order_id =", "order ="), "unknown field `order`"),
        (CHECKPOINTS.replace("[mapping.checkpoint]", "[mapping.open]"), "unknown field `open`"),
        ("mapping = 7", "Expected `array`, got `int`"),
        ("mapping = [7]", "Expected `object`, got `int`"),
        ("mapping = []", "length >= 1"),
    ],
)
def test_a_mapping_of_facts_that_makes_no_sense_is_refused(wrong: str, says: str) -> None:
    with pytest.raises(MappingError, match=re.escape(says)):
        parse(wrong)


def test_facts_for_import_come_from_mappings_of_checkpoints_only(tmp_path: Path) -> None:
    rows = written(tmp_path, HEADER + ROWS)
    found, bad = checkpoints([rows], written(tmp_path, CHECKPOINTS, "m.toml"))
    assert ([each.body["status"] for each in found], bad) == (["collected", "delivered"], [])
    with pytest.raises(MappingError, match='facts = "checkpoints"'):
        checkpoints([rows], written(tmp_path, SHIPMENTS, "m.toml"))
