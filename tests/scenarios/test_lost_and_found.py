"""Case 2: a stalled parcel is lost, refunded, closed; then it turns up and the customer pays."""

import pytest
from shipment_exception.v1.exception_pb2 import ShipmentException

from tests.scenarios.driver import World, money

APPROVED = "R1: 4100 100.00, 4110 10.00, 2070 14.30 / 2010 124.30"
PAID = "R3: 2010 124.30 / 1020 124.30"
CLAIM = [
    "C1: 9010 60.00 / 9990 60.00",
    "C2: 1110 60.00, 9990 60.00 / 6010 60.00, 9010 60.00",
    "C3: 1010 60.00 / 1110 60.00",
]
RESTORED = "V1.R1: 1150 124.30 / 4100 100.00, 4110 10.00, 2070 14.30"
CUSTOMER_PAID = "V3: 1020 124.30 / 1150 124.30"


def lost(world: World) -> str:
    """From the stall to a confirmed loss; gives the case."""
    case = world.detect("TRACKING_STALLED")
    world.verify(case, "last_event_and_path")
    world.reclassify(case, "SUSPECTED_LOST")
    world.reclassify(case, "LOST")
    world.do("EscalateException", case, level=3, reason="confirmed lost")
    return case


def refunded_and_claimed(world: World, case: str) -> str:
    """Refund in full, and claim 60 from the carrier; gives the refund."""
    refund = world.refund(case)
    claim = world.act(case, "claim", amount=money("60"), counterparty="sf", logistics_line="L1")
    world.outcome(case, claim, "claim_approved", amount=money("60"))
    world.outcome(case, claim, "claim_paid", amount=money("60"), account="1010")
    return refund


def found_and_kept(world: World, case: str, refund: str) -> None:
    """The parcel was delivered after all; the customer keeps it and pays."""
    world.do("ReopenException", case, reason="delivery scan")
    world.reclassify(case, "DELIVERED_AFTER_REMEDY")
    restored = world.act(case, "restore_sale", restores_action_id=refund)
    world.outcome(case, restored, "succeeded")
    world.outside("customer_payment", "124.30", "v3", provider="alipay", exception_id=case)
    world.remediate(case, "CUSTOMER_PAID")


def test_a_lost_parcel_is_refunded_found_and_paid_for_again(world: World) -> None:
    world.record_order(recognised=True)
    case = lost(world)
    refund = refunded_and_claimed(world, case)
    assert world.book() == [APPROVED, PAID, *CLAIM]
    world.remediate(case, "REFUNDED")
    world.reconcile(case)
    assert world.case(case).state == ShipmentException.STATE_RECONCILED
    assert world.net_cost() == {case: "50.00"}

    found_and_kept(world, case, refund)
    assert world.book() == [APPROVED, PAID, *CLAIM, RESTORED, CUSTOMER_PAID]
    assert world.trial_balance() == {"1010": "60.00", "6010": "-60.00"}
    assert world.balances(case) == {}
    assert world.net_cost() == {case: "-60.00"}
    world.reconcile(case)
    now = world.case(case)
    assert (now.state, now.episode) == (ShipmentException.STATE_RECONCILED, 2)
    assert [change.code for change in now.codes] == [
        "TRACKING_STALLED",
        "SUSPECTED_LOST",
        "LOST",
        "DELIVERED_AFTER_REMEDY",
    ]


def test_the_refund_of_a_sale_that_was_never_recognised_touches_no_result(world: World) -> None:
    world.record_order(recognised=False)
    case = lost(world)
    world.refund(case)
    assert world.book() == ["R2: 2090 124.30 / 2010 124.30", PAID]
    assert world.trial_balance() == {"1020": "-124.30", "2090": "124.30"}
    assert world.net_cost() == {case: "0.00"}
    assert world.balances(case) == {}


def test_every_line_of_the_refund_carries_its_tags(world: World) -> None:
    world.record_order()
    case = lost(world)
    refund = world.refund(case)
    statement = world.statement()
    assert [len(entry.lines) for entry in statement.entries] == [4, 2]
    for entry in statement.entries:
        assert (entry.order_id, entry.exception_id, entry.episode) == ("O1", case, 1)
        assert entry.position
        assert len(entry.rules) == 64
        assert [line.index for line in entry.lines] == list(range(len(entry.lines)))
        for line in entry.lines:
            assert (line.order_id, line.exception_id, line.episode) == ("O1", case, 1)
            assert (line.shipment_code, line.logistics_line) == ("S1", "L1")
            assert line.action_id == refund
    approval, payment = statement.entries
    assert [line.sale_line for line in approval.lines] == ["1"] * 4
    assert [line.party for line in approval.lines] == ["", "", "", "customer"]
    assert [line.party for line in payment.lines] == ["customer", ""]
    assert [entry.number for entry in statement.entries] == [1, 2]


@pytest.mark.parametrize("recognised", [True, False], ids=["R", "N"])
def test_nothing_is_left_to_refund_after_a_full_refund(world: World, recognised: bool) -> None:
    world.record_order(recognised=recognised)
    world.refund(lost(world))
    order = world.order()
    assert order.available.minor_units == 0
    assert order.committed == money("124.30")
    (line,) = order.sale_lines
    assert (line.goods_undone, line.shipping_undone, line.tax_undone) == (
        money("100"),
        money("10"),
        money("14.30"),
    )
