"""`esm bench core`: every figure of design §9 that is built, against its yardstick."""

import contextlib
import gc
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil
import psycopg
from eventsourcing.utils import Environment

from benchmarks import events, storage, umadb_server
from benchmarks.frame import (
    REQUIRED,
    Pair,
    Run,
    Value,
    completed,
    interleave,
    is_valid,
    last_line,
    put_ratio,
    rates,
    ratio,
    rounded,
    said,
)
from benchmarks.load import ECHO, ESM, PLAIN
from benchmarks.ours import serve
from benchmarks.processes import Child, module, started
from projections.engine import Engine
from projections.ledger.projection import LedgerProjection
from projections.postgres import PostgresEngine
from projections.sqlite import SqliteEngine
from server.storage.log import EventLog
from server.storage.postgres import PostgresLogFactory, postgres_environment
from server.storage.sqlite import SqliteLogFactory
from tests.postgres_server import postgres_server

SERVED_SCHEMA: Final = "esm"
LEDGER_SCHEMA: Final = "esm_ledger"
PLAIN_SCHEMA: Final = "plain"
INSERT_SCHEMA: Final = "inserts"
MEGABYTE: Final = 1_000_000

LAST_PART_SECONDS_MAX: Final = 90.0
"""A quick measurement that has taken longer leaves out the figure that is only informative."""


class Sizes(NamedTuple):
    """How much is measured. Limits are operations a run; 0 = as many as there is time for.

    Void pairs are repeated up to ``attempts`` in all while fewer than ``seconds`` have gone by.
    """

    pairs: int
    attempts: int
    unary_seconds: float
    unary_limit: int
    batch_seconds: float
    batch_limit: int
    insert_limit: int
    warm_seconds: float
    ledger_cases: int
    replay_cases: int
    umadb_seconds: float
    ryw_writes: int
    rss_cases: int
    seconds: float


QUICK: Final = Sizes(3, 4, 1.5, 9_000, 0.8, 3_000, 20_000, 0.6, 1_500, 3_500, 1.0, 150, 0, 55.0)
"""Ends within 100 seconds and writes at most 100,000 rows of anything."""

FULL: Final = Sizes(5, 9, 10.0, 0, 5.0, 0, 0, 5.0, 20_000, 25_000, 5.0, 1_000, 100_000, 1_800.0)
"""The sizes of design §9."""


class Bench:
    """One measurement: what it found, what it still may do, and where it keeps its files."""

    def __init__(self, sizes: Sizes, folder: Path, dsn: str) -> None:
        self.sizes = sizes
        self.folder = folder
        self.dsn = dsn
        self.figures: dict[str, Value] = {}
        self._repeat_until = time.perf_counter() + sizes.seconds

    def unary(self) -> None:
        """The mix on both engines, against the echo and the plain service."""
        with self._esm("sqlite", data=self.folder / "sqlite") as sqlite:
            samples = self._samples(sqlite)
            with self._loaded(ECHO, module("echo_server", {"samples": samples})) as echo:
                echo.ask(do="prepare")
                self._warm(echo)
                self._unary_pairs("sqlite", echo, sqlite)
                self._ryw("sqlite", sqlite)
        plain_command = module("plain_server", {"dsn": self.dsn, "schema": PLAIN_SCHEMA})
        with (
            self._esm("postgres", dsn=self.dsn, schema=SERVED_SCHEMA) as postgres,
            self._loaded(PLAIN, plain_command) as plain,
            self._loaded(ECHO, module("echo_server", {"samples": samples})) as echo,
        ):
            for child in (echo, plain):
                child.ask(do="prepare")
                self._warm(child)
            self._unary_pairs("postgres", echo, postgres, plain)
            self._ryw("postgres", postgres)
            self._batch(postgres)
        both = [self.figures[f"ryw_{engine}_p99_ms"] for engine in ("sqlite", "postgres")]
        self.figures["ryw_p99_ms"] = max(x for x in both if isinstance(x, int | float))
        self._say("ryw_p99_ms")

    def replay(self) -> None:
        """Read, decode and fold, against a bare decode-and-fold of the same payloads."""
        history = list(events.replay_log(self.sizes.replay_cases))
        with self._sqlite_log("replay", history) as log:
            made = self._pairs(
                lambda: storage.bare_fold(history), lambda: storage.replay(log, len(history))
            )
        self._put("replay", "replay_vs_bare_fold", made)
        self.figures["bare_fold_events_per_s"] = rounded(rates([p.yardstick for p in made]))

    def ledger(self) -> None:
        """The ledger projection on both engines, against bare inserts of the same rows."""
        history = list(events.ledger_log(self.sizes.ledger_cases))
        views = self.folder / "ledger-views.db"
        with (
            self._sqlite_log("ledger", history) as log,
            contextlib.closing(SqliteEngine(views)) as engine,
        ):
            self._ledger("sqlite", engine, log, lambda: storage.SqliteWriter(views))
        factory = PostgresLogFactory(Environment("", postgres_environment(self.dsn, LEDGER_SCHEMA)))
        with (
            contextlib.closing(factory),
            contextlib.closing(PostgresEngine(self.dsn, schema=LEDGER_SCHEMA)) as engine,
        ):
            log = factory.application_recorder()
            storage.load_log(log, history)
            with psycopg.connect(self.dsn, autocommit=True) as connection:
                connection.execute("VACUUM (ANALYZE)")
            self._ledger(
                "postgres", engine, log, lambda: storage.PostgresWriter(self.dsn, LEDGER_SCHEMA)
            )

    def umadb(self) -> None:
        """A raw event store, for information."""
        try:
            run = umadb_server.appends(self.folder, self.sizes.umadb_seconds)
        except umadb_server.Unavailable as error:
            self.figures["umadb_appends_per_s"] = None
            self.figures["umadb_reason"] = str(error)
        else:
            self.figures["umadb_appends_per_s"] = rounded(run.per_second)
        self._say("umadb_appends_per_s")

    def rss(self) -> None:
        """What `esm serve` on SQLite holds after many cases came in and each was read once."""
        data = self.folder / "rss"
        with (
            serve(data=data, log=self.folder / "esm-rss.log") as server,
            self._load(ESM, server.address, "rss") as load,
        ):
            empty = _resident(server.pid)
            done = load.ask(do="fill", cases=self.sizes.rss_cases)
            if done["cases"] != self.sizes.rss_cases:
                raise RuntimeError(f"only {done['cases']} cases came in")
            self.figures["rss_mb_100k_open"] = rounded(_resident(server.pid) / MEGABYTE)
            self.figures["rss_mb_at_start"] = rounded(empty / MEGABYTE)
        self._say("rss_mb_100k_open")

    def _unary_pairs(
        self, engine: str, echo: Child, ours: Child, plain: Child | None = None
    ) -> None:
        """Runs echo, ours and (if given) plain in turn; ours is paired with each of the others."""
        against_plain: list[Pair] = []
        last: list[Run] = []

        def run_ours() -> Run:
            last[:] = [self._unary_run(ours)]
            return last[0]

        def run_echo() -> Run:
            if plain is not None and last:
                against_plain.append(Pair(self._unary_run(plain), last[0]))
            return self._unary_run(echo)

        made = self._pairs(run_echo, run_ours)
        self._put(f"unary_{engine}", f"unary_{engine}_vs_echo", made, unit="per_s")
        self.figures["echo_per_s"] = rounded(rates([p.yardstick for p in made]))
        valid = [p.ours for p in made if is_valid(p)]
        for field in ("p50_ms", "p99_ms"):
            found = sorted(getattr(run, field) for run in valid)
            self.figures[f"unary_{engine}_{field}"] = rounded(
                found[len(found) // 2] if found else None
            )
        if plain is not None:
            against_plain.append(Pair(self._unary_run(plain), last[0]))
            put_ratio(self.figures, f"unary_{engine}_vs_plain", ratio(against_plain))
            self.figures["plain_per_s"] = rounded(rates([p.yardstick for p in against_plain]))
            self._say(f"unary_{engine}_vs_plain")

    def _batch(self, ours: Child) -> None:
        """Batch detect, against bare inserts of as many events a transaction as a call has signals.

        A signal that is accepted into work records two events; the strict ratio counts signals.
        """
        sample = list(events.replay_log(1))[1]
        recorded: list[Run] = []

        def run_ours() -> Run:
            answer = ours.ask(do="batch", **question)
            run = run_of(answer)
            recorded.append(run._replace(per_second=answer["events_per_second"]))
            return run

        question = {"seconds": self.sizes.batch_seconds, "limit": self.sizes.batch_limit}
        with contextlib.closing(storage.Inserts(self.dsn, INSERT_SCHEMA, sample)) as inserts:
            limit = self.sizes.insert_limit
            inserts.run(self.sizes.warm_seconds / 4, limit)
            made = self._pairs(lambda: inserts.run(self.sizes.batch_seconds, limit), run_ours)
        self._put("batch_postgres", "batch_postgres_vs_insert", made, unit="signals_per_s")
        by_events = [Pair(p.yardstick, run) for p, run in zip(made, recorded, strict=True)]
        self._put("batch_postgres", "batch_postgres_events_vs_insert", by_events)
        self.figures["insert_events_per_s"] = rounded(rates([p.yardstick for p in made]))

    def _ledger(
        self,
        name: str,
        engine: Engine,
        log: EventLog,
        connect: Callable[[], storage.Writer],
    ) -> None:
        engine.ensure(LedgerProjection().spec)
        ledger = storage.Ledger(engine, log, connect)
        gc.collect()
        gc.freeze()
        ledger.ours()
        made = self._pairs(ledger.bare, ledger.ours)
        self._put(f"ledger_{name}", f"ledger_{name}_vs_insert", made)
        bare = rounded(rates([p.yardstick for p in made]))
        self.figures[f"ledger_{name}_insert_events_per_s"] = bare

    def _ryw(self, engine: str, load: Child) -> None:
        found = load.ask(do="ryw", count=self.sizes.ryw_writes)
        self.figures[f"ryw_{engine}_p50_ms"] = rounded(found["p50_ms"])
        self.figures[f"ryw_{engine}_p99_ms"] = rounded(found["p99_ms"])

    def _unary_run(self, load: Child) -> Run:
        return run_of(
            load.ask(do="run", seconds=self.sizes.unary_seconds, limit=self.sizes.unary_limit)
        )

    def _warm(self, load: Child) -> None:
        load.ask(do="run", seconds=self.sizes.warm_seconds, limit=self.sizes.unary_limit)

    def _pairs(self, yardstick: Callable[[], Run], ours: Callable[[], Run]) -> list[Pair]:
        pairs = self.sizes.pairs
        attempts = self.sizes.attempts if time.perf_counter() < self._repeat_until else pairs
        return interleave(yardstick, ours, pairs=pairs, attempts=attempts)

    def _put(
        self, name: str, against: str, made: Sequence[Pair], *, unit: str = "events_per_s"
    ) -> None:
        put_ratio(self.figures, against, ratio(made))
        self.figures[f"{name}_{unit}"] = rounded(rates([p.ours for p in made]))
        self._say(f"{name}_{unit}", against)

    def _say(self, *names: str) -> None:
        """Prints figures as soon as they are there."""
        for name in names:
            print(said(self.figures, name, REQUIRED.get(name, "")), flush=True)

    def _samples(self, load: Child) -> Path:
        folder = self.folder / "samples"
        folder.mkdir()
        load.ask(do="sample", folder=str(folder))
        return folder

    @contextlib.contextmanager
    def _esm(self, name: str, **store: Any) -> Iterator[Child]:
        """Our server on a store, with the cases of the load in it and warm."""
        log = self.folder / f"esm-{name}.log"
        with serve(**store, log=log) as server, self._load(ESM, server.address, name) as load:
            load.ask(do="prepare")
            self._warm(load)
            yield load

    @contextlib.contextmanager
    def _loaded(self, kind: str, command: Sequence[str]) -> Iterator[Child]:
        """The load process of a yardstick that is started for it."""
        with started(command, self.folder / f"{kind}.log") as server:
            address = server.answer()["address"]
            with self._load(kind, address, kind) as load:
                yield load

    @contextlib.contextmanager
    def _load(self, kind: str, address: str, name: str) -> Iterator[Child]:
        command = module("load", {"address": address, "kind": kind})
        with started(command, self.folder / f"load-{name}.log") as load:
            load.answer()
            yield load

    @contextlib.contextmanager
    def _sqlite_log(self, name: str, history: Sequence[Any]) -> Iterator[EventLog]:
        path = self.folder / f"{name}-events.db"
        factory = SqliteLogFactory(Environment("", {"SQLITE_DBNAME": str(path)}))
        with contextlib.closing(factory):
            log = factory.application_recorder()
            storage.load_log(log, history)
            gc.collect()
            gc.freeze()
            yield log
        gc.unfreeze()


def run_of(answer: dict[str, Any]) -> Run:
    """A run as a load process reports it."""
    return Run(**{name: answer[name] for name in Run._fields if name in answer})


def run(quick: bool, full: bool) -> dict[str, Value]:
    """Measures, prints a row per figure and the last line, and gives the figures.

    ``full`` takes the sizes of design §9, ``quick`` (the default) ends within 100 seconds.
    """
    if quick and full:
        raise ValueError("either quick or full")
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="esm-bench-") as folder, postgres_server() as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {PLAIN_SCHEMA}".encode())
        bench = Bench(FULL if full else QUICK, Path(folder), dsn)
        bench.unary()
        bench.ledger()
        bench.replay()
        if full or time.perf_counter() < begun + LAST_PART_SECONDS_MAX:
            bench.umadb()
        if full:
            bench.rss()
    figures = completed(
        {
            **bench.figures,
            "mode": "full" if full else "quick",
            "cpus": float(os.cpu_count() or 0),
            "python": platform.python_version(),
            "seconds": rounded(time.perf_counter() - begun),
        }
    )
    print(last_line(figures), flush=True)
    return figures


def _resident(pid: int) -> int:
    """Bytes that a process and its children hold in memory."""
    process = psutil.Process(pid)
    found: int = sum(p.memory_info().rss for p in (process, *process.children(recursive=True)))
    return found


if __name__ == "__main__":
    run(quick=True, full=False)
