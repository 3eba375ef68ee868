"""What commands that speak to a server share: its address, who calls, and how refusals look."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, wraps
from pathlib import Path
from typing import Annotated, Any, Final, TypedDict, Unpack

import typer

from esm import catalog
from esm.catalog import Catalogue, CatalogueError
from server.cli.money import MoneyRefused
from server.cli.output import REFUSED, fail, put_json, refuse, say, warn
from server.client import Client, ClientError, connect
from server.settings import from_environment

Address = Annotated[str, typer.Option(help="Server to call; ESM_ADDRESS or 127.0.0.1:50051.")]
Tenant = Annotated[str, typer.Option(help="Whose cases; the server's default when not said.")]
Actor = Annotated[str, typer.Option(help="Who acts, for example anna@desk.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in the API's JSON.")]
Only = Annotated[
    str, typer.Option(help="Answer one field of that JSON, for example exception.exception_id.")
]


@dataclass
class Link:
    """An open connection of one command, and how it shall answer.

    ``only`` is the path of the one field that is wanted of a JSON answer, "" for all of it.
    """

    client: Client
    address: str
    as_json: bool
    only: str = ""
    catalog_folder: Path | None = field(default=None)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue of this machine, for titles and for the digits of currencies."""
        try:
            return catalog.load(self.catalog_folder)
        except CatalogueError as problem:
            fail(f"the catalogue cannot be used: {problem}")

    def call(self, rpc: str, request: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The answer of a unary RPC; see :meth:`server.client.Client.call`."""
        return self.client.call(rpc, request, **more)

    def seen(self, view: str) -> dict[str, str]:
        """The ``min_position`` of a read that shall show all that was recorded until now.

        Nothing, with a warning, when the view stands still: it is shown as it is then.
        """
        status = self.call("GetStatus")
        views: list[dict[str, str]] = status.get("projections", [])
        found = next((each for each in views if each["name"] == view), {})
        if found.get("stopped"):
            warn(f"{view} stands still, what follows is not up to date: {found['stopped']}")
            return {}
        return {"min_position": status.get("position", "")}

    def put(self, answer: Any) -> None:
        """Write an answer as JSON, or the one field of it that was asked for."""
        if not self.only:
            put_json(answer)
            return
        found = answer
        for part in self.only.split("."):
            inside = found.get(part) if isinstance(found, dict) else None
            if isinstance(found, list) and part.isdigit() and int(part) < len(found):
                inside = found[int(part)]
            if inside is None:
                fail(f"the answer has no {self.only!r}; --json shows all of it", REFUSED)
            found = inside
        if isinstance(found, str):
            say(found)
        else:
            put_json(found)


OPTIONS: Final = (
    ("address", Address, ""),
    ("tenant", Tenant, ""),
    ("actor", Actor, ""),
    ("as_json", AsJson, False),
    ("only", Only, ""),
)
"""Options of every command that calls a server."""

NAMES: Final = tuple(name for name, _, _ in OPTIONS)


def parameters(options: Iterable[tuple[str, Any, Any]]) -> list[inspect.Parameter]:
    """Options as keyword parameters of a signature that Typer reads."""
    return [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
        )
        for name, annotation, default in options
    ]


def signed(
    command: Callable[..., None], wanted: list[inspect.Parameter], name: str, help_text: str
) -> Callable[..., None]:
    """A command as Typer shall see it: with these parameters instead of its own."""
    command.__signature__ = inspect.Signature(wanted)  # type: ignore[attr-defined] # any function
    command.__annotations__ = {each.name: each.annotation for each in wanted}
    command.__name__, command.__doc__ = name, help_text
    return command


class Connection(TypedDict, total=False):
    """The common options as they were given."""

    address: str
    tenant: str
    actor: str
    as_json: bool
    only: str


def opened(work: Callable[[Link], None], **given: Unpack[Connection]) -> None:
    """Do ``work`` with an open connection; what the server refuses ends the command."""
    settings = from_environment()
    address = given.get("address") or settings.address
    only = given.get("only", "")
    as_json = given.get("as_json", False) or bool(only)
    with connect(address, tenant=given.get("tenant", ""), actor=given.get("actor", "")) as client:
        link = Link(client, address, as_json, only, settings.catalog)
        try:
            work(link)
        except MoneyRefused as problem:
            fail(str(problem))
        except ClientError as problem:
            refuse(_explained(problem, address), as_json=as_json)


def _explained(problem: ClientError, address: str) -> ClientError:
    if problem.code == "UNAVAILABLE" and not problem.reason:
        return ClientError(
            problem.code, f"no server answers at {address}; start one with: esm serve"
        )
    return problem


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose first parameter is an open :class:`Link`, made from the common options."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]

    @wraps(command)
    def run(**given: Any) -> None:
        common = {name: given.pop(name) for name in NAMES}
        opened(lambda link: command(link, **given), **common)

    del run.__wrapped__  # else Typer reads the signature of the command inside
    return signed(run, [*keywords, *parameters(OPTIONS)], command.__name__, command.__doc__ or "")
