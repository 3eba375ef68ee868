"""``esm backup`` and ``esm migrate``: a store as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.cli.output import fail, progress, put_json, say
from server.cli.stores import Clock, Data, Dsn, Schema, store_problems, store_settings

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


def backup(
    folder: Annotated[Path, typer.Argument(help="Where to; made when missing.")],
    data: Data = None,
    keys: Annotated[
        bool, typer.Option("--keys", help="Also the persons' keys, which erase by deletion.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy an embedded store, also while its server runs.

    The copy holds every command that was acknowledged before. Start a server on it with
    ``esm serve --data FOLDER``: read models are built again from the log.
    """
    from server.storage.folder import backup_store  # noqa: PLC0415 # pulls in the library

    settings = store_settings(data, "", "")
    if settings.dsn and data is None:
        fail("a PostgreSQL store is backed up with pg_dump or pg_basebackup; give --data otherwise")
    with store_problems(), progress(hidden=as_json) as bars:
        bars.add_task(f"copying {settings.data}", total=None)
        files = backup_store(settings.data, folder, keys=keys)
    if as_json:
        put_json({"files": [str(file) for file in files]})
        return
    for file in files:
        say(f"written 已备份: {file} ({file.stat().st_size:,} bytes)")
    if not keys:
        say("without keys.db: words about persons stay sealed in this copy (--keys copies them)")


def migrate(
    data: Data = None,
    dsn: Dsn = "",
    schema: Schema = "",
    clock: Clock = None,
    as_json: AsJson = False,
) -> None:
    """Create or upgrade the tables of a store, and say what stands there."""
    from server import clock as clocks  # noqa: PLC0415 # these pull in the whole server
    from server.store import open_store  # noqa: PLC0415 # the same

    settings = store_settings(data, dsn, schema, clock=clock.value if clock else None)
    with store_problems(), open_store(settings, clocks.Clock()) as store:
        log = store.application.events_log
        found = {
            "store": store.store_id,
            "engine": store.engine,
            "place": f"schema {settings.schema}" if settings.dsn else str(settings.data),
            "clock": store.clock_kind,
            "events": log.max_position(),
        }
        projections = [projection.NAME for projection in store.projections]
    if as_json:
        put_json({**found, "projections": projections})
        return
    made = "its tables were made or are as they should be 表结构已就绪"
    say(f"{found['engine']} store {found['store']} in {found['place']}: {made}")
    say(f"clock {found['clock']}, {found['events']} events, {', '.join(projections)}")
