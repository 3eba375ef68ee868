"""Business days, with weekends and holidays, count as written."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esm.catalog import Override
from esm.detection.calendars import MICROS_PER_DAY, is_business_day, moved
from tests.detection.given import at, detection, of_rule, outlook, seen, shipment


def moment(text: str, zone: str = "UTC") -> int:
    """Microseconds UTC of a local time like "2026-03-06 12:00"."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return round(local.astimezone(UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("begin", "days", "end"),
    [
        ("2026-03-06 12:00", 3, "2026-03-11 12:00"),
        ("2026-03-06 12:00", 1, "2026-03-09 12:00"),
        ("2026-03-07 10:00", 3, "2026-03-12 00:00"),
        ("2026-03-08 23:59", 1, "2026-03-10 00:00"),
        ("2026-03-02 09:00", 5, "2026-03-09 09:00"),
        ("2026-03-09 09:00", -1, "2026-03-06 09:00"),
        ("2026-03-02 09:00", 0, "2026-03-02 09:00"),
    ],
)
def test_weekends_are_days_off(begin: str, days: int, end: str) -> None:
    assert moved(moment(begin), days) == moment(end)


@pytest.mark.parametrize(
    ("begin", "days", "end"),
    [
        ("2025-09-30 12:00", 1, "2025-10-09 12:00"),  # the national week and the mid-autumn day
        ("2025-10-03 12:00", 1, "2025-10-10 00:00"),
        ("2025-10-10 12:00", 1, "2025-10-11 12:00"),  # a Saturday that is worked instead
        ("2025-10-11 12:00", 1, "2025-10-13 12:00"),
    ],
)
def test_holidays_and_made_up_workdays_of_china_count(begin: str, days: int, end: str) -> None:
    zone = "Asia/Shanghai"
    assert moved(moment(begin, zone), days, "CN", zone) == moment(end, zone)


def test_holidays_of_the_united_states_and_of_one_of_its_states_count() -> None:
    zone = "America/New_York"
    begin = moment("2026-07-02 15:00", zone)
    assert moved(begin, 1, "US", zone) == moment("2026-07-06 15:00", zone)
    assert moved(begin, 1, "", zone) == moment("2026-07-03 15:00", zone)
    chavez = date(2025, 3, 31)
    assert is_business_day(chavez, "US")
    assert not is_business_day(chavez, "US-CA")


def test_the_zone_says_which_day_it_is() -> None:
    friday_evening = moment("2026-03-06 17:00")  # in China it is Saturday by then
    assert moved(friday_evening, 1) == moment("2026-03-09 17:00")
    expected = moment("2026-03-10 00:00", "Asia/Shanghai")
    assert moved(friday_evening, 1, "", "Asia/Shanghai") == expected


def test_the_time_of_day_stays_when_clocks_are_changed() -> None:
    zone = "America/New_York"
    assert moved(moment("2026-03-06 12:00", zone), 1, "US", zone) == moment(
        "2026-03-09 12:00", zone
    )


def test_a_moment_at_the_end_of_all_calendars_is_no_error() -> None:
    far = moment("9998-12-31 12:00")
    assert moved(far, 10, "CN", "Asia/Shanghai") == far + 10 * MICROS_PER_DAY


@given(
    st.integers(min_value=0, max_value=3 * 10**15),
    st.integers(min_value=0, max_value=10**12),
    st.integers(min_value=0, max_value=12),
    st.sampled_from([("", "UTC"), ("CN", "Asia/Shanghai"), ("US", "America/New_York")]),
)
def test_a_later_moment_never_gives_an_earlier_one(
    begin: int, later: int, days: int, where: tuple[str, str]
) -> None:
    assert moved(begin, days, *where) <= moved(begin + later, days, *where)


def test_customs_have_business_days_and_those_of_the_country_where_told() -> None:
    begin = moment("2025-09-29 12:00", "Asia/Shanghai")
    scan = seen("customs", 0, occurred=begin)
    end = moment("2025-12-01 00:00")

    def breached(lane: str) -> int:
        found = of_rule(outlook(scan, of=shipment(lane=lane), as_of=end), "CUSTOMS_DELAY")
        return next(each.at for each in found if each.stage == "breached")

    assert breached("CN-DE") == moment("2025-10-06 12:00", "Asia/Shanghai")
    # 30 September, 9, 10, 11 (a Saturday that is worked) and 13 October
    assert breached("DE-CN") == moment("2025-10-13 12:00", "Asia/Shanghai")


def test_a_carrier_may_count_other_holidays() -> None:
    by = detection(
        "CUSTOMS_DELAY", Override(carrier=("dhl",), calendar="US", zone="America/New_York")
    )
    thursday = moment("2026-07-02 15:00", "America/New_York")
    scan = seen("customs", 0, occurred=thursday)
    of = shipment(carrier="dhl")
    found = outlook(scan, of=of, as_of=thursday + 5 * MICROS_PER_DAY, by=by)
    assert (found.findings, found.due) == ((), moment("2026-07-08 15:00", "America/New_York"))
    assert outlook(scan, as_of=at(-1), by=by).due == thursday
