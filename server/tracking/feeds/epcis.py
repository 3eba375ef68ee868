"""GS1 EPCIS 2.0 documents, query documents and bare events in JSON or JSON-LD.

Source: EPCIS 2.0 and CBV 2.0 (GS1, June 2022; ref.gs1.org/standards/epcis and /cbv). Every EPC of
an event gives a reading: epcList, parentID, childEPCs, and what a transformation takes in and puts
out. Classes and quantities, sensors and persistentDisposition are passed over.

``raw_code`` is "bizStep/disposition" in the short names of CBV, either side empty where it is not
said; words of other vocabularies stay, with ":" for slashes. A copy of an event with an
errorDeclaration is no checkpoint of its own: its reading has the code ``errorDeclaration``, the
time of the declaration and retracts the readings of that event. An event without eventID is told by
its content, as EPCIS does it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

from esm.times import Instant
from server.tracking.feeds.safely import items, mapping, moment, read_json, required, text, word
from server.tracking.reading import SOURCE_ID_CHARS, FeedProblem, Reading, Reply, reply

DECLARED_WRONG: Final = "errorDeclaration"

EPC_LISTS: Final = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")

CBV_WORD: Final = re.compile(
    r"(?:urn:epcglobal:cbv:(?:bizstep|disp|er):"
    r"|(?:https?://ref\.gs1\.org/cbv/|cbv:)(?:BizStep|Disp|ER)-)"
    r"([A-Za-z_]+)"
)
"""A word of CBV as URN, as GS1 web URI or as its short form; group 1 is the bare word."""

SLASHES: Final = re.compile(r":?/+")
"""What is written as ":" in a word of another vocabulary: "https:example.com:step:foo"."""

_Event = Mapping[str, Any]


def read(body: bytes, zone: ZoneInfo) -> Reply:
    """Readings of all events of an EPCIS message."""
    root = mapping(read_json(body), "")
    kind = text(root.get("type"), "type")
    if kind.startswith("epcisException:"):
        what = "correct the query or the rights of the user who asks"
        raise FeedProblem("type", f"the EPCIS server refuses with {kind[:80]}: {what}")
    events, where = _events(root, kind)
    return reply(
        reading
        for at, event in enumerate(events)
        for reading in _readings(mapping(event, f"{where}[{at}]"), f"{where}[{at}]", zone)
    )


def _events(root: _Event, kind: str) -> tuple[Sequence[Any], str]:
    if kind == "EPCISDocument":
        where = "epcisBody"
        holder = mapping(root.get(where), where)
    elif kind == "EPCISQueryDocument":
        where = "epcisBody.queryResults.resultsBody"
        holder = root
        for name in where.split("."):
            holder = mapping(holder.get(name), where)
    elif kind.endswith("Event"):
        return [root], "event"
    else:
        raise FeedProblem("type", f"is {kind[:40]!r}, neither an EPCIS document nor an event")
    return items(holder.get("eventList"), f"{where}.eventList"), f"{where}.eventList"


def _readings(event: _Event, where: str, zone: ZoneInfo) -> list[Reading]:
    """One reading for each EPC of an event, or of the declaration that the event is wrong."""
    epcs = _epcs(event, where)
    occurred, zoned = _when(event, event, "eventTime", where, zone)
    kind = required(event.get("type"), f"{where}.type")
    raw_text = f"{kind} {text(event.get('action'), f'{where}.action')}".strip()
    raw_code = _code(event, where)
    station, place = (_location(event, name, where) for name in ("readPoint", "bizLocation"))
    identity = word(event.get("eventID"), f"{where}.eventID") or _content(
        occurred, raw_text, raw_code, station, place, *sorted(epcs)
    )
    declaration = event.get(DECLARED_WRONG)
    if declaration is not None:
        path = f"{where}.{DECLARED_WRONG}"
        declared = mapping(declaration, path)
        occurred, zoned = _when(declared, event, "declarationTime", path, zone)
        raw_text, raw_code = _reason(declared, path), DECLARED_WRONG
    wrong = f" {DECLARED_WRONG} {occurred}"
    return [
        Reading(
            number=epc,
            occurred=occurred,
            zoned=zoned,
            source_id=f"{identity} {epc}" + (wrong if declaration is not None else ""),
            raw_code=raw_code,
            raw_text=raw_text,
            place=place,
            station=station,
            retracts=(f"{identity} {epc}",) if declaration is not None else (),
        )
        for epc in epcs
    ]


def _epcs(event: _Event, where: str) -> list[str]:
    """Every EPC of an event once."""
    parent = text(event.get("parentID"), f"{where}.parentID")
    found = [parent] if parent else []
    for name in EPC_LISTS:
        for at, epc in enumerate(items(event.get(name), f"{where}.{name}")):
            found.append(required(epc, f"{where}.{name}[{at}]"))
    return list(dict.fromkeys(found))


def _when(
    holder: _Event, event: _Event, name: str, where: str, zone: ZoneInfo
) -> tuple[Instant, bool]:
    """The time of a field; without a zone of its own it has the offset of the event."""
    path = f"{where}.{name}"
    written = required(holder.get(name), path)
    at, zoned = moment(written, path, zone)
    offset = text(event.get("eventTimeZoneOffset"), f"{where}.eventTimeZoneOffset")
    return (at, zoned) if zoned or not offset else moment(written + offset, path, zone)


def _code(event: _Event, where: str) -> str:
    step, disposition = (
        _word(text(event.get(name), f"{where}.{name}")) for name in ("bizStep", "disposition")
    )
    return f"{step}/{disposition}" if step or disposition else ""


def _reason(declared: _Event, where: str) -> str:
    """Why an event is wrong, and the ids of the events that tell it right."""
    reason = _word(text(declared.get("reason"), f"{where}.reason"))
    path = f"{where}.correctiveEventIDs"
    ids = items(declared.get("correctiveEventIDs"), path)
    return " ".join(filter(None, (reason, *(text(each, path) for each in ids))))


def _word(value: str) -> str:
    """A word without a slash, which stands between the two words of a code."""
    found = CBV_WORD.fullmatch(value)
    return found[1] if found else SLASHES.sub(":", value)


def _location(event: _Event, name: str, where: str) -> str:
    path = f"{where}.{name}"
    value = event.get(name)
    return "" if value is None else text(mapping(value, path).get("id"), f"{path}.id")


def _content(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode()).hexdigest()[:SOURCE_ID_CHARS]
