"""EMS (China Post) international tracking, partner query by mail number (XML).

Source: answers of ``shipping.ems.com.cn/partner/api/public/p/track/query``, version
``international_eub_us_1.1``, as seen in 2017; no public page. The answer does not name the parcel:
``number`` is "" and whoever asked fills it in. The bare word ``null`` means that the number is not
known. Times have no zone; there are neither codes nor a field for who signed.
"""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from server.tracking.feeds.safely import field, moment, read_xml, required
from server.tracking.reading import FeedProblem, Reading, Reply, reply

NULL: Final = b"null"
NULL_BYTES_MAX: Final = 64
"""More than the word with any line end or byte order mark around it."""

TIME: Final = "%Y-%m-%d %H:%M:%S"


def read(body: bytes, zone: ZoneInfo) -> Reply:
    """Readings of the ``trace`` elements of EMS."""
    if len(body) <= NULL_BYTES_MAX and body.removeprefix(b"\xef\xbb\xbf").strip() == NULL:
        return Reply(unknown_numbers=("",))
    root = read_xml(body)
    if root.tag == "response":
        code = field(root, "code")[:40] or "without a code"
        what = "check the user and the key with which EMS is asked"
        raise FeedProblem("response", f"EMS refuses with error {code}: {what}")
    if root.tag != "traces":
        raise FeedProblem("", f"is <{root.tag[:40]}>, not <traces> of EMS")
    return reply(
        _reading(trace, f"trace[{at}]", zone) for at, trace in enumerate(root.findall("trace"))
    )


def _reading(trace: Element, where: str, zone: ZoneInfo) -> Reading:
    time = required(field(trace, "acceptTime"), f"{where}.acceptTime")
    occurred, zoned = moment(time, f"{where}.acceptTime", zone, TIME)
    return Reading(
        number="",
        occurred=occurred,
        zoned=zoned,
        raw_text=field(trace, "remark"),
        place=field(trace, "acceptAddress"),
    )
