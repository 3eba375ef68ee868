"""``esm backfill``: a history of another system, told to a server by a mapping."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from esm.times import micros
from server.backfill import BadRow, History, MappingError, Outcome, course, gather, load, run
from server.backfill.sending import sender
from server.cli.link import Actor, Address, AsJson, Link, Tenant, opened
from server.cli.output import err, fail, plain, progress, put_json, say
from server.client import connect_aio

ACTOR = "backfill"
FEED = "feed"


def backfill(
    files: Annotated[list[Path], typer.Argument(help="CSV or JSON Lines.")],
    *,
    mapping: Annotated[Path, typer.Option(help="TOML that says what the columns mean.")],
    address: Address = "",
    tenant: Tenant = "",
    actor: Actor = ACTOR,
    as_json: AsJson = False,
) -> None:
    """Tell a history to a server: cases, shipments, tracking; the same rows again change nothing.

    A store that follows a feed gets the clock of the rows as well. Every bad row is reported with
    its file, line and reason and the rest goes on; the exit code is 2 then.
    """
    found: list[Outcome] = []

    def work(link: Link) -> None:
        status = link.call("GetStatus")
        history = _gathered(mapping, files)
        clock = status.get("clock", "")
        if clock != FEED and history.planned:
            fail(
                f"the store at {link.address} follows a {clock} clock; a history of cases goes "
                "into one made with: esm serve --clock feed"
            )
        present = micros(status["clock_time"]) if clock == FEED else None
        found.append(_sent(link, history, present, tenant=tenant, actor=actor))

    opened(work, address=address, tenant=tenant, actor=actor, as_json=as_json)
    (outcome,) = found
    if as_json:
        put_json({"sent": outcome.sent, "bad": outcome.bad})
    else:
        say(f"{outcome.sent} commands and facts accepted 已受理, {outcome.bad} refused 有问题")
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)


def _gathered(mapping: Path, files: list[Path]) -> History:
    try:
        return gather(files, load(mapping))
    except MappingError as problem:
        fail(str(problem))


def _sent(link: Link, history: History, present: int | None, *, tenant: str, actor: str) -> Outcome:
    with progress(hidden=link.as_json) as bars:
        bar = bars.add_task("history 历史", total=history.size)

        def told(row: BadRow) -> None:
            bars.advance(bar)
            if link.as_json:
                put_json({"file": row.file, "line": row.line, "reason": row.reason})
            else:
                err.print(plain(f"{row.file}:{row.line}: {row.reason}"), style="yellow")

        async def send() -> Outcome:
            async with connect_aio(link.address, tenant=tenant, actor=actor) as client:
                return await run(
                    course(history, clock=present),
                    sender(client),
                    report=told,
                    progress=lambda count: bars.update(bar, completed=count),
                )

        return _first_error(send)


def _first_error(send: Any) -> Outcome:
    """Run it; of several tasks that failed together the first error counts."""
    try:
        outcome: Outcome = asyncio.run(send())
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    return outcome
