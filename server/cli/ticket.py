"""``esm ticket``: cases as the people who work on them see them."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

import typer

from server.cli.link import Link, connected
from server.cli.output import check_time, fail, say, table
from server.cli.shown import code_title, plain, show_actions, state_title, subject_of

app = typer.Typer(help="Tickets: the board of the desk 工单.", no_args_is_help=True)

Filter = Annotated[
    str,
    typer.Option(
        help='Comparisons joined by AND: state = "escalated" AND level >= 2. Fields are those of a '
        "ticket (--json), besides class and platform_type."
    ),
]
BoardFilter = Annotated[str, typer.Option("--filter", help="The same, for what is counted.")]
Follow = Annotated[str, typer.Option("--position", help="Go on behind this position.")]

DEADLINE_COLUMNS = ("due 到期时间", "what 事项", "#case, about 异常与对象")

KIND = "DEADLINE_KIND_"
KIND_TITLES = {
    "DEADLINE_KIND_NEXT_STAGE": "next stage 下一阶段",
    "DEADLINE_KIND_MUTE_END": "end of a mute 静默结束",
    "DEADLINE_KIND_CARRIED_ITEM": "carried item 结转项",
}

PROPERTIES = ("state", "level", "owner", "code", "family")
"""What tickets are counted by."""

COLUMNS = (
    "#case, about 异常与对象",
    "code, priority, class 代码、优先级、类别",
    "state, level, owner 状态、级别、负责人",
)


@app.command()
@connected
def show(link: Link, exception_id: Annotated[str, typer.Argument(help="The case.")]) -> None:
    """One ticket."""
    answer = link.call("GetTicket", {"exception_id": exception_id, **link.seen("tickets")})
    if link.as_json:
        link.put(answer)
        return
    show_tickets(link, [answer["ticket"]])
    if answer["ticket"].get("actions"):
        show_actions(link, answer["ticket"]["actions"])


@app.command("list")
@connected
def list_tickets(
    link: Link,
    filter: Filter = "",
    order_by: Annotated[str, typer.Option(help='For example "level desc, detected_at".')] = "",
    limit: Annotated[int, typer.Option(help="Most tickets to list.", min=1)] = 50,
) -> None:
    """Tickets by filter; without an order by priority, then due time, then age."""
    request = {
        "filter": filter,
        "order_by": order_by,
        "page_size": min(limit, 500),
        **link.seen("tickets"),
    }
    tickets = list(islice(link.client.pages("ListTickets", request, "tickets"), limit))
    if link.as_json:
        link.put({"tickets": tickets})
        return
    show_tickets(link, tickets)


@app.command()
@connected
def watch(link: Link, filter: Filter = "", position: Follow = "") -> None:
    """Tickets as they change, until interrupted; the last position resumes."""
    request = {"filter": filter, "position": position}
    last = ""
    try:
        for answer in link.client.stream("WatchTickets", request):
            ticket = answer["ticket"]
            last = ticket["position"]
            if link.as_json:
                link.put(answer)
            else:
                state = state_title(ticket.get("state", ""))
                about = subject_of(ticket.get("subject", {}))
                say(f"{last}  {ticket['exception_id']}  {state}  {ticket['code']}  {about}")
    except KeyboardInterrupt:
        if not link.as_json:
            say(f"go on with: esm ticket watch --position {last}")


@app.command()
@connected
def count(
    link: Link,
    by: Annotated[str, typer.Option(help=f"{', '.join(PROPERTIES)}.")] = "state",
    filter: BoardFilter = "",
    as_of: Annotated[str, typer.Option(help="As things stood then, RFC 3339.")] = "",
) -> None:
    """How many tickets there are; now, or as things stood at a moment."""
    if by.lower() not in PROPERTIES:
        fail(f"--by {by!r} is none of: {', '.join(PROPERTIES)}")
    check_time("--as-of", as_of)
    request: dict[str, Any] = {
        "by": f"TICKET_PROPERTY_{by.upper()}",
        "filter": filter,
        **link.seen("tickets"),
    }
    if as_of:
        request["as_of"] = as_of
    answer = link.call("CountTickets", request)
    if link.as_json:
        link.put(answer)
        return
    rows = [(each["value"], each["tickets"]) for each in answer.get("counts", [])]
    table("", (f"{by} 分组", ">tickets 工单"), [*rows, ("all 合计", answer.get("total", 0))])


@app.command()
@connected
def deadlines(
    link: Link,
    kind: Annotated[str, typer.Option(help="next_stage, mute_end or carried_item.")] = "",
    since: Annotated[str, typer.Option(help="What is due from then on, RFC 3339.")] = "",
    until: Annotated[str, typer.Option(help="What is due by then, RFC 3339.")] = "",
    limit: Annotated[int, typer.Option(help="Most deadlines to list.", min=1)] = 50,
) -> None:
    """What comes due, first ones first."""
    kinds = [name.removeprefix(KIND).lower() for name in KIND_TITLES]
    if kind and kind.lower() not in kinds:
        fail(f"--kind {kind!r} is none of: {', '.join(kinds)}")
    check_time("--since", since)
    check_time("--until", until)
    request: dict[str, Any] = {"page_size": min(limit, 500), **link.seen("deadlines")}
    if kind:
        request["kind"] = f"{KIND}{kind.upper()}"
    request |= {name: at for name, at in (("since", since), ("until", until)) if at}
    found = list(islice(link.client.pages("ListDeadlines", request, "deadlines"), limit))
    if link.as_json:
        link.put({"deadlines": found})
        return
    rows = [
        (
            minute_of(each["due_at"]),
            f"{KIND_TITLES[each['kind']]}\n{each['name']}",
            f"{each.get('exception_id', '')}\n{subject_of(each.get('subject', {}))}",
        )
        for each in found
    ]
    table("Deadlines 到期", DEADLINE_COLUMNS, rows)


def show_tickets(link: Link, tickets: list[dict[str, Any]], title: str = "Tickets 工单") -> None:
    """Tickets, one a row."""
    table(
        title,
        COLUMNS,
        [
            (
                f"{ticket['exception_id']}\n{subject_of(ticket.get('subject', {}))}",
                f"{code_title(ticket.get('code', ''), link)}\n{ranked(ticket)}",
                f"{state_title(ticket.get('state', ''))}  {work_of(ticket)}\n"
                f"{ticket.get('owner', '')}{due_of(ticket)}",
            )
            for ticket in tickets
        ],
    )


def minute_of(at: str) -> str:
    """A time of the API to the minute, in UTC."""
    return f"{at[:16].replace('T', ' ')}Z"


def ranked(ticket: dict[str, Any]) -> str:
    """By what the desk sorts: priority, class of the desk, type of the platforms."""
    words = (ticket.get(name, "") for name in ("priority", "ticket_class", "platform_type"))
    return " · ".join(filter(None, words))


def due_of(ticket: dict[str, Any]) -> str:
    """When something is due, on a line of its own; nothing when nothing is."""
    return f"\ndue 到期 {minute_of(ticket['due_at'])}" if ticket.get("due_at") else ""


def work_of(ticket: dict[str, Any]) -> str:
    """Level, episode when it is a later one, and what is not finished."""
    parts = [f"L{plain(ticket['level'])}" if ticket.get("level") else ""]
    parts.append(f"episode {ticket['episode']}" if ticket.get("episode", 1) > 1 else "")
    parts.append(f"{ticket['open_actions']} open 未结" if ticket.get("open_actions") else "")
    parts.append(f"waits on {ticket['waiting_on']}" if ticket.get("waiting_on") else "")
    return "  ".join(part for part in parts if part)
