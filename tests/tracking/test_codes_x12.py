"""X12 214: every reason says its own, whichever status it comes with."""

from itertools import product
from typing import Final

import pytest

from esm.catalog import load
from esm.detection.normal import normalised

CATALOGUE = load()

REASONS: Final = {
    "A07": "REFUSED",
    "A09": "DAMAGED",
    "A1": "DELIVERY_FAILED",
    "A10": "DAMAGED",
    "A14": "RETURNING RETURNED",
    "A2": "ADDRESS_INCORRECT",
    "A3": "SIGNED_BY_OTHER",
    "A5": "UNDELIVERABLE ADDRESS_INCOMPLETE RECIPIENT_MOVED",
    "A6": "ADDRESS_INCORRECT ADDRESS_CHANGE",
    "AA": "MISROUTED",
    "AD": "DELIVERY_RESCHEDULED",
    "AE": "CARRIER_REJECTED PICKUP_REJECTED CUSTOMS_PROHIBITED",
    "AF": "OPERATIONAL_DELAY",
    "AG": "REFUSED",
    "AH": "OPERATIONAL_DELAY NO_ATTEMPT",
    "AI": "OPERATIONAL_DELAY",
    "AJ": "TRANSIT_DELAY",
    "AK": "DAMAGED SOILED",
    "AM": "SHIP_OVERDUE WRONG_ITEM MISSING_ITEM OVERAGE",
    "AO": "WEATHER_DELAY FORCE_MAJEURE",
    "AQ": "RECIPIENT_UNAVAILABLE",
    "AR": "CUSTOMS_DOCUMENTS",
    "AS": "CUSTOMS_DOCUMENTS",
    "AU": "FORCE_MAJEURE",
    "AV": "CARRIER_REJECTED PICKUP_REJECTED OUT_OF_SERVICE_AREA",
    "AY": "PICKUP_TIMEOUT LABEL_NO_SCAN",
    "B1": "ACCESS_RESTRICTED",
    "B4": "HELD_FOR_PAYMENT CUSTOMS_DUTIES",
    "B8": "ACCESS_RESTRICTED",
    "B9": "ACCESS_RESTRICTED",
    "BB": "SHIPMENT_CANCELLED",
    "BC": "CUSTOMS_DOCUMENTS",
    "BD": "CUSTOMS_DELAY",
    "BE": "OPERATIONAL_DELAY",
    "BF": "TRACKING_ANOMALY TRACKING_NOT_FOUND",
    "BG": "CARRIER_REPORTED",
    "BH": "TRANSIT_DELAY DISPATCH_TIMEOUT DELIVERY_TIMEOUT",
    "BK": "DELIVERY_RESCHEDULED",
    "BQ": "WEIGHT_DISPUTE",
    "C1": "",
    "C8": "HELD_FOR_PAYMENT",
    "C9": "HELD_FOR_PAYMENT",
    "CA": "CUSTOMS_DELAY CUSTOMS_INSPECTION",
}
"""Of each reason the code that it opens or is reviewed for, and those that its text may choose."""

OF_THE_PAIR: Final = {
    "AH/BG": "DELIVERY_FAILED",
    "AP/BG": "DELIVERY_FAILED",
    "AP/AH": "NO_ATTEMPT",
}
"""Where both together say more than the reason alone."""


PAIRS: Final = list(product(("X6", "X1", "AH", "AP", "SD"), REASONS))


def test_every_reason_of_the_catalogue_is_in_the_table() -> None:
    codes = CATALOGUE.sources["x12_214"].codes
    assert {raw.removeprefix("*/") for raw in codes if raw.startswith("*/")} == REASONS.keys()


@pytest.mark.parametrize(("status", "reason"), PAIRS)
def test_a_reason_that_says_more_than_its_status_decides(status: str, reason: str) -> None:
    found = CATALOGUE.meaning("x12_214", f"{status}/{reason}")
    assert found is not None
    said = " ".join(filter(None, (found.opens or found.candidate, *found.by_text)))
    assert said == OF_THE_PAIR.get(f"{status}/{reason}", REASONS[reason])


@pytest.mark.parametrize(("status", "reason"), PAIRS)
def test_only_the_status_says_delivered(status: str, reason: str) -> None:
    found = CATALOGUE.meaning("x12_214", f"{status}/{reason}")
    assert found is not None
    assert found.status not in ("delivered", "returned")


@pytest.mark.parametrize(
    ("raw_code", "opens", "candidate", "attempt"),
    [
        ("AH", "DELIVERY_FAILED", "", True),
        ("AH/NS", "DELIVERY_FAILED", "", True),
        ("AP/NS", "DELIVERY_FAILED", "", True),
        ("AH/AQ", "RECIPIENT_UNAVAILABLE", "", True),
        ("AH/A2", "ADDRESS_INCORRECT", "", True),
        ("AH/A5", "CARRIER_REPORTED", "UNDELIVERABLE", True),
        ("AP/A07", "REFUSED", "", True),
        ("AP/A2", "ADDRESS_INCORRECT", "", False),
        ("AP/AH", "NO_ATTEMPT", "", False),
        ("AP/CA", "CUSTOMS_DELAY", "", False),
        ("SD", "CARRIER_REPORTED", "TRANSIT_DELAY", False),
        ("SD/NS", "CARRIER_REPORTED", "TRANSIT_DELAY", False),
        ("SD/AO", "WEATHER_DELAY", "", False),
        ("SD/CA", "CUSTOMS_DELAY", "", False),
    ],
)
def test_an_attempt_is_one_where_somebody_was_at_the_door(
    raw_code: str, opens: str, candidate: str, attempt: bool
) -> None:
    found = normalised(CATALOGUE, "x12_214", raw_code)
    assert (found.opens, found.candidate, found.attempt) == (opens, candidate, attempt)
