"""``esm status`` and ``esm rebuild``: what operators of a running server need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from server.cli.link import Link, connected
from server.cli.output import REFUSED, progress, say, table


@connected
def status(link: Link) -> None:
    """What the server runs on, and how far its projections are."""
    answer = link.call("GetStatus", {}, defaults=link.as_json)
    if link.as_json:
        link.put(answer)
        return
    names = ("store_id", "engine", "clock", "catalogue", "position")
    table("Server 服务器", ("", ""), [(name, answer.get(name, "")) for name in names])
    rows = [
        (each["name"], each.get("position", ""), each.get("lag", 0), each.get("stopped", ""))
        for each in answer.get("projections", [])
    ]
    columns = ("projection 投影", "position 位置", ">lag 落后", "stopped 停止原因")
    table("Projections 投影", columns, rows)
    parked = answer.get("parked", [])
    if parked:
        columns = ("projection 投影", "event 事件", "topic 主题", "reason 原因")
        rows = [
            tuple(each.get(name, "") for name in ("projection", "event_id", "topic", "reason"))
            for each in parked
        ]
        table("Parked events 搁置事件", columns, rows)


@connected
def rebuild(
    link: Link,
    projections: Annotated[
        list[str] | None, typer.Argument(help="tickets, ledger; all when none is named.")
    ] = None,
) -> None:
    """Build projections again from the first event, compare with the live ones, switch."""
    names = projections or [p["name"] for p in link.call("GetStatus")["projections"]]
    differing = []
    for name in names:
        last = rebuilt(link, name, hidden=link.as_json)
        if link.as_json:
            link.put({"projection": name, **last})
        else:
            equal = "rebuilt = live 一致" if last.get("equal") else "rebuilt differs 不一致"
            say(f"{name}: {last.get('events_done', 0)} events, {equal}")
            say(f"  live    {last.get('live_digest', '')}")
            say(f"  rebuilt {last.get('rebuilt_digest', '')}")
        if not last.get("equal"):
            differing.append(name)
    if differing:
        raise typer.Exit(REFUSED)


def rebuilt(link: Link, name: str, *, hidden: bool = False) -> dict[str, Any]:
    """The last answer of a rebuild, whose progress is shown meanwhile."""
    last: dict[str, Any] = {}
    with progress(hidden=hidden) as bars:
        bar = bars.add_task(f"rebuild {name}", total=None)
        update: Callable[..., None] = bars.update
        for last in link.client.stream("RebuildProjection", {"projection": name}):
            update(
                bar,
                completed=int(last.get("events_done", 0)),
                total=int(last.get("events_total", 0)) or None,
            )
    return last
