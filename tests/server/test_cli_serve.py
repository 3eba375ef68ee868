"""``esm serve``: ready line, orderly stop, and one sentence for everything in its way."""

import errno
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from server.client import connect
from server.settings import Settings
from server.workers import beside
from tests.server.esm import ROOT, SECONDS_MAX, SERVE, serving_process, stopped

REPORT = {
    "subject": {"order_id": "O-1", "shipment_code": "P-1"},
    "code": "LOST",
    "signal": {"kind": "person"},
    "none_yet_looked_at": "2026-01-06T00:00:00Z",
}


SIGNAL_SECONDS = 0.3
"""For a signal to do its work."""


def refused(*words: str) -> str:
    """What a server that must not start says, all of it."""
    done = subprocess.run(
        [*SERVE, *words], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_says_when_it_answers_and_stops_in_order(
    tmp_path: Path, number: signal.Signals
) -> None:
    with serving_process(f"--data={tmp_path}") as (process, ready):
        assert (ready["engine"], ready["clock"]) == ("sqlite", "wall")
        with connect(ready["address"]) as client:
            assert client.call("GetStatus")["store_id"] == ready["store"]
        assert stopped(process, number) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_whole_group_stops_it_in_order_too(
    tmp_path: Path, number: signal.Signals
) -> None:
    """What Ctrl-C in a terminal does, and a service manager: the projectors get it as well."""
    with serving_process(f"--data={tmp_path}") as (server, ready):
        with connect(ready["address"]) as client:
            client.call("DetectException", REPORT)
        for projectors in psutil.Process(server.pid).children():
            projectors.send_signal(number)
        time.sleep(SIGNAL_SECONDS)
        assert stopped(server, number) == 0
        assert server.stderr is not None
        said = server.stderr.read()
        assert "Traceback" not in said
        assert "ended" not in said


def test_it_stops_while_its_projectors_are_being_started_again(tmp_path: Path) -> None:
    with serving_process(f"--data={tmp_path}") as (server, _):
        (projectors,) = psutil.Process(server.pid).children()
        projectors.kill()
        time.sleep(SIGNAL_SECONDS)
        assert stopped(server) == 0


def test_projectors_that_hang_do_not_hold_up_a_stop_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "STOP_SECONDS_MAX", SIGNAL_SECONDS)
    projectors = beside.ProjectorsBeside(Settings(data=tmp_path), lambda _name, _position: None)
    child = psutil.Process(projectors.pid)
    projectors.start()
    child.send_signal(signal.SIGSTOP)
    projectors.stop()
    assert not child.is_running()


def test_projectors_that_cannot_be_started_again_are_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "RESTART_SECONDS", SIGNAL_SECONDS)
    projectors = beside.ProjectorsBeside(Settings(data=tmp_path), lambda _name, _position: None)
    tries: list[str] = []
    started = subprocess.Popen

    def popen(*words: Any, **named: Any) -> Any:
        tries.append("again")
        if len(tries) == 1:
            raise BlockingIOError(errno.EAGAIN, "no more processes")
        return started(*words, **named)

    monkeypatch.setattr(subprocess, "Popen", popen)
    child = psutil.Process(projectors.pid)
    projectors.start()
    child.kill()
    until = time.monotonic() + SECONDS_MAX
    while len(tries) < 2 and time.monotonic() < until:
        time.sleep(SIGNAL_SECONDS)
    projectors.ping()
    projectors.stop()
    assert len(tries) == 2
    assert not psutil.pid_exists(projectors.pid)


def test_a_stream_of_events_is_followed_until_interrupted(tmp_path: Path) -> None:
    with serving_process(f"--data={tmp_path}") as (server, ready):
        command = [sys.executable, "-m", "server.cli", "history", "follow"]
        with subprocess.Popen(
            [*command, f"--address={ready['address']}"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as follower:
            with connect(ready["address"]) as client:
                client.call("DetectException", REPORT)
            assert follower.stdout is not None
            lines = [follower.stdout.readline() for _ in range(3)]
            follower.send_signal(signal.SIGINT)
            rest = follower.stdout.read()
            assert follower.wait(SECONDS_MAX) == 0
        assert [line.split()[1] for line in lines] == [
            *("catalogue.published.v1", "exception.detected.v1", "exception.escalated.v1"),
        ]
        # An interrupt in the middle of a line lets the console write that line again.
        assert rest.endswith(f"go on with: esm history follow --position {lines[-1].split()[0]}\n")
        assert stopped(server) == 0


def test_a_followed_stream_in_json_is_one_event_a_line(tmp_path: Path) -> None:
    with serving_process(f"--data={tmp_path}") as (server, ready):
        command = [sys.executable, "-m", "server.cli", "history", "follow", "--json"]
        with subprocess.Popen(
            [*command, f"--address={ready['address']}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as follower:
            with connect(ready["address"]) as client:
                client.call("DetectException", REPORT)
            assert follower.stdout is not None
            found = [json.loads(follower.stdout.readline())["event"] for _ in range(3)]
            follower.send_signal(signal.SIGINT)
            rest = follower.communicate(timeout=SECONDS_MAX)
            assert (rest, follower.returncode) == (("", ""), 0)
        assert [event["topic"] for event in found] == [
            *("catalogue.published.v1", "exception.detected.v1", "exception.escalated.v1"),
        ]
        assert all(event["position"] for event in found)
        assert stopped(server) == 0


def test_a_killed_server_lets_go_of_its_store(tmp_path: Path) -> None:
    with serving_process(f"--data={tmp_path}") as (process, first):
        process.kill()
        process.wait(SECONDS_MAX)
    with serving_process(f"--data={tmp_path}") as (process, second):
        assert second["store"] == first["store"]


def test_a_store_keeps_the_clock_that_it_was_made_with(tmp_path: Path) -> None:
    with serving_process(f"--data={tmp_path}", "--clock=feed") as (process, ready):
        assert ready["clock"] == "feed"
        assert stopped(process) == 0
    assert "follows a feed clock" in refused(f"--data={tmp_path}", "--clock=wall")


def test_a_held_store_is_refused_with_the_process_that_holds_it(tmp_path: Path) -> None:
    with serving_process(f"--data={tmp_path}") as (process, _):
        said = refused(f"--data={tmp_path}")
    assert said == f"error: the store {tmp_path} is held by process {process.pid}\n"


def test_a_taken_address_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        assert f"cannot listen on {address}" in refused(
            f"--data={tmp_path}", f"--address={address}"
        )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (lambda _: ["--address=0.0.0.0:0"], "--insecure"),
        (lambda _: ["--address=127.0.0.1:70000"], "is not an address"),
        (lambda folder: [f"--catalog={folder / 'none'}"], "no such directory"),
        (lambda _: ["--dsn=postgresql://x"], "not both"),
        (lambda folder: [f"--data={folder / 'file' / 'store'}"], "Not a directory"),
    ],
    ids=["beyond loopback", "no port", "no catalogue", "two stores", "no folder"],
)
def test_what_cannot_be_started_is_said_in_one_sentence(
    tmp_path: Path, words: Callable[[Path], list[str]], said: str
) -> None:
    (tmp_path / "file").touch()
    text = refused(f"--data={tmp_path / 'store'}", *words(tmp_path))
    assert said in text
    assert "Traceback" not in text


def test_a_broken_catalogue_is_refused_with_its_file(tmp_path: Path) -> None:
    types = tmp_path / "types"
    types.mkdir()
    (types / "BROKEN.toml").write_text('code = "BROKEN"\n', encoding="utf-8")
    text = refused(f"--data={tmp_path / 'store'}", f"--catalog={tmp_path}")
    assert "BROKEN.toml" in text
    assert "Traceback" not in text


def test_a_postgresql_that_does_not_answer_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "the database" in refused(f"--dsn=postgresql://nobody@127.0.0.1:{port}/none")


def test_a_server_runs_on_a_schema_of_a_postgresql(postgres_dsn: str, postgres_schema: str) -> None:
    words = (f"--dsn={postgres_dsn}", f"--schema={postgres_schema}")
    with serving_process(*words) as (process, ready):
        assert ready["engine"] == "postgresql"
        assert stopped(process) == 0
