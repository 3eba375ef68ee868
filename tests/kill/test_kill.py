"""SIGKILL in mid-load loses no acknowledged command and doubles none; the judge can tell."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

from server.client import connect
from tests.kill.judge import Verdict, judge
from tests.kill.load import TENANT, Load, prepare, settle
from tests.kill.record import ACKNOWLEDGED, Asked, Record, read
from tests.kill.servers import ROOT, kill, served

ROUNDS = 20
ATTEMPTS_MAX = 40
"""Rounds that may be tried for 20 that count."""

ACKNOWLEDGED_MIN = 50
WINDOW_SECONDS = 2.0
LOAD_SECONDS = (0.5, 1.1)
"""The kill comes at a random moment between these, counted from the first call."""

PLANTED_ROUNDS_MAX = 5

SERVER = "server.cli"
EARLY = "tests.kill.early_answers"


class Rounds:
    """Rounds of load and kill against one store."""

    def __init__(self, module: str, options: tuple[str, ...], folder: Path) -> None:
        self.module = module
        self.options = options
        self.path = folder / "record.jsonl"
        self.path.touch()
        self.chance = random.Random(4711)
        self.counted = self.tried = 0

    def round(self) -> None:
        """Settle what the round before left open, load, kill; counts it if it was busy enough."""
        self.tried += 1
        with served(self.module, *self.options) as (address, process):
            acknowledged = asyncio.run(self._play(address, process))
        self.counted += acknowledged >= ACKNOWLEDGED_MIN

    async def _play(self, address: str, process: "subprocess.Popen[str]") -> int:
        record = Record(self.path)
        cases = await prepare(address)
        await settle(address, record, self.unknown())
        load = Load(address, record, cases, f"round{self.tried}")
        loop = asyncio.get_running_loop()
        running = asyncio.ensure_future(load.run())
        await asyncio.sleep(self.chance.uniform(*LOAD_SECONDS))
        killed = loop.time()
        process.kill()
        await running
        kill(process)
        return sum(killed - WINDOW_SECONDS <= at <= killed for at in load.acknowledged)

    def unknown(self) -> list[Asked]:
        """Every command on record that was not acknowledged."""
        return [a for a in read(self.path).values() if a.outcome != ACKNOWLEDGED]

    def judged(self) -> Verdict:
        """Start a sound server, settle every unknown outcome, and compare record and log."""
        with served(SERVER, *self.options) as (address, _):
            asyncio.run(settle(address, Record(self.path), self.unknown()))
            verdict = judge(address, read(self.path))
            if verdict.sound:
                check_views(address)
        return verdict


def check_views(address: str) -> None:
    """The views catch up and are what a rebuild makes; the books are what the log makes."""
    with connect(address, tenant=TENANT, actor="judge") as client:
        position = client.call("GetStatus")["position"]
        for rpc in ("ListTickets", "ListEntries"):
            assert client.call(rpc, {"min_position": position})
        for projection in ("tickets", "ledger"):
            *_, last = client.stream("RebuildProjection", {"projection": projection})
            assert last.get("equal"), f"{projection} differs when rebuilt"
        assert client.call("GetStatus").get("parked", []) == []
    verify = [sys.executable, "-m", SERVER, "verify", "--address", address, "--tenant", TENANT]
    done = subprocess.run(verify, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def twenty_rounds(options: tuple[str, ...], folder: Path) -> None:
    rounds = Rounds(SERVER, options, folder)
    while rounds.counted < ROUNDS and rounds.tried < ATTEMPTS_MAX:
        rounds.round()
    assert rounds.counted == ROUNDS, f"{rounds.tried} rounds, {rounds.counted} busy enough"
    verdict = rounds.judged()
    assert verdict == Verdict()
    assert sum(a.outcome == ACKNOWLEDGED for a in read(rounds.path).values()) >= 20 * 50


def lost_in_planted_rounds(options: tuple[str, ...], folder: Path) -> list[str]:
    rounds = Rounds(EARLY, options, folder)
    while rounds.tried < PLANTED_ROUNDS_MAX:
        rounds.round()
        if lost := rounds.judged().lost:
            return lost
    return []


def test_twenty_kills_on_sqlite_lose_and_double_nothing(tmp_path: Path) -> None:
    twenty_rounds(("--data", str(tmp_path / "store")), tmp_path)


def test_twenty_kills_on_postgresql_lose_and_double_nothing(
    postgres_dsn: str, postgres_schema: str, tmp_path: Path
) -> None:
    twenty_rounds(("--dsn", postgres_dsn, "--schema", postgres_schema), tmp_path)


def test_a_writer_that_answers_before_it_commits_is_found_out_on_sqlite(tmp_path: Path) -> None:
    assert lost_in_planted_rounds(("--data", str(tmp_path / "store")), tmp_path)


def test_a_writer_that_answers_before_it_commits_is_found_out_on_postgresql(
    postgres_dsn: str, postgres_schema: str, tmp_path: Path
) -> None:
    options = ("--dsn", postgres_dsn, "--schema", postgres_schema)
    assert lost_in_planted_rounds(options, tmp_path)
