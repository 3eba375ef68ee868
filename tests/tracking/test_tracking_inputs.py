"""What callers tell of shipments and checkpoints: what is taken, and what is refused and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from esm.catalog import load as loaded
from esm.errors import InvalidCommand
from esm.events import Subject
from esm.exception.intake import check_subject
from server.tracking.inputs import (
    CarrierNumber,
    Shipment,
    TrackingCheckpoint,
    checked,
    shipment_of,
)
from tests.conformance.tracking_store import HOUR, START
from tests.esm.given import deviation

AT = "2026-01-01T01:00:00.000000Z"

GOOD = TrackingCheckpoint(
    feed="track17",
    source_id="1",
    number="YT1",
    occurred_at=AT,
    raw_code="30",
    raw_text="快件已到达\n广州",
    place="广州　天河",
)
WATCHED = Shipment(
    order_id="O-1",
    shipment_code="P-1",
    numbers=(CarrierNumber(number="YT1", carrier="yuantong"),),
    pieces=("a",),
    promised_at=AT,
)


def fields_of(refused: pytest.ExceptionInfo[InvalidCommand]) -> list[str]:
    return [violation.field for violation in refused.value.violations]


def test_a_checkpoint_keeps_its_moment_and_gets_its_feed_before_its_source_id() -> None:
    assert checked(GOOD) == (START + HOUR, "track17/1", ())
    retracting = checked(replace(GOOD, retracts=("7", "8/9")))
    assert retracting.retracts == ("track17/7", "track17/8/9")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": ""}, "shipment_code"),
        ({"occurred_at": ""}, "occurred_at"),
        ({"occurred_at": "1999-12-31T23:59:59.999999Z"}, "occurred_at"),
        ({"feed": ""}, "feed"),
        ({"feed": "track/17"}, "feed"),
        ({"feed": "f" * 65}, "feed"),
        ({"source_id": ""}, "source_id"),
        ({"status": "flying"}, "status"),
        ({"number": "9" * 129}, "number"),
        ({"shipment_code": "P" * 129}, "shipment_code"),
        ({"shipment_code": "P-1 "}, "shipment_code"),
        ({"piece": " a "}, "piece"),
        ({"piece": "a　b"}, "piece"),
        ({"piece": "p" * 129}, "piece"),
        ({"place": "x" * 501}, "place"),
        ({"courier": "x\x00"}, "courier"),
        ({"signer": "\ud800"}, "signer"),
        ({"raw_code": "a\nb"}, "raw_code"),
        ({"raw_text": "x" * 4_001}, "raw_text"),
        ({"raw_text": "a\x00"}, "raw_text"),
        ({"raw_text": "\udfff"}, "raw_text"),
        ({"retracts": ("",)}, "retracts[0]"),
        ({"retracts": ("x",) * 201}, "retracts"),
    ],
)
def test_a_checkpoint_that_cannot_be_right_is_refused_by_field(
    change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidCommand) as refused:
        checked(replace(GOOD, **change))
    assert fields_of(refused) == [field]


def test_all_that_is_wrong_with_a_checkpoint_is_said_at_once() -> None:
    with pytest.raises(InvalidCommand) as refused:
        checked(TrackingCheckpoint())
    assert fields_of(refused) == ["feed", "source_id", "shipment_code", "occurred_at"]


@pytest.mark.parametrize(
    "change",
    [
        {"number": "", "shipment_code": "P-1"},
        {"number": "9" * 128},
        {"place": "x" * 500},
        {"raw_text": "x" * 4_000},
        {"status": "delivered"},
        {"occurred_at": "2000-01-01T00:00:00.000000Z"},
        {"occurred_at": "2999-01-01T00:00:00.000000Z"},
        {"retracts": ("x",) * 200},
    ],
)
def test_a_checkpoint_at_a_limit_is_taken(change: dict[str, Any]) -> None:
    assert checked(replace(GOOD, **change)).source_id == "track17/1"


WORDS = st.text(
    st.sampled_from("ab \u241f\x1f\t\u00a0\u3000\u200b\ud800件") | st.characters(), max_size=6
)


@given(WORDS, WORDS, WORDS)
@example("O", "P", " a ")
@example("O", "P\u3000", "a\u3000b")
@example("O ", "P", "a" * 128)
def test_what_is_taken_of_a_parcel_a_case_can_be_about(
    order_id: str, shipment_code: str, piece: str
) -> None:
    shipment = replace(WATCHED, order_id=order_id, shipment_code=shipment_code)
    numbered = CarrierNumber(number="YT1", piece=piece)
    told: list[tuple[Callable[[], object], Subject]] = [
        (
            lambda: checked(replace(GOOD, shipment_code=shipment_code, piece=piece)),
            Subject(order_id="O-1", shipment_code=shipment_code or "P-1", piece=piece),
        ),
        (
            lambda: shipment_of(replace(shipment, pieces=(piece,)), START),
            Subject(order_id=order_id, shipment_code=shipment_code, piece=piece),
        ),
        (
            lambda: shipment_of(replace(shipment, numbers=(numbered,)), START),
            Subject(order_id=order_id, shipment_code=shipment_code, piece=piece),
        ),
    ]
    stalled = loaded().types["TRACKING_STALLED"]
    for telling, subject in told:
        try:
            telling()
        except InvalidCommand:
            continue
        check_subject(deviation("TRACKING_STALLED", "1", subject=subject), stalled)


def test_a_shipment_is_kept_as_it_is_told() -> None:
    found = shipment_of(WATCHED, START)
    assert (found.order_id, found.shipment_code, found.pieces) == ("O-1", "P-1", ("a",))
    assert (found.promised, found.labelled, found.registered) == (START + HOUR, 0, START)
    (number,) = found.numbers
    assert (number.number, number.carrier, number.leg, number.since) == ("YT1", "yuantong", 0, 0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"order_id": ""}, "order_id"),
        ({"shipment_code": " P"}, "shipment_code"),
        ({"service": "x" * 129}, "service"),
        ({"lane": "cn_us"}, "lane"),
        ({"lane": "CN-*"}, "lane"),
        ({"lane": "CN-US\n"}, "lane"),
        ({"pieces": ("a\n",)}, "pieces[0]"),
        ({"pieces": tuple(f"p{i}" for i in range(201))}, "pieces"),
        ({"numbers": (CarrierNumber(),)}, "numbers[0].number"),
        ({"numbers": (CarrierNumber(number="1", leg=21),)}, "numbers[0].leg"),
        ({"numbers": (CarrierNumber(number="1", leg=-1),)}, "numbers[0].leg"),
        ({"numbers": (CarrierNumber(number="1", since="1999-01-01"),)}, "numbers[0].since"),
        ({"numbers": tuple(CarrierNumber(number=str(i)) for i in range(201))}, "numbers"),
        ({"labelled_at": "1999-12-31T23:59:59.999999Z"}, "labelled_at"),
    ],
)
def test_a_shipment_that_cannot_be_right_is_refused_by_field(
    change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidCommand) as refused:
        shipment_of(replace(WATCHED, **change), START)
    assert fields_of(refused) == [field]
