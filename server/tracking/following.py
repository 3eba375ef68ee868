"""Follows the log for cases of shipments, so that a movement is told to every case it concerns."""

from esm.events import Detected, Recorded
from server.application import recorded_of
from server.storage.log import EventLog
from server.storage.records import LogFilter
from server.tracking.store import Key, KnownCase, TrackingStore

EVENTS_PER_LOOK_MAX = 500

_OPENINGS = LogFilter(topics=(Detected.TOPIC,))


def follow(log: EventLog, store: TrackingStore, now: int, *, wall: bool) -> int:
    """Note the cases that were opened since the last look; how many there were.

    ``now`` is when their shipments are looked after: at once. On a store that follows a feed's
    clock, a case is as old as that clock says; on others as old as the log says.
    """
    after, last = store.followed(), log.max_position()
    if last <= after:
        return 0
    rows = [recorded_of(r) for r in log.select_log(after, EVENTS_PER_LOOK_MAX, where=_OPENINGS)]
    if len(rows) == EVENTS_PER_LOOK_MAX:
        last = rows[-1].position
    cases = [_noted(row, row.event, wall=wall) for row in rows if isinstance(row.event, Detected)]
    store.note_cases(last, [case for case in cases if case[0].shipment_code], now)
    return len(rows)


def _noted(row: Recorded, event: Detected, *, wall: bool) -> tuple[Key, KnownCase]:
    case = KnownCase(
        case_id=str(row.aggregate_id),
        piece=event.subject.piece,
        since=row.recorded if wall else row.occurred,
    )
    return Key(row.tenant, event.subject.shipment_code), case
