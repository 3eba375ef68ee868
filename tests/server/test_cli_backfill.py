"""``esm backfill``: a history goes in once, bad rows are reported, a wall clock is refused."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


PARCELS = """
[[mapping]]
name = "parcels"
facts = "shipments"
key = ["code"]
[[mapping.time]]
column = "made"
[mapping.shipment]
order_id = { column = "code" }
shipment_code = { column = "code" }
untracked = true
promised_at = { column = "until" }

[[mapping]]
name = "scans"
facts = "checkpoints"
key = ["code"]
[[mapping.time]]
column = "came"
optional = true
[mapping.checkpoint]
feed = "shop"
shipment_code = { column = "code" }
status = "delivered"
"""

PARCEL_ROWS = """\
code,made,until,came
S1,2026-01-01T08:00Z,2026-01-03T00:00Z,2026-01-04T10:00Z
S2,2026-01-01T09:00Z,2026-01-03T00:00Z,2026-01-03T00:00Z
S3,2026-01-02T09:00Z,2026-01-05T00:00Z,
"""
"""Late, at the very instant that was promised, and not there yet."""

BREACHED = "exception.escalated.v1"


def parcels(folder: Path, more: str = "") -> tuple[str, ...]:
    """The words of a backfill of parcels."""
    path = folder / "parcels.toml"
    path.write_text(PARCELS, encoding="utf-8")
    return ("backfill", "--mapping", str(path), written(folder, PARCEL_ROWS + more))


def events(esm: Esm) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = esm.json("history", "events", "--limit", "500")["events"]
    return found


def test_parcels_go_in_with_every_timer_at_its_moment(esm: Esm, tmp_path: Path) -> None:
    words = parcels(tmp_path)
    first = esm.run(*words)
    assert first.exit_code == 0, first.output
    assert esm.json("status")["clock_time"] == "2026-01-04T10:00:00Z"
    found = events(esm)
    assert [e["occurred"] for e in found if e["topic"] == BREACHED] == ["2026-01-03T00:00:00Z"]
    again = esm.run(*words)
    assert (again.exit_code, events(esm)) == (0, found)
    advanced = esm.json("advance-clock", "2026-01-05T00:00:00Z")
    assert (advanced["clock"], advanced["fired"]) == ("2026-01-05T00:00:00Z", "2")
    late = [event["occurred"] for event in events(esm) if event["topic"] == BREACHED]
    assert late == ["2026-01-03T00:00:00Z", "2026-01-05T00:00:00Z"]


def test_a_fact_that_the_server_refuses_is_reported_with_its_line(esm: Esm, tmp_path: Path) -> None:
    result = esm.run(*parcels(tmp_path, ",2026-01-01T08:00Z,,\n"))
    assert result.exit_code == 2
    assert "rows.csv:5: RegisterShipments: " in result.stderr.replace("\n", "")
    assert esm.json("status")["watched"] == "3"


def test_signals_beside_parcels_are_decided_by_the_clock_of_the_rows(
    esm: Esm, tmp_path: Path
) -> None:
    desk = MAPPING.replace('name = "desk"', 'name = "desk"\nfiles = ["desk.csv"]')
    desk = re.sub(r"^\[+", lambda found: f"{found[0]}mapping.", desk, flags=re.MULTILINE)
    both = PARCELS.replace("facts =", 'files = ["rows.csv"]\nfacts =') + f"\n[[mapping]]{desk}"
    mapping = tmp_path / "both.toml"
    mapping.write_text(both, encoding="utf-8")
    signals = tmp_path / "desk.csv"
    signals.write_text(ROWS, encoding="utf-8")
    rows = written(tmp_path, PARCEL_ROWS)
    words = ("backfill", "--mapping", str(mapping), rows, str(signals))
    result = esm.run(*words)
    assert result.exit_code == 0, result.output
    found = events(esm)
    times = [e["occurred"] for e in found if e["topic"] != "clock.advanced.v1"]
    assert times == sorted(times)
    assert {"exception.note_added.v1", BREACHED} <= {event["topic"] for event in found}
    assert (esm.run(*words).exit_code, events(esm)) == (0, found)


def test_on_a_wall_store_parcels_go_in_and_no_clock_is_advanced(tmp_path: Path) -> None:
    with serving(sqlite_settings(tmp_path / "wall")) as server:
        esm = Esm(server.address)
        assert esm.run(*parcels(tmp_path)).exit_code == 0
        status = esm.json("status")
        assert (status["clock"], status["watched"]) == ("wall", "3")
        assert status["clock_time"] > "2026-01-06"
        refused = esm.run("advance-clock", "2026-01-05T00:00:00Z")
        assert (refused.exit_code, "NOT_A_FEED_CLOCK" in refused.stderr) == (1, True)


def test_advancing_the_clock_says_where_it_stands_and_what_was_due(esm: Esm) -> None:
    said = esm.run("advance-clock", "2026-01-05T00:00:00Z")
    assert (said.exit_code, "2026-01-05T00:00:00Z, 0" in said.stdout) == (0, True)
    preview = esm.json("advance-clock", "2026-01-06T00:00:00Z", "--validate-only")
    assert [event["topic"] for event in preview["preview"]["events"]] == ["clock.advanced.v1"]
    back = esm.run("advance-clock", "2026-01-04T00:00:00Z")
    assert (back.exit_code, "CLOCK_BACKWARDS" in back.stderr) == (1, True)
    assert esm.run("advance-clock", "soon").exit_code != 0
