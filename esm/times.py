"""Instants: how a moment is written in events and counted in tables."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

Instant = str
"""A moment in RFC 3339, UTC, with exactly six fractional digits and ``Z``.

The width is fixed, so two instants compare as their moments do.
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def instant(micros_utc: int) -> Instant:
    """The instant that lies ``micros_utc`` microseconds after 1970-01-01T00:00:00Z."""
    seconds, fraction = divmod(micros_utc, 1_000_000)
    return f"{_second(seconds)}.{fraction:06d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()


def micros(at: Instant) -> int:
    """Microseconds UTC since 1970 of an instant; the inverse of :func:`instant`."""
    return (datetime.fromisoformat(at) - _EPOCH) // _MICROSECOND


def local_date(at: Instant, time_zone: str) -> str:
    """The calendar date (``YYYY-MM-DD``) of an instant in an IANA time zone."""
    return datetime.fromisoformat(at).astimezone(ZoneInfo(time_zone)).date().isoformat()
