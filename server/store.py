"""Opens a store: event log, views and keys of one engine, held for one process on SQLite."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from secrets import token_hex
from types import TracebackType
from typing import Self
from uuid import uuid4

from projections.deadlines.projection import DeadlineProjection
from projections.deadlines.sql import SqlDeadlineView
from projections.engine import Engine
from projections.ledger.projection import LedgerProjection
from projections.ledger.sql import SqlLedgerView
from projections.postgres import PostgresEngine
from projections.pump import Projection
from projections.rebuild import prepare
from projections.sqlite import SqliteEngine
from projections.tickets.projection import TicketProjection
from projections.tickets.sql import SqlTicketView
from server.application import POSTGRES, SQLITE, Advances, ShipmentExceptions
from server.clock import Clock, FeedClock
from server.personal import KeyStore, Personal
from server.settings import ClockKind, Settings
from server.storage.folder import EVENTS_FILE, KEYS_FILE, TRACKING_FILE, StoreLock
from server.storage.keys_postgres import PostgresKeyStore
from server.storage.keys_sqlite import SqliteKeyStore
from server.storage.postgres import postgres_environment
from server.tracking.postgres import PostgresTrackingStore
from server.tracking.sqlite import SqliteTrackingStore
from server.tracking.store import TrackingStore

SECRET_BYTES = 32
VIEWS_FILE = "views.db"
PROJECTIONS: tuple[type[Projection], ...] = (
    TicketProjection,
    LedgerProjection,
    DeadlineProjection,
)
"""Every read model that is kept up to date; a new one is one more line."""


class UnsafeStore(RuntimeError):
    """The store may lose acknowledged commands; the text says by which settings."""


@dataclass(frozen=True, slots=True)
class Store:
    """An open store. ``shared``: other processes may write it too.

    ``feed`` is the clock of a store that follows a feed, None when it follows the wall clock.
    ``request_secret`` keys the fingerprints of requests. It stands in the log's own facts, so that
    a copy of the store without its keys still knows every request.
    """

    application: ShipmentExceptions
    views: Engine
    tracking: TrackingStore
    personal: Personal
    projections: tuple[Projection, ...]
    tickets: SqlTicketView
    ledger: SqlLedgerView
    deadlines: SqlDeadlineView
    engine: str
    shared: bool
    store_id: str
    request_secret: bytes = field(repr=False)
    clock_kind: ClockKind
    feed: FeedClock | None
    warnings: tuple[str, ...]
    _stack: ExitStack

    def close(self) -> None:
        """Close everything in the opposite order of opening."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_store(settings: Settings, clock: Clock) -> Store:
    """Open (or create) the store that the settings name.

    Raises :class:`~server.storage.folder.StoreLocked` when a live server holds it, and
    :class:`UnsafeStore` when it is not durable and ``unsafe`` was not asked for.
    """
    with ExitStack() as stack:
        if not settings.dsn:
            stack.enter_context(StoreLock(settings.data))
        application = open_log(settings, stack)
        keys = _open_keys(settings, stack)
        views = open_views(settings, stack)
        tracking = open_tracking(settings, stack)
        log = application.events_log
        problems = log.durability()
        if problems and not settings.unsafe:
            raise UnsafeStore(" ".join([*problems, "Start with --unsafe to accept that."]))
        meta = log.ensure_meta(
            {
                "store_id": str(uuid4()),
                "clock": settings.clock,
                "created": clock.now(),
                "request_secret": token_hex(SECRET_BYTES),
            }
        )
        projections = tuple(projection() for projection in PROJECTIONS)
        for projection in projections:
            prepare(views, projection, log.max_position)
        return Store(
            application=application,
            views=views,
            tracking=tracking,
            personal=Personal(keys),
            projections=projections,
            tickets=SqlTicketView(views),
            ledger=SqlLedgerView(views),
            deadlines=SqlDeadlineView(views),
            engine="postgresql" if settings.dsn else "sqlite",
            shared=bool(settings.dsn),
            store_id=meta["store_id"],
            request_secret=bytes.fromhex(meta["request_secret"]),
            clock_kind="feed" if meta["clock"] == "feed" else "wall",
            feed=_feed(application, shared=bool(settings.dsn)) if meta["clock"] == "feed" else None,
            warnings=(*problems, *log.warnings()),
            _stack=stack.pop_all(),
        )


def open_log(settings: Settings, stack: ExitStack) -> ShipmentExceptions:
    """The application on the event log that the settings name; it holds no folder."""
    if settings.dsn:
        environment = postgres_environment(settings.dsn, settings.schema)
        application = ShipmentExceptions({**environment, "PERSISTENCE_MODULE": POSTGRES})
    else:
        path = str(settings.data / EVENTS_FILE)
        application = ShipmentExceptions({"PERSISTENCE_MODULE": SQLITE, "SQLITE_DBNAME": path})
    stack.callback(application.close)
    return application


def open_views(settings: Settings, stack: ExitStack) -> Engine:
    """The views beside that log."""
    views: Engine
    if settings.dsn:
        views = PostgresEngine(settings.dsn, schema=settings.schema)
    else:
        views = SqliteEngine(settings.data / VIEWS_FILE)
    stack.callback(views.close)
    return views


def _feed(application: ShipmentExceptions, *, shared: bool) -> FeedClock:
    feed = FeedClock(Advances(application.events_log), shared=shared)
    feed.refresh()
    return feed


def open_tracking(settings: Settings, stack: ExitStack) -> TrackingStore:
    """The tracking store beside them."""
    tracking: TrackingStore
    if settings.dsn:
        tracking = PostgresTrackingStore(settings.dsn, settings.schema)
    else:
        tracking = SqliteTrackingStore(settings.data / TRACKING_FILE)
    stack.callback(tracking.close)
    return tracking


def _open_keys(settings: Settings, stack: ExitStack) -> KeyStore:
    keys: KeyStore
    if settings.dsn:
        keys = PostgresKeyStore(settings.dsn, settings.schema)
    else:
        keys = SqliteKeyStore(settings.data / KEYS_FILE)
    stack.callback(keys.close)
    return keys
