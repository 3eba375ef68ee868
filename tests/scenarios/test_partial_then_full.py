"""Case 6: a partial refund and a coupon, then the rest of every line, and the coupon is revoked."""

from tests.scenarios.driver import World, money


def test_a_partial_refund_and_a_coupon_then_the_remainder_of_the_line(world: World) -> None:
    world.record_order()
    case = world.detect("NODE_STUCK")
    world.verify(case)
    world.refund(case, "partial_refund", account="1025", line_1="30")
    coupon = world.act(case, "coupon", amount=money("10"))
    world.outcome(case, coupon, "succeeded")
    assert world.book() == [
        "P1: 4120 26.55, 2070 3.45 / 2010 30.00",
        "R3: 2010 30.00 / 1025 30.00",
        "P3: 4120 6.00 / 2020 6.00",
    ]
    assert world.order().available == money("94.30")

    world.reclassify(case, "LOST")
    world.refund(case, account="1025")
    world.outcome(case, coupon, "coupon_revoked")
    assert world.book()[3:] == [
        "R1: 4100 73.45, 4110 10.00, 2070 10.85 / 2010 94.30",
        "R3: 2010 94.30 / 1025 94.30",
        "P4.ended: 2020 6.00 / 4120 6.00",
    ]
    assert world.trial_balance() == {
        "1025": "-124.30",
        "2070": "14.30",
        "4100": "73.45",
        "4110": "10.00",
        "4120": "26.55",
    }
    assert world.net_cost() == {case: "110.00"}
    assert world.order().available.minor_units == 0
    world.remediate(case, "REFUNDED")
    world.reconcile(case)
    assert world.balances(case) == {}
