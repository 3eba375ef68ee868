"""``esm`` itself: every group of commands under one name."""

from __future__ import annotations

import typer

from server.cli import serve

app = typer.Typer(
    name="esm",
    help="Shipment exceptions, from detection to the last cent in the books.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("serve")(serve.serve)


@app.callback()
def options() -> None:
    """Shipment exceptions, from detection to the last cent in the books."""


def main() -> None:
    """The entry point of the script."""
    app()
