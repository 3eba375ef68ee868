"""A server inside a command, for commands that need one for a moment."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

from server.app import Running, running
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class _Started:
    server: Running
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event


@contextmanager
def hosted(settings: Settings) -> Iterator[Running]:
    """A server in a thread with a loop of its own, from start to orderly stop.

    Raises what :func:`server.app.running` raises.
    """
    import uvloop  # noqa: PLC0415 # only servers need it

    started: Future[_Started] = Future()

    async def serve() -> None:
        async with running(settings) as server:
            stop = asyncio.Event()
            started.set_result(_Started(server, asyncio.get_running_loop(), stop))
            await stop.wait()

    def run() -> None:
        try:
            uvloop.run(serve())
        except BaseException as problem:
            if started.done():
                raise
            started.set_exception(problem)

    thread = threading.Thread(target=run, name="server")
    thread.start()
    try:
        found = started.result()
    except BaseException:
        thread.join()
        raise
    try:
        yield found.server
    finally:
        found.loop.call_soon_threadsafe(found.stop.set)
        thread.join()
