"""A status of a parcel has everything that belongs to one, wherever that stands."""

import re
from pathlib import Path
from typing import get_args

import pytest

from esm.catalog.data import Status
from esm.detection.timeline import PROGRESS
from server.cli.track.shipments import STATUSES

FEEDS_PAGE = Path(__file__).resolve().parents[2] / "docs" / "feeds.md"


def test_every_status_has_its_rank_and_its_chinese() -> None:
    assert sorted(PROGRESS) == sorted(STATUSES) == sorted(get_args(Status))


@pytest.mark.parametrize("status", get_args(Status))
def test_every_status_stands_on_the_page_of_feeds(status: str) -> None:
    section = FEEDS_PAGE.read_text("utf-8").partition("## Statuses")[2]
    assert status in re.findall(r"`(\w+)`", section)
