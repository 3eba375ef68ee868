"""Builds the webhooks of a server; refuses secrets that could not do what they are for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from server.clock import Clock
from server.settings import WEBHOOK_SECRET_VARIABLE, Secrets
from server.webhooks.app import TENANT, Record, Webhooks
from server.webhooks.counting import Counts
from server.webhooks.vendors import VENDORS

SECRET_CHARS_MIN: Final = 8


class WebhooksRefused(ValueError):
    """The webhooks cannot be taken as they are set."""


def webhooks_of(
    secrets: Secrets,
    zones: Mapping[str, str],
    record: Record,
    clock: Clock,
    counts: Counts | None = None,
) -> Webhooks:
    """The app that takes the messages of every feed with a secret. Raises WebhooksRefused.

    ``zones`` names the time zone of each feed whose times come without one; of others it is UTC.
    """
    check_secrets(secrets)
    found = {feed: ZoneInfo(zones.get(feed, "UTC")) for feed in VENDORS}
    return Webhooks(secrets=secrets, zones=found, record=record, clock=clock, counts=counts)


def check_secrets(secrets: Secrets) -> None:
    """Raises :class:`WebhooksRefused`; says the feed and the tenant, and no secret."""
    if not secrets.by_feed:
        raise WebhooksRefused(
            f"no feed has a secret, so no message could be taken; set {WEBHOOK_SECRET_VARIABLE}, "
            "where FEED is the name of a feed in capitals"
        )
    owners: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for (feed, tenant), secret in secrets.by_feed.items():
        if feed not in VENDORS:
            raise WebhooksRefused(
                f"there is a webhook secret for the feed {feed!r}, which is none; "
                f"feeds are {', '.join(VENDORS)}"
            )
        if not TENANT.fullmatch(tenant):
            raise WebhooksRefused(f"the webhook secret of {feed} is for {tenant!r}, no tenant")
        if len(secret) < SECRET_CHARS_MIN:
            raise WebhooksRefused(
                f"the webhook secret of {feed} for {tenant} has fewer than {SECRET_CHARS_MIN} "
                "characters"
            )
        owners[feed, secret].append(tenant)
    for (feed, _), tenants in owners.items():
        if len(tenants) > 1:
            raise WebhooksRefused(
                f"{' and '.join(sorted(tenants))} have the same webhook secret of {feed}: "
                "a message of the one could be sent to the other"
            )
