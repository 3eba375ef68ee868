"""Case 7: a refund meets a charge-back, before it is paid (a) and after (b)."""

import grpc
import pytest
from shipment_exception.v1.exception_pb2 import ACTION_STATUS_SUCCEEDED, ShipmentException

from tests.scenarios.driver import World, money

REFUND = "R1: 4100 100.00, 4110 10.00, 2070 14.30 / 2010 124.30"
OPENED = "H1: 1130 124.30, 5080 15.00 / 1020 139.30"


def a_lost_parcel(world: World) -> str:
    """An order whose parcel is lost for certain; gives the case."""
    world.record_order()
    case = world.detect("LOST")
    world.verify(case)
    return case


def charge_back(world: World) -> str:
    """The bank withholds the money and takes a fee; gives the case of the charge-back."""
    answer = world.outside("chargeback_opened", "124.30", "cb-1", fee="15")
    (case,) = [c for c in answer.exceptions if c.code == "CHARGEBACK"]
    return str(case.exception_id)


def test_a_lost_charge_back_settles_a_refund_that_was_not_paid(world: World) -> None:
    refunded = a_lost_parcel(world)
    refund = world.approve_refund(refunded)
    disputed = charge_back(world)
    assert world.order().open_disputes == money("124.30")
    with pytest.raises(grpc.RpcError) as refused:
        world.do("SubmitAction", refunded, action_id=refund)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION

    world.outside("chargeback_lost", "124.30", "cb-1")
    assert world.book() == [REFUND, OPENED, "H3: 2010 124.30 / 1130 124.30"]
    debit, credit = world.entries()[-1].lines
    assert (debit.exception_id, debit.action_id) == (refunded, refund)
    assert credit.exception_id == disputed
    (action,) = world.case(refunded).actions
    assert (action.status, action.settled_by) == (ACTION_STATUS_SUCCEEDED, "chargeback")
    assert world.balances(refunded) == {}
    assert world.balances(disputed).get("1130") is None
    assert world.net_cost() == {refunded: "110.00", disputed: "15.00"}
    assert world.order().available.minor_units == 0
    for case, resolution in ((refunded, "REFUNDED"), (disputed, "DISPUTE_LOST")):
        world.remediate(case, resolution)
        world.reconcile(case)
        assert world.case(case).state == ShipmentException.STATE_RECONCILED


def test_a_charge_back_after_the_refund_is_won(world: World) -> None:
    refunded = a_lost_parcel(world)
    world.refund(refunded)
    disputed = charge_back(world)
    world.outside("chargeback_won", "124.30", "cb-1")
    assert world.book() == [
        REFUND,
        "R3: 2010 124.30 / 1020 124.30",
        OPENED,
        "H2: 1020 124.30 / 1130 124.30",
    ]
    assert world.net_cost() == {refunded: "110.00", disputed: "15.00"}
    assert world.order().available.minor_units == 0


def test_a_charge_back_after_the_refund_is_lost_and_the_customer_pays(world: World) -> None:
    refunded = a_lost_parcel(world)
    world.refund(refunded)
    disputed = charge_back(world)
    answer = world.outside("chargeback_lost", "124.30", "cb-1")
    (recovery,) = [c.exception_id for c in answer.exceptions if c.code == "REFUND_DISPUTE"]
    assert world.book()[3:] == ["H5: 1150 124.30 / 1130 124.30"]
    debit, credit = world.entries()[-1].lines
    assert (debit.exception_id, credit.exception_id) == (recovery, disputed)
    assert world.balances(recovery) == {"1150": "124.30"}
    assert world.order().available == money("-124.30")

    world.outside("customer_payment", "124.30", "p-2", provider="alipay", exception_id=recovery)
    assert world.book()[4:] == ["V3: 1020 124.30 / 1150 124.30"]
    assert world.balances(recovery) == {}
    assert world.trial_balance() == {
        "1020": "-139.30",
        "2070": "14.30",
        "4100": "100.00",
        "4110": "10.00",
        "5080": "15.00",
    }
    assert world.net_cost() == {refunded: "110.00", disputed: "15.00", recovery: "0.00"}
    world.remediate(recovery, "CUSTOMER_PAID")
    world.reconcile(recovery)
