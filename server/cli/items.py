"""Items of a file: each is read and checked before the first of them is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from server.cli.output import err, fail, plain
from server.client import ClientError, to_message

BATCH_MAX: Final = 500


class Item(NamedTuple):
    """An item of a request, in the API's JSON form, and where it stands in its file."""

    place: str
    body: dict[str, Any]


def items_of(file: Path, rpc: str, field: str) -> list[Item]:
    """The items of a JSON file (one, or a list of them) or of JSON Lines.

    Ends the command when there are none, or when one of them is no item of the ``field`` of a
    request; each of those is named with its place and what is wrong.
    """
    found = _read(file)
    if not found:
        fail(f"{file}: holds no items")
    bad = 0
    for place, body in found:
        try:
            to_message(rpc, {field: [body]})
        except ClientError as problem:
            bad += 1
            for path, text in problem.violations:
                words = (place, f"{path.removeprefix(f'{field}[0]').lstrip('.')} {text}".strip())
                err.print(plain(": ".join(words)), style="yellow")
    if bad:
        fail(f"{bad} of {len(found)} items cannot be sent; nothing was sent")
    return found


def in_batches(items: Sequence[Item]) -> Iterator[tuple[Sequence[Item], list[dict[str, Any]]]]:
    """The items as requests take them, each with the bodies alone."""
    for start in range(0, len(items), BATCH_MAX):
        batch = items[start : start + BATCH_MAX]
        yield batch, [each.body for each in batch]


def _read(file: Path) -> list[Item]:
    try:
        text = file.read_text("utf-8-sig")
    except OSError as problem:
        fail(f"{file}: {problem.strerror}")
    except UnicodeDecodeError:
        fail(f"{file}: is not UTF-8")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        lines = enumerate(text.splitlines(), start=1)
        return [_line(f"{file}:{number}", line) for number, line in lines if line.strip()]
    if not isinstance(found, list):
        return [Item(str(file), found)]
    return [Item(f"{file}: item {number}", each) for number, each in enumerate(found, start=1)]


def _line(place: str, line: str) -> Item:
    try:
        return Item(place, json.loads(line))
    except (ValueError, RecursionError) as problem:
        fail(f"{place}: no JSON: {getattr(problem, 'msg', problem)}")
