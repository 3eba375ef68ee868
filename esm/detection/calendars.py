"""Business days: Monday to Friday, or what a country or region works; microseconds UTC."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays

MICROS_PER_DAY: Final = 86_400_000_000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_YEAR_MAX: Final = 9_900
"""Calendars end here; what lies later counts every day."""
_WEEKEND: Final = (5, 6)


def moved(moment: int, days: int, calendar: str = "", zone: str = "UTC") -> int:
    """The moment that lies ``days`` business days after another, or before it when negative.

    Days begin at midnight of ``zone``. The time of day stays: Friday noon and three business days
    are Wednesday noon. A moment on a day off counts as the first one of the next business day, so
    Saturday and three business days are the beginning of Thursday; so a later moment never gives
    an earlier result.
    """
    local = (_EPOCH + timedelta(microseconds=moment)).astimezone(_zone(zone))
    if local.year > _YEAR_MAX:
        return moment + days * MICROS_PER_DAY
    day, at = local.date(), local.time()
    if not is_business_day(day, calendar):
        day, at = _next(day, calendar, 1), time(0)
    for _ in range(abs(days)):
        day = _next(day, calendar, 1 if days > 0 else -1)
    return (datetime.combine(day, at, tzinfo=_zone(zone)) - _EPOCH) // _MICROSECOND


def is_business_day(day: date, calendar: str = "") -> bool:
    """Whether people work on a day: no weekend and no holiday, or a weekend made up for one."""
    if not calendar:
        return day.weekday() not in _WEEKEND
    return day in _business_days(calendar, day.year)


def _next(day: date, calendar: str, step: int) -> date:
    day += timedelta(days=step)
    while not is_business_day(day, calendar):
        day += timedelta(days=step)
    return day


@lru_cache(maxsize=1024)
def _business_days(calendar: str, year: int) -> frozenset[date]:
    country, _, region = calendar.partition("-")
    found = holidays.country_holidays(country, subdiv=region or None, years=year)
    first = date(year, 1, 1)
    days = (first + timedelta(days=number) for number in range(366))
    return frozenset(day for day in days if day.year == year and found.is_working_day(day))


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
