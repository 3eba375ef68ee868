"""Amounts as people type and read them, converted exactly by the catalogue's exponents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from esm.catalog import Catalogue, NotInCatalogue
from esm.money import format_minor

_TYPED: Final = re.compile(r"(?P<whole>\d{1,15})(?:\.(?P<part>\d+))?(?:\s*(?P<unit>[A-Za-z]{3}))?")


class MoneyRefused(ValueError):
    """A text that is no exact amount of a currency."""


def typed_money(text: str, currency: str, catalogue: Catalogue) -> dict[str, Any]:
    """``12.30``, or ``12.30 USD``, as the API's Money. Raises :class:`MoneyRefused`."""
    found = _TYPED.fullmatch(text.strip())
    if found is None:
        raise MoneyRefused(f"{text!r} is no amount; write it as 12.30 or 12.30 USD")
    unit = (found["unit"] or currency).upper()
    if not unit:
        raise MoneyRefused(f"{text!r} needs a currency: write {text} USD, or give --currency")
    try:
        exponent = catalogue.exponent(unit)
    except NotInCatalogue:
        raise MoneyRefused(f"{unit!r} is not a currency of the catalogue") from None
    part = (found["part"] or "").rstrip("0")
    if len(part) > exponent:
        raise MoneyRefused(f"{text!r} is no whole number of {unit} minor units ({exponent} digits)")
    return {"currency": unit, "minor_units": int(found["whole"] + part.ljust(exponent, "0"))}


def shown_money(money: Mapping[str, Any] | None, catalogue: Catalogue) -> str:
    """Money of an answer as ``12.30 USD``; "" when it is not set."""
    if not money or not money.get("currency"):
        return ""
    units, currency = int(money.get("minor_units", 0)), money["currency"]
    try:
        return f"{format_minor(units, catalogue.exponent(currency))} {currency}"
    except NotInCatalogue:
        return f"{units} minor units {currency}"
