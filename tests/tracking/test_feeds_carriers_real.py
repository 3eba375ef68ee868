"""Real replies of carriers and EPCIS documents: each gives its timeline, an error is an error."""

from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from server.tracking.feeds import Read, dhl_ecommerce, ems, epcis, fourpx, usps, yanwen
from server.tracking.reading import FeedProblem

pytestmark = pytest.mark.real_data

UTC: Final = ZoneInfo("UTC")
REPLIES: Final = "carrier_payloads"

TIMELINES: Final[list[tuple[Read, str, int, str, str, str]]] = [
    (usps.read, "usps_valid_track.xml", 13, "2017-07-29T20:04:00", "2017-08-07T12:51:00", ""),
    (usps.read, "usps_one_trace_track.xml", 2, "2017-08-07T07:48:00", "2017-08-07T12:51:00", ""),
    (usps.read, "usps_no_events_track.xml", 1, "2017-09-02T15:54:00", "2017-09-02T15:54:00", ""),
    (ems.read, "ems_valid_tracking.xml", 7, "2017-08-06T08:50:00", "2017-08-07T12:28:00", ""),
    (ems.read, "ems_one_trace_track.xml", 1, "2017-08-06T08:50:00", "2017-08-06T08:50:00", ""),
    (
        yanwen.read,
        "yanwenexpress_valid_tracking.json",
        22,
        "2017-07-07T07:41:53.71",
        "2017-07-26T05:03:00",
        "",
    ),
    (
        dhl_ecommerce.read,
        "dhlecommerce_tracking_with_valid_access_token_response.json",
        7,
        "2017-06-20T14:22:52",
        "2017-07-02T22:02:00",
        "77057",
    ),
    (
        fourpx.read,
        "fourpartyexpress_valid_track.json",
        4,
        "2016-12-10T10:20:00",
        "2016-12-10T13:46:50",
        "",
    ),
]
"""Reader, file, readings, first and last time in a feed zone of UTC, code of the last."""

EPCIS: Final = [
    (
        "AggregationEvent.json",
        3,
        "2013-06-08T14:58:56.591",
        "2013-06-08T14:58:56.591",
        "receiving/in_progress",
    ),
    (
        "Combination_of_different_event.json",
        14,
        "2013-10-31T14:58:56.591",
        "2021-05-27T13:00:00",
        "sensor_reporting/",
    ),
    (
        "ObjectEvent.json",
        3,
        "2005-04-04T02:33:31.116",
        "2005-04-05T02:33:31.116",
        "receiving/in_progress",
    ),
    (
        "ObjectEvent_with_error_declaration.json",
        3,
        "2005-04-05T02:33:31.116",
        "2021-02-01T22:46:31.117",
        "errorDeclaration",
    ),
    (
        "ObjectEvent_with_persistentDisposition.json",
        20,
        "2020-06-07T17:10:16",
        "2020-06-08T18:11:16",
        "inspecting/in_progress",
    ),
    ("TransactionEvent.json", 2, "2014-12-12T10:00:00", "2019-10-04T13:12:00", "/"),
]
"""File, readings, first and last time, end of the code of the last."""

UNKNOWN: Final[list[tuple[Read, str]]] = [
    (usps.read, "usps_invalid_track.xml"),
    (ems.read, "ems_invalid_tracking.xml"),
    (yanwen.read, "yanwenexpress_error_tracking_number_tracking.json"),
]

REFUSED: Final[list[tuple[Read, str, str]]] = [
    (usps.read, "usps_error_auth.xml", "80040B1A.*user id"),
    (ems.read, "ems_invalid_authenticate.xml", "V02.*user"),
    (yanwen.read, "yanwenexpress_invalid_tracking.json", "code 1:"),
    (
        dhl_ecommerce.read,
        "dhlecommerce_tracking_with_invalid_access_token_response.json",
        "code 1: get a new access token",
    ),
]


@pytest.mark.parametrize(("read", "name", "count", "first", "last", "code"), TIMELINES)
def test_a_reply_gives_its_timeline(
    real_data: Path, read: Read, name: str, count: int, first: str, last: str, code: str
) -> None:
    readings = read((real_data / REPLIES / name).read_bytes(), UTC).readings
    assert len(readings) == count
    assert readings[0].occurred.startswith(first)
    assert readings[-1].occurred.startswith(last)
    assert {r.raw_code for r in readings if r.occurred == readings[-1].occurred} == {code}


@pytest.mark.parametrize(("name", "count", "first", "last", "code"), EPCIS)
def test_a_document_gives_its_timeline(
    real_data: Path, name: str, count: int, first: str, last: str, code: str
) -> None:
    readings = epcis.read((real_data / "epcis" / name).read_bytes(), UTC).readings
    assert len(readings) == count
    assert readings[0].occurred.startswith(first)
    assert readings[-1].occurred.startswith(last)
    assert readings[-1].raw_code.endswith(code)
    assert all(r.zoned and r.number for r in readings)
    assert len({r.source_id for r in readings}) == count


def test_the_declared_error_retracts_both_parcels(real_data: Path) -> None:
    body = (real_data / "epcis" / "ObjectEvent_with_error_declaration.json").read_bytes()
    declared = [r for r in epcis.read(body, UTC).readings if r.retracts]
    assert len({r.number for r in declared}) == 2
    shipped = (real_data / "epcis" / "ObjectEvent.json").read_bytes()
    known = {r.source_id for r in epcis.read(shipped, UTC).readings}
    assert not known & {id for r in declared for id in r.retracts}  # it is another event


@pytest.mark.parametrize(("read", "name"), UNKNOWN)
def test_an_unknown_number_is_told_as_such(real_data: Path, read: Read, name: str) -> None:
    reply = read((real_data / REPLIES / name).read_bytes(), UTC)
    assert reply.readings == ()
    assert len(reply.unknown_numbers) == 1


@pytest.mark.parametrize(("read", "name", "message"), REFUSED)
def test_an_error_is_refused(real_data: Path, read: Read, name: str, message: str) -> None:
    with pytest.raises(FeedProblem, match=message):
        read((real_data / REPLIES / name).read_bytes(), UTC)


def test_no_reply_of_these_carriers_is_forgotten(real_data: Path) -> None:
    ours = ("usps_", "ems_", "yanwen", "dhlecommerce", "fourparty")
    present = {p.name for p in (real_data / REPLIES).iterdir() if p.name.startswith(ours)}
    tested = {case[1] for case in (*TIMELINES, *UNKNOWN, *REFUSED)}
    assert present == tested
    assert {p.name for p in (real_data / "epcis").iterdir()} == {case[0] for case in EPCIS}
