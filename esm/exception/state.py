"""What a case is, as its events leave it. Immutable: every change is a new struct."""

from typing import dataclass_transform
from uuid import UUID

import msgspec

from esm.events import Checkpoint, Entry, Sealed, Source, Subject, Terms
from esm.times import Instant

AT_RISK = "at_risk"


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Part(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of the parts of a case's state. No cycles, so gc=False is safe."""


class CodeChange(Part):
    """One step of the code history; the first has no ``from_code``."""

    from_code: str
    code: str
    evidence: tuple[str, ...] = ()


class Verification(Part):
    """A checklist item that is known, or known not to be obtainable."""

    item: str
    result: str
    by: str
    finding: Sealed | None = None
    evidence: tuple[str, ...] = ()


class Booked(Part):
    """An entry of this case by the version of its event, and what of each leg was mirrored.

    ``kind`` is what made it: approval, submission, outcome, write_off, charge, outside or
    mirror; ``outside`` the kind of outside money, ``charge`` the kind of carrier charge.
    ``reversed[i]`` is what of leg i was undone.
    """

    version: int
    kind: str
    entry: Entry
    reversed: tuple[int, ...]
    action_id: str = ""
    outside: str = ""
    charge: str = ""


class Action(Part):
    """One remedy of the case; ``amount`` in minor units of its terms' currency.

    What of it is still owed to or by us, the balances under ``action:<id>`` say. The versions
    name the events whose entries a cancellation or a failure mirrors. ``settled_by`` says what
    ended it when that was not its own outcome (chargeback; used, revoked, expired).
    """

    action_id: str
    kind: str
    side: str
    money: str
    status: str
    episode: int
    terms: Terms
    proposed_by: str
    approved_by: str = ""
    external_id: str = ""
    amount: int = 0
    dispatched: bool = False
    approved_version: int = 0
    paid_version: int = 0
    settled_by: str = ""
    write_off_by: str = ""
    write_off_amount: int = 0
    shipment_code: str = ""


class Carry(Part):
    """An open item carried past reconciliation, or proposed to be (``by`` still empty)."""

    item: str
    amount: int
    owner: str
    due: str
    proposed_by: str
    by: str = ""


class Accrual(Part):
    """A carrier charge on a billing line: accrued and not invoiced; minor units."""

    logistics_line: str
    kind: str
    net: int
    tax: int


class Movement(Part):
    """A movement after a remedy that the case knows of: in which episode and state it came."""

    checkpoint: Checkpoint
    delivered: bool
    episode: int
    state: str


class Case(Part):
    """A shipment exception. ``balances`` maps (account, item) to signed minor units.

    An ``item`` groups what must come to zero together: ``action:<id>``, ``logistics:<line>``,
    ``dispute:<external id>``, ``penalty:<external id>`` or "" for the case as a whole.

    ``source_codes`` holds the code that each of the ``sources`` came with, "" for one of a merged
    case; those from ``episode_sources`` on came in this episode. ``cleared`` are source ids whose
    signal does not stand any more, ``undone`` those of them that never stood. ``code_by_hand``: a
    person chose the present code; ``episode_by_hand``: a person opened the present episode.
    """

    id: UUID
    tenant: str
    subject: Subject
    code: str
    family: str
    phase: str
    occurrence: int
    state: str
    stage: str
    priority: str
    team: str
    person: str
    level: int = 0
    owner: str = ""
    episode: int = 1
    raised_by: str = ""
    failing_check: str = ""
    checkpoint: Checkpoint | None = None
    none_yet: Instant = ""
    codes: tuple[CodeChange, ...] = ()
    sources: tuple[Source, ...] = ()
    verifications: tuple[Verification, ...] = ()
    waiting_on: str = ""
    actions: tuple[Action, ...] = ()
    booked: tuple[Booked, ...] = ()
    balances: dict[tuple[str, str], int] = msgspec.field(default_factory=dict)
    currency: str = ""
    accruals: tuple[Accrual, ...] = ()
    carries: tuple[Carry, ...] = ()
    billing_lines: dict[str, int] = msgspec.field(default_factory=dict)
    written_back: dict[str, int] = msgspec.field(default_factory=dict)
    resolution: str = ""
    summary: Sealed | None = None
    customer_resolved_at: Instant = ""
    merged_into: str = ""
    merged_from: tuple[str, ...] = ()
    money_posted: bool = False
    source_codes: tuple[str, ...] = ()
    episode_sources: int = 0
    cleared: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    code_by_hand: bool = False
    episode_by_hand: bool = False
    movements: tuple[Movement, ...] = ()

    def action(self, action_id: str) -> Action | None:
        """The action with the id, if the case has it."""
        return next((a for a in self.actions if a.action_id == action_id), None)


class OpenItem(Part):
    """Something gate A asks about. ``ref`` is what CarryItem names; amounts in minor units."""

    ref: str
    kind: str
    amount: int
    what: str
    carried: bool = False
