"""From rows to what TrackingService takes: shipments to watch, and tracking facts. Pure.

``esm track import --mapping`` takes its facts from :func:`checkpoints`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from esm.times import instant
from server.backfill.mapping import (
    CheckpointsMapping,
    MappingError,
    NoValue,
    ShipmentsMapping,
    TimeValue,
    load,
    value_of,
)
from server.backfill.rows import BadRow, Row, moment_of, read

REGISTER: Final = "RegisterShipments"
RECORD: Final = "RecordCheckpoints"

TrackingMapping = ShipmentsMapping | CheckpointsMapping


@dataclass(frozen=True, slots=True)
class Fact:
    """One item of a request of TrackingService, in the API's JSON form.

    ``rpc`` is :data:`REGISTER` or :data:`RECORD`; ``at`` the time of the row (microseconds UTC).
    """

    file: str
    line: int
    at: int
    rpc: str
    body: dict[str, Any]


def facts(mapping: TrackingMapping, rows: Iterable[Row]) -> Iterator[Fact | BadRow]:
    """What each row says, in the order of the rows; rows that the mapping has no words for."""
    for row in rows:
        try:
            if isinstance(mapping, ShipmentsMapping):
                rpc, body = REGISTER, _shipment(mapping, row)
            else:
                rpc, body = RECORD, _checkpoint(mapping, row)
        except NoValue as problem:
            yield BadRow(row.file, row.line, str(problem))
        else:
            yield Fact(row.file, row.line, row.at, rpc, body)


def checkpoints(files: Sequence[Path], mapping: Path) -> tuple[list[Fact], list[BadRow]]:
    """The tracking facts of all files by time, and the bad rows.

    Raises :class:`~server.backfill.mapping.MappingError` also for a mapping of anything else.
    """
    found: list[Fact] = []
    bad: list[BadRow] = []
    for each in load(mapping):
        if not isinstance(each, CheckpointsMapping):
            raise MappingError(f'{mapping}: {each.name} does not say facts = "checkpoints"')
        rows, unread = read(files, each)
        bad += unread
        said = list(facts(each, rows))
        found += [fact for fact in said if isinstance(fact, Fact)]
        bad += [fact for fact in said if isinstance(fact, BadRow)]
    found.sort(key=lambda fact: fact.at)
    return found, bad


def _shipment(mapping: ShipmentsMapping, row: Row) -> dict[str, Any]:
    rule = mapping.shipment
    body: dict[str, Any] = {name: value_of(getattr(rule, name), row.fields) for name in _SHIPMENT}
    for name in _TIMES:
        time: TimeValue | None = getattr(rule, name)
        if time is not None and (text := row.fields.get(time.column, "")):
            try:
                body[name] = instant(moment_of(text, time))
            except (ValueError, OverflowError) as error:
                raise NoValue(f"column {time.column!r}: {text!r} is no time ({error})") from error
    numbers = [
        _filled({n: value_of(getattr(each, n), row.fields) for n in _NUMBER})
        for each in rule.numbers
    ]
    body["numbers"] = [each for each in numbers if "number" in each]
    body["pieces"] = [piece for each in rule.pieces if (piece := value_of(each, row.fields))]
    body["untracked"] = rule.untracked
    return _filled(body)


def _checkpoint(mapping: CheckpointsMapping, row: Row) -> dict[str, Any]:
    rule = mapping.checkpoint
    body: dict[str, Any] = {
        name: value_of(getattr(rule, name), row.fields) for name in rule.__struct_fields__
    }
    body["source_id"] = body["source_id"] or str(row.key)
    body["occurred_at"] = instant(row.at)
    body["zone_assumed"] = not row.zoned
    return _filled(body)


def _filled(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value}


_SHIPMENT: Final = ("order_id", "shipment_code", "carrier", "service", "lane", "destination")
_TIMES: Final = ("labelled_at", "handed_over_at", "promised_at")
_NUMBER: Final = ("number", "carrier", "piece")
