"""``esm backfill``: a history of another system, turned into commands by a mapping."""

from __future__ import annotations

import asyncio
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from server.backfill import BadRow, MappingError, Outcome, load, plan, read, run
from server.backfill.sending import sender
from server.cli.link import Actor, Address, AsJson, Link, Tenant, opened
from server.cli.output import err, fail, progress, put_json, say
from server.client import connect_aio

ACTOR = "backfill"


def backfill(
    files: Annotated[list[Path], typer.Argument(help="CSV or JSON Lines.")],
    *,
    mapping: Annotated[Path, typer.Option(help="TOML that says what the columns mean.")],
    address: Address = "",
    tenant: Tenant = "",
    actor: Actor = ACTOR,
    as_json: AsJson = False,
) -> None:
    """Send a history as commands to a server on a feed store; the same rows change nothing.

    Every bad row is reported with its file, line and reason and the rest goes on; the exit code
    is 2 then.
    """
    found: list[Outcome] = []

    def work(link: Link) -> None:
        clock = link.call("GetStatus").get("clock", "")
        if clock != "feed":
            fail(
                f"the store at {link.address} follows a {clock} clock; a history goes into one "
                "made with: esm serve --clock feed"
            )
        found.append(_sent(link, mapping, files, tenant=tenant, actor=actor))

    opened(work, address=address, tenant=tenant, actor=actor, as_json=as_json)
    (outcome,) = found
    if as_json:
        put_json({"sent": outcome.sent, "bad": outcome.bad})
    else:
        say(f"{outcome.sent} commands accepted 已受理, {outcome.bad} rows bad or refused 有问题")
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)


def _sent(link: Link, mapping: Path, files: list[Path], *, tenant: str, actor: str) -> Outcome:
    try:
        rules = load(mapping)
    except MappingError as problem:
        fail(str(problem))
    rows, bad = read(files, rules)
    planned = list(plan(rules, rows))
    with progress(hidden=link.as_json) as bars:
        bar = bars.add_task("commands 命令", total=len(planned))

        def told(row: BadRow) -> None:
            bars.advance(bar)
            if link.as_json:
                put_json({"file": row.file, "line": row.line, "reason": row.reason})
            else:
                err.print(f"{row.file}:{row.line}: {row.reason}", style="yellow", markup=False)

        async def send() -> Outcome:
            async with connect_aio(link.address, tenant=tenant, actor=actor) as client:
                return await run(
                    chain(bad, planned),
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
