"""docs/webhooks.md says what the code does, of every feed and outcome."""

import re
from pathlib import Path

from server.webhooks import app, listening, replay
from server.webhooks.counting import STATUS
from server.webhooks.vendors import VENDORS

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text("utf-8")


def test_every_outcome_is_on_the_page_with_its_status() -> None:
    rows = re.findall(r"^\| (\d{3}) \|.*\| `(\w+)` \|$", PAGE, flags=re.MULTILINE)
    assert {outcome: int(status) for status, outcome in rows} == STATUS


def test_every_feed_is_on_the_page() -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert sorted(feed for row in rows for feed in re.findall(r"`(\w+)`", row)) == sorted(VENDORS)


def test_the_limits_are_those_of_the_page() -> None:
    hours = replay.REMEMBERED_MICROS // 3_600_000_000
    for said in (
        f"more than {app.BODY_BYTES_MAX // 1024**2} MiB",
        f"longer than {app.BODY_SECONDS:.0f} seconds",
        f"within {app.RECORD_SECONDS:.0f} seconds",
        f"{app.REQUESTS_MAX} messages are at work",
        f"within {hours} hours",
        f"last {replay.REMEMBERED_MAX:,} messages",
        f"whole head within {listening.HEAD_SECONDS:.0f} seconds",
        f"{listening.CONNECTIONS_MAX + 1}th at once",
    ):
        assert said in PAGE.replace("\n", " "), said
