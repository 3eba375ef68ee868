"""``esm track read``: what a carrier's message says, without a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import typer

from esm.catalog import Catalogue
from esm.detection.normal import normalised
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


STDIN: Final = "-"

Feed = Annotated[str, typer.Option(help=f"Whose message it is: {', '.join(FEEDS)}.")]
Zone = Annotated[str, typer.Option(help="Of times without a zone, e.g. Asia/Shanghai.")]


def read(
    file: Annotated[Path, typer.Argument(help="One message of the feed, as it came; - for stdin.")],
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
    """What a file holds, "-" for standard input; as far as a message may be long and one more."""
    try:
        if str(file) == STDIN:
            return sys.stdin.buffer.read(PAYLOAD_BYTES_MAX + 1)
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


def outcome(rules: Catalogue, feed: str, raw_code: str, raw_text: str = "") -> str:
    """What an import takes a checkpoint for besides its status, in a few words; "" for nothing."""
    found = normalised(rules, feed, raw_code, raw_text)
    if found.candidate:
        return f"opens {found.opens}, perhaps {found.candidate}"
    meaning = rules.meaning(feed, raw_code) if raw_code else None
    words = [
        *([f"opens {found.opens}"] if found.opens else []),
        *([f"clears {', '.join(found.clears)}"] if found.clears else []),
        *([f"starts the {meaning.clock} clock"] if meaning and meaning.clock else []),
        *(["watched by time"] if meaning and meaning.timer else []),
        *(["with a customer's report"] if meaning and meaning.report else []),
    ]
    return "; ".join(words)


def _show(feed: str, said: Reply, rules: Catalogue) -> None:
    def row(each: Reading) -> tuple[Any, ...]:
        so, status = _taken(rules, feed, each)
        place = each.station or each.place
        return each.occurred, each.number, each.raw_code, status, so, place, each.raw_text

    table("", COLUMNS, map(row, said.readings))
    for number in said.unknown_numbers:
        say(f"{number or 'the number asked for'}: unknown to the feed 查无此单")


def _json(feed: str, said: Reply, rules: Catalogue) -> dict[str, Any]:
    readings = []
    for each in said.readings:
        told = msgspec.to_builtins(each)
        told = {name: told[name] for name in told if name not in ("courier", "signer")}
        told["outcome"], told["status"] = _taken(rules, feed, each)
        readings.append(told)
    return {"feed": feed, "readings": readings, "unknown_numbers": list(said.unknown_numbers)}


def _taken(rules: Catalogue, feed: str, each: Reading) -> tuple[str, str]:
    """What an import takes a reading for: what follows, and the status."""
    status = normalised(rules, feed, each.raw_code, each.raw_text).status
    return outcome(rules, feed, each.raw_code, each.raw_text), status
