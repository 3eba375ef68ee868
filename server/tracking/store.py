"""The port of the tracking store: shipments that are watched, and what carriers told of them.

Input data, not events: a checkpoint is stored once per source id, together with what changes for
its shipment, in one transaction. Every shipment has a moment at which it must be looked at
(``due``, indexed), so that looking after a million costs by what is due.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from esm.detection.model import Checkpoint, Shipment

CHECKPOINTS_MAX = 500
"""Checkpoints of one shipment that detection looks at; one more is refused."""

PIECE_CHECKPOINTS_MAX = 10
"""Besides these, so many of each of its pieces: as many as a parcel has on an ordinary way."""

ENDS_MAX = 20
"""Further ones that a full shipment takes, and one more for each piece, of those that say that its
way is at its end: whatever was told so often, that a parcel arrived is not lost."""

PARTS_MAX = 200
"""Numbers of a shipment, and pieces of it."""


OPENED, MUTED, EXPECTED, REFUSED = "opened", "muted", "expected", "refused"
"""What became of a finding that was said: it went into a case, or why it did not."""


class Key(NamedTuple):
    """A shipment of a tenant."""

    tenant: str
    shipment_code: str


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A finding that became a signal, or could not; by the id under which it is accepted once.

    ``outcome`` is opened, muted, expected or refused, and ``case_id`` the case it went into.
    ``until`` is when it is said again, or its end, if no case took that; 0 for never.
    ``cleared``: the case was told that it does not stand any more.
    """

    source_id: str
    outcome: str
    case_id: str = ""
    until: int = 0
    cleared: bool = False


class KnownCase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A case about the shipment, opened at ``since`` (microseconds UTC, the store's own clock).

    ``moved`` is the last movement that the case was told of (a source id).
    """

    case_id: str
    piece: str = ""
    since: int = 0
    moved: str = ""


class Noted(NamedTuple):
    """What the log says of a case of an order.

    It was opened (``case``) about a shipment, took a finding (``source_id``), or was told that
    findings do not stand any more (``cleared``: their source ids).
    """

    tenant: str
    order_id: str
    case_id: str
    shipment_code: str = ""
    case: KnownCase | None = None
    source_id: str = ""
    cleared: tuple[str, ...] = ()


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """A shipment with its timeline, as one row holds it.

    ``timeline`` is kept by time, then by source id, though what is found hangs on no order.
    ``looked`` is the moment up to which it was looked after, ``due`` when it must be looked after
    again (microseconds UTC, 0 = never).
    ``revision`` grows with every change, so that nobody overwrites what he has not seen.
    """

    tenant: str
    shipment: Shipment
    timeline: tuple[Checkpoint, ...] = ()
    told: tuple[Told, ...] = ()
    cases: tuple[KnownCase, ...] = ()
    status: str = "registered"
    looked: int = 0
    due: int = 0
    revision: int = 0

    def checkpoint(self, source_id: str) -> Checkpoint | None:
        """The checkpoint of the timeline with a source id."""
        return next((each for each in self.timeline if each.source_id == source_id), None)


class Incoming(NamedTuple):
    """A checkpoint on its way in. It names the shipment by our ``shipment_code`` or by ``number``.

    ``detail`` is what is only shown: raw text, station, courier, signer. The store writes it only
    as the call's ``Seal`` gives it back.
    """

    checkpoint: Checkpoint
    shipment_code: str
    number: str
    carrier: str
    zoned: bool
    detail: bytes


class Arriving(NamedTuple):
    """What one message tells: its checkpoints are not late to each other."""

    tenant: str
    incoming: Sequence[Incoming]


class Recorded(NamedTuple):
    """What became of a checkpoint.

    It is ``new``, ``known`` (its source id was accepted before), ``unmatched`` (kept; no shipment
    has the number yet), or ``full``: not taken, the shipment has no room for
    such a one: CHECKPOINTS_MAX, PIECE_CHECKPOINTS_MAX of each piece, ENDS_MAX that end its way.
    """

    outcome: str
    shipment_code: str


class Detail(NamedTuple):
    """A stored checkpoint with what is only shown."""

    checkpoint: Checkpoint
    number: str
    carrier: str
    zoned: bool
    detail: bytes


Seal = Callable[[str, Sequence[tuple[str, bytes]]], Sequence[bytes]]
"""(tenant, details with the person behind each) -> what is written of them. Called once for a
tenant in a transaction, with what is new; it may be called again with the same."""

Settle = Callable[[Watched], Watched]
"""Gives a changed shipment its status and its moment (``due``). Pure; runs in the transaction."""


def as_given(tenant: str, details: Sequence[tuple[str, bytes]]) -> list[bytes]:
    """A ``Seal`` for what is sealed already."""
    del tenant
    return [detail for _, detail in details]


def person_of(order_id: str, handle: str) -> str:
    """The person whose key seals the details of a checkpoint, so that erasing them erases it.

    ``handle`` counts as long as no order is known: how the checkpoint names its shipment.
    """
    return f"order/{order_id}" if order_id else handle


def handle_of(shipment_code: str, number: str) -> str:
    """How a checkpoint names its shipment: by our code, else by a carrier's number."""
    return f"shipment/{shipment_code}" if shipment_code else f"number/{number}"


class TrackingUnavailable(Exception):
    """The store cannot be reached now; nothing was written. The same call may succeed later."""


class TrackingStore(ABC):
    """Safe to use from any thread. Every call is one transaction."""

    @abstractmethod
    def register(self, tenant: str, shipments: Sequence[Shipment], settle: Settle) -> list[str]:
        """Watch shipments, or change what is known of them; what is not given stays.

        Unmatched checkpoints of their numbers come in now. Answers ``registered``, ``changed``,
        ``unchanged``, ``order`` (the shipment code belongs to another order) or ``full`` (more
        than PARTS_MAX numbers or pieces); with the last two nothing changes. A shipment is looked
        after from the moment at which it was ``registered``.
        """

    def record(self, tenant: str, incoming: Sequence[Incoming], settle: Settle) -> list[Recorded]:
        """Store the checkpoints of one message, of which the details are sealed already."""
        (recorded,) = self.record_many([Arriving(tenant, incoming)], settle, as_given)
        return recorded

    @abstractmethod
    def record_many(
        self, batches: Sequence[Arriving], settle: Settle, seal: Seal
    ) -> list[list[Recorded]]:
        """Store checkpoints, each once per source id, and settle the shipments that got any.

        The batches come one after the other, all in one transaction.
        """

    @abstractmethod
    def due(self, before: int, limit: int) -> list[Key]:
        """Shipments whose moment is at or before ``before``, the earliest first."""

    @abstractmethod
    def load(self, keys: Sequence[Key]) -> list[Watched]:
        """Those of the shipments that are there, in no order."""

    @abstractmethod
    def put_back(self, watched: Sequence[Watched]) -> list[bool]:
        """Write told, cases, status, looked and due where the revision is still the one loaded."""

    @abstractmethod
    def of_orders(self, orders: Sequence[tuple[str, str]]) -> list[Watched]:
        """The shipments of orders, each given as (tenant, order id), in no order."""

    @abstractmethod
    def note(self, position: int, noted: Sequence[Noted], now: int) -> None:
        """Let shipments know what the log says up to ``position``; what it changes is due ``now``.

        A case of a shipment that is not watched is remembered for when it will be.
        """

    @abstractmethod
    def ruled_by(self, digest: str, now: int) -> int:
        """Say by which catalogue (SHA-256 in hex) shipments are settled; how many are due by that.

        By another one than before what is found may differ: then every shipment is due ``now``
        that is due later, or never and not at its end. What ended long ago is not judged again,
        nor is anything when the store was not told of any catalogue before.
        """

    @abstractmethod
    def followed(self) -> int:
        """The position of the log up to which shipments know what it says."""

    @abstractmethod
    def checkpoints(self, key: Key) -> list[Detail]:
        """All checkpoints of a shipment in occurred order."""

    @abstractmethod
    def watched(
        self,
        tenant: str,
        after: str,
        limit: int,
        *,
        due_before: int = 0,
        status: str = "",
        order_id: str = "",
        number: str = "",
    ) -> list[Watched]:
        """Shipments by shipment code, those behind ``after``; with what is given, only such.

        ``number`` is one of the carrier numbers that a shipment has or had.
        """

    @abstractmethod
    def counts(self, now: int) -> tuple[int, int]:
        """How many shipments are watched, and how many of them are due at ``now``."""

    @abstractmethod
    def load_bulk(self, watched: Iterable[Watched]) -> int:
        """Add shipments that are not there yet, unchecked and unsettled; how many they were.

        Their timelines come without what is only shown, and their source ids are accepted.
        """

    @abstractmethod
    def close(self) -> None:
        """Close every connection; nothing may be in use."""
