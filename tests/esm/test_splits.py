"""Splitting a line's gross amount: parts close to zero, tax never drifts, nothing is negative."""

from hypothesis import given
from hypothesis import strategies as st

from esm.events import LineSplit, SaleLine
from esm.order.splits import gross, negated, shipping_rest, split_gross, spread, total
from esm.order.state import Line, Order
from tests.esm.given import lost_parcel

AMOUNT = st.integers(0, 100_000)


def line(goods: int, shipping: int, tax: int, treatment: str = "own") -> Line:
    return Line(
        sale=SaleLine(
            line_id="1",
            sku="A",
            quantity=1,
            goods=goods,
            shipping=shipping,
            tax=tax,
            tax_treatment=treatment,
        )
    )


def without(rest: Line, split: LineSplit) -> Line:
    return Line(
        sale=rest.sale,
        goods_undone=rest.goods_undone + split.goods,
        shipping_undone=rest.shipping_undone + split.shipping,
        tax_undone=rest.tax_undone + split.tax,
    )


def components(split: LineSplit) -> tuple[int, int, int]:
    return split.goods, split.shipping, split.tax


@given(AMOUNT, AMOUNT, AMOUNT, st.data())
def test_parts_of_a_line_always_close_to_zero(
    goods: int, shipping: int, tax: int, data: st.DataObject
) -> None:
    rest = line(goods, shipping, tax)
    while left := gross(rest.rest):
        amount = data.draw(st.integers(1, left) | st.just(left))
        split = split_gross(rest, amount, shipping_first=data.draw(st.booleans()))
        assert gross(split) == amount
        assert min(components(split)) >= 0
        rest = without(rest, split)
        assert min(components(rest.rest)) >= 0
        if gross(rest.rest) and data.draw(st.integers(0, 3)) == 0:
            rest = without(rest, rest.rest)
    assert components(rest.rest) == (0, 0, 0)


@given(st.integers(1, 100_000), AMOUNT, AMOUNT, st.data())
def test_tax_given_back_to_date_is_the_rounded_share_of_the_gross_given_back(
    goods: int, shipping: int, tax: int, data: st.DataObject
) -> None:
    rest = line(goods, shipping, tax)
    whole = goods + shipping + tax
    for _ in range(5):
        left = gross(rest.rest)
        if not left:
            break
        rest = without(rest, split_gross(rest, data.draw(st.integers(1, left))))
        undone = rest.goods_undone + rest.shipping_undone + rest.tax_undone
        share = (2 * tax * undone + whole) // (2 * whole)
        # A component that has nothing left passes its last cent on.
        assert abs(rest.tax_undone - share) <= 1


def test_a_partial_refund_of_30_takes_its_share_of_the_tax() -> None:
    assert components(split_gross(line(10000, 1000, 1430), 3000)) == (2655, 0, 345)


def test_a_shipping_refund_takes_shipping_first() -> None:
    assert components(split_gross(line(10000, 1000, 1430), 565, shipping_first=True)) == (
        0,
        500,
        65,
    )
    assert components(shipping_rest(line(10000, 1000, 1430))) == (0, 1000, 130)


def test_tax_that_a_marketplace_collects_is_not_given_back_by_us() -> None:
    ours = line(10000, 1000, 1430, "marketplace")
    assert components(ours.rest) == (10000, 1000, 0)
    assert components(split_gross(ours, 5000)) == (5000, 0, 0)


@given(AMOUNT, AMOUNT, AMOUNT)
def test_a_negated_split_undoes_it(goods: int, shipping: int, tax: int) -> None:
    split = LineSplit(sale_line="1", goods=goods, shipping=shipping, tax=tax)
    assert total([split, negated(split)]) == 0
    assert negated(negated(split)) == split


@given(st.lists(st.tuples(AMOUNT, AMOUNT, AMOUNT), max_size=4), st.integers(1, 1_000_000))
def test_an_outside_amount_lies_on_the_lines_and_the_rest_is_excess(
    sold: list[tuple[int, int, int]], amount: int
) -> None:
    story, _ = lost_parcel()
    lines = tuple(
        Line(
            sale=SaleLine(
                line_id=str(i), sku="A", quantity=1, goods=goods, shipping=shipping, tax=tax
            )
        )
        for i, (goods, shipping, tax) in enumerate(sold)
    )
    known = story.order()
    order = Order(
        id=known.id,
        tenant=known.tenant,
        order_id=known.order_id,
        currency="CNY",
        legal_entity="default",
        lines=lines,
    )
    splits, excess = spread(order, amount)
    assert total(splits) + excess == amount
    assert (excess > 0) == (amount > total(x.rest for x in lines))
    for split in splits:
        found = order.line(split.sale_line)
        assert found is not None
        assert all(
            0 <= a <= b for a, b in zip(components(split), components(found.rest), strict=True)
        )
