"""What is too large, too slow, too deep or of the wrong kind is refused at once."""

import asyncio
import gzip
import socket
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from server.webhooks import app, listening
from server.webhooks.counting import STATUS, Counts
from tests.webhooks.vendors import (
    FORM,
    SECONDS_MAX,
    TENANT,
    Place,
    Sent,
    connected,
    message,
    place,
    post,
    signed,
)

MEBIBYTE = 1024 * 1024
HUGE = 50 * MEBIBYTE
QUICK_SECONDS = 5

ENTITY_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">'
    + b"".join(b'<!ENTITY b%d "%s">' % (n, b"&b%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]><a>&b11;</a>"
)


def head(sent: Sent, **headers: str) -> bytes:
    lines = [f"POST {sent.path} HTTP/1.1", "Host: here"]
    lines += [f"{name}: {value}" for name, value in {**sent.headers, **headers}.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def received(connection: socket.socket) -> bytes:
    found = b""
    try:
        while part := connection.recv(65_536):
            found += part
    except ConnectionResetError:
        pass  # what was sent on after the answer is not read
    return found


def streamed(there: Place, first: bytes, part: bytes, parts: int) -> tuple[bytes, int]:
    """Send parts until there is an answer; the answer, and how many parts were sent by then."""
    with connected(there.address) as connection:
        connection.sendall(first)
        sent = 0
        try:
            while sent < parts:
                connection.sendall(part)
                sent += 1
        except (BrokenPipeError, ConnectionResetError):
            pass
        return received(connection), sent


def served_in_the_end(there: Place) -> bool:
    """Whether a message is taken once the server has noticed who is gone."""
    deadline = time.monotonic() + QUICK_SECONDS
    while time.monotonic() < deadline:
        try:
            if post(there.address, signed("aftership")).status == 200:
                return True
        except ConnectionError:
            pass
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    "length", [{"Content-Length": str(HUGE)}, {"Transfer-Encoding": "chunked"}], ids=["said", "not"]
)
def test_a_message_of_50_mb_is_refused_without_being_held(
    there: Place, length: dict[str, str]
) -> None:
    part = b"x" * 65_536
    part = part if "Content-Length" in length else b"10000\r\n" + part + b"\r\n"
    tracemalloc.start()
    began = time.monotonic()
    got, sent = streamed(there, head(signed("aftership"), **length), part, HUGE // 65_536)
    grown = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.monotonic() - began < QUICK_SECONDS
    assert got.startswith(b"HTTP/1.1 413 ")
    assert f"{app.BODY_BYTES_MAX} bytes".encode() in got
    assert sent < HUGE // 65_536
    assert grown < 4 * app.BODY_BYTES_MAX
    assert there.app.counts.all() == {("aftership", "too_large"): 1}


def test_a_message_of_the_largest_size_is_read(there: Place) -> None:
    body = message("aftership")
    body += b" " * (app.BODY_BYTES_MAX - len(body))
    assert post(there.address, signed("aftership", body)).status == 200
    more = signed("aftership", body + b" ")
    got, _ = streamed(there, head(more, **{"Content-Length": str(len(more.body))}), more.body, 1)
    assert got.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("body", [b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000])
@pytest.mark.parametrize("feed", ["aftership", "epcis", "karrio", "kdniao", "kuaidi100", "track17"])
def test_ten_thousand_brackets_are_refused(there: Place, feed: str, body: bytes) -> None:
    began = time.monotonic()
    assert post(there.address, signed(feed, body)).status == 400
    assert time.monotonic() - began < QUICK_SECONDS


@pytest.mark.parametrize("feed", ["ems", "usps"])
def test_an_entity_bomb_is_refused(there: Place, feed: str) -> None:
    tracemalloc.start()
    answer = post(there.address, signed(feed, ENTITY_BOMB))
    grown = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (answer.status, "entities" in answer.body["error"]) == (400, True)
    assert grown < MEBIBYTE


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
def test_a_compressed_message_is_refused_unopened(there: Place, encoding: str) -> None:
    bomb = gzip.compress(b"\0" * HUGE)
    sent = signed("aftership", bomb)
    sent = replace(sent, headers={**sent.headers, "Content-Encoding": encoding})
    assert post(there.address, sent).status == 415


@pytest.mark.parametrize("kind", ["", "text/html", "multipart/form-data; boundary=x", FORM])
def test_another_content_type_is_refused_with_those_that_are_read(there: Place, kind: str) -> None:
    sent = signed("aftership")
    answer = post(there.address, replace(sent, headers={**sent.headers, "Content-Type": kind}))
    assert (answer.status, "application/json" in answer.body["error"]) == (415, True)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/webhooks",
        f"/webhooks/{TENANT}",
        f"/webhooks/{TENANT}/nobody",
        "/webhooks/second/track17",
        "/webhooks/SECOND/aftership",
        f"/other/{TENANT}/aftership",
        f"/webhooks/{TENANT}/%00",
    ],
)
def test_a_path_without_a_feed_that_has_a_secret_is_unknown(there: Place, path: str) -> None:
    assert post(there.address, replace(signed("aftership"), path=path)).status == 404
    assert there.app.counts.all() == {("", "unknown"): 1}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_is_refused(there: Place, method: str) -> None:
    answer = post(there.address, signed("aftership"), method)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"param=%ff&sign=x",
        b"\xff=x",
        b"param=%7B%7D&param=%7B%7D&sign=x",
        "&".join(f"f{n}=1" for n in range(30)).encode(),
        urlencode({"other": "{}"}).encode(),
    ],
)
def test_a_form_that_does_not_hold_the_message_is_malformed(there: Place, body: bytes) -> None:
    answer = post(there.address, replace(signed("kuaidi100"), body=body))
    assert (answer.status, answer.body["result"]) == (400, False)


def test_a_signed_message_that_cannot_be_read_is_refused_as_a_whole(there: Place) -> None:
    answer = post(there.address, signed("aftership", b'{"msg": {"checkpoints": 5}}'))
    assert answer.status == 400
    assert answer.body["error"]
    assert not there.recorder.facts


def test_who_does_not_finish_the_head_is_let_go(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "HEAD_SECONDS", 0.3)
    with connected(there.address) as connection:
        connection.sendall(b"POST /webhooks/default/aftership HTTP/1.1\r\nX-Slow: ")
        began = time.monotonic()
        assert received(connection) == b""
        assert time.monotonic() - began < QUICK_SECONDS
    assert post(there.address, signed("aftership")).status == 200


def test_who_does_not_finish_the_body_is_let_go(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "BODY_SECONDS", 0.3)
    with connected(there.address) as connection:
        connection.sendall(head(signed("aftership"), **{"Content-Length": "10"}) + b"{")
        assert received(connection).startswith(b"HTTP/1.1 408 ")
    assert there.app.counts.all() == {("aftership", "slow"): 1}


def test_who_goes_in_the_middle_leaves_nothing_behind(there: Place) -> None:
    for _ in range(app.REQUESTS_MAX + 1):
        with connected(there.address) as connection:
            connection.sendall(head(signed("aftership"), **{"Content-Length": "10"}) + b"{")
    assert served_in_the_end(there)


def test_too_many_connections_are_closed_and_the_others_served(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "CONNECTIONS_MAX", 3)
    idle = [connected(there.address) for _ in range(3)]
    try:
        with connected(there.address) as one_more:
            assert received(one_more) == b""
    finally:
        for each in idle:
            each.close()
    assert served_in_the_end(there)


def test_what_takes_too_long_to_store_is_to_be_sent_again(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "RECORD_SECONDS", 0.2)
    there.recorder.gate = asyncio.Event()
    assert post(there.address, signed("aftership")).status == 503
    there.recorder.gate = None
    assert post(there.address, signed("aftership")).status == 200


def test_too_many_messages_at_once_are_to_be_sent_again(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "REQUESTS_MAX", 1)
    gate = asyncio.Event()
    there.recorder.gate = gate
    with ThreadPoolExecutor(1) as executor:
        first = executor.submit(post, there.address, signed("aftership"))
        assert there.recorder.reached.wait(SECONDS_MAX)
        assert post(there.address, signed("track17")).status == 503
        there.loop.call_soon_threadsafe(gate.set)
        assert first.result().status == 200


def test_every_outcome_has_its_status_and_is_logged_ever_more_rarely(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert all(200 <= status < 600 for status in STATUS.values())
    counts = Counts()
    for _ in range(100):
        counts.count("aftership", "wrong_signature")
    assert counts.of("aftership", "wrong_signature") == 100
    assert [record.args for record in caplog.records] == [
        (2**power, "aftership", "wrong_signature") for power in range(7)
    ]


def test_the_last_message_is_answered_before_the_end() -> None:
    gate = asyncio.Event()
    with ThreadPoolExecutor(1) as executor:
        with place() as there:
            there.recorder.gate = gate
            first = executor.submit(post, there.address, signed("aftership"))
            assert there.recorder.reached.wait(SECONDS_MAX)
            there.loop.call_soon_threadsafe(there.loop.call_later, 0.5, gate.set)
        assert first.result().status == 200
    assert there.recorder.facts
