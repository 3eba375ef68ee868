"""Several legs, and several pieces of one shipment (A26)."""

from shipment_exception.v1 import tracking_pb2
from shipment_exception.v1.exception_pb2 import ShipmentException

from tests.scenarios.watching import Watch, at
from tests.server.esm import Esm

Number = tracking_pb2.CarrierNumber


def of(watch: Watch) -> tuple[str, ...]:
    """The words by which a command is about the tenant of a world."""
    return ("--tenant", watch.world.tenant)


def test_the_number_of_the_last_mile_goes_on_with_the_same_timeline(watch: Watch) -> None:
    """A26."""
    first = Number(number="CN-1", carrier="yanwen")
    last = Number(number="LM-1", carrier="colissimo", leg=2)
    watch.register(numbers=[first])
    facts = [
        tracking_pb2.TrackingCheckpoint(
            feed="wms", source_id=source_id, number=number, status=status, occurred_at=at(hours)
        )
        for source_id, number, status, hours in (
            ("a", "CN-1", "departed", 0),
            ("b", "LM-1", "arrived", 30),
            ("c", "LM-1", "delivered", 40),
        )
    ]
    assert watch.record(facts) == ["new", "unmatched", "unmatched"]
    watch.until(20)
    watch.register(numbers=[last])
    watch.until(41)
    shown = watch.shown()
    timeline = [(e.source_id, e.number, e.leg) for e in shown.timeline]
    assert timeline == [("a", "CN-1", 1), ("b", "LM-1", 2), ("c", "LM-1", 2)]
    assert [(n.number, n.carrier, n.leg) for n in shown.shipment.shipment.numbers] == [
        ("CN-1", "yanwen", 1),
        ("LM-1", "colissimo", 2),
    ]
    assert (shown.shipment.status, watch.cases()) == ("delivered", [])
    page = Esm(watch.world.client.address).run("track", "show", "S1", *of(watch)).stdout
    assert "colissimo/LM-1, leg 段 2" in page


def test_each_piece_stands_where_it_stands(watch: Watch) -> None:
    """A26."""
    watch.register(
        pieces=["box-1", "box-2", "box-3"],
        numbers=[Number(number="N-S1"), Number(number="B-2", piece="box-2")],
    )
    watch.scan(0, "in_transit")
    watch.scan(10, "out_for_delivery", piece="box-1")
    fact = tracking_pb2.TrackingCheckpoint(
        feed="wms", source_id="b2", number="B-2", status="delivered", occurred_at=at(12)
    )
    watch.record([fact])
    watch.until(13)
    shown = watch.shown().shipment
    assert {each.piece: each.status for each in shown.pieces} == {
        "box-1": "out_for_delivery",
        "box-2": "delivered",
        "box-3": "in_transit",
    }
    assert shown.status == "in_transit"
    page = Esm(watch.world.client.address).run("track", "show", "S1", *of(watch)).stdout
    assert "box-2: delivered 已签收" in page


def test_a_piece_that_does_not_come_with_the_others_is_a_short_delivery(watch: Watch) -> None:
    """A26."""
    watch.register(pieces=["box-1", "box-2"])
    watch.scan(0, "out_for_delivery")
    watch.scan(5, "delivered", piece="box-1")
    watch.scan(20, "arrived", piece="box-2")
    watch.until(5 + 48)
    stages = [(29, "at_risk"), (53, "breached")]
    assert watch.found("SHORT_DELIVERY") == stages
    (short,) = [t for t in watch.tickets() if t.code == "SHORT"]
    assert (short.subject.piece, short.state) == ("box-2", ShipmentException.STATE_ESCALATED)
    page = Esm(watch.world.client.address).run("track", "show", "S1", *of(watch)).stdout
    assert "piece 分件 box-2" in page
    watch.scan(54, "delivered", piece="box-2")
    watch.until(54)
    found = watch.world.case(short.exception_id)
    assert (found.state, found.resolution) == (ShipmentException.STATE_WITHDRAWN, "RESUMED")
    assert watch.shown().shipment.status == "delivered"
    assert watch.tickets("open = true") == []


def test_pieces_that_none_has_scanned_are_one_case_of_their_shipment(watch: Watch) -> None:
    """A26."""
    pieces = [f"box-{number}" for number in range(1, 6)]
    watch.register(pieces=pieces, labelled_at=at(0))
    watch.until(20)
    watch.scan(21, "collected", piece="box-1")
    watch.until(24)
    (case,) = watch.cases()
    found = watch.world.case(case)
    assert (found.code, found.subject.piece, found.state) == (
        "LABEL_NO_SCAN",
        "",
        ShipmentException.STATE_ESCALATED,
    )
    for hours, piece in enumerate(pieces[1:], 25):
        assert watch.world.case(case).state == ShipmentException.STATE_ESCALATED
        watch.scan(hours, "collected", piece=piece)
        watch.until(hours)
    assert watch.world.case(case).state == ShipmentException.STATE_WITHDRAWN
    assert watch.cases() == [case]
