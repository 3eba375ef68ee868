"""A tracking store made of tables: every call is one transaction on them, on any engine."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from esm.detection.model import Checkpoint, Shipment
from server.tracking import recording
from server.tracking.store import (
    Arriving,
    Detail,
    Key,
    Noted,
    Recorded,
    Seal,
    Settle,
    TrackingStore,
    Watched,
)
from server.tracking.tables import FOLLOWED, RULES, WATCHED, KeptDetail, Selection, Tables

T = TypeVar("T")

ROWS_PER_LOAD = 2_000
"""Shipments of a bulk load that are written at once."""

ROWS_ROUSED = 1_000
"""Shipments of one transaction that another catalogue makes due."""

RULES_BYTES = 7
"""Of a catalogue's digest these stand for it: as many as fit a number of the store."""

PUT_OFF_MAX = 2_000
"""Shipments found that are looked through at once for those that were found too soon."""


class TableStore(TrackingStore):
    """A tracking store made of tables. A subclass says how a transaction is had."""

    @abstractmethod
    def _write(self, work: Callable[[Tables], T]) -> T:
        """Do something in one transaction, durable when this returns.

        ``work`` may be done again when the transaction could not be had.
        """

    @abstractmethod
    def _read(self, work: Callable[[Tables], T]) -> T:
        """Read something as it is at one moment."""

    @abstractmethod
    def _load(self, tables: Tables, watched: Sequence[Watched]) -> None:
        """Write shipments that are not there yet, as fast as the engine can."""

    def register(self, tenant: str, shipments: Sequence[Shipment], settle: Settle) -> list[str]:
        return self._write(lambda t: recording.register(t, tenant, shipments, settle))

    def record_many(
        self, batches: Sequence[Arriving], settle: Settle, seal: Seal
    ) -> list[list[Recorded]]:
        return self._write(lambda t: recording.record(t, batches, settle, seal))

    def due(self, before: int, limit: int) -> list[Key]:
        while True:
            found = self._read(lambda t: t.agenda(before, limit))
            if not any(too_soon for _, too_soon in found):
                return [key for key, _ in found]
            self._write(lambda t: _put_off(t, before, max(limit, PUT_OFF_MAX)))

    def load(self, keys: Sequence[Key]) -> list[Watched]:
        return self._read(lambda t: [r.watched for r in t.rows(set(keys), lock=False).values()])

    def put_back(self, watched: Sequence[Watched]) -> list[bool]:
        return self._write(lambda t: recording.put_back(t, watched))

    def of_orders(self, orders: Sequence[tuple[str, str]]) -> list[Watched]:
        return self._read(lambda t: [row.watched for row in t.of_orders(orders, lock=False)])

    def note(self, position: int, noted: Sequence[Noted], now: int) -> None:
        self._write(lambda t: recording.note(t, position, noted, now))

    def ruled_by(self, digest: str, now: int) -> int:
        rules = int.from_bytes(bytes.fromhex(digest)[:RULES_BYTES])
        before = self._read(lambda t: t.number(RULES))
        roused = 0
        if before and before != rules:
            # A due of 0 means never, and a feed's clock may not have begun.
            roused = self._rouse(max(now, 1))
        if before != rules:
            self._write(lambda t: t.set_number(RULES, rules))
        return roused

    def _rouse(self, now: int) -> int:
        """In parts, so that nobody who writes waits long. A stop in between begins anew."""
        roused, last = 0, Key("", "")
        while True:
            count, found = self._write(partial(_rouse, now, last))
            roused += count
            if found is None:
                return roused
            last = found

    def followed(self) -> int:
        return self._read(lambda t: t.number(FOLLOWED))

    def checkpoints(self, key: Key) -> list[Detail]:
        return self._read(lambda t: _details(t, key))

    def watched(
        self,
        tenant: str,
        after: str,
        limit: int,
        *,
        due_before: int = 0,
        status: str = "",
        order_id: str = "",
        number: str = "",
    ) -> list[Watched]:
        selection = Selection(tenant, after, limit, due_before, status, order_id, number)
        return self._read(lambda t: t.select(selection))

    def counts(self, now: int) -> tuple[int, int]:
        return self._read(lambda t: (t.number(WATCHED), t.due_count(now)))

    def load_bulk(self, watched: Iterable[Watched]) -> int:
        count = 0
        part: list[Watched] = []
        for each in watched:
            part.append(each)
            if len(part) == ROWS_PER_LOAD:
                self._load_part(part)
                count += len(part)
                part = []
        self._load_part(part)
        return count + len(part)

    def _load_part(self, part: Sequence[Watched]) -> None:
        def load(tables: Tables) -> None:
            tables.guard()
            self._load(tables, part)
            tables.set_number(WATCHED, tables.number(WATCHED) + len(part))

        if part:
            self._write(load)


def _put_off(tables: Tables, before: int, limit: int) -> None:
    found = [key for key, too_soon in tables.agenda(before, limit) if too_soon]
    if found:  # nobody else was faster
        tables.put_off(found)


def _rouse(now: int, behind: Key, tables: Tables) -> tuple[int, Key | None]:
    return tables.rouse(now, behind, ROWS_ROUSED)


def _details(tables: Tables, key: Key) -> list[Detail]:
    row = tables.rows([key], lock=False).get(key)
    if row is None:
        return []
    timeline = sorted(row.watched.timeline, key=lambda c: (c.occurred, c.source_id))
    kept = tables.details({c.received for c in timeline}, row.kept) if row.kept else []
    found = {each.source_id: each for each in kept}
    return [_detail(each, found.get(each.source_id)) for each in timeline]


def _detail(checkpoint: Checkpoint, kept: KeptDetail | None) -> Detail:
    if kept is None:
        return Detail(checkpoint, "", "", True, b"")
    return Detail(checkpoint, kept.number, kept.carrier, bool(kept.zoned), kept.detail)
