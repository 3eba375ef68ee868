"""Positions and page tokens as callers see them, and reads that wait for a write."""

from __future__ import annotations

import binascii
import hashlib
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Protocol

import msgspec

from esm.errors import NotCaughtUp, TokenRefused, Violation

TOKEN_CHARS_MAX = 4_000
WAIT_SECONDS_MAX = 30.0
WAIT_SECONDS_DEFAULT = 5.0
"""How long a read waits when its call has no deadline."""

ANSWER_SECONDS = 0.05
"""What of the deadline is kept for the answer, so that it says why it failed."""

LOG = "log"
"""Name by which :meth:`Waiter.reach` knows the log itself."""

PageKey = tuple[str | int, ...]
"""Where a page ended: the sort keys of its last item; () for the first page."""

_POSITION, _PAGE = b"\x01", b"\x02"
_STORE_BYTES = _QUERY_BYTES = 8
_NUMBER_BYTES = 8
_CHECK_BYTES = 4
_KEY = msgspec.msgpack.Decoder(PageKey)


class Waiter(Protocol):
    """Knows how far every projection is."""

    async def reach(self, projection: str, position: int, timeout: float) -> bool:
        """Waits until a projection, or :data:`LOG`, has seen a position.

        False when it is not there after ``timeout`` seconds.
        """


class Tokens:
    """Writes and reads the opaque strings of one store. They are URL-safe and hold no secret."""

    def __init__(self, store_id: str) -> None:
        self._store = hashlib.sha256(store_id.encode()).digest()[:_STORE_BYTES]

    def position(self, number: int) -> str:
        """The string for a place in the log; "" for none (0)."""
        if not number:
            return ""
        return self._seal(_POSITION, number.to_bytes(_NUMBER_BYTES, "big"))

    def number(self, token: str, field: str) -> int:
        """The place in the log behind a string, 0 for "". Raises :class:`TokenRefused`."""
        if not token:
            return 0
        return int.from_bytes(self._open(_POSITION, token, field), "big")

    def page(self, query: bytes, key: PageKey) -> str:
        """The string for the page behind ``key`` of a query."""
        return self._seal(_PAGE, _digest(query) + msgspec.msgpack.encode(key))

    def key(self, token: str, query: bytes, field: str = "page_token") -> PageKey:
        """Where the page before ended, () for "". Raises :class:`TokenRefused`."""
        if not token:
            return ()
        body = self._open(_PAGE, token, field)
        if body[:_QUERY_BYTES] != _digest(query):
            raise _refused(field, "belongs to another query; send the same fields with it")
        return _KEY.decode(body[_QUERY_BYTES:])

    def _seal(self, kind: bytes, body: bytes) -> str:
        content = kind + self._store + body
        check = zlib.crc32(content).to_bytes(_CHECK_BYTES, "big")
        return urlsafe_b64encode(content + check).rstrip(b"=").decode()

    def _open(self, kind: bytes, token: str, field: str) -> bytes:
        if len(token) > TOKEN_CHARS_MAX:
            raise _refused(field, "is too long for a token of this server")
        try:
            content = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except (binascii.Error, UnicodeEncodeError):
            raise _refused(field, "is not a token of this server") from None
        content, check = content[:-_CHECK_BYTES], content[-_CHECK_BYTES:]
        if content[:1] != kind or zlib.crc32(content).to_bytes(_CHECK_BYTES, "big") != check:
            raise _refused(field, "is damaged, or is not a token for this field")
        if content[1 : 1 + _STORE_BYTES] != self._store:
            raise _refused(field, "belongs to another store")
        return content[1 + _STORE_BYTES :]


async def caught_up(
    waiter: Waiter, projection: str, position: int, remaining: float | None
) -> None:
    """Waits until a projection shows a position, as long as the call's deadline allows.

    ``remaining`` is in seconds, None without a deadline. Raises :class:`NotCaughtUp`.
    """
    if not position:
        return
    wanted = WAIT_SECONDS_DEFAULT if remaining is None else remaining - ANSWER_SECONDS
    timeout = max(0.0, min(wanted, WAIT_SECONDS_MAX))
    if not await waiter.reach(projection, position, timeout):
        raise NotCaughtUp(
            f"{projection} did not reach the wanted position in time; read again",
            metadata={"projection": projection},
        )


def _digest(query: bytes) -> bytes:
    return hashlib.sha256(query).digest()[:_QUERY_BYTES]


def _refused(field: str, text: str) -> TokenRefused:
    return TokenRefused(
        f"{field} {text}", metadata={"field": field}, violations=[Violation(field, text)]
    )
