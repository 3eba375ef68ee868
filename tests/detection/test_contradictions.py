"""Checkpoints that are a deviation by themselves, or contradict what was seen before."""

import pytest

from esm.detection.contradictions import are_apart
from tests.detection.given import at, of_rule, outlook, seen, shipment, stages, standing


def test_a_checkpoint_that_opens_a_case_is_found_at_once() -> None:
    failed = seen("attempted", 5, opens="RECIPIENT_UNAVAILABLE", attempt=True)
    (found,) = outlook(failed, as_of=at(5)).findings
    assert (found.rule, found.code, found.stage) == ("carrier_event", "RECIPIENT_UNAVAILABLE", "")
    assert (found.at, found.anchor, found.evidence) == (
        at(5), failed.source_id, (failed.source_id,)
    )  # fmt: skip


def test_a_delivery_ends_what_failed_before_and_not_what_is_broken() -> None:
    track = [
        seen("attempted", 1, opens="REFUSED"),
        seen("problem", 2, opens="DAMAGED"),
        seen("delivered", 9),
    ]
    now = outlook(*track, as_of=at(9))
    ends = {each.code: (each.ended, each.ended_by) for each in now.findings}
    assert ends == {"REFUSED": (at(9), "feed/delivered@9"), "DAMAGED": (0, "")}


def test_a_raw_code_ends_families_and_codes_that_it_names() -> None:
    failed = seen("attempted", 1, opens="DELIVERY_FAILED")
    damaged = seen("problem", 2, opens="DAMAGED")
    again = seen("information", 3, clears=("delivery", "DAMAGED"))
    now = outlook(failed, damaged, again, as_of=at(3))
    assert [each.ended for each in now.findings] == [at(3), at(3)]
    before = outlook(again, seen("attempted", 4, opens="DELIVERY_FAILED"), as_of=at(5))
    assert [each.ended for each in before.findings] == [0]


def test_three_attempts_exhaust_them_and_one_that_was_none_does_not_count() -> None:
    tries = [seen("attempted", hour, attempt=True) for hour in (0, 24)]
    denied = seen("attempted", 30, opens="NO_ATTEMPT", attempt=False)
    assert of_rule(outlook(*tries, denied, as_of=at(40)), "ATTEMPTS_EXHAUSTED") == []
    third, fourth = seen("attempted", 48, attempt=True), seen("attempted", 72, attempt=True)
    now = outlook(*tries, denied, third, fourth, as_of=at(80))
    (found,) = of_rule(now, "ATTEMPTS_EXHAUSTED")
    assert (found.anchor, found.at) == (third.source_id, at(48))
    assert found.evidence == tuple(each.source_id for each in (*tries, third))


def test_a_parcel_that_moves_after_its_delivery_contradicts_it() -> None:
    now = outlook(seen("delivered", 1), seen("out_for_delivery", 2), as_of=at(3))
    (found,) = now.findings
    assert (found.rule, found.code) == ("scan_after_delivery", "TRACKING_ANOMALY")
    assert found.evidence == ("feed/delivered@1", "feed/out_for_delivery@2")
    assert now.status == "delivered"


@pytest.mark.parametrize("status", ["returning", "returned", "information", "problem"])
def test_a_return_a_remark_or_a_complaint_after_the_delivery_contradicts_nothing(
    status: str,
) -> None:
    later = seen(status, 2)  # type: ignore[arg-type]  # a name
    assert of_rule(outlook(seen("delivered", 1), later, as_of=at(3)), "scan_after_delivery") == []


def test_scans_of_a_return_do_not_contradict_the_delivery_before_it() -> None:
    track = [seen("delivered", 1), seen("returning", 2), seen("in_transit", 3), seen("returned", 4)]
    now = outlook(*track, as_of=at(5))
    assert (now.findings, now.status) == ((), "returned")


def test_a_time_in_the_future_is_wrong_since_it_was_told() -> None:
    strange = seen("arrived", 50, received=at(2), future=True)
    assert outlook(strange, as_of=at(1)).due == at(2)
    now = outlook(strange, as_of=at(2))
    (found,) = now.findings
    assert (found.rule, found.at) == ("scan_in_the_future", at(2))
    assert (now.status, now.due) == ("registered", at(50))
    assert standing(outlook(strange, as_of=at(51))) == {found.key}


def test_delivered_elsewhere_is_found_where_a_destination_is_told() -> None:
    parcel = shipment(destination="Hangzhou")
    wrong, right = seen("delivered", 1, place="SHENZHEN"), seen("delivered", 1, place="HANGZHOU CN")
    (found,) = outlook(wrong, of=parcel, as_of=at(1)).findings
    assert (found.rule, found.anchor) == ("scan_elsewhere", wrong.source_id)
    assert outlook(right, of=parcel, as_of=at(1)).findings == ()
    assert outlook(wrong, as_of=at(1)).findings == ()
    passing = seen("arrived", 1, place="Shenzhen")
    assert outlook(passing, of=parcel, as_of=at(1)).findings == ()


@pytest.mark.parametrize(
    ("place", "other", "apart"),
    [
        ("São Paulo", "SAO PAULO / SP", False),
        ("Springfield, IL 62704", "springfield il", False),
        ("Springfield, IL 62704", "Springfield, IL 62701", False),
        ("杭州市余杭区", "浙江杭州", False),
        ("杭州市", "深圳市", True),
        ("杭州", "Hangzhou", False),
        ("Berlin", "Hamburg", True),
        ("", "Hamburg", False),
        ("--", "Hamburg", False),
        ("10115", "20095", True),
    ],
)
def test_places_are_apart_only_when_their_words_surely_say_so(
    place: str, other: str, apart: bool
) -> None:
    assert are_apart(place, other) is are_apart(other, place) is apart


def test_an_event_that_names_no_piece_is_one_of_the_whole_shipment() -> None:
    parcel = shipment(pieces=("a", "b"))
    failed = seen("attempted", 1, opens="REFUSED")
    now = outlook(failed, seen("delivered", 2, piece="a"), of=parcel, as_of=at(3))
    (found,) = of_rule(now, "carrier_event")
    assert (found.piece, found.ended) == ("", 0)
    later = outlook(
        failed, seen("delivered", 2, piece="a"), seen("delivered", 4, piece="b"),
        of=parcel, as_of=at(5),
    )  # fmt: skip
    (found,) = of_rule(later, "carrier_event")
    assert (found.piece, found.ended) == ("", at(4))
    assert stages(later, "SHORT_DELIVERY", "b") == []


def test_an_event_of_a_piece_is_one_of_that_piece() -> None:
    failed = seen("problem", 1, opens="DAMAGED", piece="b")
    (found,) = outlook(failed, of=shipment(pieces=("a", "b")), as_of=at(2)).findings
    assert found.piece == "b"
