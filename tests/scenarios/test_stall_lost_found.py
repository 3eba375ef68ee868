"""Case 2 from checkpoints: stall, suspected loss, loss, refund, claim; then a delivery scan."""

import pytest
from shipment_exception.v1.exception_pb2 import ResponseLevel, ShipmentException

from tests.scenarios.driver import money
from tests.scenarios.test_lost_and_found import APPROVED, CLAIM, PAID, RESTORED
from tests.scenarios.watching import Watch, at

DAY = 24


def lost(watch: Watch) -> str:
    """Nothing is heard for a week, and the carrier confirms the loss; gives the case."""
    watch.register()
    watch.scan(0, "departed")
    watch.until(7 * DAY)
    (case,) = watch.cases()
    found = watch.world.case(case)
    assert (found.code, found.state) == ("SUSPECTED_LOST", ShipmentException.STATE_ESCALATED)
    watch.world.verify(case)
    watch.world.reclassify(case, "LOST")
    watch.world.do("EscalateException", case, level=3, reason="confirmed lost")
    assert watch.world.case(case).level == ResponseLevel.RESPONSE_LEVEL_3
    return case


def found_again(watch: Watch, case: str) -> None:
    """A delivery scan three weeks later brings the case back, once."""
    watch.scan(28 * DAY, "delivered")
    watch.until(28 * DAY)
    found = watch.world.case(case)
    assert (found.state, found.episode, found.code) == (
        ShipmentException.STATE_ESCALATED,
        2,
        "DELIVERED_AFTER_REMEDY",
    )
    assert watch.cases() == [case]
    watch.scan(28 * DAY, "delivered", source_id="told-twice")
    watch.until(29 * DAY)
    assert watch.world.case(case).episode == 2


@pytest.mark.parametrize("closed", [True, False], ids=["reconciled", "remediated"])
def test_a_refunded_parcel_that_turns_up_reopens_its_case(watch: Watch, closed: bool) -> None:
    """A19."""
    watch.world.record_order(recognised=True)
    case = lost(watch)
    refund = watch.world.refund(case)
    claim = watch.world.act(
        case, "claim", amount=money("60"), counterparty="sf", logistics_line="L1"
    )
    watch.world.outcome(case, claim, "claim_approved", amount=money("60"))
    watch.world.outcome(case, claim, "claim_paid", amount=money("60"), account="1010")
    watch.world.remediate(case, "REFUNDED")
    if closed:
        watch.world.reconcile(case)
    found_again(watch, case)
    assert watch.world.book() == [APPROVED, PAID, *CLAIM]
    restored = watch.world.act(case, "restore_sale", restores_action_id=refund)
    watch.world.outcome(case, restored, "succeeded")
    watch.world.outside("customer_payment", "124.30", "v3", provider="alipay", exception_id=case)
    assert RESTORED in watch.world.book()
    watch.world.remediate(case, "CUSTOMER_PAID")
    watch.world.reconcile(case)
    codes = [change.code for change in watch.world.case(case).codes]
    assert codes == ["TRACKING_STALLED", "SUSPECTED_LOST", "LOST", "DELIVERED_AFTER_REMEDY"]


def test_a_refund_of_a_sale_not_recognised_comes_back_too(watch: Watch) -> None:
    watch.world.record_order(recognised=False)
    case = lost(watch)
    watch.world.refund(case)
    watch.world.remediate(case, "REFUNDED")
    found_again(watch, case)
    assert watch.world.book() == ["R2: 2090 124.30 / 2010 124.30", PAID]


def test_movement_after_a_refund_of_another_trouble_opens_a_case_of_its_own(watch: Watch) -> None:
    watch.world.record_order(recognised=True)
    watch.register()
    watch.scan(0, "in_transit")
    watch.until(1)
    damaged = watch.world.detect("DAMAGED", occurred_at=at(1))
    watch.world.verify(damaged)
    watch.world.refund(damaged)
    watch.world.remediate(damaged, "REFUNDED")
    watch.scan(20, "delivered")
    watch.until(20)
    (_, opened) = watch.cases()
    found = watch.world.case(opened)
    assert (found.code, found.raised_by) == ("DELIVERED_AFTER_REMEDY", damaged)
    assert watch.world.case(damaged).state == ShipmentException.STATE_REMEDIATED


def test_movement_of_a_case_without_remedy_changes_nothing(watch: Watch) -> None:
    watch.register()
    watch.scan(0, "in_transit")
    watch.until(1)
    case = watch.world.detect("DAMAGED", occurred_at=at(1))
    before = len(watch.world.events(case))
    watch.scan(20, "delivered")
    watch.until(20)
    assert watch.cases() == [case]
    assert len(watch.world.events(case)) == before
