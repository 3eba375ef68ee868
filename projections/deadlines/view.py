"""The port of the deadline view: what comes due, of which kind, about what."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from esm.events import Subject
from projections.query import NEVER

Kind = Literal["next_stage", "mute_end", "carried_item"]
"""``next_stage``: a standing alert of an open case reaches its rule's next stage; ``mute_end``: a
muted rule speaks again; ``carried_item``: the last day of an item that was carried is over."""

KINDS: tuple[Kind, ...] = get_args(Kind)

DEADLINES_MAX = 1_000
"""Most deadlines that one call answers."""


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """Something that comes due. ``due_at``: microseconds UTC.

    ``name`` is the rule, or the carried item; ``exception_id`` is empty where no case is behind
    it. A deadline passes when the clock reaches it.
    """

    tenant: str
    kind: Kind
    exception_id: str
    name: str
    subject: Subject
    due_at: int


class DeadlineView(ABC):
    """Reads of deadlines. Safe to call from any thread."""

    @abstractmethod
    def list(
        self,
        tenant: str,
        *,
        kind: Kind | None = None,
        since: int = 0,
        until: int = NEVER - 1,
        after: Sequence[str | int] = (),
        limit: int,
    ) -> Sequence[Deadline]:
        """At most ``limit`` deadlines of a tenant from ``since`` to ``until``, both included.

        First ones first. ``after`` is the :func:`page_key` of the last one of the page before.
        """

    @abstractmethod
    def position(self) -> int:
        """Position of the last event that these deadlines have seen."""


def page_key(deadline: Deadline) -> tuple[str | int, ...]:
    """Where a page ended; what ``after`` of :meth:`DeadlineView.list` takes."""
    subject = subject_text(deadline.subject)
    return (deadline.due_at, deadline.exception_id, deadline.kind, deadline.name, subject)


def subject_text(subject: Subject) -> str:
    """A subject as rows hold it: equal subjects have equal text."""
    return _ENCODER.encode(subject).decode()


_ENCODER = msgspec.json.Encoder()
