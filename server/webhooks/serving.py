"""Webhooks as part of a server: there from its start to its stop, when it was told where."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.clock import Clock
from server.services.context import Services
from server.settings import Settings
from server.webhooks.counting import Counts
from server.webhooks.setup import WebhooksRefused, webhooks_of
from server.webhooks.storing import recorder


@asynccontextmanager
async def taking_webhooks(
    settings: Settings, services: Services, clock: Clock, counts: Counts
) -> AsyncIterator[str]:
    """Takes messages of vendors while the block runs, if the settings say where.

    Gives the address, "" for none; ``counts`` counts what becomes of messages.

    Raises :class:`WebhooksRefused`.
    """
    if not settings.webhooks:
        yield ""
        return
    try:
        from server.webhooks.listening import listening  # noqa: PLC0415 # is in an extra
    except ModuleNotFoundError as missing:
        raise WebhooksRefused(
            f"webhooks need the package {missing.name}: pip install 'shipment-exceptions[webhooks]'"
        ) from None
    zones = {feed: source.zone for feed, source in services.catalogue.sources.items()}
    app = webhooks_of(settings.webhook_secrets, zones, recorder(services.tracking), clock, counts)
    async with listening(settings.webhooks, app) as address:
        yield address
