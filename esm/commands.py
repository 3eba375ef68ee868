"""Requests: one frozen struct per thing that can be asked. Personal text is plain here.

Field names equal those of the proto requests, so that a violation names what the caller sent.
Amounts are :class:`~esm.money.Money`; instants are RFC 3339 strings; ``""`` means not given.
"""

from collections.abc import Callable
from typing import dataclass_transform

import msgspec

from esm.catalog import Catalogue
from esm.events import Sealed, Subject
from esm.money import Money
from esm.times import Instant

Seal = Callable[[str, str], Sealed]
"""(person, text) -> sealed text. Raises :class:`esm.unit.Missing` when the key is not at hand."""


class Context(msgspec.Struct, frozen=True):
    """What a decision may know besides state: who asks, for whom, when, and by which rules.

    ``now`` is the wall clock, the time of what is received and recorded; ``occurred`` when the
    thing happened, never after ``now`` on a wall-clock store, also as ``occurred_micros``. ``feed``
    is where the clock of the store stands, "" on a store that follows the wall clock. ``etag`` is
    the version the caller decided on, or "".
    """

    tenant: str
    actor: str
    assurance: str
    now: Instant
    occurred: Instant
    catalogue: Catalogue
    seal: Seal
    etag: str = ""
    occurred_micros: int = 0
    feed: Instant = ""

    @property
    def present(self) -> Instant:
        """The time of every policy: what lies behind it is past, what lies ahead is future."""
        return self.feed or self.now


# Type checkers do not see what subclasses inherit from these options, so they are told.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Input(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A part of a request."""


class Command(Input):
    """A request to one aggregate or a few; deciding it gives events or a refusal."""


class CaseCommand(Command, kw_only=True):
    """A request to a case that exists."""

    exception_id: str


# --- detection ------------------------------------------------------------------------------


class CheckpointInput(Input):
    """A tracking fact as the caller knows it; ``raw_text`` is sealed before it is stored."""

    occurred_at: Instant = ""
    received_at: Instant = ""
    place: str = ""
    status: str = ""
    raw_code: str = ""
    raw_text: str = ""


class Signal(Input):
    """Where a report comes from. ``kind``: person, carrier, customer, platform or alert."""

    kind: str = ""
    feed: str = ""
    source_id: str = ""
    raw_code: str = ""
    raw_text: str = ""
    occurred_at: Instant = ""
    received_at: Instant = ""


class ReportField(Input):
    """The answers to one field of a report's template; only photos may have several."""

    name: str = ""
    values: tuple[str, ...] = ()


class Report(Input):
    """A customer's report by a template of the catalogue; its answers are sealed."""

    template: str = ""
    fields: tuple[ReportField, ...] = ()


class Detect(Command, kw_only=True):
    """Open a case or join the open one: by our ``code``, or by ``signal.raw_code`` of a feed.

    A ``report`` needs neither: then the first code of its template counts.
    """

    subject: Subject
    code: str = ""
    signal: Signal
    last_checkpoint: CheckpointInput | None = None
    none_yet_looked_at: Instant = ""
    failing_check: str = ""
    stage: str = ""
    person: str = ""
    report: Report | None = None


class AlertInput(Input, kw_only=True):
    """What detection found, as :class:`esm.events.Alert` keeps it."""

    rule: str
    version: int
    stage: str = ""
    at: Instant
    next_at: Instant = ""
    evidence: tuple[str, ...] = ()


class DetectDeviation(Detect, kw_only=True):
    """Open a case or join one for a finding of the detection: always with our ``code``.

    ``signal.kind`` is ``alert`` for a rule, ``carrier`` for a checkpoint that opens a case by
    itself (then with its feed and raw code). ``looked_at`` is the moment up to which the shipment
    is looked at, by which a mute is judged: the present when not given. Refused as MUTED, and as
    EXPECTED while an action of ours explains the finding. ``alert.stage`` counts, not ``stage``.
    """

    alert: AlertInput
    looked_at: Instant = ""


class ClearSignal(CaseCommand, kw_only=True):
    """What the sources reported does not stand any more, by the time of the call.

    ``undone``: it never was, since the fact behind it was corrected; then nothing of it stays.
    """

    source_ids: tuple[str, ...]
    last_checkpoint: CheckpointInput | None = None
    undone: bool = False


class RecordMovement(CaseCommand, kw_only=True):
    """The parcel moved, or was ``delivered``, after something was done about it."""

    last_checkpoint: CheckpointInput
    delivered: bool = False


class MuteRule(Command):
    """A rule of the catalogue opens no case about an order, a parcel or a piece before ``until``.

    A mute of an order holds for its parcels, one of a parcel for its pieces.
    """

    rule: str
    order_id: str
    shipment_code: str = ""
    piece: str = ""
    until: Instant = ""
    reason: str = ""


# --- handling -------------------------------------------------------------------------------


class Escalate(CaseCommand):
    """Accept into work, or move the response level up or down (1-3, 0 = the code's default)."""

    level: int = 0
    reason: str = ""


class Assign(CaseCommand):
    """Give the case an owner and, if named, another owning team."""

    owner: str = ""
    team: str = ""
    reason: str = ""


class Reclassify(CaseCommand):
    """Change the current code inside the family."""

    code: str
    reason: str
    evidence: tuple[str, ...] = ()


class AddNote(CaseCommand):
    """Write something down."""

    text: str
    customer_visible: bool = False


class RecordContact(CaseCommand):
    """Record that we spoke with somebody, or tried to."""

    party: str
    channel: str = ""
    direction: str = ""
    reached: bool = False
    summary: str = ""


class RecordVerification(CaseCommand):
    """Tick one checklist item: ``result`` confirmed or not_obtainable (then with a finding)."""

    item: str
    result: str = ""
    finding: str = ""
    evidence: tuple[str, ...] = ()


class StartWaiting(CaseCommand):
    """We wait on somebody."""

    party: str
    reason: str = ""


class StopWaiting(CaseCommand):
    """The waiting is over."""


# --- actions --------------------------------------------------------------------------------


class RefundLine(Input):
    """What to give back on a sale line; without an amount all that is left."""

    sale_line: str
    amount: Money | None = None


class ProposeAction(CaseCommand):
    """Propose a remedy of the catalogue with its terms (which ones, the remedy says)."""

    kind: str
    lines: tuple[RefundLine, ...] = ()
    amount: Money | None = None
    goods_cost: Money | None = None
    freight: Money | None = None
    shipment_code: str = ""
    logistics_line: str = ""
    cause_event_ids: tuple[str, ...] = ()
    tax_document: str = ""
    basis: str = ""
    coupon_kind: str = ""
    restores_action_id: str = ""
    counterparty: str = ""
    explanation: str = ""


class ActionCommand(CaseCommand):
    """A request to one action of a case."""

    action_id: str


class ApproveAction(ActionCommand):
    """Decide the remedy; money that we then owe is posted."""


class SubmitAction(ActionCommand):
    """Hand the remedy to whoever carries it out."""

    external_id: str = ""


class RecordActionOutcome(ActionCommand):
    """Record what became of an action; which fields an outcome needs, its rows say."""

    outcome: str
    external_id: str = ""
    account: str = ""
    amount: Money | None = None
    fee: Money | None = None
    goods_cost: Money | None = None
    freight: Money | None = None
    shipment_code: str = ""
    logistics_line: str = ""
    note: str = ""


class CancelAction(ActionCommand):
    """The action will not happen."""

    reason: str = ""


class WriteOffAction(ActionCommand):
    """Give up an approved, unpaid claim: called twice, by two actors."""

    reason: str = ""


class LegReversal(Input):
    """How much of a leg (index from 0, as GetEntry lists them) to mirror."""

    leg: int
    amount: Money


class ReverseEntry(CaseCommand, kw_only=True):
    """Mirror the entry that an event made; without legs all of its unreversed rest."""

    event_id: str
    legs: tuple[LegReversal, ...] = ()
    reason: str


# --- closing --------------------------------------------------------------------------------


class Remediate(CaseCommand):
    """The customer's side is finished and told."""

    resolution: str
    summary: str


class CarryItem(CaseCommand, kw_only=True):
    """Carry an open item past reconciliation: called twice, by two actors, with one item."""

    item: str
    amount: Money | None = None
    reason: str
    owner: str
    due: str


class Reconcile(CaseCommand):
    """Close the books of the case through gate A."""


class Withdraw(CaseCommand):
    """False or self-cleared."""

    resolution: str
    reason: str = ""


class Merge(CaseCommand):
    """End a duplicate (``exception_id``); its story goes on in ``into``."""

    into: str
    reason: str = ""


class Reopen(CaseCommand):
    """Back into work."""

    reason: str


# --- the store ------------------------------------------------------------------------------


class AdvanceClock(Command):
    """Set the clock of a store that follows a feed, forward only."""

    to: Instant = ""


# --- the order ------------------------------------------------------------------------------


class DiscountInput(Input):
    """A discount already taken out of a line's net, and who paid for it."""

    funder: str
    amount: Money


class SaleLineInput(Input):
    """A line sold; goods and shipping net, tax whole."""

    line_id: str
    sku: str = ""
    quantity: int = 0
    goods: Money | None = None
    shipping: Money | None = None
    tax: Money | None = None
    tax_treatment: str = ""
    unit_cost: Money | None = None
    discounts: tuple[DiscountInput, ...] = ()
    sale_recognised_at: Instant = ""
    cost_expensed_at: Instant = ""


class TenderInput(Input):
    """A payment by the customer."""

    provider: str
    external_id: str
    kind: str = ""
    captured: Money | None = None


class LogisticsLineInput(Input):
    """What a carrier charges us for a parcel."""

    line_id: str
    shipment_code: str = ""
    carrier: str = ""
    carrier_number: str = ""
    freight: Money | None = None


class RecordOrder(Command):
    """Record an order, or more of one; accepted once per source and source id."""

    order_id: str
    source: str = ""
    source_id: str = ""
    currency: str = ""
    legal_entity: str = ""
    buyer: str = ""
    incoterm: str = ""
    promised_at: Instant = ""
    sale_lines: tuple[SaleLineInput, ...] = ()
    tenders: tuple[TenderInput, ...] = ()
    logistics_lines: tuple[LogisticsLineInput, ...] = ()


class RecordExternalMoney(Command):
    """Record money that others moved: a fact, once per provider and external id."""

    order_id: str
    kind: str
    provider: str
    external_id: str
    amount: Money | None = None
    account: str = ""
    fee: Money | None = None
    fee_tax: Money | None = None
    exception_id: str = ""
    reason: str = ""
    tax_document: str = ""


class RecordCarrierCharge(CaseCommand):
    """Record what a carrier charges for a case on a billing line: accrued, or invoiced."""

    logistics_line: str
    kind: str
    step: str
    net: Money | None = None
    tax: Money | None = None
    carrier: str = ""
    invoice: str = ""


class WriteBack(CaseCommand):
    """Write the outcome of a case back to a billing line; ``none`` for a case without money."""

    logistics_line: str = ""
    none: bool = False


INTERNAL: frozenset[type[Command]] = frozenset({DetectDeviation, ClearSignal, RecordMovement})
"""Commands that no request asks for: the detection gives them."""
