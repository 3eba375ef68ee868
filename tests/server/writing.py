"""What tests of the write path share: a running writer, calls, and looks into its log."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID

from esm import commands as c
from esm.exception.state import Case
from esm.order.state import Order
from server.app import Running, running
from server.settings import Settings
from server.storage.records import LogRow, Submission
from server.submission import Answer, Call
from tests.esm import given as g
from tests.esm.story import CATALOGUE

LOG_ROWS_MAX = 100_000

_numbers = itertools.count(1)


def call(request_id: str = "", **changes: Any) -> Call:
    """A call of a request id of its own, unless one is given."""
    fields: dict[str, Any] = {"tenant": "t1", "actor": "ann", "assurance": "asserted"}
    return Call(request_id=request_id or f"auto-{next(_numbers)}", **(fields | changes))


def run(settings: Settings, test: Callable[[Running], Awaitable[None]]) -> None:
    """Run a test in the loop of a server; at its end no lock is held."""

    async def main() -> None:
        async with running(settings) as server:
            await test(server)
            assert len(server.writer.locks) == 0

    asyncio.run(main())


@contextlib.asynccontextmanager
async def two(settings: Settings) -> AsyncIterator[tuple[Running, Running]]:
    """Two servers on one store."""
    async with running(settings) as one, running(settings) as other:
        yield one, other
        assert len(one.writer.locks) == len(other.writer.locks) == 0


def rows(server: Running, tenant: str = "t1") -> list[LogRow]:
    """Every event of a tenant."""
    found = server.store.application.events_log.select_log(0, LOG_ROWS_MAX)
    return [row for row in map(LogRow._make, found) if row.tenant == tenant]


def versions(server: Running, aggregate: UUID) -> list[int]:
    """The versions of an aggregate's events, in the order of the log."""
    return [row.version for row in rows(server) if row.aggregate_id == aggregate]


def without_gaps(server: Running) -> bool:
    """Whether every aggregate's versions count from 1."""
    aggregates = {row.aggregate_id for row in rows(server)}
    return all(
        versions(server, a) == list(range(1, len(versions(server, a)) + 1)) for a in aggregates
    )


def state(server: Running, aggregate: UUID) -> Any:
    """The state folded from the log."""
    return server.store.application.state_at(aggregate)[1]


def case_of(answer: Answer) -> Case:
    """The case that an answer shows first."""
    return next(s for _, _, s in answer.targets if isinstance(s, Case))


def order_of(answer: Answer) -> Order:
    """The order that an answer shows first."""
    return next(s for _, _, s in answer.targets if isinstance(s, Order))


async def opened(server: Running, code: str = "LOST", **changes: Any) -> str:
    """A case on the order O1, which is recorded when it is not; gives its id."""
    await server.writer.handle(g.record_order(), call())
    answer = await server.writer.handle(g.detection(code, **changes), call())
    return str(case_of(answer).id)


async def verified(server: Running, case: str, code: str = "LOST") -> None:
    """Complete the checklist of a case."""
    for item in CATALOGUE.type_of(code).checklist:
        await server.writer.handle(c.RecordVerification(exception_id=case, item=item), call())


@contextlib.contextmanager
def commits_held(server: Running) -> Iterator[threading.Event]:
    """Let no commit through until the event is set, or the block ends."""
    log: Any = server.store.application.events_log
    insert = log.insert_group
    let_through = threading.Event()

    def held(submissions: list[Submission]) -> list[int]:
        let_through.wait(30)
        positions: list[int] = insert(submissions)
        return positions

    log.insert_group = held
    try:
        yield let_through
    finally:
        let_through.set()
        del log.insert_group
