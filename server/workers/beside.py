"""Runs the projectors beside the server: starts their process, wakes it, hears how far it is."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from threading import Event, Lock, Thread

import msgspec

from server.settings import Settings
from server.workers.child import Told

RESTART_SECONDS = 1.0
STOP_SECONDS_MAX = 20.0
"""How long a batch may take to be finished when the server stops."""

GROUP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Ctrl-C and service managers send these to every process of a server; the server answers them,
and its projectors end when their input does."""

_log = logging.getLogger(__name__)


class ProjectorsBeside:
    """The process of the projectors, started again when it ends by itself."""

    def __init__(self, settings: Settings, advanced: Callable[[str, int], None]) -> None:
        self._told = Told(str(settings.data), settings.dsn, settings.schema)
        self._advanced = advanced
        self._stopping = Event()
        self._changing = Lock()
        self._process = self._spawn()
        self._thread = Thread(target=self._listen, name="projectors", daemon=True)

    @property
    def pid(self) -> int:
        """The id of the process, now."""
        return self._process.pid

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def ping(self) -> None:
        """The log has grown; from any thread. Never raises.

        A full pipe means that it knows already, a closed one that it is being started again.
        """
        with self._changing:
            stdin = self._process.stdin
            if stdin is not None and not stdin.closed:
                with contextlib.suppress(OSError):
                    os.write(stdin.fileno(), b"\n")

    def stop(self) -> None:
        """Let it finish its batch, and wait; one that does not end is killed."""
        with self._changing:
            self._stopping.set()
            self._close()
        self._thread.join(STOP_SECONDS_MAX)
        if self._thread.is_alive():
            _log.error("the projectors did not end; they are killed")
            self._process.kill()
            self._thread.join()

    def _spawn(self) -> "subprocess.Popen[bytes]":
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, GROUP_SIGNALS)
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "server.workers.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        assert process.stdin is not None, "asked for above"
        with contextlib.suppress(BrokenPipeError):  # it has ended, which its output tells as well
            process.stdin.write(msgspec.json.encode(self._told) + b"\n")
            process.stdin.flush()
        os.set_blocking(process.stdin.fileno(), False)
        return process

    def _listen(self) -> None:
        while True:
            self._hear()
            while not self._stopping.is_set():
                self._stopping.wait(RESTART_SECONDS)
                with self._changing:
                    self._close()
                try:
                    process = self._spawn()
                except OSError as error:
                    _log.error("the projectors cannot be started: %s; trying again", error)
                    continue
                with self._changing:
                    self._process = process
                    if self._stopping.is_set():
                        self._close()
                break
            else:
                return

    def _hear(self) -> None:
        """Pass on what it tells until it ends."""
        stdout = self._process.stdout
        assert stdout is not None, "asked for when it was started"
        for line in stdout:
            name, position = line.split()
            self._advanced(name.decode(), int(position))
        stdout.close()
        code = self._process.wait()
        if not self._stopping.is_set():
            _log.error("the projectors ended with code %d; starting them again", code)

    def _close(self) -> None:
        stdin = self._process.stdin
        if stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                stdin.close()
