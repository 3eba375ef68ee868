"""Parts of answers as they were serialised before, for as long as what they say is the same."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

KEPT_BYTES_MAX: Final = 32 * 1024 * 1024
"""What the parts of one :class:`Kept` may take, in bytes: some 6,000 cases that moved money."""

PART_BYTES: Final = 1_024
STATE_BYTES_A_BYTE: Final = 5
"""What is counted for a part besides its serialised bytes, and for each of those: the values of
the state that it holds on to. Measured; less while the writer holds the same state."""

Key = tuple[int, int]
"""The number of an aggregate (:attr:`uuid.UUID.int`), and which part of its message it is."""


class Part(NamedTuple):
    """Serialised fields of a message, and the values of the state that they were written from."""

    made_from: tuple[object, ...]
    serialised: bytes


class Kept:
    """Serialised parts of messages by a key of the caller's; used by one thread.

    Every part must be written with the same catalogue, and hold no personal text: a person who
    is erased has to be gone from the next answer on. When it is full the least recently used
    parts go first. ``bytes_held`` is what all of them are counted for.
    """

    def __init__(self, bytes_max: int = KEPT_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._parts: OrderedDict[Key, Part] = OrderedDict()
        self.bytes_held = 0

    def find(self, key: Key, made_from: tuple[object, ...]) -> bytes | None:
        """The part under the key if it was written from the same values."""
        part = self._parts.get(key)
        # Cheap: an event replaces few values, and a tuple takes the same object for equal unseen.
        if part is None or part.made_from != made_from:
            return None
        self._parts.move_to_end(key)
        return part.serialised

    def keep(self, key: Key, made_from: tuple[object, ...], serialised: bytes) -> None:
        """Keeps a part, and what it was written from, in place of the one before."""
        self._drop(self._parts.pop(key, None))
        part = self._parts[key] = Part(made_from, serialised)
        self.bytes_held += _size(part)
        while self.bytes_held > self._bytes_max:
            self._drop(self._parts.popitem(last=False)[1])

    def _drop(self, part: Part | None) -> None:
        if part is not None:
            self.bytes_held -= _size(part)


def _size(part: Part) -> int:
    return PART_BYTES + (1 + STATE_BYTES_A_BYTE) * len(part.serialised)
