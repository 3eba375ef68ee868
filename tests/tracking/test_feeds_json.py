"""The feeds in JSON of those who follow many carriers: each message gives exactly its timeline."""

import json
import math
import random
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.tracking.feeds import kuaidi100, track17
from server.tracking.reading import FeedProblem, Reading, Reply
from tests.tracking.given import (
    MESSAGES,
    OWN,
    READS,
    SHANGHAI,
    TWO_POSTS,
    changed,
    own,
    paths,
    read,
    shuffled,
)

Row = tuple[str, str, str, str, str]

MUENSTER: Final = "Münster, Germany"
SAN_JOSE: Final = "San José, CA, US"
QUEBEC: Final = "Québec, QC"
NINGBO: Final = "宁波海曙营业点"
PLAIN: Final = "no zone"
ABSENT: Final = "delivery_failed/consignee_not_home"
ARRIVED: Final = "delivered/arrived_at_destination"
PRE: Final = "pre_transit/status_update"

TIMELINES: Final[dict[str, list[Row]]] = {
    "aftership": [
        ("2026-05-05T00:00:00", PLAIN, "InTransit_003", "Arrived at the depot", MUENSTER),
        ("2026-05-05T00:00:00", PLAIN, "OutForDelivery_001", "In Zustellung", MUENSTER),
        ("2026-05-05T10:05:00", "", "AttemptFail_002", "Empfänger nicht angetroffen", MUENSTER),
        ("2026-05-06T13:30:00", "", "Delivered_003", "Zugestellt", MUENSTER),
    ],
    "easypost": [
        ("2026-06-08T03:00:00", "", "in_transit/departed_facility", "Departed from facility", ""),
        ("2026-06-08T03:00:00", "", "in_transit/unknown", "Arrived at facility", "NV, US"),
        ("2026-06-08T23:00:00", "", "failure/address_correction", "Address corrected", SAN_JOSE),
        ("2026-06-09T18:44:00", "", ARRIVED, "Brought to the door", f"{SAN_JOSE}, 95101"),
    ],
    "karrio": [
        ("2026-07-13T23:15:00", PLAIN, "in_transit", "0100", ""),
        ("2026-07-13T23:15:00", PLAIN, "out_for_delivery", "En cours de livraison", QUEBEC),
        ("2026-07-14T14:30:00", "", ABSENT, "Destinataire absent", QUEBEC),
        ("2026-07-15T06:02:00", PLAIN, "", "Livré", QUEBEC),
        ("2026-07-15T06:02:00", PLAIN, "delivered", "", ""),
    ],
    "kdniao": [
        ("2026-04-10T23:15:00", PLAIN, "202", "派件中", "徐州市"),
        ("2026-04-10T23:15:00", PLAIN, "205", "货已进站", "徐州市"),
        ("2026-04-11T10:05:10", PLAIN, "404", "客户要求拒收 核实中", "徐州市"),
        ("2026-04-12T00:30:00", PLAIN, "", "已由门卫代收", "徐州市"),
        ("2026-04-12T00:30:00", PLAIN, "304", "", ""),
    ],
    "kuaidi100": [
        ("2026-03-03T11:45:30", PLAIN, "1", "已揽收", "福建,泉州,丰泽区"),
        ("2026-03-04T00:00:00", PLAIN, "1002", "包裹进站", NINGBO),
        ("2026-03-04T00:00:00", PLAIN, "5", "送货途中", NINGBO),
        ("2026-03-04T08:20:00", PLAIN, "204", "派送失败,收件人电话无人接听", NINGBO),
        ("2026-03-05T02:12:00", PLAIN, "", "收件人本人取走,再见", "浙江,宁波,海曙区"),
        ("2026-03-05T02:12:00", PLAIN, "3", "", ""),
    ],
    "track17": [
        ("2026-02-02T13:10:00", "", "InTransit_Arrival", "【厦门市】进了分拣中心", "厦门市"),
        ("2026-02-02T13:10:00", "", "InTransit_Departure", "【厦门市】出了分拣中心", "厦门市"),
        ("2026-02-10T11:00:00", "", "DeliveryFailure_NoBody", "Empfänger nicht gefunden", "Köln"),
        ("2026-02-11T03:40:00", PLAIN, "", "Zugestellt an Empfänger", "Köln"),
        ("2026-02-11T03:40:00", PLAIN, "Delivered_Other", "", ""),
    ],
}
"""The own message of each feed: instant (UTC), whether without a zone, code, text and place.

A state that is told of the whole number stands alone, without words.
"""


def row(reading: Reading) -> Row:
    """A reading as the table has it."""
    assert reading.occurred.endswith(".000000Z")
    zone = "" if reading.zoned else PLAIN
    instant = reading.occurred.removesuffix(".000000Z")
    return instant, zone, reading.raw_code, reading.raw_text, reading.place


def reversed_rows(value: Any) -> Any:
    """The message with all of its lists backwards."""
    if isinstance(value, dict):
        return {key: reversed_rows(each) for key, each in value.items()}
    if isinstance(value, list):
        return [reversed_rows(each) for each in reversed(value)]
    return value


@pytest.mark.parametrize("feed", READS)
def test_own_message_gives_exactly_its_timeline(feed: str) -> None:
    readings = read(feed, own(feed)).readings
    assert sorted(map(row, readings)) == TIMELINES[feed]
    assert [each.occurred for each in readings] == sorted(each.occurred for each in readings)
    assert len({each.source_id for each in readings}) == len(readings)
    assert len({each.number for each in readings}) == 1


@pytest.mark.parametrize("feed", OWN)
def test_order_of_rows_does_not_matter(feed: str) -> None:
    reply = read(feed, own(feed))
    assert reply.readings
    assert read(feed, reversed_rows(own(feed))) == reply
    for seed in range(50):
        assert read(feed, shuffled(own(feed), random.Random(seed))) == reply


def test_carrier_is_the_one_that_the_feed_names() -> None:
    carriers = {feed: {each.carrier for each in read(feed, own(feed)).readings} for feed in READS}
    assert carriers == {
        "aftership": {"dhl-germany"},
        "easypost": {"UPS"},
        "karrio": {"canadapost"},
        "kdniao": {"ZTO"},
        "kuaidi100": {"yuantong"},
        "track17": {"China Post", "Deutsche Post"},
    }


@pytest.mark.parametrize(
    ("feed", "code", "signer"),
    [
        ("aftership", "Delivered_003", "Empfängerin A"),
        ("easypost", ARRIVED, "R. Peña"),
        ("karrio", "delivered", "Réceptionniste"),
    ],
)
def test_signer_stands_on_the_delivery_only(feed: str, code: str, signer: str) -> None:
    readings = read(feed, own(feed)).readings
    assert [(r.raw_code, r.signer) for r in readings if r.signer] == [(code, signer)]


def test_signer_stands_on_the_delivery_though_something_follows_it() -> None:
    message = own("easypost")
    after = {"datetime": "2026-06-10T00:00:00Z", "status": "in_transit", "message": "Photo taken"}
    message["result"]["tracking_details"].append(after)
    readings = read("easypost", message).readings
    assert [each.signer for each in readings] == ["", "", "", "R. Peña", ""]


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        ("delivered", "weather_delay", "delivered/weather_delay"),
        ("delivered", "unknown", "delivered"),
        ("delivered", "none", "delivered"),
        ("delivered", None, "delivered"),
        (None, "weather_delay", "/weather_delay"),
    ],
)
def test_a_reason_of_karrio_stands_behind_the_status(
    status: str | None, reason: str | None, code: str
) -> None:
    row = {**own("karrio")["data"]["events"][0], "status": status, "reason": reason}
    readings = read("karrio", changed(own("karrio"), ("data", "events", 0), row)).readings
    assert [r.raw_code for r in readings[3:]] == [code]


def test_kdniao_tells_courier_and_station_with_the_state() -> None:
    readings = read("kdniao", own("kdniao")).readings
    told = [(r.raw_code, r.courier, r.station) for r in readings if r.courier or r.station]
    assert told == [("304", "派件员甲", "徐州云龙网点")]


def test_kdniao_tells_courier_and_station_on_a_newest_row_that_has_a_code() -> None:
    row = own("kdniao")["Data"][0]["Traces"][0]
    message = changed(own("kdniao"), ("Data", 0, "Traces", 0), {**row, "Action": "301"})
    readings = read("kdniao", message).readings
    told = [(r.raw_code, r.courier, r.station) for r in readings if r.courier or r.station]
    assert told == [("301", "派件员甲", "徐州云龙网点")]


def test_two_posts_that_tell_one_event_of_a_minute_give_one() -> None:
    reply = read("track17", TWO_POSTS)
    assert sorted((*row(each), each.station, each.carrier) for each in reply.readings) == [
        ("2026-01-10T12:00:00", PLAIN, "", "寄出", "广州市", "", "3011"),
        ("2026-01-18T01:30:00", PLAIN, "", "Arrivé en France", "FR", "Roissy", "9071"),
        ("2026-01-18T01:30:00", PLAIN, "", "到了", "法国", "", "3011"),
        ("2026-01-18T01:30:00", PLAIN, "", "清关", "法国", "", "3011"),
        ("2026-01-18T23:00:00", PLAIN, "", "Arrivé", "Lyon 69001", "Lyon 69001", "9071"),
        (
            *("2026-01-20T06:00:00", PLAIN, "", "已送到 / Distribué"),
            *("Lyon 69001", "Lyon 69001", "3011"),
        ),
        ("2026-01-20T06:00:00", PLAIN, "Delivered_Other", "", "", "", "3011"),
    ]
    assert reply.unknown_numbers == ("RX900000072CN",), "the third is still being asked for"


def test_newest_row_of_neither_post_is_taken_besides() -> None:
    message = changed(TWO_POSTS, ("dat", 0, "track", "z0", "a"), "2026-01-21 10:00")
    readings = read("track17", message).readings
    assert len(readings) == 8
    assert sorted((r.raw_text, r.raw_code) for r in readings[-2:]) == [
        ("", "Delivered_Other"),
        ("Distribué", ""),
    ]


def test_version_1_of_17track_is_read_from_its_api_and_its_push() -> None:
    track = TWO_POSTS["dat"][0]["track"]
    parcel = {"number": "RX900000071CN", "track": track}
    expected = read("track17", TWO_POSTS).readings
    answer = {"code": 0, "data": {"accepted": [parcel], "rejected": []}}
    assert read("track17", answer).readings == expected
    assert read("track17", {"event": "TRACKING_UPDATED", "data": parcel}).readings == expected


def test_push_of_17track_is_read_as_its_answer_is() -> None:
    parcel = own("track17")["data"]["accepted"][0]
    pushed = read("track17", {"event": "TRACKING_UPDATED", "data": parcel})
    assert pushed.readings == read("track17", own("track17")).readings
    stopped = {"event": "TRACKING_STOPPED", "data": {"number": "RX900000031CN", "carrier": 3011}}
    assert read("track17", stopped) == Reply()


def test_both_results_of_an_international_push_are_read() -> None:
    message = own("kuaidi100")
    rows = [{"time": "2026-03-04 09:12:00", "context": "Out for delivery"}]
    abroad = {"nu": "YT9000000000017", "com": "own", "state": "5", "data": rows}
    readings = read("kuaidi100", {**message, "destResult": abroad}).readings
    assert len(readings) == 8
    abroad_told = [(r.raw_code, r.raw_text) for r in readings if r.carrier == "own"]
    assert sorted(abroad_told) == [("", "Out for delivery"), ("5", "")]


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ("aftership", {"meta": {"code": 200}, "data": own("aftership")["msg"]}),
        ("aftership", {"meta": {"code": 200}, "data": {"tracking": own("aftership")["msg"]}}),
        ("aftership", {"meta": {"code": 200}, "data": {"trackings": [own("aftership")["msg"]]}}),
        ("easypost", own("easypost")["result"]),
        ("easypost", {"trackers": [own("easypost")["result"]], "has_more": False}),
        ("karrio", own("karrio")["data"]),
        ("karrio", {"count": 1, "next": None, "results": [own("karrio")["data"]]}),
        ("kdniao", own("kdniao")["Data"][0]),
        ("kuaidi100", own("kuaidi100")["lastResult"]),
    ],
)
def test_answers_of_a_feed_are_read_as_its_pushes_are(feed: str, message: Any) -> None:
    assert read(feed, message).readings == read(feed, own(feed)).readings


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ("easypost", {"object": "Event", "result": {"object": "Batch", "id": "batch_own"}}),
        ("karrio", {"event": "shipment_purchased", "data": {"id": "shp_own"}}),
    ],
)
def test_webhooks_about_other_things_say_nothing(feed: str, message: Any) -> None:
    assert read(feed, message) == Reply()


def tracker(**told: Any) -> dict[str, Any]:
    """A number without a checkpoint."""
    return {"tracking_number": "900000000091", **told}


@pytest.mark.parametrize(
    ("feed", "message", "unknown"),
    [
        ("aftership", {"msg": tracker(tag="Pending", subtag="Pending_002")}, True),
        ("aftership", {"msg": tracker(tag="InfoReceived", checkpoints=[])}, False),
        ("aftership", {"meta": {"code": 4004}, "data": {"tracking": tracker()}}, True),
        ("easypost", {"tracking_code": "900000000091", "status": "unknown"}, True),
        ("easypost", {"tracking_code": "900000000091", "status": "pre_transit"}, False),
        ("karrio", tracker(status="unknown", events=[]), True),
        ("karrio", tracker(status="pending", events=[]), False),
        ("kdniao", {"LogisticCode": "900000000091", "Success": False, "State": "0"}, True),
        ("kdniao", {"LogisticCode": "900000000091", "Success": "true", "State": "1"}, False),
        ("kuaidi100", {"nu": "900000000091", "status": "0", "state": "0", "data": []}, True),
        ("kuaidi100", {"nu": "900000000091", "status": "200", "state": "0", "data": []}, False),
        (
            "kuaidi100",
            {"status": "abort", "lastResult": {"nu": "900000000091", "data": [], "status": "200"}},
            True,
        ),
        ("track17", {"ret": 1, "dat": [{"no": "900000000091", "track": {"e": 0}}]}, True),
        ("track17", {"ret": 1, "dat": [{"no": "900000000091", "track": {"e": 10}}]}, False),
    ],
)
def test_numbers_without_checkpoints_are_unknown_only_where_the_feed_says_so(
    feed: str, message: Any, unknown: bool
) -> None:
    assert read(feed, message) == Reply(unknown_numbers=("900000000091",) if unknown else ())


def test_what_kuaidi100_does_not_find_is_the_number_that_was_asked_for() -> None:
    nothing = {"result": False, "returnCode": "500", "message": "查询无结果"}
    assert read("kuaidi100", nothing) == Reply(unknown_numbers=("",))
    assert read("kuaidi100", {"status": "201", "message": "x"}) == Reply(unknown_numbers=("",))
    found = own("kuaidi100")["lastResult"]
    pushed = read("kuaidi100", {"lastResult": found, "destResult": nothing})
    assert pushed == read("kuaidi100", found)
    assert read("kuaidi100", {"status": "abort", "lastResult": nothing}) == Reply()


def test_unknown_numbers_stand_beside_the_known_of_one_message() -> None:
    assert read("track17", own("track17")).unknown_numbers == ("RX900000032CN", "RX900000033CN")
    assert read("kdniao", own("kdniao")).unknown_numbers == ("79000000000022",)


@pytest.mark.parametrize(
    ("feed", "message", "says"),
    [
        ("aftership", {"meta": {"code": 401}, "data": {}}, "answers 401: the key is wrong"),
        ("aftership", {"meta": {"code": 4004}, "data": {}}, "answers 4004: it does not have"),
        ("easypost", {"error": {"code": "RATE_LIMITED"}}, "answers RATE_LIMITED: there were too"),
        ("easypost", {"error": {}}, "answers no code: look"),
        ("karrio", {"errors": [{"code": "not_found"}]}, "answers not_found: it does not have"),
        ("karrio", {"messages": [{"code": "E7"}], "tracking": None}, "answers E7: look"),
        ("kdniao", {"Success": False, "Reason": "没有可用套餐"}, "没有可用套餐.*: check account"),
        ("kuaidi100", {"result": False, "returnCode": "503"}, "answers 503: the signature"),
        ("kuaidi100", {"status": "2", "data": []}, "answers 2: it had a fault"),
        ("track17", {"ret": -8, "msg": "busy", "dat": []}, "answers -8: ask again later"),
        ("track17", {"code": -18010002, "data": {}}, "answers -18010002: the key is wrong"),
        ("track17", {"code": 0, "data": {"errors": [{"code": -18010004}]}}, "is disabled"),
        (
            "track17",
            {"code": 0, "data": {"rejected": [{"number": "1", "error": {"code": -18019908}}]}},
            "the quota is used up",
        ),
    ],
)
def test_errors_of_a_feed_name_its_code_and_say_what_to_do(
    feed: str, message: Any, says: str
) -> None:
    with pytest.raises(FeedProblem, match=says):
        read(feed, message)


@pytest.mark.parametrize(
    ("feed", "path", "value", "where"),
    [
        ("aftership", ("msg", "checkpoints", 1, "checkpoint_time"), "soon", ".checkpoint_time"),
        ("easypost", ("result", "tracking_details", 2, "datetime"), None, "[2].datetime"),
        ("karrio", ("data", "events", 0, "date"), "", "data.events[0].date"),
        ("kdniao", ("Data", 0, "Traces", 3, "AcceptTime"), 7, "Data[0].Traces[3].AcceptTime"),
        ("kuaidi100", ("lastResult", "data", 4), [], "lastResult.data[4]"),
        ("track17", ("data", "accepted", 0, "number"), " ", "data.accepted[0].number"),
        ("track17 of two posts", ("dat", 0, "track", "z2", 1, "a"), math.nan, ".z2[1].a"),
    ],
)
def test_a_problem_names_its_place(
    feed: str, path: tuple[str | int, ...], value: Any, where: str
) -> None:
    with pytest.raises(FeedProblem) as problem:
        read(feed, changed(own(feed), path, value))
    assert problem.value.where.endswith(where)


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb", "\0", "a\0b"])
@pytest.mark.parametrize(
    ("feed", "path", "where"),
    [
        ("aftership", ("msg", "checkpoints", 0, "message"), "checkpoints[0].message"),
        ("easypost", ("result", "tracking_code"), "result.tracking_code"),
        ("karrio", ("data", "events", 1, "location"), "data.events[1].location"),
        ("kdniao", ("Data", 0, "StateEx"), "Data[0].StateEx"),
        ("kuaidi100", ("lastResult", "data", 2, "context"), "lastResult.data[2].context"),
        ("track17 of two posts", ("dat", 0, "track", "z1", 0, "z"), "dat[0].track.z1[0].z"),
    ],
)
def test_text_that_cannot_be_stored_is_refused(
    feed: str, path: tuple[str | int, ...], where: str, value: str
) -> None:
    with pytest.raises(FeedProblem, match="no text can hold") as problem:
        read(feed, changed(own(feed), path, value))
    assert problem.value.where.endswith(where)


JSON_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
)


@pytest.mark.parametrize("feed", OWN)
@given(data=st.data())
def test_a_wrong_value_anywhere_gives_a_reply_or_a_problem(feed: str, data: st.DataObject) -> None:
    message = own(feed)
    path = data.draw(st.sampled_from(list(paths(message))))
    with suppress(FeedProblem):
        read(feed, changed(message, path, data.draw(JSON_VALUES)))


@pytest.mark.parametrize("feed", OWN)
def test_a_wrong_type_at_any_level_gives_a_reply_or_a_problem(feed: str) -> None:
    message = own(feed)
    for path in paths(message):
        for value in (None, True, 0, 1.5, "", "x", [], [None], {}, {"x": 1}):
            with suppress(FeedProblem):
                read(feed, changed(message, path, value))


@pytest.mark.parametrize("feed", READS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"NaN",
        b"null",
        b"{}",
        b"[" * 10_000,
        b'{"data":' * 10_000,
        b" " * 50_000_000,
        b"\xff\xfe\xff",
        b"9" * 5_000,
    ],
    ids="nothing NaN null empty brackets braces spaces bytes number".split(),
)
def test_what_is_no_message_is_refused(feed: str, body: bytes) -> None:
    with pytest.raises(FeedProblem):
        READS[feed](body, SHANGHAI)


@pytest.mark.parametrize("feed", READS)
def test_a_message_cut_anywhere_is_refused(feed: str) -> None:
    body = (MESSAGES / f"{feed}.json").read_bytes().rstrip()
    for end in range(0, len(body), 7):
        with pytest.raises(FeedProblem):
            READS[feed](body[:end], SHANGHAI)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("feed", "name", "count", "first", "last", "code"),
    [
        ("easypost", "easypost_tracker", 2, "2025-02-06T19:48:26", "2025-02-07T08:25:26", PRE),
        (
            "kuaidi100",
            "kuaidi100_valid_tracking",
            10,
            "2017-07-26T09:06:01",
            "2017-07-27T09:35:16",
            "3",
        ),
        (
            "track17",
            "seventeentrack_valid_track",
            18,
            "2017-07-02T08:58:00",
            "2017-07-17T05:07:00",
            "Delivered_Other",
        ),
    ],
)
def test_real_messages_give_their_timelines(
    real_data: Path, feed: str, name: str, count: int, first: str, last: str, code: str
) -> None:
    body = (real_data / "carrier_payloads" / f"{name}.json").read_bytes()
    reply = READS[feed](body, SHANGHAI)
    rows = [row(each) for each in reply.readings]
    assert (len(rows), rows[0][0], rows[-1][0]) == (count, first, last)
    assert code in {each[2] for each in rows if each[0] == last}
    assert reply.unknown_numbers == ()
    assert read(feed, reversed_rows(json.loads(body))) == reply


@pytest.mark.real_data
def test_real_messages_without_a_result_are_no_checkpoints(real_data: Path) -> None:
    payloads = real_data / "carrier_payloads"
    nothing = (payloads / "kuaidi100_invalid_tracking.json").read_bytes()
    assert kuaidi100.read(nothing, SHANGHAI) == Reply(unknown_numbers=("",)), "whoever asked knows"
    body = (payloads / "seventeentrack_invalid_track.json").read_bytes()
    number = json.loads(body)["dat"][0]["no"]
    assert track17.read(body, SHANGHAI) == Reply(unknown_numbers=(number,))
