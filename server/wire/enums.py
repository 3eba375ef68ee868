"""Enum numbers of the API and the lower-case words that the domain has for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from google.protobuf.descriptor import EnumDescriptor


class Words(NamedTuple):
    """An enum both ways; 0 (unspecified) is the empty word."""

    number_of: Mapping[str, int]
    word_of: Mapping[int, str]


def words(enum: EnumDescriptor) -> Words:
    """The table of an enum: STATE_ESCALATED of enum State is "escalated"."""
    prefix = f"{_upper_snake(enum.name)}_"
    word_of = {
        value.number: value.name.removeprefix(prefix).lower() if value.number else ""
        for value in enum.values
    }
    return Words({word: number for number, word in word_of.items()}, word_of)


def _upper_snake(camel: str) -> str:
    return "".join(f"_{c}" if c.isupper() and i else c.upper() for i, c in enumerate(camel))
