"""Stores what messages say, through the same door as the API."""

from __future__ import annotations

import msgspec

from esm.errors import DomainError
from server.services.context import Tracking
from server.tracking.importing import Fact, batches
from server.tracking.inputs import TrackingCheckpoint
from server.tracking.store import TrackingUnavailable
from server.webhooks.app import Record, Unavailable


def recorder(tracking: Tracking) -> Record:
    """Stores facts in batches, one after the other."""

    async def record(tenant: str, facts: list[Fact]) -> int:
        refused = 0
        for batch in batches(facts):
            checkpoints = [msgspec.convert(fact, TrackingCheckpoint) for fact in batch]
            try:
                outcomes = await tracking.record(tenant, checkpoints)
            except (DomainError, TrackingUnavailable):  # too much waits, or the store is away
                raise Unavailable from None
            refused += sum(isinstance(each, DomainError) for each in outcomes)
        return refused

    return record
