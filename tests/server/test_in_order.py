"""Requests of a stream that are worked on at once and answered in their order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from server.services.streams import in_order


async def sent(*requests: int, error: Exception | None = None) -> AsyncIterator[int]:
    for request in requests:
        yield request
    if error is not None:
        raise error


class Desk:
    """Work that ends when a test says so."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.may_end: dict[int, asyncio.Event] = {}
        self.cancelled: list[int] = []

    def end(self, *requests: int) -> None:
        for request in requests:
            self.may_end.setdefault(request, asyncio.Event()).set()

    async def work(self, request: int) -> str:
        self.begun.append(request)
        try:
            await self.may_end.setdefault(request, asyncio.Event()).wait()
        except asyncio.CancelledError:
            self.cancelled.append(request)
            raise
        return f"done {request}"


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def play(scene: Callable[[Desk, asyncio.Event], Awaitable[None]]) -> None:
    async def played() -> None:
        await asyncio.wait_for(scene(Desk(), asyncio.Event()), 10)

    asyncio.run(played())


async def collected(results: AsyncIterator[str], into: list[str]) -> None:
    async for result in results:
        into.append(result)


def test_a_later_request_that_is_done_first_is_answered_second() -> None:
    async def scene(desk: Desk, stopping: asyncio.Event) -> None:
        got: list[str] = []
        results = in_order(sent(1, 2, 3), desk.work, stopping, ahead=3)
        reading = asyncio.create_task(collected(results, got))
        await settled()
        assert desk.begun == [1, 2, 3]
        desk.end(3, 2)
        await settled()
        assert got == []
        desk.end(1)
        await reading
        assert got == ["done 1", "done 2", "done 3"]

    play(scene)


def test_no_more_requests_are_taken_than_may_be_ahead() -> None:
    async def scene(desk: Desk, stopping: asyncio.Event) -> None:
        got: list[str] = []
        results = in_order(sent(1, 2, 3, 4), desk.work, stopping, ahead=2)
        reading = asyncio.create_task(collected(results, got))
        await settled()
        assert desk.begun == [1, 2]
        desk.end(1)
        await settled()
        assert (got, desk.begun) == (["done 1"], [1, 2, 3])
        desk.end(2, 3, 4)
        await reading
        assert len(got) == 4

    play(scene)


def test_what_was_taken_is_answered_when_the_server_stops() -> None:
    async def scene(desk: Desk, stopping: asyncio.Event) -> None:
        endless: asyncio.Event = asyncio.Event()

        async def requests() -> AsyncIterator[int]:
            yield 1
            await endless.wait()

        got: list[str] = []
        results = in_order(requests(), desk.work, stopping, ahead=2)
        reading = asyncio.create_task(collected(results, got))
        await settled()
        stopping.set()
        await settled()
        assert not reading.done()
        desk.end(1)
        await reading
        assert got == ["done 1"]

    play(scene)


def test_what_the_requests_raise_comes_behind_the_answers() -> None:
    async def scene(desk: Desk, stopping: asyncio.Event) -> None:
        got: list[str] = []
        desk.end(1)
        results = in_order(sent(1, error=ValueError("garbage")), desk.work, stopping, ahead=2)
        with pytest.raises(ValueError, match="garbage"):
            await collected(results, got)
        assert got == ["done 1"]

    play(scene)


def test_what_the_work_raises_ends_it_in_its_place() -> None:
    async def scene(desk: Desk, stopping: asyncio.Event) -> None:
        async def work(request: int) -> str:
            if request == 2:
                await settled()
                raise ValueError("refused")
            return await desk.work(request)

        got: list[str] = []
        desk.end(1)
        with pytest.raises(ValueError, match="refused"):
            await collected(in_order(sent(1, 2, 3), work, stopping, ahead=3), got)
        assert got == ["done 1"]
        assert desk.cancelled == [3]

    play(scene)


def test_work_is_given_up_when_nobody_listens_any_more() -> None:
    async def scene(desk: Desk, stopping: asyncio.Event) -> None:
        got: list[str] = []
        results = in_order(sent(1, 2), desk.work, stopping, ahead=2)
        reading = asyncio.create_task(collected(results, got))
        await settled()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await settled()
        assert desk.cancelled == [1, 2]
        assert len(asyncio.all_tasks()) == 2  # the scene and the test around it

    play(scene)
