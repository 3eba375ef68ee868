"""Charge-backs: withheld, won or lost, on a case of their own for all their life (H1 to H5)."""

from uuid import UUID

import msgspec

from esm import events as e
from esm.checks import Checks
from esm.exception.state import Case
from esm.lifecycle import may
from esm.money_fact import (
    Fact,
    facts_of,
    line_parts,
    overshoot,
    own_case,
    tell_case,
    tell_order,
)
from esm.order.splits import spread, total
from esm.order.state import Commitment, Dispute, Order
from esm.postings import action_item, dispute_item

OPENED, WON, LOST = "chargeback_opened", "chargeback_won", "chargeback_lost"
CODE = "CHARGEBACK"
FRAUD = "fraud"
DISPUTE_REASONS = ("goods", "service", FRAUD, "other")
_OUTCOMES = {WON: "won", LOST: "lost"}


def round_of(fact: Fact) -> int:
    """Which opening of the charge-back the fact belongs to, counted from 1.

    What is told of a decided one counts as another opening only when it happened later; a
    repeat tells of the same time again.
    """
    dispute, kind = _find(fact), fact.command.kind
    if dispute is None:
        return 1
    occurred = fact.unit.context.occurred
    if dispute.round > 1 and occurred < dispute.opened:
        return dispute.round - 1
    if dispute.status == "open" or _OUTCOMES.get(kind) in dispute.verdicts:
        return dispute.round
    return dispute.round + (kind != OPENED or occurred > dispute.decided)


def opened(fact: Fact) -> tuple[UUID, ...]:
    """H1: the funds are withheld; the charge-back has its own case."""
    command = fact.command
    dispute = _find(fact)
    case = _case_of(fact, dispute)
    facts = facts_of(
        fact,
        "H1",
        dispute_item(command.external_id),
        disputed=fact.amount,
        fee=fact.fee,
        fee_tax=fact.fee_tax,
        total=fact.amount + fact.fee + fact.fee_tax,
    )
    tell_case(fact, case, (facts,))
    tell_order(
        fact,
        e.DisputeOpened,
        exception_id=str(case.id),
        amount=fact.amount,
        reason=command.reason,
    )
    return (case.id,)


def won(fact: Fact) -> tuple[UUID, ...]:
    """H2: the funds come back."""
    case, dispute = _disputed(fact)
    item = dispute_item(dispute.external_id)
    parts = (facts_of(fact, "H2", item, won=fact.amount), *_fee(fact, item))
    tell_case(fact, case, parts)
    tell_order(fact, e.DisputeClosed, exception_id=str(case.id), outcome="won", amount=fact.amount)
    return (case.id,)


def lost(fact: Fact) -> tuple[UUID, ...]:
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
        recovery = overshoot(fact, case)
        touched.append(recovery.id)
        facts = facts_of(fact, "H5", "", exception_id=str(recovery.id), gross=excess)
        parts.append(msgspec.structs.replace(facts, own_item=item))
    parts += _fee(fact, item)
    entry_cases = tell_case(fact, case, tuple(parts), settled=settled)
    tell_order(
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
        tell_order(
            fact,
            e.RefundPaid,
            exception_id=commitment.exception_id,
            action_id=commitment.action_id,
            amount=taken,
        )
    return (*touched, *entry_cases)


def _case_of(fact: Fact, dispute: Dispute | None) -> Case:
    """An open charge-back stays on its case; the case that was named only raised it."""
    unit, command = fact.unit, fact.command
    if dispute is not None:
        case = unit.case(dispute.exception_id)
        if dispute.status == "open" or may(case.state, "money"):
            return case
    return own_case(fact, CODE, command.external_id, raised_by=command.exception_id)


def _disputed(fact: Fact) -> tuple[Case, Dispute]:
    """The case and the open charge-back that a verdict closes; what was never opened opens first.

    The opening that nobody told us of is accepted with it, so that its late notice is a repeat.
    """
    found = _find(fact)
    is_open = found is not None and found.status == "open"
    missing = fact.amount - (found.amount if found is not None and is_open else 0)
    if missing > 0:
        if not is_open:
            _require_unknown_opening(fact)
        (case_id,) = opened(msgspec.structs.replace(fact, amount=missing, fee=0, fee_tax=0))
        if not is_open:
            fact.unit.accept(fact.source(OPENED), fact.source_id(round_of(fact)), case_id)
    dispute = _find(fact)
    assert dispute is not None, "opened above"
    return fact.unit.case(dispute.exception_id), dispute


def _require_unknown_opening(fact: Fact) -> None:
    """What this order never heard of may be another order's charge-back."""
    known = fact.unit.source(fact.source(OPENED), fact.source_id(round_of(fact)))
    case = fact.unit.find(known) if known is not None else None
    checks = Checks()
    if isinstance(case, Case) and case.subject.order_id != fact.order.order_id:
        checks.refuse("external_id", f"was opened for order {case.subject.order_id!r}")
    checks.done()


def _find(fact: Fact) -> Dispute | None:
    order = fact.unit.order(fact.order.order_id)
    return order.dispute(fact.command.provider, fact.command.external_id)


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
    facts = facts_of(
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
        return line_parts(fact, splits, "H4", item)
    amount = total(splits)
    if not amount:
        return []
    facts = facts_of(fact, "H4.fraud", item, gross=amount)
    return [msgspec.structs.replace(facts, own_item=item)]


def _fee(fact: Fact, item: str) -> list[e.Part]:
    """A fee that comes with the verdict."""
    if not fact.fee + fact.fee_tax:
        return []
    return [
        facts_of(
            fact,
            "H.fee",
            item,
            fee=fact.fee,
            fee_tax=fact.fee_tax,
            total=fact.fee + fact.fee_tax,
        )
    ]
