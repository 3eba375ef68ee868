"""``esm history``: the log itself."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from server.cli.link import Link, connected
from server.cli.output import fail, say
from server.cli.shown import brief, show_events

app = typer.Typer(help="The event log itself 事件日志.", no_args_is_help=True)

Case = Annotated[str, typer.Option("--case", help="Only of this case.")]
Order = Annotated[str, typer.Option("--order", help="Only of this order and its cases.")]
Topic = Annotated[str, typer.Option(help="Only this topic, for example exception.detected.v1.")]
By = Annotated[str, typer.Option("--by", help="Only of this actor.")]


@app.command()
@connected
def events(
    link: Link,
    *,
    case: Case = "",
    order: Order = "",
    topic: Topic = "",
    by: By = "",
    limit: Annotated[int, typer.Option(help="Most events to list.", min=1)] = 100,
) -> None:
    """Events in the order of the log."""
    request = {"filter": wanted(case, order, topic, by), "page_size": min(limit, 500)}
    found = list(islice(link.client.pages("ListEvents", request, "events"), limit))
    if link.as_json:
        link.put({"events": found})
    else:
        show_events(found)


@app.command()
@connected
def follow(
    link: Link,
    *,
    case: Case = "",
    order: Order = "",
    topic: Topic = "",
    by: By = "",
    position: Annotated[str, typer.Option(help="Go on behind this position.")] = "",
) -> None:
    """Events as they are recorded, until interrupted."""
    request = {"filter": wanted(case, order, topic, by), "position": position}
    last = position
    try:
        for answer in link.client.stream("SubscribeEvents", request):
            event = answer["event"]
            last = event["position"]
            if link.as_json:
                link.put(answer)
            else:
                say(f"{last}  {event['topic']}  {event.get('actor', '')}  {brief(event)}")
    except KeyboardInterrupt:
        if not link.as_json:
            say(f"go on with: esm history follow --position {last}")


def wanted(case: str, order: str, topic: str, by: str) -> str:
    """The filter that the options ask for."""
    given = {"aggregate_id": case, "order_id": order, "topic": topic, "actor": by}
    for value in given.values():
        if '"' in value or "\\" in value:
            fail(f"{value!r} holds a character that no id has")
    return " AND ".join(f'{name} = "{value}"' for name, value in given.items() if value)
