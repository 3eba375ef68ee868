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


Quick = Annotated[bool, typer.Option("--quick", help="About a minute; the default.")]
Full = Annotated[bool, typer.Option("--full", help="The sizes that figures stand for.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Only the JSON line; the table goes to standard error.")
]


@app.command()
def core(quick: Quick = False, full: Full = False, as_json: AsJson = False) -> None:
    """Commands, replay and the ledger against their yardsticks; the last line is JSON."""
    _measure("core", quick, full, as_json)


@app.command()
def detection(quick: Quick = False, full: Full = False, as_json: AsJson = False) -> None:
    """Intake of tracking facts, threshold to event, sweeps; the last line is JSON."""
    _measure("detection", quick, full, as_json)


def _measure(name: str, quick: bool, full: bool, as_json: bool) -> None:
    """Run one of the benchmarks."""
    if quick and full:
        fail("give --quick or --full, not both")
    if not (ROOT / "benchmarks" / f"{name}.py").is_file():
        fail("the benchmarks are not in the installed package; run this in a checkout of it")
    sys.path.insert(0, str(ROOT))
    try:
        benchmark = importlib.import_module(f"benchmarks.{name}")
    except ImportError as problem:
        fail(f"the benchmarks need the packages of requirements/dev.lock: {problem}")
    if not as_json:
        benchmark.run(quick=not full, full=full)
        return
    with redirect_stdout(sys.stderr):
        figures = benchmark.run(quick=not full, full=full)
    put_json(figures)
