"""Facts of a case that move money, or decide to: actions, charges, outside money."""

from esm.events.base import Event, Sealed, Value
from esm.events.journal import Entry


class TermLine(Value):
    """What an action wants of a sale line: gross minor units, 0 means all that is left."""

    sale_line: str
    amount: int = 0


class Terms(Value):
    """What was agreed for an action. Amounts are minor units of ``currency``."""

    currency: str = ""
    lines: tuple[TermLine, ...] = ()
    amount: int = 0
    goods_cost: int = 0
    freight: int = 0
    shipment_code: str = ""
    logistics_line: str = ""
    cause_event_ids: tuple[str, ...] = ()
    tax_document: str = ""
    basis: str = ""
    coupon_kind: str = ""
    restores_action_id: str = ""
    counterparty: str = ""


class ActionProposed(Event):
    """A remedy was proposed; nothing is promised and nothing is posted."""

    TOPIC = "exception.action_proposed.v1"
    action_id: str
    kind: str
    side: str
    money: str
    by: str
    terms: Terms
    from_state: str
    state: str
    explanation: Sealed | None = None


class ActionApproved(Event):
    """The remedy is decided: from here on we owe what the entry says.

    ``amount`` is its money in minor units.
    """

    TOPIC = "exception.action_approved.v1"
    action_id: str
    by: str
    amount: int = 0
    entry: Entry | None = None


class ActionSubmitted(Event):
    """The remedy was handed to whoever carries it out."""

    TOPIC = "exception.action_submitted.v1"
    action_id: str
    external_id: str = ""
    entry: Entry | None = None


class ActionOutcomeRecorded(Event):
    """What became of an action; ``status`` is its resulting status, ``state`` the case's."""

    TOPIC = "exception.action_outcome_recorded.v1"
    action_id: str
    outcome: str
    from_status: str
    status: str
    from_state: str
    state: str
    amount: int = 0
    fee: int = 0
    external_id: str = ""
    account: str = ""
    shipment_code: str = ""
    logistics_line: str = ""
    note: Sealed | None = None
    entry: Entry | None = None


class ActionCancelled(Event):
    """The action will not happen; what its approval posted is mirrored."""

    TOPIC = "exception.action_cancelled.v1"
    action_id: str
    from_status: str
    reason: Sealed | None = None
    entry: Entry | None = None


class WriteOffProposed(Event):
    """First of two persons wants an approved, unpaid claim written off."""

    TOPIC = "exception.write_off_proposed.v1"
    action_id: str
    amount: int
    by: str
    reason: Sealed | None = None


class ActionWrittenOff(Event):
    """Second person agreed: the receivable is gone."""

    TOPIC = "exception.action_written_off.v1"
    action_id: str
    proposed_by: str
    by: str
    status: str
    entry: Entry


class EntryReversed(Event):
    """A journal entry of this case was mirrored, wholly or in part (冲销)."""

    TOPIC = "exception.entry_reversed.v1"
    reversed_event_id: str
    entry: Entry
    reason: Sealed | None = None


class CarrierChargeAccrued(Event):
    """A carrier charge is known and owed, its invoice has not come."""

    TOPIC = "exception.carrier_charge_accrued.v1"
    logistics_line: str
    kind: str
    carrier: str
    net: int
    tax: int
    entry: Entry


class CarrierChargeInvoiced(Event):
    """The carrier's invoice for a charge came and was matched with what was accrued."""

    TOPIC = "exception.carrier_charge_invoiced.v1"
    logistics_line: str
    kind: str
    carrier: str
    invoice: str
    net: int
    tax: int
    entry: Entry | None = None


class OutsideMoneyRecorded(Event):
    """Money moved by others and this case answers for it; a fact, never refused."""

    TOPIC = "exception.outside_money_recorded.v1"
    kind: str
    provider: str
    external_id: str
    amount: int
    currency: str
    fee: int = 0
    reason: str = ""
    entry: Entry | None = None


class BalanceDelta(Value):
    """Change of one account of the case, signed minor units, debit positive."""

    account: str
    item: str
    amount: int


class BalanceTouched(Event):
    """Another case's entry touched this case's accounts; posts nothing itself."""

    TOPIC = "exception.balance_touched.v1"
    cause_event_id: str
    cause_exception_id: str
    deltas: tuple[BalanceDelta, ...]
    action_id: str = ""
    action_status: str = ""
    settled_by: str = ""
