"""Money that others moved: facts, recorded once per external id and never refused (D24).

A fact that overshoots what the order has left is booked to the customer's recovery account and
raises its own case in the same transaction (design §1).
"""

from collections.abc import Callable
from uuid import UUID

import msgspec

from esm import disputes
from esm import events as e
from esm.checks import Checks
from esm.commands import RecordExternalMoney
from esm.evolve import State
from esm.exception.gates import is_carried, item_ref
from esm.exception.state import Case
from esm.lifecycle import RECONCILED, may
from esm.money_fact import (
    RECOVERY_CODE,
    Fact,
    facts_of,
    line_parts,
    overshoot,
    own_case,
    tell_case,
    tell_order,
)
from esm.order.splits import spread
from esm.order.state import Order
from esm.postings import account_of, penalty_item
from esm.unit import Unit


def record_external_money(command: RecordExternalMoney, unit: Unit) -> tuple[UUID, ...]:
    """Record the fact. Gives the order, then the cases that it opened or touched.

    A repeat changes nothing. Raises :class:`~esm.errors.InvalidCommand` when it says something
    else than what was recorded under its external id.
    """
    fact = _check(command, unit)
    dispute = command.kind.startswith("chargeback")
    round_ = disputes.round_of(fact) if dispute else 1
    source, source_id = fact.source(command.kind), fact.source_id(round_)
    known = unit.source(source, source_id)
    if known is not None and (state := unit.find(known)) is not None:
        _check_repeat(fact, state, round_)
        return (fact.order.id,) if known == fact.order.id else (fact.order.id, known)
    touched = _KINDS[command.kind](fact)
    primary = touched[0] if touched else fact.order.id
    unit.accept(source, source_id, primary)
    return (fact.order.id, *dict.fromkeys(touched))


def _check_repeat(fact: Fact, known: State, round_: int) -> None:
    """Another amount or order under a known id is not dropped in silence."""
    checks, command = Checks(), fact.command
    order_id = known.subject.order_id if isinstance(known, Case) else fact.order.order_id
    if isinstance(known, Order):
        order_id = known.order_id
    checks.require(
        order_id == fact.order.order_id, "external_id", f"was recorded for order {order_id!r}"
    )
    checks.done()
    key = (command.kind, command.provider, command.external_id, round_)
    told = next((x for x in fact.order.outside if x.key == key), None)
    if told is None:
        return
    fields = ["amount"]
    if command.kind.startswith("chargeback"):
        fields += ["fee", "fee_tax"]
    for field in fields:
        before, now = getattr(told, field), getattr(fact, field)
        checks.require(
            now == before,
            field,
            f"{before} minor units were recorded under {command.external_id!r}, not {now}",
        )
    checks.done()


def _check(command: RecordExternalMoney, unit: Unit) -> Fact:
    order = unit.order(command.order_id)
    catalogue = unit.context.catalogue
    checks = Checks()
    checks.one_of("kind", command.kind, _KINDS)
    checks.identifier("provider", command.provider)
    checks.identifier("external_id", command.external_id)
    checks.identifier("tax_document", command.tax_document, required=False)
    if command.kind in _NAMES_ACCOUNT:
        checks.one_of("account", command.account, catalogue.choices["settlement"])
    if command.kind.startswith("chargeback") and command.reason:
        checks.one_of("reason", command.reason, disputes.DISPUTE_REASONS)
    if command.kind == "customer_payment":
        checks.identifier("exception_id", command.exception_id)
    amount = checks.money("amount", command.amount, catalogue, order.currency)
    fees = [
        checks.money(f, getattr(command, f), catalogue, order.currency, required=False, zero=True)
        for f in ("fee", "fee_tax")
    ]
    if command.exception_id:
        case = unit.case(command.exception_id)
        checks.require(
            case.subject.order_id == order.order_id,
            "exception_id",
            f"is about order {case.subject.order_id!r}, the money about {order.order_id!r}",
        )
    checks.done()
    return Fact(
        command=command, unit=unit, order=order, amount=amount, fee=fees[0], fee_tax=fees[1]
    )


def _payment_captured(fact: Fact) -> tuple[UUID, ...]:
    _check_tender(fact)
    tell_order(fact, e.PaymentCaptured, amount=fact.amount)
    return ()


def _check_tender(fact: Fact) -> None:
    """A payment that the order names as a tender already says the same of it."""
    key = (fact.command.provider, fact.command.external_id)
    known = next((t for t in fact.order.tenders if (t.provider, t.external_id) == key), None)
    checks = Checks()
    if known is not None:
        checks.require(
            known.captured == fact.amount,
            "amount",
            f"{known.captured} minor units were recorded under {known.external_id!r}",
        )
    checks.done()


def _payout(fact: Fact) -> tuple[UUID, ...]:
    tell_order(fact, e.OutsideMoneyNoted, kind=fact.command.kind, amount=fact.amount)
    return ()


def _customer_payment(fact: Fact) -> tuple[UUID, ...]:
    """V3: the customer pays what stands on the recovery account, oldest item first.

    A reconciled case takes what of it is carried; what is paid above that is another case's.
    """
    _check_tender(fact)
    account = account_of(fact.unit.context.catalogue, "V3", "credit", "amount")
    named = fact.unit.case(fact.command.exception_id)
    settles = named.state == RECONCILED and bool(_owed(named, account))
    case = named if settles else _answering(fact, RECOVERY_CODE)
    parts, rest = [], fact.amount
    for item, owed in _owed(case, account):
        take = min(rest, owed)
        if take:
            parts.append(facts_of(fact, "V3", item, amount=take))
            rest -= take
    touched = [case.id]
    if rest:
        other = case
        if settles:
            other = own_case(fact, RECOVERY_CODE, fact.command.external_id, raised_by=str(case.id))
            touched.append(other.id)
        owner = _other(other, case)
        parts.append(facts_of(fact, "V3", "", exception_id=owner, amount=rest))
    tell_case(fact, case, tuple(parts))
    tell_order(fact, e.PaymentCaptured, amount=fact.amount, exception_id=str(case.id))
    return tuple(touched)


def _owed(case: Case, account: str) -> list[tuple[str, int]]:
    """Items that the customer owes, as (item, minor units); of a reconciled case the carried."""
    return [
        (item, owed)
        for (number, item), owed in case.balances.items()
        if number == account
        and owed > 0
        and (case.state != RECONCILED or is_carried(case, item_ref(number, item)))
    ]


def _outside_refund(fact: Fact) -> tuple[UUID, ...]:
    """R4: as our own refund would post, without gate or cap; the excess is recovered."""
    case = _answering(fact, RECOVERY_CODE)
    splits, excess = spread(fact.order, fact.amount)
    parts = [_with_account(fact, p) for p in line_parts(fact, splits, "R4", "")]
    touched = [case.id]
    if excess:
        dispute = overshoot(fact, case)
        touched.append(dispute.id)
        part = facts_of(fact, "R4.excess", "", exception_id=_other(dispute, case), gross=excess)
        parts.append(part)
    tell_case(fact, case, tuple(parts))
    tell_order(
        fact,
        e.OutsideRefundRecorded,
        kind=fact.command.kind,
        exception_id=str(case.id),
        amount=fact.amount,
        excess=excess,
        lines=splits,
    )
    return tuple(touched)


def _wallet_deduction(fact: Fact) -> tuple[UUID, ...]:
    """Q1: the platform took a penalty; what it had not notified is notified by taking it."""
    case = _answering(fact, "PLATFORM_COMPLAINT")
    item = penalty_item(fact.command.external_id)
    account = account_of(fact.unit.context.catalogue, "Q1.paid", "debit", "amount")
    notified = -case.balances.get((account, item), 0)
    fresh = max(fact.amount - notified, 0)
    tell_case(
        fact,
        case,
        (
            facts_of(fact, "Q1.notified", item, amount=fresh),
            facts_of(fact, "Q1.paid", item, amount=fact.amount),
        ),
    )
    tell_order(
        fact,
        e.OutsideMoneyNoted,
        kind=fact.command.kind,
        amount=fact.amount,
        exception_id=str(case.id),
    )
    return (case.id,)


_KINDS: dict[str, Callable[[Fact], tuple[UUID, ...]]] = {
    "payment_captured": _payment_captured,
    "customer_payment": _customer_payment,
    "platform_refund": _outside_refund,
    "provider_refund": _outside_refund,
    disputes.OPENED: disputes.opened,
    disputes.WON: disputes.won,
    disputes.LOST: disputes.lost,
    "wallet_deduction": _wallet_deduction,
    "payout": _payout,
}
"""Kind of outside money -> what it means."""

_NAMES_ACCOUNT = frozenset(_KINDS) - {"payment_captured", "wallet_deduction", "payout"}
"""Kinds whose entry needs to know where the money moved."""


def _answering(fact: Fact, code: str) -> Case:
    """The case that answers for the money: the one named if it still may, else one of its own."""
    unit, command = fact.unit, fact.command
    if command.exception_id:
        case = unit.case(command.exception_id)
        if may(case.state, "money"):
            return case
    return own_case(fact, code, command.external_id, raised_by=command.exception_id)


def _with_account(fact: Fact, part: e.Part) -> e.Part:
    return msgspec.structs.replace(part, accounts=fact.settlement)


def _other(owner: Case, case: Case) -> str:
    return "" if owner.id == case.id else str(owner.id)
