"""Amounts as people type them become whole minor units, exactly or not at all."""

import pytest

from esm import catalog
from server.cli.money import MoneyRefused, shown_money, typed_money

CATALOGUE = catalog.load()


@pytest.mark.parametrize(
    ("text", "currency", "units"),
    [
        ("12.30", "USD", 1230),
        ("12.3", "USD", 1230),
        ("12", "USD", 1200),
        ("0.01", "EUR", 1),
        ("500", "JPY", 500),
        ("500.00", "JPY", 500),
        ("1.005", "KWD", 1005),
        ("999999999999.99", "CNY", 99999999999999),
    ],
)
def test_an_amount_is_converted_exactly(text: str, currency: str, units: int) -> None:
    wanted = {"currency": currency, "minor_units": units}
    assert typed_money(text, currency, CATALOGUE) == wanted
    assert typed_money(f"{text} {currency.lower()}", "GBP", CATALOGUE) == wanted


@pytest.mark.parametrize(
    ("text", "currency", "said"),
    [
        ("12.305", "USD", "no whole number of USD minor units"),
        ("0.5", "JPY", "no whole number of JPY minor units"),
        ("-3", "USD", "no amount"),
        ("1,200.00", "USD", "no amount"),
        ("1e3", "USD", "no amount"),
        ("", "USD", "no amount"),
        ("12", "", "needs a currency"),
        ("12", "XAU", "not a currency"),
    ],
)
def test_what_is_no_exact_amount_is_refused(text: str, currency: str, said: str) -> None:
    with pytest.raises(MoneyRefused, match=said):
        typed_money(text, currency, CATALOGUE)


def test_an_amount_of_an_answer_is_shown_with_its_digits() -> None:
    assert shown_money({"currency": "USD", "minor_units": "-5"}, CATALOGUE) == "-0.05 USD"
    assert shown_money({"currency": "JPY"}, CATALOGUE) == "0 JPY"
    assert shown_money({"currency": "???", "minor_units": "7"}, CATALOGUE) == "7 minor units ???"
    assert shown_money(None, CATALOGUE) == ""
