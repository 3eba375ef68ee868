"""What of a timeline counts at a moment, in which order, and where each piece stands by it."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, get_args

import msgspec

from esm.catalog.data import Status
from esm.detection.model import Checkpoint

PROGRESS: Final[dict[str, int]] = {
    status: rank
    for rank, status in enumerate(
        (
            "unknown",
            "information",
            "registered",
            "collected",
            "arrived",
            "in_transit",
            "departed",
            "customs",
            "customs_released",
            "out_for_delivery",
            "attempted",
            "problem",
            "awaiting_collection",
            "delivered",
            "returning",
            "returned",
            "cancelled",
        )
    )
}
"""How far a parcel is. Of checkpoints at one instant the one that is further comes later."""

SCANS: Final = frozenset(PROGRESS) - {
    "unknown",
    "information",
    "registered",
    "problem",
    "cancelled",
}
"""Statuses by which the carrier had the parcel in its hands."""

ENDS: Final = frozenset(("delivered", "returned", "cancelled"))
"""Where a parcel's way is at its end."""

_ON_THE_WAY_BACK: Final = frozenset(
    ("out_for_delivery", "attempted", "awaiting_collection", "delivered", "returning", "returned")
)


def _next(state: str, status: str) -> str:
    """Where a parcel stands after a checkpoint. What was delivered only ever goes back whole."""
    if status in {"unknown", "information"}:
        return state
    if state == "delivered":
        return status if status in {"returning", "returned"} else state
    if state in {"returning", "returned"}:
        # Scans on the way back are those of the return, until it is delivered after all.
        return status if status in _ON_THE_WAY_BACK else state
    if status == "registered" and state != "cancelled":
        return state  # another carrier got the data; the parcel is where it was
    return status


MOVES: Final[dict[str, dict[str, str]]] = {
    state: {status: _next(state, status) for status in get_args(Status)}
    for state in get_args(Status)
}
"""State of a parcel -> status of a checkpoint -> its state after it."""


class Counted(NamedTuple):
    """A timeline at a moment: what counts, in its order; what lies ahead; what came from ahead.

    ``wrong`` are the source ids that were declared wrong: they are in none of the others.
    """

    seen: list[Checkpoint]
    ahead: list[Checkpoint]
    flagged: list[Checkpoint]
    wrong: frozenset[str]


class Spell(NamedTuple):
    """A time in one of some states: since which checkpoint, and until which; None: still."""

    begin: Checkpoint
    end: Checkpoint | None


class Track:
    """Pieces, or a shipment without any: what was seen of them, and where they stood after each.

    Pieces of which the same was seen are alike in everything but their names: they are judged once,
    by the name of the first, ``piece``. ``firsts`` is, per status, the first checkpoint that said
    so, in that order; ``states`` has one entry for each checkpoint of ``seen``.
    """

    __slots__ = ("firsts", "flagged", "piece", "pieces", "seen", "state", "states")

    def __init__(
        self, pieces: Sequence[str], seen: Sequence[Checkpoint], flagged: Sequence[Checkpoint]
    ) -> None:
        self.piece = pieces[0]
        self.pieces = pieces
        self.seen = seen
        self.flagged = flagged
        self.firsts: dict[str, Checkpoint] = {}
        self.states: list[str] = []
        state = "registered"
        for each in seen:
            status = each.status
            if status not in self.firsts:
                self.firsts[status] = each
            state = MOVES[state][status]
            self.states.append(state)
        self.state = state

    def first_of(self, statuses: frozenset[str]) -> Checkpoint | None:
        """The first checkpoint of any of some statuses."""
        for status, checkpoint in self.firsts.items():
            if status in statuses:
                return checkpoint
        return None

    def spells_in(self, statuses: frozenset[str]) -> Sequence[Spell]:
        """When the state was one of some statuses; a parcel that was called back may move on."""
        if statuses.isdisjoint(self.firsts):
            return ()
        found: list[Spell] = []
        begin: Checkpoint | None = None
        for each, state in zip(self.seen, self.states, strict=True):
            if state in statuses:
                begin = begin or each
            elif begin is not None:
                found.append(Spell(begin, each))
                begin = None
        if begin is not None:
            found.append(Spell(begin, None))
        return found


def counted(timeline: Iterable[Checkpoint], as_of: int) -> Counted:
    """What counts of a timeline, whatever its order and however often a source id stands in it."""
    timeline = list(timeline)
    if len({each.source_id for each in timeline}) < len(timeline):
        timeline = _once(timeline)
    timeline.sort(key=_order)
    seen = [each for each in timeline if each.occurred <= as_of]
    ahead = timeline[len(seen) :]
    wrong = retracted(seen)
    if wrong:
        seen = [each for each in seen if each.source_id not in wrong]
        ahead = [each for each in ahead if each.source_id not in wrong]
    flagged = [each for each in seen if each.future]
    if ahead:
        flagged += [each for each in ahead if each.future]
    return Counted(seen, ahead, flagged, wrong)


def retracted(counting: Iterable[Checkpoint]) -> frozenset[str]:
    """Source ids that a checkpoint declares wrong, unless a later one declares that one wrong.

    ``counting`` are those of a timeline that had their moment, in any order: one that lies ahead
    declares nothing yet. Nor does one that was declared wrong before it occurred: it never had its
    moment.
    """
    saying = [each for each in counting if each.retracts]
    if not saying:
        return _NOTHING
    said: list[Checkpoint] = []
    declared: set[str] = set()
    for each in sorted(saying, key=_order):
        if each.source_id not in declared:
            declared.update(each.retracts)
            said.append(each)
    wrong: set[str] = set()
    for each in reversed(said):
        if each.source_id not in wrong:
            wrong.update(each.retracts)
    return frozenset(wrong)


_NOTHING: Final[frozenset[str]] = frozenset()


def tracks(pieces: Sequence[str], now: Counted) -> list[Track]:
    """What was seen of each piece, one track for all of which nothing of their own was; or one.

    A checkpoint without a piece counts for every one. A piece that only a checkpoint names is one
    more, and always was; where no pieces are known, their names in checkpoints say nothing.
    """
    if not pieces:
        return [Track(_WHOLE, now.seen, now.flagged)]
    own = {each.piece for each in (*now.seen, *now.flagged)} - {""}
    alike = sorted({*pieces, *(each.piece for each in now.ahead)} - own - {""})
    found = [Track((piece,), _of(piece, now.seen), _of(piece, now.flagged)) for piece in own]
    if alike:
        found.append(Track(alike, _of("", now.seen), _of("", now.flagged)))
    return found


_WHOLE: Final = ("",)
"""A shipment without pieces, as if it were one."""


def _of(piece: str, checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
    """Those of a piece and of the whole shipment; with "", only the latter."""
    return [each for each in checkpoints if not each.piece or each.piece == piece]


def least(states: Iterable[str]) -> str:
    """The state of a shipment by those of its pieces: that of the one that is least advanced."""
    return min(states, key=lambda state: (state in ENDS, PROGRESS[state]))


def _order(checkpoint: Checkpoint) -> tuple[int, int, str]:
    return checkpoint.occurred, PROGRESS[checkpoint.status], checkpoint.source_id


def _once(timeline: Iterable[Checkpoint]) -> list[Checkpoint]:
    """Each source id once; of two facts under one source id, always the same one."""
    kept: dict[str, Checkpoint] = {}
    for each in timeline:
        other = kept.setdefault(each.source_id, each)
        if other is not each and msgspec.structs.astuple(each) < msgspec.structs.astuple(other):
            kept[each.source_id] = each
    return list(kept.values())
