"""How many checkpoints a shipment takes, and which of them were the newest when another came."""

import random

import msgspec
import pytest

from esm.detection.model import Checkpoint
from server.tracking.recording import newest_of
from server.tracking.room import Room
from server.tracking.store import CHECKPOINTS_MAX, ENDS_MAX, PIECE_CHECKPOINTS_MAX, Watched
from tests.detection.given import at, seen, shipment

PIECES = ("a", "b")


def room(*timeline: Checkpoint, pieces: tuple[str, ...] = PIECES) -> Room:
    return Room(Watched(tenant="t", shipment=shipment(pieces=pieces), timeline=timeline))


def taken(of: Room, checkpoint: Checkpoint, piece: str = "") -> int:
    """How many like it a shipment takes until it is full."""
    count = 0
    while of.takes(checkpoint, piece):
        count += 1
    return count


SCAN, END = seen("arrived", 1), seen("delivered", 2)


@pytest.mark.parametrize("piece", ["", "a"])
def test_a_shipment_without_pieces_has_one_room_whatever_facts_name(piece: str) -> None:
    of = room(pieces=())
    assert taken(of, SCAN, piece) == CHECKPOINTS_MAX
    assert taken(of, END, piece) == ENDS_MAX


def test_each_piece_has_room_of_its_own_and_takes_of_the_shipments_beyond_it() -> None:
    of = room()
    assert taken(of, SCAN) == CHECKPOINTS_MAX
    assert [taken(of, SCAN, piece) for piece in "abz"] == [PIECE_CHECKPOINTS_MAX] * 2 + [0]
    of = room()
    assert taken(of, SCAN, "a") == CHECKPOINTS_MAX + PIECE_CHECKPOINTS_MAX
    assert (taken(of, SCAN), taken(of, SCAN, "b")) == (0, PIECE_CHECKPOINTS_MAX)


def test_every_piece_of_a_full_shipment_may_tell_its_end() -> None:
    of = room()
    for piece in ("", *PIECES):
        taken(of, SCAN, piece)
    assert taken(of, END, "a") == ENDS_MAX + len(PIECES)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_left_does_not_hang_on_the_order_of_what_is_there(seed: int) -> None:
    chance = random.Random(seed)
    there = [
        seen(
            chance.choice(("arrived", "delivered")), hour, piece=chance.choice(("", "a", "b", "z"))
        )
        for hour in range(100)
    ]
    one_by_one = room()
    assert all(one_by_one.takes(each, each.piece) for each in there)
    chance.shuffle(there)
    for piece in ("", "a", "b"):
        whole, parted = room(*there), room(*there[:50])
        assert all(parted.takes(each, each.piece) for each in there[50:])
        assert taken(whole, SCAN, piece) == taken(parted, SCAN, piece)
    assert taken(one_by_one, SCAN) == taken(room(*there), SCAN)


def test_nothing_is_late_to_what_was_declared_wrong_when_it_came() -> None:
    wrong = seen("delivered", 9)
    declared = seen("information", 3, retracts=(wrong.source_id,))
    undone = seen("information", 4, retracts=(declared.source_id,))
    early = seen("information", 2, retracts=(declared.source_id,))
    assert newest_of([wrong, declared], at(99)) == at(3)
    assert newest_of([wrong, declared, undone], at(99)) == at(9)
    assert newest_of([wrong, declared, early], at(99)) == at(9)
    mutual = seen("arrived", 5, retracts=(early.source_id,), source_id=declared.source_id)
    assert newest_of([mutual, early], at(99)) == newest_of([early, mutual], at(99)) == at(2)


def test_what_lies_in_the_future_is_no_newer_fact_and_declares_nothing_until_its_time_comes() -> (
    None
):
    wrong = seen("delivered", 1, received=at(1))
    ahead = seen("information", 9, received=at(2), future=True, retracts=(wrong.source_id,))
    base = seen("arrived", 0)
    assert [newest_of([base, wrong, ahead], at(hour)) for hour in (3, 9)] == [at(1), at(9)]
    far = msgspec.structs.replace(ahead, source_id="feed/far", retracts=())
    assert [newest_of([far], at(hour)) for hour in (8, 9)] == [0, at(9)]
