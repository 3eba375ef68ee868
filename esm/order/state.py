"""What an order is, as its events leave it: what was captured, given back and disputed."""

from typing import dataclass_transform
from uuid import UUID

import msgspec

from esm.events import LineSplit, LogisticsLine, SaleLine, Tender
from esm.times import Instant

OWN_TAX = "own"


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Part(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of the parts of an order's state. No cycles, so gc=False is safe."""


class Line(Part):
    """A sale line and how much of each component was given back; minor units."""

    sale: SaleLine
    goods_undone: int = 0
    shipping_undone: int = 0
    tax_undone: int = 0

    @property
    def own_tax(self) -> int:
        """The tax that we owe and give back; what a marketplace collects is not ours."""
        return self.sale.tax if self.sale.tax_treatment == OWN_TAX else 0

    @property
    def rest(self) -> LineSplit:
        """What is still the seller's, by component."""
        return LineSplit(
            sale_line=self.sale.line_id,
            goods=self.sale.goods - self.goods_undone,
            shipping=self.sale.shipping - self.shipping_undone,
            tax=self.own_tax - self.tax_undone,
        )


class Commitment(Part):
    """A payout we decided: which action of which case, how much, and what of it was paid."""

    exception_id: str
    action_id: str
    payout: str
    amount: int
    paid: int = 0
    lines: tuple[LineSplit, ...] = ()

    @property
    def unpaid(self) -> int:
        """What we still owe; minor units."""
        return self.amount - self.paid


class Dispute(Part):
    """A charge-back by its external id. ``status``: open, won, lost.

    One that was decided may be opened again: ``round`` counts from 1, ``opened`` and ``decided``
    say when, ``verdicts`` what was decided in this round; ``amount`` is what is still open.
    """

    provider: str
    external_id: str
    exception_id: str
    amount: int
    status: str
    reason: str = ""
    round: int = 1
    opened: Instant = ""
    decided: Instant = ""
    verdicts: tuple[str, ...] = ()


class OutsideFact(Part):
    """What we were first told of money that others moved; minor units."""

    kind: str
    provider: str
    external_id: str
    amount: int
    round: int = 1
    fee: int = 0
    fee_tax: int = 0

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What identifies the fact on its order."""
        return (self.kind, self.provider, self.external_id, self.round)


class WriteBackRecord(Part):
    """The outcome of a case on a billing line; signed minor units, costs positive."""

    logistics_line: str
    exception_id: str
    episode: int
    revenue_undone: int
    handling_cost: int
    recovered: int
    net_cost: int


class Order(Part):
    """The money side of an order; all amounts in minor units of its one currency."""

    id: UUID
    tenant: str
    order_id: str
    currency: str
    legal_entity: str
    buyer: str = ""
    incoterm: str = ""
    promised_at: Instant = ""
    lines: tuple[Line, ...] = ()
    tenders: tuple[Tender, ...] = ()
    logistics_lines: tuple[LogisticsLine, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    outside: tuple[OutsideFact, ...] = ()
    write_backs: tuple[WriteBackRecord, ...] = ()
    captured: int = 0
    refunded_outside: int = 0
    charged_back: int = 0

    @property
    def committed(self) -> int:
        """What we decided to pay or have paid, whatever is more; minor units.

        A decision that is reversed after it was paid does not bring the money back.
        """
        return sum(max(c.amount, c.paid) for c in self.commitments)

    @property
    def open_disputes(self) -> int:
        """Funds withheld by charge-backs still open; minor units."""
        return sum(d.amount for d in self.disputes if d.status == "open")

    @property
    def available(self) -> int:
        """D12: captured - refunded - charged back - open disputes; may be below zero."""
        return (
            self.captured
            - self.committed
            - self.refunded_outside
            - self.charged_back
            - self.open_disputes
        )

    def dispute(self, provider: str, external_id: str) -> Dispute | None:
        """The charge-back with the provider's id."""
        key = (provider, external_id)
        return next((d for d in self.disputes if (d.provider, d.external_id) == key), None)

    def line(self, line_id: str) -> Line | None:
        """The sale line with the id."""
        return next((x for x in self.lines if x.sale.line_id == line_id), None)

    def logistics_line(self, line_id: str) -> LogisticsLine | None:
        """The billing line with the id."""
        return next((x for x in self.logistics_lines if x.line_id == line_id), None)
