"""What a tracking store is made of: rows, and the tables inside one transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from esm.detection.model import Checkpoint, Shipment
from server.tracking.store import Key, KnownCase, Told, Watched

FOLLOWED = "followed"
WATCHED = "watched"
NUMBERED = "numbered"
RULES = "rules"
"""Names of numbers that a store keeps: the position noted, how many shipments there are, how many
registrations told of numbers, and by which catalogue the rows were settled."""

SET_ASIDE = "full/"
"""Before the handle of a checkpoint that its shipment had no room for: nobody asks for it."""


class Body(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All that a shipment's row holds besides its columns; stored as JSON."""

    shipment: Shipment
    timeline: tuple[Checkpoint, ...]
    told: tuple[Told, ...]
    cases: tuple[KnownCase, ...]


class Row(msgspec.Struct, gc=False):
    """A shipment as a transaction has it.

    ``place`` is the engine's own number of the row, 0 for a new one; ``kept`` are the numbers of
    its checkpoints' rows; ``agenda`` is the moment under which the row is found when it is due.
    """

    watched: Watched
    kept: list[int]
    place: int = 0
    agenda: int = 0


def agenda_of(row: Row) -> int:
    """The moment (microseconds UTC, 0 = never) under which a row is found: at its due or before.

    Nearly every checkpoint puts the due moment off, and an index that followed would be written
    each time. So it follows when the moment comes sooner; a row that is found too soon is put off
    then, once for however many checkpoints.
    """
    due, looked = row.watched.due, row.watched.looked
    ahead = looked < row.agenda and (row.agenda <= due or not due)
    return row.agenda if ahead else due


class Registered(NamedTuple):
    """A number of a shipment, as a checkpoint finds it.

    ``ordinal`` grows with every registration that gave a shipment a number that it did not have, 0
    for what was loaded in bulk.
    """

    shipment_code: str
    order_id: str
    carrier: str
    piece: str
    leg: int
    since: int
    ordinal: int


class KeptDetail(NamedTuple):
    """A row of tracking_checkpoints: what a timeline does not hold."""

    place: int
    key: Key
    source_id: str
    received: int
    number: str
    carrier: str
    zoned: bool
    detail: bytes


class Unmatched(NamedTuple):
    """A checkpoint of which nobody knows the shipment yet, as it came; ``detail`` is sealed."""

    tenant: str
    checkpoint: Checkpoint
    shipment_code: str
    number: str
    carrier: str
    zoned: bool
    detail: bytes


Number = tuple[str, str]
"""(tenant, number)"""

SourceKey = tuple[str, str]
"""(tenant, source id)"""


class Selection(NamedTuple):
    """Which shipments ``watched`` gives: those behind ``after``, and only such as are given."""

    tenant: str
    after: str
    limit: int
    due_before: int
    status: str
    order_id: str
    number: str


def encoded(watched: Watched) -> bytes:
    """The body of a row, JSON in UTF-8.

    It stays bytes all the way: turning Chinese words into Python's texts and back costs more than
    reading the JSON.
    """
    return _ENCODER.encode(Body(watched.shipment, watched.timeline, watched.told, watched.cases))


def decoded(bodies: bytes) -> list[Body]:
    """Bodies that stand behind each other with commas between them."""
    return _BODIES.decode(b"[%b]" % bodies)


def decoded_kept(kept: str) -> list[list[int]]:
    """The same for the numbers of checkpoints' rows."""
    return _KEPT.decode(f"[{kept}]")


def encoded_kept(kept: Sequence[int]) -> str:
    """Numbers of checkpoints' rows."""
    return f"[{','.join(map(str, kept))}]"


def encoded_fact(fact: Checkpoint | KnownCase) -> str:
    """A part that stands in a row of its own."""
    return _ENCODER.encode(fact).decode()


def decoded_checkpoint(fact: str) -> Checkpoint:
    """A checkpoint that nobody knows the shipment of."""
    return _CHECKPOINT.decode(fact)


def decoded_case(fact: str) -> KnownCase:
    """A case of a shipment that is not watched yet."""
    return _CASE.decode(fact)


_ENCODER = msgspec.json.Encoder()
_BODIES = msgspec.json.Decoder(list[Body])
_KEPT = msgspec.json.Decoder(list[list[int]])
_CHECKPOINT = msgspec.json.Decoder(Checkpoint)
_CASE = msgspec.json.Decoder(KnownCase)


class Tables(ABC):
    """The tables inside one transaction. Every call takes many rows, for each one costs a step."""

    @abstractmethod
    def guard(self) -> None:
        """From here to the end nobody else registers, or keeps what is unmatched."""

    @abstractmethod
    def registrations(self, numbers: Collection[Number]) -> dict[Number, list[Registered]]:
        """Every shipment that has or had one of the numbers."""

    @abstractmethod
    def orders(self, keys: Collection[Key]) -> dict[Key, str]:
        """The orders of those shipments that are watched."""

    @abstractmethod
    def claim(self, sources: Mapping[SourceKey, str]) -> dict[SourceKey, str]:
        """Keep source ids with their shipment code; answers those that were kept before."""

    @abstractmethod
    def unclaim(self, sources: Collection[SourceKey]) -> None:
        """Let go of source ids that this transaction kept."""

    @abstractmethod
    def reclaim(self, sources: Mapping[SourceKey, str]) -> None:
        """Change the shipment code of source ids."""

    @abstractmethod
    def rows(self, keys: Collection[Key], *, lock: bool) -> dict[Key, Row]:
        """Shipments; with ``lock`` nobody else changes them before the end."""

    @abstractmethod
    def of_orders(self, orders: Collection[tuple[str, str]], *, lock: bool) -> list[Row]:
        """The same for the shipments of orders, each given as (tenant, order id)."""

    @abstractmethod
    def write(self, rows: Collection[Row]) -> None:
        """Write new shipments, and those of ``rows``, as they are now."""

    @abstractmethod
    def add_numbers(self, tenant: str, rows: Collection[Row], ordinal: int) -> None:
        """Write the numbers of shipments: with the ordinal those of the first, and so on.

        One that is known keeps its own.
        """

    @abstractmethod
    def places(self, count: int) -> Sequence[int]:
        """Numbers for rows of checkpoints, growing."""

    @abstractmethod
    def keep(self, details: Collection[KeptDetail]) -> None:
        """Write rows of checkpoints."""

    @abstractmethod
    def details(self, received: Collection[int], places: Collection[int]) -> list[KeptDetail]:
        """Rows of checkpoints that came at one of these times."""

    @abstractmethod
    def keep_unmatched(self, unmatched: Collection[Unmatched]) -> None:
        """Keep checkpoints that nobody knows the shipment of."""

    @abstractmethod
    def unmatched(self, tenant: str, handles: Collection[str]) -> list[Unmatched]:
        """Those that name their shipment by one of the handles."""

    @abstractmethod
    def drop_unmatched(self, unmatched: Collection[Unmatched]) -> None:
        """They have their shipment now."""

    @abstractmethod
    def set_aside(self, unmatched: Collection[Unmatched]) -> None:
        """Their shipment has no room: they stay, and ``unmatched`` finds them no more."""

    @abstractmethod
    def rouse(self, now: int, behind: Key, limit: int) -> tuple[int, Key | None]:
        """Make due at ``now`` what is due later, or never and is not at its end.

        Of the shipments behind a key, in the order of keys, so many are looked at. Gives how many
        were roused, and the last one looked at: None when there was none.
        """

    @abstractmethod
    def add_cases(self, cases: Collection[tuple[Key, KnownCase]]) -> None:
        """Remember cases of shipments that are not watched."""

    @abstractmethod
    def take_cases(self, keys: Collection[Key]) -> dict[Key, list[KnownCase]]:
        """Cases of shipments that are watched from now on; they are remembered no more."""

    @abstractmethod
    def number(self, name: str) -> int:
        """A number that the store keeps, 0 at first."""

    @abstractmethod
    def set_number(self, name: str, value: int) -> None:
        """Keep a number."""

    @abstractmethod
    def agenda(self, before: int, limit: int) -> list[tuple[Key, bool]]:
        """Shipments found at ``before`` or sooner, the earliest first; True for one too soon."""

    @abstractmethod
    def put_off(self, keys: Collection[Key]) -> None:
        """Shipments that were found too soon are found when they are due."""

    @abstractmethod
    def due_count(self, now: int) -> int:
        """How many are due."""

    @abstractmethod
    def select(self, selection: Selection) -> list[Watched]:
        """Shipments by shipment code."""
