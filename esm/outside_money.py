"""Money that others moved: facts, recorded once per external id and never refused (D24).

A fact that overshoots what the order has left is booked to the customer's recovery account and
raises its own case in the same transaction (design §1).
"""

from collections.abc import Callable
from uuid import UUID

import msgspec

from esm import events as e
from esm.checks import Checks
from esm.commands import RecordExternalMoney
from esm.exception.actions import line_part
from esm.exception.booking import book_parts
from esm.exception.gates import is_carried
from esm.exception.intake import open_or_join, person_of
from esm.exception.reversal import touch_others
from esm.exception.state import Case
from esm.lifecycle import RECONCILED, SUCCEEDED, may
from esm.order.splits import spread, total
from esm.order.state import Commitment, Dispute, Order
from esm.postings import account_of, action_item, dispute_item, penalty_item
from esm.unit import Unit

FRAUD = "fraud"
SETTLED_BY_CHARGEBACK = "chargeback"
DISPUTE_REASONS = ("goods", "service", FRAUD, "other")


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """The request, checked, with its order as it stood before; amounts in minor units."""

    command: RecordExternalMoney
    unit: Unit
    order: Order
    amount: int
    fee: int
    fee_tax: int

    @property
    def settlement(self) -> dict[str, str]:
        """Where the money moved, as the parts of an entry name it."""
        return {"settlement": self.command.account}

    @property
    def key(self) -> tuple[str, str]:
        """What identifies a charge-back over its life."""
        return (self.command.provider, self.command.external_id)


def record_external_money(command: RecordExternalMoney, unit: Unit) -> tuple[UUID, ...]:
    """Record the fact. Gives the order, then the cases that it opened or touched."""
    fact = _check(command, unit)
    source = f"money/{command.provider}/{command.kind}"
    known = unit.source(source, command.external_id)
    if known is not None:
        unit.find(known)
        return (fact.order.id,) if known == fact.order.id else (fact.order.id, known)
    touched = _KINDS[command.kind](fact)
    primary = touched[0] if touched else fact.order.id
    unit.accept(source, command.external_id, primary)
    return (fact.order.id, *dict.fromkeys(touched))


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
        checks.one_of("reason", command.reason, DISPUTE_REASONS)
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
    _tell_order(fact, e.PaymentCaptured, amount=fact.amount)
    return ()


def _payout(fact: Fact) -> tuple[UUID, ...]:
    _tell_order(fact, e.OutsideMoneyNoted, kind=fact.command.kind, amount=fact.amount)
    return ()


def _customer_payment(fact: Fact) -> tuple[UUID, ...]:
    """V3: the customer pays what stands on the recovery account, oldest item first."""
    case = _answering(fact, "REFUND_DISPUTE")
    account = account_of(fact.unit.context.catalogue, "V3", "credit", "amount")
    parts, rest = [], fact.amount
    for (number, item), owed in case.balances.items():
        take = min(rest, owed) if number == account else 0
        if take > 0:
            parts.append(_facts(fact, "V3", item, amount=take))
            rest -= take
    if rest:
        parts.append(_facts(fact, "V3", "", amount=rest))
    _tell_case(fact, case, tuple(parts))
    _tell_order(fact, e.PaymentCaptured, amount=fact.amount, exception_id=str(case.id))
    return (case.id,)


def _outside_refund(fact: Fact) -> tuple[UUID, ...]:
    """R4: as our own refund would post, without gate or cap; the excess is recovered."""
    case = _answering(fact, "REFUND_DISPUTE")
    splits, excess = spread(fact.order, fact.amount)
    parts = [_with_account(fact, p) for p in _line_parts(fact, splits, "R4", "")]
    touched = [case.id]
    if excess:
        dispute = _overshoot(fact, case)
        touched.append(dispute.id)
        part = _facts(fact, "R4.excess", "", exception_id=_other(dispute, case), gross=excess)
        parts.append(part)
    _tell_case(fact, case, tuple(parts))
    _tell_order(
        fact,
        e.OutsideRefundRecorded,
        kind=fact.command.kind,
        exception_id=str(case.id),
        amount=fact.amount,
        excess=excess,
        lines=splits,
    )
    return tuple(touched)


def _chargeback_opened(fact: Fact) -> tuple[UUID, ...]:
    """H1: the funds are withheld; the charge-back has its own case."""
    case = _answering(fact, "CHARGEBACK")
    item = dispute_item(fact.command.external_id)
    facts = _facts(
        fact,
        "H1",
        item,
        disputed=fact.amount,
        fee=fact.fee,
        fee_tax=fact.fee_tax,
        total=fact.amount + fact.fee + fact.fee_tax,
    )
    _tell_case(fact, case, (facts,))
    _tell_order(
        fact,
        e.DisputeOpened,
        exception_id=str(case.id),
        amount=fact.amount,
        reason=fact.command.reason,
    )
    return (case.id,)


def _chargeback_won(fact: Fact) -> tuple[UUID, ...]:
    """H2: the funds come back."""
    case, dispute = _disputed(fact)
    item = dispute_item(dispute.external_id)
    parts = (_facts(fact, "H2", item, won=fact.amount), *_fee(fact, item))
    _tell_case(fact, case, parts)
    _tell_order(fact, e.DisputeClosed, exception_id=str(case.id), outcome="won", amount=fact.amount)
    return (case.id,)


def _chargeback_lost(fact: Fact) -> tuple[UUID, ...]:
    """H3, H4, H5: first what we owed the customer anyway, then the lines, then the excess."""
    case, dispute = _disputed(fact)
    item = dispute_item(dispute.external_id)
    settled = _settled(fact.order, fact.amount)
    owed = sum(taken for _, taken in settled)
    splits, excess = spread(fact.order, fact.amount - owed)
    parts = [_settled_part(fact, c, taken, case, item) for c, taken in settled]
    parts += _lost_lines(fact, dispute, splits, item)
    touched = [case.id]
    if excess:
        recovery = _overshoot(fact, case)
        touched.append(recovery.id)
        facts = _facts(fact, "H5", "", exception_id=str(recovery.id), gross=excess)
        parts.append(msgspec.structs.replace(facts, own_item=item))
    parts += _fee(fact, item)
    entry_cases = _tell_case(fact, case, tuple(parts), settled=settled)
    _tell_order(
        fact,
        e.DisputeClosed,
        exception_id=str(case.id),
        outcome="lost",
        amount=fact.amount,
        settled=owed,
        excess=excess,
        lines=splits,
    )
    for commitment, taken in settled:
        _tell_order(
            fact,
            e.RefundPaid,
            exception_id=commitment.exception_id,
            action_id=commitment.action_id,
            amount=taken,
        )
    return (*touched, *entry_cases)


def _wallet_deduction(fact: Fact) -> tuple[UUID, ...]:
    """Q1: the platform took a penalty; what it had not notified is notified by taking it."""
    case = _answering(fact, "PLATFORM_COMPLAINT")
    item = penalty_item(fact.command.external_id)
    account = account_of(fact.unit.context.catalogue, "Q1.paid", "debit", "amount")
    notified = -case.balances.get((account, item), 0)
    fresh = max(fact.amount - notified, 0)
    _tell_case(
        fact,
        case,
        (
            _facts(fact, "Q1.notified", item, amount=fresh),
            _facts(fact, "Q1.paid", item, amount=fact.amount),
        ),
    )
    _tell_order(
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
    "chargeback_opened": _chargeback_opened,
    "chargeback_won": _chargeback_won,
    "chargeback_lost": _chargeback_lost,
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
        carried = case.state == RECONCILED and any(
            is_carried(case, item) for _, item in case.balances
        )
        if may(case.state, "money") or carried:
            return case
    return _own_case(fact, code, command.external_id, raised_by=command.exception_id)


def _own_case(fact: Fact, code: str, source_id: str, raised_by: str) -> Case:
    unit = fact.unit
    subject = e.Subject(order_id=fact.order.order_id)
    case_id = open_or_join(
        unit,
        unit.context.catalogue.type_of(code),
        subject=subject,
        source=e.Source(
            kind="platform",
            feed=fact.command.provider,
            source_id=source_id,
            occurred=unit.context.occurred,
            received=unit.context.now,
        ),
        stage="breached",
        person=person_of("", subject),
        raised_by=raised_by,
    )
    return unit.case(str(case_id))


def _overshoot(fact: Fact, case: Case) -> Case:
    """The case that recovers what was paid above the order: the case itself if it is that one."""
    code = "REFUND_DISPUTE"
    if case.family == fact.unit.context.catalogue.type_of(code).family:
        return case
    return _own_case(fact, code, fact.command.external_id, raised_by=str(case.id))


def _disputed(fact: Fact) -> tuple[Case, Dispute]:
    """The case and the open charge-back that a verdict closes; one never opened opens first."""
    found = _find(fact.order, fact.key)
    missing = fact.amount - (found.amount if found and found.status == "open" else 0)
    if missing > 0:
        opening = msgspec.structs.replace(fact, amount=missing, fee=0, fee_tax=0)
        _chargeback_opened(opening)
    dispute = _find(fact.unit.order(fact.order.order_id), fact.key)
    assert dispute is not None, "opened above"
    return fact.unit.case(dispute.exception_id), dispute


def _find(order: Order, key: tuple[str, str]) -> Dispute | None:
    return next((d for d in order.disputes if (d.provider, d.external_id) == key), None)


def _settled(order: Order, amount: int) -> tuple[tuple[Commitment, int], ...]:
    """Unpaid refunds that a lost charge-back pays, oldest first, with how much of each."""
    found = []
    for commitment in order.commitments:
        take = min(amount, commitment.unpaid) if commitment.payout == "refund" else 0
        if take > 0:
            found.append((commitment, take))
            amount -= take
    return tuple(found)


def _settled_part(fact: Fact, commitment: Commitment, taken: int, case: Case, item: str) -> e.Part:
    own = commitment.exception_id == str(case.id)
    facts = _facts(
        fact,
        "H3",
        action_item(commitment.action_id),
        exception_id="" if own else commitment.exception_id,
        gross=taken,
    )
    return msgspec.structs.replace(facts, own_item=item, action_id=commitment.action_id)


def _lost_lines(
    fact: Fact, dispute: Dispute, splits: tuple[e.LineSplit, ...], item: str
) -> list[e.Part]:
    """H4: revenue is undone, or fraud is a loss of ours."""
    if (fact.command.reason or dispute.reason) != FRAUD:
        return _line_parts(fact, splits, "H4", item)
    amount = total(splits)
    if not amount:
        return []
    facts = _facts(fact, "H4.fraud", item, gross=amount)
    return [msgspec.structs.replace(facts, own_item=item)]


def _line_parts(fact: Fact, splits: tuple[e.LineSplit, ...], row: str, item: str) -> list[e.Part]:
    parts = []
    for split in splits:
        line = fact.order.line(split.sale_line)
        assert line is not None, "spread names lines of the order"
        parts.append(
            line_part(
                split,
                f"{row}.{'recognised' if line.sale.sale_recognised_at else 'advance'}",
                line,
                documented=bool(fact.command.tax_document),
                item=item,
                own_item=item,
            )
        )
    return parts


def _fee(fact: Fact, item: str) -> list[e.Part]:
    """A fee that comes with the verdict."""
    if not fact.fee + fact.fee_tax:
        return []
    return [
        _facts(
            fact,
            "H.fee",
            item,
            fee=fact.fee,
            fee_tax=fact.fee_tax,
            total=fact.fee + fact.fee_tax,
        )
    ]


def _facts(fact: Fact, row: str, item: str, *, exception_id: str = "", **amounts: int) -> e.Part:
    return e.Part(
        row=row,
        amounts=amounts,
        accounts=fact.settlement,
        item=item,
        exception_id=exception_id,
    )


def _with_account(fact: Fact, part: e.Part) -> e.Part:
    return msgspec.structs.replace(part, accounts=fact.settlement)


def _other(owner: Case, case: Case) -> str:
    return "" if owner.id == case.id else str(owner.id)


def _tell_case(
    fact: Fact,
    case: Case,
    parts: tuple[e.Part, ...],
    settled: tuple[tuple[Commitment, int], ...] = (),
) -> list[UUID]:
    """Record the fact on its case, and its balance events on the others it touches."""
    unit, command = fact.unit, fact.command
    entry = book_parts(unit, case, parts)
    unit.record(
        case.id,
        e.OutsideMoneyRecorded(
            catalogue=unit.context.catalogue.digest,
            kind=command.kind,
            provider=command.provider,
            external_id=command.external_id,
            amount=fact.amount,
            currency=fact.order.currency,
            fee=fact.fee,
            reason=command.reason,
            entry=entry,
        ),
    )
    if entry is None:
        return []
    return touch_others(unit, case, entry, _endings(settled))


def _endings(settled: tuple[tuple[Commitment, int], ...]) -> dict[str, str]:
    """Action -> status, of the refunds that a charge-back settled whole."""
    return {c.action_id: SUCCEEDED for c, taken in settled if taken == c.unpaid}


def _tell_order(fact: Fact, event: type[e.Event], **fields: object) -> None:
    if hasattr(event, "provider"):
        fields = {"provider": fact.command.provider, **fields}
    if hasattr(event, "external_id"):
        fields = {"external_id": fact.command.external_id, **fields}
    digest = fact.unit.context.catalogue.digest
    fact.unit.record(fact.order.id, event(catalogue=digest, **fields))
