"""One decision's workspace: states it may look at, facts it records, what it still lacks."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from uuid import UUID

from esm.commands import Context
from esm.errors import ExceptionNotFound, OrderNotFound
from esm.events import Event, Sealed
from esm.evolve import State, evolve
from esm.exception.state import Case
from esm.ids import order_aggregate_id, parsed
from esm.order.state import Order


class Missing(Exception):
    """The decision needs more than it was given; the caller loads it and decides again."""

    def __init__(
        self,
        *,
        aggregates: Iterable[UUID] = (),
        sources: Iterable[tuple[str, str]] = (),
        persons: Iterable[str] = (),
    ) -> None:
        super().__init__("more state is needed")
        self.aggregates = frozenset(aggregates)
        self.sources = frozenset(sources)
        self.persons = frozenset(persons)


class Unit:
    """What one run of ``decide`` sees and does. Deciding is pure: it may be run again at will.

    ``loaded`` maps an aggregate id to (version, state), (0, None) for one without history;
    ``known_sources`` maps accepted (source, source id) to their aggregate, None for new ones.
    """

    __slots__ = (
        "_changed",
        "_last",
        "_last_id",
        "_loaded",
        "_read",
        "_sources",
        "accepted",
        "context",
        "events",
    )

    def __init__(
        self,
        context: Context,
        loaded: Mapping[UUID, tuple[int, State | None]],
        known_sources: Mapping[tuple[str, str], UUID | None],
    ) -> None:
        self.context = context
        self.events: list[tuple[UUID, int, Event]] = []
        self.accepted: list[tuple[str, str, UUID]] = []
        self._loaded = loaded
        self._changed: dict[UUID, tuple[int, State | None]] = {}
        self._read: dict[UUID, int] = {}
        self._last_id: UUID | None = None
        self._last: tuple[int, State | None] = (0, None)
        self._sources = known_sources

    def _at(self, aggregate_id: UUID) -> tuple[int, State | None]:
        # Most of a decision is about one aggregate, and looking an id up costs a call of Python.
        if aggregate_id is self._last_id:
            return self._last
        found = self._changed.get(aggregate_id)
        if found is None:
            found = self._loaded.get(aggregate_id)
            if found is None:
                raise Missing(aggregates=[aggregate_id])
            self._read[aggregate_id] = found[0]
        self._last_id, self._last = aggregate_id, found
        return found

    def gather(self, aggregate_ids: Iterable[UUID]) -> None:
        """Ask for all of these at once, before each is looked at. Raises :class:`Missing`."""
        unknown = [a for a in aggregate_ids if a not in self._changed and a not in self._loaded]
        if unknown:
            raise Missing(aggregates=unknown)

    def find(self, aggregate_id: UUID) -> State | None:
        """The aggregate's state, None when it has no history. Raises :class:`Missing`."""
        return self._at(aggregate_id)[1]

    def version(self, aggregate_id: UUID) -> int:
        """The number of events of an aggregate, those of this unit included."""
        return self._at(aggregate_id)[0]

    def case(self, exception_id: str) -> Case:
        """The case; another tenant's is as if it did not exist.

        Raises :class:`ExceptionNotFound` or :class:`Missing`.
        """
        try:
            aggregate_id = parsed(exception_id)
        except ValueError:
            raise ExceptionNotFound(exception_id) from None
        state = self.find(aggregate_id)
        if not isinstance(state, Case) or state.tenant != self.context.tenant:
            raise ExceptionNotFound(exception_id)
        # `find` was about it just now; decisions go on with the id object that the state holds.
        self._last_id = state.id
        return state

    def find_order(self, order_id: str) -> Order | None:
        """The order if it was recorded. Raises :class:`Missing`."""
        state = self.find(order_aggregate_id(self.context.tenant, order_id))
        return state if isinstance(state, Order) else None

    def order(self, order_id: str) -> Order:
        """The order. Raises :class:`OrderNotFound` or :class:`Missing`."""
        order = self.find_order(order_id)
        if order is None:
            raise OrderNotFound(order_id)
        return order

    def source(self, source: str, source_id: str) -> UUID | None:
        """The aggregate that accepted the source id, None for a new one, :class:`Missing`."""
        try:
            return self._sources[source, source_id]
        except KeyError:
            raise Missing(sources=[(source, source_id)]) from None

    def accept(self, source: str, source_id: str, aggregate_id: UUID) -> None:
        """Accept a source id for ever, in the transaction of this unit."""
        self.accepted.append((source, source_id, aggregate_id))

    def seal(self, person: str, text: str) -> Sealed | None:
        """The text under the person's key, None for no text. Raises :class:`Missing`."""
        return self.context.seal(person, text) if text else None

    def record(self, aggregate_id: UUID, event: Event) -> None:
        """Record a fact; what is decided after it sees the state it leaves."""
        version, state = self._at(aggregate_id)
        evolved = evolve(state, event, aggregate_id, self.context.tenant, version + 1)
        self._last_id = aggregate_id
        self._last = self._changed[aggregate_id] = (version + 1, evolved)
        self.events.append((aggregate_id, version + 1, event))

    def freeze(self, shown: Iterable[UUID]) -> None:
        """Keep what is shown as it is now, whatever else is decided on the same states."""
        self._loaded = {aggregate_id: self._at(aggregate_id) for aggregate_id in shown}

    def rested_on(self) -> dict[UUID, int]:
        """Versions of what was looked at and has no new facts; 0 for no history."""
        return {a: version for a, version in self._read.items() if a not in self._changed}

    def aggregates(self) -> AbstractSet[UUID]:
        """The ids of everything that was looked at."""
        return self._read.keys()

    def changed(self) -> dict[UUID, tuple[int, State | None]]:
        """Versions and states of what has new facts, as this unit leaves them."""
        return self._changed
