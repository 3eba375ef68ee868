"""Instants: how a moment is written in events and counted in tables."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

Instant = str
"""A moment in RFC 3339, UTC, with exactly six fractional digits and ``Z``.

The width is fixed, so two instants compare as their moments do.
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def instant(micros_utc: int) -> Instant:
    """The instant that lies ``micros_utc`` microseconds after 1970-01-01T00:00:00Z."""
    moment = _EPOCH + timedelta(microseconds=micros_utc)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def micros(at: Instant) -> int:
    """Microseconds UTC since 1970 of an instant; the inverse of :func:`instant`."""
    return (datetime.fromisoformat(at) - _EPOCH) // _MICROSECOND


def local_date(at: Instant, time_zone: str) -> str:
    """The calendar date (``YYYY-MM-DD``) of an instant in an IANA time zone."""
    return datetime.fromisoformat(at).astimezone(ZoneInfo(time_zone)).date().isoformat()
