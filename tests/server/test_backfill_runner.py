"""How planned commands are sent: order, concurrency, refusals, and what answers fill in."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from server.backfill import BadRow, Outcome, Planned, Refused, run

AT = "2026-01-01T00:00:00.000000Z"


def command(case: str, line: int, rpc: str, *fills: str) -> Planned:
    """A command of a row; its request id says what it is."""
    request_id = f"{case}-{line}-{rpc}"
    return Planned("f.csv", line, case, rpc, {"request_id": request_id}, fills, AT, request_id)


def story(case: str) -> list[Planned]:
    ids = ("exception_id", "action_id")
    return [
        command(case, 2, "DetectException"),
        command(case, 2, "EscalateException", "exception_id"),
        command(case, 3, "ProposeAction", "exception_id"),
        command(case, 3, "ApproveAction", *ids),
        command(case, 4, "AddNote", "exception_id"),
    ]


class Server:
    """Answers like the API, notes what it was sent, refuses what it is told to."""

    def __init__(self, *refuse: str) -> None:
        self.refuse = refuse
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.busy: set[str] = set()
        self.most_busy = 0

    async def send(self, rpc: str, request: dict[str, Any]) -> Mapping[str, Any]:
        request_id = request["request_id"]
        case = request_id.split("-", maxsplit=1)[0]
        assert case not in self.busy
        self.busy.add(case)
        self.most_busy = max(self.most_busy, len(self.busy))
        await asyncio.sleep(0)
        self.busy.remove(case)
        if request_id in self.refuse:
            raise Refused("not like this")
        self.sent.append((rpc, request))
        actions = [{"action_id": "old"}, {"action_id": f"a-{case}"}]
        return {"exception": {"exception_id": f"e-{case}", "actions": actions}}


def running(
    server: Server, items: Iterable[Planned | BadRow], cases_at_once: int = 8
) -> tuple[Outcome, list[BadRow], list[int]]:
    reported: list[BadRow] = []
    steps: list[int] = []
    outcome = asyncio.run(
        run(
            items,
            server.send,
            report=reported.append,
            progress=steps.append,
            cases_at_once=cases_at_once,
        )
    )
    return outcome, reported, steps


def test_answers_fill_in_the_ids_of_case_and_action() -> None:
    server = Server()
    outcome, reported, steps = running(server, story("c"))
    assert outcome == Outcome(sent=5, bad=0)
    assert (outcome.exit_code, reported, steps) == (0, [], [1, 2, 3, 4, 5])
    approve = dict(server.sent)["ApproveAction"]
    assert (approve["exception_id"], approve["action_id"]) == ("e-c", "a-c")
    assert "exception_id" not in dict(server.sent)["DetectException"]


def test_cases_run_side_by_side_within_the_bound_and_each_in_its_order() -> None:
    server = Server()
    stories = [story(f"c{number}") for number in range(40)]
    items = [step for steps in zip(*stories, strict=True) for step in steps]
    outcome, _, _ = running(server, items, cases_at_once=6)
    assert outcome.sent == 200
    assert server.most_busy == 6
    for number, expected in enumerate(stories):
        mine = [
            r["request_id"] for _, r in server.sent if r["request_id"].startswith(f"c{number}-")
        ]
        assert mine == [step.request_id for step in expected]


def test_a_refusal_ends_its_row_and_not_its_case() -> None:
    server = Server("c-3-ProposeAction")
    outcome, reported, _ = running(server, story("c"))
    assert reported == [BadRow("f.csv", 3, "ProposeAction: not like this")]
    assert [rpc for rpc, _ in server.sent] == ["DetectException", "EscalateException", "AddNote"]
    assert outcome.exit_code == 2


def test_without_an_opening_every_row_of_the_case_is_reported_once() -> None:
    server = Server("c-2-DetectException")
    outcome, reported, _ = running(server, [*story("c"), *story("d")])
    assert [(row.line, row.reason) for row in reported] == [
        (2, "DetectException: not like this"),
        (3, "ProposeAction: its case was not opened"),
        (4, "AddNote: its case was not opened"),
    ]
    assert outcome == Outcome(sent=5, bad=3)


def test_bad_rows_of_the_plan_are_passed_on() -> None:
    bad = BadRow("f.csv", 7, "no time")
    outcome, reported, _ = running(Server(), [bad, *story("c")])
    assert reported == [bad]
    assert (outcome.sent, outcome.exit_code) == (5, 2)


def test_more_commands_than_may_wait_are_sent_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.backfill.runner.COMMANDS_WAITING_MAX", 3)
    server = Server()
    items = [step for number in range(30) for step in story(f"c{number}")]
    assert running(server, items)[0].sent == 150


def test_a_broken_connection_stops_everything() -> None:
    class Gone(Server):
        async def send(self, rpc: str, request: dict[str, Any]) -> Mapping[str, Any]:
            if len(self.sent) == 3:
                raise ConnectionError("gone")
            return await super().send(rpc, request)

    server = Gone()
    with pytest.raises(ConnectionError, match="gone"):
        running(server, [*story("c"), *story("d")], cases_at_once=1)
    assert len(server.sent) == 3
