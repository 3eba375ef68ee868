"""The SCMS deliveries go in by mapping alone: late lines, and the shipments that they are of."""

import csv
import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.settings import Settings
from tests.backfill.told import Found, Told, told

pytestmark = pytest.mark.real_data

Line = tuple[str, str]
"""Shipment and line."""


@pytest.fixture(scope="module")
def dates(real_data: Path) -> dict[Line, tuple[datetime, datetime]]:
    """When each line was to be delivered, and when it was."""

    def day(text: str) -> datetime:
        return datetime.strptime(text, "%d-%b-%y").replace(tzinfo=UTC)

    with (real_data / "scms" / "deliveries.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["ASN/DN #"], row["ID"]): (
                day(row["Scheduled Delivery Date"]),
                day(row["Delivered to Client Date"]),
            )
            for row in csv.DictReader(file)
        }


@pytest.fixture(scope="module")
def history(settings: Settings, real_data: Path) -> Iterator[Told]:
    on_feed = dataclasses.replace(settings, clock="feed")
    with told(on_feed, "scms.toml", real_data / "scms" / "deliveries.csv") as found:
        yield found


@pytest.fixture(scope="module")
def found(history: Told) -> list[Found]:
    return history.found()


def test_late_lines_and_their_shipments_are_found_when_the_day_is_over(
    found: list[Found], dates: dict[Line, tuple[datetime, datetime]]
) -> None:
    last = timedelta(days=1) - timedelta(microseconds=1)
    expected = {
        line: (scheduled + last).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for line, (scheduled, delivered) in dates.items()
        if delivered > scheduled
    }
    breached = [each for each in found if each.stage == "breached"]
    assert {each.rule for each in breached} == {"PROMISE_MISSED"}
    assert {(each.shipment_code, each.piece): each.at for each in breached} == expected
    assert len(breached) == 25
    assert len({each.shipment_code for each in breached}) == 24


def test_a_line_that_came_in_time_is_never_breached(
    found: list[Found], dates: dict[Line, tuple[datetime, datetime]]
) -> None:
    in_time = {line for line, (scheduled, delivered) in dates.items() if delivered <= scheduled}
    assert len(in_time) == 975
    assert not {(each.shipment_code, each.piece) for each in found} & in_time


def test_every_shipment_is_watched(history: Told) -> None:
    assert int(history.client.call("GetStatus")["watched"]) == 704


def test_the_same_file_again_changes_nothing(history: Told) -> None:
    before = history.events()
    assert history.tell().returncode == 0
    assert history.events() == before
