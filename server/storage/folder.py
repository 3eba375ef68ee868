"""The data folder of an embedded store: who holds it, and its backup beside a live server."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

from server.storage.records import StoreProblem

LOCK_FILE = "lock"
EVENTS_FILE = "events.db"
KEYS_FILE = "keys.db"
TRACKING_FILE = "tracking.db"
FOLDER_MODE = 0o700
BUSY_SECONDS = 30


class StoreLocked(StoreProblem):
    """Another live process holds the data folder; `pid` is what it wrote, "" when unknown."""

    def __init__(self, folder: Path, pid: str) -> None:
        super().__init__(f"the store {folder} is held by process {pid or 'unknown'}")
        self.pid = pid


class StoreLock:
    """Holds a data folder for one process; the system lets go when the process ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._handle: int | None = None

    def acquire(self) -> None:
        """Takes the lock, making the folder when it is missing; raises StoreLocked."""
        self.folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        handle = os.open(self.folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(handle, 32).decode("ascii", "replace").strip()
            os.close(handle)
            raise StoreLocked(self.folder, pid) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._handle = handle

    def release(self) -> None:
        """Lets go. The file stays: deleting it would let two processes lock two files."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.release()


def backup_store(folder: Path, destination: Path, *, keys: bool = False) -> list[Path]:
    """Copies a store while its server runs; answers the files written.

    The copy holds every command acknowledged before the call, because a command is acknowledged
    after its commit and the copy is one read transaction begun later. Read models are not
    copied: a restored store rebuilds them. What carriers told goes before the events, so that it
    names no case that the copy lacks; what it has not told the log yet, it tells again. The
    persons' keys are copied only when `keys` says so: they have a backup policy of their own, or
    erasing a person would not erase. They go last, so that no event of the copy lacks a key that
    it was sealed with, unless the person was erased.

    Raises StoreProblem when there is no store, or a store already stands at the destination.
    """
    if not (folder / EVENTS_FILE).is_file():
        raise StoreProblem(f"there is no store in {folder}")
    wanted = (TRACKING_FILE, EVENTS_FILE, *((KEYS_FILE,) if keys else ()))
    names = [name for name in wanted if (folder / name).is_file()]
    for name in names:
        if (destination / name).exists():
            raise StoreProblem(f"{destination / name} exists already")
    destination.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    return [_copy(folder / name, destination / name) for name in names]


def _copy(source: Path, target: Path) -> Path:
    """Copies one database: complete, checked and fsynced, or not there under its name."""
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    reader = sqlite3.connect(
        f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS
    )
    try:
        writer = sqlite3.connect(partial)
        try:
            # All pages in one step: with more steps every commit of the server starts it again.
            reader.backup(writer, pages=-1)
            writer.execute("PRAGMA journal_mode=DELETE")
            found = writer.execute("PRAGMA integrity_check(1)").fetchone()[0]
        finally:
            writer.close()
    except sqlite3.Error as error:
        raise StoreProblem(f"the copy of {source} failed: {error}") from error
    finally:
        reader.close()
    if found != "ok":
        raise StoreProblem(f"the copy of {source} is damaged: {found}")
    os.chmod(partial, 0o600)
    _sync(partial)
    partial.rename(target)
    _sync(target.parent)
    return target


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
