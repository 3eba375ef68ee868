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


class Alert(Value):
    """The rule behind a source, and what it saw.

    ``at`` is when its threshold was reached, ``next_at`` when its next stage is due, "" for none.
    ``stage`` is that of a timed rule: at_risk, breached or serious; "" for a rule on events.
    ``evidence`` are the source ids of the checkpoints, or the names of the shipment's own facts.
    """

    rule: str
    version: int
    stage: str
    at: Instant
    next_at: Instant = ""
    evidence: tuple[str, ...] = ()


class Source(Value):
    """Who reported the trouble. ``kind``: person, carrier, customer, platform or alert.

    ``alert`` is the rule that found it. ``candidate`` is the code that a raw code under review may
    mean. ``report`` is the template of a customer's report, ``fields`` its answers: sealed JSON,
    an object of lists of texts by the field's name.
    """

    kind: str
    feed: str = ""
    source_id: str = ""
    raw_code: str = ""
    raw_text: Sealed | None = None
    occurred: Instant = ""
    received: Instant = ""
    alert: Alert | None = None
    candidate: str = ""
    report: str = ""
    fields: Sealed | None = None
