"""What operators ask of a running server: how far everything is, and rebuilds."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from functools import partial

from esm.errors import RecordNotFound
from projections.engine import Progress as ViewProgress
from projections.rebuild import Outcome, Step, rebuild
from server.application import LogReader
from server.services.context import Parked, Progress, ProjectionState, Status
from server.store import Store

PARKED_SHOWN_MAX = 100


class Administration:
    """Status and rebuilds of one open store."""

    def __init__(self, store: Store, catalogue_digest: str, executor: Executor) -> None:
        self._store = store
        self._digest = catalogue_digest
        self._executor = executor

    async def status(self, tenant: str) -> Status:
        """The server's state with the parked events of one tenant, newest first."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, partial(self._status, tenant))

    async def rebuild(self, projection: str) -> AsyncIterator[Progress]:
        """Rebuild a projection beside the live one, compare, switch; tells how far it is."""
        found = next((p for p in self._store.projections if projection == p.NAME), None)
        if found is None:
            known = ", ".join(p.NAME for p in self._store.projections)
            raise RecordNotFound(
                f"there is no projection {projection!r}; there are: {known}",
                metadata={"projection": projection},
            )
        loop = asyncio.get_running_loop()
        log = LogReader(self._store.application.events_log)
        steps = rebuild(self._store.views, found, log)
        while (step := await loop.run_in_executor(None, partial(_next, steps))) is not None:
            yield _progress(step)

    def _status(self, tenant: str) -> Status:
        store = self._store
        last = store.application.events_log.max_position()
        progress = [store.views.progress(p.NAME) for p in store.projections]
        return Status(
            store_id=store.store_id,
            engine=store.engine,
            clock=store.clock_kind,
            catalogue=self._digest,
            position=last,
            projections=tuple(_state(p, last) for p in progress),
            parked=tuple(
                Parked(
                    projection=p.NAME,
                    position=parked.position,
                    event_id=parked.event_id,
                    topic=parked.topic,
                    reason=parked.reason,
                )
                for p in store.projections
                for parked in store.views.parked(p.NAME, tenant, PARKED_SHOWN_MAX)
            ),
        )


def _state(progress: ViewProgress, last: int) -> ProjectionState:
    stopped = ""
    if progress.halted_at:
        stopped = f"halted at an event: {progress.halted_reason}"
    return ProjectionState(
        name=progress.projection,
        position=progress.position,
        lag=max(last - progress.position, 0),
        stopped=stopped,
    )


def _next(steps: Iterator[Step | Outcome]) -> Step | Outcome | None:
    return next(steps, None)


def _progress(step: Step | Outcome) -> Progress:
    if isinstance(step, Step):
        return Progress(events_done=step.done, events_total=step.total)
    return Progress(
        events_done=step.position,
        events_total=step.position,
        done=True,
        equal=step.equal,
        live_digest=step.live_digest,
        rebuilt_digest=step.rebuilt_digest,
    )
