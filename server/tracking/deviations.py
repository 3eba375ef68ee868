"""What is to be said of a shipment, by its outlook and what was said of it before. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from esm.detection.model import Checkpoint, Finding, Outlook
from esm.detection.timeline import counted
from server.tracking.naming import last_told, source_id_of
from server.tracking.store import OPENED, KnownCase, Told, Watched

MOVEMENTS = frozenset(
    {
        "collected",
        "in_transit",
        "arrived",
        "departed",
        "customs",
        "customs_released",
        "out_for_delivery",
        "awaiting_collection",
        "attempted",
        "delivered",
    }
)
"""Statuses that show a parcel on its way to the customer, or there."""

CLEARED_AT_ONCE_MAX = 150
"""Findings that one signal clears; a case takes no more than 200."""

DELIVERED = "delivered"


class Open(NamedTuple):
    """A finding that no case knows of yet, and the source id that it is said under."""

    finding: Finding
    source_id: str


class Clear(NamedTuple):
    """Findings that a case knows of and that stand no more since ``at``; ``by`` is what ended them.

    ``undone``: they are not found any more, since a late checkpoint or a corrected fact undid them.
    Then they stood until we learned of that.
    """

    case_id: str
    told: tuple[Told, ...]
    by: Checkpoint | None
    at: int
    undone: bool = False


class Move(NamedTuple):
    """The parcel was seen on its way since the case was opened."""

    case: KnownCase
    checkpoint: Checkpoint


Signal = Open | Clear | Move


def signals(watched: Watched, outlook: Outlook, as_of: int, *, wall: bool) -> Sequence[Signal]:
    """What is to be said at a moment (microseconds UTC), none when everything was.

    What opens comes alone: only its answer tells the case that the rest is said to. A timed
    finding that ended before anybody could be told is none: nothing was late when it was looked
    at. One that hangs on a checkpoint always is, however soon the next one cleared it.
    """
    if not (outlook.findings or watched.told or watched.cases):
        return ()  # nearly always, and this is asked with every checkpoint
    told = {each.source_id: each for each in watched.told}
    last = [(finding, *last_told(finding, watched, told)) for finding in outlook.findings]
    opens = [
        Open(finding, source_id_of(finding, watched, _telling(times, said)))
        for finding, times, said in last
        if _is_news(finding, said, as_of)
    ]
    if opens:
        return opens
    known = {said.source_id: finding for finding, _, said in last if said is not None}
    return [*_clears(watched, outlook, known, as_of), *_moves(watched, as_of, wall=wall)]


def due_after(watched: Watched, outlook: Outlook) -> int:
    """When a shipment of which everything is said must be looked at again, 0 for never.

    When a finding is said again matters to what still stands only, its end to what a case took.
    """
    if not watched.told:
        return outlook.due
    told = {each.source_id: each for each in watched.told}
    last = [
        last_told(finding, watched, told)[1] for finding in outlook.findings if not finding.ended
    ]
    standing = {each.source_id for each in last if each is not None}
    # What no case took is tried while it stands, the end of what one took while it does not.
    tries = [
        each.until
        for each in watched.told
        if (each.outcome != OPENED) == (each.source_id in standing)
    ]
    return min((due for due in (outlook.due, *tries) if due), default=0)


def settled(watched: Watched, outlook: Outlook, as_of: int, *, wall: bool) -> Watched:
    """The shipment with its status and its moment, once something new is known of it.

    A moment that has passed and was not looked after yet stays: what was due then is said first.
    """
    if 0 < watched.due <= as_of:
        due = watched.due
    elif signals(watched, outlook, as_of, wall=wall):
        due = as_of
    else:
        due = due_after(watched, outlook)
    return msgspec.structs.replace(watched, status=outlook.status, due=due)


def _is_news(finding: Finding, said: Told | None, as_of: int) -> bool:
    if said is None:
        # An inclusive threshold was reached, though what ended it came at that very instant.
        return not (finding.stage and finding.ended > finding.at)
    if finding.ended:
        return False
    return said.cleared or 0 < said.until <= as_of


def _telling(times: int, said: Told | None) -> int:
    """Which telling comes next: only what a case took, and was cleared, is said as another."""
    return times + 1 if said is None or said.cleared else times


def _clears(
    watched: Watched, outlook: Outlook, known: dict[str, Finding], as_of: int
) -> Iterator[Clear]:
    """What opened cases know of and is not found any more, or has ended, case by case."""
    gone: dict[tuple[str, bool], list[Told]] = {}
    for told in watched.told:
        finding = known.get(told.source_id)
        waits = told.cleared or told.until > as_of
        if told.outcome == OPENED and not waits and (finding is None or finding.ended):
            gone.setdefault((told.case_id, finding is None), []).append(told)
    for (case_id, undone), all_of_it in gone.items():
        for start in range(0, len(all_of_it), CLEARED_AT_ONCE_MAX):
            some = tuple(all_of_it[start : start + CLEARED_AT_ONCE_MAX])
            last = None if undone else max((known[s.source_id] for s in some), key=_ended)
            yield Clear(
                case_id,
                some,
                watched.checkpoint(outlook.newest if last is None else last.ended_by),
                as_of if last is None else last.ended,
                undone,
            )


def _ended(finding: Finding) -> int:
    return finding.ended


def _moves(watched: Watched, as_of: int, *, wall: bool) -> list[Move]:
    """What shows each case, opened before that was known, that the parcel moves.

    On a store that follows a feed's clock, a checkpoint is known from the moment it occurred.
    """
    moves = []
    seen = counted(watched.timeline, as_of).seen if watched.cases else ()
    for case in watched.cases:
        known = [each for each in seen if (each.received if wall else each.occurred) > case.since]
        movement = _movement(known, case.piece)
        if movement is not None and movement.source_id != case.moved:
            moves.append(Move(case, movement))
    return moves


def _movement(seen: Sequence[Checkpoint], piece: str) -> Checkpoint | None:
    """The newest delivery; without one, the newest that shows the parcel on its way."""
    of_piece = [each for each in reversed(seen) if not piece or each.piece in ("", piece)]
    delivered = (each for each in of_piece if each.status == DELIVERED)
    moving = (each for each in of_piece if each.status in MOVEMENTS)
    return next(delivered, None) or next(moving, None)
