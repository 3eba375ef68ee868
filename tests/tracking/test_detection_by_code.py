"""What DetectException does with a carrier's own code."""

import pytest

from esm import commands as c
from esm.catalog import load
from esm.errors import InvalidCommand
from esm.exception.intake import hint
from tests.esm.given import detection
from tests.esm.story import NOW, Story, plain_seal

CATALOGUE = load()


def signal(feed: str, raw_code: str, source_id: str = "1") -> c.Signal:
    return c.Signal(kind="carrier", feed=feed, source_id=source_id, raw_code=raw_code)


def detected_as(feed: str, raw_code: str) -> str:
    story = Story()
    story.do(detection("", signal=signal(feed, raw_code)))
    (source,) = story.case().sources
    assert (source.feed, source.raw_code) == (feed, raw_code)
    return story.case().code


def test_a_clear_code_opens_its_case() -> None:
    assert detected_as("aftership", "AttemptFail_002") == "RECIPIENT_UNAVAILABLE"


def test_an_unclear_code_goes_to_the_carrier_desk() -> None:
    story = Story()
    story.do(detection("", signal=signal("aftership", "Exception_013")))
    assert (story.case().code, story.case().team) == ("CARRIER_REPORTED", "carrier_desk")


@pytest.mark.parametrize(("feed", "raw_code"), [("track17", "Unheard"), ("nobody", "4")])
def test_an_unknown_code_becomes_other_and_is_kept(feed: str, raw_code: str) -> None:
    assert detected_as(feed, raw_code) == "OTHER"


@pytest.mark.parametrize(
    ("feed", "raw_code", "words"),
    [
        ("track17", "Delivered_Other", "'delivered'"),
        ("kuaidi100", "11", "'in customs'"),
        ("kdniao", "211", "'left in a locker or at a pickup point'"),
        ("aftership", "InTransit_003", "'arrived at a hub'"),
        ("aftership", "Delivered_001", "'delivered'"),
        ("x12_214", "X6/NS", "'on its way'"),
    ],
)
def test_a_code_that_opens_no_case_is_refused_with_what_it_says(
    feed: str, raw_code: str, words: str
) -> None:
    story = Story()
    with pytest.raises(InvalidCommand) as caught:
        story.do(detection("", signal=signal(feed, raw_code)))
    (violation,) = caught.value.violations
    assert violation.field == "signal.raw_code"
    says = f"{raw_code!r} of {feed} says {words}, which opens no case by itself"
    assert violation.description == says
    assert story.events == []


def test_a_code_of_ours_on_what_opens_no_case_wins() -> None:
    story = Story()
    report = c.Signal(kind="carrier", feed="track17", source_id="1")
    last = c.CheckpointInput(occurred_at="2026-02-27T00:00:00.000000Z", raw_code="Delivered_Other")
    story.do(detection("FALSE_SIGNOFF", signal=report, last_checkpoint=last, none_yet_looked_at=""))
    assert story.case().code == "FALSE_SIGNOFF"


def test_a_source_id_accepted_before_is_answered_whatever_its_code_says_by_now() -> None:
    story = Story()
    story.do(detection("LOST", signal=c.Signal(kind="carrier", feed="track17", source_id="9")))
    case = story.case()
    again = signal("track17", "Delivered_Other", source_id="9")
    assert story.do(detection("", signal=again)) == []
    assert story.case().id == case.id


@pytest.mark.parametrize(
    ("raw_code", "needs"), [("Exception_Lost", 1), ("Unheard", 1), ("Delivered_Other", 0)]
)
def test_a_hint_is_given_for_any_raw_code(raw_code: str, needs: int) -> None:
    context = c.Context(
        tenant="t1",
        actor="ann",
        assurance="asserted",
        now=NOW,
        occurred=NOW,
        catalogue=CATALOGUE,
        seal=plain_seal,
    )
    wanted = hint(detection("", signal=signal("track17", raw_code)), context)
    assert len(wanted.aggregates) == needs


@pytest.mark.parametrize("feed", ["usps", "dhl_ecommerce", "fourpx", "ems", "yanwen"])
def test_a_feed_without_a_table_maps_nothing_yet_but_an_explicit_request_opens_other(
    feed: str,
) -> None:
    assert CATALOGUE.sources[feed].codes == {}
    assert CATALOGUE.meaning(feed, "01") is None
    assert detected_as(feed, "01") == "OTHER"
