"""DHL eCommerce tracking, ``trackItemResponse`` 1.1 (JSON).

Source: answers of ``api.dhlecommerce.dhl.com/rest/v2/Tracking`` as seen in 2017. The zone of an
event is "LT", local time, which names none: then that of the feed is taken, as for any other zone
than UTC, GMT or an offset. An answer without items means that no number asked for is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from server.tracking.feeds.safely import items, mapping, moment, read_json, required, text
from server.tracking.reading import FeedProblem, Reading, Reply, reply

OFFSET: Final = re.compile(r"(?:UTC|GMT)?([+-][0-9]{2}:[0-9]{2})", re.IGNORECASE)
UNIVERSAL: Final = frozenset({"UTC", "GMT", "Z"})


def read(body: bytes, zone: ZoneInfo) -> Reply:
    """Readings of the events of every item that DHL eCommerce found."""
    name = "trackItemResponse"
    answer = mapping(mapping(read_json(body), "").get(name), name)
    code = text(answer.get("responseCode"), f"{name}.responseCode")
    if code != "0":
        what = "get a new access token; if that does not help, check the request"
        refused = f"DHL eCommerce refuses with code {code[:40] or 'none'}"
        raise FeedProblem(f"{name}.responseCode", f"{refused}: {what}")
    found = items(answer.get("items"), f"{name}.items")
    if not found:
        return Reply(unknown_numbers=("",))
    return reply(
        reading
        for at, item in enumerate(found)
        for reading in _readings(mapping(item, f"items[{at}]"), f"items[{at}]", zone)
    )


def _readings(item: Mapping[str, Any], where: str, zone: ZoneInfo) -> Iterator[Reading]:
    number = text(item.get("trackingID"), f"{where}.trackingID") or required(
        item.get("shipmentID"), f"{where}.shipmentID"
    )
    for at, event in enumerate(items(item.get("events"), f"{where}.events")):
        path = f"{where}.events[{at}]"
        yield _reading(mapping(event, path), number, path, zone)


def _reading(event: Mapping[str, Any], number: str, where: str, zone: ZoneInfo) -> Reading:
    time = required(event.get("timestamp"), f"{where}.timestamp")
    written = time + _offset(text(event.get("timezone"), f"{where}.timezone"))
    occurred, zoned = moment(written, f"{where}.timestamp", zone)
    address = mapping(event.get("address") or {}, f"{where}.address")
    parts = (
        text(address.get(part), f"{where}.address.{part}")
        for part in ("city", "state", "postalCode", "countryCode")
    )
    return Reading(
        number=number,
        occurred=occurred,
        zoned=zoned,
        raw_code=text(event.get("status"), f"{where}.status"),
        raw_text=text(event.get("description"), f"{where}.description"),
        place=", ".join(filter(None, parts)),
    )


def _offset(zone: str) -> str:
    if zone.upper() in UNIVERSAL:
        return "+00:00"
    found = OFFSET.fullmatch(zone)
    return found[1] if found else ""
