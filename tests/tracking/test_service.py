"""TrackingService over gRPC, on both engines: what goes in, what is shown, what is refused."""

import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from shipment_exception.v1 import exception_service_pb2 as cases_pb
from shipment_exception.v1 import tracking_pb2
from shipment_exception.v1 import tracking_service_pb2 as pb

from server.app import Running
from server.wire.requests import REPEATED_MAX
from tests.features.refusals import refused
from tests.scenarios.engines import server, settings, tenant
from tests.serving import Client, client

__all__ = ["server", "settings", "tenant"]

DELIVERY_FAILED = "DELIVERY_FAILED"
DAY = "2026-01-05T{:02}:00:00Z"


@pytest.fixture
def calls(server: Running, tenant: str) -> Iterator[Client]:
    with client(server.address, tenant=tenant, actor="gateway") as stubs:
        yield stubs


def shipment(code: str = "P-1", **facts: Any) -> tracking_pb2.Shipment:
    said = {"order_id": "O-1", "shipment_code": code, "numbers": [{"number": f"N-{code}"}]}
    return ParseDict(said | facts, tracking_pb2.Shipment())


def fact(source_id: str, hour: int = 8, **more: Any) -> tracking_pb2.TrackingCheckpoint:
    said = {
        "feed": "wms",
        "source_id": source_id,
        "number": "N-P-1",
        "occurred_at": DAY.format(hour),
        "status": "in_transit",
    }
    return ParseDict(said | more, tracking_pb2.TrackingCheckpoint())


def register(calls: Client, *shipments: tracking_pb2.Shipment) -> list[pb.ShipmentResult]:
    answer = calls.tracking.RegisterShipments(pb.RegisterShipmentsRequest(shipments=shipments))
    return list(answer.results)


def record(calls: Client, *facts: tracking_pb2.TrackingCheckpoint) -> list[pb.CheckpointResult]:
    answer = calls.tracking.RecordCheckpoints(pb.RecordCheckpointsRequest(checkpoints=facts))
    return list(answer.results)


def outcomes(results: list[Any]) -> list[str]:
    return [each.outcome or each.error.reason for each in results]


def shown(calls: Client, code: str = "P-1") -> pb.GetShipmentResponse:
    found: pb.GetShipmentResponse = calls.tracking.GetShipment(
        pb.GetShipmentRequest(shipment_code=code)
    )
    return found


# --- registering ----------------------------------------------------------------------------


def test_a_shipment_is_registered_changed_and_unchanged(calls: Client) -> None:
    assert outcomes(register(calls, shipment())) == ["registered"]
    assert outcomes(register(calls, shipment())) == ["unchanged"]
    more = shipment(carrier="sf", numbers=[{"number": "N-2", "carrier": "sf", "leg": 2}])
    assert outcomes(register(calls, more)) == ["changed"]
    found = shown(calls).shipment
    assert found.shipment.carrier == "sf"
    assert [each.number for each in found.shipment.numbers] == ["N-P-1", "N-2"]
    assert (found.status, found.checkpoints) == ("registered", 0)


def test_what_a_shipment_says_of_itself_is_shown_as_it_was_said(calls: Client) -> None:
    facts: dict[str, Any] = {
        "carrier": "sf",
        "service": "express",
        "lane": "CN-US",
        "destination": "Lyon",
        "pieces": ["A", "B"],
        "untracked": True,
        "labelled_at": DAY.format(1),
        "handed_over_at": DAY.format(2),
        "promised_at": "2099-01-05T00:00:00.123456Z",
        "numbers": [
            {"number": "N-1", "carrier": "sf", "piece": "A", "leg": 2, "since": DAY.format(3)}
        ],
    }
    sent = shipment(**facts)
    register(calls, sent)
    assert shown(calls).shipment.shipment == sent


def test_each_shipment_of_a_batch_stands_for_itself(calls: Client) -> None:
    register(calls, shipment())
    stranger, unnamed = shipment(order_id="O-2"), shipment("")
    results = register(calls, stranger, unnamed, shipment("P-2"))
    assert outcomes(results)[2] == "registered"
    assert [each.HasField("error") for each in results] == [True, True, False]
    assert [each.shipment_code for each in results] == ["P-1", "", "P-2"]
    assert shown(calls).shipment.shipment.order_id == "O-1"


# --- recording ------------------------------------------------------------------------------


def test_a_fact_is_new_once_and_known_from_then_on(calls: Client) -> None:
    register(calls, shipment())
    (first,) = record(calls, fact("1"))
    assert (first.source_id, first.outcome, first.shipment_code) == ("1", "new", "P-1")
    (again,) = record(calls, fact("1", 9, status="delivered"))
    assert (again.outcome, again.shipment_code) == ("known", "P-1")
    (other,) = record(calls, fact("1", feed="post"))
    assert other.outcome == "new"
    assert [each.feed for each in shown(calls).timeline] == ["post", "wms"]
    assert {each.source_id for each in shown(calls).timeline} == {"1"}
    assert shown(calls).shipment.status == "in_transit"


def test_a_fact_waits_for_the_shipment_that_has_its_number(calls: Client) -> None:
    (early,) = record(calls, fact("1"))
    assert (early.outcome, early.shipment_code) == ("unmatched", "")
    register(calls, shipment())
    assert [each.source_id for each in shown(calls).timeline] == ["1"]
    assert outcomes(record(calls, fact("1"))) == ["known"]


@pytest.mark.parametrize(
    ("flaw", "field"),
    [
        ({"number": ""}, "shipment_code"),
        ({"occurred_at": None}, "occurred_at"),
        ({"feed": ""}, "feed"),
        ({"source_id": ""}, "source_id"),
        ({"source_id": "x" * 201}, "source_id"),
        ({"place": "a\nb"}, "place"),
        ({"occurred_at": "1200-01-01T00:00:00Z"}, "occurred_at"),
        ({"status": "beamed"}, "status"),
    ],
    ids=["parcel", "time", "feed", "id", "long id", "control", "past", "status"],
)
def test_a_fact_that_cannot_be_taken_is_refused_alone(
    calls: Client, flaw: dict[str, Any], field: str
) -> None:
    register(calls, shipment())
    bad = ParseDict({"occurred_at": DAY.format(9)}, fact("bad"))
    for name, value in flaw.items():
        bad.ClearField(name)
        ParseDict({name: value} if value else {}, bad)
    results = record(calls, fact("1"), bad, fact("2", 10))
    assert [each.outcome for each in results] == ["new", "", "new"]
    assert results[1].error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert field in {each.field for each in results[1].error.violations}
    assert len(shown(calls).timeline) == 2


@pytest.mark.parametrize("count", [0, REPEATED_MAX + 1])
def test_an_empty_batch_and_a_large_one_are_refused_as_a_whole(calls: Client, count: int) -> None:
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "checkpoints"):
        record(calls, *[fact(str(n)) for n in range(count)])
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "shipments"):
        register(calls, *[shipment(f"P-{n}") for n in range(count)])
    with refused("NOT_FOUND", "NOT_FOUND"):
        shown(calls, "P-0")


def test_a_whole_batch_is_taken(calls: Client) -> None:
    codes = [f"P-{n}" for n in range(REPEATED_MAX)]
    assert set(outcomes(register(calls, *map(shipment, codes)))) == {"registered"}
    facts = [fact(f"c-{code}", number=f"N-{code}") for code in codes]
    results = record(calls, *facts)
    assert [each.shipment_code for each in results] == codes


# --- streaming ------------------------------------------------------------------------------


def test_a_stream_acknowledges_every_message_in_order(calls: Client) -> None:
    register(calls, shipment())
    messages = [
        pb.StreamCheckpointsRequest(checkpoints=[fact(f"{at}-{n}") for n in range(5)])
        for at in range(20)
    ]
    answers = list(calls.tracking.StreamCheckpoints(iter(messages), timeout=60))
    assert [[r.source_id for r in answer.results] for answer in answers] == [
        [f"{at}-{n}" for n in range(5)] for at in range(20)
    ]
    assert {r.outcome for answer in answers for r in answer.results} == {"new"}
    assert len(shown(calls).timeline) == 100


def test_a_message_that_is_refused_ends_the_stream_behind_the_others(calls: Client) -> None:
    register(calls, shipment())
    messages = [
        pb.StreamCheckpointsRequest(checkpoints=[fact("1"), fact("")]),
        pb.StreamCheckpointsRequest(),
        pb.StreamCheckpointsRequest(checkpoints=[fact("2")]),
    ]
    got = []
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "checkpoints"):
        for answer in calls.tracking.StreamCheckpoints(iter(messages), timeout=60):
            got.append(outcomes(list(answer.results)))
    assert got == [["new", "INVALID_COMMAND"]]


# --- reading --------------------------------------------------------------------------------


def test_the_timeline_is_in_the_order_in_which_things_happened(calls: Client) -> None:
    register(calls, shipment())
    record(calls, fact("3", 12, status="departed"))
    record(calls, fact("1", 8, status="collected"), fact("2", 10, status="arrived"))
    found = shown(calls)
    assert [each.source_id for each in found.timeline] == ["1", "2", "3"]
    assert [each.late for each in found.timeline] == [True, True, False]
    assert found.shipment.status == "departed"
    assert found.shipment.last_checkpoint_at == found.timeline[-1].occurred
    assert all(each.received.seconds > each.occurred.seconds for each in found.timeline)


def test_everything_that_was_told_is_shown(calls: Client) -> None:
    register(calls, shipment())
    told: dict[str, Any] = {
        "raw_code": "X1",
        "raw_text": "已签收，签收人王五",
        "place": "Lyon",
        "station": "Lyon 7, 13800000000",
        "courier": "Zhao",
        "signer": "Wang Wu",
        "carrier": "sf",
        "zone_assumed": True,
    }
    record(calls, fact("1", **told))
    (entry,) = shown(calls).timeline
    for name, value in told.items():
        if name != "carrier":
            assert getattr(entry, name) == value, name
    assert entry.number == "N-P-1"


def test_a_fact_that_a_later_one_declares_wrong_is_marked(calls: Client) -> None:
    register(calls, shipment())
    record(calls, fact("1", 8, status="delivered"), fact("2", 9, status="in_transit"))
    record(calls, fact("3", 10, status="information", retracts=["1"]))
    assert [each.retracted for each in shown(calls).timeline] == [True, False, False]
    assert shown(calls).shipment.status == "in_transit"
    record(calls, fact("4", 11, status="information", retracts=["3"]))
    assert [each.retracted for each in shown(calls).timeline] == [False, False, True, False]


def test_only_what_detection_leaves_out_is_marked_as_declared_wrong(calls: Client) -> None:
    register(calls, shipment(), shipment("P-2"))
    record(calls, fact("1", status="delivered"))
    record(calls, fact("2", occurred_at="2099-01-01T00:00:00Z", retracts=["1"]))
    assert [each.retracted for each in shown(calls).timeline] == [False, False]
    assert shown(calls).shipment.status == "delivered"
    other = {"number": "N-P-2", "status": "information"}
    record(calls, fact("3", 8, number="N-P-2", status="delivered"))
    record(calls, fact("4", 9, **other, retracts=["5"]), fact("5", 10, **other, retracts=["3"]))
    assert [each.retracted for each in shown(calls, "P-2").timeline] == [False, False, True]
    assert shown(calls, "P-2").shipment.status == "delivered"


def test_a_piece_that_only_a_fact_names_is_shown_behind_the_others(calls: Client) -> None:
    register(calls, shipment(pieces=["b", "c"]))
    record(calls, fact("1", piece="a"), fact("2", 9, piece="b", status="delivered"))
    found = shown(calls).shipment
    pieces = [(each.piece, each.status) for each in found.pieces]
    assert pieces == [("b", "delivered"), ("c", "registered"), ("a", "in_transit")]


def test_a_fact_far_in_the_future_is_kept_and_marked(calls: Client) -> None:
    register(calls, shipment())
    record(calls, fact("1"), fact("2", occurred_at="2099-01-01T00:00:00Z", status="delivered"))
    found = shown(calls)
    assert [each.future for each in found.timeline] == [False, True]
    assert found.shipment.status == "in_transit"


def test_the_words_of_a_person_who_was_erased_are_gone(
    calls: Client, server: Running, tenant: str
) -> None:
    register(calls, shipment())
    record(calls, fact("1", raw_text="签收人王五", signer="Wang Wu", place="Lyon"))
    assert server.store.personal.destroy(tenant, "order/O-1")
    (entry,) = shown(calls).timeline
    assert (entry.raw_text, entry.station, entry.courier, entry.signer) == ("[erased]",) * 4
    assert (entry.place, entry.status) == ("Lyon", "in_transit")


def test_what_is_found_is_shown_with_the_case_that_it_became(calls: Client) -> None:
    register(calls, shipment())
    record(calls, fact("1", feed="kuaidi100", status="", raw_code="204"))
    end = time.monotonic() + 20
    while not (found := shown(calls)).deviations or not found.deviations[0].outcome:
        assert time.monotonic() < end
        time.sleep(0.05)
    (entry,) = found.timeline
    first = found.deviations[0]
    assert (
        (entry.status, entry.opens) == ("attempted", first.code) == ("attempted", DELIVERY_FAILED)
    )
    assert (first.stage, first.outcome, list(first.evidence)) == ("", "opened", ["kuaidi100/1"])
    assert first.at == entry.occurred
    assert first.version >= 1
    case = calls.exceptions.GetException(
        cases_pb.GetExceptionRequest(exception_id=first.exception_id)
    ).exception
    assert (case.code, case.subject.shipment_code) == (DELIVERY_FAILED, "P-1")


def test_a_shipment_is_its_tenants_alone(calls: Client, server: Running) -> None:
    register(calls, shipment())
    record(calls, fact("1"))
    with client(server.address, tenant="somebody-else") as others:
        with refused("NOT_FOUND", "NOT_FOUND") as refusal:
            shown(others)
        assert list(others.tracking.ListWatched(pb.ListWatchedRequest()).shipments) == []
        assert outcomes(record(others, fact(f"1/{id(calls)}"))) == ["unmatched"]
    assert "RegisterShipments" in refusal.text


def test_a_timeline_that_is_too_long_for_one_answer_comes_in_pages(calls: Client) -> None:
    register(calls, shipment(), shipment("P-2"))
    words = "件" * 4_000
    for start in range(0, 400, 100):
        record(calls, *[fact(f"{n:03}", n % 7, raw_text=words) for n in range(start, start + 100)])
    entries = []
    token = ""
    answers = 0
    while token or not answers:
        request = pb.GetShipmentRequest(shipment_code="P-1", page_token=token)
        answer = calls.tracking.GetShipment(request)
        assert answer.ByteSize() < 4 * 1024 * 1024
        entries += answer.timeline
        token, answers = answer.next_page_token, answers + 1
        if token:
            with refused("INVALID_ARGUMENT", "TOKEN_REFUSED", "page_token"):
                other = pb.GetShipmentRequest(shipment_code="P-2", page_token=token)
                calls.tracking.GetShipment(other)
    assert answers > 1
    assert [e.source_id for e in entries] == sorted(
        (f"{n:03}" for n in range(400)), key=lambda s: (int(s) % 7, s)
    )


def test_a_shipment_without_a_code_is_a_mistake_of_the_caller(calls: Client) -> None:
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "shipment_code"):
        shown(calls, "")


@pytest.mark.parametrize("odd", ["a\0b", "x" * 201], ids=["NUL", "long"])
def test_what_can_be_no_name_is_refused(calls: Client, odd: str) -> None:
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "shipment_code"):
        shown(calls, odd)
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "order_id"):
        pages(calls, order_id=odd)


@pytest.mark.parametrize("odd", ["' OR 1=1 --", "%", "🚚", "a\nb"])
def test_a_name_that_nothing_has_finds_nothing(calls: Client, odd: str) -> None:
    register(calls, shipment())
    with refused("NOT_FOUND", "NOT_FOUND"):
        shown(calls, odd)
    assert pages(calls, order_id=odd) == []


def test_a_status_that_nothing_can_have_is_refused(calls: Client) -> None:
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "status") as refusal:
        pages(calls, status="beamed")
    assert "in_transit" in refusal.fields["status"]


def pages(calls: Client, **wanted: Any) -> list[str]:
    found: list[str] = []
    token = ""
    while True:
        answer = calls.tracking.ListWatched(pb.ListWatchedRequest(page_token=token, **wanted))
        found += [each.shipment.shipment_code for each in answer.shipments]
        token = answer.next_page_token
        if not token:
            return found


def test_the_watch_list_is_read_page_by_page(calls: Client) -> None:
    codes = [f"P-{n}" for n in range(7)]
    register(calls, *[shipment(code, order_id=f"O-{code[-1:] > '3'}") for code in codes])
    record(calls, fact("1", number="N-P-2"))
    assert pages(calls, page_size=2) == codes
    assert pages(calls, page_size=2, order_id="O-True") == codes[4:]
    assert pages(calls, status="in_transit") == ["P-2"]
    assert pages(calls, number="N-P-3") == ["P-3"]
    assert pages(calls, number="N-P-3", order_id="O-True") == pages(calls, number="P-3") == []
    assert pages(calls, status="registered", page_size=3) == [c for c in codes if c != "P-2"]


def test_a_page_token_belongs_to_its_query(calls: Client) -> None:
    register(calls, shipment("P-1"), shipment("P-2"))
    first = calls.tracking.ListWatched(pb.ListWatchedRequest(page_size=1))
    with refused("INVALID_ARGUMENT", "TOKEN_REFUSED", "page_token"):
        calls.tracking.ListWatched(
            pb.ListWatchedRequest(page_token=first.next_page_token, status="delivered")
        )
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "page_size"):
        calls.tracking.ListWatched(pb.ListWatchedRequest(page_size=-1))
