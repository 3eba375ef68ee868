"""Which thresholds hold: by carrier, lane, service, season, status, and several of them at once."""

from typing import Any

import pytest

from esm.catalog import Override
from esm.detection.outlook import Detection
from tests.detection.given import (
    DAY,
    DETECTION,
    HOUR,
    START,
    at,
    detection,
    of_rule,
    outlook,
    seen,
    shipment,
    stages,
)

STALL = "TRACKING_STALLED"
SLOW: Any = {"at_risk": "60h", "breached": "80h"}
NOVEMBER = 1_793_491_200_000_000
"""2026-11-01T00:00:00Z."""


def breached_after(by: Detection, begin: int = START, **of: Any) -> int:
    """Hours after which a stall is breached."""
    scan = seen("arrived", 0, occurred=begin)
    found = outlook(scan, of=shipment(**of), as_of=begin + 60 * DAY, by=by)
    (breach,) = [each for each in of_rule(found, STALL) if each.stage == "breached"]
    return (breach.at - begin) // HOUR


@pytest.mark.parametrize(
    ("given", "of", "others"),
    [
        ({"carrier": ("sf", "yto")}, {"carrier": "yto"}, {"carrier": "ems"}),
        ({"lane": ("CN-DE",)}, {"lane": "CN-DE"}, {"lane": "CN-DK"}),
        ({"lane": ("CN-*",)}, {"lane": "CN-CN"}, {"lane": "DE-CN"}),
        ({"lane": ("*-CN",)}, {"lane": "CN-CN"}, {"lane": ""}),
        ({"service": ("economy",)}, {"service": "economy"}, {"service": "express"}),
        (
            {"carrier": ("sf",), "lane": ("CN-CN",), "service": ("economy",)},
            {"carrier": "sf", "lane": "CN-CN", "service": "economy"},
            {"carrier": "sf", "lane": "CN-CN"},
        ),
    ],
)
def test_an_override_holds_for_what_matches_all_that_it_gives(
    given: dict[str, Any], of: dict[str, Any], others: dict[str, Any]
) -> None:
    by = detection(STALL, Override(**given, **SLOW), services=("economy",))
    assert breached_after(by, **of) == 80
    assert breached_after(by, **others) == breached_after(by) == 48


def test_a_later_override_wins_threshold_by_threshold() -> None:
    by = detection(
        STALL,
        Override(carrier=("sf",), at_risk="40h", breached="70h"),
        Override(lane=("CN-CN",), breached="90h"),
    )
    parcel = shipment(carrier="sf", lane="CN-CN")
    scan = seen("arrived", 0)
    found = outlook(scan, of=parcel, as_of=at(200), by=by)
    assert [each.at for each in of_rule(found, STALL)] == [at(40), at(90), at(168)]
    assert breached_after(by, carrier="sf") == 70
    assert breached_after(by, lane="CN-CN") == 90


@pytest.mark.parametrize(
    ("season", "begin", "hours"),
    [
        ("11-01/11-30", NOVEMBER, 80),
        ("11-01/11-30", NOVEMBER - 1, 48),
        ("11-01/11-30", NOVEMBER + 30 * DAY - 1, 80),
        ("11-01/11-30", NOVEMBER + 30 * DAY, 48),
        ("12-15/01-05", NOVEMBER + 60 * DAY, 80),
        ("12-15/01-05", NOVEMBER + 65 * DAY, 80),
        ("12-15/01-05", NOVEMBER + 66 * DAY, 48),
        ("12-15/01-05", NOVEMBER, 48),
    ],
)
def test_a_season_is_that_of_the_moment_at_which_the_wait_begins(
    season: str, begin: int, hours: int
) -> None:
    by = detection(STALL, Override(season=season, **SLOW))
    assert breached_after(by, begin) == hours


def test_seasons_and_shipments_combine() -> None:
    by = detection(
        STALL,
        Override(carrier=("sf",), season="11-01/11-30", **SLOW),
        Override(carrier=("sf",), lane=("CN-CN",), season="11-10/11-12", breached="100h"),
    )
    peak = NOVEMBER + 10 * DAY
    assert breached_after(by, peak, carrier="sf", lane="CN-CN") == 100
    assert breached_after(by, peak, carrier="sf") == 80
    assert breached_after(by, NOVEMBER, carrier="sf", lane="CN-CN") == 80
    assert breached_after(by, peak, carrier="ems", lane="CN-CN") == 48


def test_a_suppressed_rule_finds_nothing_and_is_not_waited_for() -> None:
    by = detection(STALL, Override(carrier=("mail",), suppressed=True))
    scan = seen("departed", 0)
    found = outlook(scan, of=shipment(carrier="mail"), as_of=at(100), by=by)
    assert of_rule(found, STALL) == []
    assert found.due == at(25 * 24)
    assert stages(outlook(scan, as_of=at(100), by=by), STALL) == ["at_risk", "breached"]


def test_a_suppressed_season_may_be_lifted_for_some() -> None:
    by = detection(
        STALL,
        Override(season="11-01/11-30", suppressed=True),
        Override(carrier=("sf",), suppressed=False),
    )
    scan = seen("arrived", 0, occurred=NOVEMBER)
    end = NOVEMBER + 3 * DAY
    assert stages(outlook(scan, as_of=end, by=by), STALL) == []
    assert stages(outlook(scan, of=shipment(carrier="sf"), as_of=end, by=by), STALL) == [
        "at_risk",
        "breached",
    ]


def test_an_inclusive_rule_is_not_saved_at_the_very_moment() -> None:
    by = detection(STALL, inclusive=True)
    track = [seen("arrived", 0), seen("arrived", 48)]
    found = of_rule(outlook(*track, as_of=at(48), by=by), STALL)
    assert [(each.stage, each.at, each.ended) for each in found] == [
        ("at_risk", at(36), at(48)),
        ("breached", at(48), at(48)),
    ]
    assert stages(outlook(*track, as_of=at(48)), STALL) == ["at_risk"]
    first = [seen("arrived", 0), seen("arrived", 36)]
    assert stages(outlook(*first, as_of=at(36), by=by), STALL) == ["at_risk"]


def test_an_inclusive_wait_at_a_node_is_not_saved_at_the_very_moment() -> None:
    by = detection("NODE_STUCK", inclusive=True)
    track = [seen("arrived", 0, node="A"), seen("arrived", 48, node="B")]
    assert stages(outlook(*track, as_of=at(48), by=by), "NODE_STUCK") == ["at_risk"]
    assert stages(outlook(*track, as_of=at(48)), "NODE_STUCK") == []


def test_between_two_countries_a_parcel_is_lost_later_and_line_haul_may_be_silent() -> None:
    abroad, home = shipment(lane="CN-US"), shipment(lane="CN-CN")
    arrived, departed = seen("arrived", 0), seen("departed", 0)

    def moments(scan: Any, of: Any) -> list[int]:
        found = of_rule(outlook(scan, of=of, as_of=at(24 * 24)), STALL)
        return [(each.at - START) // HOUR for each in found]

    assert moments(arrived, home) == moments(departed, home) == [36, 48, 168]
    assert moments(arrived, abroad) == [36, 48, 480]
    assert moments(departed, abroad) == [120, 168, 480]


def test_a_pickup_point_may_hold_longer_with_some_carriers() -> None:
    by = detection(
        "PICKUP_POINT_EXPIRED",
        Override(carrier=("ups",), at_risk="8d", breached="9d", serious="10d"),
    )
    wait = seen("awaiting_collection", 0)
    assert stages(outlook(wait, as_of=at(7 * 24), by=by), "PICKUP_POINT_EXPIRED")[-1] == "serious"
    ups = shipment(carrier="ups")
    assert outlook(wait, of=ups, as_of=at(7 * 24), by=by).findings == ()
    assert len(outlook(wait, of=ups, as_of=at(10 * 24), by=by).findings) == 3


def test_a_service_of_the_catalogue_may_be_untracked() -> None:
    silent = outlook(seen("arrived", 0), of=shipment(service="untracked_mail"), as_of=at(400))
    assert silent.findings == ()
    told = outlook(seen("arrived", 0), of=shipment(service="never heard of"), as_of=at(40))
    assert stages(told, STALL) == ["at_risk"]


def test_detection_is_shared_by_shipments_of_all_kinds() -> None:
    scan = seen("departed", 0)
    for lane, breach in [("CN-US", 168), ("CN-CN", 48), ("CN-US", 168)]:
        assert breached_after_departure(scan, lane) == breach


def breached_after_departure(scan: Any, lane: str) -> int:
    found = outlook(scan, of=shipment(lane=lane), as_of=at(170), by=DETECTION)
    return (of_rule(found, STALL)[1].at - START) // HOUR
