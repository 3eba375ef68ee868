"""Carriers' own messages, EPCIS and X12 214: each gives its timeline, or is refused whole."""

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any, Final
from xml.etree.ElementTree import Element, fromstring, tostring
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.tracking.feeds import (
    Read,
    dhl_ecommerce,
    ems,
    epcis,
    fourpx,
    usps,
    x12_214,
    yanwen,
)
from server.tracking.reading import FeedProblem, Reading, Reply

MESSAGES: Final = Path(__file__).parent / "messages"
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
UTC: Final = ZoneInfo("UTC")

READ: Final[dict[str, Read]] = {
    "usps": usps.read,
    "ems": ems.read,
    "yanwen": yanwen.read,
    "dhl_ecommerce": dhl_ecommerce.read,
    "fourpx": fourpx.read,
    "epcis": epcis.read,
    "x12_214": x12_214.read,
}
BODY: Final = {path.stem: path.read_bytes() for path in MESSAGES.iterdir() if path.stem in READ}
JSON: Final = ("yanwen", "dhl_ecommerce", "fourpx", "epcis")
XML: Final = ("usps", "ems")

every_feed = pytest.mark.parametrize("feed", READ)

Row = tuple[str, bool, str, str, str]
"""Occurred (six digits and Z left out), zoned, raw code, raw text, place."""

SSCC: Final = "urn:epc:id:sscc:9999999.0000000017"
SGLN: Final = "urn:epc:id:sgln:9999999.00001."
EVENT: Final = "urn:uuid:00000000-0000-4000-8000-00000000000"

TIMELINES: Final[dict[str, list[Row]]] = {
    "usps": [
        ("2030-03-01T16:00:00", False, "GX", "Label Made", "TESTLAND"),
        ("2030-03-04T23:30:00", False, "OF", "On Its Way to You", "MAYAGÜEZ, PR"),
        ("2030-03-04T23:30:00", False, "PC", "Sorted", "MAYAGÜEZ, PR"),
        ("2030-03-05T01:05:00", False, "02", "Notice Left, Nobody There", "MAYAGÜEZ, PR, 00000"),
        ("2030-03-06T06:10:00", False, "01", "Delivered to Front Desk", "MAYAGÜEZ, PR, 00000"),
    ],
    "ems": [
        ("2030-03-03T23:30:00", False, "", "Left the sorting centre", "00000200"),
        ("2030-03-03T23:30:00", False, "", "Reached the sorting centre", "00000200"),
        ("2030-03-03T23:30:00", False, "", "Reached the sorting centre", "00000200"),
        ("2030-03-05T01:05:30", False, "", "Nobody there, delivery failed", "测试市 00000300"),
        ("2030-03-06T06:10:00", False, "", "已送到", "测试市 00000300"),
    ],
    "yanwen": [
        ("2030-03-02T16:37:19", True, "", "Accepted.", ""),
        ("2030-03-02T16:37:19", True, "", "Sorted.", ""),
        ("2030-03-02T19:14:52.83", True, "", "已离开测试市", "测试市"),
        ("2030-03-08T02:52:00", False, "", "Nobody home", "SAMPLETOWN"),
        ("2030-03-09T17:47:00", True, "", "Brought to the door", "SAMPLETOWN"),
        ("2030-03-09T17:47:00", True, "", "已送到", "测试国"),
    ],
    "dhl_ecommerce": [
        ("2030-03-03T09:21:36", False, "77091", "Sorted in the hub", ""),
        ("2030-03-03T09:21:36", False, "77092", "Left the hub", "测试市, XX"),
        ("2030-03-05T09:05:30", True, "77098", "NOBODY HOME", "Sampletown, US"),
        ("2030-03-06T19:10:00", True, "77093", "HANDED OVER", "Sampletown, ZZ, 00000, US"),
    ],
    "fourpx": [
        ("2030-03-03T09:21:36", False, "", "已分拣", "测试市"),
        ("2030-03-03T09:21:36", False, "", "已收下", "测试市"),
        ("2030-03-05T01:05:30", False, "FPX_D_NH", "Nobody home", "Sampletown"),
        ("2030-03-06T06:10:00", False, "FPX_S_OK", "Handed to the receiver", "Sampletown"),
    ],
    "epcis": [
        ("2030-03-02T00:00:00", True, "", "TransformationEvent", ""),
        ("2030-03-03T17:21:36", True, "example:weighing/in_progress", "TransactionEvent ADD", ""),
        ("2030-03-03T17:21:36", True, "packing/", "AggregationEvent ADD", f"{SGLN}测试"),
        ("2030-03-03T17:21:36", True, "packing/", "AggregationEvent ADD", f"{SGLN}测试"),
        ("2030-03-05T08:05:30", True, "inspecting/damaged", "ObjectEvent OBSERVE", ""),
        ("2030-03-06T19:10:00", True, "accepting/in_progress", "ObjectEvent OBSERVE", ""),
        ("2030-03-07T08:00:00", True, "errorDeclaration", f"did_not_occur {EVENT}5", ""),
    ],
    "x12_214": [
        ("2030-03-03T09:21:36", True, "AF", "AT7*AF****20300303*172136*08", "測試市, TW"),
        ("2030-03-03T09:21:36", True, "X6", "AT7*X6****20300303*172136*08", "測試市, TW"),
        ("2030-03-03T09:21:36.57", False, "AF/NS", "AT7*AF*NS***20300303*17213657", ""),
        (
            "2030-03-05T09:05:30",
            True,
            "SD/AI",
            "AT7*SD*AI***20300305*090530*UT",
            "SAMPLETOWN, ZZ, US",
        ),
        (
            "2030-03-06T19:10:00",
            True,
            "D1/NS",
            "AT7*D1*NS***20300306*1410*ET MS2*ZZZZ*VAN17",
            "SAMPLETOWN, ZZ, US",
        ),
        ("2030-03-07T01:12:00", False, "AB/NA", "AT7***AB*NA*20300310*0800*LT", ""),
        ("2030-03-07T01:12:00", False, "AG/AO", "AT7*AG*AO***20300309*1200*LT", ""),
    ],
}
"""What the messages of our own say, in a feed zone of Shanghai; within an instant by code."""


def own(feed: str) -> Reply:
    return READ[feed](BODY[feed], SHANGHAI)


def row(reading: Reading) -> Row:
    occurred = reading.occurred.removesuffix("Z").rstrip("0").removesuffix(".")
    occurred = occurred.ljust(len("2030-01-01T00:00:00"), "0")
    return occurred, reading.zoned, reading.raw_code, reading.raw_text, reading.place


@every_feed
def test_a_message_gives_exactly_its_timeline(feed: str) -> None:
    """G19."""
    readings = own(feed).readings
    assert sorted(map(row, readings)) == TIMELINES[feed]
    assert [(r.occurred, r.source_id) for r in readings] == sorted(
        (r.occurred, r.source_id) for r in readings
    )
    assert len({r.source_id for r in readings}) == len(readings)


def test_readings_name_their_parcel_and_who_signed() -> None:
    numbers = {feed: {r.number for r in own(feed).readings} for feed in READ}
    assert numbers == {
        "usps": {"9400100000000000000017"},
        "ems": {""},
        "yanwen": {"ZZ000000017YP"},
        "dhl_ecommerce": {"0000000000000017"},
        "fourpx": {"000000000017"},
        "epcis": {SSCC, SSCC[:-2] + "93", "urn:epc:id:sgtin:9999999.000001.17"},
        "x12_214": {"PRO0000017", "SHIP0000024"},
    }
    assert [r.signer for r in own("usps").readings if r.signer] == ["T SIGNER"]


def test_parcels_without_events_are_empty_and_unknown_ones_are_named() -> None:
    assert own("usps").unknown_numbers == ("9400100000000000000031",)
    assert ems.read(b"<traces/>", UTC) == Reply()
    not_named = Reply(unknown_numbers=("",))
    assert fourpx.read(b'{"result": "1", "data": null}', UTC) == not_named
    assert fourpx.read(b'{"result": "1", "data": {}}', UTC) == not_named
    assert ems.read(b"null\n", UTC) == not_named
    assert yanwen.read(b'{"code": 0, "waybill_number": null}', UTC) == not_named
    nothing = b'{"trackItemResponse": {"responseCode": 0, "items": []}}'
    assert dhl_ecommerce.read(nothing, UTC) == not_named


def test_an_error_declaration_retracts_the_readings_of_its_event() -> None:
    readings = own("epcis").readings
    wrong, declared = readings[-2:]
    assert wrong.source_id == f"{EVENT}4 {SSCC}"
    assert declared.retracts == (wrong.source_id,)
    assert not any(r.retracts for r in readings[:-1])


def test_an_event_without_id_is_retracted_by_a_copy_of_it() -> None:
    event = {
        "type": "ObjectEvent",
        "eventTime": "2030-03-03T17:21:36Z",
        "epcList": ["urn:a", "urn:b"],
    }
    declared = {**event, "errorDeclaration": {"declarationTime": "2030-03-04T00:00:00Z"}}
    first = epcis.read(json.dumps(event).encode(), UTC).readings
    second = epcis.read(json.dumps(declared).encode(), UTC).readings
    assert [r.retracts for r in second] == [(r.source_id,) for r in first]
    assert not {r.source_id for r in first} & {r.source_id for r in second}


@pytest.mark.parametrize(
    "written",
    [
        "shipping",
        "urn:epcglobal:cbv:bizstep:shipping",
        "https://ref.gs1.org/cbv/BizStep-shipping",
        "cbv:BizStep-shipping",
    ],
)
def test_a_word_of_cbv_is_short_however_it_is_written(written: str) -> None:
    event = {"type": "ObjectEvent", "eventTime": "2030-03-03T17:21:36Z", "bizStep": written}
    document = {
        "type": "EPCISQueryDocument",
        "epcisBody": {"queryResults": {"resultsBody": {"eventList": [event | {"parentID": "a"}]}}},
    }
    (reading,) = epcis.read(json.dumps(document).encode(), UTC).readings
    assert reading.raw_code == "shipping/"


def test_x12_names_carrier_and_piece() -> None:
    named = {(r.number, r.carrier, r.piece) for r in own("x12_214").readings}
    assert named == {
        ("PRO0000017", "ZZZZ", "PKG-17-A"),
        ("PRO0000017", "ZZZZ", "PKG-17-B"),
        ("SHIP0000024", "ZZZZ", ""),
    }


def test_x12_takes_the_other_reference_of_the_carrier_before_the_number_of_the_shipper() -> None:
    body = BODY["x12_214"].replace(b"SHIP0000024*ZZZZ", b"SHIP0000024*ZZZZ**CN*BAR0000024")
    assert {r.number for r in x12_214.read(body, UTC).readings} == {"PRO0000017", "BAR0000024"}


@pytest.mark.parametrize("code", ["AG", "B6", "C1", "X2", "AA", "AB"])
def test_x12_estimates_occur_when_they_are_announced(code: str) -> None:
    body = BODY["x12_214"].replace(b"AT7*AG*AO", f"AT7*{code}*AO".encode())
    (found,) = (r for r in x12_214.read(body, UTC).readings if r.raw_code == f"{code}/AO")
    assert row(found)[:2] == ("2030-03-07T09:12:00", False)


@pytest.mark.parametrize(
    ("code", "occurred", "zoned"),
    [
        ("", "2030-07-01T04:00:00", False),
        ("LT", "2030-07-01T04:00:00", False),
        ("UT", "2030-07-01T12:00:00", True),
        ("ET", "2030-07-01T16:00:00", True),
        ("ES", "2030-07-01T17:00:00", True),
        ("ND", "2030-07-01T14:30:00", True),
        ("08", "2030-07-01T04:00:00", True),
        ("12", "2030-07-01T00:00:00", True),
        ("13", "2030-07-02T00:00:00", True),
        ("24", "2030-07-01T13:00:00", True),
    ],
)
def test_x12_time_codes_are_zones(code: str, occurred: str, zoned: bool) -> None:
    body = BODY["x12_214"].replace(b"20300306*1410*ET", f"20300701*1200*{code}".encode())
    (found,) = (r for r in x12_214.read(body, SHANGHAI).readings if r.raw_code == "D1/NS")
    assert row(found)[:2] == (occurred, zoned)


@pytest.mark.parametrize(
    ("old", "new"), [(b"*", b"|"), (b"*", b"\x1d"), (b"~\n", b"'"), (b"~", b""), (b"~\n", b"\r\n")]
)
def test_x12_delimiters_are_those_of_isa(old: bytes, new: bytes) -> None:
    assert x12_214.read(BODY["x12_214"].replace(old, new), SHANGHAI) == own("x12_214")


def test_x12_interchanges_may_follow_each_other() -> None:
    body = BODY["x12_214"]
    both = x12_214.read(body + body.replace(b"*", b"|").replace(b"0000017", b"0000018"), SHANGHAI)
    assert len(both.readings) == 14


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"SE*18*", b"SE*17*"),
        (b"SE*18*", b"SE*x*"),
        (b"SE*18*0001", b"SE*18*0002"),
        (b"GE*2*", b"GE*1*"),
        (b"GE*2*17", b"GE*2*18"),
        (b"IEA*1*", b"IEA*2*"),
        (b"IEA*1*000000017", b"IEA*1*000000018"),
        (b"IEA*1*000000017~\n", b""),
        (b"SE*18*0001~\n", b""),
        (b"ST*214*0001~\n", b""),
        (b"ST*214*0001", b"ST*990*0001"),
        (b"LX*1~\n", b""),
        (b"B10*PRO", b"B11*PRO"),
        (b"B10**SHIP0000024*", b"B10***"),
        (b"AT7*D1*NS*", b"AT7***"),
        (b"20300306*1410", b"20300231*1410"),
        (b"20300306*1410", b"300306*1410"),
        (b"20300306*1410", b"20300306*2510"),
        (b"20300306*1410*ET", b"20300306*1410*QQ"),
        (b"*U*00401*", b"*U*401*"),
        (b"*T*>~", b"*T*A~"),
        (b"*T*>~", b"*T*>X"),
        (b"GS*QM*", b"GS|QM|"),
        (b"ISA*", b"ISB*"),
        (b"SAMPLETOWN", b"SAMPLE\0TOWN"),
    ],
)
def test_x12_that_does_not_add_up_is_refused(old: bytes, new: bytes) -> None:
    assert old in BODY["x12_214"]
    with pytest.raises(FeedProblem):
        x12_214.read(BODY["x12_214"].replace(old, new), SHANGHAI)


@pytest.mark.parametrize(
    ("feed", "body", "code"),
    [
        ("usps", b"<Error><Number>80040B1A</Number></Error>", "80040B1A"),
        (
            "usps",
            b"<TrackResponse><TrackInfo ID='1'><Error><Number>-7</Number></Error></TrackInfo>"
            b"</TrackResponse>",
            "-7",
        ),
        ("ems", b"<response><status>error</status><code>V09</code></response>", "V09"),
        ("yanwen", b'{"code": 7, "waybill_number": "ZZ000000017YP"}', "7"),
        ("dhl_ecommerce", b'{"trackItemResponse": {"responseCode": 8}}', "8"),
        ("fourpx", b'{"result": "0", "errors": [{"errorCode": "E-9"}]}', "E-9"),
        ("fourpx", b'{"result": "0"}', "result 0"),
        ("epcis", b'{"type": "epcisException:SecurityException"}', "SecurityException"),
    ],
)
def test_an_error_of_the_vendor_is_told_with_its_code(feed: str, body: bytes, code: str) -> None:
    with pytest.raises(FeedProblem, match=code):
        READ[feed](body, UTC)


def test_a_sentence_of_usps_without_fields_is_refused() -> None:
    said = b"<TrackSummary>It was delivered.</TrackSummary>"
    body = b"<TrackResponse><TrackInfo ID='1'>" + said + b"</TrackInfo></TrackResponse>"
    with pytest.raises(FeedProblem, match="TrackFieldRequest"):
        usps.read(body, UTC)


@every_feed
@pytest.mark.parametrize("body", [b"", b"\n", b"\xff\xfe\xfd", b"5", b"[]", b"<a/>", b"{}"])
def test_what_is_no_message_of_the_feed_is_refused(feed: str, body: bytes) -> None:
    with pytest.raises(FeedProblem):
        READ[feed](body, UTC)


@every_feed
def test_fifty_megabytes_of_spaces_are_refused(feed: str) -> None:
    with pytest.raises(FeedProblem, match="bytes"):
        READ[feed](b" " * (50 * 1024 * 1024), UTC)


def test_x12_of_nothing_but_segment_ends_is_refused_in_bounded_memory() -> None:
    isa = BODY["x12_214"].split(b"\n")[0]
    with pytest.raises(FeedProblem, match="segments"):
        x12_214.read(isa + b"~" * 1_000_000, UTC)


@pytest.mark.parametrize("feed", XML)
@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
        '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE r SYSTEM "http://localhost/r.dtd">',
        "<!DOCTYPE r>",
    ],
)
def test_document_types_and_entities_are_refused(feed: str, doctype: str) -> None:
    head, rest = BODY[feed].split(b"\n", 1)
    with pytest.raises(FeedProblem, match="document type"):
        READ[feed](head + doctype.encode() + rest, UTC)


@pytest.mark.parametrize("feed", JSON)
def test_ten_thousand_brackets_are_refused(feed: str) -> None:
    with pytest.raises(FeedProblem):
        READ[feed](b"[" * 10_000 + b"]" * 10_000, UTC)


@every_feed
@settings(deadline=None)
@given(data=st.data())
def test_a_message_cut_off_anywhere_is_refused(feed: str, data: st.DataObject) -> None:
    whole = BODY[feed].rstrip()
    with pytest.raises(FeedProblem):
        READ[feed](whole[: data.draw(st.integers(0, len(whole) - 1))], UTC)


@every_feed
@settings(deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_events_in_any_order_give_the_same_reply(feed: str, random: Random) -> None:
    assert READ[feed](shuffled(feed, random), SHANGHAI) == own(feed)


@every_feed
def test_events_in_reverse_give_the_same_reply(feed: str) -> None:
    class Reverse(Random):
        def shuffle(self, x: Any) -> None:
            x.reverse()

    assert READ[feed](shuffled(feed, Reverse()), SHANGHAI) == own(feed)


@every_feed
@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_a_message_with_one_thing_wrong_is_read_or_refused(feed: str, data: st.DataObject) -> None:
    body = spoiled(feed, data.draw)
    with suppress(FeedProblem):
        assert isinstance(READ[feed](body, SHANGHAI), Reply)


def shuffled(feed: str, random: Random) -> bytes:
    """The message of a feed with its lists, elements or loops in another order."""
    if feed in JSON:
        value = json.loads(BODY[feed])
        for _, node in nodes(value):
            if isinstance(node, list):
                random.shuffle(node)
        return json.dumps(value).encode()
    if feed in XML:
        root = fromstring(BODY[feed])
        for element in list(root.iter()):
            children = list(element)
            random.shuffle(children)
            element[:] = children
        return tostring(root)
    lines = BODY[feed].decode().splitlines()
    loops = [lines[5:13], lines[13:19]]
    random.shuffle(loops)
    sets = [[*lines[2:5], *loops[0], *loops[1], lines[19]], lines[20:26]]
    random.shuffle(sets)
    return "\n".join([*lines[:2], *sets[0], *sets[1], *lines[26:]]).encode()


def nodes(value: Any) -> Iterator[tuple[list[Any], Any]]:
    """Every node of a JSON value with its path."""
    yield [], value
    inner = enumerate(value) if isinstance(value, list) else ()
    for key, each in value.items() if isinstance(value, dict) else inner:
        yield from (([key, *path], node) for path, node in nodes(each))


ANYTHING: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)


def spoiled(feed: str, draw: Any) -> bytes:
    """The message of a feed with one node replaced or left out."""
    if feed in JSON:
        return spoiled_json(json.loads(BODY[feed]), draw)
    if feed in XML:
        return spoiled_xml(fromstring(BODY[feed]), draw)
    segments = [line.split("*") for line in BODY[feed].decode().splitlines()]
    segment = draw(st.sampled_from(segments))
    if draw(st.booleans()):
        segments.remove(segment)
    elif draw(st.booleans()):
        segment[draw(st.integers(0, len(segment) - 1))] = draw(st.text(max_size=20))
    else:
        del segment[draw(st.integers(0, len(segment) - 1))]
    return "\n".join("*".join(each) for each in segments).encode()


def spoiled_json(value: Any, draw: Any) -> bytes:
    path = draw(st.sampled_from([path for path, _ in nodes(value) if path]))
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    if draw(st.booleans()):
        del holder[path[-1]]
    else:
        holder[path[-1]] = draw(ANYTHING)
    return json.dumps(value).encode()


def spoiled_xml(root: Element, draw: Any) -> bytes:
    pairs = [(parent, child) for parent in root.iter() for child in parent]
    parent, child = draw(st.sampled_from(pairs))
    what = draw(st.sampled_from(["drop", "text", "tag", "nest", "attributes"]))
    if what == "drop":
        parent.remove(child)
    elif what == "text":
        child.text = draw(st.text(max_size=20))
    elif what == "tag":
        child.tag = draw(st.sampled_from(["Error", "x", "TrackInfo", "trace", "EventTime"]))
    elif what == "nest":
        child.append(deepcopy(draw(st.sampled_from(pairs))[1]))
    else:
        child.attrib.clear()
    return tostring(root)
