"""A feed's message as tracking facts of the API: all of it, or none."""

from zoneinfo import ZoneInfo

import pytest

from esm import catalog
from server.client import to_message
from server.tracking.feeds import FEEDS
from server.tracking.importing import (
    BATCH_BYTES_MAX,
    BATCH_FACTS_MAX,
    Fact,
    _fact,
    batches,
    facts_of,
)
from server.tracking.reading import FeedProblem, Reading
from tests.tracking.given import MESSAGES, SHANGHAI

ASKED = "2026-03-05T00:00:00.000000Z"
NUMBER = "EA900000001CN"
EMS = (MESSAGES / "ems.xml").read_bytes()


def taken(feed: str, body: bytes, **more: str) -> list[Fact]:
    return facts_of(feed, body, SHANGHAI, asked=ASKED, **more)


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_becomes_requests_that_the_api_knows(feed: str) -> None:
    (file,) = MESSAGES.glob(f"{feed}.*")
    zone = ZoneInfo(catalog.load().sources[feed].zone)
    number = NUMBER if feed == "ems" else ""
    facts = facts_of(feed, file.read_bytes(), zone, asked=ASKED, number=number)
    said = FEEDS[feed](file.read_bytes(), zone)
    assert len(facts) == len(said.readings) + len(said.unknown_numbers) > 0
    assert len({fact["source_id"] for fact in facts}) == len(facts)
    assert {fact["feed"] for fact in facts} == {feed}
    assert all(fact["number"] and fact["occurred_at"] for fact in facts)
    to_message("RecordCheckpoints", {"checkpoints": facts})


def test_a_message_that_names_no_parcel_needs_the_number() -> None:
    with pytest.raises(FeedProblem, match="does not name its parcel"):
        taken("ems", EMS)
    first, second = taken("ems", EMS, number=NUMBER), taken("ems", EMS, number="EA900000002CN")
    assert {fact["number"] for fact in first} == {NUMBER}
    ids = [{fact["source_id"] for fact in facts} for facts in (first, second)]
    assert ids[0].isdisjoint(ids[1])
    assert first == taken("ems", EMS, number=NUMBER)


def test_a_message_that_names_no_parcel_may_be_about_our_shipment() -> None:
    facts = taken("ems", EMS, shipment_code="P-1")
    assert {fact["shipment_code"] for fact in facts} == {"P-1"}
    assert all("number" not in fact for fact in facts)


def test_another_number_than_that_of_the_message_is_refused() -> None:
    body = (MESSAGES / "easypost.json").read_bytes()
    with pytest.raises(FeedProblem, match=r"is about .*, not NOBODYS"):
        taken("easypost", body, number="NOBODYS")


def test_a_message_about_several_parcels_is_not_about_one_shipment() -> None:
    body = (MESSAGES / "track17.json").read_bytes()
    assert len({fact["number"] for fact in taken("track17", body)}) > 1
    with pytest.raises(FeedProblem, match="several parcels"):
        taken("track17", body, shipment_code="P-1")


def test_a_number_that_the_feed_does_not_know_is_told_once_for_ever() -> None:
    (fact,) = taken("ems", b"null", number=NUMBER)
    assert fact == {
        "feed": "ems",
        "source_id": f"unknown/{NUMBER}",
        "number": NUMBER,
        "occurred_at": ASKED,
        "status": "unknown",
    }
    (again,) = facts_of(
        "ems", b"null", SHANGHAI, asked="2026-03-06T00:00:00.000000Z", number=NUMBER
    )
    assert again["source_id"] == fact["source_id"]


@pytest.mark.parametrize(
    ("feed", "body"),
    [
        ("ems", b"null"),
        ("kuaidi100", b'{"result": false, "returnCode": "500", "message": "x"}'),
        ("yanwen", b'{"code": 0, "waybill_number": null}'),
        ("dhl_ecommerce", b'{"trackItemResponse": {"responseCode": 0, "items": []}}'),
        ("fourpx", b'{"result": "1", "data": null}'),
    ],
)
def test_a_reply_that_knows_nothing_of_the_asked_number_is_a_fact_about_it(
    feed: str, body: bytes
) -> None:
    (fact,) = taken(feed, body, number=NUMBER)
    assert (fact["source_id"], fact["status"]) == (f"unknown/{NUMBER}", "unknown")
    (fact,) = taken(feed, body, shipment_code="P-1")
    assert (fact["source_id"], fact["shipment_code"]) == ("unknown/P-1", "P-1")
    with pytest.raises(FeedProblem, match="does not name its parcel"):
        taken(feed, body)


def test_the_name_of_a_piece_is_printable() -> None:
    reading = Reading(
        number="N", occurred=ASKED, zoned=True, source_id="1", piece="\u3000a\u200bb "
    )
    assert _fact("x12_214", reading, "")["piece"] == "a b"


def test_words_for_people_come_on_one_line() -> None:
    body = EMS.replace(b"<acceptAddress>", b"<acceptAddress>A\n\tB", 1)
    places = [fact.get("place", "") for fact in taken("ems", body, number=NUMBER)]
    assert any(place.startswith("A B") for place in places)
    long = EMS.replace(b"<acceptAddress>", b"<acceptAddress>" + b"x" * 300, 1)
    assert max(len(fact.get("place", "")) for fact in taken("ems", long, number=NUMBER)) == 200


def test_batches_hold_what_one_request_takes() -> None:
    small = [{"source_id": str(number)} for number in range(BATCH_FACTS_MAX + 1)]
    assert [len(batch) for batch in batches(small)] == [BATCH_FACTS_MAX, 1]
    large = [{"source_id": str(number), "raw_text": "件" * 4_000} for number in range(400)]
    cut = list(batches(large))
    assert [fact for batch in cut for fact in batch] == large
    assert len(cut) > 1
    for batch in cut:
        size = to_message("RecordCheckpoints", {"checkpoints": batch}).ByteSize()
        assert size <= BATCH_BYTES_MAX
    retracting = [{"source_id": str(number), "retracts": ["x" * 200] * 500} for number in range(50)]
    assert len(list(batches(retracting))) > 2
    assert list(batches([])) == []
