"""The port of a view store: tables of read models, and the place in the log each has reached.

Tables are described as data and queries are written in the SQL that both engines speak, so that
a read model exists once. A query names tables as ``{name}``; the engine fills in the generation.
"""

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]

REASON_CHARACTERS_MAX = 500
"""Longest text that is kept of why an event could not be projected."""


class Column(NamedTuple):
    """A column. ``integer`` has 64 bits; text is compared by its code points."""

    name: str
    kind: Literal["text", "integer"] = "text"
    nullable: bool = False


class Index(NamedTuple):
    """An index over columns. ``where`` limits it to some rows, by columns that it holds."""

    columns: tuple[str, ...]
    unique: bool = False
    where: str = ""


class Table(NamedTuple):
    """A table of a read model; ``key`` is its primary key and the order of its dump.

    ``clustered`` keeps rows in key order where the engine can: good for short rows.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()
    clustered: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns in their order, which is that of every row written."""
        return tuple(column.name for column in self.columns)


def text(*names: str) -> tuple[Column, ...]:
    """Text columns that are never null."""
    return tuple(Column(name) for name in names)


def integer(*names: str) -> tuple[Column, ...]:
    """Integer columns that are never null."""
    return tuple(Column(name, "integer") for name in names)


TRACKING = Table(
    "view_tracking",
    (
        *text("projection"),
        *integer("generation", "position", "live", "halted_position"),
        *text("halted_reason", "fingerprint"),
    ),
    key=("projection", "generation"),
)
"""One row per projection and generation; exactly one of a projection's is live (1)."""

PARKED = Table(
    "view_parked",
    (
        *text("projection"),
        *integer("generation", "position"),
        *text("tenant", "event_id", "topic", "reason"),
    ),
    key=("projection", "generation", "position"),
)
"""Events that a projection went past without projecting them."""


class Parked(NamedTuple):
    """An event that was passed over. ``reason``: class name and message of what it caused."""

    position: int
    tenant: str
    event_id: str
    topic: str
    reason: str


class Progress(NamedTuple):
    """How far a projection is. ``halted_at`` is the event it cannot pass, 0 while none."""

    projection: str
    generation: int
    position: int
    parked: int
    halted_at: int
    halted_reason: str


class Rejected(Exception):
    """The engine cannot hold these rows (a value out of range, a key twice); none was written."""


class Unavailable(Exception):
    """The store of the read models cannot be read now; it may be there again in a while."""


class NoSuchProjection(LookupError):
    """The store holds no tables of the projection."""


class Spec(NamedTuple):
    """What a store must know of a projection. ``version`` counts changes of what rows mean."""

    name: str
    version: int
    tables: tuple[Table, ...]

    @property
    def fingerprint(self) -> str:
        """Changes whenever the rows that an older program wrote cannot be used any more."""
        return hashlib.sha256(repr((self.version, self.tables)).encode()).hexdigest()[:16]


_NAME = re.compile(r"\{(\w+)\}")


def table_name(table: str, generation: int) -> str:
    """The name that a read model's table has in the store."""
    return f"view_{table}_g{generation}"


@lru_cache(maxsize=1024)
def resolved(sql: str, generation: int) -> str:
    """A query with the names of one generation's tables filled in."""
    return _NAME.sub(lambda found: table_name(found[1], generation), sql)


class Reader(ABC):
    """Reads of one generation of a projection's tables."""

    CONTAINS: ClassVar[str]
    """The function (text, part) that answers where the part begins, 0 where it does not."""

    generation: int

    @abstractmethod
    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of a query; ``?`` stands for a parameter."""

    @abstractmethod
    def scan(self, table: Table) -> Iterator[Row]:
        """Every row of a table in the order of its key, without holding them all."""


class Held(Reader):
    """One transaction that holds a projection's tracking row; no other pump gets in."""

    position: int
    """The last position scanned before this transaction."""

    halted_at: int
    halted_reason: str

    @abstractmethod
    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows. A key that exists is :class:`Rejected`."""

    @abstractmethod
    def upsert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows or replace those with the same key; no key may come twice."""

    @abstractmethod
    def update(self, table: Table, before: Sequence[Row], after: Sequence[Row]) -> None:
        """Change rows that are there, each into the one in the same place, which has its key.

        ``before`` is what stands now, so that an engine can leave alone what stays.
        """

    @abstractmethod
    def advance(self, position: int, parked: Sequence[Parked]) -> None:
        """Everything up to ``position`` is scanned; clears a halt."""

    @abstractmethod
    def halt(self, position: int, at: int, reason: str) -> None:
        """Everything up to ``position`` is scanned; the event ``at`` cannot be projected."""

    @abstractmethod
    def beside(self, generation: int) -> "Held":
        """The same transaction, on another generation. Raises :class:`NoSuchProjection`."""

    @abstractmethod
    def switch(self, generation: int) -> None:
        """Make another generation the live one, in this transaction; this one may be dropped."""


class Engine(ABC):
    """A view store. Safe to use from any thread; a pump needs no thread of its own."""

    @abstractmethod
    def ensure(self, spec: Spec) -> None:
        """Create the projection's first generation where there is none."""

    @abstractmethod
    def hold(
        self, projection: str, generation: int | None = None, *, wait: bool = False
    ) -> AbstractContextManager[Held | None]:
        """A transaction on a generation (the live one), None while another pump holds it.

        ``wait`` waits for the other instead, as long as the engine's lock time-out allows.
        Commits at the end of the block, rolls back when it raises. What the engine cannot hold
        comes out as :class:`Rejected`.
        """

    @abstractmethod
    def read(self, projection: str, question: Callable[[Reader], T]) -> T:
        """What a question answers about the live generation, in one snapshot.

        The question may be asked again when a rebuild switches meanwhile.
        """

    @abstractmethod
    def position(self, projection: str) -> int:
        """Last position scanned by the live generation."""

    @abstractmethod
    def fingerprint(self, projection: str) -> str:
        """The fingerprint of the spec that the live generation was made by."""

    @abstractmethod
    def progress(self, projection: str, generation: int | None = None) -> Progress:
        """How far a generation (the live one) is."""

    @abstractmethod
    def parked(self, projection: str, tenant: str, limit: int) -> list[Parked]:
        """A tenant's parked events of the live generation, newest first."""

    @abstractmethod
    def create(self, spec: Spec) -> int:
        """An empty generation beside the live one; leftovers of earlier ones are dropped."""

    @abstractmethod
    def drop(self, spec: Spec, generation: int) -> None:
        """Forget a generation that is not live, if it is there."""

    @abstractmethod
    def close(self) -> None:
        """Close every connection; nothing may be in use."""


def shortened(reason: str) -> str:
    """A reason as it is kept: bounded, and without the one character no engine stores."""
    return reason.replace("\x00", "")[:REASON_CHARACTERS_MAX]
