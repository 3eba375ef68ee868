"""``esm track read``: what a carrier's message says, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import typer

from esm.catalog import Catalogue
from esm.catalog.model import CARRIER_REPORTED
from server.cli.catalogs import read_catalogue
from server.cli.output import fail, put_json, say, table
from server.cli.stores import Catalog
from server.tracking.feeds import FEEDS
from server.tracking.feeds.safely import PAYLOAD_BYTES_MAX
from server.tracking.reading import FeedProblem, Reading, Reply

COLUMNS = (
    *("#occurred 时间", "number 单号", "code 原码", "status 状态", "so 结果"),
    *("place 地点", "text 原文"),
)


Feed = Annotated[str, typer.Option(help=f"Whose message it is: {', '.join(FEEDS)}.")]
Zone = Annotated[str, typer.Option(help="Of times without a zone, e.g. Asia/Shanghai.")]


def read(
    file: Annotated[Path, typer.Argument(help="One message of the feed, as it came.")],
    *,
    feed: Feed,
    zone: Zone = "",
    catalogue: Catalog = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Show the timeline in a vendor's message, and what each code would lead to; sends nothing.

    Personal fields (signer, courier) are not shown. A message that is not taken ends with 2.
    """
    check_feed(feed)
    rules = read_catalogue(catalogue)
    body, used = body_of(file), zone_of(zone or rules.sources[feed].zone)
    try:
        said = FEEDS[feed](body, used)
    except FeedProblem as problem:
        fail(f"{file}: {problem}")
    if as_json:
        put_json(_json(feed, said, rules))
    else:
        _show(feed, said, rules)


def check_feed(name: str) -> None:
    """End the command for a feed that there is no adapter of."""
    if name not in FEEDS:
        fail(f"{name!r} is no feed; there are: {', '.join(FEEDS)}")


def body_of(file: Path) -> bytes:
    """What a file holds, as far as a message may be long and one byte more."""
    try:
        with file.open("rb") as message:
            return message.read(PAYLOAD_BYTES_MAX + 1)
    except OSError as problem:
        fail(f"{file}: {problem.strerror}")


def zone_of(name: str) -> ZoneInfo:
    """The time zone of a name; ends the command for what is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        fail(f"{name!r} is no time zone; one is Asia/Shanghai")


def outcome(rules: Catalogue, feed: str, raw_code: str) -> str:
    """What a raw code leads to, in a few words; "" for no code."""
    meaning = rules.meaning(feed, raw_code)
    if not raw_code:
        return ""
    if meaning is None:
        return "opens OTHER" if rules.sources[feed].codes else "not mapped yet"
    if meaning.candidate:
        return f"opens {CARRIER_REPORTED}, perhaps {meaning.candidate}"
    words = [
        *([f"opens {meaning.opens}"] if meaning.case_code else []),
        *([f"clears {', '.join(meaning.clears)}"] if meaning.clears else []),
        *([f"starts the {meaning.clock} clock"] if meaning.clock else []),
        *(["watched by time"] if meaning.timer else []),
        *(["with a customer's report"] if meaning.report else []),
    ]
    return "; ".join(words)


def _show(feed: str, said: Reply, rules: Catalogue) -> None:
    def row(each: Reading) -> tuple[Any, ...]:
        so, place = outcome(rules, feed, each.raw_code), each.station or each.place
        status = _status(rules, feed, each.raw_code)
        return each.occurred, each.number, each.raw_code, status, so, place, each.raw_text

    table("", COLUMNS, map(row, said.readings))
    for number in said.unknown_numbers:
        say(f"{number or 'the number asked for'}: unknown to the feed 查无此单")


def _json(feed: str, said: Reply, rules: Catalogue) -> dict[str, Any]:
    readings = []
    for each in said.readings:
        told = msgspec.to_builtins(each)
        told = {name: told[name] for name in told if name not in ("courier", "signer")}
        told["status"] = _status(rules, feed, each.raw_code)
        told["outcome"] = outcome(rules, feed, each.raw_code)
        readings.append(told)
    return {"feed": feed, "readings": readings, "unknown_numbers": list(said.unknown_numbers)}


def _status(rules: Catalogue, feed: str, raw_code: str) -> str:
    meaning = rules.meaning(feed, raw_code)
    return meaning.status if meaning else ""
