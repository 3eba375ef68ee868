"""Events to stored bytes and back, by topic; old versions are upcast on read."""

from collections.abc import Callable, Iterator

import msgspec

from esm import events
from esm.events import Event, UnknownEvent

Upcaster = Callable[[bytes], tuple[str, bytes]]
"""Turns the payload of an old topic into (newer topic, its payload)."""


def _concrete(base: type[Event]) -> Iterator[type[Event]]:
    for cls in base.__subclasses__():
        yield cls
        yield from _concrete(cls)


TOPICS: dict[str, type[Event]] = {
    cls.TOPIC: cls for cls in _concrete(Event) if cls.__module__.startswith(events.__name__)
}
"""Every topic that may be written, and the struct that reads it."""

UPCASTERS: dict[str, Upcaster] = {}
"""Topics no longer written, each with the step to the next version (none released yet)."""

_DECODERS = {topic: msgspec.json.Decoder(cls) for topic, cls in TOPICS.items()}
_ENCODER = msgspec.json.Encoder(order="deterministic")


def encode(event: Event) -> bytes:
    """The bytes that are stored and hashed: JSON, fields as declared, defaults left out."""
    return _ENCODER.encode(event)


def decode(topic: str, payload: bytes) -> Event | UnknownEvent:
    """The event behind stored bytes; an unknown topic comes back as itself, unread.

    Raises :class:`msgspec.ValidationError` when bytes of a known topic do not fit it.
    """
    decoder = _DECODERS.get(topic)
    if decoder is not None:
        return decoder.decode(payload)
    upcast = UPCASTERS.get(topic)
    if upcast is not None:
        return decode(*upcast(payload))
    return UnknownEvent(topic, payload)
