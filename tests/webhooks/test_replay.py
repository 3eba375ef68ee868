"""What was taken is not taken again; what could not be stored may be sent again."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from server.webhooks.replay import Taken
from tests.webhooks.vendors import (
    SECONDS_MAX,
    SECRETS,
    SIGNED,
    TENANT,
    Place,
    message,
    post,
    signed,
)

DIGESTS = [bytes([number]) * 32 for number in range(4)]


@pytest.mark.parametrize("feed", sorted(SIGNED))
def test_a_message_that_was_taken_is_refused_when_it_comes_again_and_counted(
    there: Place, feed: str
) -> None:
    assert post(there.address, signed(feed)).status == 200
    stored = list(there.recorder.facts)
    assert post(there.address, signed(feed)).status == 409
    assert there.app.counts.all() == {(feed, "taken"): 1, (feed, "replayed"): 1}
    assert there.recorder.facts == stored


@pytest.mark.parametrize("feed", ["kdniao", "kuaidi100"])
def test_a_form_is_the_same_message_whatever_is_added_that_nobody_signed(
    there: Place, feed: str
) -> None:
    sent = signed(feed)
    assert post(there.address, sent).status == 200
    assert post(there.address, replace(sent, body=sent.body + b"&more=1")).status == 409


def test_another_message_of_the_same_vendor_is_taken(there: Place) -> None:
    body = message("aftership")
    assert post(there.address, signed("aftership", body)).status == 200
    assert post(there.address, signed("aftership", body + b"\n")).status == 200


def test_the_same_message_for_another_tenant_is_another_message(there: Place) -> None:
    body = message("aftership")
    assert post(there.address, signed("aftership", body)).status == 200
    second = signed("aftership", body, SECRETS.of("aftership", "second"))
    assert post(there.address, replace(second, path="/webhooks/second/aftership")).status == 200
    assert {tenant for tenant, _ in there.recorder.facts} == {TENANT, "second"}


def test_a_message_that_could_not_be_stored_is_taken_when_it_comes_again(there: Place) -> None:
    there.recorder.failures = 1
    first = post(there.address, signed("track17"))
    assert (first.status, first.headers["retry-after"]) == (503, "60")
    assert not there.recorder.facts
    assert post(there.address, signed("track17")).status == 200
    assert there.recorder.facts
    assert there.app.counts.all() == {("track17", "unavailable"): 1, ("track17", "taken"): 1}


def test_a_message_that_cannot_be_read_is_no_replay_when_it_comes_again(there: Place) -> None:
    for _ in range(2):
        assert post(there.address, signed("track17", b"{}")).status == 400
    assert there.app.counts.all() == {("track17", "malformed"): 2}


def test_a_message_that_comes_twice_at_once_is_stored_once(there: Place) -> None:
    gate = asyncio.Event()
    there.recorder.gate = gate
    with ThreadPoolExecutor(1) as executor:
        first = executor.submit(post, there.address, signed("track17"))
        assert there.recorder.reached.wait(SECONDS_MAX)
        assert post(there.address, signed("track17")).status == 503
        there.loop.call_soon_threadsafe(gate.set)
        assert first.result().status == 200
    assert there.app.counts.all() == {("track17", "busy"): 1, ("track17", "taken"): 1}
    source_ids = [fact["source_id"] for _, fact in there.recorder.facts]
    assert len(source_ids) == len(set(source_ids))


def test_what_was_taken_is_remembered_for_a_time_and_up_to_a_number() -> None:
    taken = Taken(most=2, micros=100)
    for now, digest in enumerate(DIGESTS[:3]):
        assert taken.begin(digest, now) == "new"
        assert taken.begin(digest, now) == "handling"
        taken.end(digest, now, taken=True)
    assert taken.begin(DIGESTS[0], 3) == "new", "the oldest of three had to go"
    taken.end(DIGESTS[0], 3, taken=False)
    assert [taken.begin(each, 100) for each in DIGESTS[1:3]] == ["taken", "taken"]
    assert [taken.begin(each, 102) for each in DIGESTS[1:3]] == ["new", "new"]


def test_what_failed_is_forgotten() -> None:
    taken = Taken()
    assert taken.begin(DIGESTS[0], 0) == "new"
    taken.end(DIGESTS[0], 0, taken=False)
    assert taken.begin(DIGESTS[0], 0) == "new"
