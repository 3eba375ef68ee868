"""Entries of a case: booking parts, reading balances, mirroring what was booked."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import msgspec

from esm import events as e
from esm.catalog import Remedy
from esm.errors import ReversalRefused
from esm.events import LineSplit
from esm.exception.state import Action, Booked, Case
from esm.ids import event_id
from esm.order.splits import gross, negated, total
from esm.postings import account_of, action_item, book, mirror, size
from esm.times import local_date
from esm.unit import Unit

REFUND_MONEY = frozenset({"refund", "concession", "shipping"})
"""Kinds of money that give back the price of a sale line; gate B binds them."""

PAYOUTS = REFUND_MONEY | {"compensation"}
"""Kinds of money that we pay out: D12 and open disputes bind them."""

CUSTOMER_PAYMENT = "customer_payment"
OUTSIDE_REFUNDS = frozenset({"platform_refund", "provider_refund"})


CHARGEBACK = "chargeback"
"""What settles a refund that a lost charge-back pays."""


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What a step books: facts of an entry or a ready one, and what the order learns of it."""

    parts: tuple[e.Part, ...] = ()
    amount: int = 0
    entry: e.Entry | None = None
    order_event: e.Event | None = None


def book_parts(unit: Unit, case: Case, parts: Sequence[e.Part]) -> e.Entry | None:
    """The case's entry of these facts by the rules in force; None when there is nothing."""
    if not parts:
        return None
    order = unit.order(case.subject.order_id)
    return book(
        unit.context.catalogue,
        parts,
        ledger=order.legal_entity,
        currency=order.currency,
        order_id=order.order_id,
        exception_id=str(case.id),
        episode=case.episode,
        occurred=unit.context.occurred,
    )


LegName = tuple[str, str, str]
"""Row, side and amount: names a leg of the posting rules, and so the account it stands on."""

MEMO: LegName = ("C4", "credit", "memo")
"""Where a claim stands that is filed and not answered."""

RECEIVABLE: LegName = ("C3", "credit", "amount")
"""Where a claim stands that is approved and not paid."""


def balance(unit: Unit, case: Case, action: Action, leg: LegName) -> int:
    """What stands under the action on the account of the leg; debit positive, minor units."""
    account = account_of(unit.context.catalogue, *leg)
    return case.balances.get((account, action_item(action.action_id)), 0)


def booked_at(case: Case, version: int) -> Booked | None:
    """The entry made by the event of that version, if it made one."""
    return next((b for b in case.booked if b.version == version), None)


def rest_of(booked: Booked) -> tuple[int, ...]:
    """The unreversed rest of each leg; minor units."""
    return tuple(
        size(leg) - undone for leg, undone in zip(booked.entry.legs, booked.reversed, strict=True)
    )


def mirror_booked(
    unit: Unit, case: Case, booked: Booked, row: str, amounts: Sequence[int]
) -> e.Entry | None:
    """An entry that undoes part of the legs, effective now; None when every amount is zero."""
    if not any(amounts):
        return None
    zone = unit.context.catalogue.ledgers[booked.entry.ledger].time_zone
    return mirror(
        unit.context.catalogue,
        booked.entry,
        row,
        amounts,
        event_id=event_id(case.id, booked.version),
        effective=local_date(unit.context.occurred, zone),
    )


def undo_approval(unit: Unit, case: Case, action: Action, remedy: Remedy, owed: int) -> Booking:
    """What a cancellation mirrors: all that approval posted, of a payout what is still owed."""
    row = remedy.rows.get("cancelled")
    approval = booked_at(case, action.approved_version)
    if not isinstance(row, str) or approval is None or action.dispatched:
        return Booking()
    amounts = rest = rest_of(approval)
    if action.money in PAYOUTS and owed != _gross_owed(approval, rest):
        amounts = amounts_of_gross(approval, owed)
        if any(a > r for a, r in zip(amounts, rest, strict=True)):
            raise ReversalRefused(
                "part of the approval is reversed and part is settled; reverse the rest leg by leg"
            )
    entry = mirror_booked(unit, case, approval, row, amounts)
    return Booking(entry=entry, order_event=order_effect(case, approval, amounts))


def _gross_owed(booked: Booked, amounts: Sequence[int]) -> int:
    """What of the amounts per leg stands on the credit legs that show the gross owed."""
    return sum(
        amount
        for leg, amount in zip(booked.entry.legs, amounts, strict=True)
        if leg.amount == "gross" and leg.credit
    )


def amounts_of_gross(booked: Booked, amount: int) -> tuple[int, ...]:
    """Per leg, what undoing ``amount`` gross of an entry means, parts in order."""
    shares: dict[str, LineSplit] = {}
    for part in booked.entry.parts:
        take = min(amount, part.amounts["gross"])
        amount -= take
        shares[part.sale_line] = sub_split(part, take)
    return tuple(_shown(leg, shares[leg.sale_line]) for leg in booked.entry.legs)


def sub_split(part: e.Part, amount: int) -> LineSplit:
    """``amount`` gross of a part by component, in the part's own proportions of tax."""
    amounts = part.amounts
    whole = amounts["gross"]
    tax = amounts.get("tax_documented", 0) + amounts.get("tax_undocumented", 0)
    if amount != whole:
        tax = (2 * tax * amount + whole) // (2 * whole)
    goods = min(amount - tax, amounts.get("goods", 0))
    return LineSplit(sale_line=part.sale_line, goods=goods, shipping=amount - tax - goods, tax=tax)


def touch_others(
    unit: Unit, case: Case, entry: e.Entry, endings: Mapping[str, str] | None = None
) -> list[UUID]:
    """Write the balance event into every other case that lines of the entry belong to.

    ``endings`` gives the status of actions that the entry ends. Gives the cases touched.
    """
    cause = event_id(case.id, unit.version(case.id))
    deltas: dict[tuple[str, str], list[e.BalanceDelta]] = {}
    for leg in entry.legs:
        owner = leg.exception_id or str(case.id)
        if owner != str(case.id):
            delta = e.BalanceDelta(
                account=leg.account, item=leg.item, amount=leg.debit - leg.credit
            )
            deltas.setdefault((owner, leg.action_id), []).append(delta)
        elif leg.action_id in (endings or {}) and case.action(leg.action_id):
            deltas.setdefault((owner, leg.action_id), [])
    for (owner, action_id), found in deltas.items():
        status = (endings or {}).get(action_id, "")
        unit.record(
            unit.case(owner).id,
            e.BalanceTouched(
                catalogue=unit.context.catalogue.digest,
                cause_event_id=cause,
                cause_exception_id=str(case.id),
                deltas=tuple(found),
                action_id=action_id,
                action_status=status,
                settled_by=CHARGEBACK if status else "",
            ),
        )
    return [UUID(owner) for owner, _ in deltas if owner != str(case.id)]


def order_effect(case: Case, booked: Booked, amounts: Sequence[int]) -> e.Event | None:
    """What the order learns when ``amounts`` of an entry's legs are undone."""
    effect = _EFFECTS.get(booked.kind)
    if effect is None or not any(amounts):
        return None
    if booked.outside == CUSTOMER_PAYMENT:
        return _unreceived(case, booked, amounts)
    splits = tuple(_reversed_split(booked, amounts, part) for part in booked.entry.parts)
    return effect(case, booked, tuple(s for s in splits if s.sale_line), total(splits))


def _shown(leg: e.Leg, split: LineSplit) -> int:
    shown = {
        "goods": split.goods,
        "shipping": split.shipping,
        "net": split.goods + split.shipping,
        "tax_documented": split.tax,
        "tax_undocumented": split.tax,
        "gross": gross(split),
    }
    return shown[leg.amount]


def _reversed_split(booked: Booked, amounts: Sequence[int], part: e.Part) -> LineSplit:
    """What of a part is undone, by component where its legs show components.

    Nothing of a part that gives no price back, such as a claim's or a reshipment's. Where only
    the gross shows, what was undone of it before decides how this much of it splits.
    """
    if "gross" not in part.amounts:
        return LineSplit(sale_line=part.sale_line)
    shown = {
        leg.amount: amount
        for leg, amount in zip(booked.entry.legs, amounts, strict=True)
        if (leg.row, leg.sale_line) == (part.row, part.sale_line)
        and (leg.debit or leg.amount != "gross")
    }
    if shown.keys() <= {"gross"}:
        before = _undone_before(booked, part)
        return _between(part, before, before + shown.get("gross", 0))
    goods, shipping = shown.get("goods", 0), shown.get("shipping", 0)
    if "net" in shown:
        goods = min(shown["net"], part.amounts["goods"])
        shipping = shown["net"] - goods
    tax = shown.get("tax_documented", 0) + shown.get("tax_undocumented", 0)
    return LineSplit(sale_line=part.sale_line, goods=goods, shipping=shipping, tax=tax)


def _undone_before(booked: Booked, part: e.Part) -> int:
    """Gross of a part that earlier reversals undid."""
    return sum(
        undone
        for leg, undone in zip(booked.entry.legs, booked.reversed, strict=True)
        if (leg.row, leg.sale_line) == (part.row, part.sale_line) and leg.debit
    )


def _between(part: e.Part, before: int, after: int) -> LineSplit:
    """The split of what lies between two grosses of a part, so that pieces add up to it."""
    low, high = sub_split(part, before), sub_split(part, after)
    return LineSplit(
        sale_line=part.sale_line,
        goods=high.goods - low.goods,
        shipping=high.shipping - low.shipping,
        tax=high.tax - low.tax,
    )


def _release(
    case: Case, booked: Booked, splits: tuple[LineSplit, ...], amount: int
) -> e.Event | None:
    action = case.action(booked.action_id)
    if action is not None and action.money == "restore":
        return e.SaleRestored(
            exception_id=str(case.id),
            action_id=booked.action_id,
            restores_action_id=action.terms.restores_action_id,
            lines=tuple(negated(s) for s in splits),
        )
    if action is None or action.money not in PAYOUTS:
        return None
    return e.RefundReleased(
        exception_id=str(case.id), action_id=booked.action_id, amount=amount, lines=splits
    )


def _unpay(case: Case, booked: Booked, _: tuple[LineSplit, ...], amount: int) -> e.Event | None:
    action = case.action(booked.action_id)
    if action is None or action.money not in PAYOUTS:
        return None
    return e.RefundPaid(exception_id=str(case.id), action_id=booked.action_id, amount=-amount)


def _unrefund(
    case: Case, booked: Booked, splits: tuple[LineSplit, ...], amount: int
) -> e.Event | None:
    if booked.outside not in OUTSIDE_REFUNDS:
        return None
    return e.OutsideRefundRecorded(
        kind="reversal",
        provider="",
        external_id=event_id(case.id, booked.version),
        exception_id=str(case.id),
        amount=-amount,
        lines=tuple(negated(s) for s in splits),
    )


def _unreceived(case: Case, booked: Booked, amounts: Sequence[int]) -> e.Event:
    """A customer's payment that never came is no money to give back."""
    legs = zip(booked.entry.legs, amounts, strict=True)
    return e.OutsideRefundRecorded(
        kind="reversal",
        provider="",
        external_id=event_id(case.id, booked.version),
        exception_id=str(case.id),
        amount=sum(amount for leg, amount in legs if leg.debit),
    )


_EFFECTS: dict[str, Callable[[Case, Booked, tuple[LineSplit, ...], int], e.Event | None]] = {
    "approval": _release,
    "outcome": _unpay,
    "outside": _unrefund,
}
"""By the kind of event that made the entry: what undoing it means for the order."""
