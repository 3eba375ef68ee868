"""How commands speak: tables for people, JSON for machines, one sentence for an error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from server.client import MALFORMED, ClientError
from server.malformed import TIME, is_time

REFUSED = 1
"""Exit code when the server refuses, or a check fails."""

UNUSABLE = 2
"""Exit code when the command cannot be carried out at all, or rows of a file were bad."""

BEFORE_CHINESE = re.compile(r" (?=[\u4e00-\u9fff])")
"""Where a heading in two languages is broken, so that columns stay narrow."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Everything that a terminal obeys, but tab and line end."""

PLAIN_COLUMNS = 110
"""Width of tables that go into a file or a pipe, which have none of their own."""

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def plain(text: str) -> Text:
    """Text as it is: brackets are no markup, and control characters of strangers do nothing."""
    return Text(CONTROL.sub("\ufffd", text))


def say(text: str) -> None:
    """A line for a person."""
    out.print(plain(text))


def put_json(value: Any) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table. A column whose name begins with ">" stands to the right, with "#" holds ids."""
    made = Table(title=title or None, title_justify="left", header_style="bold")
    for column in columns:
        right = column.startswith(">")
        made.add_column(
            BEFORE_CHINESE.sub("\n", column.lstrip(">#"), count=1),
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=column.startswith("#"),  # a broken id cannot be copied
        )
    count = 0
    for row in rows:
        made.add_row(*(plain(str(cell)) for cell in row))
        count += 1
    width = None if out.is_terminal else PLAIN_COLUMNS
    Console(highlight=False, width=width).print(made)
    if not count:
        say("none · 无")


def warn(text: str) -> None:
    """A sentence on standard error that ends nothing."""
    err.print(plain(f"warning: {text}"), style="yellow")


def fail(message: str, code: int = UNUSABLE) -> NoReturn:
    """End the command with one sentence on standard error."""
    err.print(plain(f"error: {message}"), style="red")
    raise typer.Exit(code)


def check_time(option: str, text: str) -> None:
    """End the command for what is no moment; "" is none, too, and not given."""
    if text and not is_time(text):
        fail(f"{option} {text!r} {TIME}")


def refuse(error: ClientError, *, as_json: bool = False) -> NoReturn:
    """End the command with what the server said, or why nothing was sent to it."""
    code = UNUSABLE if error.reason == MALFORMED else REFUSED
    if as_json:
        sys.stderr.write(
            json.dumps(
                {
                    "code": error.code,
                    "reason": error.reason,
                    "message": error.message,
                    "metadata": error.metadata,
                    "violations": [
                        {"field": field, "description": text} for field, text in error.violations
                    ],
                },
                ensure_ascii=False,
            )
            + "\n"
        )
        raise typer.Exit(code)
    reason = error.reason or error.code
    err.print(plain(f"error: {error.message} [{reason}]"), style="red")
    for field, text in error.violations:
        if text not in error.message:
            err.print(plain(f"  - {field}: {text}" if field else f"  - {text}"))
    raise typer.Exit(code)


@contextmanager
def progress(*, hidden: bool = False) -> Iterator[Progress]:
    """Progress bars on standard error, which leaves standard output to the result."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=hidden or not err.is_terminal,
    ) as bars:
        yield bars
