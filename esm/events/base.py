"""What every fact is made of: values, sealed text, subjects, checkpoints, sources."""

from typing import ClassVar, dataclass_transform

import msgspec

from esm.times import Instant


# Type checkers do not see what subclasses inherit from these options, so they are told.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A part of a fact. Fields at their default are left out of the stored bytes."""


class Event(Value, kw_only=True):
    """A fact. ``catalogue`` is the digest of the rules its decision was made by."""

    TOPIC: ClassVar[str]
    catalogue: str = ""


class Sealed(Value):
    """Personal text under a person's key; the domain passes it through unread (design §4)."""

    subject: str
    key_id: str
    box: bytes


class InvoiceLine(Value):
    """A line of a carrier's invoice."""

    carrier: str
    number: str
    line: str


class Subject(Value):
    """What a case is about: an order, a parcel of it (and a piece), or a line of an invoice."""

    order_id: str = ""
    shipment_code: str = ""
    piece: str = ""
    invoice_line: InvoiceLine | None = None


class Checkpoint(Value):
    """A tracking fact of a carrier: when it happened, when it came, and the raw words kept."""

    occurred: Instant
    received: Instant
    place: str = ""
    status: str = ""
    raw_code: str = ""
    raw_text: Sealed | None = None


class Source(Value):
    """Who reported the trouble. ``kind``: person, carrier, customer, platform or alert."""

    kind: str
    feed: str = ""
    source_id: str = ""
    raw_code: str = ""
    raw_text: Sealed | None = None
    occurred: Instant = ""
    received: Instant = ""
