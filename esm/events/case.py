"""Facts of a case: detection, handling, and its end."""

from esm.events.base import Checkpoint, Event, Sealed, Source, Subject
from esm.times import Instant


class Detected(Event):
    """A signal opened the case. ``none_yet``: no checkpoint existed when we looked then."""

    TOPIC = "exception.detected.v1"
    subject: Subject
    code: str
    family: str
    phase: str
    occurrence: int
    stage: str
    priority: str
    team: str
    person: str
    source: Source
    checkpoint: Checkpoint | None = None
    none_yet: Instant = ""
    failing_check: str = ""
    raised_by: str = ""


class SourceJoined(Event):
    """One more signal about the same trouble; it opened nothing."""

    TOPIC = "exception.source_joined.v1"
    source: Source
    checkpoint: Checkpoint | None = None
    code: str = ""


class SignalCleared(Event):
    """What some sources reported does not stand any more; ``checkpoint`` is what ended it.

    ``undone``: it never was, since the fact behind it was corrected.
    """

    TOPIC = "exception.signal_cleared.v1"
    source_ids: tuple[str, ...]
    checkpoint: Checkpoint | None = None
    undone: bool = False


class MovementRecorded(Event):
    """The parcel moved, or was delivered, after a refund, a reshipment or a claim."""

    TOPIC = "exception.movement_recorded.v1"
    checkpoint: Checkpoint
    delivered: bool = False


class Escalated(Event):
    """Accepted into work, or the response level moved. Level 0 before means: not in work yet."""

    TOPIC = "exception.escalated.v1"
    from_level: int
    level: int
    team: str
    owner: str
    state: str
    by_hand: bool = False
    reason: Sealed | None = None


class Assigned(Event):
    """Owner or owning team changed. An owner ``queue:<team>`` is nobody yet."""

    TOPIC = "exception.assigned.v1"
    from_owner: str
    owner: str
    from_team: str
    team: str
    reason: Sealed | None = None


class Reclassified(Event):
    """The current code changed inside its family; the id and the owner stay."""

    TOPIC = "exception.reclassified.v1"
    from_code: str
    code: str
    phase: str
    priority: str
    reason: Sealed | None = None
    evidence: tuple[str, ...] = ()


class NoteAdded(Event):
    """Somebody wrote something down. ``customer_visible`` notes may be shown outside."""

    TOPIC = "exception.note_added.v1"
    text: Sealed
    customer_visible: bool = False


class ContactRecorded(Event):
    """We spoke with somebody, or tried to: party, channel, direction, whether reached."""

    TOPIC = "exception.contact_recorded.v1"
    party: str
    channel: str
    direction: str
    reached: bool
    summary: Sealed | None = None


class Verified(Event):
    """One checklist item is known (``confirmed``) or cannot be (``not_obtainable``)."""

    TOPIC = "exception.verified.v1"
    item: str
    result: str
    by: str
    finding: Sealed | None = None
    evidence: tuple[str, ...] = ()


class WaitingStarted(Event):
    """We wait on somebody: customer, carrier, platform, supplier or force_majeure."""

    TOPIC = "exception.waiting_started.v1"
    party: str
    reason: Sealed | None = None


class WaitingStopped(Event):
    """The waiting is over; ``party`` is whom we waited on."""

    TOPIC = "exception.waiting_stopped.v1"
    party: str


class CarryProposed(Event):
    """First of two persons wants an open item carried past reconciliation."""

    TOPIC = "exception.carry_proposed.v1"
    item: str
    amount: int
    owner: str
    due: str
    by: str
    reason: Sealed | None = None


class ItemCarried(Event):
    """Second person agreed: the item stays open on the ageing list while the case reconciles."""

    TOPIC = "exception.item_carried.v1"
    item: str
    amount: int
    owner: str
    due: str
    proposed_by: str
    by: str


class WrittenBack(Event):
    """The outcome stands on the order's billing line (or ``none``: a case without money)."""

    TOPIC = "exception.written_back.v1"
    logistics_line: str
    none: bool = False


class Remediated(Event):
    """The customer's side is finished and told; the moment stops the resolution clock."""

    TOPIC = "exception.remediated.v1"
    resolution: str
    customer_resolved_at: Instant
    summary: Sealed | None = None


class Reconciled(Event):
    """Written back and through gate A. ``write_back``: the billing lines, or ``none``."""

    TOPIC = "exception.reconciled.v1"
    write_back: tuple[str, ...]
    carried: tuple[str, ...] = ()


class Withdrawn(Event):
    """False or self-cleared; no money was ever posted. ``evidence``: the events behind it."""

    TOPIC = "exception.withdrawn.v1"
    from_state: str
    resolution: str
    reason: Sealed | None = None
    evidence: tuple[str, ...] = ()


class Merged(Event):
    """A duplicate: its story goes on in another case."""

    TOPIC = "exception.merged.v1"
    from_state: str
    into: str
    reason: Sealed | None = None


class MergeReceived(Event):
    """A duplicate's sources came over.

    ``cleared`` are the ids of those that did not stand, ``undone`` of those that never did.
    """

    TOPIC = "exception.merge_received.v1"
    merged_id: str
    sources: tuple[Source, ...] = ()
    cleared: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()


class Reopened(Event):
    """Back into work: the next episode of the same case."""

    TOPIC = "exception.reopened.v1"
    from_state: str
    episode: int
    level: int
    team: str
    owner: str
    reason: Sealed | None = None
