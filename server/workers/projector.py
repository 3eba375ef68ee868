"""Keeps one projection up to date: pumps batches, and sleeps until the log has grown."""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Thread

from projections.pump import Pump
from server.storage.log import POLL_SECONDS

BREATH_SECONDS_PER_EVENT = 0.001
BREATH_SECONDS_MAX = 0.025
"""Pause after a batch, the longer the more it held: under load a transaction then carries many
events, and an idle reader still sees its own write at once."""

RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Projector:
    """A thread around one pump. ``advanced`` is told the position after every batch.

    ``watch`` sets an event whenever the log may have grown, while its context is open; whoever
    gave ``grown`` may set it too.
    """

    def __init__(
        self,
        name: str,
        pump: Pump,
        watch: Callable[[Event], AbstractContextManager[None]],
        advanced: Callable[[str, int], None],
        grown: Event | None = None,
    ) -> None:
        self._name = name
        self._pump = pump
        self._watch = watch
        self._advanced = advanced
        self._stopping = False
        self._grown = grown or Event()
        self._thread = Thread(target=self._run, name=f"projector-{name}", daemon=True)

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
                if not self._pump_all():
                    self._grown.wait(POLL_SECONDS)

    def _pump_all(self) -> bool:
        """Pump until nothing is new; False when it is time to sleep."""
        try:
            while not self._stopping and (scanned := self._pump.run_once()):
                self._advanced(self._name, self._pump.position)
                time.sleep(min(scanned * BREATH_SECONDS_PER_EVENT, BREATH_SECONDS_MAX))
            # Another process may lead: what it projected counts for those who wait here.
            self._advanced(self._name, self._pump.position)
        except Exception:  # the store may be away for a while; the next look may find it back
            _log.exception("projection %s could not be pumped; trying again", self._name)
            time.sleep(RETRY_SECONDS)
            return True
        return False
