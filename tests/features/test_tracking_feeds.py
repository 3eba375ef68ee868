"""Every adapter takes its feed's message, and a mapping takes rows: data, no code (G19)."""

import json
from pathlib import Path

import pytest

from server.tracking.feeds import FEEDS
from tests.scenarios.driver import CATALOGUE, World
from tests.server.esm import Esm
from tests.tracking.given import MESSAGES

WANTED = {"aftership", "easypost", "epcis", "karrio", "kuaidi100", "kdniao", "x12_214"}
"""Feeds that the product was asked for; it reads more."""

EMS_NUMBER = "EA900000001CN"

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

ROWS = [
    {"id": "1", "parcel": "H-1", "at": "2026-01-05 08:00:00", "what": "collected", "text": "取件"},
    {"id": "2", "parcel": "H-1", "at": "2026-01-05 20:00:00", "what": "delivered", "text": ""},
]


@pytest.fixture
def esm(world: World) -> Esm:
    """The command line against the server, for the tenant of the test."""
    found = Esm(world.client.address)
    found.common += ["--tenant", world.tenant]
    return found


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_has_an_adapter_and_a_message_of_it_is_taken_once(esm: Esm, feed: str) -> None:
    """G19."""
    assert set(FEEDS) >= WANTED
    assert feed in CATALOGUE.sources
    (message,) = MESSAGES.glob(f"{feed}.*")
    words = ["track", "import", "--feed", feed, str(message)]
    words += ["--number", EMS_NUMBER] if feed == "ems" else []
    first = esm.json(*words)
    assert (first["new"], first["known"], first["refused"]) == (0, 0, 0)
    assert first["unmatched"] > 0
    assert esm.json(*words)["known"] == first["unmatched"]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_rows_of_any_file_are_taken_by_a_mapping(esm: Esm, tmp_path: Path, form: str) -> None:
    """G19."""
    mapping, rows = tmp_path / "hub.toml", tmp_path / f"hub.{form}"
    mapping.write_text(MAPPING, "utf-8")
    lines = [",".join(ROWS[0]), *(",".join(row.values()) for row in ROWS)]
    if form == "jsonl":
        lines = [json.dumps(row) for row in ROWS]
    rows.write_text("\n".join(lines) + "\n", "utf-8")
    esm.json("track", "register", "P-1", "--order-id", "O-1", "--number", "H-1")
    taken = esm.json("track", "import", "--mapping", str(mapping), str(rows))
    assert (taken["new"], taken["unmatched"], taken["refused"]) == (2, 0, 0)
    shown = esm.json("track", "show", "P-1")
    assert shown["shipment"]["status"] == "delivered"
    timeline = [(e["source_id"], e["occurred"]) for e in shown["timeline"]]
    assert timeline == [("1", "2026-01-05T00:00:00Z"), ("2", "2026-01-05T12:00:00Z")]
