"""What commands that speak to a server share: its address, who calls, and how refusals look."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, wraps
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from esm import catalog
from esm.catalog import Catalogue, CatalogueError
from server.cli.money import MoneyRefused
from server.cli.output import fail, refuse
from server.client import Client, ClientError, connect
from server.settings import from_environment

Address = Annotated[str, typer.Option(help="Server to call; ESM_ADDRESS or 127.0.0.1:50051.")]
Tenant = Annotated[str, typer.Option(help="Whose cases; the server's default when not said.")]
Actor = Annotated[str, typer.Option(help="Who acts, for example anna@desk.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in the API's JSON.")]


@dataclass
class Link:
    """An open connection of one command, and how it shall answer."""

    client: Client
    address: str
    as_json: bool
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


OPTIONS: Final = (
    ("address", Address, ""),
    ("tenant", Tenant, ""),
    ("actor", Actor, ""),
    ("as_json", AsJson, False),
)


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


def opened(
    work: Callable[[Link], None], *, address: str, tenant: str, actor: str, as_json: bool
) -> None:
    """Do ``work`` with an open connection; what the server refuses ends the command."""
    settings = from_environment()
    address = address or settings.address
    with connect(address, tenant=tenant, actor=actor) as client:
        link = Link(client, address, as_json, settings.catalog)
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
    def run(
        *, address: str = "", tenant: str = "", actor: str = "", as_json: bool = False, **own: Any
    ) -> None:
        opened(
            lambda link: command(link, **own),
            address=address,
            tenant=tenant,
            actor=actor,
            as_json=as_json,
        )

    del run.__wrapped__  # type: ignore[attr-defined] # wraps sets it; its signature is not ours
    return signed(run, [*keywords, *parameters(OPTIONS)], command.__name__, command.__doc__ or "")
