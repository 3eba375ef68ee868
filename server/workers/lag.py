"""Turns how far the projections are behind into the health of the services that read them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from server.services.context import ProjectionState, Status

LAG_EVENTS_MAX = 10_000
"""A projection that is further behind, in places of the log, is not fit to be read."""

LOOK_SECONDS = 1.0

READERS: Final[Mapping[str, str]] = {
    "tickets": "shipment_exception.v1.TicketService",
    "ledger": "shipment_exception.v1.LedgerService",
}
"""The service that reads a projection."""

_log = logging.getLogger(__name__)


class Say(Protocol):
    """Where it is said whether a service is fit."""

    async def __call__(self, service: str, *, fit: bool) -> None: ...


def fit(projection: ProjectionState) -> bool:
    """Whether a projection runs and is not too far behind."""
    return not projection.stopped and projection.lag <= LAG_EVENTS_MAX


async def watch_lag(status: Callable[[str], Awaitable[Status]], say: Say) -> None:
    """Say the health of every reading service once a second, until cancelled."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            found = await status("")
        except Exception:  # the store may be away for a while; the next look may find it back
            _log.exception("the lag of the projections could not be read; trying again")
            continue
        for projection in found.projections:
            if projection.name in READERS:
                await say(READERS[projection.name], fit=fit(projection))
