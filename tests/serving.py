"""A real server for tests: runs in a thread of this process, on a port of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from shipment_exception.v1 import (
    admin_service_pb2_grpc,
    exception_service_pb2_grpc,
    history_service_pb2_grpc,
    ledger_service_pb2_grpc,
    order_service_pb2_grpc,
    ticket_service_pb2_grpc,
    tracking_service_pb2_grpc,
)

from server.app import Running, running
from server.settings import Settings

START_SECONDS_MAX = 30


@dataclass(frozen=True)
class Client:
    """Blocking stubs of every service on one channel, for one tenant and actor."""

    exceptions: Any
    orders: Any
    tickets: Any
    ledger: Any
    history: Any
    tracking: Any
    admin: Any
    address: str


@contextmanager
def serving(settings: Settings) -> Iterator[Running]:
    """A server in a thread with an event loop of its own, from start to orderly stop."""
    started: threading.Event = threading.Event()
    found: dict[str, Any] = {}

    async def main() -> None:
        found["stop"] = asyncio.Event()
        found["loop"] = asyncio.get_running_loop()
        async with running(settings) as server:
            found["server"] = server
            started.set()
            await found["stop"].wait()

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            found["error"] = error
            raise
        finally:
            started.set()

    thread = threading.Thread(target=run, name="server", daemon=True)
    thread.start()
    if not started.wait(START_SECONDS_MAX) or "server" not in found:
        raise RuntimeError("the server did not start") from found.get("error")
    try:
        yield found["server"]
    finally:
        found["loop"].call_soon_threadsafe(found["stop"].set)
        thread.join(START_SECONDS_MAX)


@contextmanager
def client(address: str, *, tenant: str = "", actor: str = "") -> Iterator[Client]:
    """Stubs that send the tenant and the actor with every call."""
    metadata = [(k, v) for k, v in (("esm-tenant", tenant), ("esm-actor", actor)) if v]
    with grpc.insecure_channel(address) as plain:
        channel = grpc.intercept_channel(plain, _WithMetadata(metadata))
        yield Client(
            exceptions=exception_service_pb2_grpc.ExceptionServiceStub(channel),
            orders=order_service_pb2_grpc.OrderServiceStub(channel),
            tickets=ticket_service_pb2_grpc.TicketServiceStub(channel),
            ledger=ledger_service_pb2_grpc.LedgerServiceStub(channel),
            history=history_service_pb2_grpc.HistoryServiceStub(channel),
            tracking=tracking_service_pb2_grpc.TrackingServiceStub(channel),
            admin=admin_service_pb2_grpc.AdminServiceStub(channel),
            address=address,
        )


def sqlite_settings(folder: Path, **more: Any) -> Settings:
    """Settings of a server on an embedded store, on a free port."""
    return Settings(address="127.0.0.1:0", data=folder, **more)


def postgres_settings(dsn: str, schema: str, **more: Any) -> Settings:
    """Settings of a server on a PostgreSQL schema, on a free port."""
    return Settings(address="127.0.0.1:0", dsn=dsn, schema=schema, **more)


class _WithMetadata(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[type-arg] # generic in its stubs only
    grpc.UnaryStreamClientInterceptor,  # type: ignore[type-arg] # generic in its stubs only
    grpc.StreamStreamClientInterceptor,  # type: ignore[type-arg] # generic in its stubs only
):
    def __init__(self, metadata: list[tuple[str, str]]) -> None:
        self._metadata = metadata

    def _details(self, details: Any) -> Any:
        return details._replace(metadata=[*(details.metadata or ()), *self._metadata])

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(self._details(details), request)

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(self._details(details), request)

    def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        return continuation(self._details(details), requests)
