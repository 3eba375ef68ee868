"""What detection looks at, and what it finds. Times are whole microseconds UTC since 1970, 0 none.

These structs are stored with a watched shipment, so a new field has a default and comes last.
"""

from typing import dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of the parts of a shipment. Fields at their default are left out of stored bytes."""


class Number(Part):
    """A carrier's number of a shipment, or of one ``piece`` of it, valid from ``since`` on.

    Carriers use numbers again, and a parcel gets another one when it is handed over: ``leg``
    counts from 1, the last one is the last mile.
    """

    number: str
    carrier: str = ""
    piece: str = ""
    leg: int = 1
    since: int = 0


class Shipment(Part):
    """What we know of a shipment without any carrier. ``shipment_code`` is our own parcel id.

    ``labelled`` is when it was marked as shipped (or may be shipped: approved), ``handed_over``
    when the warehouse gave it to the carrier, ``promised`` the latest time that the customer was
    told. ``service`` may be one of the catalogue's; ``destination`` is a place as carriers name
    it, "" when wrong places are not to be looked for. ``pieces`` are names, none for one parcel.
    """

    order_id: str
    shipment_code: str
    carrier: str = ""
    service: str = ""
    lane: str = ""
    destination: str = ""
    untracked: bool = False
    registered: int = 0
    labelled: int = 0
    handed_over: int = 0
    promised: int = 0
    numbers: tuple[Number, ...] = ()
    pieces: tuple[str, ...] = ()


class Checkpoint(Part):
    """A tracking fact, as far as detection needs it.

    ``source_id`` is unique in the tenant: the feed, "/" and the feed's own id. ``status``,
    ``opens`` (code of the case that it opens by itself), ``clears`` and ``attempt`` (a delivery was
    really tried) were read from the catalogue when it came. ``node`` names the place where it was
    scanned, "" where that is not told. ``retracts`` are source ids declared wrong. ``late``: when
    it came, a newer fact of the parcel was known.
    """

    source_id: str
    occurred: int
    received: int
    feed: str
    status: str
    raw_code: str = ""
    place: str = ""
    node: str = ""
    piece: str = ""
    leg: int = 0
    opens: str = ""
    clears: tuple[str, ...] = ()
    attempt: bool = False
    retracts: tuple[str, ...] = ()
    late: bool = False
    future: bool = False


class Finding(Part):
    """A deviation. Its ``key`` is the same whenever the same facts are looked at.

    ``at`` is when its threshold was reached, or the checkpoint occurred (came, when its time lay
    in the future). ``anchor`` is the source id of the checkpoint that it hangs on, or a fact of the
    shipment with its moment ("promised@1772442000000000": another promise is another finding).
    ``evidence`` are the source ids of what was seen, or the name of the fact. ``stage`` is that of
    a timed rule, "" for a rule on events; ``next_at`` when its next stage is due. ``ended`` is when
    it ceased to stand, 0 while it stands; ``ended_by`` the source id, or the name of the fact, that
    ended it. ``piece`` is "" for one of the whole shipment.
    """

    rule: str
    version: int
    code: str
    anchor: str
    at: int
    stage: str = ""
    piece: str = ""
    evidence: tuple[str, ...] = ()
    next_at: int = 0
    ended: int = 0
    ended_by: str = ""

    @property
    def key(self) -> str:
        """Names the finding within its shipment, for ever."""
        return f"{self.rule}/{self.piece}/{self.anchor}/{self.stage}"


class Outlook(Part):
    """A shipment at a moment: where it stands, what is wrong, and when that may change by itself.

    ``findings`` are in the order of ``at``, those that ended included. ``due`` is the next moment
    later than the one looked at, 0 for none. ``newest`` is the source id of the last effective
    checkpoint, ``status`` that of the shipment, ``pieces`` that of each piece. ``retracted`` are
    the source ids of what was declared wrong, which nothing else regards.
    """

    status: str
    findings: tuple[Finding, ...] = ()
    due: int = 0
    newest: str = ""
    pieces: dict[str, str] = {}
    retracted: frozenset[str] = frozenset()
