"""Locks by aggregate id, first come first served, taken in id order: no ring of waiters."""

import asyncio
from collections import deque
from collections.abc import Collection
from uuid import UUID


class KeyedLocks:
    """Locks of one event loop; a key without holder costs nothing."""

    def __init__(self) -> None:
        self._held: dict[UUID, deque[asyncio.Future[None]]] = {}

    async def acquire(self, keys: Collection[UUID]) -> None:
        """Take all keys, in id order. Cancelled while waiting, it holds none of them."""
        taken: list[UUID] = []
        try:
            for key in sorted(keys):
                waiting = self._held.get(key)
                if waiting is None:
                    self._held[key] = deque()
                else:
                    await self._wait(key, waiting)
                taken.append(key)
        except BaseException:
            self.release(taken)
            raise

    def release(self, keys: Collection[UUID]) -> None:
        """Give keys back; the next in line has each from now on."""
        for key in keys:
            waiting = self._held[key]
            while waiting:
                following = waiting.popleft()
                if not following.done():
                    following.set_result(None)
                    break
            else:
                del self._held[key]

    def __len__(self) -> int:
        return len(self._held)

    async def _wait(self, key: UUID, waiting: deque[asyncio.Future[None]]) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            # The lock may have been handed over in the same moment.
            if turn.done() and not turn.cancelled():
                self.release([key])
            raise
