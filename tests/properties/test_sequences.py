"""Any sequence of commands, legal or not, leaves books that balance and a log that replays."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from shipment_exception.v1 import exception_pb2

from esm import errors
from esm.evolve import State
from server.app import Running
from server.client import METHODS, Client, connect
from server.settings import Settings
from tests.properties import invariants as inv
from tests.properties.commands import OPS, WEIGHTS, asked
from tests.properties.scripts import SCRIPTS
from tests.properties.world import Op, Seen, World
from tests.serving import postgres_settings, serving, sqlite_settings

COMMANDS_MIN, COMMANDS_MAX = 12, 40
REBUILD_EVERY = 60
"""Sequences between two rebuilds; the last one comes after all of them."""

UNPROVOKED = {
    errors.Contention: "needs another server on the same store: tests/server/test_two_writers.py",
    errors.QueueFull: "needs a full queue: tests/server/test_writer.py",
    errors.HistoryUnreadable: "needs a log written by a newer version",
    errors.StorageUnavailable: "needs a store that fails",
    errors.Muted: "detection alone meets it: tests/esm/test_deviation.py",
    errors.Expected: "detection alone meets it: tests/esm/test_deviation.py",
    errors.ClockBackwards: "needs a store that follows a feed: tests/esm/test_clock.py",
}
"""Refusals that no client of one sound server can provoke, and where they are met instead."""

REFUSED_HERE = {"AdvanceClock"}
"""What a store that follows the wall clock never does."""

operations = st.builds(
    Op,
    name=st.sampled_from([name for name in OPS for _ in range(WEIGHTS.get(name, 1))]),
    a=st.integers(0, 3),
    b=st.integers(0, 10),
    c=st.integers(0, 7),
)
sequences = st.lists(operations, min_size=COMMANDS_MIN, max_size=COMMANDS_MAX)


class Runs:
    """All sequences against one server, each on a tenant of its own."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.seen = Seen()
        self.begun = time.monotonic()
        self.sequences = self.commands = 0

    def _world(self) -> World:
        self.sequences += 1
        tenant = f"t{self.sequences}"
        return World(connect(self.server.address, tenant=tenant, actor="ann"), self.seen)

    def script(self, play: Callable[[World], None]) -> None:
        """Play a sequence written by hand and check what it leaves."""
        world = self._world()
        with world.client:
            play(world)
            self._check(world, [])

    def sequence(self, recognised: bool, verified: bool, ops: list[Op]) -> None:
        """Run drawn operations and check what they leave, the books also half-way."""
        world = self._world()
        with world.client:
            world.begin(recognised=recognised, verified=verified)
            entries: list[Any] = []
            for number, op in enumerate(ops):
                if number == len(ops) // 2:
                    entries = inv.check_entries(world, entries)
                self._run(world, op)
            self._check(world, entries)
            if self.sequences % REBUILD_EVERY == 0:
                inv.rebuild_equals_live(world)

    def _run(self, world: World, op: Op) -> None:
        """The operation; now and then as a preview before, or sent again after it."""
        rpc, request, actor = asked(world, op)
        self.commands += 1
        if op.c == 0 and rpc != "RecordCarrierCharges":
            world.do(rpc, {**request, "validate_only": True, "request_id": "preview"}, actor)
        done = rpc == "RecordCarrierCharges"
        if done:
            world.do_all(rpc, "charges", request["charges"])
        else:
            done = not world.do(rpc, request, actor)
        if op.c == 1 and done and world.previous is not None:
            rpc, request, actor, answer = world.previous
            assert world.call(rpc, request, actor) == answer, "sent again, answered otherwise"

    def _check(self, world: World, entries: list[Any]) -> None:
        cached: dict[UUID, tuple[int, State | None]] = dict(self.server.writer.states._cache)
        inv.check_replay(world, cached)
        entries = inv.check_entries(world, entries)
        inv.check_trial_balance(world, entries)
        inv.check_order(world)
        inv.check_audit(world, entries)

    def rebuilt(self) -> None:
        """Rebuild at the end, and find every tenant's entries unchanged by it."""
        tenants = [f"t{number}" for number in range(1, self.sequences + 1, 7)]
        before = {tenant: self._entries(tenant) for tenant in tenants}
        with connect(self.server.address, tenant="t1") as client:
            inv.rebuild_equals_live(World(client, self.seen))
        assert {tenant: self._entries(tenant) for tenant in tenants} == before

    def _entries(self, tenant: str) -> list[Any]:
        client: Client
        with connect(self.server.address, tenant=tenant) as client:
            return inv.listed(World(client, self.seen), "ListEntries", "entries")


def check_coverage(seen: Seen) -> None:
    """Each RPC, each outcome of an action and each refusal occurred."""
    assert set(METHODS) - set(seen.rpcs) == REFUSED_HERE
    outcomes = {value.name for value in exception_pb2.ActionOutcome.DESCRIPTOR.values}
    assert outcomes - set(seen.outcomes) == {"ACTION_OUTCOME_UNSPECIFIED"}
    reasons = {cls.reason for cls in errors.DomainError.__subclasses__() if cls not in UNPROVOKED}
    assert reasons - set(seen.reasons) == set()
    assert set(seen.reasons) <= reasons


def run_all(server_settings: Settings, examples: int) -> None:
    with serving(server_settings) as server:
        runs = Runs(server)
        for play in SCRIPTS:
            runs.script(play)

        @settings(
            max_examples=examples,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.booleans(), st.sampled_from([True, True, True, False]), sequences)
        def any_sequence(recognised: bool, verified: bool, ops: list[Op]) -> None:
            runs.sequence(recognised, verified, ops)

        any_sequence()
        runs.rebuilt()
        assert runs.sequences >= examples
        check_coverage(runs.seen)


def test_300_sequences_on_sqlite(tmp_path: Path) -> None:
    run_all(sqlite_settings(tmp_path / "store"), 300)


@pytest.mark.usefixtures("postgres_schema")
def test_50_sequences_on_postgresql(postgres_dsn: str, postgres_schema: str) -> None:
    run_all(postgres_settings(postgres_dsn, postgres_schema), 50)
