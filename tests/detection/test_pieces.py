"""Trouble of a shipment of several pieces: one finding where all are alike, else one for each."""

import pytest

from esm.detection.model import Checkpoint, Finding, Outlook
from esm.detection.outlook import Detection
from esm.detection.timeline import counted, tracks
from tests.detection.given import CATALOGUE, at, outlook, seen, shipment

PIECES = ("a", "b", "c")


def of(found: Outlook, rule: str) -> list[Finding]:
    return [each for each in found.findings if each.rule == rule]


def told(found: Outlook, rule: str) -> list[tuple[str, str, bool]]:
    """Piece, stage and whether it stands."""
    return [(each.piece, each.stage, not each.ended) for each in of(found, rule)]


def test_pieces_that_all_wait_from_one_fact_are_one_finding() -> None:
    parcel = shipment(pieces=PIECES, labelled=at(0))
    now = outlook(of=parcel, as_of=at(24))
    assert told(now, "LABEL_NO_SCAN") == [("", "at_risk", True), ("", "breached", True)]
    assert [each.next_at for each in of(now, "LABEL_NO_SCAN")] == [at(24), at(48)]


def test_a_scan_of_one_piece_later_leaves_the_finding_one() -> None:
    parcel = shipment(pieces=PIECES, labelled=at(0))
    one = seen("collected", 20, piece="a")
    now = outlook(one, of=parcel, as_of=at(24))
    assert told(now, "LABEL_NO_SCAN") == [("", "at_risk", True), ("", "breached", True)]
    rest = [seen("collected", 30, piece="b"), seen("collected", 31, piece="c")]
    now = outlook(one, *rest, of=parcel, as_of=at(60))
    assert told(now, "LABEL_NO_SCAN") == [("", "at_risk", False), ("", "breached", False)]
    assert {each.ended for each in of(now, "LABEL_NO_SCAN")} == {at(31)}


def test_pieces_of_which_one_was_in_time_are_judged_one_by_one() -> None:
    parcel = shipment(pieces=PIECES, labelled=at(0))
    now = outlook(seen("collected", 10, piece="a"), of=parcel, as_of=at(20))
    assert told(now, "LABEL_NO_SCAN") == [("b", "at_risk", True), ("c", "at_risk", True)]


def test_a_stall_of_all_pieces_after_a_scan_of_the_shipment_is_one() -> None:
    parcel = shipment(pieces=PIECES)
    departed = seen("departed", 0)
    now = outlook(departed, of=parcel, as_of=at(50))
    assert told(now, "TRACKING_STALLED") == [("", "at_risk", True), ("", "breached", True)]
    own = [seen("departed", 0, piece=piece, source_id=piece) for piece in PIECES]
    now = outlook(*own, of=parcel, as_of=at(40))
    assert [each.piece for each in of(now, "TRACKING_STALLED")] == [*PIECES]


def test_a_promise_is_broken_for_each_piece() -> None:
    parcel = shipment(pieces=PIECES, promised=at(10))
    now = outlook(of=parcel, as_of=at(10))
    breached = [each.piece for each in of(now, "PROMISE_MISSED") if each.stage == "breached"]
    assert breached == [*PIECES]


def test_one_piece_has_the_findings_of_its_shipment_and_keeps_them_when_others_come() -> None:
    first = outlook(of=shipment(pieces=("a",), labelled=at(0)), as_of=at(20))
    more = outlook(of=shipment(pieces=PIECES, labelled=at(0)), as_of=at(20))
    none = outlook(of=shipment(labelled=at(0)), as_of=at(20))
    keys = {tuple(each.key for each in found.findings) for found in (first, more, none)}
    assert len(keys) == 1


def test_a_fact_from_the_future_about_the_only_piece_is_one_finding_before_and_after() -> None:
    parcel = shipment(pieces=("a",))
    ahead = seen("arrived", 10, piece="a", received=at(0), future=True)
    before, after = (outlook(ahead, of=parcel, as_of=at(hours)) for hours in (1, 11))
    keys = [[each.key for each in of(now, "scan_in_the_future")] for now in (before, after)]
    assert keys[0] == keys[1] == ["scan_in_the_future/a/feed/arrived@10/"]


class Counting(Detection):
    """Counts how often a checkpoint is asked whether it ends what another one opened."""

    asked = 0

    def _clears(self, checkpoint: Checkpoint, code: str) -> bool:
        self.asked += 1
        return super()._clears(checkpoint, code)


MANY = tuple(f"p{number}" for number in range(200))
FAILED = [seen("attempted", hour, opens="DELIVERY_FAILED") for hour in range(50)]


@pytest.mark.parametrize("pieces", [(), PIECES, MANY], ids=len)
def test_what_ends_a_finding_is_looked_up_once_for_a_code_and_all_pieces_that_saw_the_same(
    pieces: tuple[str, ...],
) -> None:
    counting = Counting(CATALOGUE)
    over = seen("delivered", 50)
    found = outlook(*FAILED, over, of=shipment(pieces=pieces), as_of=at(51), by=counting)
    of_event = of(found, "carrier_event")
    assert [(each.piece, each.ended_by) for each in of_event] == [("", over.source_id)] * 50
    assert counting.asked == 51


def test_the_work_for_pieces_grows_with_what_is_told_of_them_alone() -> None:
    own = [seen("arrived", hour, piece=f"p{hour}") for hour in range(3)]
    now = counted([*FAILED, *own], at(50))
    assert [len(each.seen) for each in tracks(MANY[3:], now)].count(len(FAILED) + 1) == len(own)
    assert sum(len(each.seen) for each in tracks(MANY, now)) == 50 + 3 * 51
    named = [piece for each in tracks(MANY, now) for piece in each.pieces]
    assert sorted(named) == sorted(MANY)


def test_a_piece_that_only_a_fact_ahead_names_is_one_of_those_that_saw_the_same() -> None:
    ahead = seen("arrived", 60, piece="z")
    now = outlook(seen("departed", 0), ahead, of=shipment(pieces=("a",)), as_of=at(40))
    assert now.pieces == {"a": "departed", "z": "departed"}
    assert told(now, "TRACKING_STALLED") == [("", "at_risk", True)]


def test_each_piece_that_saw_the_same_has_findings_of_its_own_when_another_has_none() -> None:
    moved = seen("arrived", 30, piece="b")
    now = outlook(seen("departed", 0), moved, of=shipment(pieces=PIECES), as_of=at(50))
    assert told(now, "TRACKING_STALLED") == [
        (piece, stage, True) for stage in ("at_risk", "breached") for piece in ("a", "c")
    ]
    assert list(now.pieces.items()) == [("a", "departed"), ("b", "arrived"), ("c", "departed")]
