"""What servicers need of the rest of the server, as ports; the composition root fills them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import msgspec

from esm.catalog import Catalogue
from esm.commands import Command
from esm.errors import DomainError
from esm.events import Recorded
from esm.evolve import State
from projections.ledger.view import LedgerView
from projections.tickets.view import TicketView
from server.consistency import Tokens, Waiter
from server.submission import Answer, Call
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


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What the server runs on; ``clock`` is "wall" or "feed", ``catalogue`` a digest."""

    store_id: str
    engine: str
    clock: str
    catalogue: str
    position: int
    projections: tuple[ProjectionState, ...]
    parked: tuple[Parked, ...]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rebuild is; equality and digests (hexadecimal) stand in the last one."""

    events_done: int
    events_total: int
    done: bool = False
    equal: bool = False
    live_digest: str = ""
    rebuilt_digest: str = ""


class Admin(Protocol):
    """What operators ask for."""

    async def status(self, tenant: str) -> Status:
        """The server's state with the parked events of one tenant, newest first."""

    def rebuild(self, projection: str) -> AsyncIterator[Progress]:
        """Rebuilds a projection and tells how far it is, once a second or more often.

        Raises :class:`esm.errors.RecordNotFound` for a projection that does not exist.
        """


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that servicers call.

    ``catalogue`` is the one in force; ``stopping`` is set when the server begins to stop.
    """

    writer: Writer
    history: History
    tickets: TicketView
    ledger: LedgerView
    waiter: Waiter
    admin: Admin
    catalogue: Catalogue
    tokens: Tokens
    opener: Opener
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
