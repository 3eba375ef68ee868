"""The order in which a history is told: what happened at one instant, then the clock goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Final

from esm.times import instant, micros
from server.backfill.facts import RECORD, REGISTER, Fact, facts
from server.backfill.mapping import AnyMapping, SignalsMapping
from server.backfill.plan import Planned, plan
from server.backfill.rows import BadRow, read
from server.tracking.importing import batches

FACTS_AT_ONCE: Final = 500
"""Tracking facts that are told before the clock goes on; those of one instant always are."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Facts of one RPC, told together. They stand for themselves, one by one."""

    rpc: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Advance:
    """The clock of the store goes on to this time."""

    to: str


Step = Planned | Batch | Advance | BadRow


@dataclass(frozen=True, slots=True)
class History:
    """All that files say under some mappings. ``end`` is the last row's time, 0 without any row."""

    planned: Sequence[Planned]
    facts: Sequence[Fact]
    bad: Sequence[BadRow]
    end: int

    @property
    def size(self) -> int:
        """How many commands and facts there are."""
        return len(self.planned) + len(self.facts)


def gather(paths: Sequence[Path], mappings: Iterable[AnyMapping]) -> History:
    """Read files under every mapping that is for them; a file that none is for is bad."""
    planned: list[Planned] = []
    told: list[Fact] = []
    bad: list[BadRow] = []
    end, taken = 0, set[Path]()
    for mapping in mappings:
        mine = [path for path in paths if mapping.takes(path)]
        taken.update(mine)
        rows, unread = read(mine, mapping)
        bad += unread
        end = max([end, *(row.at for row in rows)])
        said: Iterator[Planned | Fact | BadRow]
        said = plan(mapping, rows) if isinstance(mapping, SignalsMapping) else facts(mapping, rows)
        for each in said:
            if isinstance(each, BadRow):
                bad.append(each)
            elif isinstance(each, Fact):
                told.append(each)
            else:
                planned.append(each)
    bad += [BadRow(str(path), 0, "no mapping is for it") for path in paths if path not in taken]
    planned.sort(key=lambda each: each.occurred)
    told.sort(key=lambda each: each.at)
    # What is wrong with a row under several mappings is said once.
    return History(planned, told, list(dict.fromkeys(bad)), end)


def course(history: History, *, clock: int | None) -> Iterator[Step]:
    """The steps of telling a history, its bad rows first.

    ``clock`` is where the store's clock stands (microseconds UTC), None when nobody advances it.
    A tracking fact ahead of the clock counts when the clock reaches it, so whole instants may be
    told ahead, up to a batch. A command is decided by the clock, so beside commands it goes on
    with every instant. Commands alone need no clock on their way.
    """
    yield from history.bad
    steps = _facts_only(history) if not history.planned else _mixed(history)
    if not history.facts:
        steps = iter(history.planned)
    present = clock
    for step in (*steps, Advance(instant(history.end))) if history.end else steps:
        if not isinstance(step, Advance):
            yield step
        elif present is not None and micros(step.to) > present:
            present = micros(step.to)
            yield step


def _facts_only(history: History) -> Iterator[Step]:
    waiting: list[Fact] = []
    for _, found in groupby(history.facts, key=_fact_time):
        together = list(found)
        if waiting and len(waiting) + len(together) > FACTS_AT_ONCE:
            yield from _told(waiting)
            waiting = []
        waiting += together
    if waiting:
        yield from _told(waiting)


def _mixed(history: History) -> Iterator[Step]:
    """Instant by instant: what carriers said, then the commands, then the clock."""
    events: list[Fact | Planned] = [*history.facts, *history.planned]
    events.sort(key=_time)  # stable, so facts stand before commands
    for at, found in groupby(events, key=_time):
        together = list(found)
        yield from _batches([each for each in together if isinstance(each, Fact)])
        yield from (each for each in together if isinstance(each, Planned))
        yield Advance(instant(at))


def _told(waiting: Sequence[Fact]) -> Iterator[Step]:
    yield from _batches(waiting)
    yield Advance(instant(waiting[-1].at))


def _batches(waiting: Sequence[Fact]) -> Iterator[Batch]:
    """Shipments first, so that few facts come before their shipment."""
    for rpc in (REGISTER, RECORD):
        of_rpc = iter([fact for fact in waiting if fact.rpc == rpc])
        bodies = [fact.body for fact in waiting if fact.rpc == rpc]
        for request in batches(bodies):
            yield Batch(rpc, tuple(islice(of_rpc, len(request))))


def _fact_time(fact: Fact) -> int:
    return fact.at


def _time(each: Fact | Planned) -> int:
    return each.at if isinstance(each, Fact) else micros(each.occurred)
