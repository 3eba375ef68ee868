"""The tour of the README works when it is pasted."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from tests.server.esm import ROOT

SECONDS_MAX = 120


def test_the_tour_runs_from_report_to_closed_books(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    tour = re.search(r"## A tour\n.*?```sh\n(.*?)```", text, re.DOTALL)
    assert tour is not None
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    esm = tmp_path / "esm"
    esm.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m server.cli "$@"\n', encoding="utf-8")
    esm.chmod(0o700)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = subprocess.run(
        ["bash", "-e", "-c", tour[1]],
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}",
            "ESM_ADDRESS": f"127.0.0.1:{port}",
        },
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing is promised before it is known" in done.stdout
    assert "verified" in done.stdout
