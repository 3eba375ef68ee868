"""EPCIS events whose words are not those of the Core Business Vocabulary."""

import json
from zoneinfo import ZoneInfo

import pytest

from server.tracking.feeds import epcis


@pytest.mark.parametrize(
    ("step", "disposition", "code"),
    [
        ("https://example.com/step/weighing", "damaged", "https:example.com:step:weighing/damaged"),
        ("shipping", "http://example.com/wet", "shipping/http:example.com:wet"),
        ("urn:example:step:weighing", "damaged", "urn:example:step:weighing/damaged"),
    ],
)
def test_a_word_of_another_vocabulary_does_not_hide_the_other_word(
    step: str, disposition: str, code: str
) -> None:
    event = {"type": "ObjectEvent", "eventTime": "2030-03-03T17:21:36Z", "epcList": ["urn:x:1"]}
    told = event | {"bizStep": step, "disposition": disposition}
    (reading,) = epcis.read(json.dumps(told).encode(), ZoneInfo("UTC")).readings
    assert reading.raw_code == code
