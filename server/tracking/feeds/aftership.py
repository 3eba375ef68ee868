"""Reads AfterShip: the answer of its tracking API and the message of its webhook, in JSON.

Source: the pages Tracking, Checkpoint, Errors and Webhook Specifications of
aftership.com/docs/tracking, versions 2024-07 to 2025-07; not yet seen against a real message. The
API wraps one tracking in ``data`` (formerly ``data.tracking``), several in ``data.trackings``; a
webhook has it in ``msg``.

Codes: ``subtag`` of a checkpoint; where the newest has none, that of the tracking is a checkpoint
of its own at the same time. Times come as the carrier tells them, with or without a zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from server.tracking.feeds.safely import items, mapping, moment, read_json, required, text
from server.tracking.newest import with_signer, with_state
from server.tracking.reading import FeedProblem, Reading, Reply, reply

FORMATS: Final = ("%Y-%m-%d %H:%M:%S",)
PLACE: Final = (("city",), ("state",), ("country_region_name", "country_name"))
"""Parts of a place, each with the names that it has had."""
NOT_THERE: Final = "4004"

ADVICE: Final[Mapping[str, str]] = {
    "401": "the key is wrong; check it",
    "403": "the account may not do this; check the rights of the key",
    "4004": "it does not have this tracking; create it there first",
    "4005": "it takes the number for an invalid one; check number and carrier",
    "4012": "it cannot tell the carrier; name it when the tracking is created",
    "429": "there were too many calls; ask again later, and less often",
    "500": "it had a fault of its own; ask again later",
    "503": "it is not there at the moment; ask again later",
}


def read(body: bytes, zone: ZoneInfo) -> Reply:
    """The checkpoints of trackings; one that is pending without any is of an unknown number.

    So is one that AfterShip does not have, if its answer names the number. Raises FeedProblem.
    """
    message = mapping(read_json(body), "")
    refused = _refused(message)
    if refused:
        return reply((), [refused])
    readings: list[Reading] = []
    unknown: list[str] = []
    for where, tracking in _trackings(message):
        number = required(tracking.get("tracking_number"), f"{where}tracking_number")
        subtag = text(tracking.get("subtag"), f"{where}subtag")
        found = with_state(_rows(tracking, number, where, zone), subtag)
        signer = text(tracking.get("signed_by"), f"{where}signed_by")
        readings += with_signer(found, signer, "Delivered")
        if not found and "Pending" in (tracking.get("tag"), subtag.partition("_")[0]):
            unknown.append(number)
    return reply(readings, unknown)


def _refused(message: Mapping[str, Any]) -> str:
    """The number that AfterShip does not have, or "". Raises FeedProblem for another refusal."""
    if message.get("meta") is None:
        return ""
    code = text(mapping(message["meta"], "meta").get("code"), "meta.code")
    if code in ("200", "201"):
        return ""
    data = message.get("data")
    if code == NOT_THERE and isinstance(data, dict):
        told = data.get("tracking", data)
        number = text(mapping(told, "data").get("tracking_number"), "data.tracking_number")
        if number:
            return number
    advice = ADVICE.get(code, "look the code up among its errors")
    raise FeedProblem("meta", f"AfterShip answers {code or 'no code'}: {advice}")


def _trackings(message: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if "msg" in message:
        yield "msg.", mapping(message["msg"], "msg")
        return
    data = mapping(message.get("data"), "data")
    if "trackings" in data:
        for at, value in enumerate(items(data["trackings"], "data.trackings")):
            yield f"data.trackings[{at}].", mapping(value, f"data.trackings[{at}]")
    elif "tracking" in data:
        yield "data.tracking.", mapping(data["tracking"], "data.tracking")
    else:
        yield "data.", data


def _rows(
    tracking: Mapping[str, Any], number: str, where: str, zone: ZoneInfo
) -> Iterator[Reading]:
    carrier = text(tracking.get("slug"), f"{where}slug")
    for at, value in enumerate(items(tracking.get("checkpoints"), f"{where}checkpoints")):
        here = f"{where}checkpoints[{at}]"
        row = mapping(value, here)
        time = required(row.get("checkpoint_time"), f"{here}.checkpoint_time")
        occurred, zoned = moment(time, f"{here}.checkpoint_time", zone, *FORMATS)
        yield Reading(
            number=number,
            occurred=occurred,
            zoned=zoned,
            carrier=text(row.get("slug"), f"{here}.slug") or carrier,
            raw_code=text(row.get("subtag"), f"{here}.subtag"),
            raw_text=text(row.get("message"), f"{here}.message")
            or text(row.get("subtag_message"), f"{here}.subtag_message"),
            place=_place(row, here),
        )


def _place(row: Mapping[str, Any], where: str) -> str:
    """The place in the words of the carrier, else put together from its parts."""
    parts = [
        next(filter(None, (text(row.get(name), f"{where}.{name}") for name in names)), "")
        for names in PLACE
    ]
    return text(row.get("location"), f"{where}.location") or ", ".join(filter(None, parts))
