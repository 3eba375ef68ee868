"""Running projections over a log in tests."""

from random import Random

from projections.engine import Engine
from projections.pump import Projection, Pump
from projections.rebuild import Outcome, dump, rebuild
from tests.projections.samples import Log


def run(engine: Engine, projection: Projection, log: Log, limit: int = 500) -> int:
    """Project everything there is; how many events were scanned."""
    engine.ensure(projection.spec)
    pump = Pump(engine, projection, log)
    total = 0
    while count := pump.run_once(limit):
        total += count
    return total


def run_in_random_batches(engine: Engine, projection: Projection, log: Log, seed: int) -> None:
    """Project everything there is, each batch of another size."""
    random = Random(seed)
    engine.ensure(projection.spec)
    while Pump(engine, projection, log).run_once(random.randrange(1, 40)):
        pass


def dumped(engine: Engine, projection: Projection) -> list[bytes]:
    """The canonical dump of the live view."""
    return engine.read(projection.NAME, lambda read: list(dump(read, projection.TABLES)))


def rebuilt(engine: Engine, projection: Projection, log: Log) -> Outcome:
    """The outcome of a whole rebuild."""
    *_, last = rebuild(engine, projection, log)
    assert isinstance(last, Outcome)
    return last
