"""Rows of history files: read, timed, given a key of their own, sorted."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from math import isfinite
from pathlib import Path
from typing import Any, Final, NamedTuple, TextIO
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from server.backfill.mapping import MOMENT, Mapping, TimeValue

NAMESPACE = UUID("0c7a1f3e-52f1-5d0a-8f5c-3d1f6a9be2c4")
"""Root of the ids of rows and requests; changing it would send every history twice."""

SEPARATOR = "\u241f"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNITS = {"unix": timedelta(seconds=1), "unix_ms": timedelta(milliseconds=1)}


class BadRow(NamedTuple):
    """A row that says nothing usable, and why. Line 0 is the file itself."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row at one moment (microseconds UTC): the columns that the mapping names.

    ``key`` is the same wherever the row stands; ``content`` a digest of all its columns. ``zoned``
    is False when the time named no zone and that of the mapping was taken.
    """

    file: str
    line: int
    at: int
    sequence: int
    key: UUID
    content: bytes
    fields: dict[str, str]
    zoned: bool = True


class _Raw(NamedTuple):
    line: int
    fields: dict[str, str]


def read(paths: Iterable[Path], mapping: Mapping) -> tuple[list[Row], list[BadRow]]:
    """The rows of all files by time, then sequence, then file and line; and the bad ones.

    A row that stands in the files twice is taken once. A file without any row is bad.
    """
    rows: list[Row] = []
    bad: list[BadRow] = []
    seen: dict[UUID, Row] = {}
    for path in paths:
        if not mapping.takes(path):
            continue
        for raw in _raw_rows(path, mapping):
            found = raw if isinstance(raw, BadRow) else _rows(str(path), raw, mapping)
            if isinstance(found, BadRow):
                bad.append(found)
                continue
            for row in found:
                first = seen.setdefault(row.key, row)
                if first is row:
                    rows.append(row)
                elif first.content != row.content:
                    reason = f"another row with this key stands in {first.file} line {first.line}"
                    bad.append(BadRow(row.file, row.line, reason))
    rows.sort(key=lambda row: (row.at, row.sequence))  # stable: files and lines decide the rest
    return rows, bad


def moment_of(text: str, column: TimeValue) -> int:
    """Microseconds UTC of a time as the column writes it. Raises ValueError."""
    return _read_time(text, column)[0]


def _read_time(text: str, column: TimeValue) -> tuple[int, bool]:
    """The time, and whether it named its zone."""
    zone = ZoneInfo(column.zone)
    if column.format in _UNITS:
        moment = _EPOCH + int(text) * _UNITS[column.format]
    elif column.format == "iso":
        moment = datetime.fromisoformat(text)
    else:
        moment = datetime.strptime(text, column.format)  # noqa: DTZ007 - the zone comes below
    zoned = moment.tzinfo is not None
    if not zoned:
        local = moment
        moment = local.replace(tzinfo=zone)
        if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
            raise ValueError(f"there is no such time in {column.zone}")
    if column.end_of_day:
        day = moment.astimezone(zone).date() + timedelta(days=1)
        moment = datetime.combine(day, time.min, zone).astimezone(UTC) - _MICROSECOND
    return (moment - _EPOCH) // _MICROSECOND, zoned


def _rows(file: str, raw: _Raw, mapping: Mapping) -> list[Row] | BadRow:
    """The moments of one row, or why it is bad."""
    fields, found = raw.fields, []
    try:
        sequence = int(fields.get(mapping.sequence, "0")) if mapping.sequence else 0
    except ValueError:
        reason = f"column {mapping.sequence!r}: not a whole number"
        return BadRow(file, raw.line, reason)
    moments = _moments(fields, mapping)
    if isinstance(moments, str):
        return BadRow(file, raw.line, moments)
    text = SEPARATOR.join(f"{name}={fields[name]}" for name in sorted(fields))
    names = mapping.columns()
    for moment, (at, zoned) in moments.items():
        parts = [fields.get(name, "") for name in mapping.key] or [text]
        kept = {name: fields[name] for name in names if name in fields} | {MOMENT: moment}
        found.append(
            Row(
                file=file,
                line=raw.line,
                at=at,
                sequence=sequence,
                key=uuid5(NAMESPACE, SEPARATOR.join((mapping.name, *parts, moment))),
                content=hashlib.sha256(text.encode()).digest(),
                fields=kept,
                zoned=zoned,
            )
        )
    return found


def _moments(fields: dict[str, str], mapping: Mapping) -> dict[str, tuple[int, bool]] | str:
    """When each moment of a row was, and whether that had a zone; else what is wrong with it."""
    moments: dict[str, tuple[int, bool]] = {}
    optional = all(column.optional for column in mapping.time)
    for column in mapping.time:
        text = fields.get(column.column, "")
        if not text or column.moment in moments:
            continue
        try:
            moments[column.moment] = _read_time(text, column)
        except (ValueError, OverflowError) as error:
            return f"column {column.column!r}: {text!r} is no time ({error})"
    return moments if moments or optional else "no time column is filled"


def _raw_rows(path: Path, mapping: Mapping) -> Iterator[_Raw | BadRow]:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        yield BadRow(str(path), 0, f"is not one of {', '.join(_READERS)}")
        return
    row = None
    try:
        # Bytes that are no UTF-8 make their row bad and leave the rest of the file alone.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            for row in reader(str(path), file, mapping):
                yield row if isinstance(row, BadRow) else _clean(str(path), row)
    except OSError as error:
        yield BadRow(str(path), 0, error.strerror or str(error))
    else:
        if row is None:
            yield BadRow(str(path), 0, "has no rows")


def _clean(file: str, row: _Raw) -> _Raw | BadRow:
    for name, text in row.fields.items():
        if not text.isascii() and any("\udc80" <= letter <= "\udcff" for letter in text):
            return BadRow(file, row.line, f"column {name!r}: not UTF-8")
    return _Raw(row.line, {name: text.strip() for name, text in row.fields.items()})


def _csv(file: str, lines: TextIO, mapping: Mapping) -> Iterator[_Raw | BadRow]:
    reader = csv.reader(lines, delimiter=mapping.delimiter, strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield BadRow(file, line, str(error))
            continue
        if cells is None:
            return
        if header is None:
            header = [name.strip() for name in cells]
            missing = sorted(mapping.columns() - set(header))
            if missing:
                yield BadRow(file, line, f"the header has no column {', '.join(missing)}")
                return
        elif len(cells) == len(header):
            yield _Raw(line, dict(zip(header, cells, strict=True)))
        elif cells:
            yield BadRow(file, line, f"{len(cells)} values under {len(header)} names")


def _json_lines(file: str, lines: TextIO, mapping: Mapping) -> Iterator[_Raw | BadRow]:
    wanted = sorted(mapping.columns())
    for line, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            # Numbers stay as they were written: an id is no number, and money no fraction.
            content = json.loads(text, parse_float=_number, parse_int=str)
        except (ValueError, RecursionError) as error:
            yield BadRow(file, line, f"no JSON: {error}")
            continue
        if not isinstance(content, dict):
            yield BadRow(file, line, "no JSON object")
            continue
        odd = next((name for name in wanted if type(content.get(name)) in _NO_COLUMN), None)
        if odd is not None:
            kind = _NO_COLUMN[type(content[odd])]
            yield BadRow(file, line, f"column {odd!r}: {kind} is no value of a column")
            continue
        yield _Raw(line, {name: _text(value) for name, value in content.items()})


def _number(text: str) -> Any:
    """A number as it was written; what is none, as JSON reads it, stays a float."""
    number: Any = json.loads(text)
    return text if isfinite(number) else number


_NO_COLUMN: Final = {dict: "an object", list: "a list", float: "what is no finite number"}
"""What JSON may hold and a column cannot; NaN and infinite numbers alone are read as float."""


def _text(value: Any) -> str:
    """A value of JSON as a column: text as it is, nothing for null, the rest as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


_READERS: dict[str, Callable[[str, TextIO, Mapping], Iterator[_Raw | BadRow]]] = {
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}
