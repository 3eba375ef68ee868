"""From a decided unit to what is written, and from a stored request id to its first answer."""

import asyncio
import hmac
from uuid import UUID

import msgspec

from esm import codec
from esm.catalog import Catalogue
from esm.commands import Command
from esm.errors import RequestIdReused
from esm.events import CataloguePublished, Event
from esm.evolve import State
from esm.exception.state import Case
from esm.ids import catalogue_aggregate_id
from esm.order.state import Order
from esm.times import Instant
from esm.unit import Unit
from esm.watch.state import Watch
from server.application import ShipmentExceptions
from server.committer import Envelope, Fact, Pending
from server.states import States
from server.storage.records import RequestRecord, SourceRecord


class Call(msgspec.Struct, frozen=True):
    """Who asks for what: everything about a request besides its command."""

    tenant: str
    actor: str
    assurance: str
    request_id: str
    correlation_id: str = ""
    causation_id: str = ""
    occurred: Instant = ""
    etag: str = ""
    validate_only: bool = False


class Answer(msgspec.Struct, frozen=True):
    """What a command led to. ``targets``: what the response shows, as the command left it.

    ``events`` are those a preview would record, empty for a real command.
    """

    targets: tuple[tuple[UUID, int, State], ...]
    position: int
    events: tuple[tuple[UUID, int, Event], ...] = ()


class StoredAnswer(msgspec.Struct, array_like=True):
    """What is kept of an answer: the aggregates shown and their versions."""

    shown: tuple[tuple[str, int], ...]


def fingerprint_of(command: Command, call: Call, secret: bytes) -> bytes:
    """What makes two requests the same: the decoded command and what else decides it.

    It outlives an erased person, so it hangs on a secret of the store: without that, nobody can
    try out texts against it.
    """
    content = msgspec.msgpack.encode((type(command).__name__, command, call.occurred, call.etag))
    return hmac.digest(secret, content, "sha256")


def answer_of(unit: Unit, shown: tuple[UUID, ...], position: int) -> Answer:
    """The answer of a unit that was committed at a position, or previewed."""
    targets = []
    for aggregate_id in shown:
        state = unit.find(aggregate_id)
        assert state is not None, "a decision shows aggregates that exist"
        targets.append((aggregate_id, unit.version(aggregate_id), state))
    return Answer(tuple(targets), position)


class Submissions:
    """Builds what the committer writes, and reads back what it wrote for a request id.

    ``secret`` is the store's own, see :func:`fingerprint_of`.
    """

    def __init__(
        self,
        application: ShipmentExceptions,
        catalogue: Catalogue,
        states: States,
        *,
        secret: bytes,
    ) -> None:
        self._application = application
        self._secret = secret
        self._catalogue = catalogue
        self._states = states
        self._published: set[str] = set()

    def fingerprint(self, command: Command, call: Call) -> bytes:
        """What makes two requests to this store the same."""
        return fingerprint_of(command, call, self._secret)

    def pending(
        self, unit: Unit, shown: tuple[UUID, ...], call: Call, fingerprint: bytes
    ) -> Pending:
        """One command ready to be written: its facts, request id and source ids."""
        facts = [
            Fact(a, version, event.TOPIC, codec.encode(event), _order_id(unit.find(a)))
            for a, version, event in unit.events
        ]
        stored = StoredAnswer(tuple((str(a), unit.version(a)) for a in shown))
        return Pending(
            envelope=Envelope(
                tenant=call.tenant,
                occurred=unit.context.occurred_micros,
                actor=call.actor,
                assurance=call.assurance,
                correlation_id=call.correlation_id or call.request_id,
                causation_id=call.causation_id,
                request_id=call.request_id,
            ),
            facts=facts,
            request=RequestRecord(
                call.tenant, call.request_id, fingerprint, msgspec.json.encode(stored)
            ),
            sources=[SourceRecord(call.tenant, *accepted) for accepted in unit.accepted],
            outcome=asyncio.get_running_loop().create_future(),
        )

    async def first_answer(self, call: Call, fingerprint: bytes) -> Answer | None:
        """The stored answer of the request id, rebuilt by folding to its versions.

        None for a new id. Raises :class:`RequestIdReused` when it came with another body.
        """
        find = self._application.events_log.find_requests
        found = await self._states.in_thread(find, call.tenant, [call.request_id])
        known = found.get(call.request_id)
        if known is None:
            return None
        if known.fingerprint != fingerprint:
            raise RequestIdReused(call.request_id)
        return await self._rebuilt(known.answer, known.position)

    def published(self, tenant: str) -> None:
        """The tenant's log holds the catalogue in force."""
        self._published.add(tenant)

    def unpublished(self, tenant: str) -> None:
        """Look again before the next fact: a conflict may have been about the catalogue."""
        self._published.discard(tenant)

    async def _rebuilt(self, stored: bytes, position: int) -> Answer:
        targets = []
        for text, version in msgspec.json.decode(stored, type=StoredAnswer).shown:
            state_at = self._application.state_at
            _, state = await self._states.in_thread(state_at, UUID(text), version)
            assert state is not None, "a stored answer names versions that stand in the log"
            targets.append((UUID(text), version, state))
        return Answer(tuple(targets), position)

    async def publication(self, tenant: str) -> list[Fact]:
        """The published catalogue as first fact of a tenant that has not seen its digest."""
        if tenant in self._published:
            return []
        catalogue = self._catalogue
        aggregate_id = catalogue_aggregate_id(tenant, catalogue.digest)
        max_version = self._application.events_log.max_version
        if await self._states.in_thread(max_version, aggregate_id):
            self._published.add(tenant)
            return []
        event = CataloguePublished(
            catalogue=catalogue.digest,
            digest=catalogue.digest,
            postings_digest=catalogue.postings_digest,
            content=catalogue.content.decode(),
        )
        return [Fact(aggregate_id, 1, event.TOPIC, codec.encode(event), "")]


def _order_id(state: State | None) -> str:
    if isinstance(state, Case | Watch):
        return state.subject.order_id
    return state.order_id if isinstance(state, Order) else ""
