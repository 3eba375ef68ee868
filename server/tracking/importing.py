"""From a feed's messages to the tracking facts that the API takes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import structs

from esm.times import Instant
from server.tracking.feeds import FEEDS
from server.tracking.reading import FeedProblem, Reading, Reply, reply

Fact = dict[str, Any]
"""A TrackingCheckpoint in the API's JSON form; unset fields are left out."""

UNKNOWN: Final = "unknown"
"""Status of a number that the feed knows nothing of."""

BATCH_FACTS_MAX: Final = 500
BATCH_BYTES_MAX: Final = 2_000_000
"""Half of what a request may have, so that what is not counted here fits as well."""

PLACE_CHARS_MAX: Final = 200
"""Places and names are cut there, as the API does not take longer ones."""

FACT_BYTES: Final = 200
"""Of a fact besides its texts, rather more than less."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")


def facts_of(
    feed: str,
    body: bytes,
    zone: ZoneInfo,
    *,
    asked: Instant,
    number: str = "",
    shipment_code: str = "",
) -> list[Fact]:
    """What a message of a feed tells, all of it, in occurred order.

    ``zone`` is that of times without one, ``asked`` when the feed was asked. ``number`` is that of
    the parcel, for messages that do not name it; ``shipment_code`` is our id of the one parcel that
    the message is about. A number that the feed does not know is a fact of status ``unknown`` at
    ``asked``; since a source id counts once, the first time that the feed says so is the one that
    stays. Raises :class:`FeedProblem` for a message that cannot be taken as a whole.
    """
    said = _named(FEEDS[feed](body, zone), number)
    _check(said, shipment_code)
    known = [_fact(feed, each, shipment_code) for each in said.readings]
    unknown = [_unknown(feed, each, shipment_code, asked) for each in said.unknown_numbers]
    return known + unknown


def batches(facts: Iterable[Fact]) -> Iterator[list[Fact]]:
    """The facts in their order, cut to what one request holds."""
    batch: list[Fact] = []
    size = 0
    for fact in facts:
        bytes_ = _bytes_of(fact)
        if batch and (len(batch) == BATCH_FACTS_MAX or size + bytes_ > BATCH_BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(fact)
        size += bytes_
    if batch:
        yield batch


def _bytes_of(fact: Fact) -> int:
    texts = [each for each in fact.values() if isinstance(each, str)]
    texts += fact.get("retracts", ())
    return FACT_BYTES + sum(len(text.encode()) for text in texts)


def _named(said: Reply, number: str) -> Reply:
    """The reply with the number filled in where the message names none.

    Source ids are made anew then, since the number stands in them.
    """
    if not number:
        return said
    named = {each.number for each in said.readings} | set(said.unknown_numbers)
    if others := named - {"", number}:
        raise FeedProblem("", f"is about {_some(others)}, not {number}")
    readings = [
        each if each.number else structs.replace(each, number=number, source_id="")
        for each in said.readings
    ]
    return reply(readings, [each or number for each in said.unknown_numbers])


def _check(said: Reply, shipment_code: str) -> None:
    named = {each.number for each in said.readings} | set(said.unknown_numbers)
    if "" in named and not shipment_code:
        raise FeedProblem("", "does not name its parcel; give the number that was asked for")
    if shipment_code and len(named) > 1:
        raise FeedProblem("", f"is about several parcels ({_some(named)}), not about one shipment")


def _some(numbers: Iterable[str]) -> str:
    found = sorted(filter(None, numbers))
    return ", ".join(found[:3]) + (" and others" if len(found) > 3 else "")


def _fact(feed: str, reading: Reading, shipment_code: str) -> Fact:
    return _set(
        feed=feed,
        source_id=reading.source_id,
        shipment_code=shipment_code,
        number=reading.number,
        carrier=reading.carrier,
        piece=_name(reading.piece),
        occurred_at=reading.occurred,
        raw_code=reading.raw_code,
        raw_text=reading.raw_text.replace("\0", " "),
        place=_place(reading.place),
        station=_place(reading.station),
        courier=_place(reading.courier),
        signer=_place(reading.signer),
        zone_assumed=not reading.zoned,
        retracts=list(reading.retracts),
    )


def _unknown(feed: str, number: str, shipment_code: str, asked: Instant) -> Fact:
    return _set(
        feed=feed,
        source_id=f"{UNKNOWN}/{number or shipment_code}",
        shipment_code=shipment_code,
        number=number,
        occurred_at=asked,
        status=UNKNOWN,
    )


def _set(**fields: str | bool | Sequence[str]) -> Fact:
    return {name: value for name, value in fields.items() if value}


def _name(word: str) -> str:
    """The name of a piece as the API takes it, which takes only what can be printed."""
    return "".join(each if each.isprintable() else " " for each in word).strip()


def _place(words: str) -> str:
    """Words for people as the API takes them: one line, and not too long."""
    return _CONTROL.sub(" ", words).strip()[:PLACE_CHARS_MAX]
