"""What a raw code and its text say in the words of detection."""

import pytest

from esm.catalog.data import Status
from esm.detection.normal import CHARS_LOOKED_AT, Normalised, normalised
from tests.detection.given import CATALOGUE


def say(feed: str, raw_code: str, text: str = "", status: Status | None = None) -> Normalised:
    return normalised(CATALOGUE, feed, raw_code, text, status)


def test_a_raw_code_says_status_and_case() -> None:
    assert say("track17", "Exception_Damage") == Normalised("problem", "DAMAGED")
    assert say("track17", "Delivered_Other") == Normalised("delivered")
    assert say("kdniao", "302").clears == ("delay_loss", "delivery")


def test_what_is_not_clear_is_reviewed_with_its_candidate() -> None:
    found = say("track17", "Exception_Lost")
    assert (found.opens, found.candidate) == ("CARRIER_REPORTED", "SUSPECTED_LOST")


@pytest.mark.parametrize(
    ("text", "opens", "attempt"),
    [
        ("", "DELIVERY_FAILED", True),
        ("Driver ran out of time, NO ATTEMPT was made", "NO_ATTEMPT", False),
        ("快递员未实际派送", "NO_ATTEMPT", False),
        ("Recipient could not be reached", "RECIPIENT_UNREACHABLE", True),
        ("no attempts left", "DELIVERY_FAILED", True),
    ],
)
def test_the_text_chooses_where_the_code_lets_it(text: str, opens: str, attempt: bool) -> None:
    assert say("aftership", "AttemptFail_001", text) == Normalised(
        "attempted", opens, attempt=attempt
    )


def test_the_text_does_not_choose_where_the_code_does_not_let_it() -> None:
    assert say("track17", "Exception_Damage", "no attempt").opens == "DAMAGED"


def test_the_text_makes_no_case_of_a_code_that_opens_none() -> None:
    assert say("easypost", "in_transit/status_update", "rescheduled").opens == ""


def test_of_two_words_in_a_text_the_longer_one_chooses() -> None:
    text = "Held: commercial invoice and duties missing"
    assert say("kuaidi100", "13", text).opens == "CUSTOMS_DOCUMENTS"
    assert say("kuaidi100", "13", "pay duties").opens == "CUSTOMS_DUTIES"


@pytest.mark.parametrize(
    ("feed", "raw_code", "text", "candidate"),
    [
        ("aftership", "Exception_013", "parcel STOLEN from the van", "STOLEN"),
        ("easypost", "failure/lost", "theft from the depot", "STOLEN"),
        ("karrio", "in_transit/security_issue", "包裹被盗", "STOLEN"),
        ("easypost", "in_transit/held", "pay the duties", "CUSTOMS_DUTIES"),
        ("aftership", "Exception_013", "carrier cannot find it", "LOST"),
    ],
)
def test_the_text_changes_only_the_candidate_of_what_is_reviewed_first(
    feed: str, raw_code: str, text: str, candidate: str
) -> None:
    # One word in a sentence is no reason to call the task force before anybody has looked.
    found = say(feed, raw_code, text)
    assert (found.opens, found.candidate) == ("CARRIER_REPORTED", candidate)


def test_no_text_opens_a_loss_by_itself() -> None:
    for text in ("Parcel lost", "stolen", "包裹丢失", "包裹被盗"):
        assert say("usps", "", text) == Normalised("problem", "CARRIER_REPORTED")


def test_an_unknown_raw_code_opens_other_moves_nothing_and_can_be_counted() -> None:
    for feed in ("track17", "nobody"):
        assert say(feed, "Unheard") == Normalised("information", "OTHER", known=False)


def test_nothing_said_opens_nothing() -> None:
    assert say("nobody", "") == Normalised("information")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Posting", "collected"),
        ("Arrival at Sorting Center", "arrived"),
        ("Despatch from Sorting Center", "departed"),
        ("In Transit, arriving late", "in_transit"),
        ("Out for Delivery", "out_for_delivery"),
        ("Delivered, left in the mailbox", "delivered"),
        ("It will be delivered tomorrow", "information"),
        ("Delivered to local carrier", "in_transit"),
        ("离开甲市 发往乙市", "departed"),
        ("到达乙市处理中心", "arrived"),
        ("已妥投", "delivered"),
        ("海关放行", "customs_released"),
        ("Sunny weather", "information"),
        ("", "information"),
    ],
)
def test_a_feed_that_only_writes_sentences_is_understood_by_its_words(
    text: str, status: Status
) -> None:
    assert CATALOGUE.sources["ems"].codes == {}
    assert say("ems", "", text) == say("ems", "03", text) == Normalised(status)
    assert say("kuaidi100", "", text).status == status


@pytest.mark.parametrize(
    ("text", "opens", "attempt"),
    [
        ("Unsuccessful delivery", "DELIVERY_FAILED", True),
        ("未妥投：收件人不在", "RECIPIENT_UNAVAILABLE", True),
        ("Delivery not attempted", "NO_ATTEMPT", False),
    ],
)
def test_a_failed_delivery_is_understood_by_its_words_too(
    text: str, opens: str, attempt: bool
) -> None:
    assert say("ems", "", text) == Normalised("attempted", opens, attempt=attempt)


def test_words_do_not_make_a_status_of_a_raw_code_that_nobody_knows() -> None:
    assert say("track17", "Unheard", "Delivered").status == "information"


@pytest.mark.parametrize(
    ("status", "text", "opens", "attempt"),
    [
        ("delivered", "", "", False),
        ("in_transit", "refused", "", False),
        ("attempted", "", "DELIVERY_FAILED", True),
        ("attempted", "虚假派送", "NO_ATTEMPT", False),
        ("problem", "", "CARRIER_REPORTED", False),
        ("returning", "", "RETURNING", False),
    ],
)
def test_a_callers_own_status_counts_where_the_catalogue_knows_nothing(
    status: Status, text: str, opens: str, attempt: bool
) -> None:
    assert say("shop", "", text, status) == Normalised(status, opens, attempt=attempt)
    assert say("shop", "X1", text, status).opens == opens
    assert not say("shop", "X1", text, status).known
    assert say("shop", "", text, status).known


def test_the_catalogue_overrules_a_callers_status() -> None:
    assert say("track17", "Delivered_Other", "", "in_transit").status == "delivered"


def test_every_code_that_a_text_may_choose_has_words_for_it() -> None:
    by_text = {
        each
        for feed in CATALOGUE.sources.values()
        for code in feed.codes.values()
        for each in code.by_text
    }
    by_text |= {each for entry in CATALOGUE.clearings.values() for each in entry.by_text}
    # A carrier's report is what stays when no words say more.
    assert by_text - CATALOGUE.words.keys() == {"CARRIER_REPORTED"}
    assert all(entry.zh and entry.en for entry in CATALOGUE.words.values())


def test_words_are_looked_for_in_the_beginning_of_a_text() -> None:
    words = "快递员未实际派送"
    inside = "x" * (CHARS_LOOKED_AT - len(words)) + words
    assert say("aftership", "AttemptFail_001", inside).opens == "NO_ATTEMPT"
    assert say("aftership", "AttemptFail_001", "x" + inside).opens == "DELIVERY_FAILED"
    many_times_as_long = "\ufdfa" * CHARS_LOOKED_AT + words
    assert say("aftership", "AttemptFail_001", many_times_as_long).opens == "DELIVERY_FAILED"
