"""Remedies from proposal to submission, their cancellation and a claim's write-off."""

from collections.abc import Mapping
from typing import cast
from uuid import UUID

from esm import commands as c
from esm import events as e
from esm.catalog import Remedy
from esm.catalog.model import Basis
from esm.checks import Checks
from esm.errors import (
    ActionNotFound,
    ActionsUnfinished,
    AmountExceedsAvailable,
    DisputeOpen,
    SecondPersonRequired,
)
from esm.exception.booking import (
    MEMO,
    PAYOUTS,
    RECEIVABLE,
    Booking,
    balance,
    book_parts,
    undo_approval,
)
from esm.exception.gates import is_carried, require_checklist, require_last_event
from esm.exception.state import Action, Case
from esm.exception.terms import BEYOND, terms_of
from esm.ids import action_id
from esm.lifecycle import RECONCILED, SUCCEEDED, next_state, next_status
from esm.order.splits import gross, shipping_rest, split_gross, total
from esm.order.state import Line, Order
from esm.postings import action_item
from esm.unit import Unit


def propose_action(command: c.ProposeAction, unit: Unit) -> UUID:
    """Propose a remedy; gate C binds whatever promises money or a date."""
    case = unit.case(command.exception_id)
    catalogue = unit.context.catalogue
    checks = Checks()
    checks.known("kind", command.kind, catalogue.remedies, "a remedy")
    checks.done()
    remedy = catalogue.remedy(command.kind)
    state = next_state(case.state, "propose" if _for_customer(remedy) else "propose_recovery")
    _require_known(case, unit, remedy)
    terms = terms_of(command, unit, case, remedy)
    unit.record(
        case.id,
        e.ActionProposed(
            catalogue=catalogue.digest,
            action_id=action_id(case.id, len(case.actions) + 1),
            kind=remedy.kind,
            side=remedy.side,
            money=remedy.money,
            by=unit.context.actor,
            terms=terms,
            from_state=case.state,
            state=state,
            explanation=unit.seal(case.person, command.explanation),
        ),
    )
    return case.id


def approve_action(command: c.ApproveAction, unit: Unit) -> UUID:
    """Decide the remedy: money that we then owe is posted and counted on the order (D12)."""
    case, action, remedy = find_action(command, unit)
    require_move(case, action, "act")
    next_status(action.action_id, action.status, "approve")
    _require_known(case, unit, remedy)
    booking = _approval(unit, case, action, remedy)
    unit.record(
        case.id,
        e.ActionApproved(
            catalogue=unit.context.catalogue.digest,
            action_id=action.action_id,
            by=unit.context.actor,
            amount=booking.amount,
            entry=book_parts(unit, case, booking.parts),
        ),
    )
    if booking.order_event is not None:
        unit.record(unit.order(case.subject.order_id).id, booking.order_event)
    return case.id


def submit_action(command: c.SubmitAction, unit: Unit) -> UUID:
    """Hand the remedy to whoever carries it out; a claim is noted as filed (memo).

    So is one that was denied whole and is filed again: its memo is gone.
    """
    case, action, remedy = find_action(command, unit)
    checks = Checks()
    checks.identifier("external_id", command.external_id, required=False)
    checks.done()
    require_move(case, action, "act")
    next_status(action.action_id, action.status, "submit")
    if remedy.money in PAYOUTS:
        order = unit.order(case.subject.order_id)
        _require_no_dispute(order)
        _require_not_overpaid(order, owed(unit, case, action, remedy))
        if owed(unit, case, action, remedy) == 0:
            raise ActionsUnfinished(f"nothing is owed for action {action.action_id} any more")
    parts: tuple[e.Part, ...] = ()
    row = remedy.rows.get("submitted")
    if isinstance(row, str) and balance(unit, case, action, MEMO) == 0:
        parts = (part(action, row, claimed=action.terms.amount),)
    unit.record(
        case.id,
        e.ActionSubmitted(
            catalogue=unit.context.catalogue.digest,
            action_id=action.action_id,
            external_id=command.external_id,
            entry=book_parts(unit, case, parts),
        ),
    )
    return case.id


def cancel_action(command: c.CancelAction, unit: Unit) -> UUID:
    """The action will not happen: what approval posted and is still owed is mirrored."""
    case, action, remedy = find_action(command, unit)
    checks = Checks()
    checks.text("reason", command.reason, required=False)
    checks.done()
    require_move(case, action, "act")
    next_status(action.action_id, action.status, "cancel")
    booking = undo_approval(unit, case, action, remedy, owed(unit, case, action, remedy))
    unit.record(
        case.id,
        e.ActionCancelled(
            catalogue=unit.context.catalogue.digest,
            action_id=action.action_id,
            from_status=action.status,
            reason=unit.seal(case.person, command.reason),
            entry=booking.entry,
        ),
    )
    if booking.order_event is not None:
        unit.record(unit.order(case.subject.order_id).id, booking.order_event)
    return case.id


def write_off_action(command: c.WriteOffAction, unit: Unit) -> UUID:
    """Give up an approved, unpaid claim (C5): the first actor proposes, another confirms."""
    case, action, remedy = find_action(command, unit)
    checks = Checks()
    checks.text("reason", command.reason)
    row = remedy.rows.get("written_off")
    checks.require(isinstance(row, str), "action_id", f"{action.kind} cannot be written off")
    checks.done()
    require_move(case, action, "act")
    status = next_status(action.action_id, action.status, "write_off")
    amount = balance(unit, case, action, RECEIVABLE)
    checks.require(amount > 0, "action_id", "no approved amount is unpaid")
    checks.require(
        balance(unit, case, action, MEMO) == 0,
        "action_id",
        "part of the claim is not answered yet: record claim_denied for it first",
    )
    checks.done()
    actor = unit.context.actor
    if not action.write_off_by or action.write_off_amount != amount:
        unit.record(
            case.id,
            e.WriteOffProposed(
                catalogue=unit.context.catalogue.digest,
                action_id=action.action_id,
                amount=amount,
                by=actor,
                reason=unit.seal(case.person, command.reason),
            ),
        )
        return case.id
    if action.write_off_by == actor:
        raise SecondPersonRequired(
            f"{actor} proposed this write-off; another person confirms it",
            metadata={"proposedBy": actor},
        )
    entry = book_parts(unit, case, (part(action, str(row), amount=amount),))
    assert entry is not None, "a positive receivable makes an entry"
    unit.record(
        case.id,
        e.ActionWrittenOff(
            catalogue=unit.context.catalogue.digest,
            action_id=action.action_id,
            proposed_by=action.write_off_by,
            by=actor,
            status=status,
            entry=entry,
        ),
    )
    return case.id


def find_action(command: c.ActionCommand, unit: Unit) -> tuple[Case, Action, Remedy]:
    """The case, its action and the action's remedy. Raises :class:`ActionNotFound`."""
    case = unit.case(command.exception_id)
    action = case.action(command.action_id)
    if action is None:
        raise ActionNotFound(command.action_id, [a.action_id for a in case.actions])
    return case, action, unit.context.catalogue.remedy(action.kind)


def require_move(case: Case, action: Action, move: str) -> str:
    """The state a step on the action leads to; a carried item goes on in a reconciled case."""
    if case.state == RECONCILED and is_carried(case, action_item(action.action_id)):
        return next_state(case.state, "settle_carried")
    return next_state(case.state, move if action.side == "customer" else "act_recovery")


def part(action: Action, row: str, **amounts: int) -> e.Part:
    """The facts of a row, tagged with the action."""
    return e.Part(
        row=row,
        amounts=amounts,
        item=action_item(action.action_id),
        logistics_line=action.terms.logistics_line,
        shipment_code=action.terms.shipment_code,
        action_id=action.action_id,
    )


def owed(unit: Unit, case: Case, action: Action, remedy: Remedy) -> int:
    """What of an approved payout is still owed to the customer, 0 of any other; minor units."""
    row = remedy.rows.get("succeeded")
    if remedy.money not in PAYOUTS or not isinstance(row, str):
        return 0
    return -balance(unit, case, action, (row, "debit", "gross"))


def _for_customer(remedy: Remedy) -> bool:
    return remedy.side == "customer"


def _require_known(case: Case, unit: Unit, remedy: Remedy) -> None:
    if remedy.promise:
        require_checklist(case, unit.context.catalogue, remedy.kind)
    if remedy.asks_carrier:
        require_last_event(case, unit.context.catalogue, remedy.kind)


def _require_no_dispute(order: Order) -> None:
    if order.open_disputes:
        ids = ", ".join(d.external_id for d in order.disputes if d.status == "open")
        raise DisputeOpen(
            f"refund decisions wait while charge-back {ids} is open on the order",
            metadata={"disputes": ids},
        )


def _require_not_overpaid(order: Order, amount: int) -> None:
    """Others may have paid what we decided to: then it is cancelled, not paid a second time."""
    if order.available < 0:
        raise AmountExceedsAvailable(
            amount, max(amount + order.available, 0), f"order {order.order_id}; cancel the action"
        )


def _approval(unit: Unit, case: Case, action: Action, remedy: Remedy) -> Booking:
    match remedy.money:
        case "refund" | "concession" | "shipping" | "compensation":
            return _payout(unit, case, action, remedy)
        case "reshipment":
            row = str(remedy.rows["approved"])
            terms = action.terms
            facts = part(action, row, goods_cost=terms.goods_cost, freight=terms.freight)
            return Booking(parts=(facts,), amount=terms.goods_cost + terms.freight)
        case "restore":
            return _restoration(case, action, remedy)
        case _:
            return Booking()


def _payout(unit: Unit, case: Case, action: Action, remedy: Remedy) -> Booking:
    order = unit.order(case.subject.order_id)
    _require_no_dispute(order)
    splits = tuple(_split(order, line, remedy) for line in action.terms.lines)
    amount = total(splits) if splits else action.terms.amount
    if amount > order.available:
        raise AmountExceedsAvailable(amount, max(order.available, 0), f"order {order.order_id}")
    rows = remedy.rows["approved"]
    assert isinstance(rows, dict), "payouts choose their row by a basis"
    if action.terms.basis == BEYOND:
        parts: tuple[e.Part, ...] = (part(action, rows["beyond_contract"], gross=amount),)
    else:
        parts = tuple(_line_part(order, action, rows, s) for s in splits)
    committed = e.RefundCommitted(
        catalogue=unit.context.catalogue.digest,
        exception_id=str(case.id),
        action_id=action.action_id,
        amount=amount,
        payout="refund" if remedy.money != "compensation" else "compensation",
        lines=splits,
    )
    return Booking(parts=parts, amount=amount, order_event=committed)


def _split(order: Order, wanted: e.TermLine, remedy: Remedy) -> e.LineSplit:
    line = order.line(wanted.sale_line)
    assert line is not None, "lines never disappear from an order"
    rest = gross(line.rest)
    if wanted.amount > rest or rest == 0:
        raise AmountExceedsAvailable(wanted.amount, rest, f"sale line {wanted.sale_line}")
    by_shipping = remedy.money == "shipping"
    if not wanted.amount:
        return shipping_rest(line) if by_shipping else line.rest
    split = split_gross(line, wanted.amount, shipping_first=by_shipping)
    if by_shipping and split.goods:
        left = gross(shipping_rest(line))
        raise AmountExceedsAvailable(wanted.amount, left, f"shipping of {wanted.sale_line}")
    return split


def _line_part(
    order: Order, action: Action, rows: Mapping[Basis, str], split: e.LineSplit
) -> e.Part:
    line = order.line(split.sale_line)
    assert line is not None, "lines never disappear from an order"
    if action.money == "compensation":
        row = rows["late_performance"]
    else:
        row = rows["recognised" if line.sale.sale_recognised_at else "advance"]
    return line_part(
        split,
        row,
        line,
        documented=bool(action.terms.tax_document),
        item=action_item(action.action_id),
        logistics_line=action.terms.logistics_line,
        shipment_code=action.terms.shipment_code,
        action_id=action.action_id,
    )


def line_part(
    split: e.LineSplit,
    row: str,
    line: Line,
    *,
    documented: bool,
    item: str,
    own_item: str = "",
    logistics_line: str = "",
    shipment_code: str = "",
    action_id: str = "",
    exception_id: str = "",
) -> e.Part:
    """The facts of a row about part of a sale line; own tax needs a document (2070, not 5140)."""
    tax = "tax_documented" if documented else "tax_undocumented"
    return e.Part(
        row=row,
        amounts={
            "goods": split.goods,
            "shipping": split.shipping,
            "net": split.goods + split.shipping,
            tax: split.tax,
            "gross": gross(split),
        },
        item=item,
        own_item=own_item,
        sale_line=line.sale.line_id,
        logistics_line=logistics_line,
        shipment_code=shipment_code,
        action_id=action_id,
        exception_id=exception_id,
    )


def _restoration(case: Case, action: Action, remedy: Remedy) -> Booking:
    """V1: mirror what the refund undid, owed by the customer now."""
    refund = case.action(action.terms.restores_action_id)
    assert refund is not None, "checked when it was proposed"
    approval = next(b for b in case.booked if b.version == refund.approved_version)
    if refund.status != SUCCEEDED or any(approval.reversed):
        raise ActionsUnfinished(
            f"refund {refund.action_id} is {refund.status} or partly reversed; "
            "only a refund that stands whole is restored",
            metadata={"actionId": refund.action_id},
        )
    rows = remedy.rows["approved"]
    assert isinstance(rows, dict), "a restoration chooses its row by the refund's row"
    parts = tuple(
        e.Part(
            row=rows[cast("Basis", p.row)],
            amounts=p.amounts,
            item=action_item(action.action_id),
            sale_line=p.sale_line,
            logistics_line=p.logistics_line,
            shipment_code=p.shipment_code,
            action_id=action.action_id,
        )
        for p in approval.entry.parts
    )
    restored = e.SaleRestored(
        exception_id=str(case.id),
        action_id=action.action_id,
        restores_action_id=refund.action_id,
        lines=tuple(_restored_split(p) for p in parts),
    )
    amount = sum(p.amounts["gross"] for p in parts)
    return Booking(parts=parts, amount=amount, order_event=restored)


def _restored_split(facts: e.Part) -> e.LineSplit:
    amounts = facts.amounts
    return e.LineSplit(
        sale_line=facts.sale_line,
        goods=amounts["goods"],
        shipping=amounts["shipping"],
        tax=amounts.get("tax_documented", 0) + amounts.get("tax_undocumented", 0),
    )
