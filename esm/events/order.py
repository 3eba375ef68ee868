"""Facts of an order: what was sold, captured, given back and disputed."""

from esm.events.base import Event, Value
from esm.times import Instant


class Discount(Value):
    """A discount already taken out of a line's net, and who paid for it."""

    funder: str
    minor_units: int


class SaleLine(Value):
    """A line sold. Goods and shipping are net, ``tax`` is the whole tax; minor units.

    ``tax_treatment``: own (we owe it), marketplace (collected by the platform) or none.
    """

    line_id: str
    sku: str
    quantity: int
    goods: int
    shipping: int = 0
    tax: int = 0
    tax_treatment: str = "own"
    unit_cost: int = 0
    discounts: tuple[Discount, ...] = ()
    sale_recognised_at: Instant = ""
    cost_expensed_at: Instant = ""


class Tender(Value):
    """A payment by the customer: what the provider captured, once per external id."""

    provider: str
    external_id: str
    kind: str
    captured: int


class LogisticsLine(Value):
    """What a carrier charges us for a parcel: the order's billing line."""

    line_id: str
    shipment_code: str
    carrier: str
    carrier_number: str = ""
    freight: int = 0


class OrderRecorded(Event):
    """An order, or more of one: lines, tenders and billing lines merge by their ids."""

    TOPIC = "order.recorded.v1"
    order_id: str
    source: str
    source_id: str
    currency: str
    legal_entity: str
    buyer: str = ""
    incoterm: str = ""
    promised_at: Instant = ""
    sale_lines: tuple[SaleLine, ...] = ()
    tenders: tuple[Tender, ...] = ()
    logistics_lines: tuple[LogisticsLine, ...] = ()


class LineSplit(Value):
    """Part of a sale line, by component; minor units. ``gross`` is their sum."""

    sale_line: str
    goods: int = 0
    shipping: int = 0
    tax: int = 0


class PaymentCaptured(Event):
    """The customer paid: a tender came in, or a recovery was paid (``exception_id`` set)."""

    TOPIC = "order.payment_captured.v1"
    provider: str
    external_id: str
    amount: int
    exception_id: str = ""


class RefundCommitted(Event):
    """We decided to pay the customer back; counts against what may still be decided."""

    TOPIC = "order.refund_committed.v1"
    exception_id: str
    action_id: str
    amount: int
    payout: str
    lines: tuple[LineSplit, ...] = ()


class RefundReleased(Event):
    """All or part of a commitment is off; the lines are refundable again."""

    TOPIC = "order.refund_released.v1"
    exception_id: str
    action_id: str
    amount: int
    lines: tuple[LineSplit, ...] = ()


class RefundPaid(Event):
    """The payout was confirmed; ``amount`` is negative when it came back."""

    TOPIC = "order.refund_paid.v1"
    exception_id: str
    action_id: str
    amount: int
    external_id: str = ""


class OutsideRefundRecorded(Event):
    """Platform or provider refunded by itself; ``excess`` is above what the lines had left."""

    TOPIC = "order.outside_refund_recorded.v1"
    kind: str
    provider: str
    external_id: str
    exception_id: str
    amount: int
    excess: int = 0
    lines: tuple[LineSplit, ...] = ()


class DisputeOpened(Event):
    """A charge-back was opened, or more of it, and the funds withheld."""

    TOPIC = "order.dispute_opened.v1"
    provider: str
    external_id: str
    exception_id: str
    amount: int
    reason: str = ""
    fee: int = 0
    fee_tax: int = 0
    occurred: Instant = ""


class DisputeClosed(Event):
    """A charge-back was won or lost. Lost: how it was borne, by refunds, lines and excess."""

    TOPIC = "order.dispute_closed.v1"
    provider: str
    external_id: str
    exception_id: str
    outcome: str
    amount: int
    settled: int = 0
    excess: int = 0
    lines: tuple[LineSplit, ...] = ()
    fee: int = 0
    fee_tax: int = 0
    occurred: Instant = ""


class SaleRestored(Event):
    """A refund was undone: the customer keeps the goods and owes the price again."""

    TOPIC = "order.sale_restored.v1"
    exception_id: str
    action_id: str
    restores_action_id: str
    lines: tuple[LineSplit, ...] = ()


class OutsideMoneyNoted(Event):
    """Wallet deduction or pay-out: known to the order, no effect on what may be refunded."""

    TOPIC = "order.outside_money_noted.v1"
    kind: str
    provider: str
    external_id: str
    amount: int
    exception_id: str = ""


class BillingLineWrittenBack(Event):
    """The outcome of a case on a billing line; signed minor units, costs positive.

    ``net_cost`` is revenue undone and handling cost less what was recovered.
    """

    TOPIC = "order.billing_line_written_back.v1"
    logistics_line: str
    exception_id: str
    episode: int
    revenue_undone: int
    handling_cost: int
    recovered: int
    net_cost: int
