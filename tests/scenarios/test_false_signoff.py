"""Case 5: a parcel that is shown as delivered was not received; it is delivered again."""

from shipment_exception.v1.exception_pb2 import ShipmentException

from tests.scenarios.watching import Watch, at


def denied(watch: Watch) -> str:
    """The customer says that a delivered parcel never came; gives the case."""
    watch.world.record_order(recognised=True)
    watch.register()
    for hours, status in ((0, "collected"), (10, "arrived"), (20, "out_for_delivery")):
        watch.scan(hours, status)
    watch.scan(24, "delivered")
    watch.until(30)
    assert watch.cases() == []
    request = watch.world.detection("DELIVERED_NOT_RECEIVED", occurred_at=at(30))
    request.signal.kind = "customer"
    answer = watch.world.send(watch.world.client.exceptions.DetectException, request)
    return str(answer.exception.exception_id)


def test_the_redelivery_of_a_false_sign_off_is_no_contradiction(watch: Watch) -> None:
    """A18."""
    case = denied(watch)
    watch.world.verify(case)
    watch.world.reclassify(case, "FALSE_SIGNOFF")
    redelivery = watch.world.act(case, "redeliver")
    watch.scan(50, "out_for_delivery")
    watch.until(50)
    assert watch.cases() == [case]
    (contradiction,) = watch.shown().deviations
    assert (contradiction.code, contradiction.outcome) == ("TRACKING_ANOMALY", "expected")
    assert watch.shown().shipment.status == "delivered"
    watch.scan(54, "delivered")
    watch.until(54)
    watch.world.outcome(case, redelivery, "succeeded")
    watch.world.remediate(case, "REDELIVERED")
    watch.world.reconcile(case)
    assert watch.world.case(case).state == ShipmentException.STATE_RECONCILED
    assert watch.cases() == [case]


def test_without_an_action_of_ours_the_same_scan_opens_a_case(watch: Watch) -> None:
    case = denied(watch)
    watch.scan(50, "out_for_delivery")
    watch.until(50)
    (first, second) = watch.cases()
    anomaly = watch.world.case(second)
    assert first == case
    assert (anomaly.code, anomaly.state) == (
        "TRACKING_ANOMALY",
        ShipmentException.STATE_ESCALATED,
    )
    assert watch.shown().shipment.status == "delivered"
