"""Splitting an amount of a sale line into goods, shipping and tax, exact to the last cent."""

from collections.abc import Iterable

from esm.events import LineSplit
from esm.order.state import Line, Order


def gross(split: LineSplit) -> int:
    """What a split comes to, tax included; minor units."""
    return split.goods + split.shipping + split.tax


def total(splits: Iterable[LineSplit]) -> int:
    """What several splits come to; minor units."""
    return sum(gross(s) for s in splits)


def negated(split: LineSplit) -> LineSplit:
    """The split with every component's sign turned."""
    return LineSplit(
        sale_line=split.sale_line,
        goods=-split.goods,
        shipping=-split.shipping,
        tax=-split.tax,
    )


def split_gross(line: Line, amount: int, *, shipping_first: bool = False) -> LineSplit:
    """Split ``amount`` (at most the line's rest) of a line into its components.

    The tax given back to date is round(own tax x gross given back / gross of the line), half
    up, so parts never drift and the last one closes to zero (ledger.md, row P1). The net
    falls on goods first, or on shipping first for a shipping-fee refund.
    """
    rest = line.rest
    if amount == gross(rest):
        return rest
    whole = line.sale.goods + line.sale.shipping + line.own_tax
    undone = line.goods_undone + line.shipping_undone + line.tax_undone
    tax_to_date = _round_half_up(line.own_tax * (undone + amount), whole)
    tax = min(max(tax_to_date - line.tax_undone, 0), rest.tax, amount)
    net = amount - tax
    if shipping_first:
        shipping = min(net, rest.shipping)
        goods = net - shipping
    else:
        goods = min(net, rest.goods)
        shipping = net - goods
    return _fit(rest, goods, shipping, tax)


def shipping_rest(line: Line) -> LineSplit:
    """All that is left of a line's shipping, with its share of the tax."""
    rest = line.rest
    net = line.sale.goods + line.sale.shipping
    share = _round_half_up(line.own_tax * rest.shipping, net) if net else 0
    return LineSplit(sale_line=rest.sale_line, shipping=rest.shipping, tax=min(share, rest.tax))


def spread(order: Order, amount: int) -> tuple[tuple[LineSplit, ...], int]:
    """Lay an outside amount on what the lines have left, in order; gives (splits, excess)."""
    splits: list[LineSplit] = []
    for line in order.lines:
        take = min(amount, gross(line.rest))
        if take > 0:
            splits.append(split_gross(line, take))
            amount -= take
    return tuple(splits), amount


def _fit(rest: LineSplit, goods: int, shipping: int, tax: int) -> LineSplit:
    """Rounding may push a component over its rest by a cent; the others have that cent left."""
    if shipping > rest.shipping:
        goods, shipping = goods + shipping - rest.shipping, rest.shipping
    if goods > rest.goods:
        tax, goods = tax + goods - rest.goods, rest.goods
    return LineSplit(sale_line=rest.sale_line, goods=goods, shipping=shipping, tax=tax)


def _round_half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
