"""A server inside a command, for commands that need one for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, NamedTuple

import uvloop

from server.app import Running, running
from server.settings import Settings


class _Started(NamedTuple):
    server: Running
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event


@contextmanager
def hosted(settings: Settings) -> Iterator[Running]:
    """A server in a thread with a loop of its own, from start to orderly stop.

    Raises what :func:`server.app.running` raises.
    """
    started: Future[_Started] = Future()

    async def serve() -> None:
        async with running(settings) as server:
            stop = asyncio.Event()
            started.set_result(_Started(server, asyncio.get_running_loop(), stop))
            await stop.wait()

    with ThreadPoolExecutor(1, thread_name_prefix="server") as executor:
        ended: Future[None] = executor.submit(uvloop.run, serve())
        both: tuple[Future[Any], ...] = (started, ended)
        wait(both, return_when=FIRST_COMPLETED)
        if not started.done():
            ended.result()
        found = started.result(timeout=0)
        try:
            yield found.server
        finally:
            found.loop.call_soon_threadsafe(found.stop.set)
            ended.result()
