"""Builds a projection anew beside the live one, compares the two and switches."""

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

import msgspec

from esm.events import Recorded
from projections.engine import (
    Engine,
    Held,
    NoSuchProjection,
    Reader,
    Rejected,
    Row,
    Table,
    shortened,
)
from projections.pump import BATCH_EVENTS_MAX, LogReader, Projection, Pump, project

FINISH_TRIES_MAX = 3


class Step(NamedTuple):
    """How far a rebuild is: log positions, the second grows while events come in."""

    done: int
    total: int


class Outcome(NamedTuple):
    """What a rebuild found, always at one position of both views.

    The digests are SHA-256 of the canonical dumps; ``difference`` says where they first differ,
    empty when they are equal. ``generation`` is the one that is live now.
    """

    projection: str
    position: int
    live_digest: str
    rebuilt_digest: str
    rows: int
    difference: str
    generation: int

    @property
    def equal(self) -> bool:
        """Whether the rebuilt view equals the one that was live, byte by byte."""
        return self.live_digest == self.rebuilt_digest


class RebuildFailed(Exception):
    """The new generation cannot get to where the live one is; the live one stays."""


def rebuild(
    engine: Engine,
    projection: Projection,
    log: LogReader,
    *,
    batch: int = BATCH_EVENTS_MAX,
    switch: bool = True,
) -> Iterator[Step | Outcome]:
    """Steps, and at the end the outcome. The rebuilt view becomes the live one, equal or not.

    It is what the log says; without ``switch`` it is only compared and dropped. Leaving the
    iterator early drops it as well. Raises :class:`RebuildFailed` when the projection halts at
    an event that the live one went past.
    """
    generation = engine.create(projection.spec)
    useless = generation
    try:
        yield from _catch_up(engine, projection, log, generation, batch=batch)
        live, outcome = yield from _finish_or_retry(
            engine, projection, log, generation, switch=switch
        )
        if switch:
            useless = live
    except NoSuchProjection as error:
        raise RebuildFailed("another rebuild took over") from error
    finally:
        engine.drop(projection.spec, useless)
    yield outcome


def prepare(engine: Engine, projection: Projection, newest: Callable[[], int]) -> bool:
    """Make the projection's tables fit for a pump; whether it has to begin from nothing.

    That is so when there are none, when another version of the program made them, or when they
    are ahead of the log, whose last position ``newest`` answers (a restored store).
    """
    spec = projection.spec
    engine.ensure(spec)
    position = engine.position(spec.name)
    if engine.fingerprint(spec.name) == spec.fingerprint and position <= newest():
        return position == 0
    generation = engine.create(spec)
    with engine.hold(spec.name, wait=True) as live:
        if live is not None:
            live.switch(generation)
            generation = live.generation
    engine.drop(spec, generation)
    return True


def dump(reader: Reader, tables: Sequence[Table]) -> Iterator[bytes]:
    """The canonical dump: a JSON line per row, table by table, rows in the order of their key."""
    for table in tables:
        for row in reader.scan(table):
            yield _line(table, row)


class _Until:
    """A log that ends at a position."""

    def __init__(self, log: LogReader, stop: int) -> None:
        self._log = log
        self._stop = stop

    def read(self, after: int, limit: int) -> Sequence[Recorded]:
        return [r for r in self._log.read(after, limit) if r.position <= self._stop]


def _catch_up(
    engine: Engine, projection: Projection, log: LogReader, generation: int, *, batch: int
) -> Iterator[Step]:
    """Project up to where the live generation was when this began."""
    target = engine.position(projection.NAME)
    pump = Pump(engine, projection, _Until(log, target), generation=generation)
    while pump.run_once(batch):
        yield Step(engine.progress(projection.NAME, generation).position, target)
    reached = engine.progress(projection.NAME, generation)
    if reached.position != target:
        raise RebuildFailed(
            f"stopped at position {reached.position} of {target}: "
            f"{reached.halted_reason or 'the log has no further event'}"
        )


def _finish_or_retry(
    engine: Engine, projection: Projection, log: LogReader, generation: int, *, switch: bool
) -> Generator[Step, None, tuple[int, Outcome]]:
    for _ in range(FINISH_TRIES_MAX - 1):
        try:
            return _finish(engine, projection, log, generation, switch=switch)
        except Rejected:
            # The pump finds the event to blame, which needs transactions of its own.
            yield from _catch_up(engine, projection, log, generation, batch=BATCH_EVENTS_MAX)
    try:
        return _finish(engine, projection, log, generation, switch=switch)
    except Rejected as rejected:
        raise RebuildFailed(str(rejected)) from rejected


def _finish(
    engine: Engine, projection: Projection, log: LogReader, generation: int, *, switch: bool
) -> tuple[int, Outcome]:
    """With the live pump held: take in what came meanwhile, compare, switch.

    Answers the generation that was live, and the outcome.
    """
    with engine.hold(projection.NAME, wait=True) as live:
        if live is None:
            raise RebuildFailed("another rebuild switched meanwhile")
        rebuilt = live.beside(generation)
        until = _Until(log, live.position)
        while rebuilt.position < live.position:
            events = until.read(rebuilt.position, BATCH_EVENTS_MAX)
            if project(projection, rebuilt, events) < max(len(events), 1):
                raise RebuildFailed(f"stopped behind position {rebuilt.position}")
        outcome = _compare(projection, live, rebuilt, generation if switch else live.generation)
        if switch:
            live.switch(generation)
        return live.generation, outcome


def _compare(projection: Projection, live: Held, rebuilt: Held, generation: int) -> Outcome:
    digests = (hashlib.sha256(), hashlib.sha256())
    rows = 0
    difference = ""
    for table in projection.TABLES:
        for ours, theirs in zip_longest(live.scan(table), rebuilt.scan(table)):
            rows += 1
            for digest, row in zip(digests, (ours, theirs), strict=True):
                if row is not None:
                    digest.update(_line(table, row) + b"\n")
            if ours != theirs and not difference:
                difference = _difference(table, ours, theirs)
    return Outcome(
        projection=projection.NAME,
        position=live.position,
        live_digest=digests[0].hexdigest(),
        rebuilt_digest=digests[1].hexdigest(),
        rows=rows,
        difference=difference,
        generation=generation,
    )


def _difference(table: Table, live: Row | None, rebuilt: Row | None) -> str:
    """The first difference in words: a row that only one view has, or the columns that differ."""
    keys = tuple(None if row is None else _key(table, row) for row in (live, rebuilt))
    if live is not None and rebuilt is not None and keys[0] == keys[1]:
        columns = zip(table.names, live, rebuilt, strict=True)
        parts = [f"{name}: live {a!r}, rebuilt {b!r}" for name, a, b in columns if a != b]
        return shortened(f"{table.name} {keys[0]}: {'; '.join(parts)}")
    only_live = keys[1] is None or (keys[0] is not None and keys[0] < keys[1])
    key = keys[0] if only_live else keys[1]
    return shortened(f"{table.name} {key}: only in the {'live' if only_live else 'rebuilt'} view")


def _key(table: Table, row: Row) -> Row:
    values = dict(zip(table.names, row, strict=True))
    return tuple(values[name] for name in table.key)


def _line(table: Table, row: Row) -> bytes:
    return msgspec.json.encode({"table": table.name, **dict(zip(table.names, row, strict=True))})
