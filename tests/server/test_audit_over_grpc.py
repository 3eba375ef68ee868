"""A story with money over gRPC: its books pass the audit and Beancount, and replay by mapping."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from esm.catalog import load
from server import exports, journal
from server.backfill import BadRow, Outcome, Refused, course, gather, parse, run
from server.backfill.sending import sender
from server.client import Client, ClientError, connect, connect_aio
from server.verification import Finding, audit
from tests.serving import serving, sqlite_settings

SEEN = "2026-02-01T00:00:00Z"


def usd(minor_units: int) -> dict[str, Any]:
    return {"currency": "USD", "minor_units": minor_units}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(sqlite_settings(tmp_path_factory.mktemp("store"), clock="feed")) as server:
        yield server.address


@pytest.fixture(scope="module")
def books(address: str) -> Iterator[Client]:
    """A tenant in whose books every kind of entry stands at least once."""
    with connect(address, tenant="story", actor="ann") as client:
        tell(client)
        client.call("GetTrialBalance", {"min_position": client.call("GetStatus")["position"]})
        yield client


def tell(client: Client) -> None:
    """Refund, reversal, reshipment, claim, carrier charge, charge-back that overshoots."""
    line = {"quantity": 1, "unit_cost": usd(600), "sale_recognised_at": SEEN}
    prices = {"goods": usd(1000), "shipping": usd(100), "tax": usd(83)}
    order = {
        "order_id": "O1",
        "source": "shop",
        "source_id": "1",
        "currency": "USD",
        "sale_lines": [{"line_id": str(n), "sku": "S", **prices, **line} for n in (1, 2)],
        "tenders": [{"provider": "pay", "external_id": "x", "kind": "card", "captured": usd(2366)}],
        "logistics_lines": [{"line_id": "L1", "shipment_code": "P1", "carrier": "c"}],
    }
    results = client.call("RecordOrders", {"orders": [order]})["results"]
    assert "error" not in results[0], results
    opening = {
        "subject": {"order_id": "O1", "shipment_code": "P1"},
        "code": "LOST",
        "signal": {"kind": "person"},
        "none_yet_looked_at": SEEN,
        "occurred_at": "2026-02-03T00:00:00Z",
    }
    case = {"exception_id": client.call("DetectException", opening)["exception"]["exception_id"]}
    for item in ("order_facts", "last_event_and_path", "carrier_contact"):
        client.call("RecordVerification", {**case, "item": item})
    cause = client.call("ListEvents", {"filter": f'aggregate_id = "{case["exception_id"]}"'})
    place = {
        **case,
        "shipment_code": "P1",
        "logistics_line": "L1",
        "cause_event_ids": [cause["events"][0]["event_id"]],
    }

    def action(kind: str, **terms: Any) -> dict[str, str]:
        proposed = client.call("ProposeAction", {**place, "kind": kind, **terms})["exception"]
        named = {**case, "action_id": proposed["actions"][-1]["action_id"]}
        client.call("ApproveAction", named)
        client.call("SubmitAction", {**named, "external_id": f"ext-{kind}"})
        return named

    def outcome(named: dict[str, str], what: str, **facts: Any) -> None:
        client.call("RecordActionOutcome", {**named, "outcome": f"ACTION_OUTCOME_{what}", **facts})

    refund = action("full_refund", lines=[{"sale_line": "1"}], tax_document="T1")
    outcome(refund, "SUCCEEDED", account="1020", external_id="r1")
    wrong = {"kind": "partial_refund", "lines": [{"sale_line": "2", "amount": usd(10)}]}
    proposed = client.call("ProposeAction", {**place, **wrong})["exception"]
    named = {**case, "action_id": proposed["actions"][-1]["action_id"]}
    entry = client.call("ApproveAction", named)["exception"]["entries"][-1]
    client.call("ReverseEntry", {**case, "event_id": entry["event_id"], "reason": "by mistake"})
    reshipment = action("reship", goods_cost=usd(600), freight=usd(90))
    shipped = {"shipment_code": "P2", "logistics_line": "L1"}
    outcome(reshipment, "DISPATCHED", goods_cost=usd(590), freight=usd(95), **shipped)
    claim = action("claim", amount=usd(500), counterparty="c")
    outcome(claim, "CLAIM_APPROVED", amount=usd(300))
    outcome(claim, "CLAIM_PAID", amount=usd(290), fee=usd(10), account="1010")
    charge = {**case, "logistics_line": "L1", "kind": "surcharge", "carrier": "c"}
    accrued = {**charge, "step": "accrued", "net": usd(20), "tax": usd(2)}
    invoiced = {**charge, "step": "invoiced", "net": usd(18), "tax": usd(2), "invoice": "I1"}
    for step in (accrued, invoiced):
        (result,) = client.call("RecordCarrierCharges", {"charges": [step]})["results"]
        assert "error" not in result, result
    dispute = {"order_id": "O1", "provider": "pay", "external_id": "d1", "account": "1020"}
    opened = {**dispute, "kind": "chargeback_opened", "amount": usd(2000), "fee": usd(15)}
    lost = {**dispute, "kind": "chargeback_lost", "amount": usd(2000), "reason": "goods"}
    for fact in (opened, lost):
        client.call("RecordExternalMoney", fact)


def events_of(client: Client) -> list[journal.LoggedEvent]:
    listed = client.pages("ListEvents", {"page_size": 7}, "events")
    return [journal.event_of(event, "story") for event in listed]


def entries_of(client: Client) -> list[journal.JournalEntry]:
    listed = client.pages("ListEntries", {"page_size": 3}, "entries")
    return [journal.entry_of(entry) for entry in listed]


def turnovers_of(client: Client) -> list[journal.Turnover]:
    balance = client.call("GetTrialBalance", {})
    lines = (*balance["accounts"], *balance.get("memoranda", ()))
    return [journal.turnover_of(line, "default") for line in lines]


def test_the_books_of_the_story_pass_the_audit(books: Client) -> None:
    events, entries = events_of(books), entries_of(books)
    rows = {line.row for entry in entries for line in entry.lines}
    expected = {"R1", "R3", "S1", "S2", "C1", "C2", "C3", "K1", "K2", "H1", "X1"}
    assert expected <= rows
    findings: list[Finding] = list(audit(lambda: events, entries, turnovers_of(books)))
    assert findings == []


def test_an_audit_of_the_story_with_an_entry_left_out_names_it(books: Client) -> None:
    events, entries = events_of(books), entries_of(books)
    gone = entries.pop(4)
    findings = list(audit(lambda: events, entries))
    assert [(finding.kind, finding.event_id) for finding in findings] == [
        ("entry_missing", gone.event_id)
    ]


def test_beancount_accepts_the_books_of_the_story(books: Client, tmp_path: Path) -> None:
    listed = books.pages("ListAccounts", {}, "accounts")
    chart = exports.Chart(
        accounts={account.number: account for account in map(journal.account_of, listed)},
        exponents=load().currencies,
    )
    file = tmp_path / "books.beancount"
    file.write_text("".join(exports.as_beancount(entries_of(books), chart)), encoding="utf-8")
    checker = Path(sys.executable).with_name("bean-check")
    checked = subprocess.run(
        [checker, "--no-cache", file], capture_output=True, text=True, check=False, timeout=60
    )
    assert (checked.returncode, checked.stderr) == (0, "")


HISTORY = """order,at,group,state
O1,2026-01-01,front,new
O1,2026-01-02,back 2nd,new
O1,2026-01-03,back 2nd,done
O1,2026-01-04,far 3rd,done
O1,2026-01-05,front,new
O2,2026-01-01,far 3rd,done
O3,never,front,new
 ,2026-01-01,front,new
"""

MAPPING = """
name = "made-up"
[[time]]
column = "at"
[subject]
order_id = { column = "order" }
shipment_code = { column = "order" }
[open]
code = "TRACKING_STALLED"
source_id = { column = "order" }
feed = "made-up"
none_yet = true
[level]
reason = "handed over"
[level.value]
column = "group"
default = "1"
cases = [{ suffix = "2nd", value = "2" }, { suffix = "3rd", value = "3" }]
[owner]
owner = { column = "group" }
[[verify]]
item = "last_event_and_path"
[complete]
when = { column = "state", equals = "done" }
summary = "All is well."
[reopen]
when = { column = "state", unlike = "done" }
reason = "It goes on."
"""


def backfill(address: str, path: Path) -> tuple[Outcome, list[BadRow]]:
    async def send_all() -> tuple[Outcome, list[BadRow]]:
        steps = course(gather([path], parse(MAPPING)), clock=0)
        async with connect_aio(address, tenant="history") as client:
            reported: list[BadRow] = []
            outcome = await run(steps, sender(client), report=reported.append)
            return outcome, reported

    return asyncio.run(send_all())


def test_a_history_goes_in_by_mapping_and_again_changes_nothing(
    address: str, tmp_path: Path
) -> None:
    path = tmp_path / "history.csv"
    path.write_text(HISTORY, encoding="utf-8")
    outcome, reported = backfill(address, path)
    assert [row.line for row in reported] == [8, 9]
    assert outcome.exit_code == 2
    with connect(address, tenant="history") as client:
        events = list(client.pages("ListEvents", {}, "events"))
        position = events[-1]["position"]
        states = {
            ticket["subject"]["order_id"]: (ticket["state"], ticket["level"], ticket["owner"])
            for ticket in client.call("ListTickets", {"min_position": position})["tickets"]
        }
        assert states == {
            "O1": ("STATE_ESCALATED", "RESPONSE_LEVEL_1", "front"),
            "O2": ("STATE_REMEDIATED", "RESPONSE_LEVEL_3", "far_3rd"),
        }
        again, _ = backfill(address, path)
        assert again == outcome
        assert list(client.pages("ListEvents", {}, "events")) == events


def test_what_the_server_refuses_is_a_refusal_and_what_passes_is_sent_again() -> None:
    class Moody:
        """Says in turn what it was told to say."""

        def __init__(self, *answers: ClientError | dict[str, Any]) -> None:
            self.answers = list(answers)

        async def call(self, _: str, __: dict[str, Any], *, seconds: float) -> dict[str, Any]:
            assert seconds > 0
            answer = self.answers.pop(0)
            if isinstance(answer, ClientError):
                raise answer
            return answer

    def sent(*answers: ClientError | dict[str, Any]) -> Any:
        client: Any = Moody(*answers)
        return asyncio.run(sender(client)("AddNote", {}))  # type: ignore[arg-type] # awaitable

    full = ClientError("RESOURCE_EXHAUSTED", "full", retry_seconds=0.001)
    assert sent(full, full, {"position": "p"}) == {"position": "p"}
    wrong = ClientError("INVALID_ARGUMENT", "wrong", violations=[("text", "is required")])
    with pytest.raises(Refused, match=r"wrong \(text is required\)"):
        sent(wrong)
    with pytest.raises(ClientError, match="boom"):
        sent(ClientError("INTERNAL", "boom"))
    with pytest.raises(ClientError, match="full"):
        sent(*[full] * 8)
