"""Puts tracking together: intake, detection, and the timekeeper that tells cases what was found."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from esm.catalog import Catalogue
from esm.detection.model import Outlook
from esm.detection.outlook import Detection
from server.clock import Clock
from server.personal import ERASED
from server.store import Store
from server.tracking.deviations import settled
from server.tracking.following import Following
from server.tracking.intake import Tracking
from server.tracking.store import Key, Watched
from server.workers.timekeeper import Door, Timekeeper

WRITERS_SHARED = 2
"""Threads of a server that write to a store which takes several transactions at once: one reads
and judges while another waits for the database."""


class Detecting(NamedTuple):
    """What a server's tracking consists of. ``outlook`` is that of a shipment, now."""

    tracking: Tracking
    timekeeper: Timekeeper
    outlook: Callable[[Watched], Outlook]


@asynccontextmanager
async def detecting(
    store: Store, writer: Door, catalogue: Catalogue, clock: Clock
) -> AsyncIterator[Detecting]:
    """The tracking of an open store; the timekeeper runs once it is started.

    At the end what was taken is written, and what is due by then stays due.
    """
    wall = store.feed is None
    now = clock.micros if store.feed is None else store.feed.micros
    detection = Detection(catalogue)

    await asyncio.to_thread(store.tracking.ruled_by, catalogue.digest, now())

    def outlook(watched: Watched) -> Outlook:
        return detection.outlook(watched.shipment, watched.timeline, now())

    def settle(watched: Watched) -> Watched:
        at = now()
        found = detection.outlook(watched.shipment, watched.timeline, at)
        return settled(watched, found, at, wall=wall)

    def texts(key: Key) -> Mapping[str, str]:
        opened = tracking.opened(key)
        words = {each.detail.checkpoint.source_id: each.raw_text for each in opened}
        return {source_id: text for source_id, text in words.items() if text != ERASED}

    timekeeper = Timekeeper(
        store=store.tracking,
        writer=writer,
        outlook=detection.outlook,
        follow=Following(store.application.events_log, store.tracking, wall=wall),
        texts=texts,
        # Other servers on the store may have advanced its clock.
        now=store.feed.refresh if store.feed is not None and store.feed.shared else now,
        recorded=clock.micros,
        secret=store.request_secret,
        wall=wall,
    )
    tracking = Tracking(
        store=store.tracking,
        catalogue=catalogue,
        personal=store.personal,
        secret=store.request_secret,
        clock=clock,
        now=now,
        wall=wall,
        settle=settle,
        wake=timekeeper.wake,
        loop=asyncio.get_running_loop(),
        writers=WRITERS_SHARED if store.shared else 1,
    )
    try:
        yield Detecting(tracking, timekeeper, outlook)
    finally:
        await timekeeper.stop()
        await tracking.close()
