"""What carriers tell: raw words, codes, order, each fact once (A1, A2, A5, A17, A29)."""

import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from shipment_exception.v1 import exception_pb2, tracking_pb2
from shipment_exception.v1 import ticket_service_pb2 as tickets_pb
from shipment_exception.v1 import tracking_service_pb2 as tracking_pb
from shipment_exception.v1.exception_pb2 import ShipmentException

from tests.scenarios.driver import CATALOGUE, World
from tests.scenarios.watching import Watch, at
from tests.server.esm import Esm

SECONDS_MAX = 20


def fact(source_id: str, hours: float, **more: Any) -> tracking_pb2.TrackingCheckpoint:
    """A fact of a feed about the parcel S1."""
    said: dict[str, Any] = {"feed": "track17", "number": "N-S1", "occurred_at": at(hours)}
    return tracking_pb2.TrackingCheckpoint(source_id=source_id, **said | more)


def ago(hours: float) -> Timestamp:
    """A moment before now."""
    found = Timestamp()
    found.FromDatetime(datetime.now(UTC) - timedelta(hours=hours))
    return found


def soon(look: Callable[[], Any]) -> Any:
    """What a look finds as soon as it finds something."""
    end = time.monotonic() + SECONDS_MAX
    while not (found := look()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def test_an_unknown_raw_code_of_a_feed_opens_other_is_counted_and_stays(watch: Watch) -> None:
    """A1."""
    watch.register()
    watch.until(2)
    watch.record([fact("a", 0, raw_code="InTransit_Other"), fact("b", 1, raw_code="Warped_007")])
    watch.record([fact("b", 1, raw_code="Warped_007")])
    watch.record([fact("c", 2, feed="acme", raw_code="77", raw_text="odd")])
    watch.until(3)
    assert watch.codes() == ["OTHER"]
    (case,) = watch.cases()
    assert [s.raw_code for s in watch.world.case(case).sources] == ["Warped_007", "77"]
    assert [e.raw_code for e in watch.shown().timeline] == ["InTransit_Other", "Warped_007", "77"]
    assert dict(watch.status().unknown_codes) == {"track17": 1, "": 1}
    shown = Esm(watch.world.client.address).run("status").stdout
    assert "Unknown codes 未知代码" in shown
    assert "track17" in shown
    assert "(unknown feed 未知来源)" in shown


def test_an_unknown_raw_code_of_a_notice_opens_other_and_is_counted_by_the_tickets(
    watch: Watch,
) -> None:
    """A1."""
    watch.until(2)
    for number, raw_code in enumerate(("Warped_007", "Warped_008")):
        notice = exception_pb2.Signal(
            kind="carrier", feed="track17", source_id=raw_code, raw_code=raw_code
        )
        case = watch.world.detect("", signal=notice, parcel=f"P{number}", occurred_at=at(1))
        found = watch.world.case(case)
        assert (found.code, found.sources[0].raw_code) == ("OTHER", raw_code)
    request = tickets_pb.CountTicketsRequest(
        by=tickets_pb.TICKET_PROPERTY_CODE, min_position=watch.world.position
    )
    answer = watch.world.send(watch.world.client.tickets.CountTickets, request)
    assert {each.value: each.tickets for each in answer.counts} == {"OTHER": 2}


def test_every_case_that_a_checkpoint_opens_has_one_code_of_the_catalogue(watch: Watch) -> None:
    """A1."""
    source = CATALOGUE.sources["track17"]
    for number, raw_code in enumerate(source.codes):
        watch.register(f"P{number}")
        watch.record([fact(f"f{number}", 1, number=f"N-P{number}", raw_code=raw_code)])
    watch.until(1)
    opening = [m for m in source.codes.values() if m.case_code]
    assert len(opening) > 10
    codes = watch.codes()
    assert sorted(codes) == sorted(m.case_code for m in opening)
    assert set(codes) <= CATALOGUE.types.keys()


def test_the_raw_words_of_a_checkpoint_stay_on_the_event_with_both_times(watch: Watch) -> None:
    """A2."""
    watch.register()
    watch.until(5)
    before = datetime.now(UTC) - timedelta(seconds=1)
    raw = {"raw_code": "DeliveryFailure_InvalidAddress", "raw_text": "no such street, 张三"}
    watch.record([fact("a", 3, **raw)])
    watch.until(6)
    (case,) = watch.cases()
    (source,) = watch.world.case(case).sources
    assert watch.world.case(case).code == "ADDRESS_INCORRECT"
    assert (source.kind, source.feed) == ("carrier", "track17")
    assert (source.raw_code, source.raw_text) == tuple(raw.values())
    assert source.occurred == at(3)
    assert source.received.ToDatetime(UTC) >= before
    (stored,) = watch.facts(case, "detected")
    assert stored["source"]["raw_code"] == raw["raw_code"]
    assert stored["source"]["occurred"] == "2026-03-02T03:00:00.000000Z"
    assert "张三" not in json.dumps(stored, ensure_ascii=False)
    checkpoint = watch.world.case(case).last_checkpoint
    assert (checkpoint.raw_code, checkpoint.raw_text) == tuple(raw.values())
    assert checkpoint.occurred == at(3)


def test_a_checkpoint_that_says_delivery_failed_opens_a_case_at_once(world: World) -> None:
    """A5."""
    watch = Watch(world)
    watch.register()
    moment = ago(1)
    watch.record([fact("a", 0, raw_code="DeliveryFailure_Other", occurred_at=moment)])
    (case,) = soon(watch.cases)
    found = watch.world.case(case)
    assert (found.code, found.state) == ("DELIVERY_FAILED", ShipmentException.STATE_ESCALATED)
    topics = [event.topic for event in watch.world.events(case)]
    assert topics == ["exception.detected.v1", "exception.escalated.v1"]
    assert not found.sources[0].alert.stage
    assert found.sources[0].occurred == moment


def test_a_delivered_parcel_never_goes_backwards_and_what_came_late_is_marked(
    watch: Watch,
) -> None:
    """A17."""
    watch.register()
    watch.until(30)
    watch.scan(0, "collected")
    watch.scan(24, "delivered", source_id="sign")
    watch.scan(24, "delivered", source_id="sign")
    watch.scan(12, "arrived", source_id="behind")
    watch.scan(20, "out_for_delivery", source_id="round")
    watch.scan(12, "arrived", source_id="behind")
    watch.until(31)
    shown = watch.shown()
    assert shown.shipment.status == "delivered"
    timeline = [(e.source_id, e.late) for e in shown.timeline]
    assert timeline == [("c1", False), ("behind", True), ("round", True), ("sign", False)]
    assert watch.cases() == []
    watch.until(24 * 60)
    assert (watch.cases(), watch.shown().shipment.status) == ([], "delivered")


@pytest.mark.parametrize("seed", range(3))
def test_any_order_and_any_repeats_leave_the_parcel_delivered(watch: Watch, seed: int) -> None:
    """A17."""
    story = ("collected", "departed", "arrived", "out_for_delivery", "delivered", "information")
    facts = [
        fact(status, hours, feed="wms", status=status)
        for hours, status in zip((0, 5, 20, 30, 34, 40), story, strict=True)
    ]
    order = random.Random(seed)
    told = order.sample([*facts, *facts, *facts], 3 * len(facts))
    watch.register()
    watch.until(50)
    assert watch.record(told).count("new") == len(facts)
    assert set(watch.record(told)) == {"known"}
    watch.until(24 * 60)
    shown = watch.shown()
    assert [e.source_id for e in shown.timeline] == list(story)
    assert (shown.shipment.status, watch.cases()) == ("delivered", [])


def test_single_batch_and_stream_take_a_fact_once(watch: Watch) -> None:
    """A29."""
    watch.register()
    facts = [fact(f"f{n}", n, raw_code="InTransit_Other") for n in range(4)]
    assert watch.record(facts[:1]) == ["new"]
    assert watch.record(facts[:3]) == ["known", "new", "new"]
    requests = [
        tracking_pb.StreamCheckpointsRequest(checkpoints=facts[2:]),
        tracking_pb.StreamCheckpointsRequest(checkpoints=facts),
    ]
    answers = watch.world.client.tracking.StreamCheckpoints(iter(requests), timeout=30)
    told = [[each.outcome for each in answer.results] for answer in answers]
    assert [len(each) for each in told] == [2, 4]
    # Two messages of one stream are stored at once; either may be the first to tell of a fact.
    assert sorted(told[0] + told[1]) == ["known"] * 5 + ["new"]
    assert [e.source_id for e in watch.shown().timeline] == [each.source_id for each in facts]


def test_the_same_source_id_of_another_feed_is_another_fact(watch: Watch) -> None:
    """A29."""
    watch.register()
    assert watch.record([fact("1", 0, raw_code="InTransit_Other")]) == ["new"]
    assert watch.record([fact("1", 0, feed="wms", status="in_transit")]) == ["new"]
    assert watch.record([fact("1", 9, raw_code="Exception_Lost")]) == ["known"]
    assert watch.shown().shipment.checkpoints == 2


def test_a_report_is_accepted_once_by_request_id_and_by_source_id(watch: Watch) -> None:
    """A29."""
    rpc = watch.world.client.exceptions.DetectException
    watch.until(2)
    request = watch.world.detection("DAMAGED", occurred_at=at(1), request_id=str(uuid4()))
    request.signal.kind = "carrier"
    request.signal.feed, request.signal.source_id = "claims-desk", "mail-1"
    first = watch.world.send(rpc, request)
    events = len(watch.world.events())
    assert watch.world.send(rpc, request).exception.exception_id == first.exception.exception_id
    request.request_id = str(uuid4())
    assert watch.world.send(rpc, request).exception.exception_id == first.exception.exception_id
    assert len(watch.world.events()) == events
    assert len(watch.world.case(first.exception.exception_id).sources) == 1
