"""What each kind of remedy must say when proposed: one check per kind of money."""

from collections.abc import Callable

from esm.catalog import Remedy
from esm.checks import Checks
from esm.commands import ProposeAction, RefundLine
from esm.errors import AmountExceedsAvailable
from esm.events import TermLine, Terms
from esm.exception.booking import REFUND_MONEY
from esm.exception.state import Action, Case
from esm.ids import event_id
from esm.lifecycle import SUCCEEDED
from esm.money import Money
from esm.order.splits import gross
from esm.order.state import Order
from esm.unit import Unit

LATE, BEYOND = "late_performance", "beyond_contract"


def terms_of(command: ProposeAction, unit: Unit, case: Case, remedy: Remedy) -> Terms:
    """The terms of a proposal, checked for its remedy.

    Raises :class:`~esm.errors.InvalidCommand` or :class:`AmountExceedsAvailable`.
    """
    checks = Checks()
    checks.reference("counterparty", command.counterparty, required=False)
    checks.identifier("shipment_code", command.shipment_code, required=False)
    checks.identifier("logistics_line", command.logistics_line, required=False)
    checks.identifier("tax_document", command.tax_document, required=False)
    checks.text("explanation", command.explanation, required=False)
    checks.few("lines", command.lines)
    checks.few("cause_event_ids", command.cause_event_ids)
    if remedy.money == "none":
        checks.require(
            not (command.lines or command.amount or command.goods_cost or command.freight),
            "amount",
            f"{remedy.kind} moves no money",
        )
        checks.done()
        return Terms(
            shipment_code=command.shipment_code,
            logistics_line=command.logistics_line,
            cause_event_ids=command.cause_event_ids,
            counterparty=command.counterparty,
        )
    checks.require(case.subject.order_id, "exception_id", "the case names no order: no money")
    checks.done()
    order = unit.order(case.subject.order_id)
    terms = _TERMS[remedy.money](command, unit, case, order, checks)
    checks.done()
    return terms


def _refund(command: ProposeAction, unit: Unit, case: Case, order: Order, checks: Checks) -> Terms:
    _check_gate_b(command, unit, case, order, checks)
    given = command.lines or _all_with_rest(order)
    checks.require(given, "lines", "the order has nothing left to refund")
    lines: list[TermLine] = []
    for i, wanted in enumerate(given):
        line = order.line(wanted.sale_line)
        field = f"lines[{i}]"
        if line is None:
            checks.refuse(f"{field}.sale_line", f"{wanted.sale_line!r} is no line of the order")
            continue
        amount = _money(checks, f"{field}.amount", wanted.amount, unit, order, required=False)
        rest = gross(line.rest)
        if amount > rest or rest == 0:
            checks.done()
            raise AmountExceedsAvailable(amount, rest, f"sale line {wanted.sale_line}")
        lines.append(TermLine(sale_line=wanted.sale_line, amount=amount))
    names = [x.sale_line for x in lines]
    checks.require(len(names) == len(set(names)), "lines", "names a sale line twice")
    return Terms(
        currency=order.currency,
        lines=tuple(lines),
        shipment_code=command.shipment_code,
        logistics_line=command.logistics_line,
        cause_event_ids=command.cause_event_ids,
        tax_document=command.tax_document,
    )


def _concession(
    command: ProposeAction, unit: Unit, case: Case, order: Order, checks: Checks
) -> Terms:
    checks.require(command.lines, "lines", "a price concession names its sale lines and amounts")
    for i, line in enumerate(command.lines):
        checks.require(line.amount is not None, f"lines[{i}].amount", "is required")
    checks.done()
    return _refund(command, unit, case, order, checks)


def _compensation(
    command: ProposeAction, unit: Unit, _: Case, order: Order, checks: Checks
) -> Terms:
    amount = _money(checks, "amount", command.amount, unit, order)
    basis = command.basis or LATE
    checks.one_of("basis", basis, (LATE, BEYOND))
    lines: tuple[TermLine, ...] = ()
    if basis == LATE:
        checks.require(
            len(command.lines) == 1, "lines", "name the one sale line whose price is reduced"
        )
        if len(command.lines) == 1:
            line = order.line(command.lines[0].sale_line)
            if line is None:
                checks.refuse("lines[0].sale_line", "is no line of the order")
            elif amount > gross(line.rest):
                checks.done()
                raise AmountExceedsAvailable(amount, gross(line.rest), "sale line")
            lines = (TermLine(sale_line=command.lines[0].sale_line, amount=amount),)
    return Terms(
        currency=order.currency,
        lines=lines,
        amount=amount,
        basis=basis,
        tax_document=command.tax_document,
        logistics_line=command.logistics_line,
        shipment_code=command.shipment_code,
        cause_event_ids=command.cause_event_ids,
    )


def _coupon(command: ProposeAction, unit: Unit, _: Case, order: Order, checks: Checks) -> Terms:
    kind = command.coupon_kind or "coupon"
    kinds = sorted({u.kind for u in unit.context.catalogue.compensation.coupon_expected_use})
    checks.one_of("coupon_kind", kind, kinds)
    return Terms(
        currency=order.currency,
        amount=_money(checks, "amount", command.amount, unit, order),
        coupon_kind=kind,
        logistics_line=command.logistics_line,
    )


def _reshipment(command: ProposeAction, unit: Unit, _: Case, order: Order, checks: Checks) -> Terms:
    goods = _money(checks, "goods_cost", command.goods_cost, unit, order, zero=True)
    freight = _money(checks, "freight", command.freight, unit, order, zero=True)
    checks.require(goods + freight, "goods_cost", "goods cost or freight is more than zero")
    return Terms(
        currency=order.currency,
        goods_cost=goods,
        freight=freight,
        shipment_code=command.shipment_code,
        logistics_line=command.logistics_line,
    )


def _claim(command: ProposeAction, unit: Unit, _: Case, order: Order, checks: Checks) -> Terms:
    checks.require(command.counterparty, "counterparty", "is required")
    return Terms(
        currency=order.currency,
        amount=_money(checks, "amount", command.amount, unit, order),
        counterparty=command.counterparty,
        logistics_line=command.logistics_line,
        shipment_code=command.shipment_code,
        cause_event_ids=command.cause_event_ids,
    )


def _restore(command: ProposeAction, _: Unit, case: Case, order: Order, checks: Checks) -> Terms:
    refund = case.action(command.restores_action_id)
    checks.require(
        refund is not None and refund.money in REFUND_MONEY and refund.status == SUCCEEDED,
        "restores_action_id",
        "names a succeeded refund of this case",
    )
    checks.require(
        not any(_restores(a, command.restores_action_id) for a in case.actions),
        "restores_action_id",
        "that refund is being restored by another action",
    )
    return Terms(
        currency=order.currency,
        restores_action_id=command.restores_action_id,
        logistics_line=command.logistics_line,
    )


def _restores(action: Action, restored: str) -> bool:
    return action.terms.restores_action_id == restored and action.status != "cancelled"


def _check_gate_b(
    command: ProposeAction, unit: Unit, case: Case, order: Order, checks: Checks
) -> None:
    """A refund names line, exception event and, once a parcel exists, parcel and billing line."""
    checks.require(
        command.cause_event_ids, "cause_event_ids", "name at least one event of the case"
    )
    wanted = set(command.cause_event_ids)
    own = {event_id(case.id, v) for v in range(1, unit.version(case.id) + 1)}
    for unknown in sorted(wanted - own):
        checks.refuse("cause_event_ids", f"{unknown!r} is no event of the case")
    own_parcel = case.subject.shipment_code if case.phase != "commercial" else ""
    if own_parcel or any(x.shipment_code for x in order.logistics_lines):
        checks.identifier("shipment_code", command.shipment_code)
        checks.require(
            own_parcel in ("", command.shipment_code),
            "shipment_code",
            f"the case is about parcel {own_parcel!r}",
        )
        billing = order.logistics_line(command.logistics_line)
        checks.require(
            billing is not None and billing.shipment_code == command.shipment_code,
            "logistics_line",
            "a parcel exists: name the billing line of shipment_code on the order",
        )


def _all_with_rest(order: Order) -> tuple[RefundLine, ...]:
    return tuple(RefundLine(sale_line=x.sale.line_id) for x in order.lines if gross(x.rest) > 0)


def _money(
    checks: Checks,
    field: str,
    value: Money | None,
    unit: Unit,
    order: Order,
    *,
    required: bool = True,
    zero: bool = False,
) -> int:
    return checks.money(
        field, value, unit.context.catalogue, order.currency, required=required, zero=zero
    )


_TERMS: dict[str, Callable[[ProposeAction, Unit, Case, Order, Checks], Terms]] = {
    "refund": _refund,
    "concession": _concession,
    "shipping": _refund,
    "compensation": _compensation,
    "coupon": _coupon,
    "reshipment": _reshipment,
    "claim": _claim,
    "restore": _restore,
}
