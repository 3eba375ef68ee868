"""ANSI X12 transaction set 214, Transportation Carrier Shipment Status Message.

Not yet seen against a real message. Source: segment B10 (stedi.com/edi/x12-007060/segment/B10), AT7
(edi.thebitsilo.com/214/400AT7.htm), elements 1650 (stedi.com/edi/x12-004030/element/1650) and 623
(stedi.com/edi/x12-003050/element/623), read November 2026. Not checked against a page: the time
codes of Alaska, Hawaii, Newfoundland and the Atlantic, and the qualifiers 08 and 2I.

``number`` is the carrier's reference (B10-01, else B10-06), else the shipper's number (B10-02);
``carrier`` is the SCAC (B10-03); ``piece`` is the package id or tracking number that an L11
(qualifier 08 or 2I) gives inside the loop of LX or CD3. ``raw_code`` is "status/reason"
(AT7-01/AT7-02), or the status alone; of an appointment AT7-03/AT7-04. The date of an appointment or
an estimate lies ahead: what occurred is that it was announced, at the time of the group (GS04,
GS05). A date without time is taken at the start of that day. ``raw_text`` is AT7 and MS2 as
written, with * between elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from esm.times import Instant
from server.tracking.feeds.safely import check_size, moment
from server.tracking.reading import FeedProblem, Reading, Reply, reply

ISA_WIDTHS: Final = (3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
"""Characters of the elements of ISA, the only segment whose elements have fixed widths."""

ISA_CHARS: Final = sum(ISA_WIDTHS) + len(ISA_WIDTHS) - 1

SEGMENTS_MAX: Final = 400_000
"""More than fit into the largest message when they hold something."""

PIECE: Final = frozenset({"2I", "08"})
"""Qualifiers (element 128) of a reference that names one package of several."""

ANNOUNCED: Final = frozenset({"AG", "B6", "C1", "X2", "AA", "AB"})
"""Status codes (element 1650) whose date is an estimate, or an appointment put among them."""

DATE: Final = re.compile(r"[0-9]{8}")
TIME: Final = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})?([0-9]{1,2})?")

LOCAL: Final = frozenset({"", "LT"})
"""Time codes (element 623) that name no zone."""

ZONES: Final = {
    "ET": ZoneInfo("America/New_York"),
    "CT": ZoneInfo("America/Chicago"),
    "MT": ZoneInfo("America/Denver"),
    "PT": ZoneInfo("America/Los_Angeles"),
    "AT": ZoneInfo("America/Anchorage"),
    "HT": ZoneInfo("Pacific/Honolulu"),
    "NT": ZoneInfo("America/St_Johns"),
    "TT": ZoneInfo("America/Halifax"),
}
"""Time codes (element 623) that mean standard or daylight time, whichever holds."""

OFFSETS: Final = {
    **dict.fromkeys(("UT", "GM"), "+00:00"),
    **dict.fromkeys(("ND",), "-02:30"),
    **dict.fromkeys(("TD",), "-03:00"),
    **dict.fromkeys(("NS",), "-03:30"),
    **dict.fromkeys(("TS", "ED"), "-04:00"),
    **dict.fromkeys(("ES", "CD"), "-05:00"),
    **dict.fromkeys(("CS", "MD"), "-06:00"),
    **dict.fromkeys(("MS", "PD"), "-07:00"),
    **dict.fromkeys(("PS", "AD"), "-08:00"),
    **dict.fromkeys(("AS", "HD"), "-09:00"),
    **dict.fromkeys(("HS",), "-10:00"),
    **{f"{hours:02}": f"+{hours:02}:00" for hours in range(1, 13)},
    **{f"{25 - hours:02}": f"-{hours:02}:00" for hours in range(1, 13)},
}
"""Time codes (element 623) of a fixed offset from UTC; 01 to 12 lie east, 13 to 24 west of it."""


class Segment(NamedTuple):
    """A segment: its place in the message, counted from 1, and its elements with its name."""

    at: int
    elements: Sequence[str]

    @property
    def name(self) -> str:
        return self.elements[0]

    @property
    def where(self) -> str:
        return f"segment {self.at} ({self.name[:3]})"

    def element(self, position: int) -> str:
        """An element by its number in the standard, "" where the segment ends before it."""
        return self.elements[position].strip() if position < len(self.elements) else ""


def read(body: bytes, zone: ZoneInfo) -> Reply:
    """Readings of every AT7 of all 214 sets; the counts and control numbers must be right."""
    check_size(body)
    try:
        message = body.decode().removeprefix("\ufeff").lstrip()
    except UnicodeDecodeError:
        raise FeedProblem("", "is not text in UTF-8") from None
    if "\0" in message:
        raise FeedProblem("", "holds a character that no text can hold")
    if not message:
        raise FeedProblem("", "is empty")
    segments: list[Segment] = []
    readings: list[Reading] = []
    for segment in _segments(message):
        segments.append(segment)
        if segment.name == "IEA":
            readings += _interchange(segments, zone)
            segments = []
    if segments:
        raise FeedProblem(segments[-1].where, "is the last: IEA is missing, the message is cut off")
    return reply(readings)


def _segments(message: str) -> Iterator[Segment]:
    """All segments of all interchanges, each split by the delimiters of its own ISA."""
    at = start = 0
    separator = terminator = ""
    while start < len(message):
        at += 1
        if at > SEGMENTS_MAX:
            raise FeedProblem("", f"has more than {SEGMENTS_MAX} segments")
        if not terminator:
            separator, terminator = _delimiters(message[start : start + ISA_CHARS + 1], at)
        end = message.find(terminator, start)
        if end < 0:
            raise FeedProblem(f"segment {at}", "has no end: the message is cut off")
        segment = Segment(at, message[start:end].strip().split(separator))
        yield segment
        if segment.name == "IEA":
            terminator = ""
        start = end + 1
        while start < len(message) and message[start].isspace() and message[start] != terminator:
            start += 1


def _delimiters(isa: str, at: int) -> tuple[str, str]:
    """Element separator and segment terminator, which ISA shows by standing at fixed places."""
    where = f"segment {at}"
    if not isa.startswith("ISA") or len(isa) <= ISA_CHARS:
        raise FeedProblem(where, "is not an ISA of X12")
    separator, component, terminator = isa[3], isa[ISA_CHARS - 1], isa[ISA_CHARS]
    if tuple(map(len, isa[:ISA_CHARS].split(separator))) != ISA_WIDTHS:
        raise FeedProblem(where, "is an ISA whose elements do not have their widths")
    used = {separator, component, terminator}
    if len(used) != 3 or any(each.isalnum() or each == " " for each in used):
        raise FeedProblem(where, "is an ISA whose delimiters cannot be told from data")
    return separator, terminator


def _interchange(segments: Sequence[Segment], zone: ZoneInfo) -> Iterator[Reading]:
    isa, iea = segments[0], segments[-1]
    groups = list(_enclosed(segments[1:-1], "GS", "GE"))
    _check(iea, 1, len(groups), "groups")
    _same(iea, 2, isa, 13)
    for group in groups:
        gs, ge = group[0], group[-1]
        sets = list(_enclosed(group[1:-1], "ST", "SE"))
        _check(ge, 1, len(sets), "transaction sets")
        _same(ge, 2, gs, 6)
        for each in sets:
            _check(each[-1], 1, len(each), "segments")
            _same(each[-1], 2, each[0], 2)
            if each[0].element(1) != "214":
                raise FeedProblem(each[0].where, "begins another set than 214")
            yield from _set(each[1:-1], gs, zone)


def _enclosed(segments: Sequence[Segment], first: str, last: str) -> Iterator[Sequence[Segment]]:
    """The runs from a header to its trailer; nothing may stand between them."""
    begin = -1
    for at, segment in enumerate(segments):
        if begin < 0 and segment.name != first:
            raise FeedProblem(segment.where, f"stands where {first} must")
        if begin < 0:
            begin = at
        elif segment.name == last:
            yield segments[begin : at + 1]
            begin = -1
    if begin >= 0:
        raise FeedProblem(segments[begin].where, f"has no {last}: the message is cut off")


def _check(trailer: Segment, position: int, count: int, things: str) -> None:
    told = trailer.element(position)
    if not (told.isascii() and told.isdecimal() and int(told[:12]) == count):
        raise FeedProblem(trailer.where, f"tells {told[:12]!r} {things}, there are {count}")


def _same(trailer: Segment, position: int, header: Segment, header_position: int) -> None:
    if trailer.element(position) != header.element(header_position):
        raise FeedProblem(trailer.where, f"has another control number than {header.where}")


def _set(segments: Sequence[Segment], gs: Segment, zone: ZoneInfo) -> Iterator[Reading]:
    if not segments or segments[0].name != "B10":
        raise FeedProblem(gs.where, "has a 214 that does not begin with B10")
    b10 = segments[0]
    number = b10.element(1) or b10.element(6) or b10.element(2)
    if not number:
        raise FeedProblem(b10.where, "names no shipment")
    for piece, status in _statuses(segments[1:]):
        yield _reading(status, gs, zone, number=number, carrier=b10.element(3), piece=piece)


def _statuses(segments: Sequence[Segment]) -> Iterator[tuple[str, dict[str, Segment]]]:
    """Each AT7 with its MS1 and MS2, and the piece that its loop names, be it after the AT7."""
    loop: list[dict[str, Segment]] = []
    piece = ""
    for segment in segments:
        if segment.name in {"LX", "CD3"}:
            yield from ((piece, status) for status in loop)
            loop, piece = [], ""
        elif segment.name == "AT7":
            loop.append({"AT7": segment})
        elif segment.name in {"MS1", "MS2"} and loop:
            loop[-1][segment.name] = segment
        elif segment.name == "L11" and segment.element(2) in PIECE:
            piece = segment.element(1)
    yield from ((piece, status) for status in loop)


def _reading(
    status: dict[str, Segment],
    gs: Segment,
    zone: ZoneInfo,
    *,
    number: str,
    carrier: str,
    piece: str,
) -> Reading:
    at7, ms1 = status["AT7"], status.get("MS1")
    code, reason = at7.element(1), at7.element(2)
    ahead = code in ANNOUNCED
    if not code:
        code, reason, ahead = at7.element(3), at7.element(4), True
    if not code:
        raise FeedProblem(at7.where, "has neither a status nor an appointment")
    occurred, zoned = _when(gs, 4, "LT", zone) if ahead else _when(at7, 5, at7.element(7), zone)
    place = (ms1.element(1), ms1.element(2), ms1.element(3)) if ms1 else ()
    shown = (status[name] for name in ("AT7", "MS2") if name in status)
    return Reading(
        number=number,
        occurred=occurred,
        zoned=zoned,
        carrier=carrier,
        raw_code=f"{code}/{reason}" if reason else code,
        raw_text=" ".join("*".join(segment.elements) for segment in shown),
        place=", ".join(filter(None, place)),
        piece=piece,
    )


def _when(segment: Segment, position: int, code: str, zone: ZoneInfo) -> tuple[Instant, bool]:
    """The instant of a date (CCYYMMDD) and the time (HHMM, seconds, hundredths) after it."""
    date, time = segment.element(position), segment.element(position + 1) or "0000"
    found = TIME.fullmatch(time)
    if not DATE.fullmatch(date) or not found:
        raise FeedProblem(segment.where, f"{date[:10]!r} {time[:10]!r} is not a date and a time")
    hour, minute, second, part = found.groups("00")
    written = f"{date[:4]}-{date[4:6]}-{date[6:]}T{hour}:{minute}:{second}.{part:0<3}"
    if code in LOCAL:
        return moment(written, segment.where, zone)
    if code in ZONES:
        return moment(written, segment.where, ZONES[code])[0], True
    if code in OFFSETS:
        return moment(written + OFFSETS[code], segment.where, zone)
    raise FeedProblem(segment.where, f"{code[:10]!r} is not a time code")
