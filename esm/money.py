"""Money: whole minor units of one currency, and how they are written for people."""

from collections.abc import Collection

import msgspec

MINOR_UNITS_MAX = 10**15
"""The largest amount of a single field; sums of thousands of them still fit 64 bits."""


class Money(msgspec.Struct, frozen=True, gc=False):
    """An amount in whole minor units (cents, fen) of an ISO 4217 currency.

    It only holds; which currencies there are, and how many digits they have, the catalogue
    knows.
    """

    currency: str
    minor_units: int


def problem_of(
    currency: object,
    minor_units: object,
    currencies: Collection[str],
    *,
    negative_allowed: bool = False,
) -> str | None:
    """What is wrong with an amount, as a sentence that names what is allowed; None when sound."""
    if not isinstance(currency, str) or currency not in currencies:
        return f"{currency!r} is not an active ISO 4217 currency code with a minor unit"
    # bool is an int to Python, but True is no amount.
    if not isinstance(minor_units, int) or isinstance(minor_units, bool):
        return "an amount is a whole number of minor units"
    if minor_units < 0 and not negative_allowed:
        return "an amount must not be negative"
    if abs(minor_units) > MINOR_UNITS_MAX:
        return f"an amount must not exceed {MINOR_UNITS_MAX} minor units"
    return None


def format_minor(minor_units: int, exponent: int) -> str:
    """Minor units as a decimal with ``exponent`` digits after the point: 12430, 2 -> "124.30"."""
    sign = "-" if minor_units < 0 else ""
    if exponent == 0:
        return f"{sign}{abs(minor_units)}"
    whole, rest = divmod(abs(minor_units), 10**exponent)
    return f"{sign}{whole}.{rest:0{exponent}d}"
