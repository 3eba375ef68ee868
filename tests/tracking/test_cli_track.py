"""``esm track read``: the timeline in a vendor's message, without a server."""

import json
from pathlib import Path

import pytest

from esm import catalog
from esm.detection.normal import normalised
from server.tracking.feeds import FEEDS
from tests.server.esm import run

MESSAGES = Path(__file__).with_name("messages")
ROOT = Path(__file__).resolve().parents[2]


def message_of(feed: str) -> Path:
    """The message of our own making that every feed has."""
    (found,) = MESSAGES.glob(f"{feed}.*")
    return found


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_shows_its_message(feed: str) -> None:
    shown = run("track", "read", "--feed", feed, str(message_of(feed)), "--json")
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.stdout)
    assert told["readings"]
    assert not {"courier", "signer"} & {name for each in told["readings"] for name in each}
    table = run("track", "read", "--feed", feed, str(message_of(feed)))
    assert told["readings"][0]["occurred"] in table.stdout


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_has_its_codes_and_its_page(feed: str) -> None:
    assert feed in catalog.load().sources
    assert f"| `{feed}` |" in (ROOT / "docs" / "feeds.md").read_text()


def test_what_a_code_leads_to_is_said(tmp_path: Path) -> None:
    row = {"time": "2026-03-04 08:00:00", "context": "x"}
    told = {"message": "ok", "nu": "N1", "state": "{}", "status": "200", "data": [row]}
    expected = {
        "204": "opens DELIVERY_FAILED",
        "5": "starts the delivery clock",
        "99": "opens OTHER",
    }
    for state, outcome in expected.items():
        file = tmp_path / "message.json"
        file.write_text(json.dumps(told | {"state": state}))
        shown = run("track", "read", "--feed", "kuaidi100", str(file), "--json")
        outcomes = {each["outcome"] for each in json.loads(shown.stdout)["readings"]}
        assert outcome in outcomes


@pytest.mark.parametrize("feed", FEEDS)
def test_what_is_shown_is_what_an_import_takes(feed: str, tmp_path: Path) -> None:
    """Status and case by code and text, as the intake decides them."""
    shown = run("track", "read", "--feed", feed, str(message_of(feed)), "--json")
    rules = catalog.load()
    for each in json.loads(shown.stdout)["readings"]:
        taken = normalised(rules, feed, each["raw_code"], each["raw_text"])
        assert each["status"] == taken.status
        assert each["outcome"].startswith(f"opens {taken.opens}" if taken.opens else "")
        assert ("opens" in each["outcome"]) == bool(taken.opens)


@pytest.mark.parametrize(
    ("text", "status", "outcome"),
    [
        ("快件已签收", "delivered", ""),
        ("Delivery attempt failed", "attempted", "opens DELIVERY_FAILED"),
        ("x", "information", ""),
    ],
)
def test_a_feed_without_codes_is_read_by_its_text(
    tmp_path: Path, text: str, status: str, outcome: str
) -> None:
    body = message_of("ems").read_text(encoding="utf-8")
    first = json.loads(
        run("track", "read", "--feed", "ems", str(message_of("ems")), "--json").stdout
    )["readings"][0]
    file = tmp_path / "ems.xml"
    file.write_text(body.replace(first["raw_text"], text), encoding="utf-8")
    shown = run("track", "read", "--feed", "ems", str(file), "--json")
    found = {
        (r["raw_text"], r["status"], r["outcome"]) for r in json.loads(shown.stdout)["readings"]
    }
    assert (text, status, outcome) in found


def test_a_time_without_a_zone_is_one_of_the_zone_given(tmp_path: Path) -> None:
    row = {"time": "2026-03-04 08:00:00", "context": "x"}
    file = tmp_path / "message.json"
    file.write_text(json.dumps({"message": "ok", "nu": "N1", "state": "0", "data": [row]}))
    shown = run("track", "read", "--feed", "kuaidi100", "--zone", "UTC", str(file), "--json")
    assert json.loads(shown.stdout)["readings"][0]["occurred"] == "2026-03-04T08:00:00.000000Z"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--feed", "nobody", "x.json"], "'nobody' is no feed; there are: aftership"),
        (["--feed", "easypost", "/nowhere.json"], "/nowhere.json: No such file"),
        (
            ["--feed", "easypost", "--zone", "Nowhere/At_all", str(message_of("easypost"))],
            "no time",
        ),
        (["--feed", "easypost", str(message_of("usps"))], "line 1: is not JSON"),
    ],
)
def test_what_cannot_be_read_ends_with_one_sentence(words: list[str], says: str) -> None:
    shown = run("track", "read", *words)
    assert shown.exit_code == 2
    assert says in shown.stderr.replace("\n", " ")
    assert "Traceback" not in shown.output
