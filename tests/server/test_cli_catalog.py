"""``esm catalog``: reads files, calls no server."""

import json
from pathlib import Path

import pytest

from tests.server.esm import run


def test_the_packaged_catalogue_is_sound() -> None:
    result = run("catalog", "check", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["types"] == 83


def test_every_problem_of_a_broken_catalogue_is_listed(tmp_path: Path) -> None:
    (tmp_path / "charges.toml").write_text(
        'x = { title = { zh = "甲", en = "X" }, account = "1" }\n', encoding="utf-8"
    )
    result = run("catalog", "check", "--catalog", str(tmp_path))
    assert result.exit_code == 1
    assert "problem" in result.stderr
    assert "charges" in result.stdout


@pytest.mark.parametrize(
    "what",
    [
        *("types", "remedies", "postings", "accounts", "charges", "checklist", "ledgers"),
        *("resolutions", "teams", "LOST", "full_refund"),
    ],
)
def test_tables_codes_and_remedies_are_shown_and_given_as_json(what: str) -> None:
    assert run("catalog", "show", what).exit_code == 0
    assert json.loads(run("catalog", "show", what, "--json").stdout)


def test_a_code_is_shown_in_both_languages() -> None:
    shown = run("catalog", "show", "lost").stdout
    assert "Lost" in shown
    assert "丢失" in shown


def test_what_the_catalogue_does_not_hold_is_refused() -> None:
    result = run("catalog", "show", "nothing")
    assert result.exit_code == 2
    assert "tables are: types, remedies" in result.stderr


@pytest.mark.parametrize("of", ["case", "action"])
def test_the_rule_book_is_drawn(of: str) -> None:
    assert "stateDiagram" in run("catalog", "diagram", of).stdout


def test_the_rules_are_shown_with_their_stages_and_for_whom_they_differ() -> None:
    shown = run("catalog", "show", "rules").stdout
    rows = {line.split("│")[1].strip(): line for line in shown.splitlines() if "│" in line}
    assert [cell.strip() for cell in rows["TRACKING_STALLED"].split("│")[3:5]] == [
        "checkpoint",
        "at_risk 36h",
    ]
    said = " ".join(shown.replace("│", " ").split())
    for words in (
        "serious 7d",
        "attempts 3",
        "lane *-CN: calendar",
        "serious 20d",
        "cross_border:",
    ):
        assert words in said
    assert set(json.loads(run("catalog", "show", "rules", "--json").stdout)) <= set(rows)
