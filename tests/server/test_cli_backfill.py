"""``esm backfill``: a history goes in once, bad rows are reported, a wall clock is refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.esm import Esm, run
from tests.serving import serving, sqlite_settings

MAPPING = """
name = "desk"
key = ["id", "n"]

[[time]]
column = "at"

[subject]
order_id = { column = "id" }
shipment_code = { column = "id" }

[open]
code = "TRACKING_STALLED"
feed = "desk"
source_id = { column = "id" }
none_yet = true

[[note]]
text = { column = "words" }
"""

ROWS = """\
id,n,at,words
A,1,2026-01-01T08:00:00Z,first
A,2,2026-01-01T09:00:00Z,second
B,1,2026-01-01T08:30:00Z,other
"""
BAD_ROW = "B,2,never,lost\n"


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "desk.toml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


@pytest.fixture
def esm(tmp_path: Path) -> Iterator[Esm]:
    with serving(sqlite_settings(tmp_path / "store", clock="feed")) as server:
        yield Esm(server.address, actor="clerk")


def written(folder: Path, text: str) -> str:
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_history_goes_in_once(esm: Esm, mapping: Path, tmp_path: Path) -> None:
    words = ("backfill", "--mapping", str(mapping), written(tmp_path, ROWS))
    first = esm.run(*words)
    assert first.exit_code == 0, first.output
    events = esm.json("history", "events", "--limit", "500")["events"]
    again = esm.run(*words)
    assert again.exit_code == 0
    assert esm.json("history", "events", "--limit", "500")["events"] == events
    assert {event["actor"] for event in events} == {"clerk"}
    assert len(esm.json("ticket", "list")["tickets"]) == 2


def test_a_bad_row_is_reported_and_the_rest_goes_in(
    esm: Esm, mapping: Path, tmp_path: Path
) -> None:
    file = written(tmp_path, ROWS + BAD_ROW)
    result = esm.run("backfill", "--mapping", str(mapping), file)
    assert result.exit_code == 2
    assert f"{file}:5:" in result.stderr
    assert len(esm.json("ticket", "list")["tickets"]) == 2
    said = esm.run("backfill", "--mapping", str(mapping), file, "--json").stdout.splitlines()
    assert json.loads(said[0])["line"] == 5
    assert json.loads(said[-1])["bad"] == 1


def test_a_mapping_that_cannot_be_read_is_one_sentence(esm: Esm, tmp_path: Path) -> None:
    result = esm.run("backfill", "--mapping", str(tmp_path / "none.toml"), "rows.csv")
    assert (result.exit_code, "none.toml" in result.stderr) == (2, True)


def test_a_store_on_a_wall_clock_takes_no_history(mapping: Path, tmp_path: Path) -> None:
    with serving(sqlite_settings(tmp_path / "wall")) as server:
        words = ("--mapping", str(mapping), written(tmp_path, ROWS))
        result = run("backfill", *words, "--address", server.address)
    assert result.exit_code == 2
    assert "esm serve --clock feed" in result.stderr
