"""Given/when/then for the domain: runs commands through ``decide`` in memory, no I/O."""

from uuid import UUID

from esm.catalog import Catalogue, load
from esm.commands import Command, Context
from esm.decide import decide
from esm.events import Event, Sealed
from esm.evolve import State
from esm.exception.state import Case
from esm.ids import event_id
from esm.order.state import Order
from esm.times import Instant
from esm.unit import Missing, Unit

NOW = "2026-03-01T09:00:00.000000Z"
CATALOGUE = load()


def plain_seal(person: str, text: str) -> Sealed:
    """A seal that keeps the text readable, for tests that look at it."""
    return Sealed(subject=person, key_id="test", box=text.encode())


class Story:
    """States by aggregate and the facts so far; ``do`` runs one command like the writer does."""

    def __init__(self, tenant: str = "t1", catalogue: Catalogue = CATALOGUE) -> None:
        self.tenant = tenant
        self.catalogue = catalogue
        self.states: dict[UUID, tuple[int, State | None]] = {}
        self.sources: dict[tuple[str, str], UUID] = {}
        self.events: list[tuple[UUID, int, Event]] = []
        self.shown: tuple[UUID, ...] = ()

    def do(
        self,
        command: Command,
        *,
        actor: str = "ann",
        at: Instant = NOW,
        etag: str = "",
        feed: Instant = "",
    ) -> list[Event]:
        """Decide and apply; gives the new facts. Raises what ``decide`` refuses with."""
        context = Context(
            tenant=self.tenant,
            actor=actor,
            assurance="asserted",
            now=NOW,
            occurred=at,
            catalogue=self.catalogue,
            seal=plain_seal,
            etag=etag,
            feed=feed,
        )
        unit, shown = self._run(command, context)
        self.shown = shown
        self.states.update(unit.changed())
        self.sources.update({(s, i): a for s, i, a in unit.accepted})
        self.events += unit.events
        return [event for _, _, event in unit.events]

    def _run(self, command: Command, context: Context) -> tuple[Unit, tuple[UUID, ...]]:
        wanted: set[UUID] = set()
        sources: dict[tuple[str, str], UUID | None] = {}
        while True:
            loaded = {i: self.states.get(i, (0, None)) for i in wanted}
            unit = Unit(context, loaded, sources)
            try:
                return unit, decide(command, unit)
            except Missing as missing:
                wanted |= missing.aggregates
                sources |= {key: self.sources.get(key) for key in missing.sources}

    def case(self, exception_id: str = "") -> Case:
        """The case with the id, else the one that the last command showed first."""
        state = self.states[UUID(exception_id) if exception_id else self.shown[0]][1]
        assert isinstance(state, Case)
        return state

    def order(self, order_id: str = "O1") -> Order:
        """The order with the id."""
        found = [s for _, s in self.states.values() if isinstance(s, Order)]
        return next(o for o in found if o.order_id == order_id)

    def legs(self) -> list[tuple[str, int]]:
        """All legs so far as (account, signed minor units), debit positive."""
        entries = [getattr(event, "entry", None) for _, _, event in self.events]
        legs = [leg for entry in entries if entry is not None for leg in entry.legs]
        return [(leg.account, leg.debit - leg.credit) for leg in legs]

    def trial_balance(self) -> dict[str, int]:
        """Account -> signed minor units; accounts at zero are left out."""
        balances: dict[str, int] = {}
        for account, amount in self.legs():
            balances[account] = balances.get(account, 0) + amount
        return {a: b for a, b in balances.items() if b}

    def first_event_id(self, exception_id: str) -> str:
        """Id of the event that opened the case: a cause that a refund can name."""
        return event_id(UUID(exception_id), 1)
