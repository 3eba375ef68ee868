"""The port of the ticket view: what a ticket is and what may be asked about tickets."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from esm.events import Checkpoint, InvoiceLine, Sealed
from esm.times import Instant
from projections.query import NEVER, Condition, Kind, Order

OPEN_STATES = ("detected", "escalated")
"""States in which work remains on the customer's side."""

TICKETS_MAX = 1_000
"""Most tickets that one call answers."""


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of what a ticket is made of. Fields at their default are left out of stored bytes."""


class ActionSummary(Part, frozen=True):
    """A remedy of the case in a line; ``amount`` is what was approved, in minor units."""

    action_id: str
    kind: str
    side: str
    status: str
    episode: int
    amount: int = 0
    currency: str = ""


class CodeStep(Part, frozen=True):
    """One step of the code history; the first has no ``from_code``. ``at``: microseconds UTC."""

    from_code: str
    code: str
    at: int


class Check(Part, frozen=True):
    """A checklist item and what is known of it: ``confirmed`` or ``not_obtainable``."""

    item: str
    result: str


class TicketAlert(Part, frozen=True):
    """What a detection rule says of the case and still stands: the newest word of that rule.

    ``stage`` was reached ``at``; ``next_at`` is when the next stage comes, 0 when none does.
    Microseconds UTC.
    """

    rule: str
    stage: str
    at: int
    next_at: int = 0
    source_id: str = ""


class Ticket(Part, frozen=True):
    """A case as the people who work on it see it.

    Times are microseconds UTC of the *occurred* time of the fact, 0 for "not yet"; those that a
    carrier told stay instants as they came. A ticket has a ``checkpoint``, or ``none_yet``: the
    moment we looked and there was none. ``position`` is the place in the log of the last fact
    that changed the ticket, ``version`` the case's version after it. Personal text is sealed.

    ``stage`` is the highest of the present episode. ``due_at`` is the earliest next stage of the
    standing ``alerts`` of an open case, :data:`projections.query.NEVER` when there is none.
    ``first_source`` is the kind of the source that opened the case.
    """

    tenant: str
    exception_id: str
    state: str
    code: str
    family: str
    phase: str
    stage: str
    priority: str
    team: str
    level: int = 0
    owner: str = ""
    episode: int = 1
    occurrence: int = 1
    order_id: str = ""
    shipment_code: str = ""
    piece: str = ""
    invoice_line: InvoiceLine | None = None
    person: str = ""
    raised_by: str = ""
    failing_check: str = ""
    first_source: str = ""
    source_kinds: tuple[str, ...] = ()
    sources: int = 0
    alerts: tuple[TicketAlert, ...] = ()
    due_at: int = NEVER
    checkpoint: Checkpoint | None = None
    none_yet: Instant = ""
    waiting_on: str = ""
    waiting_since: int = 0
    detected_at: int = 0
    escalated_at: int = 0
    customer_resolved_at: int = 0
    reconciled_at: int = 0
    updated_at: int = 0
    last_actor: str = ""
    actions: tuple[ActionSummary, ...] = ()
    open_actions: int = 0
    notes: int = 0
    contacts: int = 0
    checks: tuple[Check, ...] = ()
    codes: tuple[CodeStep, ...] = ()
    resolution: str = ""
    summary: Sealed | None = None
    merged_into: str = ""
    merged_from: tuple[str, ...] = ()
    version: int = 0
    position: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the case is detected or escalated."""
        return self.state in OPEN_STATES


FILTERS: Mapping[str, Kind] = {
    "exception_id": "text",
    "state": "text",
    "open": "flag",
    "level": "integer",
    "team": "text",
    "owner": "text",
    "code": "text",
    "family": "text",
    "phase": "text",
    "priority": "text",
    "stage": "text",
    "first_source": "text",
    "order_id": "text",
    "shipment_code": "text",
    "waiting_on": "text",
    "episode": "integer",
    "due_at": "due",
    "detected_at": "time",
    "updated_at": "time",
}
"""Fields that conditions on tickets may name; ``open`` = detected or escalated."""

SORTABLE = tuple(name for name in FILTERS if name != "open")
"""Fields that tickets may be ordered by."""

COUNT_FIELDS = ("state", "level", "owner", "code", "family")
"""What tickets may be counted by."""

AS_OF_FILTERS: Mapping[str, Kind] = {
    name: kind for name, kind in FILTERS.items() if name in (*COUNT_FIELDS, "first_source", "open")
}
"""Fields that conditions of a count as of a past moment may name."""

DEFAULT_ORDER = (Order("priority"), Order("due_at"), Order("detected_at"))
"""The queue of the desk: the most urgent first, then what is due first, then the oldest."""


class Belongs(NamedTuple):
    """A condition on the code and the first source together, as a catalogue's views need it.

    Met by a ticket with one of ``codes`` (with none of them when ``excluded``) whose first source
    is of the kind ``first_source`` ("" = any); ``negated``: by every other ticket.
    """

    codes: tuple[str, ...]
    excluded: bool = False
    first_source: str = ""
    negated: bool = False

    def holds(self, code: str, first_source: str) -> bool:
        """Whether a ticket with this code and first source meets the condition."""
        inside = (code in self.codes) != self.excluded
        by_source = self.first_source in ("", first_source)
        return (inside and by_source) != self.negated


def page_key(ticket: Ticket, order_by: Sequence[Order]) -> tuple[str | int, ...]:
    """Where a page ended: the ticket's values of the order's keys, then its id.

    It is what ``after`` of :meth:`TicketView.list` takes.
    """
    return (*(getattr(ticket, order.field) for order in order_by), ticket.exception_id)


class TicketView(ABC):
    """Reads of tickets. Every one is of one tenant; safe to call from any thread.

    Conditions and orders that the tables above do not allow raise
    :class:`projections.query.QueryRefused`.
    """

    @abstractmethod
    def get(self, tenant: str, exception_id: str) -> Ticket | None:
        """The ticket of a case, None when this tenant has none with the id."""

    @abstractmethod
    def list(
        self,
        tenant: str,
        conditions: Sequence[Condition | Belongs] = (),
        *,
        order_by: Sequence[Order] = DEFAULT_ORDER,
        after: Sequence[str | int] = (),
        limit: int,
    ) -> Sequence[Ticket]:
        """At most ``limit`` tickets that meet all conditions, in the order, ids break ties.

        ``after`` is the :func:`page_key` of the last ticket of the page before.
        """

    @abstractmethod
    def changed_after(self, tenant: str, position: int, limit: int) -> Sequence[Ticket]:
        """Tickets whose ``position`` is higher, in the order of their positions."""

    @abstractmethod
    def count(
        self,
        tenant: str,
        by: str,
        conditions: Sequence[Condition | Belongs] = (),
        *,
        as_of: int | None = None,
    ) -> Mapping[str | int, int]:
        """How many tickets meet all conditions, per value of ``by`` (:data:`COUNT_FIELDS`).

        ``as_of``, microseconds UTC, counts as things stood then: the facts that had occurred by
        that moment, folded in log order. Values without tickets are absent.
        """

    @abstractmethod
    def position(self) -> int:
        """Position of the last event that these tickets have seen."""
