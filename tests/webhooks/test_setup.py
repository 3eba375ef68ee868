"""Secrets come from the environment, are never shown, and are refused when they protect nothing."""

import pytest

from server.settings import Secrets, Settings, from_environment
from server.webhooks.setup import WebhooksRefused, check_secrets

SECRET = "a secret of some length"


def test_the_environment_gives_a_secret_to_a_feed_and_a_tenant() -> None:
    found = from_environment(
        {
            "ESM_WEBHOOK_SECRET_X12_214": SECRET,
            "ESM_WEBHOOK_SECRET_AFTERSHIP__second-shop": "another secret",
            "ESM_WEBHOOK_SECRET_TRACK17": "",
        }
    ).webhook_secrets
    assert found.of("x12_214", "default") == SECRET
    assert found.of("aftership", "second-shop") == "another secret"
    assert found.of("aftership", "default") == found.of("track17", "default") == ""
    check_secrets(found)


def test_nothing_that_is_printed_has_a_secret_in_it() -> None:
    settings = Settings(webhook_secrets=Secrets({("track17", "default"): SECRET}))
    assert SECRET not in f"{settings} {settings!r} {settings.webhook_secrets!s}"


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        ({}, "ESM_WEBHOOK_SECRET_FEED"),
        ({("aftersihp", "default"): SECRET}, "feeds are aftership, dhl_ecommerce"),
        ({("track17", "A B"): SECRET}, "'A B', no tenant"),
        ({("track17", "default"): "short"}, "fewer than 8"),
        ({("track17", "one"): SECRET, ("track17", "two"): SECRET}, "one and two have the same"),
    ],
    ids=["none", "of no feed", "of no tenant", "too short", "shared"],
)
def test_secrets_that_protect_nothing_are_refused_without_being_said(
    secrets: dict[tuple[str, str], str], said: str
) -> None:
    with pytest.raises(WebhooksRefused) as refusal:
        check_secrets(Secrets(secrets))
    assert said in str(refusal.value)
    assert not any(secret in str(refusal.value) for secret in secrets.values())
