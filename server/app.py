"""The composition root: opens a store, builds the server around it, closes it in order."""

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from esm import catalog
from esm.catalog import Catalogue
from projections.pump import Pump
from server.administration import Administration
from server.application import LogReader
from server.clock import Clock
from server.committer import Committer
from server.consistency import LOG, Tokens
from server.edge import REQUEST_BYTES_MAX, guarded
from server.health import Health
from server.history import LogHistory
from server.services import add_all
from server.services.context import Services
from server.settings import Settings
from server.states import States
from server.store import Store, open_store
from server.submission import Submissions
from server.tracking.detecting import detecting
from server.waiting import Positions
from server.webhooks.counting import Counts
from server.webhooks.serving import taking_webhooks
from server.workers.beside import ProjectorsBeside
from server.workers.lag import watch_lag
from server.workers.projector import Projector, SamePage
from server.writer import Writer

READ_THREADS: Final = 4
GRACE_SECONDS: Final = 10.0
MESSAGE_BYTES_MAX: Final = 4 * REQUEST_BYTES_MAX
SERVER_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_concurrent_streams", 200),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
)

_log = logging.getLogger(__name__)


class AddressRefused(ValueError):
    """The server speaks clear text, so it listens on loopback unless told ``--insecure``."""


class AddressUnusable(ValueError):
    """The address is taken, or cannot be listened on."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. ``address`` has the port that was taken when 0 was asked for.

    ``webhooks`` is where messages of vendors are taken, "" for nowhere.
    """

    address: str
    store: Store
    writer: Writer
    stopping: asyncio.Event
    webhooks: str


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """A server from opening the store to closing it; answers when the block begins.

    Raises :class:`AddressRefused`, :class:`AddressUnusable`,
    :class:`~server.webhooks.setup.WebhooksRefused`, :class:`~esm.catalog.CatalogueError` and what
    :func:`~server.store.open_store` raises.
    """
    check_address(settings)
    clock = Clock()
    catalogue = catalog.load(settings.catalog)
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    messages = Counts()
    with (
        open_store(settings, clock) as store,
        ThreadPoolExecutor(READ_THREADS, thread_name_prefix="read") as executor,
    ):
        for warning in store.warnings:
            _log.warning(warning)
        committer = Committer(store.application.events_log, clock, loop)
        writer = _writer(store, catalogue, clock, committer, executor)
        positions = Positions(loop, lambda name: _position(store, name))
        projectors = _projectors(settings, store, positions, committer)
        async with detecting(store, writer, catalogue, clock) as watching:
            services = Services(
                writer=writer,
                tracking=watching.tracking,
                outlook=watching.outlook,
                history=LogHistory(store.application, executor),
                tickets=store.tickets,
                ledger=store.ledger,
                deadlines=store.deadlines,
                waiter=positions,
                admin=Administration(
                    store,
                    catalogue.digest,
                    executor,
                    writer=writer,
                    clock=store.feed or clock,
                    timekeeper=watching.timekeeper,
                    counts=store.tracking.counts,
                    unknown_codes=watching.tracking.unknown_codes,
                    messages=messages.all,
                ),
                catalogue=catalogue,
                tokens=Tokens(store.store_id),
                opener=store.personal.shown,
                stopping=stopping,
            )
            server, address, servicer = await _listen(settings, services)
            projectors.start()
            watching.timekeeper.start()
            watches = (
                asyncio.create_task(watch_lag(services.admin.status, servicer.say)),
                asyncio.create_task(_unfit_after(committer.died, servicer)),
            )
            try:
                async with taking_webhooks(settings, services, clock, messages) as webhooks:
                    yield Running(address, store, writer, stopping, webhooks)
            finally:
                for watch in watches:
                    watch.cancel()
                await servicer.enter_graceful_shutdown()
                stopping.set()
                await server.stop(GRACE_SECONDS)
                await watching.timekeeper.stop()
                await asyncio.to_thread(projectors.stop)
                await asyncio.to_thread(committer.close)


def _writer(
    store: Store, catalogue: Catalogue, clock: Clock, committer: Committer, executor: Executor
) -> Writer:
    states = States(store.application, store.personal, executor, shared=store.shared)
    return Writer(
        states=states,
        submissions=Submissions(store.application, catalogue, states, secret=store.request_secret),
        committer=committer,
        catalogue=catalogue,
        clock=clock,
        feed=store.feed,
    )


def _projectors(
    settings: Settings, store: Store, positions: Positions, committer: Committer
) -> Projector | ProjectorsBeside:
    """What keeps the read models up to date: a process beside this one, or a thread in it."""
    if settings.beside:
        beside = ProjectorsBeside(settings, positions.advanced)
        committer.written = beside.ping
        return beside
    log = store.application.events_log
    page = SamePage(LogReader(log))
    pumps = {p.NAME: Pump(store.views, p, page) for p in store.projections}
    return Projector(pumps, log.watch, positions.advanced)


async def _listen(settings: Settings, services: Services) -> tuple[grpc.aio.Server, str, Health]:
    server = grpc.aio.server(options=SERVER_OPTIONS)
    edge = guarded(server)
    names = add_all(services, edge)
    servicer = Health(names)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, edge)
    if settings.reflection:
        shown = [*names, health.SERVICE_NAME, reflection.SERVICE_NAME]
        asynchronous: Any = reflection  # whose stubs do not know that it has this half
        described = asynchronous.aio.ReflectionServicer(shown)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(described, edge)
    try:
        port = server.add_insecure_port(settings.address)
    except RuntimeError:
        raise AddressUnusable(
            f"cannot listen on {settings.address}: another process does, or it is no address here"
        ) from None
    await server.start()
    for name in names:
        await servicer.say(name, fit=True)
    host = settings.address.rpartition(":")[0]
    return server, f"{host}:{port}", servicer


def check_address(settings: Settings) -> None:
    """Raises :class:`AddressRefused` for an address beyond loopback without ``--insecure``."""
    for address in filter(None, (settings.address, settings.webhooks)):
        host = address.rpartition(":")[0].strip("[]")
        try:
            loopback = ipaddress.ip_address(host).is_loopback
        except ValueError:
            loopback = host == "localhost"
        if not loopback and not settings.insecure:
            raise AddressRefused(
                f"{address} is not a loopback address and nothing is encrypted yet; "
                "listen on 127.0.0.1, or start with --insecure"
            )


async def _unfit_after(died: asyncio.Event, servicer: Health) -> None:
    """Without its writer nothing here is fit any more; no later word makes it so."""
    await died.wait()
    await servicer.enter_graceful_shutdown()


def _position(store: Store, name: str) -> int:
    if name == LOG:
        return store.application.events_log.max_position()
    return store.views.position(name)
