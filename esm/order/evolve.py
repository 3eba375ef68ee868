"""Folding the facts of an order into its state: a table of small steps that never refuse."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from esm import events as e
from esm.order.state import Commitment, Dispute, Line, Order, OutsideFact, WriteBackRecord


def recorded(event: e.OrderRecorded, aggregate_id: UUID, tenant: str) -> Order:
    """The order as its first fact leaves it."""
    order = Order(
        id=aggregate_id,
        tenant=tenant,
        order_id=event.order_id,
        currency=event.currency,
        legal_entity=event.legal_entity,
    )
    return _recorded_again(order, event, 1)


def _recorded_again(order: Order, event: e.OrderRecorded, _: int) -> Order:
    lines = {x.sale.line_id: x for x in order.lines}
    for sale in event.sale_lines:
        known = lines.get(sale.line_id)
        lines[sale.line_id] = replace(known, sale=sale) if known else Line(sale=sale)
    billing = {x.line_id: x for x in order.logistics_lines}
    billing.update((x.line_id, x) for x in event.logistics_lines)
    tenders = {(t.provider, t.external_id): t for t in order.tenders}
    fresh = [t for t in event.tenders if (t.provider, t.external_id) not in tenders]
    return replace(
        order,
        lines=tuple(lines.values()),
        logistics_lines=tuple(billing.values()),
        tenders=(*order.tenders, *fresh),
        captured=order.captured + sum(t.captured for t in fresh),
        buyer=event.buyer or order.buyer,
        incoterm=event.incoterm or order.incoterm,
        promised_at=event.promised_at or order.promised_at,
    )


def _payment_captured(order: Order, event: e.PaymentCaptured, _: int) -> Order:
    """A payment that the order named as a tender already counts once."""
    key = (event.provider, event.external_id)
    known = next((t for t in order.tenders if (t.provider, t.external_id) == key), None)
    tender = e.Tender(
        provider=event.provider,
        external_id=event.external_id,
        kind="recovery" if event.exception_id else "payment",
        captured=max(event.amount, known.captured if known else 0),
    )
    more = tender.captured - (known.captured if known else 0)
    others = tuple(t for t in order.tenders if t is not known)
    order = replace(order, tenders=(*others, tender), captured=order.captured + more)
    kind = "customer_payment" if event.exception_id else "payment_captured"
    return _told(order, kind, event, event.amount)


def _refund_committed(order: Order, event: e.RefundCommitted, _: int) -> Order:
    commitment = Commitment(
        exception_id=event.exception_id,
        action_id=event.action_id,
        payout=event.payout,
        amount=event.amount,
        lines=event.lines,
    )
    order = replace(order, commitments=(*order.commitments, commitment))
    return _undo(order, event.lines, 1)


def _refund_released(order: Order, event: e.RefundReleased, _: int) -> Order:
    order = _with_commitment(
        order, event.action_id, lambda c: replace(c, amount=c.amount - event.amount)
    )
    return _undo(order, event.lines, -1)


def _refund_paid(order: Order, event: e.RefundPaid, _: int) -> Order:
    return _with_commitment(
        order, event.action_id, lambda c: replace(c, paid=c.paid + event.amount)
    )


def _outside_refund(order: Order, event: e.OutsideRefundRecorded, _: int) -> Order:
    order = replace(order, refunded_outside=order.refunded_outside + event.amount)
    if event.provider:
        order = _told(order, event.kind, event, event.amount)
    return _undo(order, event.lines, 1)


def _dispute_opened(order: Order, event: e.DisputeOpened, _: int) -> Order:
    known = order.dispute(event.provider, event.external_id)
    fresh = known is None or known.status != "open"
    dispute = Dispute(
        provider=event.provider,
        external_id=event.external_id,
        exception_id=event.exception_id,
        amount=event.amount + (known.amount if known else 0),
        status="open",
        reason=event.reason or (known.reason if known else ""),
        round=(known.round if known else 0) + fresh,
        opened=event.occurred if known is None or fresh else known.opened,
        verdicts=() if known is None or fresh else known.verdicts,
    )
    others = tuple(d for d in order.disputes if d is not known)
    order = replace(order, disputes=(*others, dispute))
    return _told(order, "chargeback_opened", event, event.amount, dispute.round)


def _dispute_closed(order: Order, event: e.DisputeClosed, _: int) -> Order:
    known = order.dispute(event.provider, event.external_id)
    disputes = tuple(_closed(d, event) if d is known else d for d in order.disputes)
    lost = event.amount - event.settled if event.outcome == "lost" else 0
    order = replace(order, disputes=disputes, charged_back=order.charged_back + lost)
    kind = f"chargeback_{event.outcome}"
    order = _told(order, kind, event, event.amount, known.round if known else 1)
    return _undo(order, event.lines, 1)


def _closed(dispute: Dispute, event: e.DisputeClosed) -> Dispute:
    amount = dispute.amount - event.amount
    return replace(
        dispute,
        amount=amount,
        status=dispute.status if amount else event.outcome,
        decided=event.occurred,
        verdicts=(*dispute.verdicts, event.outcome),
    )


def _noted(order: Order, event: e.OutsideMoneyNoted, _: int) -> Order:
    return _told(order, event.kind, event, event.amount)


def _sale_restored(order: Order, event: e.SaleRestored, _: int) -> Order:
    return _undo(order, event.lines, -1)


def _written_back(order: Order, event: e.BillingLineWrittenBack, _: int) -> Order:
    key = (event.logistics_line, event.exception_id)
    others = tuple(w for w in order.write_backs if (w.logistics_line, w.exception_id) != key)
    record = WriteBackRecord(
        logistics_line=event.logistics_line,
        exception_id=event.exception_id,
        episode=event.episode,
        revenue_undone=event.revenue_undone,
        handling_cost=event.handling_cost,
        recovered=event.recovered,
        net_cost=event.net_cost,
    )
    return replace(order, write_backs=(*others, record))


Told = (
    e.PaymentCaptured
    | e.OutsideRefundRecorded
    | e.OutsideMoneyNoted
    | e.DisputeOpened
    | e.DisputeClosed
)
"""Facts of money that others moved, as the order hears of them."""


def _told(order: Order, kind: str, event: Told, amount: int, round_: int = 1) -> Order:
    """Keep what was told first: a repeat that says something else is refused by it."""
    dispute = event if isinstance(event, e.DisputeOpened | e.DisputeClosed) else None
    told = OutsideFact(
        kind=kind,
        provider=event.provider,
        external_id=event.external_id,
        amount=amount,
        round=round_,
        fee=dispute.fee if dispute else 0,
        fee_tax=dispute.fee_tax if dispute else 0,
    )
    if any(known.key == told.key for known in order.outside):
        return order
    return replace(order, outside=(*order.outside, told))


def _undo(order: Order, splits: Iterable[e.LineSplit], sign: int) -> Order:
    by_line = {s.sale_line: s for s in splits}
    if not by_line:
        return order
    return replace(
        order,
        lines=tuple(
            _undone(x, by_line[x.sale.line_id], sign) if x.sale.line_id in by_line else x
            for x in order.lines
        ),
    )


def _undone(line: Line, split: e.LineSplit, sign: int) -> Line:
    return replace(
        line,
        goods_undone=line.goods_undone + sign * split.goods,
        shipping_undone=line.shipping_undone + sign * split.shipping,
        tax_undone=line.tax_undone + sign * split.tax,
    )


def _with_commitment(
    order: Order, action_id: str, change: Callable[[Commitment], Commitment]
) -> Order:
    return replace(
        order,
        commitments=tuple(change(c) if c.action_id == action_id else c for c in order.commitments),
    )


STEPS: dict[type[e.Event], Callable[[Order, Any, int], Order]] = {
    e.OrderRecorded: _recorded_again,
    e.PaymentCaptured: _payment_captured,
    e.RefundCommitted: _refund_committed,
    e.RefundReleased: _refund_released,
    e.RefundPaid: _refund_paid,
    e.OutsideRefundRecorded: _outside_refund,
    e.DisputeOpened: _dispute_opened,
    e.DisputeClosed: _dispute_closed,
    e.SaleRestored: _sale_restored,
    e.OutsideMoneyNoted: _noted,
    e.BillingLineWrittenBack: _written_back,
}
"""Event type -> step(order, event, version). Facts that change nothing here are left out."""
