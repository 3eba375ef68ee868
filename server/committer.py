"""Group commit: one thread writes everything that waits in one transaction, again and again."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from itertools import chain
from threading import Condition, Thread
from uuid import UUID

import msgspec
from eventsourcing.persistence import PersistenceError

from esm.errors import StorageUnavailable
from server.clock import Clock
from server.storage.log import EventLog
from server.storage.records import (
    LogConflict,
    LoggedEvent,
    OutcomeUnknown,
    RequestAnswer,
    RequestRecord,
    SourceRecord,
    Submission,
)

GROUP_COMMANDS_MAX = 512
"""Most commands in one transaction; what waits behind them goes into the next."""

NO_MORE = "this server writes no more; send the same request to another one"

Outcome = int | BaseException
"""The position of a command in the log, or why it has none."""

_log = logging.getLogger(__name__)


class Fact(msgspec.Struct, frozen=True, gc=False):
    """An event on its way into the log; the committer adds when it was recorded."""

    aggregate_id: UUID
    version: int
    topic: str
    payload: bytes
    order_id: str


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What all facts of a command share; ``occurred`` in microseconds UTC."""

    tenant: str
    occurred: int
    actor: str
    assurance: str
    correlation_id: str
    causation_id: str
    request_id: str


class Pending(msgspec.Struct):
    """One command waiting to be written. ``outcome`` gets its position or why it has none.

    ``after`` are aggregates that commands before it in its batch may have changed and that it
    builds on without touching them; ``rests_on`` are the versions of them that it was decided on.
    """

    envelope: Envelope
    facts: Sequence[Fact]
    request: RequestRecord
    sources: Sequence[SourceRecord]
    outcome: "asyncio.Future[int]"
    settled: Callable[[Outcome], None] = lambda _: None
    after: frozenset[UUID] = frozenset()
    rests_on: Sequence[tuple[UUID, int]] = ()


class Committer:
    """Owns the only connection that writes events.

    One conflict refuses one command, and those of its batch that build on it: a group that
    meets a used request id is written as a group without it, one that meets another unique key
    member by member. When the connection breaks in mid-commit, the request ids tell what stands.
    No fault of the store ends the thread.
    """

    def __init__(self, log: EventLog, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self._log = log
        self._clock = clock
        self._loop = loop
        self._queue: list[Sequence[Pending]] = []
        self._waking = False
        self._writing: list[Pending] = []
        self._wanted = Condition()
        self._closing = False
        self._ended = False
        self.written: Callable[[], None] = lambda: None
        """Called in the committer's thread after every group."""
        self.died = asyncio.Event()
        """Set when the thread ended unasked: nothing is written any more."""
        self._thread = Thread(target=self._work, name="committer", daemon=True)
        self._thread.start()

    def submit(self, pendings: Sequence[Pending]) -> None:
        """Queue a batch; each command learns its outcome in the event loop, in the order given.

        A batch is never cut into two groups: a command of it may build on the one before.
        Raises :class:`~esm.errors.StorageUnavailable` when the thread has ended.
        """
        with self._wanted:
            if self._ended:
                raise StorageUnavailable(NO_MORE)
            self._queue.append(pendings)
        if not self._waking:
            self._waking = True
            self._loop.call_soon(self._wake)

    def _wake(self) -> None:
        """Wake the thread once for all that the event loop decided in one turn."""
        self._waking = False
        with self._wanted:
            self._wanted.notify()

    def close(self) -> None:
        """Write what waits, then end the thread."""
        with self._wanted:
            self._closing = True
            self._wanted.notify()
        self._thread.join()

    def _work(self) -> None:
        try:
            self._run()
        finally:
            with self._wanted:
                asked, self._ended = self._ended, True
                left = [*self._writing, *chain.from_iterable(self._queue)]
            if not asked:
                _log.critical("the thread that writes has ended")
                error = StorageUnavailable(NO_MORE)
                self._loop.call_soon_threadsafe(_settle, left, [error] * len(left))
                self._loop.call_soon_threadsafe(self.died.set)

    def _run(self) -> None:
        while True:
            with self._wanted:
                while not self._queue and not self._closing:
                    self._wanted.wait()
                if not self._queue:
                    self._ended = True
                    return
                group = self._writing = self._next_group()
            if not group:
                continue
            outcomes = _outcomes(partial(self._write, group), len(group))
            self._loop.call_soon_threadsafe(_settle, group, outcomes)
            self._writing = []
            self.written()

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

    def _write(self, group: Sequence[Pending]) -> list[Outcome]:
        """Write a group whole; else without what the request ids settle; else one by one."""
        submissions = self._submissions(group)
        try:
            return list(self._log.insert_group(submissions))
        except OutcomeUnknown:
            by_request = True
        except LogConflict as conflict:
            by_request = conflict.what == "request"
        if by_request:
            outcomes = self._looked_up(group)
            rest = [s for s, known in zip(submissions, outcomes, strict=True) if known is None]
            try:
                positions = iter(self._log.insert_group(rest))
            except (LogConflict, OutcomeUnknown):
                pass
            else:
                return [next(positions) if known is None else known for known in outcomes]
        return self._write_each(group, submissions)

    def _looked_up(self, group: Sequence[Pending]) -> list[Outcome | None]:
        """What the request ids settle, by one read a tenant; None for what is to be written."""
        ids: dict[str, list[str]] = {}
        for pending in group:
            ids.setdefault(pending.request.tenant, []).append(pending.request.request_id)
        found = {tenant: self._log.find_requests(tenant, each) for tenant, each in ids.items()}
        outcomes: list[Outcome | None] = []
        broken: set[UUID] = set()
        written: set[tuple[str, str]] = set()
        for pending in group:
            tenant, request_id = pending.request[:2]
            outcome = _standing(found[tenant].get(request_id))
            if outcome is None and (tenant, request_id) in written:
                outcome = LogConflict("request", "the request id is used in the same group")
            elif outcome is None:
                outcome = _unless_broken(pending, broken)
            if outcome is None:
                written.add((tenant, request_id))
            elif isinstance(outcome, BaseException):
                broken |= _touched(pending)
            outcomes.append(outcome)
        return outcomes

    def _write_each(
        self, group: Sequence[Pending], submissions: Sequence[Submission]
    ) -> list[Outcome]:
        """Write one by one; what builds on a command that was not written is not written."""
        outcomes: list[Outcome] = []
        broken: set[UUID] = set()
        for pending, submission in zip(group, submissions, strict=True):
            outcome: Outcome | None = _unless_broken(pending, broken)
            if outcome is None:
                (outcome,) = _outcomes(partial(self._write_alone, pending, submission), 1)
            if isinstance(outcome, BaseException):
                broken |= _touched(pending)
            outcomes.append(outcome)
        return outcomes

    def _write_alone(self, pending: Pending, submission: Submission) -> list[Outcome]:
        """Write one command; one that may stand already is looked up before it is tried."""
        request = pending.request
        found = self._log.find_requests(request.tenant, [request.request_id])
        standing = _standing(found.get(request.request_id))
        return list(self._log.insert_group([submission])) if standing is None else [standing]

    def _submissions(self, group: Sequence[Pending]) -> list[Submission]:
        recorded = self._clock.micros()
        return [
            Submission(
                [_logged(fact, pending.envelope, recorded) for fact in pending.facts],
                pending.request,
                pending.sources,
                pending.rests_on,
            )
            for pending in group
        ]


def _outcomes(work: Callable[[], list[Outcome]], count: int) -> list[Outcome]:
    """What the work answers; when it fails, why, for each of ``count`` commands."""
    try:
        return work()
    except LogConflict as conflict:
        return [conflict] * count
    except PersistenceError as error:
        _log.error("the log cannot be written: %s", error)
        unavailable = "the store cannot be written now; send the same request again"
        return [StorageUnavailable(unavailable)] * count
    except Exception as error:  # a fault of ours must not end the thread that writes
        _log.exception("a group could not be written")
        return [error] * count


def _standing(known: RequestAnswer | None) -> Outcome | None:
    """What a used request id means for a command; None for an id that is free.

    Even a command that reads like this one may be an earlier sending of it, with other facts: its
    answer is the one in the log.
    """
    return None if known is None else LogConflict("request", "the request id is used")


def _unless_broken(pending: Pending, broken: AbstractSet[UUID]) -> Outcome | None:
    if broken.isdisjoint(_touched(pending) | pending.after):
        return None
    return LogConflict("version", "it builds on a command that was not written")


def _touched(pending: Pending) -> set[UUID]:
    return {fact.aggregate_id for fact in pending.facts}


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


def _settle(group: Sequence[Pending], outcomes: Sequence[Outcome]) -> None:
    for pending, outcome in zip(group, outcomes, strict=True):
        pending.settled(outcome)
        if pending.outcome.done():
            continue
        if isinstance(outcome, BaseException):
            pending.outcome.set_exception(outcome)
        else:
            pending.outcome.set_result(outcome)
