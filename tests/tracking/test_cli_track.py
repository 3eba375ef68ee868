"""``esm track read``: the timeline in a vendor's message, without a server."""

import json
from pathlib import Path

import pytest

from esm import catalog
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
