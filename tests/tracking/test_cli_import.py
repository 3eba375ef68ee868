"""``esm track import|register|show|list`` against a real server."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.cli.output import warn
from server.cli.root import app
from server.tracking.feeds import FEEDS
from tests.server.esm import Esm, run
from tests.serving import serving, sqlite_settings
from tests.tracking.given import MESSAGES, own

NUMBER = "EA900000001CN"
ESCAPE = "\x1b]0;owned\x07"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(sqlite_settings(tmp_path_factory.mktemp("store") / "data")) as server:
        yield server.address


@pytest.fixture
def esm(address: str, tmp_path: Path) -> Esm:
    found = Esm(address)
    found.common += ["--tenant", f"t{abs(hash(tmp_path))}"]
    return found


def message_of(feed: str) -> str:
    """The message of our own making that every feed has."""
    (found,) = MESSAGES.glob(f"{feed}.*")
    return str(found)


def written(folder: Path, name: str, content: Any) -> str:
    file = folder / name
    file.write_text(json.dumps(content), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_is_taken_once(esm: Esm, feed: str) -> None:
    words = ["track", "import", "--feed", feed, message_of(feed)]
    words += ["--number", NUMBER] if feed == "ems" else []
    first = esm.json(*words)
    assert first["unmatched"] > 0
    assert (first["new"], first["known"], first["refused"]) == (0, 0, 0)
    assert esm.json(*words) == {**first, "unmatched": 0, "known": first["unmatched"]}


def test_an_imported_message_is_the_timeline_of_its_parcel(esm: Esm) -> None:
    esm.json("track", "register", "P-1", "--order-id", "O-1", "--number", f"ems/{NUMBER}")
    taken = esm.run("track", "import", "--feed", "ems", "--number", NUMBER, message_of("ems"))
    assert taken.exit_code == 0, taken.output
    assert "5 new 新增, 0 known 已知, 0 unmatched 未匹配, 0 refused 拒绝" in taken.stdout
    told = esm.json("track", "show", "P-1")["timeline"]
    assert [each["occurred"] for each in told] == sorted(each["occurred"] for each in told)
    assert len(told) == 5
    shown = esm.run("track", "show", "P-1").stdout
    assert "已送到" in shown
    assert f"ems/{NUMBER}" in shown


def test_several_files_are_one_import(esm: Esm) -> None:
    files = [message_of("kuaidi100"), message_of("kuaidi100")]
    alone = esm.json("track", "import", "--feed", "kuaidi100", files[0])
    both = esm.json("track", "import", "--feed", "kuaidi100", *files)
    assert both["known"] == 2 * alone["unmatched"]


def test_nothing_is_taken_when_one_file_cannot_be_read(esm: Esm, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"dat": [\n{"no": 1', encoding="utf-8")
    error = written(tmp_path, "error.json", {"ret": -11, "msg": "denied"})
    good = message_of("track17")
    result = esm.run("track", "import", "--feed", "track17", good, str(broken), error)
    assert result.exit_code == 2
    said = result.stderr.replace("\n", " ")
    assert f"{broken}: line 2: is not JSON" in said
    assert str(error) in said
    assert "error: nothing was sent" in said
    again = esm.json("track", "import", "--feed", "track17", good)
    assert again["known"] == 0


def test_a_fact_that_the_server_refuses_is_reported_and_the_rest_goes_on(
    esm: Esm, tmp_path: Path
) -> None:
    message = own("kuaidi100")
    total = esm.json("track", "import", "--feed", "kuaidi100", message_of("kuaidi100"))["unmatched"]
    result = message.get("lastResult", message)
    result["nu"] = "N" * 300
    file = written(tmp_path, "long.json", message)
    taken = esm.run("track", "import", "--feed", "kuaidi100", file, message_of("kuaidi100"))
    assert taken.exit_code == 2
    assert f"{total} known 已知, 0 unmatched 未匹配, {total} refused 拒绝" in taken.stdout
    assert taken.stderr.count("number must have at most 200 characters") == total
    assert f"{file}: row {total}, number {'N' * 40}…, 20" in taken.stderr
    lines = esm.run("track", "import", "--feed", "kuaidi100", file, "--json").stdout.splitlines()
    first = json.loads(lines[0])
    assert (first["file"], first["row"], first["number"]) == (file, 1, "N" * 300)
    assert first["occurred_at"].endswith("Z")
    assert json.loads(lines[-1])["refused"] == total


MAPPING = """
name = "hub"
facts = "checkpoints"
key = ["id"]

[[time]]
column = "at"
zone = "Asia/Shanghai"

[checkpoint]
feed = "hub"
source_id = { column = "id" }
number = { column = "parcel" }
status = { column = "what" }
raw_text = { column = "text" }
"""
ROWS = """id,parcel,at,what,text
1,H-1,2026-01-05 08:00:00,collected,取件
2,H-1,2026-01-05 09:00:00,in_transit,
3,H-1,2026-01-05 10:00:00,{},
"""


def mapped(folder: Path, last: str, rows: str = ROWS) -> tuple[str, ...]:
    (folder / "hub.toml").write_text(MAPPING, encoding="utf-8")
    (folder / "hub.csv").write_text(rows.format(last), encoding="utf-8")
    return ("track", "import", "--mapping", str(folder / "hub.toml"), str(folder / "hub.csv"))


def test_rows_are_taken_by_a_mapping(esm: Esm, tmp_path: Path) -> None:
    esm.json("track", "register", "P-1", "--order-id", "O-1", "--number", "H-1")
    assert esm.json(*mapped(tmp_path, "delivered"))["new"] == 3
    assert esm.json(*mapped(tmp_path, "delivered"))["known"] == 3
    told = esm.json("track", "show", "P-1")
    assert told["shipment"]["status"] == "delivered"
    first = told["timeline"][0]
    assert (first["occurred"], first["zone_assumed"]) == ("2026-01-05T00:00:00Z", True)
    assert (first["source_id"], first["raw_text"]) == ("1", "取件")


def test_a_row_that_the_server_refuses_is_reported_with_its_line(esm: Esm, tmp_path: Path) -> None:
    taken = esm.run(*mapped(tmp_path, "beamed"))
    assert taken.exit_code == 2
    assert "2 unmatched 未匹配, 1 refused 拒绝" in taken.stdout
    assert "hub.csv:4: number H-1, 2026-01-05 02:00:00Z, id 3: status" in taken.stderr


def test_nothing_is_taken_when_one_row_cannot_be_read(esm: Esm, tmp_path: Path) -> None:
    broken = ROWS.replace("2026-01-05 09", "yesterday 09")
    taken = esm.run(*mapped(tmp_path, "delivered", broken))
    assert taken.exit_code == 2
    assert "hub.csv:3: " in taken.stderr
    assert "error: nothing was sent" in taken.stderr
    assert esm.json(*mapped(tmp_path, "delivered"))["known"] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "give --feed, or --mapping"),
        (["--feed", "ems", "--mapping", "m.toml"], "give --feed, or --mapping"),
        (["--mapping", "m.toml", "--number", "N"], "--number: a mapping says that itself"),
        (["--mapping", "/nowhere.toml"], "/nowhere.toml"),
    ],
)
def test_a_mapping_stands_in_for_a_feed(words: list[str], says: str) -> None:
    result = run("track", "import", "x.csv", *words, "--address", "127.0.0.1:1")
    assert result.exit_code == 2
    assert says in result.stderr.replace("\n", " ")


def test_an_unknown_number_is_told_once(esm: Esm, tmp_path: Path) -> None:
    file = tmp_path / "null.xml"
    file.write_text("null", encoding="utf-8")
    esm.json("track", "register", "P-1", "--order-id", "O-1", "--number", NUMBER)
    words = ("track", "import", "--feed", "ems", "--number", NUMBER, str(file), "--asked-at")
    assert esm.json(*words, "2026-03-05T00:00:00Z")["new"] == 1
    assert esm.json(*words, "2026-03-06T00:00:00Z")["known"] == 1
    (entry,) = esm.json("track", "show", "P-1")["timeline"]
    assert (entry["status"], entry["occurred"]) == ("unknown", "2026-03-05T00:00:00Z")


def test_a_message_that_names_no_parcel_goes_to_the_shipment_given(esm: Esm) -> None:
    esm.json("track", "register", "P-1", "--order-id", "O-1")
    nameless = esm.run("track", "import", "--feed", "ems", message_of("ems"))
    assert nameless.exit_code == 2
    assert "does not name its parcel" in nameless.stderr
    taken = esm.json("track", "import", "--feed", "ems", "--shipment", "P-1", message_of("ems"))
    assert taken["new"] == 5


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--feed", "nobody", "x.json"], "'nobody' is no feed; there are: aftership"),
        (["--feed", "easypost", "/nowhere.json"], "/nowhere.json: No such file"),
        (["--feed", "easypost", "--zone", "No/where", message_of("easypost")], "no time zone"),
        (["--feed", "easypost", "--number", "X", message_of("easypost")], "is about"),
    ],
)
def test_what_cannot_be_imported_ends_with_one_sentence(words: list[str], says: str) -> None:
    result = run("track", "import", *words, "--address", "127.0.0.1:1")
    assert result.exit_code == 2
    assert says in result.stderr.replace("\n", " ")


def test_a_message_comes_from_standard_input(esm: Esm) -> None:
    body = Path(message_of("ems")).read_bytes()
    words = ["track", "import", "--feed", "ems", "--number", NUMBER, "-", *esm.common]
    taken = CliRunner().invoke(app, words, input=body)
    assert "5 unmatched" in taken.stdout, taken.output
    shown = CliRunner().invoke(app, ["track", "read", "--feed", "ems", "-", "--json"], input=body)
    assert len(json.loads(shown.stdout)["readings"]) == 5


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("track", "import", "--feed", "ems", "x.xml", "--asked-at", "yesterday"), "--asked-at"),
        (("track", "register", "P-1", "--promised-at", "tomorrow"), "--promised-at"),
        (("track", "register", "P-1", "--labelled-at", "2026-01-01"), "--labelled-at"),
        (("advance-clock", "nonsense"), "TO"),
        (("ticket", "count", "--as-of", "noon"), "--as-of"),
        (("ticket", "deadlines", "--until", "noon"), "--until"),
        (("exception", "escalate", "X", "--occurred-at", "noon"), "occurred_at"),
    ],
)
def test_what_is_no_time_is_said_with_an_example_of_one(
    esm: Esm, words: tuple[str, ...], says: str
) -> None:
    result = esm.run(*words)
    said = result.stderr.replace("\n", " ")
    assert (result.exit_code, said.count("is no time; write RFC 3339 with a zone")) == (2, 1)
    assert says in said
    assert "parse" not in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("count", "--by", "class"), "--by 'class' is none of: state, level, owner, code, family"),
        (("deadlines", "--kind", "x"), "--kind 'x' is none of: next_stage, mute_end, carried_item"),
    ],
)
def test_a_word_of_none_of_a_list_is_said_with_the_list(
    esm: Esm, words: tuple[str, ...], says: str
) -> None:
    result = esm.run("ticket", *words)
    assert (result.exit_code, says in result.stderr.replace("\n", " ")) == (2, True)


def test_all_shipments_of_a_file_are_checked_before_the_first_is_sent(
    esm: Esm, tmp_path: Path
) -> None:
    many: list[Any] = [{"order_id": "O-3", "shipment_code": f"R-{n}"} for n in range(501)]
    many[500] |= {"promised_at": "soon", "order": "O"}
    file = written(tmp_path, "many.json", [*many, "R-9"])
    refused = esm.run("track", "register", "--file", file)
    said = refused.stderr.replace("\n", " ")
    assert refused.exit_code == 2
    assert f"{file}: item 501: promised_at 'soon' is no time" in said
    assert f"{file}: item 501: order is no field; there are: order_id, shipment_code" in said
    assert f"{file}: item 502: 'R-9' is no object" in said
    assert "2 of 502 items cannot be sent; nothing was sent" in said
    assert esm.json("track", "list")["shipments"] == []
    lines = tmp_path / "many.jsonl"
    lines.write_text("".join(f"{json.dumps(each)}\n\n" for each in many), encoding="utf-8")
    assert f"{lines}:1001: order is no field" in esm.run(
        "track", "register", "--file", str(lines)
    ).stderr.replace("\n", " ")


@pytest.mark.parametrize("content", ["", " \n", "[]"])
def test_a_file_without_items_is_said_so(esm: Esm, tmp_path: Path, content: str) -> None:
    file = tmp_path / "empty.json"
    file.write_text(content, encoding="utf-8")
    for words in (
        ("track", "register", "--file"),
        ("exception", "detect-file"),
        ("order", "record"),
    ):
        result = esm.run(*words, str(file))
        assert (result.exit_code, f"{file}: holds no items" in result.stderr) == (2, True)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"leg": ' + "9" * 5_000 + "}", "{"])
def test_what_is_no_json_is_said_with_its_line(esm: Esm, tmp_path: Path, content: str) -> None:
    file = tmp_path / "odd.json"
    file.write_text(content, encoding="utf-8")
    result = esm.run("track", "register", "--file", str(file))
    assert (result.exit_code, f"{file}:1: no JSON: " in result.stderr) == (2, True)


def test_a_shipment_of_a_file_that_is_refused_is_named_with_its_place(
    esm: Esm, tmp_path: Path
) -> None:
    some = [{"order_id": "O-4", "shipment_code": "S-1"}, {"shipment_code": "S-2"}]
    result = esm.run("track", "register", "--file", written(tmp_path, "s.json", some))
    assert result.exit_code == 1
    assert "item 2: order_id" in " ".join(result.stdout.replace("│", " ").split())


def test_shipments_come_from_options_or_from_a_file(esm: Esm, tmp_path: Path) -> None:
    facts = ("--carrier", "sf", "--lane", "CN-US", "--piece", "A", "--piece", "B")
    times = ("--labelled-at", "2026-01-05T00:00:00Z", "--promised-at", "2099-01-09T00:00:00Z")
    esm.json("track", "register", "P-1", "--order-id", "O-1", *facts, *times, "--untracked")
    (first,) = esm.json("track", "list")["shipments"]
    assert first["shipment"]["pieces"] == ["A", "B"]
    assert first["shipment"]["untracked"] is True
    many = [{"order_id": "O-2", "shipment_code": f"Q-{n}"} for n in range(3)]
    table = esm.run("track", "register", "--file", written(tmp_path, "many.json", many))
    assert table.exit_code == 0, table.output
    assert table.stdout.count("registered 已登记") == 3
    listed = esm.json("track", "list", "--order-id", "O-2")["shipments"]
    assert [each["shipment"]["shipment_code"] for each in listed] == ["Q-0", "Q-1", "Q-2"]
    assert len(esm.json("track", "list", "--limit", "2")["shipments"]) == 2
    assert "Q-1" in esm.run("track", "list").stdout


def test_a_shipment_that_is_refused_ends_with_one(esm: Esm) -> None:
    result = esm.run("track", "register", "P-1")
    assert result.exit_code == 1
    assert "refused 拒绝" in result.stdout
    assert "order_id" in result.stdout


@pytest.mark.parametrize("words", [[], ["P-1", "--file", "x.json"]])
def test_options_and_a_file_exclude_each_other(esm: Esm, words: list[str]) -> None:
    result = esm.run("track", "register", *words)
    assert result.exit_code == 2
    assert "or --file" in result.stderr


def test_a_shipment_that_is_not_watched_is_refused(esm: Esm) -> None:
    result = esm.run("track", "show", "P-9")
    assert result.exit_code == 1
    assert "'P-9' is not watched" in result.stderr


def test_what_strangers_wrote_does_not_reach_the_terminal(esm: Esm, tmp_path: Path) -> None:
    message = own("kuaidi100")
    rows = message.get("lastResult", message)["data"]
    rows[0]["context"] = f"到达{ESCAPE}"
    number = message.get("lastResult", message)["nu"]
    file = written(tmp_path, "odd.json", message)
    esm.json("track", "register", "P-1", "--order-id", "O-1", "--number", number)
    esm.json("track", "import", "--feed", "kuaidi100", file)
    shown = esm.run("track", "show", "P-1")
    assert "到达\ufffd]0;owned\ufffd" in shown.stdout.replace("\n", "")
    refused = esm.run("track", "show", ESCAPE)
    assert "\x1b]" not in refused.stderr
    assert refused.exit_code == 1


def test_a_deviation_is_shown_with_its_case(esm: Esm) -> None:
    esm.json("track", "register", "P-1", "--order-id", "O-1", "--number", "YT9000000000017")
    esm.json("track", "import", "--feed", "kuaidi100", message_of("kuaidi100"))
    case = esm.field("deviations.0.exception_id", *until_told(esm))
    shown = esm.run("track", "show", "P-1").stdout
    assert case in shown
    told = esm.json("track", "show", "P-1")["timeline"][0]["occurred"]
    assert told[:19].replace("T", " ") + "Z" in shown
    assert "DELIVERY_FAILED" in shown
    assert "opened 已开异常" in shown


def until_told(esm: Esm) -> tuple[str, ...]:
    """Waits until the case of the first deviation is known; how it is asked for."""
    asked = ("track", "show", "P-1")
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = esm.json(*asked).get("deviations", [])
        if found and found[0].get("outcome"):
            return asked
        time.sleep(0.1)
    raise AssertionError("nobody was told of the deviation")


def test_a_warning_says_what_a_stranger_wrote_without_its_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    warn(f"stands still: {ESCAPE}")
    said = capsys.readouterr().err
    assert "stands still: \ufffd]0;owned\ufffd" in said
    assert "\x1b]" not in said
