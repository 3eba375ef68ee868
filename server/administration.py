"""What operators ask of a running server: how far everything is, and rebuilds."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Executor
from functools import partial

from msgspec.structs import replace

from esm.commands import AdvanceClock
from esm.errors import RecordNotFound
from esm.times import instant, micros
from projections.engine import Progress as ViewProgress
from projections.rebuild import Outcome, Step, rebuild
from server.application import LogReader
from server.clock import PolicyClock
from server.services.context import (
    Advanced,
    Parked,
    Progress,
    ProjectionState,
    Status,
    Timekeeper,
    WebhookCount,
    Writer,
)
from server.states import read_in
from server.store import Store
from server.submission import Call
from server.writer import OCCURRED_MIN

PARKED_SHOWN_MAX = 100


class Administration:
    """Status, clock and rebuilds of one open store.

    ``clock`` is that of policies and timers. ``counts`` tells for a moment (microseconds UTC) how
    many shipments are watched and how many of them are due. ``unknown_codes`` are those that the
    intake counted, by feed; ``messages`` tells how many messages to webhooks there were, by feed
    and outcome.
    """

    def __init__(
        self,
        store: Store,
        catalogue_digest: str,
        executor: Executor,
        *,
        writer: Writer,
        clock: PolicyClock,
        timekeeper: Timekeeper,
        counts: Callable[[int], tuple[int, int]],
        unknown_codes: Mapping[str, int],
        messages: Callable[[], Mapping[tuple[str, str], int]],
    ) -> None:
        self._store = store
        self._digest = catalogue_digest
        self._executor = executor
        self._writer = writer
        self._clock = clock
        self._timekeeper = timekeeper
        self._counts = counts
        self._unknown_codes = unknown_codes
        self._messages = messages

    async def advance_clock(self, command: AdvanceClock, call: Call) -> Advanced:
        """Set the clock of a store that follows a feed, and send all that is due until then."""
        # The advance occurs at the time that it makes the present.
        if self._store.feed is not None and command.to >= OCCURRED_MIN:
            call = replace(call, occurred=command.to)
        answer = await self._writer.handle(command, call)
        if call.validate_only:
            return Advanced(
                clock=command.to, position=answer.position, fired=0, events=answer.events
            )
        feed = self._store.feed
        assert feed is not None, "the domain refuses to advance a wall clock"
        feed.advance(micros(command.to))
        fired = await self._timekeeper.run_until(feed.micros())
        log = self._store.application.events_log
        position = await read_in(self._executor, log.max_position)
        return Advanced(clock=instant(feed.micros()), position=position, fired=fired)

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
        now = self._clock.micros() if store.feed is None else store.feed.refresh()
        watched, due = self._counts(now)
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
            clock_time=instant(now),
            watched=watched,
            due_now=due,
            detection_latency_p50_seconds=self._timekeeper.latency_seconds(50),
            detection_latency_p99_seconds=self._timekeeper.latency_seconds(99),
            unknown_codes=dict(self._unknown_codes),
            webhooks=tuple(
                WebhookCount(feed=feed, outcome=outcome, messages=messages)
                for (feed, outcome), messages in sorted(self._messages().items())
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
