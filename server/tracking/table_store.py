"""A tracking store made of tables: every call is one transaction on them, on any engine."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from esm.detection.model import Checkpoint, Shipment
from server.tracking import recording
from server.tracking.store import (
    Arriving,
    Detail,
    Key,
    KnownCase,
    Recorded,
    Seal,
    Settle,
    TrackingStore,
    Watched,
)
from server.tracking.tables import FOLLOWED, WATCHED, KeptDetail, Tables

T = TypeVar("T")

ROWS_PER_LOAD = 2_000
"""Shipments of a bulk load that are written at once."""


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
        return self._read(lambda t: t.due(before, limit))

    def load(self, keys: Sequence[Key]) -> list[Watched]:
        return self._read(lambda t: [r.watched for r in t.rows(set(keys), lock=False).values()])

    def put_back(self, watched: Sequence[Watched]) -> list[bool]:
        return self._write(lambda t: recording.put_back(t, watched))

    def note_cases(self, position: int, cases: Sequence[tuple[Key, KnownCase]], now: int) -> None:
        self._write(lambda t: recording.note_cases(t, position, cases, now))

    def ruled_by(self, digest: str, now: int) -> int:
        return self._write(lambda t: recording.ruled_by(t, digest, now))

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
    ) -> list[Watched]:
        selection = (tenant, after, limit, due_before, status, order_id)
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
