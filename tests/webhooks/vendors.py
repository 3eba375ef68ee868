"""What the tests of webhooks begin with: messages as vendors sign them, and a place to send to."""

import asyncio
import hashlib
import hmac
import json
import socket
import threading
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from server.clock import Clock
from server.settings import Secrets
from server.tracking.importing import Fact
from server.webhooks.app import Unavailable, Webhooks
from server.webhooks.listening import listening
from server.webhooks.setup import webhooks_of
from server.webhooks.vendors import VENDORS

MESSAGES: Final = Path(__file__).parent.parent / "tracking" / "messages"
SUFFIX: Final = {"ems": "xml", "usps": "xml", "x12_214": "x12"}
FORM: Final = "application/x-www-form-urlencoded"
TENANT: Final = "default"
SECONDS_MAX: Final = 30

SECRETS: Final = Secrets(
    {
        **{(feed, TENANT): f"secret of {feed}, é" for feed in VENDORS},
        ("aftership", "second"): "another secret",
    }
)


def message(feed: str) -> bytes:
    """A message of a feed, of our own making."""
    return (MESSAGES / f"{feed}.{SUFFIX.get(feed, 'json')}").read_bytes()


@dataclass(frozen=True)
class Sent:
    """A message on its way: what a test may change of it."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    path: str = ""


def _json(headers: dict[str, str], body: bytes) -> Sent:
    return Sent(body, {"Content-Type": "application/json", **headers})


def _aftership(body: bytes, secret: str) -> Sent:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return _json({"aftership-hmac-sha256": b64encode(digest).decode()}, body)


def _easypost(body: bytes, secret: str) -> Sent:
    decomposed = secret.replace("é", "e\N{COMBINING ACUTE ACCENT}")
    digest = hmac.new(decomposed.encode(), body, hashlib.sha256).hexdigest()
    return _json({"X-Hmac-Signature": f"hmac-sha256-hex={digest}"}, body)


def _track17(body: bytes, secret: str) -> Sent:
    text = body.decode() + "/" + secret
    return _json({"sign": hashlib.sha256(text.encode()).hexdigest()}, body)


def _karrio(body: bytes, secret: str) -> Sent:
    return _json({"X-Event-Id": secret.encode().decode("latin-1")}, body)


def _kuaidi100(body: bytes, secret: str) -> Sent:
    sign = hashlib.md5(body + secret.encode()).hexdigest().upper()
    form = urlencode({"param": body.decode(), "sign": sign})
    return Sent(form.encode(), {"Content-Type": FORM})


def _kdniao(body: bytes, secret: str) -> Sent:
    digest = hashlib.md5(body + secret.encode()).hexdigest()
    fields = {
        "RequestData": body.decode(),
        "RequestType": "101",
        "DataSign": b64encode(digest.encode()).decode(),
    }
    return Sent(urlencode(fields).encode(), {"Content-Type": FORM})


def _shared(body: bytes, secret: str, content_type: str = "application/json") -> Sent:
    token = secret.encode().decode("latin-1")
    return Sent(body, {"Content-Type": content_type, "Authorization": f"Bearer {token}"})


SIGNED: Final[dict[str, Callable[[bytes, str], Sent]]] = {
    "aftership": _aftership,
    "easypost": _easypost,
    "karrio": _karrio,
    "kdniao": _kdniao,
    "kuaidi100": _kuaidi100,
    "track17": _track17,
}
QUERIES: Final = {"ems": "?number=EA000000000CN"}
"""EMS does not name the parcel that it speaks of."""

OTHER_TYPES: Final = {
    "ems": "application/xml",
    "usps": "text/xml",
    "x12_214": "application/edi-x12",
}


def signed(feed: str, body: bytes | None = None, secret: str = "") -> Sent:
    """A message of a feed as its vendor sends it to the tenant ``default``."""
    body = message(feed) if body is None else body
    secret = secret or SECRETS.of(feed, TENANT)
    path = f"/webhooks/{TENANT}/{feed}" + QUERIES.get(feed, "")
    make = SIGNED.get(feed)
    if make is None:
        sent = _shared(body, secret, OTHER_TYPES.get(feed, "application/json"))
    else:
        sent = make(body, secret)
    return Sent(sent.body, sent.headers, path)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: Any


def post(address: str, sent: Sent, method: str = "POST") -> Answer:
    """Send a message over HTTP."""
    connection = HTTPConnection(address, timeout=SECONDS_MAX)
    try:
        connection.request(method, sent.path, sent.body, sent.headers)
        got = connection.getresponse()
        headers = {name.lower(): value for name, value in got.getheaders()}
        return Answer(got.status, headers, json.loads(got.read()))
    finally:
        connection.close()


def connected(address: str) -> socket.socket:
    """A bare connection."""
    host, _, port = address.partition(":")
    return socket.create_connection((host, int(port)), timeout=SECONDS_MAX)


class Recorder:
    """Stands where facts are stored: keeps them, or fails as often as it is told to."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, Fact]] = []
        self.failures = self.refused = 0
        self.gate: asyncio.Event | None = None
        self.reached = threading.Event()

    async def __call__(self, tenant: str, facts: list[Fact]) -> int:
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise Unavailable
        self.facts += [(tenant, fact) for fact in facts]
        return min(self.refused, len(facts))


@dataclass(frozen=True)
class Place:
    """Webhooks that listen."""

    address: str
    app: Webhooks
    recorder: Recorder
    loop: asyncio.AbstractEventLoop


@contextmanager
def in_thread(main: Callable[[Callable[[Any], None]], Awaitable[None]]) -> Iterator[Any]:
    """Run a coroutine with a loop of its own until it says what is there; then to its end."""
    found: dict[str, Any] = {}
    there = threading.Event()

    def ready(value: Any) -> None:
        found["value"] = value
        there.set()

    async def run() -> None:
        found["loop"] = asyncio.get_running_loop()
        found["task"] = asyncio.current_task()
        await main(ready)

    def body() -> None:
        try:
            asyncio.run(run())
        except asyncio.CancelledError:
            found["ended"] = True
        finally:
            there.set()

    thread = threading.Thread(target=body, name="webhooks", daemon=True)
    thread.start()
    assert there.wait(SECONDS_MAX)
    assert "value" in found, "it did not start"
    try:
        yield found["value"]
    finally:
        found["loop"].call_soon_threadsafe(found["task"].cancel)
        thread.join(SECONDS_MAX)
        assert not thread.is_alive()


@contextmanager
def place(secrets: Secrets = SECRETS) -> Iterator[Place]:
    """Webhooks on a free port of this machine, in front of a recorder."""

    async def main(ready: Callable[[Any], None]) -> None:
        recorder = Recorder()
        app = webhooks_of(secrets, {"kdniao": "Asia/Shanghai"}, recorder, Clock())
        async with listening("127.0.0.1:0", app) as address:
            ready(Place(address, app, recorder, asyncio.get_running_loop()))
            await asyncio.Event().wait()

    with in_thread(main) as found:
        yield found
