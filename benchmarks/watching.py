"""Watched parcels in a tracking store: loaded in bulk, and looked after when some are due."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Final, cast
from uuid import UUID

from msgspec.structs import replace

from benchmarks.parcels import CARRIER, FEED, HOUR, SECOND, TENANT, Parcel, Parcels
from esm.catalog import Catalogue
from esm.commands import Command
from esm.detection.model import Checkpoint, Number, Shipment
from esm.detection.outlook import Detection
from esm.evolve import State
from server.submission import Answer, Call
from server.tracking.deviations import settled
from server.tracking.store import Key, TrackingStore, Watched
from server.workers.timekeeper import Timekeeper

QUIET: Final = HOUR
"""No course becomes due by itself for so long: what is due is what a figure asks for."""

STALLED_HOURS: Final = 37
"""How long ago the last was told of a parcel that is due; its wait for more is over."""

CASE: Final = UUID(int=7)


class NotQuiet(RuntimeError):
    """A course of the bulk load reaches a threshold while something is measured."""


class Watching:
    """The rules of a catalogue, and what they say of parcels."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._codes = catalogue.sources[FEED].codes
        self.outlook = Detection(catalogue).outlook

    def rows(self, parcels: Parcels) -> Iterator[Watched]:
        """Every parcel as a settled row; what those of one course share is worked out once."""
        courses = [self._settled(parcels, n) for n in range(parcels.courses)]
        for number in range(parcels.watched):
            parcel = parcels.parcel(number)
            yield replace(
                courses[number % parcels.courses],
                shipment=_shipment(parcel),
                timeline=self._timeline(parcels, parcel),
            )

    def stalled(self, count: int, now: int) -> Iterator[Watched]:
        """Further parcels, each of which is due at ``now`` because nothing is told any more."""
        told = now - STALLED_HOURS * HOUR
        for number in range(count):
            shipment = Shipment(
                order_id=f"DUE-{number:05}",
                shipment_code=f"D-{number:05}",
                carrier=CARRIER,
                registered=told,
            )
            checkpoint = self._checkpoint(f"due-{number}", told, "0", "杭州")
            yield Watched(
                tenant=TENANT, shipment=shipment, timeline=(checkpoint,), looked=told, due=now
            )

    def _settled(self, parcels: Parcels, number: int) -> Watched:
        parcel, now = parcels.parcel(number), parcels.now
        watched = Watched(
            tenant=TENANT,
            shipment=_shipment(parcel),
            timeline=self._timeline(parcels, parcel),
            looked=now,
        )
        outlook = self.outlook(watched.shipment, watched.timeline, now)
        found = settled(watched, outlook, now, wall=True)
        if 0 < found.due < now + QUIET:
            raise NotQuiet(f"course {number}: {outlook}")
        return found

    def _timeline(self, parcels: Parcels, parcel: Parcel) -> tuple[Checkpoint, ...]:
        return tuple(
            self._checkpoint(f.source_id, f.occurred, f.raw_code, f.place)
            for f in parcels.earlier(parcel)
        )

    def _checkpoint(self, source_id: str, occurred: int, raw_code: str, place: str) -> Checkpoint:
        return Checkpoint(
            source_id=f"{FEED}/{source_id}",
            occurred=occurred,
            received=occurred + 60 * SECOND,
            feed=FEED,
            status=self._codes[raw_code].status,
            raw_code=raw_code,
            place=place,
            node=place,
            leg=1,
        )


class Accepting:
    """A door that accepts every command at once, so that only the looking after is measured."""

    async def handle_batch(self, items: Sequence[tuple[Command, Call]]) -> Sequence[Answer]:
        """The same answer to each; the timekeeper reads nothing of it but the id of the case."""
        answer = Answer(targets=((CASE, 1, cast(State, None)),), position=1)
        return [answer] * len(items)


def sweep_seconds(store: TrackingStore, watching: Watching, due: Sequence[Key], now: int) -> float:
    """How long the timekeeper takes to look after what is due at ``now``; then it is due again."""

    async def swept() -> float:
        keeper = Timekeeper(
            store=store,
            writer=Accepting(),
            outlook=watching.outlook,
            follow=lambda moment: 0,
            texts=lambda key: {},
            now=lambda: now,
            recorded=lambda: now,
            secret=b"bench",
            wall=True,
        )
        begun = time.perf_counter()
        sent = await keeper.run_until(now)
        taken = time.perf_counter() - begun
        await keeper.stop()
        if sent != len(due):
            raise RuntimeError(f"{sent} signals of {len(due)} shipments that are due")
        return taken

    taken = asyncio.run(swept())
    again = [replace(each, told=(), due=now) for each in store.load(due)]
    if not all(store.put_back(again)):
        raise RuntimeError("a shipment changed while nobody else was there")
    return taken


def _shipment(parcel: Parcel) -> Shipment:
    return Shipment(
        order_id=parcel.order_id,
        shipment_code=parcel.shipment_code,
        carrier=CARRIER,
        destination=parcel.route[-1],
        registered=parcel.labelled,
        labelled=parcel.labelled,
        handed_over=parcel.handed_over,
        promised=parcel.promised,
        numbers=(Number(number=parcel.tracking_number, carrier=CARRIER),),
    )
