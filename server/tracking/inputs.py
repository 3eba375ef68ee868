"""What callers tell of shipments and checkpoints, and what of it is taken.

Field names equal those of the API's messages. "" means not given; instants are RFC 3339 strings.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, get_args

from esm.catalog import Status
from esm.catalog.rules import LANE
from esm.checks import IDENTIFIER_CHARS_MAX, WORD, Checks
from esm.commands import Input
from esm.detection import model
from esm.ids import SEPARATOR
from esm.times import Instant, micros
from server.tracking.reading import TEXT_CHARS_MAX, WORD_CHARS_MAX
from server.tracking.store import PARTS_MAX

FUTURE_MICROS_MAX: Final = 300_000_000
"""How far a checkpoint may lie ahead of a wall clock before it is flagged: five minutes."""

ZONE_AHEAD_MICROS_MAX: Final = 50_400_000_000
"""How far a time whose zone was assumed may lie ahead for that reason alone: 14 hours, as far as
any zone is ahead of UTC (Pacific/Kiritimati in the tz database)."""

OCCURRED_MIN: Final = "2000-01-01T00:00:00.000000Z"
"""No parcel was scanned before; an earlier time is a mistake."""

LEG_MAX: Final = 20

STATUSES: Final = frozenset(get_args(Status))

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_NO_TEXT: Final = re.compile(r"[\x00\ud800-\udfff]")

_PRINTED: Final = "must not hold control characters or halves of characters"


class CarrierNumber(Input):
    """A carrier's number of a shipment; leg 0 and no ``since`` mean not given."""

    number: str = ""
    carrier: str = ""
    piece: str = ""
    leg: int = 0
    since: Instant = ""


class Shipment(Input):
    """A shipment to watch, or what more is known of it."""

    order_id: str = ""
    shipment_code: str = ""
    numbers: tuple[CarrierNumber, ...] = ()
    pieces: tuple[str, ...] = ()
    carrier: str = ""
    service: str = ""
    lane: str = ""
    destination: str = ""
    untracked: bool = False
    labelled_at: Instant = ""
    handed_over_at: Instant = ""
    promised_at: Instant = ""


class TrackingCheckpoint(Input):
    """A tracking fact. ``raw_text``, ``station``, ``courier`` and ``signer`` are personal."""

    feed: str = ""
    source_id: str = ""
    shipment_code: str = ""
    number: str = ""
    carrier: str = ""
    piece: str = ""
    occurred_at: Instant = ""
    raw_code: str = ""
    status: str = ""
    raw_text: str = ""
    place: str = ""
    station: str = ""
    courier: str = ""
    signer: str = ""
    zone_assumed: bool = False
    retracts: tuple[str, ...] = ()


class Checked(NamedTuple):
    """What of a checkpoint is not as it was told.

    ``occurred`` is in microseconds UTC, the source ids are those that the tenant knows.
    """

    occurred: int
    source_id: str
    retracts: tuple[str, ...]


def shipment_of(item: Shipment, registered: int) -> model.Shipment:
    """The shipment as it is kept. Raises :class:`InvalidCommand`.

    ``registered`` is the moment from which it is watched, in microseconds UTC.
    """
    checks = Checks()
    checks.identifier("order_id", item.order_id)
    checks.identifier("shipment_code", item.shipment_code)
    for name in ("carrier", "service", "destination"):
        _check_word(checks, name, getattr(item, name), IDENTIFIER_CHARS_MAX)
    if item.lane and not LANE.fullmatch(item.lane):
        checks.refuse("lane", 'is two countries as two capital letters each, such as "CN-US"')
    _check_few(checks, "pieces", len(item.pieces))
    for i, piece in enumerate(item.pieces[:PARTS_MAX]):
        checks.identifier(f"pieces[{i}]", piece)
    _check_few(checks, "numbers", len(item.numbers))
    numbers = tuple(
        _number(checks, f"numbers[{i}]", each) for i, each in enumerate(item.numbers[:PARTS_MAX])
    )
    labelled, handed_over, promised = (
        _moment(checks, name, getattr(item, name))
        for name in ("labelled_at", "handed_over_at", "promised_at")
    )
    checks.done()
    return model.Shipment(
        order_id=item.order_id,
        shipment_code=item.shipment_code,
        carrier=item.carrier,
        service=item.service,
        lane=item.lane,
        destination=item.destination,
        untracked=item.untracked,
        registered=registered,
        labelled=labelled,
        handed_over=handed_over,
        promised=promised,
        numbers=numbers,
        pieces=item.pieces,
    )


def _number(checks: Checks, path: str, item: CarrierNumber) -> model.Number:
    if not item.number:
        checks.refuse(f"{path}.number", "is required")
    _check_word(checks, f"{path}.number", item.number, IDENTIFIER_CHARS_MAX)
    _check_word(checks, f"{path}.carrier", item.carrier, IDENTIFIER_CHARS_MAX)
    checks.identifier(f"{path}.piece", item.piece, required=False)
    if not 0 <= item.leg <= LEG_MAX:
        checks.refuse(f"{path}.leg", f"is 1 to {LEG_MAX}")
    return model.Number(
        number=item.number,
        carrier=item.carrier,
        piece=item.piece,
        leg=item.leg,
        since=_moment(checks, f"{path}.since", item.since),
    )


def checked(item: TrackingCheckpoint) -> Checked:
    """What of the checkpoint must be worked out. Raises :class:`InvalidCommand`."""
    words = (
        *(item.feed, item.source_id, item.shipment_code, item.number, item.carrier, item.piece),
        *(item.raw_code, item.place, item.station, item.courier, item.signer),
    )
    joined = "".join(words)
    sound = (
        len(joined) <= IDENTIFIER_CHARS_MAX  # so no word is too long, and most are as short
        or max(map(len, words)) <= IDENTIFIER_CHARS_MAX
    )
    if not (
        sound
        and item.feed
        and item.source_id
        and (item.number or item.shipment_code)
        and item.occurred_at >= OCCURRED_MIN
        and (not item.status or item.status in STATUSES)
        and (joined.isprintable() or not _CONTROL.search(joined))
        and (item.shipment_code + item.piece).isprintable()
        and SEPARATOR not in item.shipment_code + item.piece
        and item.shipment_code == item.shipment_code.strip()
        and item.piece == item.piece.strip()
        and len(item.raw_text) <= TEXT_CHARS_MAX
        and (item.raw_text.isprintable() or not _NO_TEXT.search(item.raw_text))
        and not item.retracts
        and WORD.fullmatch(item.feed)
    ):
        _refuse(item)
    return Checked(
        occurred=micros(item.occurred_at),
        source_id=f"{item.feed}/{item.source_id}",
        retracts=tuple([f"{item.feed}/{each}" for each in item.retracts]),
    )


def _refuse(item: TrackingCheckpoint) -> None:
    """Say all that is wrong with a checkpoint, if anything is; the fast check is the stricter."""
    checks = Checks()
    checks.word("feed", item.feed)
    if not item.source_id:
        checks.refuse("source_id", "is required")
    if not (item.number or item.shipment_code):
        checks.refuse("shipment_code", "is required, unless a number is given")
    for name in _IDENTIFIERS:
        checks.identifier(name, getattr(item, name), required=False)
    for name in _NAMES:
        _check_word(checks, name, getattr(item, name), IDENTIFIER_CHARS_MAX)
    for name in _WORDS:
        _check_word(checks, name, getattr(item, name))
    if len(item.retracts) > PARTS_MAX:
        checks.refuse("retracts", f"has {len(item.retracts)} items, at most {PARTS_MAX}")
    for i, each in enumerate(item.retracts[:PARTS_MAX]):
        if not each:
            checks.refuse(f"retracts[{i}]", "is required")
        _check_word(checks, f"retracts[{i}]", each)
    if not item.occurred_at:
        checks.refuse("occurred_at", "is required")
    else:
        _moment(checks, "occurred_at", item.occurred_at)
    if item.status and item.status not in STATUSES:
        checks.one_of("status", item.status[:WORD_CHARS_MAX], sorted(STATUSES))
    if len(item.raw_text) > TEXT_CHARS_MAX:
        checks.refuse("raw_text", f"has more than {TEXT_CHARS_MAX} characters")
    elif _NO_TEXT.search(item.raw_text):
        checks.refuse("raw_text", "must not hold the character NUL or halves of characters")
    checks.done()


_IDENTIFIERS: Final = ("shipment_code", "piece")
"""What names the subject of a case, which takes nothing else."""

_NAMES: Final = ("number", "carrier")
_WORDS: Final = ("source_id", "raw_code", "place", "station", "courier", "signer")


def _check_word(checks: Checks, path: str, value: str, most: int = WORD_CHARS_MAX) -> None:
    if len(value) > most:
        checks.refuse(path, f"has {len(value)} characters, at most {most}")
    elif _CONTROL.search(value):
        checks.refuse(path, _PRINTED)


def _check_few(checks: Checks, path: str, count: int) -> None:
    if count > PARTS_MAX:
        checks.refuse(path, f"has {count} items, at most {PARTS_MAX}")


def _moment(checks: Checks, path: str, value: Instant) -> int:
    if not value:
        return 0
    if value < OCCURRED_MIN:
        checks.refuse(path, f"is at least {OCCURRED_MIN[:10]}")
        return 0
    return micros(value)
