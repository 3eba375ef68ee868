"""Turns a table of commands into Typer commands: one line of the table for each RPC."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import typer

from server.cli.fields import CURRENCY, FIELDS, HEADER, MONEYS, option
from server.cli.link import NAMES, OPTIONS, Link, opened, parameters, signed

Show = Callable[[Link, dict[str, Any]], None]
"""Shows the answer of a command to a person."""


@dataclass(frozen=True, slots=True)
class Command:
    """One RPC as a command: its positional fields, then its options, each by name.

    ``paths`` says where a field stands in the request when that is not its own name; ``fixed``
    is sent with every request, beneath what was typed; ``implied`` are the path and value that an
    option brings along, beneath what was typed as well; ``item`` names the repeated field of a
    batch request in which the command sends its one item; ``etag`` whether the request has one.
    """

    name: str
    rpc: str
    help: str
    arguments: tuple[str, ...] = ("exception_id",)
    options: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    implied: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    item: str = ""
    etag: bool = True


HEADER_NAMES: Final = tuple(name for name, _, _ in HEADER)


def add_all(group: typer.Typer, commands: tuple[Command, ...], show: Show) -> None:
    """Give a group of commands every command of a table."""
    for command in commands:
        group.command(command.name)(_made(command, show))


def _made(command: Command, show: Show) -> Callable[..., None]:
    wanted = [
        *(option(name, positional=True) for name in command.arguments),
        *(option(name, positional=False) for name in command.options),
    ]
    if any(FIELDS[name][0] in MONEYS for name in command.options):
        wanted.append(CURRENCY)

    def run(**given: Any) -> None:
        common = {name: given.pop(name) for name in NAMES}
        currency = given.pop("currency", "")

        def work(link: Link) -> None:
            show(link, link.call(command.rpc, request_of(command, given, currency, link)))

        opened(work, **common)

    header = [each for each in HEADER if command.etag or each[0] != "etag"]
    typed = parameters((*wanted, *header, *OPTIONS))
    made = [
        each.replace(default=inspect.Parameter.empty) if each.default is ... else each
        for each in typed
    ]
    return signed(run, made, command.name.replace("-", "_"), command.help)


def request_of(
    command: Command, given: Mapping[str, Any], currency: str, link: Link
) -> dict[str, Any]:
    """The request that was typed; what was not typed is left out."""
    request: dict[str, Any] = {}
    for path, value in command.fixed.items():
        _put(request, path, value)
    for name, (path, value) in command.implied.items():
        if given[name]:
            _put(request, path, value)
    for name in (*command.arguments, *command.options):
        if given[name]:
            value = FIELDS[name][0].read(given[name], currency, link.catalogue)
            _put(request, command.paths.get(name, name), value)
    for name in HEADER_NAMES:
        if given.get(name):
            request[name] = given[name]
    return {command.item: [request]} if command.item else request


def _put(request: dict[str, Any], path: str, value: Any) -> None:
    *folders, last = path.split(".")
    for folder in folders:
        request = request.setdefault(folder, {})
    request[last] = value
