"""The tours of the README work when they are pasted."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from tests.server.esm import ROOT

SECONDS_MAX = 120


def pasted(section: str, folder: Path) -> str:
    """What the commands of a section say, which all must succeed, in a folder of their own."""
    text = (ROOT / "README.md").read_text("utf-8")
    tour = re.search(rf"## {section}\n.*?```sh\n(.*?)```", text, re.DOTALL)
    assert tour is not None
    (folder / "examples").symlink_to(ROOT / "examples")
    esm = folder / "esm"
    esm.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m server.cli "$@"\n', encoding="utf-8")
    esm.chmod(0o700)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = subprocess.run(
        ["bash", "-e", "-c", tour[1]],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}",
            "ESM_ADDRESS": f"127.0.0.1:{port}",
        },
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tour_runs_from_report_to_closed_books(tmp_path: Path) -> None:
    said = pasted("A tour", tmp_path)
    assert "nothing is promised before it is known" in said
    assert "verified" in said


def test_the_watched_parcel_stalls_and_moves_on(tmp_path: Path) -> None:
    said = pasted("A parcel that is watched", tmp_path)
    assert "3 new 新增" in said
    assert "2 commands were due 到时命令" in said
    listed, shown = said.split("2 new 新增")
    assert "TRACKING_STALLED" in listed
    assert "escalated 处理中" in listed
    assert "breached 已超时" in shown
    assert "arrived 已到达" in shown
