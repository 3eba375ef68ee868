"""Child processes of a benchmark: started, asked by lines of JSON, ended by their own pid."""

import contextlib
import json
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
ANSWER_SECONDS_MAX = 1_800.0
STOP_SECONDS_MAX = 20.0
SAID_CHARACTERS_MAX = 4_000


class ChildFailed(RuntimeError):
    """A child ended or kept silent; the text is the end of what it said."""


class Child:
    """A running process with a pipe to and from it; what it logs goes to a file."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def answer(self, seconds: float = ANSWER_SECONDS_MAX) -> dict[str, Any]:
        """The next line of JSON that it prints; other lines go to its log.

        Raises :class:`ChildFailed` when it ends first or takes longer.
        """
        while True:
            try:
                line = self._lines.get(timeout=seconds)
            except queue.Empty:
                raise ChildFailed(f"no answer in {seconds:.0f} s\n{self.said()}") from None
            if line is None:
                raise ChildFailed(f"process {self.pid} ended\n{self.said()}")
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found

    def ask(self, **question: object) -> dict[str, Any]:
        """Sends a question as a line of JSON and waits for the answer."""
        pipe = self._pipe()
        pipe.write(json.dumps(question) + "\n")
        pipe.flush()
        return self.answer()

    def said(self) -> str:
        """The end of its log."""
        return self._log.read_text("utf-8", "replace")[-SAID_CHARACTERS_MAX:]

    def end(self) -> None:
        """Asks it to stop, and stops it when it does not listen."""
        with contextlib.suppress(BrokenPipeError):
            self._pipe().close()
        if self.running:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _pipe(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines, self._log.open("a", encoding="utf-8") as log:
            for line in lines:
                if not line.startswith("{"):
                    log.write(line)
                    log.flush()
                self._lines.put(line)
        self._lines.put(None)


@contextlib.contextmanager
def started(command: Sequence[str], log: Path) -> Iterator[Child]:
    """A process that ends with the block."""
    child = Child(command, log)
    try:
        yield child
    finally:
        child.end()


def module(name: str, options: Mapping[str, object]) -> list[str]:
    """The command that runs a module of this folder with ``--option value`` pairs."""
    pairs = (f"--{option}={value}" for option, value in options.items())
    return [sys.executable, "-m", f"benchmarks.{name}", *pairs]


def free_port() -> int:
    """A port of the loopback interface that nobody listened on just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
