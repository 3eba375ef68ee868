"""What a server is told at start; the only reader of the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

DEFAULT_ADDRESS = "127.0.0.1:50051"
DEFAULT_DATA = "esm-data"
DEFAULT_SCHEMA = "esm"

ADDRESS_VARIABLE = "ESM_ADDRESS"
DATA_VARIABLE = "ESM_DATA"
DSN_VARIABLE = "ESM_DSN"
CATALOG_VARIABLE = "ESM_CATALOG"
WEBHOOKS_VARIABLE = "ESM_WEBHOOKS"
WEBHOOK_SECRET_VARIABLE = "ESM_WEBHOOK_SECRET_FEED"
WEBHOOK_SECRET_PREFIX = WEBHOOK_SECRET_VARIABLE.removesuffix("FEED")
WEBHOOK_TENANT = "default"
"""Whose secret a variable without a tenant gives."""

ClockKind = Literal["wall", "feed"]


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """The secrets of webhooks by feed and tenant. Shows how many there are, never one of them."""

    by_feed: Mapping[tuple[str, str], str] = field(default_factory=dict, hash=False)

    def of(self, feed: str, tenant: str) -> str:
        """The secret that a tenant shares with a feed's vendor; "" when there is none."""
        return self.by_feed.get((feed, tenant), "")

    def __repr__(self) -> str:
        return str(len(self.by_feed)) if self.by_feed else "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One server. With a ``dsn`` the store is PostgreSQL, else SQLite in the folder ``data``.

    ``clock`` counts when the store is created: a wall clock, or a feed of past events.
    ``insecure`` lets it listen beyond loopback, ``unsafe`` start on a store that may lose
    acknowledged commands. ``beside`` runs the projectors in a process of their own. ``webhooks`` is
    where vendors' messages are taken, "" for nowhere; each feed of them needs a secret.
    """

    address: str = DEFAULT_ADDRESS
    data: Path = Path(DEFAULT_DATA)
    dsn: str = ""
    schema: str = DEFAULT_SCHEMA
    catalog: Path | None = None
    clock: ClockKind = "wall"
    insecure: bool = False
    unsafe: bool = False
    reflection: bool = True
    beside: bool = False
    webhooks: str = ""
    webhook_secrets: Secrets = Secrets()


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the variables whose names begin with ESM_ give."""
    catalog = environment.get(CATALOG_VARIABLE)
    return Settings(
        address=environment.get(ADDRESS_VARIABLE, DEFAULT_ADDRESS),
        data=Path(environment.get(DATA_VARIABLE, DEFAULT_DATA)),
        dsn=environment.get(DSN_VARIABLE, ""),
        catalog=Path(catalog) if catalog else None,
        webhooks=environment.get(WEBHOOKS_VARIABLE, ""),
        webhook_secrets=_secrets(environment),
    )


def _secrets(environment: Mapping[str, str]) -> Secrets:
    """ESM_WEBHOOK_SECRET_FEED, or with two underscores and the tenant behind it."""
    found = {}
    for variable, secret in environment.items():
        if variable.startswith(WEBHOOK_SECRET_PREFIX) and secret:
            feed, _, tenant = variable.removeprefix(WEBHOOK_SECRET_PREFIX).partition("__")
            found[feed.lower(), tenant or WEBHOOK_TENANT] = secret
    return Secrets(found)
