"""What of a timeline counts, in which order, and where the parcel stands by it."""

import pytest

from esm.catalog import Source
from esm.catalog.data import Status
from esm.detection.model import Checkpoint
from esm.detection.timeline import MOVES, PROGRESS, least
from tests.detection.given import CATALOGUE, at, of_rule, outlook, seen, shipment, stages

MOVING: list[Status] = [
    "registered", "collected", "in_transit", "arrived", "departed", "customs", "customs_released",
    "out_for_delivery", "awaiting_collection", "attempted", "problem", "cancelled", "information",
    "unknown",
]  # fmt: skip


def test_every_status_has_its_progress_and_its_moves() -> None:
    told = {code.status for feed in feeds() for code in feed.codes.values()}
    assert told <= set(PROGRESS) == set(MOVES)
    assert all(set(moves) == set(PROGRESS) for moves in MOVES.values())


def feeds() -> list[Source]:
    return list(CATALOGUE.sources.values())


@pytest.mark.parametrize("status", MOVING)
def test_a_delivered_parcel_never_moves_backwards(status: Status) -> None:
    assert outlook(seen("delivered", 1), seen(status, 2), as_of=at(3)).status == "delivered"


@pytest.mark.parametrize("status", MOVING)
def test_what_comes_late_does_not_move_it_either(status: Status) -> None:
    now = outlook(seen("delivered", 2), seen(status, 1, late=True), as_of=at(3))
    assert now.status == "delivered"
    assert of_rule(now, "scan_after_delivery") == []
    assert now.newest == "feed/delivered@2"


def test_a_delivered_parcel_may_go_back_to_its_sender() -> None:
    track = [seen("delivered", 1), seen("returning", 2), seen("returned", 3)]
    assert [outlook(*track, as_of=at(hour)).status for hour in (1, 2, 3)] == [
        "delivered",
        "returning",
        "returned",
    ]


def test_another_carriers_registration_does_not_bring_a_parcel_back() -> None:
    now = outlook(seen("in_transit", 1, leg=1), seen("registered", 2, leg=2), as_of=at(40))
    assert now.status == "in_transit"
    assert stages(now, "TRACKING_STALLED") == ["at_risk"]


def test_of_checkpoints_at_one_instant_the_further_one_comes_later() -> None:
    track = [seen("delivered", 1), seen("out_for_delivery", 1), seen("arrived", 1)]
    now = outlook(*track, as_of=at(1))
    assert (now.status, now.findings, now.newest) == ("delivered", (), "feed/delivered@1")


def test_legs_are_one_timeline() -> None:
    track = [
        seen("departed", 0, leg=1, node="PEK"),
        seen("arrived", 40, leg=2, node="LAX"),
        seen("out_for_delivery", 60, leg=3),
        seen("delivered", 61, leg=3),
    ]
    now = outlook(*track, as_of=at(100))
    assert now.status == "delivered"
    assert stages(now, "TRACKING_STALLED") == ["at_risk"]


def test_what_lies_ahead_does_not_count_and_is_due() -> None:
    now = outlook(seen("arrived", 0), seen("delivered", 5), as_of=at(1))
    assert (now.status, now.due) == ("arrived", at(5))


def test_what_was_retracted_never_happened_from_then_on() -> None:
    wrong = seen("delivered", 1)
    declared = seen("information", 3, retracts=(wrong.source_id,))
    track = [seen("in_transit", 0), wrong, seen("in_transit", 2), declared]
    assert outlook(*track, as_of=at(2)).status == "delivered"
    assert len(of_rule(outlook(*track, as_of=at(2)), "scan_after_delivery")) == 1
    now = outlook(*track, as_of=at(3))
    assert (now.status, now.findings) == ("in_transit", ())


def test_a_retraction_may_be_retracted() -> None:
    wrong = seen("delivered", 1)
    declared = seen("information", 3, retracts=(wrong.source_id,))
    undone = seen("information", 4, retracts=(declared.source_id,))
    assert outlook(wrong, declared, undone, as_of=at(3)).status == "registered"
    assert outlook(wrong, declared, undone, as_of=at(4)).status == "delivered"


def test_what_was_declared_wrong_is_named_from_the_moment_of_the_declaration_on() -> None:
    wrong = seen("delivered", 1)
    declared = seen("information", 3, retracts=(wrong.source_id,))
    early = seen("information", 2, retracts=(declared.source_id,))
    assert outlook(wrong, declared, as_of=at(2)).retracted == frozenset()
    assert outlook(wrong, declared, as_of=at(3)).retracted == {wrong.source_id}
    for hour in (2, 3):
        assert outlook(wrong, declared, early, as_of=at(hour)).retracted == {declared.source_id}


def test_one_source_id_counts_once_and_always_the_same() -> None:
    one, other = seen("arrived", 1, source_id="feed/1"), seen("departed", 2, source_id="feed/1")
    assert outlook(one, other, one, as_of=at(3)) == outlook(other, one, as_of=at(3))
    assert outlook(one, other, as_of=at(3)).newest == "feed/1"


def test_a_shipment_of_pieces_stands_where_its_last_piece_stands() -> None:
    parcel = shipment(pieces=("a", "b", "c"))
    track: list[Checkpoint] = [
        seen("in_transit", 0),
        seen("delivered", 5, piece="a"),
        seen("out_for_delivery", 6, piece="b"),
    ]
    now = outlook(*track, of=parcel, as_of=at(7))
    assert now.status == "in_transit"
    assert now.pieces == {"a": "delivered", "b": "out_for_delivery", "c": "in_transit"}
    assert outlook(*track, as_of=at(7)).pieces == {}


def test_a_piece_that_only_a_checkpoint_names_is_one_more() -> None:
    now = outlook(seen("arrived", 1, piece="z"), of=shipment(pieces=("a",)), as_of=at(2))
    assert now.pieces == {"a": "registered", "z": "arrived"}


def test_a_piece_that_does_not_come_with_the_others_is_short() -> None:
    parcel = shipment(pieces=("a", "b"))
    now = outlook(seen("in_transit", 0), seen("delivered", 5, piece="a"), of=parcel, as_of=at(53))
    found = of_rule(now, "SHORT_DELIVERY")
    assert [(each.piece, each.code, each.stage) for each in found] == [
        ("b", "SHORT", "at_risk"),
        ("b", "SHORT", "breached"),
    ]
    assert stages(now, "TRACKING_STALLED", "b") == ["at_risk", "breached"]
    assert stages(now, "TRACKING_STALLED", "a") == []


@pytest.mark.parametrize(
    ("states", "status"),
    [
        (["delivered", "in_transit"], "in_transit"),
        (["returning", "delivered"], "returning"),
        (["returned", "delivered"], "delivered"),
        (["cancelled", "problem"], "problem"),
    ],
)
def test_a_piece_under_way_is_behind_one_that_came_to_its_end(
    states: list[str], status: str
) -> None:
    assert least(states) == status


def test_a_retraction_that_was_declared_wrong_before_it_occurred_never_acts() -> None:
    failed = seen("attempted", 1)
    void = seen("information", 4, retracts=(failed.source_id,))
    early = seen("information", 3, retracts=(void.source_id,))
    before, after = (outlook(failed, void, early, as_of=at(hour)) for hour in (3, 5))
    assert before.status == after.status == "attempted"
    assert before.due != void.occurred
    mutual = seen("information", 5, retracts=(early.source_id,), source_id=void.source_id)
    assert outlook(failed, mutual, early, as_of=at(6)).status == "attempted"
