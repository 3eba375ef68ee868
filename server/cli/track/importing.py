"""``esm track import``: what carriers tell, sent to a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import typer

from server.backfill import MappingError, checkpoints
from server.cli.link import Link
from server.cli.output import UNUSABLE, check_time, err, fail, plain, progress, put_json, say
from server.cli.shown import second_of
from server.cli.track.reading import Zone, body_of, check_feed, zone_of
from server.clock import Clock
from server.tracking.feeds import FEEDS
from server.tracking.importing import Fact, batches, facts_of
from server.tracking.reading import FeedProblem

OUTCOMES: Final = {"new": "新增", "known": "已知", "unmatched": "未匹配", "refused": "拒绝"}
"""What may become of a tracking fact, in Chinese."""

REFUSED: Final = "refused"

WORD_SHOWN_CHARS: Final = 40
"""So much of a number or an id tells which one it is."""


class Told(NamedTuple):
    """A fact and where it stands; ``line`` is 0 where that is a whole message.

    ``row`` is its place among the facts of the message, from 1, as ``esm track read`` shows them.
    """

    file: str
    line: int
    fact: Fact
    row: int = 0


class Problem(NamedTuple):
    """A place that cannot be read, or a fact that the server did not take, as far as known."""

    file: str
    line: int
    reason: str
    source_id: str = ""
    number: str = ""
    occurred_at: str = ""
    row: int = 0


def import_(
    link: Link,
    files: Annotated[
        list[Path], typer.Argument(help="Messages of the feed (- for stdin), or rows to map.")
    ],
    *,
    feed: Annotated[str, typer.Option(help=f"Whose messages: {', '.join(FEEDS)}.")] = "",
    mapping: Annotated[
        Path | None, typer.Option(help="CSV or JSON Lines instead: TOML that says what they mean.")
    ] = None,
    zone: Zone = "",
    number: Annotated[
        str, typer.Option(help="The number asked for, when the message does not name it.")
    ] = "",
    shipment: Annotated[str, typer.Option(help="Our id of the one parcel they are about.")] = "",
    asked_at: Annotated[
        str, typer.Option(help="When the feed was asked, RFC 3339; now when not said.")
    ] = "",
) -> None:
    """Send what a vendor's messages tell; what is known already changes nothing.

    What cannot be read is reported with its line or path, and nothing of any file is sent. A fact
    that the server refuses is reported and the rest goes on. The exit code is 2 then.
    """
    about = {"zone": zone, "number": number, "shipment": shipment, "asked-at": asked_at}
    if bool(feed) == (mapping is not None):
        fail("give --feed, or --mapping for CSV and JSON Lines")
    if mapping is None:
        check_feed(feed)
        check_time("--asked-at", asked_at)
        read_in = zone_of(zone or link.catalogue.sources[feed].zone)
        asked = asked_at or Clock().now()
        told, problems = _messages(
            files, feed, read_in, asked=asked, number=number, shipment_code=shipment
        )
    else:
        if unused := [f"--{name}" for name, value in about.items() if value]:
            fail(f"{', '.join(unused)}: a mapping says that itself")
        told, problems = _mapped(files, mapping)
    if problems:
        for each in problems:
            _report(link, each)
        fail("nothing was sent")
    send(link, told)


def send(link: Link, told: list[Told]) -> None:
    """Send facts, report those refused and how many there are of each outcome."""
    counts: Counter[str] = Counter()
    with progress(hidden=link.as_json) as bars:
        bar = bars.add_task("checkpoints 轨迹", total=len(told))
        for outcome, refusal in _sent(link, told):
            counts[outcome] += 1
            bars.advance(bar)
            if refusal is not None:
                _report(link, refusal)
    if link.as_json:
        link.put({name: counts[name] for name in OUTCOMES})
    else:
        say(", ".join(f"{counts[name]} {name} {title}" for name, title in OUTCOMES.items()))
    if counts[REFUSED]:
        raise typer.Exit(UNUSABLE)


def _messages(
    files: list[Path], feed: str, zone: ZoneInfo, **about: str
) -> tuple[list[Told], list[Problem]]:
    told: list[Told] = []
    problems: list[Problem] = []
    for file in files:
        try:
            facts = facts_of(feed, body_of(file), zone, **about)
        except FeedProblem as problem:
            problems.append(Problem(str(file), 0, str(problem)))
        else:
            told += [Told(str(file), 0, fact, row) for row, fact in enumerate(facts, start=1)]
    return told, problems


def _mapped(files: list[Path], mapping: Path) -> tuple[list[Told], list[Problem]]:
    try:
        facts, bad = checkpoints(files, mapping)
    except MappingError as problem:
        fail(str(problem))
    told = [Told(str(each.file), each.line, each.body) for each in facts]
    return told, [Problem(str(each.file), each.line, each.reason) for each in bad]


def _sent(link: Link, told: list[Told]) -> Iterator[tuple[str, Problem | None]]:
    """What became of each fact, in order."""
    places = iter(told)
    for batch in batches(each.fact for each in told):
        answer = link.call("RecordCheckpoints", {"checkpoints": batch})
        for result, place in zip(answer["results"], places, strict=False):
            error = result.get("error")
            if error is None:
                yield result["outcome"], None
            else:
                yield REFUSED, _refused(place, _why(error))


def _refused(told: Told, reason: str) -> Problem:
    named = {name: told.fact.get(name, "") for name in ("source_id", "number", "occurred_at")}
    return Problem(told.file, told.line, reason, row=told.row, **named)


def _why(error: dict[str, Any]) -> str:
    violations = [
        f"{each.get('field', '')} {each.get('description', '')}"
        for each in error.get("violations", [])
    ]
    return "; ".join(violations) or str(error.get("message", ""))


def _report(link: Link, problem: Problem) -> None:
    if link.as_json:
        put_json({name: value for name, value in problem._asdict().items() if value})
        return
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    named = (
        f"row {problem.row}" if problem.row else "",
        f"number {_short(problem.number)}" if problem.number else "",
        second_of(problem.occurred_at),
        f"id {_short(problem.source_id)}" if problem.source_id else "",
    )
    words = (place, ", ".join(filter(None, named)), problem.reason)
    err.print(plain(": ".join(filter(None, words))), style="yellow")


def _short(word: str) -> str:
    return word if len(word) <= WORD_SHOWN_CHARS else f"{word[:WORD_SHOWN_CHARS]}…"
