"""``esm demo``: the whole story, its books proved from the log."""

import json
import subprocess
import sys

import pytest

from server.cli.admin import rebuilt
from server.cli.demo import command
from server.cli.link import Link
from server.client import Json
from tests.server.esm import ROOT, run

SECONDS_MAX = 30


def test_the_demo_tells_its_story_and_proves_the_books_in_half_a_minute() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server.cli", "demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    said = (
        *("CHARGEBACK and REFUND_DISPUTE", "episode 2", "reversed", "another person confirms"),
        *("TRACKING_STALLED opens a case by itself", "the case ends by itself"),
        *("Trial balance", "because", "rebuilt = live", "Try next"),
    )
    assert [words for words in said if words not in done.stdout] == []


def test_the_demo_gives_its_proof_as_json() -> None:
    result = run("demo", "--json")
    assert result.exit_code == 0, result.output
    proof = json.loads(result.stdout)
    assert (proof["rebuilt_equals_live"], proof["findings"]) == (True, 0)
    assert proof["entries"] > 20


def test_the_demo_ends_with_1_when_the_replay_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    def differs(link: Link, name: str, *, hidden: bool = False) -> Json:
        return {**rebuilt(link, name, hidden=hidden), "equal": False}

    monkeypatch.setattr(command, "rebuilt", differs)
    result = run("demo")
    assert result.exit_code == 1
    assert "rebuilt = live" not in result.stdout
