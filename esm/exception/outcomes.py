"""What became of an action: one small function per outcome, in a table."""

from collections.abc import Callable
from uuid import UUID

import msgspec

from esm import events as e
from esm import lifecycle
from esm.catalog import NotInCatalogue, Remedy
from esm.checks import Checks
from esm.commands import RecordActionOutcome
from esm.errors import IllegalActionMove
from esm.exception.actions import find_action, owed, part, require_move
from esm.exception.booking import (
    MEMO,
    PAYOUTS,
    RECEIVABLE,
    LegName,
    balance,
    book_parts,
    booked_at,
    mirror_booked,
    order_effect,
    rest_of,
)
from esm.exception.state import Action, Case
from esm.lifecycle import next_status
from esm.unit import Unit

COUPON_OUTCOMES = ("coupon_used", "coupon_revoked", "coupon_expired")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome being recorded: the request, where it lands, and its findings so far."""

    command: RecordActionOutcome
    unit: Unit
    case: Case
    action: Action
    remedy: Remedy
    checks: Checks

    def money(self, field: str, *, required: bool = True, zero: bool = False) -> int:
        """An amount of the request in the order's currency; minor units."""
        return self.checks.money(
            field,
            getattr(self.command, field),
            self.unit.context.catalogue,
            self.action.terms.currency,
            required=required,
            zero=zero,
        )

    def settlement(self) -> dict[str, str]:
        """The account that the confirmation names, one of those the rows allow."""
        allowed = self.unit.context.catalogue.choices["settlement"]
        self.checks.one_of("account", self.command.account, allowed)
        return {"settlement": self.command.account}

    def row(self, step: str) -> str:
        """The posting row of a step of this remedy; refuses an outcome that is not its own."""
        row = self.remedy.rows.get(step)  # type: ignore[call-overload]  # step names are data
        if not isinstance(row, str):
            self.checks.refuse(
                "outcome", f"{self.command.outcome} is no outcome of {self.remedy.kind}"
            )
            self.checks.done()
        return str(row)

    def balance(self, leg: LegName) -> int:
        """What stands under the action on the account of the leg; debit positive."""
        return balance(self.unit, self.case, self.action, leg)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What an outcome leads to: parts or a ready entry, amounts, and the order's side."""

    parts: tuple[e.Part, ...] = ()
    entry: e.Entry | None = None
    amount: int = 0
    fee: int = 0
    status: str = ""
    order_event: e.Event | None = None


def record_action_outcome(command: RecordActionOutcome, unit: Unit) -> UUID:
    """Record what became of an action; the money it moved is posted by the remedy's rows."""
    case, action, remedy = find_action(command, unit)
    checks = Checks()
    checks.one_of("outcome", command.outcome, _OUTCOMES)
    for field in ("external_id", "account", "shipment_code", "logistics_line"):
        checks.identifier(field, getattr(command, field), required=False)
    checks.text("note", command.note, required=False)
    checks.done()
    state = require_move(case, action, _move(case, action, command.outcome))
    status = next_status(action.action_id, action.status, command.outcome)
    call = Call(command=command, unit=unit, case=case, action=action, remedy=remedy, checks=checks)
    result = _OUTCOMES[command.outcome](call)
    checks.done()
    unit.record(
        case.id,
        e.ActionOutcomeRecorded(
            catalogue=unit.context.catalogue.digest,
            action_id=action.action_id,
            outcome=command.outcome,
            from_status=action.status,
            status=result.status or status,
            from_state=case.state,
            state=state,
            amount=result.amount,
            fee=result.fee,
            external_id=command.external_id,
            account=command.account,
            shipment_code=command.shipment_code,
            logistics_line=command.logistics_line,
            note=unit.seal(case.person, command.note),
            entry=result.entry or book_parts(unit, case, result.parts),
        ),
    )
    if result.order_event is not None:
        unit.record(unit.order(case.subject.order_id).id, result.order_event)
    return case.id


def _move(case: Case, action: Action, outcome: str) -> str:
    if outcome in COUPON_OUTCOMES and case.state in (lifecycle.REMEDIATED, lifecycle.RECONCILED):
        return "redeem"
    if outcome == "failed" and action.settled_by:
        status = f"{action.status} ({action.settled_by})"
        raise IllegalActionMove(outcome, action.action_id, status, ())
    if outcome == "failed" and action.status == lifecycle.SUCCEEDED:
        return "fail_after_success" if case.state == lifecycle.REMEDIATED else "act"
    return "act"


def _acknowledged(_: Call) -> Result:
    return Result()


def _succeeded(call: Call) -> Result:
    money = call.action.money
    if money in PAYOUTS:
        return _paid_out(call)
    if money == "coupon":
        return _coupon_issued(call)
    if money == "claim":
        call.checks.refuse("outcome", "a claim ends by claim_paid or claim_denied")
    if money == "reshipment" and not call.action.dispatched:
        call.checks.refuse("outcome", "record dispatched (S2) before succeeded")
    return Result()


def _paid_out(call: Call) -> Result:
    """R3: what is owed was paid from the account that the confirmation names."""
    amount = owed(call.unit, call.case, call.action, call.remedy)
    given = call.money("amount", required=False)
    call.checks.require(
        given in (0, amount), "amount", f"{amount} minor units are owed, {given} were named"
    )
    call.checks.identifier("external_id", call.command.external_id)
    accounts = call.settlement()
    facts = part(call.action, call.row("succeeded"), gross=amount)
    paid = e.RefundPaid(
        exception_id=str(call.case.id),
        action_id=call.action.action_id,
        amount=amount,
        external_id=call.command.external_id,
    )
    return Result(
        parts=(msgspec.structs.replace(facts, accounts=accounts),),
        amount=amount,
        order_event=paid,
    )


def _coupon_issued(call: Call) -> Result:
    """P3: a coupon is worth its face times the expected use of its kind."""
    terms = call.action.terms
    date = call.unit.context.occurred[:10]
    try:
        percent = call.unit.context.catalogue.expected_use(terms.coupon_kind, date)
    except NotInCatalogue:
        call.checks.refuse("occurred_at", f"no expected use of a {terms.coupon_kind} on {date}")
        return Result()
    value = (2 * terms.amount * percent + 100) // 200
    return Result(parts=(part(call.action, call.row("succeeded"), value=value),), amount=value)


def _failed(call: Call) -> Result:
    """R5 when a success is later reported failed; a failure before that posts nothing."""
    action = call.action
    if action.money == "claim":
        call.checks.refuse("outcome", "a claim ends by claim_paid or claim_denied")
    if action.status != lifecycle.SUCCEEDED:
        return Result()
    paid = booked_at(call.case, action.paid_version)
    if paid is None:
        return Result()
    row = call.row("failed_after_succeeded")
    restored = [
        a.action_id
        for a in call.case.actions
        if a.terms.restores_action_id == action.action_id
        and a.status not in (lifecycle.PROPOSED, lifecycle.CANCELLED)
    ]
    call.checks.require(not restored, "outcome", f"cancel {restored} first: it restores the sale")
    amounts = rest_of(paid)
    return Result(
        entry=mirror_booked(call.unit, call.case, paid, row, amounts),
        amount=action.amount,
        order_event=order_effect(call.case, paid, amounts),
    )


def _dispatched(call: Call) -> Result:
    """S2: the parcel left at its true cost; the differences end the obligation at zero."""
    row, terms = call.row("dispatched"), call.action.terms
    goods, freight = call.money("goods_cost", zero=True), call.money("freight", zero=True)
    order = call.unit.order(call.case.subject.order_id)
    call.checks.require(not call.action.dispatched, "outcome", "it was dispatched before")
    call.checks.require(
        order.logistics_line(call.command.logistics_line) is not None,
        "logistics_line",
        "name the billing line of the order that carries the freight",
    )
    call.checks.identifier("shipment_code", call.command.shipment_code)
    facts = msgspec.structs.replace(
        part(
            call.action,
            row,
            obligation=terms.goods_cost + terms.freight,
            goods_difference=goods - terms.goods_cost,
            freight_difference=freight - terms.freight,
            goods_cost=goods,
            freight=freight,
        ),
        logistics_line=call.command.logistics_line,
        shipment_code=call.command.shipment_code,
    )
    return Result(parts=(facts,), amount=goods, fee=freight)


def _claim_approved(call: Call) -> Result:
    """C2: a of b approved; the rest stays memo until denied or appealed."""
    row = call.row("claim_approved")
    amount, filed = call.money("amount"), call.balance(MEMO)
    call.checks.require(
        amount <= filed, "amount", f"{filed} minor units are filed and not answered"
    )
    return Result(parts=(part(call.action, row, approved=amount),), amount=amount)


def _claim_paid(call: Call) -> Result:
    """C3: paid net of a fee; the claim ends when nothing of it is open."""
    row = call.row("claim_paid")
    net, fee = call.money("amount"), call.money("fee", required=False, zero=True)
    receivable = call.balance(RECEIVABLE)
    call.checks.require(
        net + fee <= receivable, "amount", f"{receivable} minor units are approved and unpaid"
    )
    facts = part(call.action, row, net=net, fee=fee, amount=net + fee)
    open_rest = receivable - net - fee + call.balance(MEMO)
    return Result(
        parts=(msgspec.structs.replace(facts, accounts=call.settlement()),),
        amount=net,
        fee=fee,
        status="" if open_rest else lifecycle.SUCCEEDED,
    )


def _claim_denied(call: Call) -> Result:
    """C4: what is not approved is out of the memo; denied whole, the claim failed."""
    row = call.row("claim_denied")
    memo = call.balance(MEMO)
    call.checks.require(memo > 0, "outcome", "nothing of the claim is unanswered")
    if call.balance(RECEIVABLE):
        status = ""
    else:
        status = lifecycle.SUCCEEDED if call.action.amount else lifecycle.FAILED
    return Result(parts=(part(call.action, row, memo=memo),), amount=memo, status=status)


def _coupon_ended(call: Call) -> Result:
    """P4: used up, revoked or expired."""
    outcome = call.command.outcome
    row = call.row(outcome)
    call.checks.require(
        not call.action.settled_by, "outcome", f"the coupon is {call.action.settled_by} already"
    )
    value, face = call.action.amount, call.action.terms.amount
    amounts = {"value": value}
    if outcome == "coupon_used":
        amounts |= {"face": face, "face_rest": face - value}
    return Result(parts=(part(call.action, row, **amounts),), amount=face)


_OUTCOMES: dict[str, Callable[[Call], Result]] = {
    "acknowledged": _acknowledged,
    "succeeded": _succeeded,
    "failed": _failed,
    "dispatched": _dispatched,
    "claim_approved": _claim_approved,
    "claim_paid": _claim_paid,
    "claim_denied": _claim_denied,
    "coupon_used": _coupon_ended,
    "coupon_revoked": _coupon_ended,
    "coupon_expired": _coupon_ended,
}
"""Outcome -> what it means; the action rule-book says from which status it is possible."""
