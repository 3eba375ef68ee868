"""Knows how far every projection is, and lets reads wait for a position."""

import asyncio
from collections.abc import Callable

POLL_SECONDS = 0.05
"""How often a wait looks itself: another process may be the one that projects."""


class Positions:
    """Positions by projection name, and who waits for them. One per event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, look: Callable[[str], int]) -> None:
        self._loop = loop
        self._look = look
        self._reached: dict[str, int] = {}
        self._waiting: dict[str, list[tuple[int, asyncio.Future[None]]]] = {}

    def advanced(self, name: str, position: int) -> None:
        """A projection got there; callable from any thread."""
        self._loop.call_soon_threadsafe(self._advance, name, position)

    async def reach(self, projection: str, position: int, timeout: float) -> bool:
        """Wait until a projection, or the log, has seen a position; False after the time-out."""
        deadline = self._loop.time() + timeout
        while self._reached.get(projection, 0) < position:
            left = deadline - self._loop.time()
            if left <= 0:
                return False
            turn: asyncio.Future[None] = self._loop.create_future()
            self._waiting.setdefault(projection, []).append((position, turn))
            await asyncio.wait([turn], timeout=min(left, POLL_SECONDS))
            if not turn.done():
                turn.cancel()
                looked = await asyncio.to_thread(self._look, projection)
                self._advance(projection, looked)
        return True

    def _advance(self, name: str, position: int) -> None:
        if position <= self._reached.get(name, 0):
            return
        self._reached[name] = position
        waiting = self._waiting.pop(name, [])
        later = [(wanted, turn) for wanted, turn in waiting if wanted > position]
        if later:
            self._waiting[name] = later
        for wanted, turn in waiting:
            if wanted <= position and not turn.done():
                turn.set_result(None)
