"""Case 12: a wrong item is exchanged; reshipment and carrier charges (S1, S2, K1, K2)."""

from shipment_exception.v1.exception_pb2 import ShipmentException

from tests.scenarios.driver import World, money


def exchanged(world: World, *, goods: str, freight: str) -> str:
    """The right item leaves at its true cost; gives the case."""
    world.record_order()
    case = world.detect("WRONG_ITEM")
    world.verify(case)
    action = world.act(case, "exchange_advance", goods_cost=money("60"), freight=money("8"))
    world.outcome(
        case,
        action,
        "dispatched",
        goods_cost=money(goods),
        freight=money(freight),
        logistics_line="L2",
        shipment_code="S2",
    )
    world.outcome(case, action, "succeeded")
    return case


def test_an_exchange_costs_goods_and_freight_both_ways(world: World) -> None:
    case = exchanged(world, goods="60", freight="8")
    world.charge(case, "L1", "return_freight", "accrued", "8")
    world.remediate(case, "EXCHANGED")
    world.charge(case, "L1", "return_freight", "invoiced", "8")
    world.charge(case, "L2", "reship_freight", "invoiced", "8")
    assert world.book() == [
        "S1: 5020 60.00, 5010 8.00 / 2040 68.00",
        "S2: 2040 68.00 / 1200 60.00, 2055 8.00",
        "K1: 5040 8.00 / 2055 8.00",
        "K2: 2055 8.00 / 1900 8.00",
        "K2: 2055 8.00 / 1900 8.00",
    ]
    lines = [[line.logistics_line for line in entry.lines] for entry in world.entries()]
    assert lines[1:] == [["L2", "L2", "L2"], ["L1", "L1"], ["L1", "L1"], ["L2", "L2"]]
    assert world.trial_balance() == {
        "1200": "-60.00",
        "1900": "-16.00",
        "5010": "8.00",
        "5020": "60.00",
        "5040": "8.00",
    }
    assert world.net_cost() == {case: "76.00"}
    world.reconcile(case)
    assert world.case(case).state == ShipmentException.STATE_RECONCILED
    assert world.balances(case) == {}


def test_a_dispatch_at_another_cost_ends_the_obligation_at_zero(world: World) -> None:
    case = exchanged(world, goods="57.50", freight="9.20")
    assert world.book() == [
        "S1: 5020 60.00, 5010 8.00 / 2040 68.00",
        "S2: 2040 68.00, 5010 1.20 / 5020 2.50, 1200 57.50, 2055 9.20",
    ]
    assert "2040" not in world.balances(case)
    assert world.balances(case) == {"2055": "-9.20"}
