"""`esm bench detection`: intake of checkpoints, threshold to event, and what a sweep costs."""

import contextlib
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import psycopg
from msgspec.structs import replace

from benchmarks.copying import Copies
from benchmarks.core import run_of
from benchmarks.frame import (
    Pair,
    Run,
    Value,
    completed,
    interleave,
    last_line,
    percentile,
    put_ratio,
    rates,
    ratio,
    rounded,
    said,
    void_reason,
)
from benchmarks.intake import MESSAGE_CHECKPOINTS
from benchmarks.ours import serve
from benchmarks.parcels import TENANT, Parcels
from benchmarks.processes import Child, module, started
from benchmarks.storage import chunks
from benchmarks.watching import Watching, sweep_seconds
from esm import catalog
from server.clock import Clock
from server.settings import Settings
from server.store import Store, open_store
from server.tracking.store import Key, Watched, person_of
from tests.postgres_server import postgres_server

ENGINES: Final = ("sqlite", "postgres")
FEW_WATCHED: Final = 10_000

Json = dict[str, Any]

GOAL_PER_SECOND: Final = 8_000
"""The thresholds of a run spread over the time that it takes at this rate."""

NEVER: Final = 0
PERSONS_AT_ONCE: Final = 10_000


class Sizes(NamedTuple):
    """How much is measured: runs and tries, parcels, checkpoints a run, thresholds a run."""

    runs: int
    attempts: int
    watched: int
    checkpoints: int
    stalling: int
    warm: int
    due: int
    sweeps: int


QUICK: Final = Sizes(3, 4, 100_000, 6_700, 40, 2_000, 1_000, 5)
"""Some 20,000 checkpoints on each engine."""

FULL: Final = Sizes(5, 7, 1_000_000, 40_000, 200, 10_000, 1_000, 11)
"""200,000 checkpoints on each engine."""


def required(watched: int) -> dict[str, str]:
    """Figures that every result has, each with its unit; the number of parcels is in a name."""
    return {
        "checkpoints_per_s_sqlite": "per s",
        "checkpoints_per_s_postgres": "per s",
        "checkpoints_postgres_vs_copy": "ratio",
        "detection_p99_s": "s",
        _sweep(FEW_WATCHED): "ms",
        _sweep(watched): "ms",
    }


class Bench:
    """One measurement: what it found, and where it keeps its files."""

    def __init__(self, sizes: Sizes, folder: Path, dsn: str) -> None:
        self.sizes = sizes
        self.folder = folder
        self.dsn = dsn
        self.figures: dict[str, Value] = {}
        self.units = required(sizes.watched)
        self._watching = Watching(catalog.load())

    def sqlite(self) -> None:
        """The embedded engine: one data folder."""
        parcels = self._prepared("sqlite")
        answers: list[Json] = []
        with self._loaded("sqlite", parcels) as load:
            while len(answers) < self.sizes.attempts and _valid(answers) < self.sizes.runs:
                answers.append(self._run(load, len(answers) + 1))
        self._put("sqlite", answers)

    def postgres(self) -> None:
        """The engine that scales out, each run beside a bare COPY of the same checkpoints."""
        parcels = self._prepared("postgres")
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
        answers: list[Json] = []
        by_message: list[Run] = []
        with (
            self._loaded("postgres", parcels) as load,
            contextlib.closing(Copies(self.dsn)) as copies,
        ):

            def copy() -> Run:
                facts = list(parcels.further(len(answers) + 1, self.sizes.checkpoints, parcels.now))
                by_message.append(copies.by_message(facts, parcels.now, MESSAGE_CHECKPOINTS))
                return copies.at_once(facts, parcels.now)

            def ours() -> Run:
                answers.append(self._run(load, len(answers) + 1))
                return run_of(answers[-1])

            copy()
            by_message.clear()
            pairs = interleave(copy, ours, pairs=self.sizes.runs, attempts=self.sizes.attempts)
        self._put("postgres", answers)
        messages = [Pair(bare, p.ours) for bare, p in zip(by_message, pairs, strict=True)]
        put_ratio(self.figures, "checkpoints_postgres_vs_copy", ratio(pairs))
        put_ratio(self.figures, "checkpoints_postgres_vs_copy_by_message", ratio(messages))
        self.figures["copy_per_s"] = rounded(rates([p.yardstick for p in pairs]))
        self._say("checkpoints_postgres_vs_copy", "checkpoints_postgres_vs_copy_by_message")

    def together(self) -> None:
        """Figures that stand for both engines: that of the slower one counts."""
        for name in ("detection_p99_s", _sweep(FEW_WATCHED), _sweep(self.sizes.watched)):
            found = [self.figures[f"{name}_{engine}"] for engine in ENGINES]
            known = [value for value in found if isinstance(value, int | float)]
            self.figures[name] = max(known) if len(known) == len(found) else None
            self._say(name)

    def _prepared(self, engine: str) -> Parcels:
        """Loads the store that is served and a small one, and sweeps both in turn."""
        now = time.time_ns() // 1_000
        due = list(self._watching.stalled(self.sizes.due, now))
        keys = [Key(TENANT, each.shipment.shipment_code) for each in due]
        parcels = {n: Parcels(n - len(due), now) for n in (FEW_WATCHED, self.sizes.watched)}
        taken: dict[int, list[float]] = {watched: [] for watched in parcels}
        with contextlib.ExitStack() as stack:
            opened = {n: stack.enter_context(self._opened(engine, n)) for n in parcels}
            stores = {n: store.tracking for n, store in opened.items()}
            for watched, store in stores.items():
                begun = time.perf_counter()
                self._load(opened[watched], parcels[watched], due)
                name = f"load_s_{_short(watched)}_{engine}"
                self.figures[name] = rounded(time.perf_counter() - begun)
                sweep_seconds(store, self._watching, keys, now)
            for _ in range(self.sizes.sweeps):
                for watched, store in stores.items():
                    seconds = sweep_seconds(store, self._watching, keys, now)
                    taken[watched].append(seconds * 1e3)
            served = stores[self.sizes.watched]
            served.put_back([replace(each, due=NEVER) for each in served.load(keys)])
        for watched, found in taken.items():
            self.figures[f"{_sweep(watched)}_{engine}"] = rounded(median(found))
        quotients = [many / few for few, many in zip(*taken.values(), strict=True)]
        self.figures[f"sweep_ratio_{engine}"] = rounded(median(quotients))
        self._say(*(f"{_sweep(watched)}_{engine}" for watched in taken), f"sweep_ratio_{engine}")
        return parcels[self.sizes.watched]

    def _load(self, store: Store, parcels: Parcels, due: Sequence[Watched]) -> None:
        """Watches parcels as if they had been registered: each order has its person's key, too."""
        store.tracking.load_bulk(self._watching.rows(parcels))
        store.tracking.load_bulk(due)
        persons = (person_of(parcels.parcel(n).order_id, "") for n in range(parcels.watched))
        for part in chunks(persons, PERSONS_AT_ONCE):
            store.personal.ensure(TENANT, part)

    def _opened(self, engine: str, watched: int) -> Store:
        """A store that no server holds now; it is made when missing."""
        return open_store(Settings(**self._place(engine, watched)), Clock())

    def _place(self, engine: str, watched: int) -> Json:
        """Where the store for so many parcels is."""
        name = f"{engine}_{watched}"
        if engine == "sqlite":
            return {"data": self.folder / name}
        return {"dsn": self.dsn, "schema": name}

    @contextlib.contextmanager
    def _loaded(self, engine: str, parcels: Parcels) -> Iterator[Child]:
        """The load process of our server on the large store, warm."""
        place = self._place(engine, self.sizes.watched)
        with serve(**place, log=self.folder / f"esm-{engine}.log") as server:
            options = {"address": server.address, "watched": parcels.watched, "now": parcels.now}
            command = module("intake", options)
            with started(command, self.folder / f"load-{engine}.log") as load:
                load.answer()
                self._run(load, 0, warm=True)
                yield load

    def _run(self, load: Child, number: int, *, warm: bool = False) -> Json:
        count = self.sizes.warm if warm else self.sizes.checkpoints
        stalling = 0 if warm else self.sizes.stalling
        return load.ask(
            do="run", run=number, count=count, stalling=stalling, seconds=count / GOAL_PER_SECOND
        )

    def _put(self, engine: str, answers: Sequence[Json]) -> None:
        """Rates, waits and the time from a threshold to its event, of the runs that count."""
        name = f"checkpoints_per_s_{engine}"
        runs = [run_of(answer) for answer in answers]
        found = sorted(run.per_second for run in runs if not void_reason(run))
        self.figures[name] = rounded(rates(runs))
        self.figures[f"{name}_spread"] = [round(found[0]), round(found[-1])] if found else None
        void = [void_reason(run) for run in runs if void_reason(run)]
        if void:
            self.figures[f"{name}_void"] = "; ".join(void)
        good = [a for a, run in zip(answers, runs, strict=True) if not void_reason(run)]
        for kind, key in (("stalls", "detection"), ("arrivals", "arrival")):
            waits = [seconds for answer in good for seconds in answer[kind]]
            self.figures[f"{key}_count_{engine}"] = float(len(waits))
            for share in (50, 99):
                value = rounded(percentile(waits, share / 100)) if waits else None
                self.figures[f"{key}_p{share}_s_{engine}"] = value
        message_ms = [run.p99_ms for run in runs if not void_reason(run)]
        self.figures[f"message_p99_ms_{engine}"] = rounded(median(message_ms)) if good else None
        self._say(name, f"detection_p99_s_{engine}", f"arrival_p99_s_{engine}")

    def _say(self, *names: str) -> None:
        """Prints figures as soon as they are there."""
        for name in names:
            unit = next((u for key, u in self.units.items() if name.startswith(key)), "")
            print(said(self.figures, name, unit), flush=True)


def _short(watched: int) -> str:
    """A number of parcels in a name: 10k, 100k, 1m."""
    millions, rest = divmod(watched, 1_000_000)
    return f"{millions}m" if millions and not rest else f"{watched // 1_000}k"


def _sweep(watched: int) -> str:
    return f"sweep_ms_{_short(watched)}_watched"


def _valid(answers: Sequence[Json]) -> int:
    return sum(not void_reason(run_of(answer)) for answer in answers)


def run(quick: bool, full: bool) -> dict[str, Value]:
    """Measures, prints a row per figure and the last line, and gives the figures.

    ``full`` watches a million parcels; ``quick`` (the default) a hundred thousand, for a minute.
    """
    if quick and full:
        raise ValueError("either quick or full")
    return measured(FULL if full else QUICK, "full" if full else "quick")


def measured(sizes: Sizes, mode: str) -> dict[str, Value]:
    """The figures of some sizes."""
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="esm-bench-") as folder, postgres_server() as dsn:
        bench = Bench(sizes, Path(folder), dsn)
        bench.sqlite()
        bench.postgres()
        bench.together()
    figures = completed(
        {
            **bench.figures,
            "mode": mode,
            "cpus": float(os.cpu_count() or 0),
            "python": platform.python_version(),
            "seconds": rounded(time.perf_counter() - begun),
        },
        bench.units,
    )
    print(last_line(figures), flush=True)
    return figures


if __name__ == "__main__":
    run(quick=True, full=False)
