"""What a timed rule waits for: where each wait of a piece begins, and what ended it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from esm.catalog.rules import Since
from esm.detection.model import Checkpoint, Shipment
from esm.detection.select import Plan
from esm.detection.timeline import SCANS, Track

_PLACED: Final = SCANS | {"problem"}
"""Statuses whose place is that of the parcel. Remarks and data are told from anywhere."""


class Facts(NamedTuple):
    """What a shipment tells of itself at a moment: facts that lie ahead of it are 0.

    ``first_delivered`` is the first delivery of one of several pieces.
    """

    labelled: int
    handed_over: int
    promised: int
    first_delivered: Checkpoint | None


class Wait(NamedTuple):
    """A wait: on what it hangs, when it began with the piece in which state, what ended it.

    ``end`` is 0 while it stands. ``run`` are the scans that it lasted over, if there were several.
    ``pauses`` are the times in which nobody waited, each from one moment to another.
    """

    anchor: str
    fact: str
    begin: int
    state: str
    end: int = 0
    ended_by: str = ""
    run: Sequence[Checkpoint] = ()
    pauses: Sequence[tuple[int, int]] = ()


Waits = Callable[[Plan, Track, Facts], Sequence[Wait]]


def _from_fact(name: str, begin: int, end: Checkpoint | None) -> Sequence[Wait]:
    """The wait from a fact of the shipment; another time of it makes another wait."""
    anchor = f"{name}@{begin}"
    if end is None:
        return (Wait(anchor, name, begin, ""),)
    return (Wait(anchor, name, begin, "", end.occurred, end.source_id),)


def _until_it_stays(plan: Plan, track: Track, wait: Wait) -> Sequence[Wait]:
    """The wait until the parcel is where it stays; who was called back is waited for again."""
    spells = track.spells_in(plan.until)
    if not spells:
        return (wait,)
    pauses = [(each.begin.occurred, each.end.occurred) for each in spells if each.end is not None]
    if len(pauses) == len(spells):
        return (Wait(*wait[:4], pauses=pauses),)
    last = spells[-1].begin
    return (Wait(*wait[:4], last.occurred, last.source_id, (), pauses),)


def _labelled(plan: Plan, track: Track, facts: Facts) -> Sequence[Wait]:
    """From the label to the hand-over, or to any scan that shows that there was one."""
    if not facts.labelled:
        return ()
    end = track.first_of(plan.until)
    if facts.handed_over and (end is None or facts.handed_over <= end.occurred):
        name = "labelled"
        anchor = f"{name}@{facts.labelled}"
        return (Wait(anchor, name, facts.labelled, "", facts.handed_over, "handed_over"),)
    return _from_fact("labelled", facts.labelled, end)


def _handed_over(plan: Plan, track: Track, facts: Facts) -> Sequence[Wait]:
    if not facts.handed_over:
        return ()
    return _from_fact("handed_over", facts.handed_over, track.first_of(plan.until))


def _promised(plan: Plan, track: Track, facts: Facts) -> Sequence[Wait]:
    if not facts.promised:
        return ()
    wait = Wait(f"promised@{facts.promised}", "promised", facts.promised, "")
    return _until_it_stays(plan, track, wait)


def _between(begin: Checkpoint, state: str, end: Checkpoint | None) -> Wait:
    if end is None:
        return Wait(begin.source_id, "", begin.occurred, state)
    return Wait(begin.source_id, "", begin.occurred, state, end.occurred, end.source_id)


def _unknown(plan: Plan, track: Track, facts: Facts) -> Sequence[Wait]:
    """From the first "unknown" to the first that is not; what is known once stays known."""
    begin = track.firsts.get("unknown")
    if begin is None:
        return ()
    end = None
    for each in track.seen:
        if each.status != "unknown":
            end = each
            break
    return (_between(begin, "registered", end),)


def _first_scan(plan: Plan, track: Track, facts: Facts) -> Sequence[Wait]:
    begin = track.first_of(SCANS)
    if begin is None:
        return ()
    return _until_it_stays(plan, track, _between(begin, begin.status, None))


def _first_piece(plan: Plan, track: Track, facts: Facts) -> Sequence[Wait]:
    """From the delivery of one piece to that of this one."""
    begin = facts.first_delivered
    if begin is None:
        return ()
    return _until_it_stays(plan, track, _between(begin, track.state, None))


def _checkpoint(plan: Plan, track: Track, facts: Facts) -> Sequence[Wait]:
    """From each checkpoint to the next; gaps too short for any stage are left out."""
    found: list[Wait] = []
    seen, states, while_, shortest = track.seen, track.states, plan.while_, plan.shortest
    before: Checkpoint | None = None
    state = ""
    for each, after in zip(seen, states, strict=True):
        if each.status == "unknown":
            continue
        if before is not None and each.occurred - before.occurred >= shortest and state in while_:
            found.append(_between(before, state, each))
        before, state = each, after
    if before is not None and state in while_:
        found.append(_between(before, state, None))
    return found


def _node(plan: Plan, track: Track, facts: Facts) -> Sequence[Wait]:
    """From the first scan at a node until one elsewhere, or one that says that it left.

    A checkpoint that names no node does not show that the parcel left the one before, nor does one
    that moves nothing, wherever it was told.
    """
    found: list[Wait] = []
    run: list[Checkpoint] = []
    began = ""
    for each, state in zip(track.seen, track.states, strict=True):
        status = each.status
        node = each.node if status in _PLACED else ""
        leaves = status in plan.until
        if run and (leaves or (node and node != run[0].node)):
            if each.occurred - run[0].occurred >= plan.shortest:
                found.append(_between(run[0], began, each)._replace(run=run))
            run = []
        if node and not leaves and (run or state in plan.while_):
            began = began if run else state
            run.append(each)
    if run:
        found.append(_between(run[0], began, None)._replace(run=run))
    return found


def _status(plan: Plan, track: Track, facts: Facts) -> Sequence[Wait]:
    """From the checkpoint by which the parcel came to a status until one of another."""
    if plan.while_.isdisjoint(track.firsts):
        return ()
    found: list[Wait] = []
    begin: Checkpoint | None = None
    began = ""
    for each, state in zip(track.seen, track.states, strict=True):
        if begin is not None and each.status in plan.until:
            found.append(_between(begin, began, each))
            begin = None
        if begin is None and each.status == state and state in plan.while_:
            begin, began = each, state
    if begin is not None:
        found.append(_between(begin, began, None))
    return found


WAITS: Final[Mapping[Since, Waits]] = {
    "labelled": _labelled,
    "handed_over": _handed_over,
    "promised": _promised,
    "unknown": _unknown,
    "first_scan": _first_scan,
    "first_piece": _first_piece,
    "checkpoint": _checkpoint,
    "node": _node,
    "status": _status,
}
"""How each timed rule waits."""


def facts_of(shipment: Shipment, as_of: int, tracks: Sequence[Track], ahead: list[int]) -> Facts:
    """The facts that count at a moment; the moments of those that do not yet go to ``ahead``."""
    labelled, handed_over = shipment.labelled, shipment.handed_over
    if labelled > as_of:
        ahead.append(labelled)
        labelled = 0
    if handed_over > as_of:
        ahead.append(handed_over)
        handed_over = 0
    first = None
    if len(tracks) > 1:
        delivered = [
            each
            for track in tracks
            if (each := track.firsts.get("delivered")) is not None and each.piece
        ]
        first = min(delivered, key=lambda each: (each.occurred, each.source_id), default=None)
    return Facts(labelled, handed_over, shipment.promised, first)
