"""A fact keeps its source id at every poll, whatever the feed has added by then."""

import random
from typing import Any, Final

import pytest

from server.tracking.reading import Reading
from tests.tracking.given import OWN, TWO_POSTS, changed, own, read

Path = tuple[str | int, ...]

DETAIL: Final = own("easypost")["result"]["status_detail"]

STATES: Final[dict[str, tuple[Path, Any, str]]] = {
    "aftership": (("msg", "subtag"), "Exception_011", "Exception_011"),
    "easypost": (("result", "status"), "return_to_sender", f"return_to_sender/{DETAIL}"),
    "karrio": (("data", "status"), "on_hold", "on_hold"),
    "kdniao": (("Data", 0, "StateEx"), "404", "404"),
    "kuaidi100": (("lastResult", "state"), "2", "2"),
    "track17": (
        ("data", "accepted", 0, "track_info", "latest_status", "sub_status"),
        *("Exception_Lost", "Exception_Lost"),
    ),
    "track17 of two posts": (("dat", 0, "track", "e"), 50, "Exception_Other"),
}
"""Of each feed where it tells the state of a whole number, another state, and its code."""

ROW_CODES: Final = frozenset({"subtag", "status", "statusCode", "reason", "Action", "sub_status"})
ROW_TIMES: Final = frozenset(
    {"checkpoint_time", "datetime", "date", "AcceptTime", "time", "time_utc"}
)
TRACK: Final = ("dat", 0, "track")
CUSTOMS: Final = {"a": "2026-01-18 09:30", "c": "法国", "d": "", "z": "清关"}


def message(feed: str) -> Any:
    """The own message, of which every row is one that the feed tells with one id for good."""
    if feed != "track17 of two posts":
        return own(feed)
    rows = [each for each in TWO_POSTS["dat"][0]["track"]["z1"] if each != CUSTOMS]
    return changed(TWO_POSTS, (*TRACK, "z1"), rows)


def ids(readings: tuple[Reading, ...]) -> set[str]:
    """The source ids of rows; a state that is told of the whole number has no words."""
    return {each.source_id for each in readings if each.raw_text}


def poll(value: Any, order: random.Random) -> Any:
    """An earlier message: some rows are missing, the others come in any order."""
    if isinstance(value, dict):
        return {key: poll(each, order) for key, each in value.items()}
    if isinstance(value, list):
        rows = [poll(each, order) for each in value]
        return order.sample(rows, order.randint(0, len(rows)))
    return value


def without_codes(value: Any) -> Any:
    """The message with no code on any row."""
    if isinstance(value, list):
        return [without_codes(each) for each in value]
    if not isinstance(value, dict):
        return value
    dropped = ROW_CODES if ROW_TIMES & value.keys() else frozenset()
    return {key: without_codes(each) for key, each in value.items() if key not in dropped}


@pytest.mark.parametrize("feed", OWN)
def test_rows_have_the_ids_of_every_earlier_poll(feed: str) -> None:
    last = ids(read(feed, message(feed)).readings)
    seen = set()
    for seed in range(200):
        earlier = ids(read(feed, poll(message(feed), random.Random(seed))).readings)
        assert earlier <= last
        seen |= earlier
    assert seen == last, "every row was once among the told"


@pytest.mark.parametrize("feed", OWN)
def test_rows_without_codes_have_the_ids_of_every_earlier_poll(feed: str) -> None:
    bare = without_codes(message(feed))
    last = ids(read(feed, bare).readings)
    for seed in range(200):
        assert ids(read(feed, poll(bare, random.Random(seed))).readings) <= last


@pytest.mark.parametrize("feed", OWN)
def test_a_state_of_the_whole_number_is_one_fact_beside_the_rows(feed: str) -> None:
    path, state, code = STATES[feed]
    before = read(feed, without_codes(message(feed))).readings
    after = read(feed, changed(without_codes(message(feed)), path, state)).readings
    (told,) = [each for each in after if not each.raw_text]
    assert told.raw_code == code
    assert not any(each.raw_code for each in after if each.raw_text)
    assert (told.number, told.occurred) == (after[-1].number, after[-1].occurred)
    assert told.carrier in {each.carrier for each in after if each.occurred == told.occurred}
    assert ids(after) == ids(before), "the state changes no row"
    assert told.source_id not in {each.source_id for each in before}, "a changed state is new"


@pytest.mark.parametrize("feed", OWN)
def test_an_unchanged_state_beside_an_unchanged_newest_row_is_no_new_fact(feed: str) -> None:
    full = without_codes(message(feed))
    readings = read(feed, full).readings
    newest = readings[-1].occurred
    states = {each.source_id for each in readings if not each.raw_text}
    assert len(states) == 1
    met = 0
    for seed in range(200):
        earlier = read(feed, poll(full, random.Random(seed))).readings
        if earlier and earlier[-1].occurred == newest:
            met += 1
            assert {each.source_id for each in earlier if not each.raw_text} == states
    assert met


@pytest.mark.parametrize("feed", ["aftership", "easypost"])
def test_a_newest_row_with_a_code_of_its_own_is_told_no_state(feed: str) -> None:
    path, state, _ = STATES[feed]
    assert read(feed, changed(own(feed), path, state)) == read(feed, own(feed))


def test_courier_and_station_of_the_whole_number_change_no_id() -> None:
    for newest in ("", "301"):
        row = own("kdniao")["Data"][0]["Traces"][0]
        before = changed(own("kdniao"), ("Data", 0, "Traces", 0), {**row, "Action": newest})
        after = changed(before, ("Data", 0, "Station"), "徐州泉山网点")
        after = changed(after, ("Data", 0, "DeliveryMan"), "派件员乙")
        told = [read("kdniao", each).readings for each in (before, after)]
        assert told[0] != told[1]
        assert [r.source_id for r in told[0]] == [r.source_id for r in told[1]]


def test_a_number_that_is_told_twice_in_a_message_gives_the_same_ids_again() -> None:
    once = own("kdniao")
    twice = changed(once, ("Data",), [*once["Data"], *once["Data"]])
    told = [{each.source_id for each in read("kdniao", m).readings} for m in (once, twice)]
    assert told[0] == told[1]


def test_either_post_may_be_the_first_to_tell_an_event() -> None:
    both = read("track17", TWO_POSTS).readings
    for late in ("z1", "z2"):
        readings = read("track17", changed(TWO_POSTS, (*TRACK, late), [])).readings
        assert readings[-1].occurred == both[-1].occurred
        ends = [
            {r.source_id for r in each if r.occurred == both[-1].occurred}
            for each in (readings, both)
        ]
        assert ends[0] == ends[1], "the row and the state"


def test_a_list_that_adds_to_a_minute_takes_its_first_event_once_more() -> None:
    earlier = ids(read("track17", message("track17 of two posts")).readings)
    later = ids(read("track17", TWO_POSTS).readings)
    assert earlier <= later, "the minute's own id goes on to the event of the other post"
    alone = changed(message("track17 of two posts"), (*TRACK, "z2"), [])
    joined = changed(TWO_POSTS, (*TRACK, "z2"), [])
    lost = ids(read("track17", alone).readings) - ids(read("track17", joined).readings)
    assert len(lost) == 1
