"""Finds the station in the text of a row that has no field for it: "快件到达【杭州转运中心】"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import structs

from server.tracking.reading import Reading

_IN_BRACKETS: Final = re.compile(r"([^【】]*)【([^【】]{2,40})】")
_AHEAD: Final = re.compile(r"(?:前往|发往|送往|下一站|下一站是)[\s:\uff1a]*$")
_KINDS: Final = (
    "中心",
    "公司",
    "局",
    "所",
    "部",
    "仓",
    "库",
    "站",
    "点",
    "处",
    "场",
    "店",
    "区",
    "县",
    "市",
)
_BRAND: Final = "有限公司"
_PHONE: Final = re.compile(r"[0-9]{7}")


def with_stations(readings: Iterable[Reading]) -> list[Reading]:
    """The readings, which have source ids already; one without a place has its text's station."""
    return [
        each
        if each.place or each.station
        else structs.replace(each, station=_station(each.raw_text))
        for each in readings
    ]


def _station(raw_text: str) -> str:
    """What stands first in brackets, if it is the name of a site and not where the parcel goes.

    A company, a courier or a telephone number may stand there just as well; then it is "".
    """
    found = _IN_BRACKETS.match(raw_text)
    if found is None or _AHEAD.search(found[1]):
        return ""
    name = found[2].strip()
    site = name.endswith(_KINDS) and not name.endswith(_BRAND)
    return name if site and not _PHONE.search(name) else ""
