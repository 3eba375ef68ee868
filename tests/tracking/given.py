"""What the tests of the feeds in JSON begin with: own messages, and ways to change them."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from server.tracking.feeds import aftership, easypost, karrio, kdniao, kuaidi100, track17
from server.tracking.reading import Reply

Read = Callable[[bytes, ZoneInfo], Reply]

MESSAGES: Final = Path(__file__).parent / "messages"
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

READS: Final[dict[str, Read]] = {
    "aftership": aftership.read,
    "easypost": easypost.read,
    "karrio": karrio.read,
    "kdniao": kdniao.read,
    "kuaidi100": kuaidi100.read,
    "track17": track17.read,
}

TWO_POSTS: Final[dict[str, Any]] = {
    "ret": 1,
    "msg": "Ok",
    "dat": [
        {
            "no": "RX900000071CN",
            "delay": 0,
            "track": {
                "e": 40,
                "w1": 3011,
                "w2": 9071,
                "z0": {"a": "2026-01-20 14:00", "c": "", "d": "Lyon 69001", "z": "Distribué"},
                "z1": [
                    {"a": "2026-01-20 14:00", "c": "法国", "d": "", "z": "已送到"},
                    {"a": "2026-01-18 09:30", "c": "法国", "d": "", "z": "到了"},
                    {"a": "2026-01-18 09:30", "c": "法国", "d": "", "z": "清关"},
                    {"a": "2026-01-10 20:00", "c": "广州市", "d": "", "z": "寄出"},
                ],
                "z2": [
                    {"a": "2026-01-20 14:00", "c": "", "d": "Lyon 69001", "z": "Distribué"},
                    {"a": "2026-01-19 07:00", "c": "", "d": "Lyon 69001", "z": "Arrivé"},
                    {"a": "2026-01-18 09:30", "c": "FR", "d": "Roissy", "z": "Arrivé en France"},
                ],
            },
        },
        {"no": "RX900000072CN", "delay": 0, "track": None},
        {"no": "RX900000073CN", "delay": 30, "track": None},
    ],
}
"""An answer of 17TRACK's page with one journey told by two posts."""


OWN: Final = [*READS, "track17 of two posts"]


def own(feed: str) -> Any:
    """The own message of a feed."""
    if feed == "track17 of two posts":
        return TWO_POSTS
    return json.loads((MESSAGES / f"{feed}.json").read_bytes())


def read(feed: str, message: Any) -> Reply:
    """What the feed's reader makes of a message."""
    return READS[feed.partition(" ")[0]](json.dumps(message).encode(), SHANGHAI)


def shuffled(value: Any, order: random.Random) -> Any:
    """The message with the rows of each of its lists in another order."""
    if isinstance(value, dict):
        return {key: shuffled(each, order) for key, each in value.items()}
    if isinstance(value, list):
        return order.sample([shuffled(each, order) for each in value], len(value))
    return value


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every node of a message."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*path, key))


def changed(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """The message with one of its nodes replaced."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy
