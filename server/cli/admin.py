"""``esm status``, ``advance-clock`` and ``rebuild``: what operators of a running server need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from server.cli.link import Link, connected
from server.cli.output import REFUSED, check_time, progress, say, table

ADVANCE_SECONDS = 3_600.0
"""Deadline of an advance: all that is due until then is done before it returns."""

WATCH = (
    *("watched", "due_now"),
    *("detection_latency_p50_seconds", "detection_latency_p99_seconds"),
)


@connected
def status(link: Link) -> None:
    """What the server runs on, and how far its projections are."""
    answer = link.call("GetStatus", {}, defaults=True)
    if link.as_json:
        link.put(answer)
        return
    names = ("store_id", "engine", "clock", "clock_time", "catalogue", "position", *WATCH)
    table("Server 服务器", ("", ""), [(name, answer.get(name, "")) for name in names])
    rows = [
        (each["name"], each.get("position", ""), each.get("lag", 0), each.get("stopped", ""))
        for each in answer.get("projections", [])
    ]
    columns = ("projection 投影", "position 位置", ">lag 落后", "stopped 停止原因")
    table("Projections 投影", columns, rows)
    unknown = answer.get("unknown_codes", {})
    if unknown:
        counts = [(feed or "(unknown feed 未知来源)", times) for feed, times in unknown.items()]
        table("Unknown codes 未知代码", ("feed 来源", ">facts 条数"), counts)
    messages = answer.get("webhooks", [])
    if messages:
        told = [
            (each["feed"] or "(no webhook 无此地址)", each["outcome"], each["messages"])
            for each in messages
        ]
        table("Webhooks 推送", ("feed 来源", "outcome 结果", ">messages 条数"), told)
    parked = answer.get("parked", [])
    if parked:
        columns = ("projection 投影", "event 事件", "topic 主题", "reason 原因")
        rows = [
            tuple(each.get(name, "") for name in ("projection", "event_id", "topic", "reason"))
            for each in parked
        ]
        table("Parked events 搁置事件", columns, rows)


@connected
def advance_clock(
    link: Link,
    to: Annotated[str, typer.Argument(help="Time in RFC 3339, e.g. 2026-03-01T08:00:00Z.")],
    *,
    request_id: Annotated[str, typer.Option(help="Id of this command, for sending it again.")] = "",
    validate_only: Annotated[bool, typer.Option(help="Only say what it would record.")] = False,
) -> None:
    """Set the clock of a store that follows a feed, forward only, and do all that is due then."""
    check_time("TO", to)
    request = {"to": to, "request_id": request_id, "validate_only": validate_only}
    answer = link.call("AdvanceClock", request, seconds=ADVANCE_SECONDS)
    if link.as_json:
        link.put(answer)
        return
    fired = answer.get("fired", 0)
    say(f"clock 时钟 {answer.get('clock', '')}, {fired} commands were due 到时命令")


@connected
def rebuild(
    link: Link,
    projections: Annotated[
        list[str] | None, typer.Argument(help="tickets, ledger, deadlines; all when none is named.")
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
