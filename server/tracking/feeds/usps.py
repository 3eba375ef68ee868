"""USPS Web Tools "Track & Confirm", answer to TrackFieldRequest (XML).

Source: USPS Track & Confirm API User Guide 4.7 (2024-10-07), and answers seen. Times have no zone:
they are those of the place of the event. An event with a date alone is taken at the start of that
day; one with neither date nor time cannot be placed in the timeline and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from server.tracking.feeds.safely import field, moment, read_xml, required
from server.tracking.reading import FeedProblem, Reading, Reply, reply

NOT_KNOWN: Final = frozenset({"-2147219302"})
"""Errors of one parcel that say: no such number, or nothing known of it."""

NO_EVENTS_YET: Final = frozenset({"-2147219283"})
"""Errors of one parcel that say: the label is known, the parcel was not seen yet."""

NO_SIGN_IN: Final = frozenset({"80040B1A", "80040b1a"})

TIME: Final = "%B %d, %Y %I:%M %p"


def read(body: bytes, zone: ZoneInfo) -> Reply:
    """Readings of a USPS ``TrackResponse``, one for each TrackSummary and TrackDetail."""
    root = read_xml(body)
    if root.tag == "Error":
        raise _problem("Error", field(root, "Number"))
    if root.tag != "TrackResponse":
        raise FeedProblem("", f"is <{root.tag[:40]}>, not a <TrackResponse> of USPS")
    readings: list[Reading] = []
    unknown = []
    for at, parcel in enumerate(root.findall("TrackInfo")):
        where = f"TrackInfo[{at}]"
        number = required(parcel.get("ID"), f"{where}.ID")
        error = parcel.find("Error")
        if error is None:
            readings += _readings(parcel, number, where, zone)
            continue
        code = field(error, "Number")
        if code in NOT_KNOWN:
            unknown.append(number)
        elif code not in NO_EVENTS_YET:
            raise _problem(f"{where}.Error", code)
    return reply(readings, unknown)


def _readings(parcel: Element, number: str, where: str, zone: ZoneInfo) -> Iterator[Reading]:
    for tag in ("TrackSummary", "TrackDetail"):
        for at, event in enumerate(parcel.findall(tag)):
            reading = _reading(event, number, f"{where}.{tag}[{at}]", zone)
            if reading is not None:
                yield reading


def _reading(event: Element, number: str, where: str, zone: ZoneInfo) -> Reading | None:
    if len(event) == 0 and (event.text or "").strip():
        raise FeedProblem(where, "is a sentence without fields: ask with TrackFieldRequest")
    date, time = field(event, "EventDate"), field(event, "EventTime")
    if not date and not time:
        return None
    occurred, zoned = moment(f"{date} {time or '12:00 am'}", f"{where}.EventTime", zone, TIME)
    place = (field(event, f"Event{part}") for part in ("City", "State", "ZIPCode", "Country"))
    return Reading(
        number=number,
        occurred=occurred,
        zoned=zoned,
        raw_code=field(event, "EventCode"),
        raw_text=field(event, "Event"),
        place=", ".join(filter(None, place)),
        signer=field(event, "Name") or field(event, "FirmName"),
    )


def _problem(where: str, code: str) -> FeedProblem:
    if code in NO_SIGN_IN:
        what = "check the user id and password with which USPS is asked"
    else:
        what = "correct the request, or ask again later"
    return FeedProblem(where, f"USPS refuses with error {code[:40] or 'without a number'}: {what}")
