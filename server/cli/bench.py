"""``esm bench``: figures of this machine, from a checkout of the repository."""

from __future__ import annotations

import importlib
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from server.cli.output import fail, put_json

app = typer.Typer(help="Measure 性能测量.", no_args_is_help=True)

ROOT = Path(__file__).resolve().parents[2]


@app.callback()
def options() -> None:
    """Measure 性能测量."""


@app.command()
def core(
    quick: Annotated[bool, typer.Option("--quick", help="About a minute; the default.")] = False,
    full: Annotated[bool, typer.Option("--full", help="The sizes that figures stand for.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the JSON line; the table goes to standard error.")
    ] = False,
) -> None:
    """Every figure against its yardstick; the last line is JSON."""
    if quick and full:
        fail("give --quick or --full, not both")
    if not (ROOT / "benchmarks" / "core.py").is_file():
        fail("the benchmarks are not in the installed package; run this in a checkout of it")
    sys.path.insert(0, str(ROOT))
    try:
        benchmarks = importlib.import_module("benchmarks.core")
    except ImportError as problem:
        fail(f"the benchmarks need the packages of requirements/dev.lock: {problem}")
    if not as_json:
        benchmarks.run(quick=not full, full=full)
        return
    with redirect_stdout(sys.stderr):
        figures = benchmarks.run(quick=not full, full=full)
    put_json(figures)
