"""What vendors send stands in the tracking store, on both engines, once, and in the API's form."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from esm import catalog
from server.clock import Clock
from server.settings import Settings
from server.store import Store, open_store
from server.tracking.inputs import CarrierNumber, Shipment
from server.tracking.intake import Shown, Tracking
from server.tracking.store import Watched
from server.webhooks.app import Webhooks
from server.webhooks.listening import listening
from server.webhooks.setup import webhooks_of
from server.webhooks.storing import recorder
from server.webhooks.vendors import VENDORS
from tests.scenarios.engines import fresh
from tests.webhooks.vendors import SECONDS_MAX, SECRETS, TENANT, in_thread, message, post, signed

__all__ = ["fresh"]

NUMBERS = {
    "aftership": "900000000041",
    "easypost": "9000000000000000000051",
    "karrio": "9000000000000061",
    "kdniao": "79000000000021",
    "kuaidi100": "YT9000000000017",
    "track17": "RX900000031CN",
}
"""A parcel that the feed's own message is about."""


@dataclass(frozen=True)
class Whole:
    """Webhooks in front of a store, and a way to call what stands between them."""

    address: str
    app: Webhooks
    tracking: Tracking
    store: Store
    loop: asyncio.AbstractEventLoop

    def ask(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(SECONDS_MAX)

    def watch(self, feed: str) -> None:
        number = NUMBERS[feed]
        item = Shipment(
            order_id=f"O-{feed}", shipment_code=feed, numbers=(CarrierNumber(number=number),)
        )
        assert self.ask(self.tracking.register(TENANT, [item])) == ["registered"]

    def shown(self, feed: str) -> Shown:
        found: Shown = self.ask(self.tracking.shipment(TENANT, feed))
        return found


def as_it_is(watched: Watched) -> Watched:
    return watched


@pytest.fixture
def whole(fresh: Settings) -> Iterator[Whole]:
    async def main(ready: Callable[[Any], None]) -> None:
        clock, loop = Clock(), asyncio.get_running_loop()
        catalogue = catalog.load(None)
        with open_store(fresh, clock) as store:
            tracking = Tracking(
                store=store.tracking,
                catalogue=catalogue,
                personal=store.personal,
                secret=store.request_secret,
                clock=clock,
                now=clock.micros,
                wall=True,
                settle=as_it_is,
                wake=lambda: None,
                loop=loop,
            )
            zones = {feed: source.zone for feed, source in catalogue.sources.items()}
            app = webhooks_of(SECRETS, zones, recorder(tracking), clock)
            async with listening("127.0.0.1:0", app) as address:
                ready(Whole(address, app, tracking, store, loop))
                try:
                    await asyncio.Event().wait()
                finally:
                    await tracking.close()

    with in_thread(main) as found:
        yield found


def test_what_each_vendor_sends_is_in_the_timeline_of_its_parcel(whole: Whole) -> None:
    for feed in NUMBERS:
        whole.watch(feed)
        answer = post(whole.address, signed(feed))
        assert answer.status == 200, (feed, answer)
        timeline = whole.shown(feed).timeline
        assert timeline, feed
        assert {each.detail.checkpoint.feed for each in timeline} == {feed}
        moments = [each.detail.checkpoint.occurred for each in timeline]
        assert moments == sorted(moments)


def test_the_messages_of_every_feed_can_be_stored_whole(whole: Whole) -> None:
    for feed in VENDORS:
        assert post(whole.address, signed(feed)).status == 200, feed
    assert whole.app.counts.all() == {(feed, "taken"): 1 for feed in VENDORS}


def test_a_message_that_differs_in_nothing_but_its_bytes_stores_nothing_more(
    whole: Whole,
) -> None:
    whole.watch("aftership")
    assert post(whole.address, signed("aftership")).status == 200
    before = whole.shown("aftership").timeline
    again = signed("aftership", message("aftership") + b"\n")
    assert post(whole.address, again).status == 200
    assert whole.shown("aftership").timeline == before


def test_a_refused_message_leaves_nothing_in_the_store(whole: Whole) -> None:
    whole.watch("kuaidi100")
    wrong = signed("kuaidi100", secret="the secret of somebody else")
    assert post(whole.address, wrong).status == 401
    assert whole.shown("kuaidi100").timeline == []
    assert post(whole.address, signed("kuaidi100")).status == 200
    assert whole.shown("kuaidi100").timeline


def test_while_too_much_waits_a_message_is_to_be_sent_again(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole.watch("track17")
    monkeypatch.setattr("server.tracking.intake.QUEUE_ITEMS_MAX", 0)
    assert post(whole.address, signed("track17")).status == 503
    monkeypatch.undo()
    assert post(whole.address, signed("track17")).status == 200
    assert whole.shown("track17").timeline


def test_no_word_of_a_message_is_logged(whole: Whole, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        post(whole.address, signed("kuaidi100"))
        post(whole.address, signed("aftership", b'{"msg": "Frau Example"}'))
    assert caplog.records
    for word in ("收件人", "Example", SECRETS.of("kuaidi100", TENANT)):
        assert word not in caplog.text
