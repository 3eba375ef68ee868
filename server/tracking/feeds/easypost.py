"""Reads EasyPost: a Tracker, a list of them, and the Event that a webhook sends, in JSON.

Source: the pages Trackers, Events and Errors of docs.easypost.com, as published in 2025, and a real
Tracker of that year.

Codes: "status/status_detail" of a TrackingDetail; without a detail it is "status/unknown", which is
what EasyPost writes for none. Where the newest has no status, that of the Tracker is a checkpoint
of its own at the same time. Times are in RFC 3339; where a scan has no full place EasyPost writes
the local time as if it were UTC, which nothing in the message tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from server.tracking.feeds.safely import items, mapping, moment, read_json, required, text
from server.tracking.newest import with_signer, with_state
from server.tracking.reading import FeedProblem, Reading, Reply, reply

PLACE: Final = ("city", "state", "country", "zip")

ADVICE: Final[Mapping[str, str]] = {
    "APIKEY.INACTIVE": "the key is not active; enable it or use another",
    "NOT_FOUND": "it does not have this tracker; create it there first",
    "RATE_LIMITED": "there were too many calls; ask again later, and less often",
    "TRACKER.NOT_FOUND": "it does not have this tracker; create it there first",
    "UNAUTHORIZED": "the key is wrong; check it",
}


def read(body: bytes, zone: ZoneInfo) -> Reply:
    """The checkpoints of trackers; one without any in state unknown is of an unknown number.

    Raises FeedProblem.
    """
    message = mapping(read_json(body), "")
    _refuse_error(message)
    readings: list[Reading] = []
    unknown: list[str] = []
    for where, tracker in _trackers(message):
        number = required(tracker.get("tracking_code"), f"{where}tracking_code")
        found = with_state(_rows(tracker, number, where, zone), _code(tracker, where))
        signer = text(tracker.get("signed_by"), f"{where}signed_by")
        readings += with_signer(found, signer, "delivered/")
        if not found and tracker.get("status") == "unknown":
            unknown.append(number)
    return reply(readings, unknown)


def _refuse_error(message: Mapping[str, Any]) -> None:
    if message.get("error") is None:
        return
    error = mapping(message["error"], "error")
    code = text(error.get("code"), "error.code")
    advice = ADVICE.get(code, "look the code up among its errors")
    raise FeedProblem("error", f"EasyPost answers {code or 'no code'}: {advice}")


def _trackers(message: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if "trackers" in message:
        for at, value in enumerate(items(message["trackers"], "trackers")):
            yield f"trackers[{at}].", mapping(value, f"trackers[{at}]")
    elif "result" in message:
        # A webhook tells events of everything at EasyPost; only those of trackers hold checkpoints.
        result = mapping(message["result"], "result")
        if text(result.get("object"), "result.object") in ("", "Tracker"):
            yield "result.", result
    else:
        yield "", message


def _code(told: Mapping[str, Any], where: str) -> str:
    status = text(told.get("status"), f"{where}status")
    detail = text(told.get("status_detail"), f"{where}status_detail")
    return f"{status}/{detail or 'unknown'}" if status else ""


def _rows(tracker: Mapping[str, Any], number: str, where: str, zone: ZoneInfo) -> Iterator[Reading]:
    carrier = text(tracker.get("carrier"), f"{where}carrier")
    rows = items(tracker.get("tracking_details"), f"{where}tracking_details")
    for at, value in enumerate(rows):
        here = f"{where}tracking_details[{at}]"
        row = mapping(value, here)
        time = required(row.get("datetime"), f"{here}.datetime")
        occurred, zoned = moment(time, f"{here}.datetime", zone)
        yield Reading(
            number=number,
            occurred=occurred,
            zoned=zoned,
            carrier=carrier,
            raw_code=_code(row, f"{here}."),
            raw_text=text(row.get("message"), f"{here}.message")
            or text(row.get("description"), f"{here}.description"),
            place=_place(row.get("tracking_location"), f"{here}.tracking_location"),
        )


def _place(value: Any, where: str) -> str:
    location = mapping({} if value is None else value, where)
    return ", ".join(filter(None, (text(location.get(key), f"{where}.{key}") for key in PLACE)))
