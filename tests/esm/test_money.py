"""Money is whole minor units of a known currency, and is written with the right digits."""

import pytest

from esm.money import MINOR_UNITS_MAX, Money, format_minor, problem_of

CURRENCIES = {"CNY": 2, "JPY": 0, "KWD": 3}


@pytest.mark.parametrize(
    ("minor_units", "exponent", "text"),
    [
        (12430, 2, "124.30"),
        (5, 2, "0.05"),
        (0, 2, "0.00"),
        (-5, 2, "-0.05"),
        (-12430, 2, "-124.30"),
        (12430, 0, "12430"),
        (-7, 0, "-7"),
        (12430, 3, "12.430"),
    ],
)
def test_minor_units_are_written_as_a_decimal(minor_units: int, exponent: int, text: str) -> None:
    assert format_minor(minor_units, exponent) == text


def test_a_sound_amount_has_no_problem() -> None:
    money = Money("CNY", 12430)
    assert problem_of(money.currency, money.minor_units, CURRENCIES) is None
    assert problem_of("CNY", 0, CURRENCIES) is None
    assert problem_of("CNY", MINOR_UNITS_MAX, CURRENCIES) is None
    assert problem_of("CNY", -1, CURRENCIES, negative_allowed=True) is None


@pytest.mark.parametrize(
    ("currency", "minor_units", "words"),
    [
        ("XYZ", 1, "not an active ISO 4217"),
        ("cny", 1, "not an active ISO 4217"),
        (None, 1, "not an active ISO 4217"),
        ("CNY", 1.0, "whole number"),
        ("CNY", "1", "whole number"),
        ("CNY", True, "whole number"),
        ("CNY", -1, "must not be negative"),
        ("CNY", MINOR_UNITS_MAX + 1, "must not exceed"),
    ],
)
def test_a_bad_amount_is_told_what_is_allowed(
    currency: object, minor_units: object, words: str
) -> None:
    problem = problem_of(currency, minor_units, CURRENCIES)
    assert problem is not None
    assert words in problem


def test_a_large_negative_amount_is_refused_too() -> None:
    too_low = -MINOR_UNITS_MAX - 1
    assert problem_of("CNY", too_low, CURRENCIES, negative_allowed=True) is not None
