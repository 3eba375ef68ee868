"""The clock of a store that follows a feed: forward only, and of the whole store."""

import pytest

from esm import commands as c
from esm.clock.state import BEGINNING, END, StoreClock
from esm.errors import ClockBackwards, InvalidCommand, NotAFeedClock
from esm.events import ClockAdvanced
from esm.ids import store_clock_id
from tests.esm import given as g
from tests.esm.story import NOW, Story

MAY = "2018-05-01T00:00:00.000000Z"
JUNE = "2018-06-01T00:00:00.000000Z"


def advance(story: Story, to: str) -> list[object]:
    return list(story.do(c.AdvanceClock(to=to), feed=BEGINNING))


def test_the_clock_goes_on_and_stands_where_it_was_advanced_to() -> None:
    story = Story()
    assert advance(story, MAY) == [ClockAdvanced(to=MAY)]
    assert advance(story, JUNE) == [ClockAdvanced(to=JUNE)]
    assert story.states[store_clock_id()] == (2, StoreClock(JUNE))


def test_where_it_stands_already_is_no_event() -> None:
    story = Story()
    assert advance(story, BEGINNING) == []
    advance(story, MAY)
    assert advance(story, MAY) == []
    assert story.shown == (store_clock_id(),)


def test_it_never_goes_back_and_the_refusal_says_where_it_stands() -> None:
    story = Story()
    advance(story, JUNE)
    with pytest.raises(ClockBackwards) as refused:
        advance(story, MAY)
    assert refused.value.metadata == {"clock": JUNE, "wanted": MAY}
    assert JUNE in refused.value.message


@pytest.mark.parametrize("to", ["", "1999-12-31T23:59:59.999999Z", END])
def test_a_time_that_no_clock_may_have_is_refused(to: str) -> None:
    with pytest.raises(InvalidCommand) as refused:
        advance(Story(), to)
    assert [found.field for found in refused.value.violations] == ["to"]


def test_a_wall_clock_is_not_advanced() -> None:
    with pytest.raises(NotAFeedClock):
        Story().do(c.AdvanceClock(to=MAY))


def test_a_second_tenant_advances_the_same_clock() -> None:
    story = Story()
    advance(story, JUNE)
    story.tenant = "t2"
    with pytest.raises(ClockBackwards):
        advance(story, MAY)


def test_what_lies_ahead_of_the_feed_is_future_however_late_it_is_for_us() -> None:
    looked = g.detection("TRACKING_STALLED", none_yet_looked_at="2018-06-01T00:06:00.000000Z")
    assert looked.none_yet_looked_at < NOW
    with pytest.raises(InvalidCommand) as refused:
        Story().do(looked, at=JUNE, feed=MAY)
    assert [found.field for found in refused.value.violations] == ["none_yet_looked_at"]
    assert Story().do(looked, at=JUNE, feed="2018-06-01T00:01:00.000000Z")
