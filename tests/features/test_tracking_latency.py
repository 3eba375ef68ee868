"""How long a detection takes, on the clock of the wall (A23)."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from server.settings import Settings
from tests.scenarios.driver import World
from tests.scenarios.watching import Watch
from tests.server.esm import Esm
from tests.serving import client, serving

LIMIT_SECONDS = 300
PARCELS = 20


@pytest.fixture
def watch(fresh: Settings, tenant: str) -> Iterator[Watch]:
    """A world on a server of its own that follows the wall clock."""
    with serving(fresh) as server, client(server.address, tenant=tenant) as stubs:
        yield Watch(World(stubs, tenant))


def test_the_time_from_threshold_to_event_is_measured_and_short(watch: Watch) -> None:
    """A23."""
    before = watch.status()
    assert (before.detection_latency_p50_seconds, before.detection_latency_p99_seconds) == (0, 0)
    threshold = datetime.now(UTC) + timedelta(seconds=2)
    labelled = Timestamp()
    labelled.FromDatetime(threshold - timedelta(hours=18))
    for number in range(PARCELS):
        watch.register(f"S{number}", labelled_at=labelled)
    assert watch.status().watched == PARCELS
    while len(watch.cases()) < PARCELS:
        assert datetime.now(UTC) < threshold + timedelta(seconds=LIMIT_SECONDS)
        time.sleep(0.1)
    found = watch.world.history('topic = "exception.detected.v1"')
    latencies = sorted((e.recorded.ToDatetime(UTC) - threshold).total_seconds() for e in found)
    assert latencies[0] >= 0
    assert latencies[-1] < LIMIT_SECONDS
    status = watch.status()
    p50, p99 = status.detection_latency_p50_seconds, status.detection_latency_p99_seconds
    # What is shown is what the log says, but for the way to the log and back.
    assert 0 < p50 <= p99 < LIMIT_SECONDS
    assert abs(p99 - latencies[-1]) < 10
    shown = Esm(watch.world.client.address).run("status").stdout
    assert "detection_latency_p99_seconds" in shown
