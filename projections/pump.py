"""Carries events from the log into a projection: batch by batch, each exactly once."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Protocol

import msgspec

from esm import codec
from esm.events import Event, Recorded, UnknownEvent
from esm.ids import event_id
from projections.engine import Engine, Held, Parked, Progress, Rejected, Spec, Table, shortened

BATCH_EVENTS_MAX = 500
"""Most events that one transaction projects."""

APPLY_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
)
"""What applying an event may raise because of the event, beside :class:`Poison`."""


class LogReader(Protocol):
    """The log as a pump sees it."""

    def read(self, after: int, limit: int) -> Sequence[Recorded]:
        """Events with a higher position, at most ``limit``, in log order.

        One that cannot be decoded comes with an ``UnknownEvent``, see :func:`decoded`.
        """
        ...


class Poison(Exception):
    """An event that cannot be projected; the text says why."""


class Session(ABC):
    """One batch of a projection: applied in memory, then written at once."""

    @abstractmethod
    def apply(self, recorded: Recorded) -> None:
        """Take an event in. One that raises leaves nothing behind."""

    @abstractmethod
    def write(self) -> None:
        """Write what the events of the batch changed."""


class Projection(ABC):
    """A read model: its tables and how a batch of events changes them."""

    NAME: ClassVar[str]
    VERSION: ClassVar[int] = 1
    """To be raised when the same events make other rows than before."""
    TABLES: ClassVar[tuple[Table, ...]]
    HALTS: ClassVar[bool]
    """Whether it stops at a poison event; else the event is parked and the rest goes on."""

    @property
    def spec(self) -> Spec:
        """What the store must know."""
        return Spec(self.NAME, self.VERSION, self.TABLES)

    @abstractmethod
    def begin(self, held: Held, events: Sequence[Recorded]) -> Session:
        """A session for these events; it may read what it will need."""


class Pump:
    """Runs one projection. Any number may run at once: the one that gets the row leads."""

    def __init__(
        self,
        engine: Engine,
        projection: Projection,
        log: LogReader,
        *,
        generation: int | None = None,
    ) -> None:
        self._engine = engine
        self._projection = projection
        self._log = log
        self._generation = generation
        self._tried_after = -1
        self.position = 0
        """Last position that this pump saw scanned, by itself or by another one."""
        self.halted = False
        """Whether the last batch began with an event that the projection cannot pass."""

    def run_once(self, limit: int = BATCH_EVENTS_MAX) -> int:
        """Project at most ``limit`` further events in one transaction; how many were scanned.

        0 means: nothing new, another pump leads, or a halt (see :meth:`progress`); a halted
        projection tries its event again at every call. When the store cannot hold a row, the
        batch is done again event by event to find the one to blame.
        """
        try:
            return self._step(limit)
        except Rejected:
            return self._one_by_one(limit)

    def progress(self) -> Progress:
        """How far the live generation is."""
        return self._engine.progress(self._projection.NAME)

    def _step(self, limit: int, blamed: Rejected | None = None) -> int:
        with self._engine.hold(self._projection.NAME, self._generation) as held:
            if held is None:
                return 0
            if held.position != self._tried_after:
                blamed = None
            self._tried_after = held.position
            events = self._log.read(held.position, limit)
            scanned = project(self._projection, held, events, blamed)
            self.halted = bool(events) and not scanned
            self.position = events[scanned - 1].position if scanned else held.position
        return scanned

    def _one_by_one(self, limit: int) -> int:
        scanned = 0
        while scanned < limit:
            try:
                count = self._step(1)
            except Rejected as rejected:
                count = self._step(1, rejected)
            if not count:
                break
            scanned += count
        return scanned


def project(
    projection: Projection,
    held: Held,
    events: Sequence[Recorded],
    blamed: Rejected | None = None,
) -> int:
    """Project events inside a held transaction; how many were scanned.

    ``blamed`` says that the store refused what these events would write.
    """
    if not events:
        return 0
    session = projection.begin(held, events)
    position = held.position
    scanned = 0
    parked: list[Parked] = []
    for recorded in events:
        try:
            if blamed is not None:
                raise blamed
            session.apply(recorded)
        except (Poison, Rejected, *APPLY_ERRORS) as error:
            reason = shortened(f"{type(error).__name__}: {error}")
            if projection.HALTS:
                _halt(held, session, position, recorded.position, reason)
                return scanned
            parked.append(_parked(recorded, reason))
        position = recorded.position
        scanned += 1
    session.write()
    held.advance(position, parked)
    return scanned


def _parked(recorded: Recorded, reason: str) -> Parked:
    event = event_id(recorded.aggregate_id, recorded.version)
    return Parked(recorded.position, recorded.tenant, event, recorded.topic, reason)


def _halt(held: Held, session: Session, position: int, at: int, reason: str) -> None:
    session.write()
    if (position, at, reason) != (held.position, held.halted_at, held.halted_reason):
        held.halt(position, at, reason)


def known(recorded: Recorded) -> Event:
    """The event, or :class:`Poison` that says why it could not be decoded."""
    event = recorded.event
    if not isinstance(event, UnknownEvent):
        return event
    try:
        codec.decode(recorded.topic, recorded.payload)
    except msgspec.MsgspecError as error:
        raise Poison(f"bad payload of {recorded.topic}: {error}") from error
    raise Poison(f"unknown topic {recorded.topic}")


def decoded(topic: str, payload: bytes) -> Event | UnknownEvent:
    """The event behind stored bytes for a :class:`LogReader`; ``UnknownEvent`` for bad ones."""
    try:
        return codec.decode(topic, payload)
    except msgspec.MsgspecError:
        return UnknownEvent(topic, payload)
