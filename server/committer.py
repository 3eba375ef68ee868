"""Group commit: one thread writes everything that waits in one transaction, again and again."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition, Thread
from uuid import UUID

from eventsourcing.persistence import OperationalError, PersistenceError

from esm.errors import StorageUnavailable
from server.clock import Clock
from server.storage.log import EventLog
from server.storage.records import (
    LogConflict,
    LoggedEvent,
    OutcomeUnknown,
    RequestRecord,
    SourceRecord,
    Submission,
)

GROUP_COMMANDS_MAX = 512
"""Most commands in one transaction; what waits behind them goes into the next."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Fact:
    """An event on its way into the log; the committer adds when it was recorded."""

    aggregate_id: UUID
    version: int
    topic: str
    payload: bytes
    order_id: str


@dataclass(slots=True)
class Envelope:
    """What all facts of a command share; ``occurred`` in microseconds UTC."""

    tenant: str
    occurred: int
    actor: str
    assurance: str
    correlation_id: str
    causation_id: str
    request_id: str


@dataclass(slots=True)
class Pending:
    """One command waiting to be written. ``outcome`` gets its position or why it has none.

    ``after`` are aggregates of commands before it in its batch that it builds on without
    touching them.
    """

    envelope: Envelope
    facts: Sequence[Fact]
    request: RequestRecord
    sources: Sequence[SourceRecord]
    outcome: "asyncio.Future[int]"
    settled: Callable[[int | BaseException], None] = field(default=lambda _: None)
    after: frozenset[UUID] = frozenset()


class Committer:
    """Owns the only connection that writes events.

    A group that meets a unique key is written member by member, so that one conflict refuses
    one command, and those of its batch that build on it. When the connection breaks in
    mid-commit, the request ids tell what stands.
    """

    def __init__(self, log: EventLog, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self._log = log
        self._clock = clock
        self._loop = loop
        self._queue: list[Sequence[Pending]] = []
        self._wanted = Condition()
        self._closing = False
        self.written: Callable[[], None] = lambda: None
        """Called in the committer's thread after every group."""
        self._thread = Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def submit(self, pendings: Sequence[Pending]) -> None:
        """Queue a batch; each command learns its outcome in the event loop, in the order given.

        A batch is never cut into two groups: a command of it may build on the one before.
        """
        with self._wanted:
            self._queue.append(pendings)
            self._wanted.notify()

    def close(self) -> None:
        """Write what waits, then end the thread."""
        with self._wanted:
            self._closing = True
            self._wanted.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wanted:
                while not self._queue and not self._closing:
                    self._wanted.wait()
                if not self._queue:
                    return
                group = self._next_group()
            if not group:
                continue
            outcomes = self._write(group)
            self.written()
            self._loop.call_soon_threadsafe(_settle, group, outcomes)

    def _next_group(self) -> list[Pending]:
        group: list[Pending] = []
        batches = 0
        for batch in self._queue:
            if group and len(group) + len(batch) > GROUP_COMMANDS_MAX:
                break
            group += batch
            batches += 1
        del self._queue[:batches]
        return group

    def _write(self, group: Sequence[Pending]) -> list[int | BaseException]:
        submissions = self._submissions(group)
        try:
            return list(self._log.insert_group(submissions))
        except (LogConflict, OutcomeUnknown):
            return self._write_each(group, submissions)
        except PersistenceError as error:
            return [_unavailable(error)] * len(group)
        except Exception as error:  # a fault of ours must not end the thread that writes
            _log.exception("a group could not be written")
            return [error] * len(group)

    def _write_each(
        self, group: Sequence[Pending], submissions: Sequence[Submission]
    ) -> list[int | BaseException]:
        """Write one by one; what builds on a command that was not written is not written."""
        outcomes: list[int | BaseException] = []
        broken: set[UUID] = set()
        for pending, submission in zip(group, submissions, strict=True):
            touched = {fact.aggregate_id for fact in pending.facts}
            outcome: int | BaseException
            if broken.isdisjoint(touched | pending.after):
                outcome = self._write_alone(pending, submission)
            else:
                outcome = LogConflict("version", "it builds on a command that was not written")
            if isinstance(outcome, BaseException):
                broken |= touched
            outcomes.append(outcome)
        return outcomes

    def _write_alone(self, pending: Pending, submission: Submission) -> int | BaseException:
        """Write one command; one that may stand already is looked up before it is tried."""
        request = pending.request
        try:
            found = self._log.find_requests(request.tenant, [request.request_id])
            known = found.get(request.request_id)
            # The answer is part of what is compared: the same request decided twice is two.
            if known is not None and known.fingerprint == request.fingerprint:
                if known.answer == request.answer:
                    return known.position
                return LogConflict("request", "the request id is used")
            return self._log.insert_group([submission])[0]
        except LogConflict as conflict:
            return conflict
        except (OutcomeUnknown, OperationalError) as error:
            return _unavailable(error)

    def _submissions(self, group: Sequence[Pending]) -> list[Submission]:
        recorded = self._clock.micros()
        return [
            Submission(
                [_logged(fact, pending.envelope, recorded) for fact in pending.facts],
                pending.request,
                pending.sources,
            )
            for pending in group
        ]


def _logged(fact: Fact, envelope: Envelope, recorded: int) -> LoggedEvent:
    return LoggedEvent(
        fact.aggregate_id,
        fact.version,
        fact.topic,
        fact.payload,
        envelope.tenant,
        fact.order_id,
        envelope.occurred,
        recorded,
        envelope.actor,
        envelope.assurance,
        envelope.correlation_id,
        envelope.causation_id,
        envelope.request_id,
    )


def _unavailable(error: BaseException) -> StorageUnavailable:
    _log.error("the log cannot be written: %s", error)
    return StorageUnavailable("the store cannot be written now; send the same request again")


def _settle(group: Sequence[Pending], outcomes: Sequence[int | BaseException]) -> None:
    for pending, outcome in zip(group, outcomes, strict=True):
        pending.settled(outcome)
        if pending.outcome.done():
            continue
        if isinstance(outcome, BaseException):
            pending.outcome.set_exception(outcome)
        else:
            pending.outcome.set_result(outcome)
