"""``esm`` itself: every group of commands under one name."""

from __future__ import annotations

import typer

from server.cli import (
    admin,
    backfilling,
    bench,
    catalogs,
    exception,
    history,
    ledger,
    order,
    serve,
    storing,
    ticket,
    track,
    verify,
)
from server.cli.demo import command as demo

TITLE = "Shipment exceptions, from detection to the last cent in the books 物流异常管理."

app = typer.Typer(
    name="esm",
    help=TITLE,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(serve.serve)
app.command()(demo.demo)
for name, group in (
    ("exception", exception.app),
    ("order", order.app),
    ("ticket", ticket.app),
    ("ledger", ledger.app),
    ("history", history.app),
    ("track", track.app),
    ("catalog", catalogs.app),
    ("bench", bench.app),
):
    app.add_typer(group, name=name)
for command in (
    admin.status,
    admin.advance_clock,
    admin.rebuild,
    verify.verify,
    backfilling.backfill,
    storing.backup,
    storing.migrate,
):
    app.command()(command)
