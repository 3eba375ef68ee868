"""One LISTEN for all who watch a PostgreSQL log, taken up with the first watcher."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from threading import Event, Lock, Thread
from typing import Any

import psycopg
from eventsourcing.persistence import OperationalError
from psycopg.sql import SQL, Identifier

from server.storage.log import POLL_SECONDS, Watchers

STOP_CHECK_SECONDS = 0.2


class Listener:
    """A thread that wakes the watchers at each notification, and after each lost connection.

    Nobody depends on it: watchers look every `POLL_SECONDS` besides.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], channel: str) -> None:
        self.watchers = Watchers()
        self._connect = connect
        self._channel = channel
        self._lock = Lock()
        self._stopped = Event()
        self._thread: Thread | None = None

    @contextlib.contextmanager
    def watch(self, event: Event) -> Iterator[None]:
        """Sets the event whenever the log may have grown."""
        with self.watchers.watch(event):
            with self._lock:
                if self._thread is None:
                    self._thread = Thread(target=self._run, name="esm-listen", daemon=True)
                    self._thread.start()
            yield

    def close(self) -> None:
        """Ends the thread; the watchers poll from now on."""
        self._stopped.set()
        with self._lock:
            if self._thread is not None:
                self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except (psycopg.Error, OperationalError):
                self._stopped.wait(POLL_SECONDS)

    def _listen(self) -> None:
        with contextlib.closing(self._connect()) as connection:
            connection.execute(SQL("LISTEN {}").format(Identifier(self._channel)))
            # What was committed before the LISTEN told nobody.
            self.watchers.wake()
            while not self._stopped.is_set():
                for _ in connection.notifies(timeout=STOP_CHECK_SECONDS, stop_after=1):
                    self.watchers.wake()
