"""What commands that open a store share: the options that name it, and its problems in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from server.cli.output import fail
from server.settings import Settings, from_environment

Data = Annotated[Path | None, typer.Option(help="Folder of an embedded store.")]
Dsn = Annotated[str, typer.Option(help="PostgreSQL instead of a folder: postgresql://…")]
Schema = Annotated[str, typer.Option(help="Schema of the store in that PostgreSQL; esm.")]
Catalog = Annotated[
    Path | None, typer.Option("--catalog", help="Folder with a catalogue of your own.")
]


class ClockChoice(StrEnum):
    """Whose clock a new store follows."""

    WALL = "wall"
    FEED = "feed"


Clock = Annotated[
    ClockChoice | None, typer.Option("--clock", help="Clock of a new store; wall when not said.")
]


class OtherClock(ValueError):
    """The store follows another clock than the one that was asked for."""


def store_settings(data: Path | None, dsn: str, schema: str, **more: Any) -> Settings:
    """Settings of a store: the options that were given, then the environment."""
    if data is not None and dsn:
        fail("give --data or --dsn, not both")
    given = {
        **({"data": data, "dsn": ""} if data is not None else {}),
        **({"dsn": dsn} if dsn else {}),
        **({"schema": schema} if schema else {}),
        **{name: value for name, value in more.items() if value is not None},
    }
    return replace(from_environment(), **given)


def require_store(settings: Settings) -> None:
    """End the command when the settings name no store, which opening it would make.

    Belongs inside :func:`store_problems`.
    """
    import psycopg  # noqa: PLC0415 # heavy, and few commands need it

    from server.storage.folder import EVENTS_FILE  # noqa: PLC0415 # the same

    if not settings.dsn:
        if not (settings.data / EVENTS_FILE).is_file():
            fail(f"there is no store in {settings.data}")
        return
    with psycopg.connect(settings.dsn) as connection:
        query = "SELECT to_regclass(format('%%I.log_events', %s::text))"
        found = connection.execute(query, (settings.schema,)).fetchone()
    if found is None or found[0] is None:
        fail(f"there is no store in the schema {settings.schema!r} of this database")


@contextmanager
def store_problems() -> Iterator[None]:
    """End the command with one sentence for everything that keeps a store from opening."""
    import psycopg  # noqa: PLC0415 # heavy, and few commands need it
    from eventsourcing.persistence import PersistenceError  # noqa: PLC0415 # the same

    from esm.catalog import CatalogueError  # noqa: PLC0415 # the same
    from server.app import AddressRefused, AddressUnusable  # noqa: PLC0415 # the same
    from server.storage.records import StoreProblem  # noqa: PLC0415 # the same
    from server.store import UnsafeStore  # noqa: PLC0415 # the same
    from server.tracking.store import TrackingUnavailable  # noqa: PLC0415 # the same
    from server.webhooks.setup import WebhooksRefused  # noqa: PLC0415 # the same

    try:
        yield
    except CatalogueError as problem:
        fail(f"the catalogue cannot be used: {problem}")
    except (AddressRefused, AddressUnusable, StoreProblem, UnsafeStore, OtherClock) as problem:
        fail(str(problem))
    except WebhooksRefused as problem:
        fail(str(problem))
    except (PersistenceError, TrackingUnavailable, psycopg.Error) as problem:
        fail(f"the database does not answer as it should: {' '.join(str(problem).split())}")
    except OSError as problem:
        fail(f"{problem.filename or 'the store'}: {problem.strerror or problem}")
