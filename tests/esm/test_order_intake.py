"""Recording an order: what was said of a line, a payment or a billing line never changes."""

from typing import Any

import pytest

from esm import commands as c
from esm.errors import InvalidCommand
from tests.esm import given as g
from tests.esm.story import Story


def ordered(**changes: Any) -> Story:
    story = Story()
    story.do(g.record_order(**changes))
    return story


def tender(captured: int) -> tuple[c.TenderInput, ...]:
    """The payment of the order with an amount."""
    return (c.TenderInput(provider="alipay", external_id="pay-O1", captured=g.cny(captured)),)


def billing(**changes: Any) -> tuple[c.LogisticsLineInput, ...]:
    """The billing line L1 of the order, changed."""
    fields: dict[str, Any] = {"line_id": "L1", "shipment_code": "S1", "carrier": "sf"}
    return (c.LogisticsLineInput(**(fields | changes)),)


def more(**changes: Any) -> c.RecordOrder:
    """More of the order under a source id of its own, nothing named but the changes."""
    named: dict[str, Any] = {
        "source_id": "2",
        "sale_lines": (),
        "tenders": (),
        "logistics_lines": (),
    }
    return g.record_order(**(named | changes))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sale_lines": (g.sale_line(sku="B"),)}, "sale_lines[0].sku"),
        ({"sale_lines": (g.sale_line(quantity=5),)}, "sale_lines[0].quantity"),
        ({"sale_lines": (g.sale_line(goods=g.cny(1)),)}, "sale_lines[0].goods"),
        (
            {
                "sale_lines": (
                    g.sale_line(discounts=(c.DiscountInput(funder="us", amount=g.cny(1)),)),
                )
            },
            "sale_lines[0].discounts",
        ),
        ({"tenders": tender(1)}, "tenders[0].captured"),
        ({"logistics_lines": billing(shipment_code="ZZ")}, "logistics_lines[0].shipment_code"),
        ({"logistics_lines": billing(carrier="dhl")}, "logistics_lines[0].carrier"),
    ],
)
@pytest.mark.parametrize("source_id", ["2", "O1"])
def test_what_an_order_said_is_never_changed_in_silence(
    changes: dict[str, Any], field: str, source_id: str
) -> None:
    story = ordered()
    with pytest.raises(InvalidCommand) as refused:
        story.do(more(**changes, source_id=source_id))
    assert refused.value.metadata["fields"] == field


def test_what_was_left_open_may_be_added_and_stays_when_it_is_not_said_again() -> None:
    story = ordered(sale_lines=(g.sale_line(sale_recognised_at=""),))
    first = g.record_order(sale_lines=(g.sale_line(sale_recognised_at=""),))
    story.do(more(sale_lines=(g.sale_line(),), logistics_lines=billing(freight=g.cny(900))))
    story.do(more(source_id="3", logistics_lines=billing(carrier_number="N1")))
    assert story.do(first) == []
    line = story.order().logistics_line("L1")
    assert line is not None
    assert (line.freight, line.carrier_number) == (900, "N1")
    assert story.order().lines[0].sale.sale_recognised_at == g.RECOGNISED
    with pytest.raises(InvalidCommand, match="900"):
        story.do(more(source_id="4", logistics_lines=billing(freight=g.cny(901))))


def test_an_order_told_again_under_its_source_id_changes_nothing() -> None:
    story = ordered()
    assert story.do(g.record_order()) == []


def test_a_source_id_brings_nothing_new_later() -> None:
    story = ordered()
    with pytest.raises(InvalidCommand) as refused:
        story.do(g.record_order(sale_lines=(g.sale_line(), g.sale_line("2"))))
    assert refused.value.metadata["fields"] == "sale_lines[1]"


def test_a_source_id_of_another_order_is_refused_with_that_order() -> None:
    story = ordered()
    with pytest.raises(InvalidCommand, match="was recorded for order 'O1'"):
        story.do(g.record_order("O2", source_id="O1"))


def test_a_payment_that_the_order_named_counts_once_and_says_the_same() -> None:
    story = ordered()
    payment = {"provider": "alipay", "account": ""}
    story.do(g.money("payment_captured", "pay-O1", g.GROSS, **payment))
    assert story.order().captured == g.GROSS
    story = ordered()
    with pytest.raises(InvalidCommand, match=f"{g.GROSS} minor units were recorded"):
        story.do(g.money("payment_captured", "pay-O1", g.GROSS + 1, **payment))
