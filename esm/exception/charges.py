"""What carriers charge for a case on a billing line: accrued when known, then invoiced."""

from uuid import UUID

from esm import events as e
from esm.checks import Checks
from esm.commands import RecordCarrierCharge
from esm.exception.booking import book_parts, rest_of
from esm.exception.evolve import accrual_of
from esm.exception.gates import is_carried
from esm.exception.state import Booked, Case
from esm.ids import SEPARATOR
from esm.lifecycle import RECONCILED, next_state
from esm.order.state import Order
from esm.postings import logistics_item
from esm.unit import Unit

STEPS = ("accrued", "invoiced")


def record_carrier_charge(command: RecordCarrierCharge, unit: Unit) -> UUID:
    """K1: a charge is known. K2: its invoice came; the difference goes to the same cost.

    An invoice line is accepted once for its carrier, number, order, billing line and kind;
    what else is said of it later is refused, unless what was booked is reversed. A reconciled
    case takes only the invoice of an accrual that is carried.
    """
    case = unit.case(command.exception_id)
    order = unit.order(case.subject.order_id)
    net, tax = _check(command, unit, order)
    if command.step == "accrued":
        _require_move(case, command)
        return _accrue(command, unit, case, net, tax)
    source = f"invoice/{command.carrier}"
    line = (command.invoice, order.order_id, command.logistics_line, command.kind)
    source_id, content = SEPARATOR.join(line), SEPARATOR.join((*line, str(net), str(tax)))
    known = unit.source(source, source_id)
    if known is not None and unit.find(known) is not None:
        equal = unit.source(source, content) is not None
        _check_repeat(case, known, equal, command)
        if equal:
            return case.id
    else:
        unit.accept(source, source_id, case.id)
    _require_move(case, command)
    _invoice(command, unit, case, net, tax)
    unit.accept(source, content, case.id)
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


def _check_repeat(case: Case, known: UUID, equal: bool, command: RecordCarrierCharge) -> None:
    """Other things said of an invoice line that is known are not dropped in silence."""
    checks = Checks()
    line = f"the invoice's {command.kind} on billing line {command.logistics_line!r}"
    checks.require(known == case.id, "exception_id", f"{line} was recorded for case {known}")
    booked = _invoiced(case, command)
    standing = [b.entry.parts[0].amounts["invoiced"] for b in booked if any(rest_of(b))]
    if known == case.id and not equal and (standing or not booked):
        amounts = ", ".join(map(str, standing)) or "0"
        checks.refuse("net", f"{line} was recorded with another amount; invoiced there: {amounts}")
    checks.done()


def _invoiced(case: Case, command: RecordCarrierCharge) -> list[Booked]:
    """Entries of invoices on the billing line for the kind of charge."""
    return [
        booked
        for booked in case.booked
        if booked.charge == command.kind
        for part in booked.entry.parts
        if part.row == "K2" and part.logistics_line == command.logistics_line
    ]


def _require_move(case: Case, command: RecordCarrierCharge) -> None:
    accrual = accrual_of(case, command.logistics_line, command.kind)
    settles = command.step == "invoiced" and accrual.net + accrual.tax > 0
    carried = settles and is_carried(case, logistics_item(command.logistics_line))
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
        accrued_net=known.net,
        accrued_tax=known.tax,
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
