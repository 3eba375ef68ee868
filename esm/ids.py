"""Identifiers that are computed, never drawn: the same facts always give the same id."""

from functools import lru_cache
from hashlib import sha1
from uuid import UUID, uuid5

NAMESPACE = UUID("5f2c9f64-6d7b-5c0e-9a51-0f3f3f1f7e10")
"""Root of every id below; changing it would orphan every stored event."""

IDS_CACHED = 16_384
"""Reading or making an id costs microseconds, and one command needs the same id three times."""

SEPARATOR = "\u241f"
"""Stands between the parts of a name; refused inside the parts (see ``esm.checks``)."""


@lru_cache(maxsize=IDS_CACHED)
def parsed(text: str) -> UUID:
    """The aggregate id behind its text. Raises ValueError."""
    return UUID(text)


def exception_id(tenant: str, subject_key: str, family: str, occurrence: int) -> UUID:
    """Id of the case of a family on a subject; ``occurrence`` counts from 1 (design §2)."""
    return _named(tenant, "exception", subject_key, family, str(occurrence))


def order_aggregate_id(tenant: str, order_id: str) -> UUID:
    """Id of the aggregate that holds the money side of an order."""
    return _named(tenant, "order", order_id)


def watch_aggregate_id(tenant: str, subject_key: str) -> UUID:
    """Id of the aggregate that holds which rules are muted for a subject."""
    return _named(tenant, "watch", subject_key)


def catalogue_aggregate_id(tenant: str, digest: str) -> UUID:
    """Id of the one-event aggregate that publishes a catalogue to a tenant's log."""
    return _named(tenant, "catalogue", digest)


def store_clock_id() -> UUID:
    """Id of the clock of a store; it is the store's, so no tenant is in it."""
    return _named("clock")


def event_id(aggregate_id: UUID, version: int) -> str:
    """Id of an event: ``uuid5(aggregate id, version)``, so anybody can recompute it.

    Written out, because an answer names many events and the library's own takes twice as long.
    """
    digest = bytearray(sha1(aggregate_id.bytes + b"%d" % version).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def action_id(exception: UUID, ordinal: int) -> str:
    """Id of the ``ordinal``-th action (from 1) of a case."""
    return f"A{ordinal}-{exception.hex[:12]}"


@lru_cache(maxsize=IDS_CACHED)
def _named(*parts: str) -> UUID:
    return uuid5(NAMESPACE, SEPARATOR.join(parts))
