"""``esm track``: what carriers tell, and the parcels that are watched."""

from __future__ import annotations

import typer

from server.cli.link import connected
from server.cli.track.importing import import_
from server.cli.track.reading import read
from server.cli.track.shipments import list_watched, register, show

app = typer.Typer(help="What carriers tell of parcels 物流轨迹.", no_args_is_help=True)

app.command()(read)
app.command("import")(connected(import_))
app.command()(connected(register))
app.command()(connected(show))
app.command("list")(connected(list_watched))
