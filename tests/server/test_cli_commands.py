"""Commands against a real server: what they send, show and refuse."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.cli import exception, order
from server.cli.commands import Command
from server.cli.fields import FIELDS, HEADER
from server.client import METHODS
from tests.server.esm import Esm, run
from tests.serving import serving, sqlite_settings

COMMANDS = (*exception.COMMANDS, *order.MONEY, *order.CHARGES)
USD = {"currency": "USD"}
ORDER = {
    "order_id": "O-1",
    "source": "shop",
    "source_id": "O-1",
    "currency": "USD",
    "sale_lines": [
        {
            "line_id": "L1",
            "sku": "lamp",
            "quantity": 1,
            "goods": {**USD, "minor_units": 12000},
            "sale_recognised_at": "2026-01-05T09:00:00Z",
        }
    ],
    "tenders": [
        {
            "provider": "paywell",
            "external_id": "pay-1",
            "kind": "card",
            "captured": {**USD, "minor_units": 12000},
        }
    ],
    "logistics_lines": [{"line_id": "B-1", "shipment_code": "P-1", "carrier": "falcon"}],
}
SEEN = ("--none-yet-at", "2026-01-06T00:00:00Z")


@pytest.fixture(scope="module")
def esm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Esm]:
    folder = tmp_path_factory.mktemp("store")
    (folder / "order.json").write_text(json.dumps(ORDER), encoding="utf-8")
    with serving(sqlite_settings(folder / "data")) as server:
        found = Esm(server.address)
        found.json("order", "record", str(folder / "order.json"))
        yield found


def detected(esm: Esm, code: str, parcel: str, *more: str) -> str:
    words = ("--order-id", "O-1", "--shipment-code", parcel, "--code", code, *SEEN, *more)
    return esm.field("exception.exception_id", "exception", "detect", *words)


def inner_message(message: Any, field: str) -> Any:
    """The message that a field of a message holds."""
    found = message.fields_by_name[field].message_type
    assert found is not None
    return found


def message_fields(command: Command) -> set[str]:
    """The paths of the request that a command may fill, down to messages that are no amount."""
    request = METHODS[command.rpc].request.DESCRIPTOR
    if command.item:
        request = inner_message(request, command.item)
    wanted = {command.paths.get(name, name) for name in (*command.arguments, *command.options)}
    wanted |= {name for name, _, _ in HEADER if command.etag or name != "etag"}
    split = {path.partition(".")[0] for path in wanted if "." in path}
    found: set[str] = set()
    for field in request.fields:
        inner = inner_message(request, field.name).fields if field.name in split else ()
        found |= {f"{field.name}.{each.name}" for each in inner} or {field.name}
    assert wanted <= found, f"{command.name}: {wanted - found}"
    return found - wanted


def test_every_field_of_every_command_request_has_an_option() -> None:
    assert {
        command.name: message_fields(command) for command in COMMANDS if message_fields(command)
    } == {}


def test_every_command_of_the_api_has_a_command_line() -> None:
    rpcs = {
        name
        for name, rpc in METHODS.items()
        if rpc.path.split("/")[1].endswith((".ExceptionService", ".OrderService"))
    }
    made = {command.rpc for command in COMMANDS}
    by_hand = {"BatchDetectExceptions", "RecordOrders", "GetException", "GetOrder"}
    assert rpcs - made == by_hand


def test_no_option_is_left_over() -> None:
    used = {name for command in COMMANDS for name in (*command.arguments, *command.options)}
    assert used == FIELDS.keys()


def test_a_refund_from_report_to_closed_books(esm: Esm) -> None:
    case = detected(esm, "LOST", "P-1")
    refused = esm.run("exception", "propose", case, "full_refund")
    assert refused.exit_code == 1
    assert "[CHECKLIST_INCOMPLETE]" in refused.stderr
    assert "checklist/order_facts: not verified yet" in refused.stderr
    for item in ("order_facts", "last_event_and_path", "carrier_contact"):
        esm.json("exception", "verify", case, item)
    cause = esm.field("events.0.event_id", "history", "events", "--case", case, "--limit", "1")
    place = ("--shipment-code", "P-1", "--logistics-line", "B-1", "--cause-event-ids", cause)
    terms = ("full_refund", *place, "--lines", "L1=30.55", "--currency", "USD")
    action = esm.field("exception.actions.0.action_id", "exception", "propose", case, *terms)
    preview = esm.run("exception", "approve", case, action, "--validate-only")
    assert "nothing was recorded" in preview.stdout
    assert "30.55 USD" in preview.stdout
    assert esm.run("exception", "approve", case, action).exit_code == 0
    assert esm.run("exception", "submit", case, action).exit_code == 0
    paid = ("succeeded", "--external-id", "r-1", "--account", "1020")
    assert esm.run("exception", "outcome", case, action, *paid).exit_code == 0
    assert esm.run("exception", "remediate", case, "REFUNDED", "--summary", "ok").exit_code == 0
    assert esm.run("order", "write-back", case, "--logistics-line", "B-1").exit_code == 0
    assert "reconciled 已对账" in esm.run("exception", "reconcile", case).stdout
    assert "89.45 USD" in esm.run("order", "show", "O-1").stdout


def test_the_books_are_shown_and_exported(esm: Esm, tmp_path: Path) -> None:
    for words in (["accounts"], ["entries"], ["trial-balance"], ["account", "2010"]):
        assert esm.run("ledger", *words).exit_code == 0
        assert esm.json("ledger", *words)
    assert "Returns and refunds 销售退回" in esm.run("ledger", "trial-balance").stdout
    event = esm.field("entries.0.event_id", "ledger", "entries")
    assert "exception.action_approved.v1" in esm.run("ledger", "entry", event).stdout
    assert "30.55 USD" in esm.run("ledger", "order", "O-1").stdout
    for name in ("csv", "jsonl", "beancount"):
        file = tmp_path / name
        done = esm.run("ledger", "export", "--format", name, "--output", str(file))
        assert done.exit_code == 0, done.output
        assert "2010" in file.read_text("utf-8")
    assert esm.run("ledger", "export", "--format", "xls").exit_code == 2


def test_cases_are_counted_listed_and_shown_as_they_were(esm: Esm) -> None:
    case = detected(esm, "DAMAGED", "P-1", "--stage", "at_risk")
    esm.json("exception", "escalate", case, "--level", "1")
    now = esm.json("exception", "show", case)["exception"]
    then = esm.json("exception", "as-of", case, "--version", "1")["exception"]
    assert (then["state"], now["state"]) == ("STATE_DETECTED", "STATE_ESCALATED")
    assert "Damaged 破损" in esm.run("ticket", "list", "--filter", "open = true").stdout
    assert case in esm.run("ticket", "show", case).stdout
    assert "escalated" in esm.run("ticket", "count", "--by", "state").stdout
    assert esm.run("exception", "as-of", case).exit_code == 2
    assert "exception.detected.v1" in esm.run("history", "events", "--case", case).stdout


def test_a_command_changes_nothing_when_it_is_sent_again(esm: Esm) -> None:
    case = detected(esm, "MISROUTED", "P-1")
    words = ("exception", "note", case, "called back", "--request-id", "note-1")
    first, again = esm.json(*words), esm.json(*words)
    assert first == again
    stale = esm.run("exception", "note", case, "late", "--etag", "1")
    assert (stale.exit_code, "[STALE_ETAG]" in stale.stderr) == (1, True)


def test_a_charge_is_recorded_or_refused_alone(esm: Esm) -> None:
    case = detected(esm, "RETURNING", "P-1")
    words = ("order", "charges", case, "B-1", "return_freight", "accrued", "--net", "5.00 USD")
    assert esm.run(*words).exit_code == 0
    refused = esm.run(
        "order", "charges", case, "B-9", "return_freight", "accrued", "--net", "5 USD"
    )
    assert refused.exit_code == 1
    assert "B-9" in refused.stdout
    assert "2055" in esm.run("order", "charges", *words[2:], "--validate-only").stdout


def test_amounts_that_are_not_exact_never_reach_the_server(esm: Esm) -> None:
    result = esm.run("order", "money", "O-1", "payout", "--amount", "1.005 USD")
    assert (result.exit_code, "minor units" in result.stderr) == (2, True)


def test_signals_of_a_file_each_stand_for_themselves(esm: Esm, tmp_path: Path) -> None:
    good = {
        "subject": {"order_id": "O-1", "shipment_code": "P-1"},
        "code": "ADDRESS_INCORRECT",
        "signal": {"kind": "person"},
        "none_yet_looked_at": SEEN[1],
    }
    file = tmp_path / "signals.jsonl"
    file.write_text("\n".join(map(json.dumps, (good, {**good, "code": "NONE"}))), encoding="utf-8")
    result = esm.run("exception", "detect-file", str(file))
    assert result.exit_code == 1
    assert "accepted 已受理" in result.stdout
    assert "refused 拒绝" in result.stdout
    file.write_text("{\nnonsense", encoding="utf-8")
    broken = esm.run("exception", "detect-file", str(file))
    assert (broken.exit_code, f"{file}:1" in broken.stderr) == (2, True)


def test_a_refusal_is_given_as_json_too(esm: Esm) -> None:
    result = esm.run("exception", "show", "nonsense", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stderr)["reason"] == "EXCEPTION_NOT_FOUND"


def test_a_field_that_the_answer_lacks_is_said_so(esm: Esm) -> None:
    result = esm.run("status", "--only", "engine.size")
    assert (result.exit_code, "no 'engine.size'" in result.stderr) == (1, True)


def test_a_customers_report_is_typed_field_by_field(esm: Esm) -> None:
    words = ("--report", "damaged", "--answers", "photos=IMG1")
    parcel = ("--order-id", "O-1", "--shipment-code", "P-R", *SEEN)
    refused = esm.run("exception", "detect", *parcel, *words)
    assert refused.exit_code == 1
    assert "report.fields[what]: is required" in refused.stderr
    more = ("--answers", "photos=IMG2", "--answers", "what=corner = off")
    case = esm.json("exception", "detect", *parcel, *words, *more)["exception"]
    assert case["code"] == "DAMAGED"
    answers = {f["name"]: f["values"] for f in case["sources"][0]["report_fields"]}
    assert answers == {"photos": ["IMG1", "IMG2"], "what": ["corner = off"]}
    assert "write field=answer" in esm.run("exception", "detect", "--answers", "photos").stderr
    shown = esm.run("exception", "show", case["exception_id"]).stdout
    assert "customer damaged" in shown
    other = ("--order-id", "O-1", "--shipment-code", "P-R2", *SEEN, *words, *more)
    case = esm.json("exception", "detect", *other, "--signal-kind", "person")["exception"]
    assert case["sources"][0]["kind"] == "person"


def test_a_rule_is_muted_for_a_parcel(esm: Esm) -> None:
    rule = ("TRACKING_STALLED", "O-1", "--shipment-code", "P-M")
    refused = esm.run("exception", "mute", *rule, "--until", "2026-01-01T00:00:00Z")
    assert refused.exit_code == 1
    assert "until: lies in the future" in refused.stderr
    until = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT00:00:00Z")
    said = esm.json("exception", "mute", *rule, "--until", until, "--reason", "hub closed")
    assert said["watch"]["mutes"] == [{"rule": "TRACKING_STALLED", "until": until}]
    assert "TRACKING_STALLED" in run("catalog", "show", "rules").stdout
    assert "photos * photo" in run("catalog", "show", "reports").stdout


def test_operators_see_status_and_rebuild_what_they_name(esm: Esm) -> None:
    assert esm.field("engine", "status") == "sqlite"
    result = esm.run("rebuild", "tickets")
    assert result.exit_code == 0
    assert "rebuilt = live" in result.stdout
    unknown = esm.run("rebuild", "nothing")
    assert (unknown.exit_code, "no projection" in unknown.stderr) == (1, True)
    assert "verified" in esm.run("verify").stdout


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    result = run("status", "--address", "127.0.0.1:1")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: no server answers at 127.0.0.1:1; start one with: esm serve [UNAVAILABLE]\n"
    )


@pytest.mark.parametrize("name", ["core", "detection"])
def test_without_the_repository_benchmarks_say_where_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setattr("server.cli.bench.ROOT", tmp_path)
    result = run("bench", name)
    assert (result.exit_code, "checkout" in result.stderr) == (2, True)


@pytest.mark.parametrize("name", ["core", "detection"])
@pytest.mark.parametrize(("words", "quick"), [(("--quick",), True), (("--full",), False)])
def test_benchmarks_in_json_are_one_line(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], quick: bool, name: str
) -> None:
    def measured(quick: bool, full: bool) -> dict[str, object]:
        print("unary_sqlite_per_s 2000")
        return {"quick": quick, "full": full, "unary_sqlite_per_s": 2000, "umadb_per_s": None}

    monkeypatch.setattr(f"benchmarks.{name}.run", measured)
    result = run("bench", name, "--json", *words)
    assert result.exit_code == 0
    figures = {"unary_sqlite_per_s": 2000, "umadb_per_s": None}
    assert json.loads(result.stdout) == {"quick": quick, "full": not quick, **figures}
    assert result.stdout.count("\n") == 1
    assert "unary_sqlite_per_s" in result.stderr
    assert run("bench", name, *words).stdout == "unary_sqlite_per_s 2000\n"


def test_the_list_shows_what_it_is_sorted_by(esm: Esm) -> None:
    detected(esm, "DELIVERY_TIMEOUT", "P-L")
    shown = esm.run("ticket", "list", "--filter", 'shipment_code = "P-L"').stdout
    ticket = esm.json("ticket", "list", "--filter", 'shipment_code = "P-L"')["tickets"][0]
    assert f"{ticket['priority']} · logistics · " in shown
    assert "delivery_timeout" in shown
    said = " ".join(esm.run("ticket", "list", "--help").stdout.replace("│", " ").split())
    assert "class and platform_type" in said
