"""Planned commands over a connection to a server."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from server.backfill.runner import ADVANCE, Refused, Send
from server.client import UNARY_SECONDS, AioClient, ClientError

REFUSALS: Final = frozenset(
    {"INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "OUT_OF_RANGE"}
)
"""Codes of requests that will never be accepted."""

PASSING: Final = frozenset({"ABORTED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNAVAILABLE"})
"""Codes that say try again; request ids see to it that nothing is done twice."""

TRIES_MAX: Final = 8
FIRST_PAUSE_SECONDS: Final = 0.05

DEADLINES_SECONDS: Final = {ADVANCE: 3_600.0}
"""Of calls that take longer than others: all that is due is done before an advance returns."""


def sender(client: AioClient) -> Send:
    """What :func:`server.backfill.runner.run` sends with.

    Repeats what may pass, after the server's own pause or one that doubles. Raises
    :class:`~server.client.ClientError` when it does not pass, and for every other code.
    """

    async def send(rpc: str, request: dict[str, Any]) -> Mapping[str, Any]:
        pause, seconds = FIRST_PAUSE_SECONDS, DEADLINES_SECONDS.get(rpc, UNARY_SECONDS)
        for left in reversed(range(TRIES_MAX)):
            try:
                return await client.call(rpc, request, seconds=seconds)
            except ClientError as error:
                if error.code in REFUSALS:
                    raise Refused(_words(error)) from error
                if error.code not in PASSING or not left:
                    raise
                await asyncio.sleep(error.retry_seconds or pause)
            pause *= 2
        raise AssertionError("the last try returns or raises")

    return send


def _words(error: ClientError) -> str:
    fields = "; ".join(f"{name} {text}" for name, text in error.violations)
    return f"{error.message} ({fields})" if fields else error.message
