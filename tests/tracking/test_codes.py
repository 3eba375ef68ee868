"""Every code of the four vocabularies has one outcome, and the right one; unclear ones wait."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from esm.catalog import RawCode, load
from server.tracking.feeds import FEEDS

CATALOGUE = load()
ROOT = Path(__file__).resolve().parents[2]
MESSAGES = Path(__file__).resolve().parent / "messages"

FILES: Final = {
    "kuaidi100": "kuaidi100_state.json",
    "kdniao": "kdniao_stateex.json",
    "track17": "17track_sub_status.json",
    "aftership": "aftership_subtag.json",
}


class Opens(NamedTuple):
    """The code opens a case of ours; the text may choose another one."""

    code: str
    by_text: str = ""


class Review(NamedTuple):
    """The code opens CARRIER_REPORTED, with what it may be."""

    candidate: str
    by_text: str = ""


# The outcome of each code that opens something: all rows of the taxonomy's four columns.
CASES: Final[dict[str, dict[str, Opens | Review]]] = {
    "kuaidi100": {
        "1003": Opens("ADDRESS_CHANGE"),
        "2": Opens("CARRIER_REPORTED"),
        "201": Opens("DELIVERY_TIMEOUT"),
        "202": Opens("TRACKING_STALLED"),
        "203": Opens("REFUSED"),
        "204": Opens("DELIVERY_FAILED"),
        "205": Opens("PICKUP_POINT_EXPIRED"),
        "206": Opens("RECIPIENT_UNREACHABLE"),
        "207": Opens("OUT_OF_SERVICE_AREA"),
        "208": Opens("NODE_STUCK"),
        "209": Opens("DAMAGED", "SOILED"),
        "210": Opens("SHIPMENT_CANCELLED"),
        "4": Opens("RETURNED"),
        "401": Opens("SHIPMENT_CANCELLED"),
        "14": Opens("REFUSED"),
        "6": Opens("RETURNING"),
        "13": Opens("CUSTOMS_DELAY", "CUSTOMS_DOCUMENTS CUSTOMS_DUTIES CUSTOMS_PROHIBITED"),
    },
    "kdniao": {
        "0": Opens("TRACKING_NOT_FOUND"),
        "4": Opens("CARRIER_REPORTED"),
        "401": Opens("LABEL_NO_SCAN"),
        "402": Opens("DELIVERY_TIMEOUT"),
        "403": Opens("TRACKING_STALLED"),
        "404": Opens("REFUSED"),
        "405": Opens("DELIVERY_FAILED"),
        "406": Opens("RETURNED"),
        "407": Opens("RETURN_NOT_RECEIVED"),
        "412": Opens("PICKUP_POINT_EXPIRED"),
        "413": Opens("INTERCEPT_REQUESTED"),
        "414": Opens("DAMAGED"),
        "415": Opens("SHIPMENT_CANCELLED"),
        "416": Opens("RECIPIENT_UNREACHABLE"),
        "417": Opens("TRANSIT_DELAY"),
        "420": Opens("ADDRESS_INCOMPLETE"),
        "421": Opens("CONTACT_INVALID"),
        "422": Opens("MISROUTED"),
        "423": Opens("OUT_OF_SERVICE_AREA"),
        "604": Opens("CUSTOMS_DELAY"),
    },
    "track17": {
        "NotFound_InvalidCode": Opens("TRACKING_NOT_FOUND"),
        "InTransit_CustomsRequiringInformation": Opens("CUSTOMS_DOCUMENTS"),
        "Expired_Other": Opens("LONG_TRANSIT"),
        "DeliveryFailure_Other": Opens("DELIVERY_FAILED"),
        "DeliveryFailure_NoBody": Opens("RECIPIENT_UNREACHABLE"),
        "DeliveryFailure_Security": Review("REGULATORY_HOLD"),
        "DeliveryFailure_Rejected": Opens("REFUSED"),
        "DeliveryFailure_InvalidAddress": Opens("ADDRESS_INCORRECT"),
        "Exception_Other": Opens("CARRIER_REPORTED"),
        "Exception_Returning": Opens("RETURNING"),
        "Exception_Returned": Opens("RETURNED"),
        "Exception_NoBody": Opens("RECIPIENT_UNREACHABLE"),
        "Exception_Security": Review("REGULATORY_HOLD"),
        "Exception_Damage": Opens("DAMAGED"),
        "Exception_Rejected": Opens("REFUSED"),
        "Exception_Delayed": Opens("TRANSIT_DELAY"),
        "Exception_Lost": Review("SUSPECTED_LOST"),
        "Exception_Destroyed": Opens("DISPOSED"),
        "Exception_Cancel": Opens("SHIPMENT_CANCELLED"),
    },
    "aftership": {
        "Delivered_005": Opens("SIGNED_BY_OTHER"),
        "Exception_001": Opens("CARRIER_REPORTED", "OUT_OF_SERVICE_AREA UNDELIVERABLE SHORT"),
        "Exception_002": Opens("RECIPIENT_MOVED"),
        "Exception_003": Opens("REFUSED"),
        "Exception_004": Opens("CUSTOMS_DELAY", "CUSTOMS_INSPECTION"),
        "Exception_005": Opens("TRANSIT_DELAY", "FORCE_MAJEURE"),
        "Exception_006": Opens("HELD_FOR_PAYMENT", "CUSTOMS_DUTIES"),
        "Exception_007": Opens("ADDRESS_INCORRECT", "ADDRESS_INCOMPLETE"),
        "Exception_008": Opens("PICKUP_POINT_EXPIRED"),
        "Exception_009": Opens("CARRIER_REJECTED", "PICKUP_REJECTED CUSTOMS_PROHIBITED"),
        "Exception_010": Opens("RETURNING"),
        "Exception_011": Opens("RETURNED"),
        "Exception_012": Opens("DAMAGED", "SOILED"),
        "Exception_013": Review("LOST", "STOLEN"),
        "Exception_016": Opens("OPERATIONAL_DELAY", "MISROUTED"),
        "Exception_017": Opens("WEATHER_DELAY"),
        "Exception_018": Opens("CUSTOMS_DOCUMENTS", "REGULATORY_HOLD"),
        "Exception_019": Opens("OPERATIONAL_DELAY"),
        "Exception_020": Opens("SHIPMENT_CANCELLED"),
        "Exception_021": Opens("DISPOSED"),
        "AttemptFail_001": Opens("DELIVERY_FAILED", "RECIPIENT_UNREACHABLE NO_ATTEMPT"),
        "AttemptFail_002": Opens("RECIPIENT_UNAVAILABLE"),
        "AttemptFail_003": Opens("ACCESS_RESTRICTED"),
        "InTransit_009": Opens("ADDRESS_CHANGE"),
        "OutForDelivery_004": Opens("DELIVERY_RESCHEDULED"),
        "Expired_001": Opens("LONG_TRANSIT", "TRACKING_STALLED TRACKING_NOT_FOUND"),
    },
}

# Opens nothing by itself and asks for nothing else.
NOTHING: Final = {
    "kuaidi100": "0 1 101 103 1001 1002 301 304 7 10 11 12",
    "kdniao": "1 2 201 204 205 206 301 311 418 5 6 601 602 603",
    "track17": (
        "NotFound_Other InfoReceived InTransit_PickedUp InTransit_Other InTransit_Departure "
        "InTransit_Arrival InTransit_CustomsProcessing InTransit_CustomsReleased Delivered_Other"
    ),
    "aftership": (
        "InTransit_001 InTransit_004 InTransit_005 InTransit_006 InTransit_007 InTransit_008 "
        "Delivered_002 Delivered_003 Delivered_004"
    ),
}
TIMERS: Final = {
    "kuaidi100": "102",
    "kdniao": "10",
    "track17": "",
    "aftership": (
        "InfoReceived_001 Pending_001 Pending_002 Pending_003 Pending_004 Pending_005 Pending_006 "
        "InTransit_002 InTransit_003 OutForDelivery_001 OutForDelivery_003"
    ),
}
REPORTS: Final = {
    "kuaidi100": "3 303",
    "kdniao": "3 304",
    "track17": "",
    "aftership": "Delivered_001",
}
CLEARS: Final = {
    ("kuaidi100", "302"): ("delay_loss", "delivery"),
    ("kdniao", "302"): ("delay_loss", "delivery"),
    ("kdniao", "419"): ("DELIVERY_FAILED",),
}
CLOCKS: Final = {
    ("kuaidi100", "5"): "delivery",
    ("kuaidi100", "501"): "pickup_point",
    ("kdniao", "202"): "delivery",
    ("kdniao", "211"): "pickup_point",
    ("kdniao", "419"): "delivery",
    ("track17", "OutForDelivery_Other"): "delivery",
    ("track17", "AvailableForPickup_Other"): "pickup_point",
    ("aftership", "OutForDelivery_001"): "delivery",
    ("aftership", "OutForDelivery_003"): "delivery",
    ("aftership", "AvailableForPickup_001"): "pickup_point",
}
BEYOND_THE_FILES: Final = {
    "kuaidi100": (
        "101 102 103 1001 1002 1003 201 202 203 204 205 206 207 208 209 210 301 302 303 304 401 501"
    ),
    "kdniao": "",
    "track17": "",
    "aftership": (
        "Delivered_005 Exception_016 Exception_017 Exception_018 Exception_019 Exception_020 "
        "Exception_021 Pending_002 Pending_003 Pending_004 Pending_005 Pending_006"
    ),
}

UNDER_WAY: Final = {
    *("registered", "collected", "in_transit", "arrived", "departed", "out_for_delivery"),
    *("customs", "customs_released", "awaiting_collection", "delivered", "unknown"),
}
"""Statuses of a parcel of which nothing is wrong by itself."""

CODES: Final = [(feed, raw_code) for feed in FILES for raw_code in CATALOGUE.sources[feed].codes]
"""Every code that a feed of the four is known to send."""


def all_feeds() -> Iterator[tuple[str, str, RawCode]]:
    for feed, source in CATALOGUE.sources.items():
        for raw_code, entry in source.codes.items():
            yield feed, raw_code, entry


def listed(feed: str) -> set[str]:
    """Every code of the tables above."""
    quiet = {raw for table in (NOTHING, TIMERS, REPORTS) for raw in table[feed].split()}
    marked = {raw for named in (CLEARS, CLOCKS) for name, raw in named if name == feed}
    return quiet | marked | CASES[feed].keys()


# --- every code, one by one -----------------------------------------------------------------


@pytest.mark.parametrize("feed", FILES)
def test_the_catalogue_has_the_listed_codes_and_no_others(feed: str) -> None:
    assert CATALOGUE.sources[feed].codes.keys() == listed(feed)


@pytest.mark.real_data
@pytest.mark.parametrize("feed", FILES)
def test_every_code_of_the_vocabulary_is_defined(feed: str, real_data: Path) -> None:
    vocabulary = json.loads((real_data / "status_codes" / FILES[feed]).read_bytes())["codes"]
    beyond = set(BEYOND_THE_FILES[feed].split())
    assert vocabulary.keys() == listed(feed) - beyond


@pytest.mark.parametrize(("feed", "raw_code"), CODES)
def test_a_code_has_exactly_one_outcome(feed: str, raw_code: str) -> None:
    entry = CATALOGUE.sources[feed].codes[raw_code]
    expected = CASES[feed].get(raw_code)
    opens = expected.code if isinstance(expected, Opens) else ""
    candidate = expected.candidate if isinstance(expected, Review) else ""
    by_text = tuple(expected.by_text.split()) if expected else ()
    assert (entry.opens, entry.candidate, entry.by_text) == (opens, candidate, by_text)
    assert entry.timer == (raw_code in TIMERS[feed].split())
    assert entry.report == (raw_code in REPORTS[feed].split())
    assert entry.clears == CLEARS.get((feed, raw_code), ())
    assert entry.clock == CLOCKS.get((feed, raw_code), "")


@pytest.mark.parametrize(("feed", "raw_code"), CODES)
def test_what_opens_nothing_has_a_status_in_which_nothing_is_wrong(
    feed: str, raw_code: str
) -> None:
    entry = CATALOGUE.sources[feed].codes[raw_code]
    assert entry.case_code or entry.status in UNDER_WAY


# --- what must never happen -----------------------------------------------------------------


def test_no_code_of_any_feed_opens_lost() -> None:
    said = [(feed, raw, entry) for feed, raw, entry in all_feeds() if "LOST" in entry.candidate]
    assert {(feed, raw) for feed, raw, _ in said} == {
        ("track17", "Exception_Lost"),
        ("aftership", "Exception_013"),
        ("easypost", "failure/lost"),
        ("karrio", "*/carrier_parcel_lost"),
        ("karrio", "*/parcel_being_researched"),
        ("epcis", "*/unknown"),
    }
    assert {entry.case_code for _, _, entry in said} == {"CARRIER_REPORTED"}
    for _, _, entry in all_feeds():
        assert entry.opens not in ("LOST", "SUSPECTED_LOST")
        assert "LOST" not in entry.by_text


@pytest.mark.parametrize(
    ("status", "but"),
    [
        ("customs_released", set()),
        ("out_for_delivery", {("aftership", "OutForDelivery_004")}),
        ("in_transit", {("kuaidi100", "1003"), ("aftership", "InTransit_009")}),
        ("arrived", set()),
        ("departed", set()),
        ("collected", set()),
        ("information", {("epcis", "errorDeclaration"), ("x12_214", "*/BK")}),
    ],
)
def test_what_goes_as_it_should_opens_nothing(status: str, but: set[tuple[str, str]]) -> None:
    found = {(f, raw) for f, raw, e in all_feeds() if e.status == status and e.case_code}
    assert found == but


def test_customs_open_only_where_something_is_asked_or_wrong() -> None:
    found = {e.case_code for _, _, e in all_feeds() if e.status == "customs" and e.case_code}
    types = CATALOGUE.types
    assert {types[code].category for code in found} == {"CUSTOMS"}
    for feed, raw_codes in {"kuaidi100": "10 11 12", "kdniao": "6 601 602 603"}.items():
        assert {CATALOGUE.code_for(feed, raw) for raw in raw_codes.split()} == {""}


def test_a_delivery_opens_nothing_unless_somebody_else_signed_or_the_contents_are_wrong() -> None:
    opened = {(e.case_code, e.candidate) for _, _, e in all_feeds() if e.status == "delivered"}
    assert opened == {
        *(("", ""), ("SIGNED_BY_OTHER", ""), ("DAMAGED", "")),
        ("CARRIER_REPORTED", "WRONG_ITEM"),
    }
    assert CATALOGUE.code_for("x12_214", "D1/NS") == CATALOGUE.code_for("x12_214", "D1/BK") == ""


def test_a_parcel_at_the_pickup_point_opens_nothing_until_it_expires() -> None:
    waiting = [entry for _, _, entry in all_feeds() if entry.status == "awaiting_collection"]
    assert {entry.case_code for entry in waiting} == {"", "PICKUP_POINT_EXPIRED"}
    for entry in waiting:
        assert (entry.clock == "pickup_point") == (not entry.case_code)


def test_a_clock_starts_where_the_parcel_waits_for_it() -> None:
    waits = {"delivery": "out_for_delivery", "pickup_point": "awaiting_collection"}
    for feed, raw_code, entry in all_feeds():
        assert not entry.clock or entry.status == waits[entry.clock], (feed, raw_code)


def test_one_number_means_different_things_to_two_feeds() -> None:
    assert CATALOGUE.code_for("kuaidi100", "4") == "RETURNED"
    assert CATALOGUE.code_for("kdniao", "4") == "CARRIER_REPORTED"
    assert CATALOGUE.code_for("kuaidi100", "401") == "SHIPMENT_CANCELLED"
    assert CATALOGUE.code_for("kdniao", "401") == "LABEL_NO_SCAN"
    assert CATALOGUE.code_for("kuaidi100", "202") == "TRACKING_STALLED"
    assert CATALOGUE.code_for("kdniao", "202") == ""
    assert CATALOGUE.code_for("kuaidi100", "6") == "RETURNING"
    assert CATALOGUE.code_for("kdniao", "6") == ""


def test_times_without_a_zone_are_chinese_in_chinese_feeds() -> None:
    chinese = {f for f, source in CATALOGUE.sources.items() if source.zone == "Asia/Shanghai"}
    assert chinese == {"kuaidi100", "kdniao", "track17", "ems", "yanwen", "fourpx"}
    assert {s.zone for f, s in CATALOGUE.sources.items() if f not in chinese} == {"UTC"}


# --- codes of two parts ---------------------------------------------------------------------


X12: Final = CATALOGUE.sources["x12_214"].codes
STRONG: Final = [raw for raw, e in X12.items() if raw.endswith("/*") and e.case_code]
REASONS: Final = [raw.removeprefix("*/") for raw in X12 if raw.startswith("*/")]


def test_the_statuses_of_x12_that_open_a_case_are_these() -> None:
    assert {raw.removesuffix("/*") for raw in STRONG} == {*("A3", "A7", "A9", "CA", "PA", "PR")}


@pytest.mark.parametrize("status", STRONG)
def test_a_status_that_opens_a_case_keeps_its_outcome_whatever_the_reason(status: str) -> None:
    for reason in REASONS:
        raw_code = status.replace("*", reason)
        expected = X12.get(raw_code, X12[status])
        assert CATALOGUE.meaning("x12_214", raw_code) is expected, raw_code


@pytest.mark.parametrize(
    ("feed", "raw_code", "status", "code"),
    [
        ("x12_214", "A3/A2", "returning", "RETURNING"),
        ("x12_214", "CA/AM", "cancelled", "SHIPMENT_CANCELLED"),
        ("x12_214", "X6/AO", "problem", "WEATHER_DELAY"),
        ("x12_214", "D1/AO", "delivered", ""),
        ("epcis", "shipping/returned", "returning", "RETURNING"),
        ("epcis", "receiving/returned", "returned", "RETURNED"),
        ("epcis", "shipping/in_progress", "departed", ""),
        ("epcis", "receiving/active", "arrived", ""),
        ("epcis", "installing/in_progress", "information", ""),
        ("epcis", "/active", "information", ""),
        ("epcis", "consigning/in_transit", "information", ""),
        ("epcis", "collecting/damaged", "problem", "DAMAGED"),
        ("epcis", "retail_selling/retail_sold", "information", ""),
        ("easypost", "return_to_sender/unknown", "returning", "RETURNING"),
        ("easypost", "return_to_sender/refused", "returning", "REFUSED"),
        ("easypost", "return_to_sender/damaged", "problem", "DAMAGED"),
        ("easypost", "cancelled/expired", "cancelled", "SHIPMENT_CANCELLED"),
        ("easypost", "in_transit/expired", "problem", "LONG_TRANSIT"),
        ("easypost", "failure/damaged", "problem", "DAMAGED"),
        ("easypost", "failure/unknown", "problem", "CARRIER_REPORTED"),
        ("karrio", "delivered", "delivered", ""),
        ("karrio", "delivered/weather_delay", "delivered", ""),
        ("karrio", "delivered/carrier_damaged_parcel", "delivered", "DAMAGED"),
        ("karrio", "delivered/retailer_incorrect_parcel", "delivered", "CARRIER_REPORTED"),
        ("epcis", "https:example.com:step:weighing/damaged", "problem", "DAMAGED"),
        ("karrio", "in_transit/weather_delay", "problem", "WEATHER_DELAY"),
        ("karrio", "in_transit/something_new", "in_transit", ""),
        ("karrio", "delivery_failed", "attempted", "DELIVERY_FAILED"),
        ("karrio", "delivery_failed/something_new", "attempted", "DELIVERY_FAILED"),
        ("karrio", "delivery_failed/consignee_not_home", "attempted", "RECIPIENT_UNAVAILABLE"),
        ("karrio", "cancelled/retailer_packaging_issue", "problem", "CARRIER_REJECTED"),
        ("karrio", "return_to_sender", "returning", "RETURNING"),
        ("karrio", "return_to_sender/consignee_not_home", "returning", "RETURNING"),
        ("karrio", "return_to_sender/consignee_refused", "returning", "REFUSED"),
        ("karrio", "return_to_sender/parcel_being_researched", "returning", "CARRIER_REPORTED"),
    ],
)
def test_status_and_reason_lead_to_one_outcome(
    feed: str, raw_code: str, status: str, code: str
) -> None:
    found = CATALOGUE.meaning(feed, raw_code)
    assert found is not None
    assert (found.status, found.case_code) == (status, code)


# --- feeds ----------------------------------------------------------------------------------


def test_every_feed_has_an_adapter_a_source_and_a_row_in_the_docs() -> None:
    lines = (ROOT / "docs" / "feeds.md").read_text("utf-8").splitlines()
    rows = [[cell.strip("` ") for cell in line.split("|")[1:-1]] for line in lines]
    zones = {row[0]: row[4] for row in rows if len(row) == 5 and row[0] in FEEDS}
    assert zones == {feed: source.zone for feed, source in CATALOGUE.sources.items()}
    assert zones.keys() == FEEDS.keys()


@pytest.mark.parametrize("feed", [f for f, source in CATALOGUE.sources.items() if source.codes])
def test_every_code_of_the_feed_s_own_message_is_defined(feed: str) -> None:
    (message,) = MESSAGES.glob(f"{feed}.*")
    found = FEEDS[feed](message.read_bytes(), ZoneInfo(CATALOGUE.sources[feed].zone))
    # EPCIS messages may use words of other vocabularies, which have a prefix.
    raw_codes = {r.raw_code for r in found.readings if r.raw_code and ":" not in r.raw_code}
    assert raw_codes
    assert {code for code in raw_codes if CATALOGUE.meaning(feed, code) is None} == set()
