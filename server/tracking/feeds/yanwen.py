"""YanWen Express tracking answer of one waybill (JSON).

Source: answers of ``api.track.yw56.com.cn/v2/api/Tracking`` as seen in 2017; no public page. The
newer interface of opendocs.yw56.com.cn answers in another form, which is not read. ``origin_items``
and ``destin_items`` tell one journey, partly twice in two languages; ``last_item`` repeats one of
them and is not read. Times carry ``+08:00`` and are taken as they are written, although those of
the destination look like local ones. There are no codes of events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from server.tracking.feeds.safely import items, mapping, moment, read_json, required, text
from server.tracking.reading import FeedProblem, Reading, Reply, reply

NUMBERS = ("waybill_number", "exchange_number", "yanwen_number")
"""Fields that name the parcel, the best first."""


def read(body: bytes, zone: ZoneInfo) -> Reply:
    """Readings of both legs that YanWen knows of a waybill."""
    answer = mapping(read_json(body), "")
    code = text(answer.get("code"), "code")
    if code != "0":
        what = "check the number and the account, or ask again later"
        raise FeedProblem("code", f"YanWen refuses with code {code[:40] or 'none'}: {what}")
    number = next(filter(None, (text(answer.get(name), name) for name in NUMBERS)), "")
    readings = [
        _reading(mapping(item, f"{leg}[{at}]"), number, f"{leg}[{at}]", zone)
        for leg in ("origin_items", "destin_items")
        for at, item in enumerate(items(answer.get(leg), leg))
    ]
    if number:
        return reply(readings)
    if readings:
        raise FeedProblem("waybill_number", "is required")
    return Reply(unknown_numbers=("",))  # the answer to an unknown number does not repeat it


def _reading(item: Mapping[str, Any], number: str, where: str, zone: ZoneInfo) -> Reading:
    time = required(item.get("timestamp"), f"{where}.timestamp")
    occurred, zoned = moment(time, f"{where}.timestamp", zone)
    return Reading(
        number=number,
        occurred=occurred,
        zoned=zoned,
        raw_text=text(item.get("message"), f"{where}.message"),
        place=text(item.get("location"), f"{where}.location"),
    )
