"""Mirroring entries against what they undo."""

from collections.abc import Iterable, Iterator

from server.journal import LoggedEvent
from server.verification.differences import Difference
from server.verification.made import Made, facts_of
from server.verification.rules import Leg


def mirrored(events: Iterable[LoggedEvent]) -> set[str]:
    """The event ids that some entry of the log mirrors."""
    found: set[str] = set()
    for event in events:
        if b'"mirrors"' not in event.payload:
            continue
        try:
            entry = facts_of(event).get("entry")
        except ValueError:
            continue  # the audit itself names what cannot be read
        if isinstance(entry, dict) and isinstance(entry.get("mirrors"), str):
            found.add(entry["mirrors"])
    return found


class Mirrors:
    """Keeps what is left of every entry that is ever mirrored; forgets all others."""

    def __init__(self, wanted: set[str]) -> None:
        self._wanted = wanted
        self._originals: dict[str, Made] = {}
        self._left: dict[str, list[int]] = {}

    def keep(self, made: Made) -> None:
        """Remember an entry that a later one mirrors."""
        if made.event.event_id in self._wanted:
            self._originals[made.event.event_id] = made
            self._left[made.event.event_id] = [abs(leg.moved) for leg in _legs(made)]

    def derive(self, made: Made) -> tuple[Leg, ...] | None:
        """The legs of a mirroring entry by what it undoes; None when that cannot be said."""
        original = self._originals.get(made.mirrors)
        if original is None or len(made.mirrored) != len(_legs(original)):
            return None
        # Which of the mirroring rows it is, only the legs themselves say.
        row = made.written[0].row if made.written else ""
        return tuple(
            leg._replace(moved=-amount if leg.moved > 0 else amount, row=row)
            for leg, amount in zip(_legs(original), made.mirrored, strict=True)
            if amount
        )

    def check(self, made: Made) -> Iterator[Difference]:
        """What is wrong with a mirroring entry; takes what it undoes from what is left."""
        original = self._originals.get(made.mirrors)
        if original is None:
            yield Difference("mirror_unfounded", f"no entry before it is that of {made.mirrors}")
            return
        if original.mirrors:
            yield Difference("mirror_of_mirror", f"{made.mirrors} itself mirrors an entry")
            return
        for name in ("ledger", "currency", "exception_id", "episode", "rules"):
            if getattr(made, name) != getattr(original, name):
                yield Difference("wrong_head", f"{name} is not that of the entry it mirrors")
        if made.order_id != original.order_id:
            yield Difference("wrong_order", "the order is not that of the entry it mirrors")
        if made.effective not in (made.date, original.effective):
            yield Difference("wrong_date", f"effective {made.effective}, it happened {made.date}")
        yield from self._undo(made, original)

    def _undo(self, made: Made, original: Made) -> Iterator[Difference]:
        legs, left = _legs(original), self._left[made.mirrors]
        if len(made.mirrored) != len(legs):
            words = f"it undoes {len(made.mirrored)} legs, the original has {len(legs)}"
            yield Difference("mirror_unfounded", words)
            return
        for place, amount in enumerate(made.mirrored):
            left[place] -= amount
            if amount < 0 or left[place] < 0:
                words = f"undoing {amount} of leg {place} leaves {left[place]}"
                yield Difference("mirror_exceeds", words)


def _legs(made: Made) -> tuple[Leg, ...]:
    """The legs that an entry should have had, as far as that is known."""
    return made.written if made.derived is None else made.derived
