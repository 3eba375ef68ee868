"""A made-up desk with its mapping, and what histories of it are planned to."""

from collections.abc import Sequence
from pathlib import Path

from server.backfill import BadRow, Planned, SignalsMapping, parse, plan, read

DESK = """
name = "desk"

[[time]]
column = "when"
zone = "Asia/Shanghai"

[subject]
order_id = { column = "order" }
shipment_code = { column = "parcel" }

[open]
code = "TRACKING_STALLED"
feed = "desk"
source_id = { column = "parcel" }
none_yet = true

[level]
reason = "the desk handed it over"

[level.value]
column = "group"
default = "1"
cases = [{ suffix = "-chief", value = "3" }, { prefix = "back", value = "2" }]

[owner]
owner = { column = "group" }

[[verify]]
item = "last_event_and_path"
when = [{ column = "group", prefix = "back" }, { column = "state", equals = "done" }]

[wait.party]
column = "state"
table = { "wait buyer" = "customer", "wait maker" = "supplier", "held" = "" }
default = ""

[[note]]
when = { column = "remark" }
text = { column = "remark" }

[complete]
when = { column = "state", equals = ["done", "closed"] }
summary = "All is well again."

[reopen]
when = { column = "state", unlike = ["done", "closed"] }
reason = "The desk took it up again."
"""

HEADER = "order,parcel,when,group,state,remark"


def desk(*lines: str) -> str:
    return "\n".join((HEADER, *lines)) + "\n"


def planned(
    tmp_path: Path, *contents: str, mapping: str = DESK, suffix: str = ".csv"
) -> tuple[list[Planned], list[BadRow]]:
    """What the contents of files give: commands, and bad rows with the name of the file alone."""
    paths = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(content.encode("utf-8", errors="surrogateescape"))
        paths.append(path)
    (rules,) = parse(mapping)
    assert isinstance(rules, SignalsMapping)
    rows, bad = read(paths, rules)
    commands: list[Planned] = []
    for item in plan(rules, rows):
        if isinstance(item, BadRow):
            bad.append(item)
        else:
            commands.append(item)
    return commands, [row._replace(file=Path(row.file).name) for row in bad]


def rpcs(commands: Sequence[Planned], line: int | None = None) -> list[str]:
    return [c.rpc for c in commands if line is None or c.line == line]


def requests(commands: Sequence[Planned], rpc: str, field: str) -> list[str]:
    return [c.request[field] for c in commands if c.rpc == rpc]
