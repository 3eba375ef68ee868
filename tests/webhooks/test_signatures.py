"""Every feed takes what its vendor signed, and nothing else."""

from dataclasses import replace

import pytest

from server.tracking.feeds import FEEDS
from server.webhooks.signatures import Post, easypost
from server.webhooks.vendors import VENDORS
from tests.webhooks.vendors import SECRETS, SIGNED, TENANT, Place, Sent, message, post, signed

HEADERS = ("aftership-hmac-sha256", "X-Hmac-Signature", "sign", "X-Event-Id", "Authorization")
"""Where signatures stand that are not fields of a form."""

FORMS = ("kdniao", "kuaidi100")


def without_signature(feed: str) -> Sent:
    sent = signed(feed)
    headers = {name: value for name, value in sent.headers.items() if name not in HEADERS}
    if feed in FORMS:
        fields = [f for f in sent.body.split(b"&") if not f.startswith((b"sign=", b"DataSign="))]
        return replace(sent, body=b"&".join(fields), headers=headers)
    return replace(sent, headers=headers)


def tampered(feed: str) -> Sent:
    """Another body under the signature of the first."""
    sent = signed(feed)
    return replace(sent, body=sent.body.replace(b"2026", b"2027"))


def test_every_feed_that_can_be_read_has_a_vendor() -> None:
    assert set(VENDORS) == set(FEEDS)


@pytest.mark.parametrize("feed", VENDORS)
def test_a_message_with_the_signature_of_its_vendor_is_stored_before_it_is_answered(
    there: Place, feed: str
) -> None:
    answer = post(there.address, signed(feed))
    assert answer.status == 200, answer
    assert there.recorder.facts
    assert {(tenant, fact["feed"]) for tenant, fact in there.recorder.facts} == {(TENANT, feed)}
    assert there.app.counts.all() == {(feed, "taken"): 1}


@pytest.mark.parametrize("feed", VENDORS)
def test_a_message_without_a_signature_is_refused_and_counted(there: Place, feed: str) -> None:
    answer = post(there.address, without_signature(feed))
    assert answer.status == 401
    assert there.app.counts.all() == {(feed, "unsigned"): 1}
    assert not there.recorder.facts


@pytest.mark.parametrize("feed", VENDORS)
def test_a_message_under_the_secret_of_another_feed_is_refused_and_counted(
    there: Place, feed: str
) -> None:
    other = next(name for name in VENDORS if name != feed)
    answer = post(there.address, signed(feed, secret=SECRETS.of(other, TENANT)))
    assert answer.status == 401
    assert there.app.counts.all() == {(feed, "wrong_signature"): 1}
    assert not there.recorder.facts


@pytest.mark.parametrize("feed", sorted(set(SIGNED) - {"karrio"}))
def test_a_message_that_was_changed_on_its_way_is_refused_and_counted(
    there: Place, feed: str
) -> None:
    sent = tampered(feed)
    assert sent.body != signed(feed).body
    assert post(there.address, sent).status == 401
    assert there.app.counts.all() == {(feed, "wrong_signature"): 1}
    assert not there.recorder.facts


def test_the_signature_of_one_tenant_is_none_of_another(there: Place) -> None:
    sent = replace(signed("aftership"), path="/webhooks/second/aftership")
    assert post(there.address, sent).status == 401
    body = message("aftership")
    own = signed("aftership", body, SECRETS.of("aftership", "second"))
    assert post(there.address, replace(own, path=sent.path)).status == 200
    assert {tenant for tenant, _ in there.recorder.facts} == {"second"}


def test_the_signature_of_easypost_is_that_of_its_own_client_library() -> None:
    """The example of the library: a secret with an accent, which it decomposes."""
    event = Post({"x-hmac-signature": "x"}, b"{}", {}, b"{}")
    assert easypost(event, "s\u00e9cret") == easypost(event, "se\u0301cret")


@pytest.mark.parametrize(
    "authorization",
    ["Basic dXNlcjpzZWNyZXQgb2YgdXNwcywgw6k=", None],
    ids=["the password of HTTP Basic", "the last part of the path"],
)
def test_a_vendor_that_signs_nothing_shows_the_secret(
    there: Place, authorization: str | None
) -> None:
    sent = without_signature("usps")
    if authorization:
        sent = replace(sent, headers={**sent.headers, "Authorization": authorization})
    else:
        sent = replace(sent, path=sent.path + "/secret%20of%20usps,%20%C3%A9")
    assert post(there.address, sent).status == 200
    wrong = replace(
        sent, path=f"/webhooks/{TENANT}/usps/wrong", headers={"Content-Type": "text/xml"}
    )
    assert post(there.address, wrong).status == 401


@pytest.mark.parametrize("authorization", ["Basic !", "Basic /w==", "Bearer", "Digest x"])
def test_credentials_that_cannot_be_read_are_no_secret(there: Place, authorization: str) -> None:
    sent = without_signature("usps")
    sent = replace(sent, headers={**sent.headers, "Authorization": authorization})
    assert post(there.address, sent).status == 401


def test_a_number_in_the_query_counts_only_where_the_secret_itself_is_shown(there: Place) -> None:
    assert post(there.address, signed("ems")).status == 200
    assert {fact["number"] for _, fact in there.recorder.facts} == {"EA000000000CN"}
    sent = signed("track17")
    assert post(there.address, replace(sent, path=sent.path + "?number=OTHER")).status == 200
    assert "OTHER" not in {fact["number"] for _, fact in there.recorder.facts}
