"""The adapters by feed: bytes of a vendor's message to readings. One file a feed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from zoneinfo import ZoneInfo

from server.tracking.feeds import (
    aftership,
    dhl_ecommerce,
    easypost,
    ems,
    epcis,
    fourpx,
    karrio,
    kdniao,
    kuaidi100,
    track17,
    usps,
    x12_214,
    yanwen,
)
from server.tracking.reading import Reply

Read = Callable[[bytes, ZoneInfo], Reply]
"""(message, zone of times without one) -> what it says, all of it or a FeedProblem."""

FEEDS: Final[Mapping[str, Read]] = {
    "aftership": aftership.read,
    "dhl_ecommerce": dhl_ecommerce.read,
    "easypost": easypost.read,
    "ems": ems.read,
    "epcis": epcis.read,
    "fourpx": fourpx.read,
    "karrio": karrio.read,
    "kdniao": kdniao.read,
    "kuaidi100": kuaidi100.read,
    "track17": track17.read,
    "usps": usps.read,
    "x12_214": x12_214.read,
    "yanwen": yanwen.read,
}
"""Every feed that can be read, by the name under which the catalogue has its codes."""
