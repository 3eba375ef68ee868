"""Servers as processes of their own, started to be killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS_MAX = 30


@contextmanager
def served(module: str, *options: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A server that answers, by the module of its entry point; gives its address and process.

    At the end it is asked to stop, unless it was killed.
    """
    command = [sys.executable, "-m", module, "serve", "--address", "127.0.0.1:0", "--json"]
    with Path(os.devnull).open("r+") as nothing:
        process = subprocess.Popen(
            [*command, *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'proto'}"},
            stdin=nothing,
            stdout=subprocess.PIPE,
            stderr=nothing,
            text=True,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, f"the server ended with {process.wait(STOP_SECONDS_MAX)}"
        yield json.loads(line)["address"], process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_SECONDS_MAX)
        process.stdout.close()


def kill(process: "subprocess.Popen[str]") -> None:
    """SIGKILL, nothing else."""
    process.kill()
    process.wait(STOP_SECONDS_MAX)
