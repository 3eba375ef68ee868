"""The base of catalogue structs, and the words that several of them use."""

from typing import Literal, dataclass_transform

import msgspec

Status = Literal[
    "registered",
    "collected",
    "in_transit",
    "arrived",
    "departed",
    "customs",
    "customs_released",
    "out_for_delivery",
    "awaiting_collection",
    "attempted",
    "delivered",
    "returning",
    "returned",
    "problem",
    "cancelled",
    "information",
    "unknown",
]
"""Where a parcel stands by a checkpoint. ``problem``: something went wrong, wherever it is;
``information``: a remark that moves nothing; ``unknown``: the feed knows nothing of the parcel."""


# Type checkers do not see what subclasses inherit from these options, so they are told.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything that a catalogue file says; an unknown key is an error."""


class Title(Data):
    """What people read, in Chinese and in English."""

    zh: str
    en: str
