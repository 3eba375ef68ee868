"""What carriers charge for a case on a billing line: accrued when known, then invoiced."""

from uuid import UUID

from esm import events as e
from esm.checks import Checks
from esm.commands import RecordCarrierCharge
from esm.exception.booking import book_parts
from esm.exception.evolve import accrual_of
from esm.exception.gates import is_carried
from esm.exception.state import Case
from esm.lifecycle import RECONCILED, next_state
from esm.order.state import Order
from esm.postings import logistics_item
from esm.unit import Unit

STEPS = ("accrued", "invoiced")


def record_carrier_charge(command: RecordCarrierCharge, unit: Unit) -> UUID:
    """K1: a charge is known. K2: its invoice came; the difference goes to the same cost.

    An invoice line is accepted once for its carrier, number, billing line and kind.
    """
    case = unit.case(command.exception_id)
    order = unit.order(case.subject.order_id)
    net, tax = _check(command, unit, order)
    _require_move(case, command.logistics_line)
    if command.step == "accrued":
        return _accrue(command, unit, case, net, tax)
    source = f"invoice/{command.carrier}"
    source_id = f"{command.invoice}/{command.logistics_line}/{command.kind}"
    if unit.source(source, source_id) is None:
        _invoice(command, unit, case, net, tax)
        unit.accept(source, source_id, case.id)
    return case.id


def _check(command: RecordCarrierCharge, unit: Unit, order: Order) -> tuple[int, int]:
    catalogue = unit.context.catalogue
    checks = Checks()
    checks.one_of("step", command.step, STEPS)
    checks.known("kind", command.kind, catalogue.charges, "a charge kind")
    checks.identifier("carrier", command.carrier, required=command.step == "invoiced")
    checks.identifier("invoice", command.invoice, required=command.step == "invoiced")
    checks.require(
        order.logistics_line(command.logistics_line) is not None,
        "logistics_line",
        f"{command.logistics_line!r} is no billing line of order {order.order_id}",
    )
    invoiced = command.step == "invoiced"
    net = checks.money("net", command.net, catalogue, order.currency, zero=invoiced)
    tax = checks.money("tax", command.tax, catalogue, order.currency, required=False, zero=True)
    checks.done()
    return net, tax


def _require_move(case: Case, logistics_line: str) -> None:
    carried = is_carried(case, logistics_item(logistics_line))
    next_state(case.state, "settle_carried" if case.state == RECONCILED and carried else "charge")


def _accrue(command: RecordCarrierCharge, unit: Unit, case: Case, net: int, tax: int) -> UUID:
    facts = _part(command, unit, "K1", net=net, tax=tax, gross=net + tax)
    entry = book_parts(unit, case, (facts,))
    assert entry is not None, "a positive charge makes an entry"
    unit.record(
        case.id,
        e.CarrierChargeAccrued(
            catalogue=unit.context.catalogue.digest,
            logistics_line=command.logistics_line,
            kind=command.kind,
            carrier=command.carrier,
            net=net,
            tax=tax,
            entry=entry,
        ),
    )
    return case.id


def _invoice(command: RecordCarrierCharge, unit: Unit, case: Case, net: int, tax: int) -> None:
    known = accrual_of(case, command.logistics_line, command.kind)
    facts = _part(
        command,
        unit,
        "K2",
        accrued=known.net + known.tax,
        net_difference=net - known.net,
        tax_difference=tax - known.tax,
        invoiced=net + tax,
    )
    unit.record(
        case.id,
        e.CarrierChargeInvoiced(
            catalogue=unit.context.catalogue.digest,
            logistics_line=command.logistics_line,
            kind=command.kind,
            carrier=command.carrier,
            invoice=command.invoice,
            net=net,
            tax=tax,
            entry=book_parts(unit, case, (facts,)),
        ),
    )


def _part(command: RecordCarrierCharge, unit: Unit, row: str, **amounts: int) -> e.Part:
    catalogue = unit.context.catalogue
    return e.Part(
        row=row,
        amounts=amounts,
        accounts={
            "cost": catalogue.charge(command.kind).account,
            "payable": catalogue.choices["payable"][0],
        },
        item=logistics_item(command.logistics_line),
        logistics_line=command.logistics_line,
    )
