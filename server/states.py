"""What decisions need and where it comes from: states, source ids, persons' keys."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from eventsourcing.persistence import PersistenceError

from esm.errors import StorageUnavailable
from esm.events import Sealed
from esm.unit import Missing
from server.application import Loaded, ShipmentExceptions
from server.personal import KeyMissing, Personal

CACHE_STATES_MAX = 8_192
"""States kept in memory; the least recently used one goes first."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Needs:
    """What a decision was found to need; it grows while ``decide`` says what it lacks.

    ``seen`` are the versions that the last try rested on; ``verified`` says that they were once
    read again.
    """

    aggregates: set[UUID] = field(default_factory=set)
    sources: dict[tuple[str, str], UUID | None] = field(default_factory=dict)
    seen: dict[UUID, int] = field(default_factory=dict)
    verified: bool = False

    def look(self, states: Mapping[UUID, Loaded]) -> None:
        """Note what the next try rests on."""
        self.seen = {aggregate_id: version for aggregate_id, (version, _) in states.items()}


class States:
    """A cache of immutable states over the log; the one place where decisions read.

    ``shared`` says that other processes write the same log, so that a cached state may be old.
    """

    def __init__(
        self,
        application: ShipmentExceptions,
        personal: Personal,
        executor: Executor,
        *,
        shared: bool,
    ) -> None:
        self._application = application
        self._personal = personal
        self._executor = executor
        self.shared = shared
        self._cache: OrderedDict[UUID, Loaded] = OrderedDict()

    def cached(self, aggregate_ids: Iterable[UUID]) -> dict[UUID, Loaded] | None:
        """The states if all of them are in memory, else None."""
        loaded: dict[UUID, Loaded] = {}
        for aggregate_id in aggregate_ids:
            found = self._cache.get(aggregate_id)
            if found is None:
                return None
            self._cache.move_to_end(aggregate_id)
            loaded[aggregate_id] = found
        return loaded

    async def load(self, aggregate_ids: Iterable[UUID]) -> dict[UUID, Loaded]:
        """Version and state of each; (0, None) for one without history."""
        loaded: dict[UUID, Loaded] = {}
        unknown: list[UUID] = []
        for aggregate_id in aggregate_ids:
            cached = self._cache.get(aggregate_id)
            if cached is None:
                unknown.append(aggregate_id)
            else:
                self._cache.move_to_end(aggregate_id)
                loaded[aggregate_id] = cached
        if unknown:
            fresh = await self.in_thread(self._application.load, unknown)
            self.remember(fresh)
            loaded.update(fresh)
        return loaded

    async def provide(self, missing: Missing, tenant: str, needs: Needs) -> None:
        """Get what a decision lacks: keys and source ids at once, aggregates by their name."""
        if missing.persons:
            await self.in_thread(self._personal.ensure, tenant, missing.persons)
        if missing.sources:
            keys = list(missing.sources)
            find = self._application.events_log.find_sources
            found = await self.in_thread(find, tenant, keys)
            needs.sources.update({key: found.get(key) for key in keys})
        needs.aggregates |= missing.aggregates

    async def refreshed(self, needs: Needs) -> bool:
        """On a shared log, read again, once, what a refusal rests on; True to decide again."""
        if not self.shared or needs.verified:
            return False
        needs.verified = True
        fresh = await self.in_thread(self._application.load, list(needs.aggregates))
        self.remember(fresh)
        return any(version != needs.seen.get(a, version) for a, (version, _) in fresh.items())

    def remember(self, states: Mapping[UUID, Loaded]) -> None:
        """Keep states; one without history is not kept, another process may begin it.

        What was read a while ago never replaces what was committed since.
        """
        for aggregate_id, (version, state) in states.items():
            known = self._cache.get(aggregate_id)
            if state is not None and (known is None or known[0] <= version):
                self._cache[aggregate_id] = (version, state)
                self._cache.move_to_end(aggregate_id)
        while len(self._cache) > CACHE_STATES_MAX:
            self._cache.popitem(last=False)

    def forget(self, aggregate_ids: Collection[UUID]) -> None:
        """Drop states that a conflict has proven old."""
        for aggregate_id in aggregate_ids:
            self._cache.pop(aggregate_id, None)

    def seal(self, tenant: str, person: str, text: str) -> Sealed:
        """Seal personal text. Raises :class:`Missing` when the person's key is not at hand."""
        try:
            return self._personal.seal(tenant, person, text)
        except KeyMissing:
            raise Missing(persons=[person]) from None

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a blocking read beside the event loop. Raises :class:`StorageUnavailable`."""
        return await read_in(self._executor, function, *arguments)


async def read_in(
    executor: Executor, function: Callable[..., T], *arguments: Any, **named: Any
) -> T:
    """Run a blocking read of the log beside the event loop.

    Raises :class:`StorageUnavailable` in place of what the library says of a store that is away.
    """
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(executor, partial(function, *arguments, **named))
    except PersistenceError as error:
        _log.error("the store cannot be read: %s", error)
        raise StorageUnavailable("the store cannot be read now; send the request again") from error
