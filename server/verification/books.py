"""The entries of the books, met one by one in the order in which the log makes them."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from server.journal import JournalEntry

AHEAD_MAX = 256
"""How far ahead an entry is looked for that does not stand where the log puts it."""

REMEMBERED_MAX = 65_536
"""How many entries back a second one of the same event is known as a copy."""


class Met(NamedTuple):
    """What the books have where the log makes an entry.

    ``entry`` is None when it is not there; ``copies`` are further entries of events before;
    ``misplaced`` when others stand between that the log makes later.
    """

    entry: JournalEntry | None
    copies: tuple[JournalEntry, ...]
    misplaced: bool


class Books:
    """A stream of entries with a bounded view ahead and a bounded memory of what was met."""

    def __init__(self, entries: Iterable[JournalEntry]) -> None:
        self._entries: Iterator[JournalEntry] = iter(entries)
        self._ahead: deque[JournalEntry] = deque()
        self._early: dict[str, JournalEntry] = {}
        self._met: OrderedDict[str, None] = OrderedDict()

    def meet(self, event_id: str) -> Met:
        """The entry of an event, passing over what stands before it."""
        copies = self._copies()
        early = self._early.pop(event_id, None)
        if early is not None:
            self._remember(event_id)
            return Met(early, copies, misplaced=True)
        place = self._find(event_id)
        if place is None:
            return Met(None, copies, misplaced=False)
        skipped = [self._ahead.popleft() for _ in range(place)]
        entry = self._ahead.popleft()
        self._remember(event_id)
        more: list[JournalEntry] = []
        for other in skipped:
            if other.event_id in self._met or other.event_id in self._early:
                more.append(other)
            else:
                self._early[other.event_id] = other
        return Met(entry, (*copies, *more), misplaced=False)

    def rest(self) -> Iterator[tuple[JournalEntry, bool]]:
        """Entries that no event asked for, each with whether it is a copy of one that did."""
        for entry in self._early.values():
            yield entry, False
        self._early = {}
        while self._fill(1):
            entry = self._ahead.popleft()
            yield entry, entry.event_id in self._met

    def _copies(self) -> tuple[JournalEntry, ...]:
        """Entries at the front whose event was met before."""
        found: list[JournalEntry] = []
        while self._fill(1) and self._ahead[0].event_id in self._met:
            found.append(self._ahead.popleft())
        return tuple(found)

    def _find(self, event_id: str) -> int | None:
        for place in range(AHEAD_MAX):
            if not self._fill(place + 1):
                return None
            if self._ahead[place].event_id == event_id:
                return place
        return None

    def _fill(self, count: int) -> bool:
        """Read until ``count`` entries are in view; False when the books have fewer."""
        while len(self._ahead) < count:
            entry = next(self._entries, None)
            if entry is None:
                return False
            self._ahead.append(entry)
        return True

    def _remember(self, event_id: str) -> None:
        self._met[event_id] = None
        if len(self._met) > REMEMBERED_MAX:
            self._met.popitem(last=False)
