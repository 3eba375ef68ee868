"""What the event log keeps: logged events, request ids, source ids, and the rows read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple
from uuid import UUID

from eventsourcing.persistence import IntegrityError, OperationalError, StoredEvent

EVENTS_PER_SUBMISSION_MAX = 10_000
"""Bounds what one command may write, and so how far back its events lie from its position."""

ASSERTED = "asserted"


@dataclass(frozen=True)
class LoggedEvent(StoredEvent):
    """A stored event with its envelope; times are microseconds UTC since 1970.

    The recorder stores `recorded` as it is given: the committer sets it.
    """

    tenant: str = ""
    order_id: str = ""
    occurred: int = 0
    recorded: int = 0
    actor: str = ""
    assurance: str = ASSERTED
    correlation_id: str = ""
    causation_id: str = ""
    request_id: str = ""


class RequestRecord(NamedTuple):
    """A request id that a command used up, and what is needed to give its answer again."""

    tenant: str
    request_id: str
    fingerprint: bytes
    answer: bytes


class SourceRecord(NamedTuple):
    """A signal's source id that was accepted for ever, and the case that it went into."""

    tenant: str
    source: str
    source_id: str
    aggregate_id: UUID


class Submission(NamedTuple):
    """All that one command writes; several submissions are committed as one group.

    An event may also be a plain `StoredEvent` of the library: its envelope is then empty.
    `rests_on` are versions of aggregates that must still be the last ones when the group is
    committed, as those before it in the group leave them; only a shared log checks them.
    """

    events: Sequence[StoredEvent]
    request: RequestRecord | None = None
    sources: Sequence[SourceRecord] = ()
    rests_on: Sequence[tuple[UUID, int]] = ()


class RequestAnswer(NamedTuple):
    """What stands in the log about a request id; `position` is that of its command."""

    fingerprint: bytes
    answer: bytes
    position: int


class LogRow(NamedTuple):
    """The columns of a raw row, in their order; readers get plain tuples of this shape."""

    position: int
    tenant: str
    aggregate_id: UUID
    version: int
    topic: str
    occurred: int
    recorded: int
    actor: str
    assurance: str
    correlation_id: str
    causation_id: str
    request_id: str
    order_id: str
    payload: bytes


RawRow = tuple[int, str, UUID, int, str, int, int, str, str, str, str, str, str, bytes]
"""The type of a plain tuple with the columns of :class:`LogRow`."""


class LogFilter(NamedTuple):
    """Which events a reader wants; an absent field lets everything through."""

    tenant: str | None = None
    aggregate_id: UUID | None = None
    order_id: str | None = None
    actor: str | None = None
    topics: Sequence[str] = ()
    request_id: str | None = None


ANY = LogFilter()

Conflict = Literal["version", "request", "source", "other"]


class LogConflict(IntegrityError):
    """A group was refused as a whole because a unique key of it stands in the log already.

    `what` says which: another event has the (aggregate, version), another command the
    (tenant, request id), another signal the (tenant, source, source id).
    """

    def __init__(self, what: Conflict, text: str) -> None:
        super().__init__(text)
        self.what: Conflict = what


class OutcomeUnknown(OperationalError):
    """The connection was lost while a group was being written: it stands, or it does not.

    Nothing may be repeated before `find_requests` has told which.
    """


class StoreProblem(OperationalError):
    """A store cannot be used as it is: foreign, newer than this program, or held by another."""


def positions_of(
    submissions: Sequence[Submission], positions: Sequence[int], before: int
) -> list[int]:
    """The position of each submission of a group, given those of all its events in order.

    A submission without events stands where the log stood: behind the submission before it, or
    at `before`, the highest position when the group came.
    """
    answer, used, at = [], 0, before
    for submission in submissions:
        used += len(submission.events)
        if submission.events:
            at = positions[used - 1]
        answer.append(at)
    return answer


def check_sizes(submissions: Sequence[Submission]) -> None:
    """Raises ValueError for a submission with more events than one command may write."""
    for submission in submissions:
        if len(submission.events) > EVENTS_PER_SUBMISSION_MAX:
            raise ValueError(f"a submission holds at most {EVENTS_PER_SUBMISSION_MAX} events")
