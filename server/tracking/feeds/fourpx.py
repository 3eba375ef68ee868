"""4PX tracking answer of one parcel, method ``tr.order.tracking.get`` 1.0.0 (JSON).

Source: an answer of 2016, and open.4px.com/apiInfo/apiDetail?itemId=6&mainId=25 as public clients
quote it (``businessLinkCode`` is the code of an event, absent in the answer seen). Times have no
zone. An answer without data means that the number asked for is not known; no list of error codes is
known, so an error is always a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from server.tracking.feeds.safely import items, mapping, moment, read_json, required, text
from server.tracking.reading import FeedProblem, Reading, Reply, reply


def read(body: bytes, zone: ZoneInfo) -> Reply:
    """Readings of the ``trackingList`` of 4PX."""
    answer = mapping(read_json(body), "")
    result = text(answer.get("result"), "result")
    if result != "1":
        raise _refused(answer, result)
    if answer.get("data") in (None, {}, []):
        return Reply(unknown_numbers=("",))
    data = mapping(answer["data"], "data")
    number = required(data.get("deliveryOrderNo"), "data.deliveryOrderNo")
    events = items(data.get("trackingList"), "data.trackingList")
    return reply(
        _reading(mapping(event, f"trackingList[{at}]"), number, f"trackingList[{at}]", zone)
        for at, event in enumerate(events)
    )


def _reading(event: Mapping[str, Any], number: str, where: str, zone: ZoneInfo) -> Reading:
    time = required(event.get("occurDatetime"), f"{where}.occurDatetime")
    occurred, zoned = moment(time, f"{where}.occurDatetime", zone)
    return Reading(
        number=number,
        occurred=occurred,
        zoned=zoned,
        raw_code=text(event.get("businessLinkCode"), f"{where}.businessLinkCode"),
        raw_text=text(event.get("trackingContent"), f"{where}.trackingContent"),
        place=text(event.get("occurLocation"), f"{where}.occurLocation"),
    )


def _refused(answer: Mapping[str, Any], result: str) -> FeedProblem:
    codes = [
        text(mapping(error, f"errors[{at}]").get("errorCode"), f"errors[{at}].errorCode")[:40]
        for at, error in enumerate(items(answer.get("errors"), "errors"))
    ]
    code = ", ".join(filter(None, codes[:3])) or f"result {result[:40] or 'none'}"
    what = "check the number, the application key and its signature"
    return FeedProblem("result", f"4PX refuses with {code}: {what}")
