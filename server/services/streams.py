"""Streams of requests that are answered one by one, in order."""

from __future__ import annotations

import asyncio
from asyncio import Task
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

R = TypeVar("R")
T = TypeVar("T")


async def in_order(
    requests: AsyncIterator[R],
    work: Callable[[R], Awaitable[T]],
    stopping: asyncio.Event,
    *,
    ahead: int,
) -> AsyncIterator[T]:
    """The results of requests, in their order, while up to ``ahead`` of them are worked on.

    Ends with the requests, or once ``stopping`` is set and what was taken is answered. What a
    request, or the work on it, raises is raised in its place.
    """
    source = aiter(requests)
    stopped = asyncio.ensure_future(stopping.wait())
    coming: Task[R | None] | None = asyncio.create_task(_next(source))
    taken: deque[Task[T]] = deque()
    failed: BaseException | None = None
    try:
        while coming is not None or taken:
            awaited: list[asyncio.Future[Any]] = [stopped] if coming is not None else []
            if coming is not None and len(taken) < ahead:
                awaited.append(coming)
            awaited += [taken[0]] if taken else []
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if taken and taken[0].done():
                yield taken.popleft().result()
            if coming is not None and coming.done() and len(taken) < ahead:
                failed = coming.exception()
                request = None if failed else coming.result()
                if request is not None:
                    taken.append(asyncio.create_task(_worked(work, request)))
                coming = None if request is None else asyncio.create_task(_next(source))
            if coming is not None and stopped.done():
                await _given_up(coming)
                coming = None
        if failed is not None:
            raise failed
    finally:
        left = [stopped, *taken, *([coming] if coming is not None else [])]
        await _given_up(*left)


async def _next(source: AsyncIterator[R]) -> R | None:
    return await anext(source, None)


async def _worked(work: Callable[[R], Awaitable[T]], request: R) -> T:
    return await work(request)


async def _given_up(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
