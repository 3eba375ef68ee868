"""Thresholds differ by carrier, lane, service and season, and count business days (A10)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from server.settings import Settings
from tests.features.rule_files import overlay
from tests.scenarios.watching import START, Watch, at, watching

OVERRIDES = """
[[override]]
carrier = ["zto"]
at_risk = "36h"
breached = "40h"

[[override]]
lane = ["*-DE"]
at_risk = "50h"
breached = "60h"

[[override]]
service = ["express"]
at_risk = "10h"
breached = "20h"

[[override]]
season = "11-01/11-30"
at_risk = "36h"
breached = "90h"

[[override]]
carrier = ["cainiao"]
service = ["express"]
suppressed = true
"""
SERVICES = """
[express]
title = { zh = "特快", en = "Express" }

[untracked_mail]
title = { zh = "平邮（无轨迹）", en = "Mail without tracking" }
tracked = false
"""
PARCELS: dict[str, tuple[dict[str, Any], list[tuple[float, str]]]] = {
    "plain": ({}, [(36, "at_risk"), (48, "breached")]),
    "carrier": ({"carrier": "zto"}, [(36, "at_risk"), (40, "breached")]),
    "lane": ({"lane": "CN-DE"}, [(50, "at_risk"), (60, "breached")]),
    "service": ({"service": "express"}, [(10, "at_risk"), (20, "breached")]),
    "both": ({"carrier": "zto", "service": "express"}, [(10, "at_risk"), (20, "breached")]),
    "none": ({"carrier": "cainiao", "service": "express"}, []),
}
"""What a parcel is, and what the rule finds of it: overrides are laid over each other."""


def hours_of(moment: datetime) -> float:
    return (moment - START) / timedelta(hours=1)


def operators(settings: Settings, folder: Path) -> Settings:
    """A server whose operator has overrides of the stall, and a service of its own."""
    found = overlay(settings, folder, TRACKING_STALLED=OVERRIDES)
    assert found.catalog is not None
    (found.catalog / "services.toml").write_text(SERVICES, "utf-8")
    return found


def test_carrier_lane_service_and_season_have_thresholds_of_their_own(
    fresh: Settings, tmp_path: Path
) -> None:
    """A10."""
    november = hours_of(datetime(2026, 11, 2, tzinfo=UTC))
    with watching(operators(fresh, tmp_path)) as watch:
        for parcel, (facts, _) in PARCELS.items():
            watch.register(parcel, **facts)
            watch.scan(0, "collected", parcel=parcel)
            watch.scan(1, "in_transit", parcel=parcel)
        watch.until(61)
        found = {parcel: watch.found("TRACKING_STALLED", parcel) for parcel in PARCELS}
        assert found == {
            parcel: [(1 + hours, stage) for hours, stage in stages]
            for parcel, (_, stages) in PARCELS.items()
        }
        watch.until(november)
        watch.register("season")
        watch.scan(november, "in_transit", parcel="season")
        watch.until(november + 90)
        stages = [(november + 36, "at_risk"), (november + 90, "breached")]
        assert watch.found("TRACKING_STALLED", "season") == stages


def test_business_days_leave_out_weekends_and_the_holidays_of_the_place(watch: Watch) -> None:
    """A10."""
    # A Wednesday noon in New York; the Monday after is Memorial Day.
    wednesday = datetime(2026, 5, 20, 16, tzinfo=UTC)
    for parcel, lane in (("holiday", "CN-US"), ("weekend", "CN-BR")):
        watch.register(parcel, lane=lane)
        watch.scan(hours_of(wednesday), "customs", parcel=parcel)
    watch.until(hours_of(datetime(2026, 5, 29, tzinfo=UTC)))
    assert watch.found("CUSTOMS_DELAY", "holiday") == [
        (hours_of(datetime(2026, 5, 26, 16, tzinfo=UTC)), "at_risk"),
        (hours_of(datetime(2026, 5, 28, 16, tzinfo=UTC)), "breached"),
    ]
    assert watch.found("CUSTOMS_DELAY", "weekend") == [
        (hours_of(datetime(2026, 5, 25, 16, tzinfo=UTC)), "at_risk"),
        (hours_of(datetime(2026, 5, 27, 16, tzinfo=UTC)), "breached"),
    ]


def test_what_nobody_scans_is_watched_by_promise_and_hand_over_only(watch: Watch) -> None:
    """A10."""
    untracked: tuple[dict[str, Any], ...] = (
        {"untracked": True},
        {"service": "untracked_mail"},
    )
    for number, facts in enumerate(untracked):
        parcel = f"S{number}"
        watch.register(parcel, promised_at=at(500), labelled_at=at(0), **facts)
        watch.scan(20, "in_transit", parcel=parcel)
        watch.until(400)
    for number in range(len(untracked)):
        assert {each.rule for each in watch.shown(f"S{number}").deviations} == {"LABEL_NO_SCAN"}
    watch.until(500)
    for number in range(len(untracked)):
        stages = [(488, "at_risk"), (500, "breached")]
        assert watch.found("PROMISE_MISSED", f"S{number}") == stages
