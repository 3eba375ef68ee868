"""``esm serve --webhooks``: from the vendor's message to the timeline, and one orderly stop."""

import asyncio
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from server.app import running
from server.client import connect
from server.webhooks.setup import WebhooksRefused
from tests.server.esm import Esm, serving_process, stopped
from tests.server.test_cli_serve import refused
from tests.serving import serving, sqlite_settings
from tests.webhooks.vendors import SECRETS, TENANT, connected, post, signed

NUMBER = "YT9000000000017"
SHIPMENT = {"order_id": "O-1", "shipment_code": "P-1", "numbers": [{"number": NUMBER}]}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ESM_WEBHOOKS", raising=False)
    monkeypatch.setenv("ESM_WEBHOOK_SECRET_KUAIDI100", SECRETS.of("kuaidi100", TENANT))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_a_vendor_sends_is_shown_by_the_api_and_the_server_stops_in_order(
    tmp_path: Path, number: signal.Signals
) -> None:
    with serving_process(f"--data={tmp_path}", "--webhooks=127.0.0.1:0") as (process, ready):
        with connect(ready["address"]) as client:
            (registered,) = client.call("RegisterShipments", {"shipments": [SHIPMENT]})["results"]
            assert registered["outcome"] == "registered"
            assert post(ready["webhooks"], signed("kuaidi100")).status == 200
            assert post(ready["webhooks"], signed("kuaidi100")).status == 409
            assert post(ready["webhooks"], signed("track17")).status == 404
            shown = client.call("GetShipment", {"shipment_code": "P-1"})
        assert {fact["feed"] for fact in shown["timeline"]} == {"kuaidi100"}
        with connected(ready["webhooks"]):  # one who says nothing does not hold it up
            assert stopped(process, number) == 0
        assert process.stderr is not None
        said = process.stderr.read()
        assert "Traceback" not in said
        assert SECRETS.of("kuaidi100", TENANT) not in said


def test_without_the_option_nothing_listens(tmp_path: Path) -> None:
    with serving_process(f"--data={tmp_path}") as (process, ready):
        assert "webhooks" not in ready
        assert stopped(process) == 0


def test_a_server_in_this_process_counts_what_came(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path, webhooks="127.0.0.1:0", webhook_secrets=SECRETS)
    with serving(settings) as server:
        address = server.webhooks
        assert post(address, signed("track17")).status == 200
        assert post(address, signed("track17", secret="of somebody else")).status == 401
        assert post(address, signed("track17", secret="of somebody else")).status == 401
        assert post(address, replace(signed("track17"), path="/elsewhere")).status == 404
        with connect(server.address) as client:
            assert client.call("GetStatus")["webhooks"] == [
                {"outcome": "unknown", "messages": "1"},
                {"feed": "track17", "outcome": "taken", "messages": "1"},
                {"feed": "track17", "outcome": "wrong_signature", "messages": "2"},
            ]
        shown = " ".join(Esm(server.address).run("status").stdout.replace("│", " ").split())
    assert "(no webhook 无此地址) unknown 1 track17 taken 1 track17 wrong_signature 2" in shown


def test_webhooks_without_their_extra_are_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "server.webhooks.listening")
    settings = sqlite_settings(tmp_path, webhooks="127.0.0.1:0", webhook_secrets=SECRETS)

    async def start() -> None:
        async with running(settings):
            pytest.fail("it started")

    with pytest.raises(WebhooksRefused, match=r"uvicorn: pip install '.*\[webhooks\]'"):
        asyncio.run(start())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--webhooks=0.0.0.0:0"], "--insecure"),
        (["--webhooks=127.0.0.1"], "is not an address"),
        (["--webhooks=nowhere.invalid:0", "--insecure"], "cannot listen for webhooks on nowhere"),
    ],
    ids=["beyond loopback", "no port", "no host"],
)
def test_an_address_that_cannot_be_used_is_said_in_one_sentence(
    tmp_path: Path, words: list[str], said: str
) -> None:
    text = refused(f"--data={tmp_path}", "--address=127.0.0.1:0", *words)
    assert said in text
    assert "Traceback" not in text


def test_a_taken_address_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        text = refused(f"--data={tmp_path}", "--address=127.0.0.1:0", f"--webhooks={address}")
    assert f"cannot listen for webhooks on {address}" in text


def test_webhooks_without_a_secret_are_refused_with_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ESM_WEBHOOK_SECRET_KUAIDI100")
    text = refused(f"--data={tmp_path}", "--address=127.0.0.1:0", "--webhooks=127.0.0.1:0")
    assert "ESM_WEBHOOK_SECRET_FEED" in text
