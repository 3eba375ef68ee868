"""What a server is told at start; the only reader of the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DEFAULT_ADDRESS = "127.0.0.1:50051"
DEFAULT_DATA = "esm-data"
DEFAULT_SCHEMA = "esm"

ADDRESS_VARIABLE = "ESM_ADDRESS"
DATA_VARIABLE = "ESM_DATA"
DSN_VARIABLE = "ESM_DSN"
CATALOG_VARIABLE = "ESM_CATALOG"

ClockKind = Literal["wall", "feed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One server. With a ``dsn`` the store is PostgreSQL, else SQLite in the folder ``data``.

    ``clock`` counts when the store is created: a wall clock, or a feed of past events.
    ``insecure`` lets it listen beyond loopback, ``unsafe`` start on a store that may lose
    acknowledged commands. ``beside`` runs the projectors in a process of their own.
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


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that ESM_ADDRESS, ESM_DATA, ESM_DSN and ESM_CATALOG give."""
    catalog = environment.get(CATALOG_VARIABLE)
    return Settings(
        address=environment.get(ADDRESS_VARIABLE, DEFAULT_ADDRESS),
        data=Path(environment.get(DATA_VARIABLE, DEFAULT_DATA)),
        dsn=environment.get(DSN_VARIABLE, ""),
        catalog=Path(catalog) if catalog else None,
    )
