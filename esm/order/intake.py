"""Recording an order, or more of one: lines, payments and billing lines, once per source id."""

from uuid import UUID

import msgspec

from esm import events as e
from esm.checks import Checks
from esm.commands import Context, RecordOrder, SaleLineInput
from esm.ids import order_aggregate_id
from esm.order.state import OWN_TAX, Line, Order
from esm.unit import Missing, Unit

TAX_TREATMENTS = (OWN_TAX, "marketplace", "none")
DEFAULT_ENTITY = "default"
QUANTITY_MAX = 1_000_000


def record_order(command: RecordOrder, unit: Unit) -> UUID:
    """Record an order; a source id accepted before changes nothing.

    More of a known order merges by line id: what was left open, such as ``sale_recognised_at``,
    may be added; what was said of a line, a payment or a billing line never changes, nor do
    the currency and the legal entity. Raises :class:`~esm.errors.InvalidCommand`, also for a
    source id whose repeat says something else.
    """
    checks = Checks()
    for field in ("order_id", "source", "source_id"):
        checks.identifier(field, getattr(command, field))
    for field in ("buyer", "incoterm", "legal_entity"):
        checks.identifier(field, getattr(command, field), required=False)
    for field in ("sale_lines", "tenders", "logistics_lines"):
        checks.few(field, getattr(command, field))
    checks.done()
    source = source_key(command)
    aggregate_id = order_aggregate_id(unit.context.tenant, command.order_id)
    known = unit.source(source, command.source_id)
    repeat = known is not None and (found := unit.find(known)) is not None
    if repeat and known != aggregate_id:
        other = found.order_id if isinstance(found, Order) else ""
        checks.refuse("source_id", f"was recorded for order {other!r}")
        checks.done()
    order = unit.find_order(command.order_id)
    event = _event(command, unit, order, checks)
    if repeat and order is not None:
        _check_nothing_new(event, order, checks)
    checks.done()
    if repeat:
        return aggregate_id
    unit.record(aggregate_id, event)
    unit.accept(source, command.source_id, aggregate_id)
    return aggregate_id


def hint(command: RecordOrder, context: Context) -> Missing:
    """What recording an order needs: its source id and what is known of it."""
    return Missing(
        aggregates=[order_aggregate_id(context.tenant, command.order_id)],
        sources=[(source_key(command), command.source_id)],
    )


def source_key(command: RecordOrder) -> str:
    """The name under which an order's source ids are accepted once."""
    return f"order/{command.source}"


def _event(
    command: RecordOrder, unit: Unit, order: Order | None, checks: Checks
) -> e.OrderRecorded:
    catalogue = unit.context.catalogue
    currency = command.currency or (order.currency if order else "")
    entity = command.legal_entity or (order.legal_entity if order else DEFAULT_ENTITY)
    checks.known("currency", currency, catalogue.currencies, "a currency")
    checks.known("legal_entity", entity, catalogue.ledgers, "a legal entity")
    if order is not None:
        checks.require(currency == order.currency, "currency", f"is {order.currency} for ever")
        checks.require(
            entity == order.legal_entity, "legal_entity", f"is {order.legal_entity} for ever"
        )
    else:
        checks.require(command.sale_lines, "sale_lines", "a new order has at least one")
    return e.OrderRecorded(
        catalogue=catalogue.digest,
        order_id=command.order_id,
        source=command.source,
        source_id=command.source_id,
        currency=currency,
        legal_entity=entity,
        buyer=command.buyer,
        incoterm=command.incoterm,
        promised_at=command.promised_at,
        sale_lines=_sale_lines(command, unit, currency, order, checks),
        tenders=_tenders(command, unit, currency, order, checks),
        logistics_lines=_logistics_lines(command, unit, currency, order, checks),
    )


def _check_nothing_new(event: e.OrderRecorded, order: Order, checks: Checks) -> None:
    """More of an order comes under a source id of its own."""
    tenders = {(t.provider, t.external_id) for t in order.tenders}
    known = {
        "sale_lines": [order.line(x.line_id) is not None for x in event.sale_lines],
        "tenders": [(t.provider, t.external_id) in tenders for t in event.tenders],
        "logistics_lines": [
            order.logistics_line(x.line_id) is not None for x in event.logistics_lines
        ],
    }
    for field, found in known.items():
        for i, is_known in enumerate(found):
            checks.require(
                is_known, f"{field}[{i}]", f"was not in {event.source_id!r} when it was recorded"
            )


def _sale_lines(
    command: RecordOrder, unit: Unit, currency: str, order: Order | None, checks: Checks
) -> tuple[e.SaleLine, ...]:
    _unique(checks, "sale_lines", [x.line_id for x in command.sale_lines])
    lines = []
    for i, given in enumerate(command.sale_lines):
        known = order.line(given.line_id) if order else None
        line = _sale_line(given, f"sale_lines[{i}]", unit, currency, checks)
        if known is not None:
            line = _with_known(known, line)
            _check_unchanged(known, line, f"sale_lines[{i}]", checks)
        lines.append(line)
    return tuple(lines)


def _sale_line(
    given: SaleLineInput, path: str, unit: Unit, currency: str, checks: Checks
) -> e.SaleLine:
    catalogue = unit.context.catalogue
    checks.identifier(f"{path}.line_id", given.line_id)
    checks.identifier(f"{path}.sku", given.sku)
    checks.require(
        0 < given.quantity <= QUANTITY_MAX, f"{path}.quantity", f"is 1 to {QUANTITY_MAX}"
    )
    treatment = given.tax_treatment or OWN_TAX
    checks.one_of(f"{path}.tax_treatment", treatment, TAX_TREATMENTS)
    amounts = {
        field: checks.money(
            f"{path}.{field}",
            getattr(given, field),
            catalogue,
            currency,
            required=field == "goods",
            zero=True,
        )
        for field in ("goods", "shipping", "tax", "unit_cost")
    }
    discounts = tuple(
        e.Discount(
            funder=d.funder,
            minor_units=checks.money(
                f"{path}.discounts[{j}].amount", d.amount, catalogue, currency
            ),
        )
        for j, d in enumerate(given.discounts)
    )
    return e.SaleLine(
        line_id=given.line_id,
        sku=given.sku,
        quantity=given.quantity,
        tax_treatment=treatment,
        discounts=discounts,
        sale_recognised_at=given.sale_recognised_at,
        cost_expensed_at=given.cost_expensed_at,
        **amounts,
    )


def _with_known(known: Line, given: e.SaleLine) -> e.SaleLine:
    """What is not said of a known line again stays as it was."""
    return msgspec.structs.replace(
        given,
        sale_recognised_at=given.sale_recognised_at or known.sale.sale_recognised_at,
        cost_expensed_at=given.cost_expensed_at or known.sale.cost_expensed_at,
    )


def _check_unchanged(known: Line, given: e.SaleLine, path: str, checks: Checks) -> None:
    checks.require(
        given.discounts == known.sale.discounts,
        f"{path}.discounts",
        "stay as they were when the line was recorded",
    )
    for field in ("sku", "quantity", "goods", "shipping", "tax", "tax_treatment", "unit_cost"):
        before = getattr(known.sale, field)
        checks.require(
            getattr(given, field) == before,
            f"{path}.{field}",
            f"is {before} since the line was recorded and never changes",
        )
    for field in ("sale_recognised_at", "cost_expensed_at"):
        before = getattr(known.sale, field)
        checks.require(
            not before or getattr(given, field) == before,
            f"{path}.{field}",
            f"was recorded as {before} and never changes",
        )


def _tenders(
    command: RecordOrder, unit: Unit, currency: str, order: Order | None, checks: Checks
) -> tuple[e.Tender, ...]:
    known = {(t.provider, t.external_id): t for t in order.tenders} if order else {}
    _unique(checks, "tenders", [f"{t.provider}/{t.external_id}" for t in command.tenders])
    tenders = []
    for i, given in enumerate(command.tenders):
        path = f"tenders[{i}]"
        checks.identifier(f"{path}.provider", given.provider)
        checks.identifier(f"{path}.external_id", given.external_id)
        checks.identifier(f"{path}.kind", given.kind, required=False)
        captured = checks.money(
            f"{path}.captured", given.captured, unit.context.catalogue, currency, zero=True
        )
        before = known.get((given.provider, given.external_id))
        if before is not None:
            checks.require(
                captured == before.captured,
                f"{path}.captured",
                f"is {before.captured} since {given.external_id!r} was recorded and never changes",
            )
        tenders.append(
            e.Tender(
                provider=given.provider,
                external_id=given.external_id,
                kind=given.kind or "payment",
                captured=captured,
            )
        )
    return tuple(tenders)


def _logistics_lines(
    command: RecordOrder, unit: Unit, currency: str, order: Order | None, checks: Checks
) -> tuple[e.LogisticsLine, ...]:
    _unique(checks, "logistics_lines", [x.line_id for x in command.logistics_lines])
    lines = []
    for i, given in enumerate(command.logistics_lines):
        path = f"logistics_lines[{i}]"
        checks.identifier(f"{path}.line_id", given.line_id)
        checks.identifier(f"{path}.shipment_code", given.shipment_code)
        checks.identifier(f"{path}.carrier", given.carrier)
        checks.identifier(f"{path}.carrier_number", given.carrier_number, required=False)
        freight = checks.money(
            f"{path}.freight",
            given.freight,
            unit.context.catalogue,
            currency,
            required=False,
            zero=True,
        )
        known = order.logistics_line(given.line_id) if order else None
        line = e.LogisticsLine(
            line_id=given.line_id,
            shipment_code=given.shipment_code,
            carrier=given.carrier,
            carrier_number=given.carrier_number or (known.carrier_number if known else ""),
            freight=freight or (known.freight if known else 0),
        )
        if known is not None:
            _check_billing_unchanged(known, line, path, checks)
        lines.append(line)
    return tuple(lines)


def _check_billing_unchanged(
    known: e.LogisticsLine, given: e.LogisticsLine, path: str, checks: Checks
) -> None:
    for field in ("shipment_code", "carrier", "carrier_number", "freight"):
        before = getattr(known, field)
        checks.require(
            not before or getattr(given, field) == before,
            f"{path}.{field}",
            f"is {before!r} since the billing line was recorded and never changes",
        )


def _unique(checks: Checks, field: str, ids: list[str]) -> None:
    checks.require(len(ids) == len(set(ids)), field, "names an id twice")
