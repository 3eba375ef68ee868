"""Invented parcels: where they are, what a carrier told of them so far, and what it tells next.

Raw codes are those of a real feed's table; words, places and people are made up. Parcels follow a
few thousand *courses*, each a journey that began some hours ago, so that a million of them differ
as parcels do and are still quick to make. Times are microseconds UTC.
"""

import random
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final, NamedTuple

FEED: Final = "kuaidi100"
CARRIER: Final = "yuantong"
TENANT: Final = "default"
COURSES: Final = 2_000

SECOND: Final = 1_000_000
HOUR: Final = 3_600 * SECOND
DAY: Final = 24 * HOUR

NEWEST_HOURS: Final = (0.3, 15.0)
"""How long ago the last checkpoint came: no rule of the catalogue is reached yet, or soon."""

STEP_HOURS: Final = (3.0, 6.0)
PROMISED_DAYS: Final = (1.0, 3.0)
JUST_NOW_SECONDS: Final = (20, 600)
"""How long ago happened what a carrier tells now."""

OPENS_EACH: Final = 50
"""One of so many checkpoints opens a case,"""

CLEARS_EACH: Final = 100
"""one of so many clears one again,"""

CLEARS_AFTER: Final = 1_000
"""that was opened so many checkpoints before, or more."""

CITIES: Final = (
    "广州",
    "深圳",
    "东莞",
    "佛山",
    "杭州",
    "宁波",
    "上海",
    "苏州",
    "武汉",
    "长沙",
    "成都",
)
COURIERS: Final = ("陈师傅", "李师傅", "王师傅", "赵师傅", "周师傅")


class Step(NamedTuple):
    """A kind of checkpoint: its raw code, its words, and the city of the route that it is in."""

    raw_code: str
    words: str
    city: int
    courier: bool = False


JOURNEY: Final = (
    Step("103", "【{city}市】网点已揽收，揽收员：{courier}", 0, courier=True),
    Step("1002", "【{city}市】快件已从{city}转运中心发出", 0),
    Step("0", "【{city}市】快件已到达{city}转运中心", 1),
    Step("1002", "【{city}市】快件已从{city}转运中心发出", 1),
    Step("0", "【{city}市】快件已到达{city}转运中心", 2),
    Step("1002", "【{city}市】快件已从{city}转运中心发出", 2),
    Step("1001", "【{city}市】快件已到达{city}城东网点", 3),
    Step("5", "【{city}市】城东网点派件中，派件员：{courier}", 3, courier=True),
    Step("301", "【{city}市】已签收，签收人：本人签收", 3),
)
"""A parcel that arrives. One with n earlier checkpoints had the first n of these."""

TROUBLES: Final = (
    Step("204", "【{city}市】派送不成功，原因：客户不在家，派件员：{courier}", 3, courier=True),
    Step("209", "【{city}市】快件外包装破损，已登记", 2),
    Step("206", "【{city}市】电话无人接听，改日再派，派件员：{courier}", 3, courier=True),
    Step("203", "【{city}市】收件人拒收，派件员：{courier}", 3, courier=True),
    Step("204", "【{city}市】派送不成功，改约明日，派件员：{courier}", 3, courier=True),
)
"""What opens a case at once."""

SOLVED: Final = Step("302", "【{city}市】异常后已签收，签收人：本人签收", 3)
"""What ends the trouble."""


class Parcel(NamedTuple):
    """A parcel that is watched. ``number`` counts from 0; ``route`` are four cities."""

    number: int
    order_id: str
    shipment_code: str
    tracking_number: str
    earlier: int
    labelled: int
    handed_over: int
    promised: int
    route: tuple[str, ...]
    times: tuple[int, ...]


class Fact(NamedTuple):
    """A checkpoint as a feed tells it."""

    source_id: str
    tracking_number: str
    occurred: int
    raw_code: str
    words: str
    place: str
    station: str
    courier: str


class _Course(NamedTuple):
    labelled: int
    handed_over: int
    promised: int
    route: tuple[str, ...]
    times: tuple[int, ...]


class Parcels:
    """``watched`` parcels as they stand at ``now``. The same numbers give the same parcels."""

    def __init__(self, watched: int, now: int) -> None:
        self.watched = watched
        self.now = now
        self._courses = [_course(n, now) for n in range(min(COURSES, watched))]

    @property
    def courses(self) -> int:
        """How many journeys there are; parcels whose numbers differ by it follow the same one."""
        return len(self._courses)

    def parcel(self, number: int) -> Parcel:
        """The parcel with a number below ``watched``."""
        course = self._courses[number % len(self._courses)]
        return Parcel(
            number,
            f"BENCH-{number:07}",
            f"P-{number:07}",
            f"YT{number:013}",
            len(course.times),
            *course,
        )

    def earlier(self, parcel: Parcel) -> list[Fact]:
        """What was told of it up to now, oldest first."""
        return [
            fact(parcel, step, at, f"earlier {n}")
            for n, (step, at) in enumerate(zip(JOURNEY, parcel.times, strict=False))
        ]

    def further(self, run: int, count: int, now: int) -> Iterator[Fact]:
        """What a carrier tells at ``now``, mostly one checkpoint of each of ``count`` parcels.

        No two runs of one size tell of the same parcels, as long as there are enough.
        """
        drawn = random.Random(run)
        for n in range(count):
            step, at = self._further(run * count, n)
            ago = 0 if step is SOLVED else drawn.randint(*JUST_NOW_SECONDS)
            happened = now - ago * SECOND + n
            yield fact(self.parcel(at), step, happened, f"run {run}/{n}")

    def _further(self, first: int, n: int) -> tuple[Step, int]:
        """The n-th checkpoint of a run, and the parcel that it is about."""
        if n % CLEARS_EACH == CLEARS_EACH - 1 and n >= CLEARS_AFTER:
            return SOLVED, self._scattered(first + n - n % CLEARS_EACH - CLEARS_AFTER)
        at = self._scattered(first + n)
        if n % OPENS_EACH == 0:
            return TROUBLES[n // OPENS_EACH % len(TROUBLES)], at
        return JOURNEY[self.parcel(at).earlier], at

    def _scattered(self, n: int) -> int:
        """The n-th parcel of which something is told: neighbours in time lie far apart."""
        return (n * _STRIDE) % self.watched


_STRIDE: Final = 7_368_787
"""A prime, so that every parcel has its turn before one has a second."""


def fact(parcel: Parcel, step: Step, occurred: int, what: str) -> Fact:
    """A checkpoint of a parcel; the source id is a hash, as feeds without ids get it."""
    city = parcel.route[step.city]
    courier = COURIERS[parcel.number % len(COURIERS)]
    return Fact(
        source_id=blake2b(f"{parcel.number} {what}".encode(), digest_size=16).hexdigest(),
        tracking_number=parcel.tracking_number,
        occurred=occurred,
        raw_code=step.raw_code,
        words=step.words.format(city=city, courier=courier),
        place=city,
        station=f"{city}转运中心",
        courier=courier if step.courier else "",
    )


def _course(number: int, now: int) -> _Course:
    drawn = random.Random(number)
    newest = now - int(drawn.uniform(*NEWEST_HOURS) * HOUR)
    times = [newest]
    for _ in range(number % len(JOURNEY)):
        times.append(times[-1] - int(drawn.uniform(*STEP_HOURS) * HOUR))
    handed_over, *checkpoints = reversed(times)
    return _Course(
        labelled=handed_over - 2 * HOUR,
        handed_over=handed_over,
        promised=now + int(drawn.uniform(*PROMISED_DAYS) * DAY),
        route=tuple(drawn.sample(CITIES, 4)),
        times=tuple(checkpoints),
    )
