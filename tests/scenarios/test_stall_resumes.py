"""Case 1: a parcel stalls, is looked into, moves again, and stalls once more."""

from shipment_exception.v1.exception_pb2 import ResponseLevel, ShipmentException, Stage

from tests.scenarios.watching import Watch


def stalled(watch: Watch, hours: float) -> str:
    """A parcel of which nothing is heard after its collection; gives the case."""
    watch.register()
    watch.scan(0, "departed")
    watch.until(hours)
    (case,) = watch.cases()
    return case


def test_a_stall_is_watched_at_36_hours_and_worked_on_at_48(watch: Watch) -> None:
    """A6."""
    watch.register()
    watch.scan(0, "departed")
    watch.until(35.9)
    assert watch.cases() == []
    watch.until(36)
    (case,) = watch.cases()
    at_risk = watch.world.case(case)
    assert (at_risk.code, at_risk.state, at_risk.team, at_risk.level) == (
        "TRACKING_STALLED",
        ShipmentException.STATE_DETECTED,
        "support",
        ResponseLevel.RESPONSE_LEVEL_UNSPECIFIED,
    )
    watch.until(48)
    breached = watch.world.case(case)
    assert (breached.state, breached.level, breached.team, breached.stage) == (
        ShipmentException.STATE_ESCALATED,
        ResponseLevel.RESPONSE_LEVEL_1,
        "support",
        Stage.STAGE_BREACHED,
    )
    assert watch.story(case) == [(36, "detected"), (48, "source_joined"), (48, "escalated")]


def test_every_stage_names_rule_version_threshold_and_what_it_saw(watch: Watch) -> None:
    case = stalled(watch, 48)
    (detected,) = watch.facts(case, "detected")
    (joined,) = watch.facts(case, "source_joined")
    first, second = detected["source"]["alert"], joined["source"]["alert"]
    assert (first["rule"], first["version"], first["stage"]) == ("TRACKING_STALLED", 1, "at_risk")
    assert first["at"] == "2026-03-03T12:00:00.000000Z"
    assert first["next_at"] == second["at"] == "2026-03-04T00:00:00.000000Z"
    assert first["evidence"] == second["evidence"] == ["wms/c1"]
    assert second["stage"] == "breached"


def test_a_scan_before_the_case_is_worked_on_ends_it_without_a_word(watch: Watch) -> None:
    """A19."""
    case = stalled(watch, 40)
    watch.scan(41, "arrived")
    watch.until(41)
    found = watch.world.case(case)
    assert (found.state, found.resolution) == (ShipmentException.STATE_WITHDRAWN, "RESUMED")
    assert watch.story(case) == [(36, "detected"), (41, "signal_cleared"), (41, "withdrawn")]


def test_a_stall_resumes_and_a_new_one_reopens_the_case(watch: Watch) -> None:
    """A19."""
    case = stalled(watch, 48)
    watch.world.verify(case, "last_event_and_path")
    watch.scan(53, "departed")
    watch.until(53)
    found = watch.world.case(case)
    assert (found.state, found.resolution) == (ShipmentException.STATE_WITHDRAWN, "RESUMED")
    assert watch.world.entries() == []

    watch.until(53 + 48)
    assert watch.cases() == [case]
    again = watch.world.case(case)
    assert (again.state, again.episode, again.code) == (
        ShipmentException.STATE_ESCALATED,
        2,
        "TRACKING_STALLED",
    )


def test_a_gap_of_exactly_48_hours_is_none(watch: Watch) -> None:
    case = stalled(watch, 47)
    watch.scan(48, "arrived")
    watch.until(48)
    assert watch.world.case(case).state == ShipmentException.STATE_WITHDRAWN
    assert watch.facts(case, "source_joined") == []


def test_a_stall_that_a_customer_asked_about_stays_open_when_the_parcel_moves(
    watch: Watch,
) -> None:
    """A19."""
    case = stalled(watch, 48)
    request = watch.world.detection("TRACKING_STALLED")
    request.signal.kind = "customer"
    joined = watch.world.send(watch.world.client.exceptions.DetectException, request)
    assert joined.exception.exception_id == case
    watch.scan(53, "departed")
    watch.until(53)
    found = watch.world.case(case)
    assert found.state == ShipmentException.STATE_ESCALATED
    assert len(watch.facts(case, "signal_cleared")) == 1
