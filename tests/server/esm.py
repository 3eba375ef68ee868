"""Runs ``esm`` in tests: in this process against a server, or as a process of its own."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from server.cli.root import app

ROOT = Path(__file__).resolve().parents[2]
SECONDS_MAX = 60
SERVE = (sys.executable, "-m", "server.cli", "serve", "--address=127.0.0.1:0", "--json")


class Esm:
    """The command line with one server and actor in every command."""

    def __init__(self, address: str, actor: str = "ann") -> None:
        self.common = ["--address", address, "--actor", actor]

    def run(self, *words: str) -> Result:
        """What a command said and how it ended."""
        return run(*words, *self.common)

    def json(self, *words: str) -> dict[str, Any]:
        """The JSON answer of a command that must succeed."""
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def field(self, path: str, *words: str) -> str:
        """One field of the answer of a command that must succeed."""
        result = self.run(*words, "--only", path)
        assert result.exit_code == 0, result.output
        return result.stdout.strip()


def run(*words: str) -> Result:
    """What ``esm`` said to these words and how it ended."""
    return CliRunner().invoke(app, words)


@contextmanager
def serving_process(*words: str) -> Iterator[tuple[subprocess.Popen[str], Mapping[str, str]]]:
    """``esm serve`` as a process that said it was ready; killed at the end when it still runs."""
    process = subprocess.Popen(
        [*SERVE, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(process.communicate(timeout=SECONDS_MAX)[1])
            yield process, json.loads(line)
        finally:
            process.kill()


def stopped(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> int:
    """The exit code of a server that was told to stop."""
    process.send_signal(number)
    return process.wait(SECONDS_MAX)
