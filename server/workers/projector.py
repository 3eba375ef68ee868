"""Keeps projections up to date: pumps batches, and sleeps until the log has grown."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from threading import Event, Thread

from esm.events import Recorded
from projections.pump import BATCH_EVENTS_MAX, LogReader, Pump
from server.storage.log import POLL_SECONDS

BREATH_SECONDS_PER_EVENT = 0.001
BREATH_SECONDS_MAX = 0.025
"""Pause after a batch, the longer the more it held: under load a transaction then carries many
events, and an idle reader still sees its own write at once."""

RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


class SamePage:
    """The log for pumps that take turns: what one has read and decoded, the next is given."""

    def __init__(self, log: LogReader) -> None:
        self._log = log
        self._after = 0
        self._page: Sequence[Recorded] = ()

    def read(self, after: int, limit: int) -> Sequence[Recorded]:
        """At most ``limit`` events behind a position; a page that is kept may hold fewer."""
        if not self._page or self._after != after:
            self._page = self._log.read(after, limit)
            self._after = after
        return self._page[:limit]


class Projector:
    """A thread around pumps that take turns. ``advanced`` is told the position after every batch.

    ``watch`` sets an event whenever the log may have grown, while its context is open; whoever
    gave ``grown`` may set it too. A pump that fails or is halted is left out for a while.
    """

    def __init__(
        self,
        pumps: Mapping[str, Pump],
        watch: Callable[[Event], AbstractContextManager[None]],
        advanced: Callable[[str, int], None],
        grown: Event | None = None,
    ) -> None:
        self._pumps = pumps
        self._not_before = dict.fromkeys(pumps, 0.0)
        self._watch = watch
        self._advanced = advanced
        self._stopping = False
        self._grown = grown or Event()
        self._thread = Thread(target=self._run, name="projectors", daemon=True)

    def start(self) -> None:
        """Begin pumping."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch under way."""
        self._stopping = True
        self._grown.set()
        self._thread.join()

    def _run(self) -> None:
        with self._watch(self._grown):
            while not self._stopping:
                self._grown.clear()
                scanned = self._take_turns()
                if scanned >= BATCH_EVENTS_MAX:
                    continue  # more waits already
                if scanned:
                    time.sleep(min(scanned * BREATH_SECONDS_PER_EVENT, BREATH_SECONDS_MAX))
                else:
                    self._grown.wait(POLL_SECONDS)

    def _take_turns(self) -> int:
        """A batch of each pump; the most events that one scanned, 0 when nothing is new."""
        most = 0
        for name, pump in self._pumps.items():
            if time.monotonic() < self._not_before[name]:
                continue
            try:
                most = max(most, pump.run_once())
                # Another process may lead: what it projected counts for those who wait here.
                self._advanced(name, pump.position)
                if pump.halted:
                    self._not_before[name] = time.monotonic() + RETRY_SECONDS
            except Exception:  # the store may be away for a while; the next look may find it back
                _log.exception("projection %s could not be pumped; trying again", name)
                self._not_before[name] = time.monotonic() + RETRY_SECONDS
        return most
