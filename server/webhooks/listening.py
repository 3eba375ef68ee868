"""Listens for webhooks in the server's own event loop. Needs the extra ``webhooks``."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from server.webhooks.setup import WebhooksRefused

HEAD_SECONDS: Final = 10.0
"""How long a connection may stay without a whole head of a request."""

HEAD_BYTES_MAX: Final = 16 * 1024
CONNECTIONS_MAX: Final = 256
"""Connections that are open at once; one more is closed."""

STOP_SECONDS: Final = 5
STARTED_POLL_SECONDS: Final = 0.01


@asynccontextmanager
async def listening(address: str, app: Any) -> AsyncIterator[str]:
    """An ASGI app that answers at ``host:port``; gives the address with the port that was taken.

    Raises :class:`WebhooksRefused` when it cannot be listened on. Messages that are being
    answered when the block ends are finished, within some seconds.
    """
    host, _, port = address.rpartition(":")
    try:
        bound = _bound(host.strip("[]"), int(port))
    except OSError as problem:
        raise WebhooksRefused(
            f"cannot listen for webhooks on {address}: {problem.strerror}"
        ) from None
    server = _Server(_config(app))
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        while not server.started and not serving.done():
            await asyncio.sleep(STARTED_POLL_SECONDS)
        yield f"{host}:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    found = socket.socket(family, kind, protocol)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(where)
    except OSError:
        found.close()
        raise
    return found


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
    )


class _Server(uvicorn.Server):
    """Leaves signals alone: they are the program's, which stops this server itself."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class _Connection(H11Protocol):
    """A connection that is closed when it does not say what it wants."""

    _headless: asyncio.TimerHandle | None = None

    def connection_made(
        self,
        transport: asyncio.Transport,  # type: ignore[override] # as its base has it
    ) -> None:
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
            return
        self._headless = self.loop.call_later(HEAD_SECONDS, self._close_headless)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._headless is not None:
            self._headless.cancel()
        super().connection_lost(exc)

    def _close_headless(self) -> None:
        if self.cycle is None:
            self.transport.abort()
