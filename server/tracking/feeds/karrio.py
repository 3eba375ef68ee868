"""Reads Karrio: a tracker, a list of them, and the message of its webhook, in JSON.

Source: the Tracker and TrackingEvent of Karrio's API reference, versions 2024.12 to 2026.1; not yet
seen against a real message.

Codes: "status/reason" of an event, or its bare ``status`` where it tells no reason: what was
delivered late is still delivered. Of a reason without a status nothing stands before the slash.
Where the newest has neither, the status of the tracker is a checkpoint of its own at the same time.
The ``code`` of an event is the carrier's own, is not in Karrio's vocabulary, and is kept as the
text of an event that has no other.
A time is ``timestamp`` or else ``date`` and ``time``, which have no zone; a date alone is the
midnight at which it begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from server.tracking.feeds.safely import items, mapping, moment, read_json, required, text
from server.tracking.newest import with_signer, with_state
from server.tracking.reading import FeedProblem, Reading, Reply, reply

FORMATS: Final = ("%Y-%m-%d %H:%M", "%Y-%m-%d %I:%M %p", "%Y-%m-%d %H:%M:%S")
NO_REASON: Final = frozenset({"", "none", "unknown"})
EVENT: Final = "tracker"
"""A webhook tells of shipments, orders and batches too; these are its events about trackers."""

ADVICE: Final[Mapping[str, str]] = {
    "authentication_failed": "the key is wrong; check it",
    "not_authenticated": "the key is missing; send it along",
    "not_found": "it does not have this tracker; create it there first",
    "throttled": "there were too many calls; ask again later, and less often",
}


def read(body: bytes, zone: ZoneInfo) -> Reply:
    """The checkpoints of trackers; one without any in state unknown is of an unknown number.

    Raises FeedProblem.
    """
    message = mapping(read_json(body), "")
    _refuse_errors(message)
    readings: list[Reading] = []
    unknown: list[str] = []
    for where, tracker in _trackers(message):
        number = required(tracker.get("tracking_number"), f"{where}tracking_number")
        status = text(tracker.get("status"), f"{where}status")
        found = with_state(_rows(tracker, number, where, zone), status)
        told = tracker.get("info")
        info = mapping({} if told is None else told, f"{where}info")
        signer = text(info.get("signed_by"), f"{where}info.signed_by")
        readings += with_signer(found, signer, "delivered")
        if not found and status == "unknown":
            unknown.append(number)
    return reply(readings, unknown)


def _refuse_errors(message: Mapping[str, Any]) -> None:
    """Karrio answers errors of its own in ``errors``, those of a carrier in ``messages``."""
    for key in ("errors", "messages"):
        told = items(message.get(key), key)
        if told and "tracking_number" not in message:
            code = text(mapping(told[0], f"{key}[0]").get("code"), f"{key}[0].code")
            advice = ADVICE.get(code, "look the code up with Karrio, or with the carrier it asked")
            raise FeedProblem(f"{key}[0]", f"Karrio answers {code or 'no code'}: {advice}")


def _trackers(message: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if "results" in message:
        for at, value in enumerate(items(message["results"], "results")):
            yield f"results[{at}].", mapping(value, f"results[{at}]")
    elif "event" in message:
        if text(message["event"], "event").startswith(EVENT):
            yield "data.", mapping(message.get("data"), "data")
    else:
        yield "", message


def _rows(tracker: Mapping[str, Any], number: str, where: str, zone: ZoneInfo) -> Iterator[Reading]:
    carrier = text(tracker.get("carrier_name"), f"{where}carrier_name")
    for at, value in enumerate(items(tracker.get("events"), f"{where}events")):
        here = f"{where}events[{at}]"
        row = mapping(value, here)
        reason = text(row.get("reason"), f"{here}.reason")
        status = text(row.get("status"), f"{here}.status")
        written, time = _time(row, here)
        occurred, zoned = moment(time, written, zone, *FORMATS)
        yield Reading(
            number=number,
            occurred=occurred,
            zoned=zoned,
            carrier=carrier,
            raw_code=status if reason in NO_REASON else f"{status}/{reason}",
            raw_text=text(row.get("description"), f"{here}.description")
            or text(row.get("code"), f"{here}.code"),
            place=text(row.get("location"), f"{here}.location"),
        )


def _time(row: Mapping[str, Any], where: str) -> tuple[str, str]:
    """Where an event tells its time, and what it tells there."""
    told = text(row.get("timestamp"), f"{where}.timestamp")
    if told:
        return f"{where}.timestamp", told
    date = required(row.get("date"), f"{where}.date")
    time = text(row.get("time"), f"{where}.time")
    return f"{where}.date", f"{date} {time}".strip()
