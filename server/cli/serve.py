"""``esm serve``: a server in the foreground until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from typing import Annotated

import typer

from server.cli.output import fail, put_json, say
from server.cli.stores import (
    Catalog,
    Clock,
    ClockChoice,
    Data,
    Dsn,
    OtherClock,
    Schema,
    store_problems,
    store_settings,
)
from server.settings import Settings

PORT_MAX = 65_535

SWITCH_SECONDS = 0.002
"""How long a thread may keep the interpreter: SQLite gives it up at every statement."""

COLLECT_AFTER = (20_000, 20, 100)
"""When garbage is looked for, as :func:`gc.set_threshold` takes it: thousands of cases are held,
and each full look goes through all of them (a tenth of the commands a second by default)."""


def serve(
    *,
    data: Data = None,
    dsn: Dsn = "",
    schema: Schema = "",
    address: Annotated[str, typer.Option(help="Where to listen; port 0 takes a free one.")] = "",
    clock: Clock = None,
    catalog: Catalog = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond loopback in clear text.")
    ] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Accept a store that may lose commands.")
    ] = False,
    reflection: Annotated[
        bool, typer.Option("--reflection/--no-reflection", help="Let clients ask for the API.")
    ] = True,
    webhooks: Annotated[
        str, typer.Option(help="Where to take messages of vendors; nowhere when not said.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Say it in JSON.")] = False,
) -> None:
    """Run a server until SIGTERM or SIGINT; prints one line when it answers."""
    import uvloop  # noqa: PLC0415 # only servers need it

    settings = store_settings(
        data,
        dsn,
        schema,
        address=address or None,
        clock=clock.value if clock else None,
        catalog=catalog,
        insecure=insecure,
        unsafe=unsafe,
        reflection=reflection,
        beside=True,
        webhooks=webhooks or None,
    )
    check_port(settings.address)
    if settings.webhooks:
        check_port(settings.webhooks)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(*COLLECT_AFTER)
    with store_problems():
        uvloop.run(_until_stopped(settings, clock, as_json=as_json))


def check_port(address: str) -> None:
    """End the command when an address is not ``host:port``: grpc would take another port."""
    port = address.rpartition(":")[2]
    if ":" not in address or not port.isascii() or not port.isdigit() or int(port) > PORT_MAX:
        fail(f"{address!r} is not an address; write it as host:port, for example 127.0.0.1:50051")


async def _until_stopped(settings: Settings, clock: ClockChoice | None, *, as_json: bool) -> None:
    from server.app import running  # noqa: PLC0415 # pulls in the whole server

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings) as server:
        store = server.store
        if clock is not None and clock.value != store.clock_kind:
            raise OtherClock(
                f"the store follows a {store.clock_kind} clock since it was made; "
                f"--clock {clock.value} needs a new one"
            )
        ready = {
            "address": server.address,
            "engine": store.engine,
            "store": store.store_id,
            "clock": store.clock_kind,
            **({"webhooks": server.webhooks} if server.webhooks else {}),
        }
        if as_json:
            put_json(ready)
        else:
            say("ready: " + ", ".join(f"{name} {value}" for name, value in ready.items()))
        await stop.wait()
