"""The client's own account of what it asked and what it was told, on disk before it goes on."""

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACKNOWLEDGED = "acknowledged"
UNKNOWN = "unknown"


@dataclass(slots=True)
class Asked:
    """One command: what was asked, and what is known of its outcome ("" before any)."""

    request_id: str
    rpc: str
    request: dict[str, Any]
    outcome: str = ""
    answer: str = ""


class Record:
    """Lines of JSON, appended and synced; several callers share one sync.

    ``write`` returns when the line is on disk. The judge reads the file, not the memory of those
    who wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def invoke(self, asked: Asked) -> None:
        """Note a command before it is sent."""
        line = {"id": asked.request_id, "rpc": asked.rpc, "request": asked.request}
        await self._write(line)

    async def settle(self, request_id: str, outcome: str, answer: str = "") -> None:
        """Note what became of a command."""
        await self._write({"id": request_id, "outcome": outcome, "answer": answer})

    async def _write(self, line: dict[str, Any]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((json.dumps(line).encode() + b"\n", done))
        if self._flushing is None:
            self._flushing = asyncio.ensure_future(self._flush())
        await done

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await asyncio.to_thread(_append, self.path, b"".join(line for line, _ in batch))
            for _, done in batch:
                if not done.done():
                    done.set_result(None)
        self._flushing = None


def read(path: Path) -> dict[str, Asked]:
    """Everything on record by request id; a later outcome replaces an earlier one."""
    found: dict[str, Asked] = {}
    for text in path.read_text("utf-8").splitlines():
        line = json.loads(text)
        if "rpc" in line:
            found[line["id"]] = Asked(line["id"], line["rpc"], line["request"])
        else:
            found[line["id"]].outcome = line["outcome"]
            found[line["id"]].answer = line["answer"]
    return found


def _append(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
