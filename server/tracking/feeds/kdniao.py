"""Reads KDNiao (快递鸟): the answer to a tracking query and the push of a subscription, in JSON.

Source: the pages 即时查询(增值版) and 推送(增值版)接口 of kdniao.com, as published in 2023; not yet
seen against a real message. A push comes as a form: its field ``RequestData`` is the message, with
one answer per number in ``Data``.

Codes: ``Action`` of a row; where the newest has none, ``StateEx`` of the number, or else ``State``,
is a checkpoint of its own at the same time. Courier and station are told of the whole number and
stand on that checkpoint, else on the newest. Without a ``Station`` a row that
has no ``Location`` mostly names its own in the text. Times have no zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import structs

from server.tracking.feeds.safely import items, mapping, moment, read_json, required, text
from server.tracking.feeds.stations import with_stations
from server.tracking.newest import with_state
from server.tracking.reading import FeedProblem, Reading, Reply, reply

FORMATS: Final = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M")
NO_TRACE: Final = "0"
"""State of a number of which no carrier has told anything."""
REASON_CHARS_MAX: Final = 80


def read(body: bytes, zone: ZoneInfo) -> Reply:
    """The checkpoints of a query's answer or of a push.

    A number in the state "no trace" is an unknown one, also where KDNiao calls that a failure; any
    other failure is a problem of the whole message. Raises FeedProblem.
    """
    message = mapping(read_json(body), "")
    readings: list[Reading] = []
    unknown: list[str] = []
    for where, answer in _answers(message):
        state = text(answer.get("StateEx"), f"{where}StateEx") or text(
            answer.get("State"), f"{where}State"
        )
        traces = items(answer.get("Traces"), f"{where}Traces")
        if not traces and state == NO_TRACE:
            unknown.append(required(answer.get("LogisticCode"), f"{where}LogisticCode"))
            continue
        _refuse_failure(answer, where)
        found = with_state(_rows(answer, traces, where, zone), state)
        readings += _with_station(found, answer, where)
    return reply(readings, unknown)


def _answers(message: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if "Data" not in message:
        yield "", message
        return
    for at, value in enumerate(items(message["Data"], "Data")):
        yield f"Data[{at}].", mapping(value, f"Data[{at}]")


def _refuse_failure(answer: Mapping[str, Any], where: str) -> None:
    """KDNiao names most of its failures in words only; they are cut and passed on."""
    success = answer.get("Success")
    if success is True or (isinstance(success, str) and success.strip().lower() == "true"):
        return
    if success is None:
        raise FeedProblem(f"{where}Success", "is required")
    code = text(answer.get("ResultCode"), f"{where}ResultCode") or "no code"
    reason = text(answer.get("Reason"), f"{where}Reason")[:REASON_CHARS_MAX]
    advice = "check account, key, carrier and number, then ask again"
    raise FeedProblem(where.rstrip("."), f"KDNiao answers {code} ({reason}): {advice}")


def _rows(
    answer: Mapping[str, Any], traces: Sequence[Any], where: str, zone: ZoneInfo
) -> Iterator[Reading]:
    for at, value in enumerate(traces):
        here = f"{where}Traces[{at}]"
        row = mapping(value, here)
        time = required(row.get("AcceptTime"), f"{here}.AcceptTime")
        occurred, zoned = moment(time, f"{here}.AcceptTime", zone, *FORMATS)
        told = [text(row.get(key), f"{here}.{key}") for key in ("AcceptStation", "Remark")]
        yield Reading(
            number=required(answer.get("LogisticCode"), f"{where}LogisticCode"),
            occurred=occurred,
            zoned=zoned,
            carrier=text(answer.get("ShipperCode"), f"{where}ShipperCode"),
            raw_code=text(row.get("Action"), f"{here}.Action"),
            raw_text=" ".join(filter(None, told)),
            place=text(row.get("Location"), f"{here}.Location"),
        )


def _with_station(readings: list[Reading], answer: Mapping[str, Any], where: str) -> list[Reading]:
    """The readings, which have source ids already; the last has what may change at any poll.

    Where the number has a station its rows need none: two names of one site would look like two.
    """
    station = text(answer.get("Station"), f"{where}Station")
    courier = text(answer.get("DeliveryMan"), f"{where}DeliveryMan")
    if readings:
        readings[-1] = structs.replace(readings[-1], station=station, courier=courier)
    return readings if station else with_stations(readings)
