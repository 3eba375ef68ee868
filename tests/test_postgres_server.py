"""The test server itself: it is stopped and cleared whatever becomes of its starter."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.postgres_server import (
    FOLDER_PREFIX,
    OWNER_FILE,
    PostgresServerError,
    binaries,
    clear_leftovers,
    postgres_server,
)

GONE_SECONDS_MAX = 20
STARTER = """
import sys, time
from tests.postgres_server import postgres_server
with postgres_server() as dsn:
    print(dsn, flush=True)
    time.sleep(600)
"""


def folder_of(dsn: str) -> Path:
    return Path(str(conninfo_to_dict(dsn)["host"]))


def is_gone(folder: Path) -> bool:
    deadline = time.monotonic() + GONE_SECONDS_MAX
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not folder.exists()


def test_the_server_is_postgresql_18_with_fsync_on(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        row = connection.execute("SHOW server_version").fetchone()
        assert row is not None
        assert row[0].startswith("18.")
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_nothing_is_left_when_the_block_ends() -> None:
    with postgres_server() as dsn:
        folder = folder_of(dsn)
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    assert not folder.exists()
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(GONE_SECONDS_MAX)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_starter_is_killed(number: signal.Signals) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with starter:
        assert starter.stdout is not None
        folder = folder_of(starter.stdout.readline().strip())
        starter.send_signal(number)
    assert is_gone(folder)


def test_a_leftover_of_a_dead_starter_is_cleared_and_a_live_one_is_not(tmp_path: Path) -> None:
    dead, other = tmp_path / f"{FOLDER_PREFIX}dead", tmp_path / f"{FOLDER_PREFIX}other"
    for folder, owner in ((dead, "999999999 123.0"), (other, "nonsense")):
        folder.mkdir()
        (folder / OWNER_FILE).write_text(owner)
    young = tmp_path / f"{FOLDER_PREFIX}young"
    young.mkdir()
    assert clear_leftovers(tmp_path) == [dead]
    assert sorted(tmp_path.iterdir()) == [other, young]


def test_the_server_of_this_run_is_no_leftover(postgres_dsn: str) -> None:
    assert folder_of(postgres_dsn) not in clear_leftovers()
    assert folder_of(postgres_dsn).exists()


def test_the_modes_of_what_was_there_before_do_not_change() -> None:
    parents = list(binaries().parents)
    before = [path.stat().st_mode for path in parents]
    with postgres_server():
        pass
    assert [path.stat().st_mode for path in parents] == before


def test_a_server_that_cannot_start_says_why() -> None:
    with (
        pytest.raises(PostgresServerError, match="no_such_setting"),
        postgres_server(settings=("no_such_setting=1",)),
    ):
        pass


def test_a_wheel_out_of_reach_of_the_servers_user_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the caller is not root, he runs the server himself and reaches his own folder."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = binaries().parents[1]
    (closed / "site").mkdir()
    for name in (package, package.with_name(package.name + ".libs")):
        subprocess.run(["cp", "-R", str(name), str(closed / "site")], check=True)
    hidden = closed / "site" / package.name / "pginstall18" / "bin"
    monkeypatch.setattr("tests.postgres_server.binaries", lambda: hidden)
    with postgres_server() as dsn, psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
