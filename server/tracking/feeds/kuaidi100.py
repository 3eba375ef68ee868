"""Reads Kuaidi100 (快递100): the answer to a query and the push of a subscription, in JSON.

Source: the pages 实时快递查询接口 and 快递信息推送服务 of api.kuaidi100.com/document, as published
in 2025, and a real answer of 2017, which told neither ``ftime`` nor a state per row. A push comes
as a form: its field ``param`` is the message. ``lastResult`` is the result of the carrier,
``destResult`` that of the carrier abroad.

Codes: a row has ``statusCode`` when the subscription orders states (``resultv2``), else a word in
``status``, of which the ten main ones have codes, else nothing; where the newest row has none,
the ``state`` of the number is a checkpoint of its own at the same time. Times have no zone. A row
without ``location`` and ``areaName`` mostly names its station in the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from server.tracking.feeds.safely import items, mapping, moment, read_json, required, text
from server.tracking.feeds.stations import with_stations
from server.tracking.newest import with_state
from server.tracking.reading import FeedProblem, Reading, Reply, reply

FORMATS: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")

CODES: Final[Mapping[str, str]] = {
    "在途": "0",
    "揽收": "1",
    "疑难": "2",
    "签收": "3",
    "退签": "4",
    "派件": "5",
    "退回": "6",
    "转投": "7",
    "待清关": "10",
    "清关中": "11",
    "已清关": "12",
    "清关异常": "13",
    "拒签": "14",
}
"""Codes of the main states by the word that a row without a code has."""

NO_RESULT: Final = frozenset({"0", "201", "500"})
"""The number has no result: ``status`` of the old answer, ``returnCode`` of the new."""

TAKEN: Final = frozenset({"", "1", "200"})
"""Values of ``status`` in a result that was found."""

ADVICE: Final[Mapping[str, str]] = {
    "2": "it had a fault of its own; ask again later",
    "400": "the query lacks something; compare it with the number, the carrier and the key",
    "408": "the carrier wants the telephone number of sender or recipient; send it along",
    "501": "it had a fault of its own; ask again later",
    "502": "it is busy; ask again later, and less often",
    "503": "the signature of the query is wrong; check key and customer",
    "600": "the account may not ask this; check key and customer",
    "601": "the key has expired or the account is used up; renew it",
}


def read(body: bytes, zone: ZoneInfo) -> Reply:
    """The checkpoints of a query's answer or of a push.

    A number without a result is an unknown one. The answer to a query that finds nothing does not
    name its number: then "" is unknown, and whoever asked fills it in. Raises FeedProblem.
    """
    message = mapping(read_json(body), "")
    readings: list[Reading] = []
    unknown: list[str] = []
    for where, result in _results(message):
        if _has_no_result(result, where):
            unknown.append(text(result.get("nu"), f"{where}nu"))
            continue
        rows = list(_rows(result, where, zone))
        if not rows and text(message.get("status"), "status") == "abort":
            unknown.append(text(result.get("nu"), f"{where}nu"))
        state = text(result.get("state"), f"{where}state")
        readings += with_stations(with_state(rows, state))
    if "lastResult" in message or "destResult" in message:
        unknown = list(filter(None, unknown))  # nobody asked for what a push does not name
    return reply(readings, unknown)


def _results(message: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    pushed = [key for key in ("lastResult", "destResult") if message.get(key) is not None]
    for key in pushed:
        yield f"{key}.", mapping(message[key], key)
    if not pushed:
        yield "", message


def _has_no_result(result: Mapping[str, Any], where: str) -> bool:
    """Whether the number has no result. Raises FeedProblem for an error of Kuaidi100."""
    code = text(result.get("returnCode"), f"{where}returnCode")
    if not code and result.get("data"):
        return False
    code = code or text(result.get("status"), f"{where}status")
    if code in NO_RESULT:
        return True
    if code not in TAKEN or result.get("result") is False:
        advice = ADVICE.get(code, "it gave no result; look the code up in its documentation")
        raise FeedProblem(where.rstrip("."), f"Kuaidi100 answers {code or 'no code'}: {advice}")
    if "data" not in result:
        raise FeedProblem(f"{where}data", "is required")
    return False


def _rows(result: Mapping[str, Any], where: str, zone: ZoneInfo) -> Iterator[Reading]:
    carrier = text(result.get("com"), f"{where}com")
    for at, value in enumerate(items(result.get("data"), f"{where}data")):
        here = f"{where}data[{at}]"
        row = mapping(value, here)
        written = "ftime" if row.get("ftime") else "time"
        time = required(row.get(written), f"{here}.{written}")
        occurred, zoned = moment(time, f"{here}.{written}", zone, *FORMATS)
        word = text(row.get("status"), f"{here}.status")
        yield Reading(
            number=required(result.get("nu"), f"{where}nu"),
            occurred=occurred,
            zoned=zoned,
            carrier=carrier,
            raw_code=text(row.get("statusCode"), f"{here}.statusCode")
            or (word if word.isdecimal() else CODES.get(word, "")),
            raw_text=text(row.get("context"), f"{here}.context"),
            place=text(row.get("location"), f"{here}.location")
            or text(row.get("areaName"), f"{here}.areaName"),
        )
