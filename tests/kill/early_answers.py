"""A server with a planted fault: it answers commands before it has committed them."""

import time
from collections.abc import Sequence

from server import committer
from server.cli import main

COMMIT_SECONDS = 0.02
"""How long a commit lags behind its answers."""

_write = committer.Committer._write


def _settle_once(group: Sequence[committer.Pending], outcomes: Sequence[int]) -> None:
    committer._settle(group, outcomes)
    for pending in group:
        pending.settled = lambda _: None


def _write_late(
    self: committer.Committer, group: Sequence[committer.Pending]
) -> list[int | BaseException]:
    """Answer with the positions that the commands will have, then write them."""
    at = self._log.max_position()
    promised = []
    for pending in group:
        at += len(pending.facts)
        promised.append(at)
    self._loop.call_soon_threadsafe(_settle_once, group, promised)
    time.sleep(COMMIT_SECONDS)
    return _write(self, group)


if __name__ == "__main__":
    committer.Committer._write = _write_late  # type: ignore[method-assign] # the planted fault
    main()
