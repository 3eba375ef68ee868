"""Reads of the log for servicers: events of a tenant, and states folded from them."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar
from uuid import UUID

from esm.events import Recorded
from esm.evolve import State
from esm.exception.state import Case
from esm.order.state import Order
from server.application import Loaded, ShipmentExceptions, folded, recorded_of
from server.states import read_in
from server.storage.records import LogFilter

T = TypeVar("T")


class LogHistory:
    """Everything of one tenant at a time: another tenant's id is as if it did not exist."""

    def __init__(self, application: ShipmentExceptions, executor: Executor) -> None:
        self._application = application
        self._executor = executor

    async def events(
        self,
        tenant: str,
        *,
        aggregate_id: UUID | None = None,
        order_id: str | None = None,
        actor: str | None = None,
        topics: Sequence[str] = (),
        request_id: str | None = None,
        after: int = 0,
        limit: int,
    ) -> Sequence[Recorded]:
        """At most ``limit`` events that meet every condition given, position above ``after``."""
        where = LogFilter(
            tenant=tenant,
            aggregate_id=aggregate_id,
            order_id=order_id,
            actor=actor,
            topics=topics,
            request_id=request_id,
        )
        select = self._application.events_log.select_log
        rows = await self._in_thread(select, after, limit, where=where)
        return [recorded_of(row) for row in rows]

    async def state(self, tenant: str, aggregate_id: UUID) -> Loaded:
        """Version and state of an aggregate; (0, None) when this tenant has none."""
        load = self._application.load
        version, state = (await self._in_thread(load, [aggregate_id]))[aggregate_id]
        return (version, state) if _owned(state, tenant) else (0, None)

    async def fold(
        self,
        tenant: str,
        aggregate_id: UUID,
        *,
        version: int | None = None,
        occurred: int | None = None,
        recorded: int | None = None,
    ) -> tuple[int, State | None]:
        """How many events qualify, and the state they leave when folded in log order."""
        if version is not None:
            state_at = self._application.state_at
            found = await self._in_thread(state_at, aggregate_id, version)
            return found if _owned(found[1], tenant) else (0, None)
        select = self._application.events_log.select_aggregate
        rows = await self._in_thread(select, aggregate_id)
        events = [
            event
            for event in map(recorded_of, rows)
            if event.tenant == tenant
            and (occurred is None or event.occurred <= occurred)
            and (recorded is None or event.recorded <= recorded)
        ]
        state = folded(events)
        return (len(events), state) if state is not None else (0, None)

    async def max_position(self) -> int:
        """Position of the last event of the log, 0 when it is empty."""
        return await self._in_thread(self._application.events_log.max_position)

    async def _in_thread(self, function: Callable[..., T], *args: Any, **named: Any) -> T:
        return await read_in(self._executor, function, *args, **named)


def _owned(state: State | None, tenant: str) -> bool:
    return isinstance(state, Case | Order) and state.tenant == tenant
