"""The port of the event log: what both engines offer beyond the library's recorder."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from threading import Event, Lock
from typing import Any
from uuid import UUID

from eventsourcing.persistence import ApplicationRecorder, ListenNotifySubscription, Subscription

from server.storage.records import ANY, LogFilter, RawRow, RequestAnswer, Submission

POLL_SECONDS = 1.0
"""A reader looks again after this long even when nothing woke it."""

SCHEMA_VERSION = "1"


class EventLog(ApplicationRecorder):
    """The log of one store: events in one order, request ids and source ids beside them."""

    @abstractmethod
    def insert_group(self, submissions: Sequence[Submission]) -> list[int]:
        """Writes a group of submissions in one transaction; answers the position of each.

        Raises LogConflict when a unique key is taken (nothing of the group is written then),
        OutcomeUnknown when the connection broke on the way, OperationalError when the store
        cannot write (nothing is written).
        """

    @abstractmethod
    def find_requests(self, tenant: str, ids: Sequence[str]) -> dict[str, RequestAnswer]:
        """What is known of these request ids; unknown ones are absent."""

    @abstractmethod
    def find_sources(
        self, tenant: str, keys: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], UUID]:
        """The case of each accepted (source, source id); unknown ones are absent."""

    @abstractmethod
    def select_log(
        self, after: int, limit: int, *, stop: int | None = None, where: LogFilter = ANY
    ) -> list[RawRow]:
        """Rows with after < position <= stop in position order, at most `limit` of them."""

    @abstractmethod
    def select_aggregate(
        self, aggregate_id: UUID, *, gt: int = 0, lte: int | None = None
    ) -> list[RawRow]:
        """The rows of one aggregate with gt < version <= lte, in version order."""

    @abstractmethod
    def select_aggregates(self, aggregate_ids: Sequence[UUID]) -> list[RawRow]:
        """All rows of several aggregates, in position order."""

    @abstractmethod
    def max_position(self) -> int:
        """The highest position; 0 in an empty log."""

    @abstractmethod
    def max_version(self, aggregate_id: UUID) -> int:
        """The highest version of an aggregate; 0 when it has no event."""

    @abstractmethod
    def ensure_meta(self, defaults: Mapping[str, str]) -> dict[str, str]:
        """Writes those facts about the store that are not set yet; answers all that stand."""

    @abstractmethod
    def durability(self) -> list[str]:
        """Sentences about settings under which an acknowledged command may be lost."""

    @abstractmethod
    def warnings(self) -> list[str]:
        """Sentences about the engine that an operator should know of."""

    @abstractmethod
    def watch(self, event: Event) -> contextlib.AbstractContextManager[None]:
        """Sets the event whenever the log may have grown, while the context is open.

        A wake-up may come late or not at all, so a watcher also looks every `POLL_SECONDS`.
        """

    @abstractmethod
    def close(self) -> None:
        """Lets go of what this log alone holds; the factory calls it."""

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        return LogSubscription(self, gt=gt, topics=topics)


class Watchers:
    """The events to set when a log may have grown."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._events: frozenset[Event] = frozenset()

    def __len__(self) -> int:
        return len(self._events)

    def wake(self) -> None:
        for event in self._events:
            event.set()

    @contextlib.contextmanager
    def watch(self, event: Event) -> Iterator[None]:
        with self._lock:
            self._events |= {event}
        try:
            yield
        finally:
            with self._lock:
                self._events -= {event}


class LogSubscription(ListenNotifySubscription[EventLog]):
    """The library's subscription, woken by the log's watchers and by a poll besides.

    The library's own one sleeps on an event that is committed between its first look and its
    LISTEN; the poll finds it.
    """

    def _loop_on_pull(self) -> None:
        try:
            with self._recorder.watch(self._has_been_notified):
                while not self._has_been_stopped:
                    self._pull()
                    self._has_been_notified.wait(POLL_SECONDS)
        # The library's contract: whatever stops the thread is raised to the subscriber.
        except BaseException as error:
            if self._thread_error is None:
                self._thread_error = error
            self.stop()


def envelope_of(event: Any) -> tuple[str, str, int, int, str, str, str, str, str]:
    """The envelope columns of an event, empty for a plain event of the library."""
    return (
        getattr(event, "tenant", ""),
        getattr(event, "order_id", ""),
        getattr(event, "occurred", 0),
        getattr(event, "recorded", 0),
        getattr(event, "actor", ""),
        getattr(event, "assurance", "asserted"),
        getattr(event, "correlation_id", ""),
        getattr(event, "causation_id", ""),
        getattr(event, "request_id", ""),
    )
