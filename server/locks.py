"""Locks by aggregate id, first come first served, taken in id order: no ring of waiters."""

import asyncio
from collections import deque
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from uuid import UUID


class KeyedLocks:
    """Locks of one event loop; a key without holder costs nothing."""

    def __init__(self) -> None:
        self._held: dict[UUID, deque[asyncio.Future[None]] | None] = {}

    async def acquire(self, keys: AbstractSet[UUID]) -> None:
        """Take all keys, in id order. Cancelled while waiting, it holds none of them."""
        if self._held.keys().isdisjoint(keys):
            self._held.update(dict.fromkeys(keys))
            return
        taken: list[UUID] = []
        try:
            for key in sorted(keys):
                if key in self._held:
                    await self._wait(key)
                else:
                    self._held[key] = None
                taken.append(key)
        except BaseException:
            self.release(taken)
            raise

    def release(self, keys: Iterable[UUID]) -> None:
        """Give keys back; the next in line has each from now on."""
        for key in keys:
            waiting = self._held.pop(key)
            while waiting:
                following = waiting.popleft()
                if not following.done():
                    self._held[key] = waiting
                    following.set_result(None)
                    break

    def __len__(self) -> int:
        return len(self._held)

    async def _wait(self, key: UUID) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._held[key]
        if waiting is None:
            waiting = self._held[key] = deque()
        waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            # The lock may have been handed over in the same moment.
            if turn.done() and not turn.cancelled():
                self.release([key])
            raise
