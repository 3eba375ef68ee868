"""Reads 17TRACK: answers and pushes of its API, versions 1 and 2, and the answer of its page.

Source: the pages gettrackinfo, Webhook and Error Codes of api.17track.net/en/doc, versions v1 and
v2.2 of 2025, and a real answer of its page (``dat``) of 2017. Version 2 is not yet seen against a
real message.

Version 2 has providers with events: the code is ``sub_status``; where the newest has none, that of
``latest_status`` is a checkpoint of its own at the same time. Times have a zone
unless 17TRACK could not tell it; then ``time_raw`` is read, without one.

Version 1 and the page have two lists of the same journey, ``z1`` of the post of origin and ``z2``
of that of destination, each in its language, and times without a zone. When both tell one event of
a minute, that is one event: texts of origin and destination joined, the place of the one that names
a spot, not only a country. Where one of them tells several of a minute nothing says which is which,
and each stands alone. ``z0`` repeats the newest and is read where neither list has its
minute. The state of the number is a checkpoint of its own at the time of the newest, in the words
of version 2.

Either post may be the first to tell an event, and the other joins at a later poll. So the source id
of the only event that a list has of a minute is made of number and time alone, whether one list
tells it or both, and what was told first stays. Where a list has several of a minute their content
tells them apart. The limit: when a list adds a second event to a minute at a later poll, the first
changes from one kind of id to the other and is taken once more, and one that the other list tells
only then is taken for that first one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import structs

from server.tracking.feeds.safely import items, mapping, moment, read_json, required, text
from server.tracking.newest import with_state
from server.tracking.reading import FeedProblem, Reading, Reply, identified, reply

FORMATS: Final = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")
BETWEEN_LANGUAGES: Final = " / "

STATES: Final[Mapping[str, str]] = {
    "0": "NotFound_Other",
    "10": "InTransit_Other",
    "20": "Expired_Other",
    "30": "AvailableForPickup_Other",
    "35": "DeliveryFailure_Other",
    "40": "Delivered_Other",
    "50": "Exception_Other",
}
"""Sub-status of version 2 by the package state ``e`` of version 1."""

UNKNOWN: Final = frozenset({"-18019902", "-18019903", "-18019909", "-18019910"})
"""Not registered, carrier not told by the number or wrong, nothing to tell: of one number each."""

ADVICE: Final[Mapping[str, str]] = {
    "-18010001": "our address is not on its list; add it in its settings",
    "-18010002": "the key is wrong; check it",
    "-18010003": "it had a fault of its own; ask again later",
    "-18010004": "the account is disabled; talk to 17TRACK",
    "-18010005": "the account may not do this; check its rights",
    "-18010013": "it does not take what was sent; compare it with its documentation",
    "-18010014": "too many numbers were asked at once; ask in parts of 40",
    "-18019907": "the limit of the day is reached; ask again tomorrow",
    "-18019908": "the quota is used up; buy more",
}


def read(body: bytes, zone: ZoneInfo) -> Reply:
    """The checkpoints of all numbers of a message.

    A number of which nothing is found, or that is refused as one that 17TRACK cannot follow, is an
    unknown one; any other refusal is a problem of the whole message. Raises FeedProblem.
    """
    message = mapping(read_json(body), "")
    parcels, unknown = _parcels(message)
    readings: list[Reading] = []
    for where, value in parcels:
        parcel = mapping(value, where)
        name = "no" if "no" in parcel else "number"
        number = required(parcel.get(name), f"{where}.{name}")
        found, known = _told(parcel, number, where, zone, pushed="event" in message)
        readings += found
        if not known:
            unknown.append(number)
    return reply(readings, unknown)


def _told(
    parcel: Mapping[str, Any], number: str, where: str, zone: ZoneInfo, *, pushed: bool
) -> tuple[list[Reading], bool]:
    """The checkpoints of one number, and whether 17TRACK knows it."""
    if parcel.get("track_info") is not None:
        here = f"{where}.track_info"
        info = mapping(parcel["track_info"], here)
        state = _latest(info, here)
        found = with_state(_of_providers(info, number, here, zone), state)
        return found, bool(found) or not state.startswith("NotFound")
    if parcel.get("track") is not None:
        here = f"{where}.track"
        track = mapping(parcel["track"], here)
        state = STATES.get(text(track.get("e"), f"{here}.e"), "")
        found = with_state(_of_lists(track, number, here, zone), state)
        return found, bool(found) or state != STATES["0"]
    # A push that it has stopped tells nothing else; "delay" says that the carrier is still asked.
    waits = text(parcel.get("delay"), f"{where}.delay") not in ("", "0")
    return [], pushed or waits


def _parcels(message: Mapping[str, Any]) -> tuple[Sequence[tuple[str, Any]], list[str]]:
    """What is told of each number and where, and the numbers that are refused."""
    if "event" in message:
        return [("data", message.get("data"))], []
    if "dat" in message or "ret" in message:
        code = required(message.get("ret"), "ret")
        if code != "1":
            raise FeedProblem("ret", f"17TRACK answers {code}: ask again later, and less often")
        found = items(message.get("dat"), "dat")
        return [(f"dat[{at}]", value) for at, value in enumerate(found)], []
    code = required(message.get("code"), "code")
    told = message.get("data")
    data = mapping({} if told is None else told, "data")
    errors = items(data.get("errors"), "data.errors")
    if errors:
        code = text(mapping(errors[0], "data.errors[0]").get("code"), "data.errors[0].code")
    if code != "0" or errors:
        _refuse("code", code)
    unknown = [
        _rejected(value, f"data.rejected[{at}]")
        for at, value in enumerate(items(data.get("rejected"), "data.rejected"))
    ]
    accepted = items(data.get("accepted"), "data.accepted")
    return [(f"data.accepted[{at}]", value) for at, value in enumerate(accepted)], unknown


def _rejected(value: Any, where: str) -> str:
    rejected = mapping(value, where)
    error = mapping(rejected.get("error"), f"{where}.error")
    code = text(error.get("code"), f"{where}.error.code")
    if code not in UNKNOWN:
        _refuse(where, code)
    return required(rejected.get("number"), f"{where}.number")


def _refuse(where: str, code: str) -> None:
    advice = ADVICE.get(code, "look the code up among its error codes")
    raise FeedProblem(where, f"17TRACK answers {code or 'no code'}: {advice}")


def _latest(info: Mapping[str, Any], where: str) -> str:
    told = info.get("latest_status")
    status = mapping({} if told is None else told, f"{where}.latest_status")
    return text(status.get("sub_status"), f"{where}.latest_status.sub_status")


def _of_providers(
    info: Mapping[str, Any], number: str, where: str, zone: ZoneInfo
) -> Iterator[Reading]:
    told = info.get("tracking")
    tracking = mapping({} if told is None else told, f"{where}.tracking")
    for n, value in enumerate(items(tracking.get("providers"), f"{where}.tracking.providers")):
        here = f"{where}.tracking.providers[{n}]"
        entry = mapping(value, here)
        told = entry.get("provider")
        provider = mapping({} if told is None else told, f"{here}.provider")
        carrier = text(provider.get("name"), f"{here}.provider.name")
        for m, row in enumerate(items(entry.get("events"), f"{here}.events")):
            event = f"{here}.events[{m}]"
            yield _of_event(mapping(row, event), number, carrier, event, zone)


def _of_event(
    row: Mapping[str, Any], number: str, carrier: str, where: str, zone: ZoneInfo
) -> Reading:
    written = next((key for key in ("time_utc", "time_iso") if row.get(key)), "time_raw")
    if written == "time_raw":
        raw = mapping(row.get(written), f"{where}.{written}")
        parts = [text(raw.get(key), f"{where}.{written}.{key}") for key in ("date", "time")]
        time = " ".join(filter(None, parts))
    else:
        time = required(row.get(written), f"{where}.{written}")
    occurred, zoned = moment(time, f"{where}.{written}", zone, *FORMATS)
    return Reading(
        number=number,
        occurred=occurred,
        zoned=zoned,
        carrier=carrier,
        raw_code=text(row.get("sub_status"), f"{where}.sub_status"),
        raw_text=text(row.get("description"), f"{where}.description"),
        place=text(row.get("location"), f"{where}.location"),
    )


def _of_lists(
    track: Mapping[str, Any], number: str, where: str, zone: ZoneInfo
) -> Iterator[Reading]:
    """The rows of both lists, what both tell of one minute merged; the newest if in neither."""
    lists = [
        _by_minute(track, number, where, zone, rows=rows, carrier=carrier)
        for rows, carrier in (("z1", "w1"), ("z2", "w2"))
    ]
    origin, destination = lists
    for minute in origin.keys() | destination.keys():
        ours, theirs = origin[minute], destination[minute]
        if len(ours) == len(theirs) == 1:
            yield from _named([_merged(ours[0], theirs[0])])
        else:
            yield from chain(_named(ours), _named(theirs))
    if track.get("z0") is not None:
        last = _of_row(mapping(track["z0"], f"{where}.z0"), number, "", f"{where}.z0", zone)
        if not origin[last.occurred] and not destination[last.occurred]:
            yield from _named([last])


def _named(minute: list[Reading]) -> list[Reading]:
    """What a list tells of a minute; one that is alone gets a source id of number and time."""
    if len(minute) != 1:
        return minute
    only = minute[0]
    bare = Reading(number=only.number, occurred=only.occurred, zoned=only.zoned)
    return [structs.replace(only, source_id=identified([bare])[0].source_id)]


def _by_minute(
    track: Mapping[str, Any], number: str, where: str, zone: ZoneInfo, *, rows: str, carrier: str
) -> defaultdict[str, list[Reading]]:
    who = text(track.get(carrier), f"{where}.{carrier}")
    found: defaultdict[str, list[Reading]] = defaultdict(list)
    for at, value in enumerate(items(track.get(rows), f"{where}.{rows}")):
        here = f"{where}.{rows}[{at}]"
        row = _of_row(mapping(value, here), number, "" if who == "0" else who, here, zone)
        found[row.occurred].append(row)
    return found


def _of_row(
    row: Mapping[str, Any], number: str, carrier: str, where: str, zone: ZoneInfo
) -> Reading:
    """A row of version 1: time ``a``, country or city ``c``, spot ``d``, text ``z``."""
    time = required(row.get("a"), f"{where}.a")
    occurred, zoned = moment(time, f"{where}.a", zone, *FORMATS)
    spot = text(row.get("d"), f"{where}.d")
    return Reading(
        number=number,
        occurred=occurred,
        zoned=zoned,
        carrier=carrier,
        raw_text=text(row.get("z"), f"{where}.z"),
        place=text(row.get("c"), f"{where}.c") or spot,
        station=spot,
    )


def _merged(origin: Reading, destination: Reading) -> Reading:
    spot = origin if origin.station or not destination.station else destination
    texts = [each.raw_text for each in (origin, destination) if each.raw_text]
    return structs.replace(
        origin,
        raw_text=BETWEEN_LANGUAGES.join(dict.fromkeys(texts)),
        place=spot.place,
        station=spot.station,
    )
