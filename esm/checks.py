"""Checks of requests: every finding is collected, then all are refused at once."""

import re
from collections.abc import Collection, Iterable
from typing import Final

from esm.catalog import Catalogue
from esm.errors import InvalidCommand, Violation
from esm.ids import SEPARATOR
from esm.money import Money, problem_of

IDENTIFIER_CHARS_MAX: Final = 128
TEXT_CHARS_MAX: Final = 4_000
WORD_CHARS_MAX: Final = 64
WORD: Final = re.compile(rf"[A-Za-z0-9_.:-]{{1,{WORD_CHARS_MAX}}}", re.ASCII)
ITEMS_MAX: Final = 200
"""Most lines, tenders, causes or evidence ids that one request may name."""


class Checks:
    """Collects violations; the paths are those of the request's fields."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: list[Violation] = []

    def refuse(self, field: str, description: str) -> None:
        """Note that a field is wrong, and what is allowed there."""
        self._found.append(Violation(field, description))

    def require(self, holds: object, field: str, description: str) -> None:
        """Refuse the field unless the condition holds."""
        if not holds:
            self.refuse(field, description)

    def identifier(self, field: str, value: str, *, required: bool = True) -> None:
        """An id of somebody's: printable, at most 128 characters, no control characters."""
        if not value:
            self.require(not required, field, "is required")
        elif len(value) > IDENTIFIER_CHARS_MAX:
            self.refuse(field, f"has {len(value)} characters, at most {IDENTIFIER_CHARS_MAX}")
        elif SEPARATOR in value or not value.isprintable() or value != value.strip():
            self.refuse(field, "must be printable, without surrounding spaces")

    def reference(self, field: str, value: str, *, required: bool = True) -> None:
        """An identifier of one word: it is stored in clear, so no sentence fits in."""
        self.identifier(field, value, required=required)
        if any(character.isspace() for character in value.strip()):
            self.refuse(field, "is one word without spaces; it is stored in clear")

    def references(self, field: str, values: Collection[str]) -> None:
        """A list of references, no more than one request may name."""
        self.few(field, values)
        for i, value in enumerate(values):
            self.reference(f"{field}[{i}]", value)

    def word(self, field: str, value: str) -> None:
        """The name of a thing in a program, such as ``house_number_missing``; required."""
        if not value:
            self.refuse(field, "is required")
        elif not WORD.fullmatch(value):
            self.refuse(field, f"is 1 to {WORD_CHARS_MAX} of A-Z, a-z, 0-9, '_', '.', ':' and '-'")

    def text(self, field: str, value: str, *, required: bool = True) -> None:
        """Free text for people, at most 4,000 characters."""
        if not value.strip():
            self.require(not required, field, "is required")
        elif len(value) > TEXT_CHARS_MAX:
            self.refuse(field, f"has {len(value)} characters, at most {TEXT_CHARS_MAX}")

    def one_of(self, field: str, value: str, allowed: Iterable[str]) -> bool:
        """One of a few words; True when it is."""
        choices = list(allowed)
        if value in choices:
            return True
        self.refuse(field, f"{value!r} is not one of: {', '.join(choices)}")
        return False

    def known(self, field: str, value: str, table: Collection[str], what: str) -> bool:
        """A name of a catalogue table; True when it is there."""
        if value in table:
            return True
        self.refuse(field, f"{value!r} is not {what} of the catalogue")
        return False

    def few(self, field: str, values: Collection[object]) -> None:
        """No more items than one request may name."""
        if len(values) > ITEMS_MAX:
            self.refuse(field, f"has {len(values)} items, at most {ITEMS_MAX}")

    def money(
        self,
        field: str,
        value: Money | None,
        catalogue: Catalogue,
        currency: str,
        *,
        required: bool = True,
        zero: bool = False,
    ) -> int:
        """An amount in the order's currency; gives its minor units, 0 when absent or wrong."""
        if value is None:
            self.require(not required, field, "is required")
            return 0
        problem = problem_of(value.currency, value.minor_units, catalogue.currencies)
        if problem is None and value.currency != currency:
            problem = f"is in {value.currency}, the order is in {currency}"
        if problem is None and not zero and value.minor_units == 0:
            problem = "must be more than zero"
        if problem is not None:
            self.refuse(field, problem)
            return 0
        return value.minor_units

    def done(self) -> None:
        """Raises :class:`InvalidCommand` with everything found, if anything was."""
        if self._found:
            raise InvalidCommand(self._found)
