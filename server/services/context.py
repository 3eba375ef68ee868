"""What servicers need of the rest of the server, as ports; the composition root fills them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import msgspec

from esm.catalog import Catalogue
from esm.commands import AdvanceClock, Command
from esm.detection.model import Outlook
from esm.errors import DomainError
from esm.events import Event, Recorded
from esm.evolve import State
from esm.times import Instant
from projections.deadlines.view import DeadlineView
from projections.ledger.view import LedgerView
from projections.tickets.view import TicketView
from server.consistency import Tokens, Waiter
from server.submission import Answer, Call
from server.tracking.inputs import Shipment, TrackingCheckpoint
from server.tracking.intake import Shown
from server.tracking.store import Recorded as TrackingRecorded
from server.tracking.store import Watched
from server.wire.answers import Opener


class Writer(Protocol):
    """The one door for commands."""

    async def handle(self, command: Command, call: Call) -> Answer:
        """Decides and records a command; raises :class:`DomainError` for a refusal."""

    async def handle_batch(
        self, items: Sequence[tuple[Command, Call]]
    ) -> Sequence[Answer | DomainError]:
        """The same for many commands, each of which stands for itself, in their order."""


class History(Protocol):
    """Reads of the log, every one of one tenant. Positions are integers inside the store."""

    async def events(
        self,
        tenant: str,
        *,
        aggregate_id: UUID | None = None,
        order_id: str | None = None,
        actor: str | None = None,
        topics: Sequence[str] = (),
        request_id: str | None = None,
        after: int = 0,
        limit: int,
    ) -> Sequence[Recorded]:
        """At most ``limit`` events that meet every condition given, position above ``after``."""

    async def state(self, tenant: str, aggregate_id: UUID) -> tuple[int, State | None]:
        """Version and state of an aggregate; (0, None) when this tenant has none."""

    async def fold(
        self,
        tenant: str,
        aggregate_id: UUID,
        *,
        version: int | None = None,
        occurred: int | None = None,
        recorded: int | None = None,
    ) -> tuple[int, State | None]:
        """How many events qualify, and the state they leave when folded in log order.

        At most one bound is given: the first ``version`` events, or those that had occurred or
        were recorded by a moment (microseconds UTC, included). (0, None) when none qualifies.
        """

    async def max_position(self) -> int:
        """Position of the last event of the log, 0 when it is empty."""


class ProjectionState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a projection is; ``lag`` in positions, ``stopped`` says why it stands still."""

    name: str
    position: int
    lag: int
    stopped: str = ""


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a projection went on without."""

    projection: str
    position: int
    event_id: str
    topic: str
    reason: str


class WebhookCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages to the webhook of a feed, "" for none that there is, had one outcome."""

    feed: str
    outcome: str
    messages: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What the server runs on; ``clock`` is "wall" or "feed", ``catalogue`` a digest.

    ``clock_time`` is where that clock stands. ``watched`` shipments are looked after, ``due_now``
    of them must be looked at. Latency is from the threshold of a rule, or the arrival of a
    checkpoint, to the event, over the last detections in seconds; 0 without any.
    ``unknown_codes`` counts, by feed, the checkpoints since the start whose raw code the catalogue
    does not know; "" stands for feeds that it does not know either. ``webhooks`` is what became of
    messages since the start.
    """

    store_id: str
    engine: str
    clock: str
    catalogue: str
    position: int
    projections: tuple[ProjectionState, ...]
    parked: tuple[Parked, ...]
    clock_time: Instant
    watched: int = 0
    due_now: int = 0
    detection_latency_p50_seconds: float = 0.0
    detection_latency_p99_seconds: float = 0.0
    unknown_codes: dict[str, int] = {}
    webhooks: tuple[WebhookCount, ...] = ()


class Advanced(msgspec.Struct, frozen=True, kw_only=True):
    """Where the clock stands after it was advanced, and how many commands that sent.

    ``events`` are those that a preview would record.
    """

    clock: Instant
    position: int
    fired: int
    events: tuple[tuple[UUID, int, Event], ...] = ()


class Timekeeper(Protocol):
    """What sends commands when their moment comes."""

    async def run_until(self, moment: int) -> int:
        """Sends all that is due at a moment (microseconds UTC) or before; how many commands."""

    def latency_seconds(self, percent: int) -> float:
        """Percentile of threshold (or arrival) to event, over the last detections; 0 for none."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rebuild is; equality and digests (hexadecimal) stand in the last one."""

    events_done: int
    events_total: int
    done: bool = False
    equal: bool = False
    live_digest: str = ""
    rebuilt_digest: str = ""


class Tracking(Protocol):
    """Parcels that are watched, each of one tenant.

    Every call raises :class:`server.tracking.store.TrackingUnavailable` while the store is away;
    those that store raise :class:`esm.errors.QueueFull` when too much waits.
    """

    async def register(self, tenant: str, items: Sequence[Shipment]) -> Sequence[str | DomainError]:
        """What became of each: ``registered``, ``changed``, ``unchanged``, or its refusal."""

    async def record(
        self, tenant: str, items: Sequence[TrackingCheckpoint]
    ) -> Sequence[TrackingRecorded | DomainError]:
        """What became of each once all are stored, or its refusal."""

    async def shipment(self, tenant: str, shipment_code: str) -> Shown:
        """A shipment with its timeline. Raises :class:`esm.errors.RecordNotFound`."""

    async def watched(
        self,
        tenant: str,
        after: str,
        limit: int,
        *,
        order_id: str = "",
        status: str = "",
        number: str = "",
    ) -> Sequence[Watched]:
        """Shipments by shipment code, those behind ``after``; with what is given, only such."""


class Admin(Protocol):
    """What operators ask for."""

    async def advance_clock(self, command: AdvanceClock, call: Call) -> Advanced:
        """Sets the clock of a store that follows a feed, and sends all that is due until then.

        Raises :class:`DomainError`: a wall clock, a time behind the clock, a store that is away.
        The clock may stand there then; the same call again sends what is left.
        """

    async def status(self, tenant: str) -> Status:
        """The server's state with the parked events of one tenant, newest first."""

    def rebuild(self, projection: str) -> AsyncIterator[Progress]:
        """Rebuilds a projection and tells how far it is, once a second or more often.

        Raises :class:`esm.errors.RecordNotFound` for a projection that does not exist.
        """


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that servicers call.

    ``catalogue`` is the one in force; ``outlook`` says what its rules find of a shipment now;
    ``stopping`` is set when the server begins to stop.
    """

    writer: Writer
    tracking: Tracking
    outlook: Callable[[Watched], Outlook]
    history: History
    tickets: TicketView
    ledger: LedgerView
    deadlines: DeadlineView
    waiter: Waiter
    admin: Admin
    catalogue: Catalogue
    tokens: Tokens
    opener: Opener
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
