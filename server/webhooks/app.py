"""The ASGI app: takes the messages of vendors, checks whose they are, and stores what they say."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from hashlib import sha256
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from esm.times import Instant, instant
from server.clock import Clock
from server.settings import Secrets
from server.tracking.importing import Fact, facts_of
from server.tracking.reading import FeedProblem
from server.webhooks.counting import PART, STATUS, TAKEN, Counts, Refused
from server.webhooks.replay import Taken
from server.webhooks.signatures import Post, shared
from server.webhooks.vendors import FORM, VENDORS, Told, Vendor

BODY_BYTES_MAX: Final = 2 * 1024 * 1024
"""Largest message. One of a hundred parcels with a year of checkpoints each has about half."""

REQUESTS_MAX: Final = 32
"""Messages that are read or stored at once; times BODY_BYTES_MAX is the memory that they take."""

BODY_SECONDS: Final = 10.0
"""How long the body may take to come."""

RECORD_SECONDS: Final = 15.0
"""How long storing may take; the vendor sends again what took longer."""

FIELDS_MAX: Final = 20
"""Fields of a form; vendors send three or four."""

PREFIX: Final = "webhooks"
DONE: Final = "成功 (taken)"
TENANT: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Record = Callable[[str, list[Fact]], Awaitable[int]]
"""(tenant, facts) -> all are stored, but for so many of them that never can be.

Raises :class:`Unavailable` when it may succeed later; what was stored by then stays."""


class Unavailable(Exception):
    """The facts cannot be stored now."""


class _Gone(Exception):
    """The sender closed the connection before it had said all."""


class _Endpoint(NamedTuple):
    """Where a message goes, what it must be signed with, and what parcel it is about.

    ``number`` is for messages that do not name their parcel. Signatures do not cover it, so it
    counts only for vendors that show the secret itself.
    """

    tenant: str
    feed: str
    vendor: Vendor
    secret: str
    path_secret: str
    number: str


class Webhooks:
    """An ASGI app with one endpoint for each tenant and feed that has a secret.

    ``zones`` are those of times without one, by feed. A message is answered with success only
    when what it says is stored.
    """

    def __init__(
        self,
        *,
        secrets: Secrets,
        zones: Mapping[str, ZoneInfo],
        record: Record,
        clock: Clock,
        counts: Counts | None = None,
    ) -> None:
        self._secrets = secrets
        self._zones = zones
        self._record = record
        self._clock = clock
        self._taken = Taken()
        self._inside = 0
        self.counts = counts or Counts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        feed = ""
        try:
            endpoint = self._endpoint(scope["path"], scope["query_string"])
            feed = endpoint.feed
            await self._serve(endpoint, scope, receive, send)
        except Refused as refusal:
            self.counts.count(feed, refusal.outcome)
            vendor = VENDORS[feed] if feed else None
            await self._say(send, vendor, refusal.outcome, refusal.why)
        except _Gone:
            return

    def _endpoint(self, path: str, query: bytes) -> _Endpoint:
        prefix, _, rest = path.removeprefix("/").partition("/")
        tenant, _, rest = rest.partition("/")
        feed, _, path_secret = rest.partition("/")
        vendor = VENDORS.get(feed)
        secret = self._secrets.of(feed, tenant) if TENANT.fullmatch(tenant) else ""
        if prefix != PREFIX or vendor is None or not secret:
            raise Refused("unknown", f"no webhook here; one is /{PREFIX}/TENANT/FEED")
        number = _number(query) if vendor.scheme is shared else ""
        return _Endpoint(tenant, feed, vendor, secret, path_secret, number)

    async def _serve(self, endpoint: _Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        _check_head(scope["method"], headers, endpoint.vendor)
        if self._inside >= REQUESTS_MAX:
            raise Refused("busy", "too many messages at once; send it again later")
        self._inside += 1
        try:
            body = await _body(receive)
            post = await asyncio.to_thread(_signed, endpoint, headers, body)
            await self._take(endpoint, post, send)
        finally:
            self._inside -= 1

    async def _take(self, endpoint: _Endpoint, post: Post, send: Send) -> None:
        """Store what a message says that is its vendor's, and answer it."""
        # Of what is signed, not of the body: anybody can add a field to a form.
        name = f"{endpoint.tenant}/{endpoint.feed}/{endpoint.number}/".encode()
        digest = sha256(name + post.message).digest()
        standing = self._taken.begin(digest, self._clock.micros())
        if standing == "taken":
            raise Refused("replayed", "this message was taken before")
        if standing == "handling":
            raise Refused("busy", "this message is being stored; send it again later")
        taken = False
        try:
            stored, refused = await self._store(endpoint, post)
            outcome = PART if refused else TAKEN
            self.counts.count(endpoint.feed, outcome)
            await self._say(send, endpoint.vendor, outcome, DONE, post=post, facts=stored)
            taken = True
        except Refused as refusal:
            self.counts.count(endpoint.feed, refusal.outcome)
            await self._say(send, endpoint.vendor, refusal.outcome, refusal.why, post=post)
        finally:
            self._taken.end(digest, self._clock.micros(), taken=taken)

    async def _store(self, endpoint: _Endpoint, post: Post) -> tuple[int, int]:
        """Store the facts of a message: how many are, and how many cannot be. Raises Refused."""
        zone = self._zones[endpoint.feed]
        asked = instant(self._clock.micros())
        facts = await asyncio.to_thread(_facts, endpoint, post.message, zone, asked)
        try:
            async with asyncio.timeout(RECORD_SECONDS):
                refused = await self._record(endpoint.tenant, facts)
        except (TimeoutError, Unavailable):
            why = "it cannot be stored now; send it again later"
            raise Refused("unavailable", why) from None
        if refused and refused == len(facts):
            raise Refused("malformed", "none of its facts can be stored")
        return len(facts) - refused, refused

    async def _say(
        self,
        send: Send,
        vendor: Vendor | None,
        outcome: str,
        words: str,
        *,
        post: Post | None = None,
        facts: int = 0,
    ) -> None:
        status = STATUS[outcome]
        told = Told(status, words, facts, self._clock.micros())
        content = vendor.answer(told, post) if vendor else {"error": words}
        body = json.dumps(content, ensure_ascii=False).encode()
        headers = [
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),  # so that a connection is one message, with one deadline
        ]
        if outcome == "method":
            headers.append((b"allow", b"POST"))
        if status == 503:
            headers.append((b"retry-after", b"60"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _number(query: bytes) -> str:
    try:
        return dict(parse_qsl(query.decode(), max_num_fields=FIELDS_MAX)).get("number", "")
    except ValueError:
        return ""


def _headers(scope: Scope) -> dict[str, str]:
    """Headers by lower-case name; one that comes twice has both values, as HTTP says."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "replace")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _check_head(method: str, headers: Mapping[str, str], vendor: Vendor) -> None:
    """Raises Refused for what can be told before the body is read."""
    if method != "POST":
        raise Refused("method", f"{method} is not taken; send it with POST")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused("unsupported", "compressed messages are not read; send it as it is")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in vendor.content_types:
        raise Refused(
            "unsupported", f"the content type must be one of {', '.join(vendor.content_types)}"
        )
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > BODY_BYTES_MAX:
        raise _too_large()


def _too_large() -> Refused:
    return Refused("too_large", f"a message has at most {BODY_BYTES_MAX} bytes")


async def _body(receive: Receive) -> bytes:
    """The body, bounded in size and time. Raises Refused."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Gone
                body += message.get("body", b"")
                if len(body) > BODY_BYTES_MAX:
                    raise _too_large()
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        why = f"the body took longer than {BODY_SECONDS:.0f} seconds"
        raise Refused("slow", why) from None


def _signed(endpoint: _Endpoint, headers: Mapping[str, str], body: bytes) -> Post:
    """The message, which is its vendor's. Raises Refused."""
    vendor = endpoint.vendor
    form = _form(body) if FORM in vendor.content_types else {}
    if vendor.field and vendor.field not in form:
        raise Refused("malformed", f"the form has no field {vendor.field}")
    message = form[vendor.field].encode() if vendor.field else body
    post = Post(headers, body, form, message, endpoint.path_secret)
    signature = vendor.scheme(post, endpoint.secret)
    if not signature.told:
        raise Refused("unsigned", "the message has no signature")
    if not signature.right():
        raise Refused("wrong_signature", "the signature is not that of this message")
    return post


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError:
        why = f"is not a form in UTF-8 with at most {FIELDS_MAX} fields"
        raise Refused("malformed", why) from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Refused("malformed", "a field of the form comes twice")
    return form


def _facts(endpoint: _Endpoint, message: bytes, zone: ZoneInfo, asked: Instant) -> list[Fact]:
    try:
        return facts_of(endpoint.feed, message, zone, asked=asked, number=endpoint.number)
    except FeedProblem as problem:
        raise Refused("malformed", str(problem)) from None
