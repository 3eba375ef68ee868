"""Follows the log, so that shipments know what became of their findings, whoever said them."""

from collections.abc import Sequence
from typing import Final

from esm.events import Detected, Recorded, SignalCleared, Source, SourceJoined
from server.application import recorded_of
from server.storage.log import EventLog
from server.storage.records import LogFilter
from server.tracking.noting import by_order, knowing
from server.tracking.store import KnownCase, Noted, TrackingStore

EVENTS_PER_LOOK_MAX: Final = 500

UNSAVED_MAX: Final = 10_000
"""Positions that are read again after a stop, at most: where nothing is new, none is written."""

_WANTED = LogFilter(topics=(Detected.TOPIC, SourceJoined.TOPIC, SignalCleared.TOPIC))


class Following:
    """One per server; its calls come one after the other.

    What the timekeeper said stands in the log before it stands in the row. Whatever comes between
    the two - a stop, another server, a late checkpoint - the row hears of it here. On a store that
    follows a feed's clock (not ``wall``), a case is as old as that clock says; on others as old as
    the log says.
    """

    def __init__(self, log: EventLog, store: TrackingStore, *, wall: bool) -> None:
        self._log = log
        self._store = store
        self._wall = wall
        self._saved = -1
        self._read = -1

    def __call__(self, now: int) -> int:
        """Let shipments know what was recorded since the last look; how many events there were.

        ``now`` is when those are looked after that did not know: at once. A store that watches
        nothing has nothing to note: the log is read once the first shipment is there, from where
        it stopped.
        """
        if self._read < 0:
            if not self._store.counts(now)[0]:
                return 0
            self._saved = self._read = self._store.followed()
        last = self._log.max_position()
        if last <= self._read:
            return 0
        rows = self._log.select_log(self._read, EVENTS_PER_LOOK_MAX, where=_WANTED)
        if len(rows) == EVENTS_PER_LOOK_MAX:
            last = rows[-1][0]
        news = self._news([self._noted(recorded_of(row)) for row in rows])
        if news or last - self._saved > UNSAVED_MAX:
            self._store.note(last, news, now)
            self._saved = last
        self._read = last
        return len(rows)

    def _noted(self, row: Recorded) -> Noted | None:
        event, about = row.event, (row.tenant, row.order_id, str(row.aggregate_id))
        match event:
            case Detected(subject=subject) if subject.shipment_code:
                since = row.recorded if self._wall else row.occurred
                case = KnownCase(case_id=about[2], piece=subject.piece, since=since)
                return Noted(*about, subject.shipment_code, case, _finding_of(event.source))
            case SourceJoined(source=source) if source.alert is not None:
                return Noted(*about, source_id=source.source_id)
            case SignalCleared():
                return Noted(*about, cleared=event.source_ids)
        return None

    def _news(self, read: Sequence[Noted | None]) -> list[Noted]:
        """What not every shipment that it concerns knows; the timekeeper writes what it said."""
        noted = [each for each in read if each is not None]
        if not noted:
            return []
        orders = by_order(noted)
        behind: set[tuple[str, str]] = set()
        opened = {(each.tenant, each.shipment_code) for each in noted if each.case is not None}
        for watched in self._store.of_orders(list(orders)):
            opened.discard((watched.tenant, watched.shipment.shipment_code))
            if knowing(watched, orders) is not watched:
                behind.add((watched.tenant, watched.shipment.order_id))
        return [
            each
            for each in noted
            if (each.tenant, each.order_id) in behind or (each.tenant, each.shipment_code) in opened
        ]


def _finding_of(source: Source) -> str:
    """The source id of one of our findings, "" for what others reported."""
    return "" if source.alert is None else source.source_id
