"""A case when the world moves on: signals that cleared (A19), or never were."""

from typing import Any

import pytest

from esm import commands as c
from esm.errors import ExceptionNotFound, InvalidCommand
from esm.events import (
    Reclassified,
    Reopened,
    SignalCleared,
    SourceJoined,
    Subject,
    Withdrawn,
)
from esm.ids import event_id
from tests.esm import given as g
from tests.esm.story import Story

STALL = "TRACKING_STALLED"
LATER = "2026-03-01T08:00:00.000000Z"


def kinds(events: list[Any]) -> list[type]:
    return [type(event) for event in events]


def stalled(*stages: str) -> tuple[Story, str]:
    """A stall whose stages have the source ids of their names."""
    story = Story()
    for stage in stages or ("breached",):
        story.do(g.deviation(STALL, stage, stage=stage))
    return story, str(story.case().id)


def clear(case: str, *source_ids: str) -> c.ClearSignal:
    return c.ClearSignal(exception_id=case, source_ids=source_ids, last_checkpoint=g.scan(LATER))


# --- clearing -------------------------------------------------------------------------------


@pytest.mark.parametrize("stages", [("at_risk",), ("at_risk", "breached")])
def test_a_stall_that_ends_is_withdrawn_as_resumed_with_what_ended_it(
    stages: tuple[str, ...],
) -> None:
    story, case = stalled(*stages)
    state = story.case(case).state
    events = story.do(clear(case, *stages))
    assert kinds(events) == [SignalCleared, Withdrawn]
    cleared, withdrawn = events
    assert isinstance(cleared, SignalCleared)
    assert isinstance(withdrawn, Withdrawn)
    assert cleared.checkpoint is not None
    assert (cleared.source_ids, cleared.checkpoint.occurred) == (stages, LATER)
    version = story.states[story.case(case).id][0]
    assert withdrawn.evidence == (event_id(story.case(case).id, version - 1),)
    found = story.case(case)
    assert (withdrawn.from_state, withdrawn.resolution) == (state, "RESUMED")
    assert (found.state, found.resolution, found.cleared) == ("withdrawn", "RESUMED", stages)
    assert found.checkpoint == cleared.checkpoint


def test_case_one_a_stall_resumes_and_a_new_one_is_the_next_episode_of_the_same_case() -> None:
    story, case = stalled("at_risk", "breached")
    story.do(clear(case, "at_risk", "breached"))
    events = story.do(g.deviation(STALL, "again", stage="breached"))
    assert kinds(events) == [Reopened, SourceJoined]
    found = story.case(case)
    assert (found.episode, found.state, found.stage) == (2, "escalated", "breached")
    assert kinds(story.do(clear(case, "again"))) == [SignalCleared, Withdrawn]


def test_clearing_again_and_clearing_what_the_case_does_not_know_changes_nothing() -> None:
    story, case = stalled("at_risk", "breached")
    assert story.do(clear(case, "no-such")) == []
    assert kinds(story.do(clear(case, "at_risk", "at_risk"))) == [SignalCleared]
    assert story.do(clear(case, "at_risk", "no-such")) == []
    assert story.case(case).cleared == ("at_risk",)


def test_a_stage_that_still_stands_keeps_the_case() -> None:
    story, case = stalled("at_risk", "breached")
    assert kinds(story.do(clear(case, "at_risk"))) == [SignalCleared]
    assert story.case(case).state == "escalated"


@pytest.mark.parametrize("kind", ["customer", "person", "platform"])
def test_what_people_and_platforms_reported_always_stands(kind: str) -> None:
    story, case = stalled("breached")
    story.do(g.detection(STALL, signal=c.Signal(kind=kind, feed="web", source_id="said")))
    assert kinds(story.do(clear(case, "breached", "said"))) == [SignalCleared]
    assert (story.case(case).state, story.case(case).cleared) == ("escalated", ("breached",))


def test_what_a_carrier_reported_clears() -> None:
    story = Story()
    signal = c.Signal(kind="carrier", feed="track17", source_id="x", raw_code="DeliveryFailure")
    story.do(g.deviation("DELIVERY_FAILED", "x", signal=signal))
    assert kinds(story.do(clear(str(story.case().id), "x"))) == [SignalCleared, Withdrawn]


def test_the_code_follows_the_strongest_that_still_stands() -> None:
    story, case = stalled("at_risk", "breached")
    story.do(g.deviation("MISROUTED", "m"))
    story.do(g.deviation("NODE_STUCK", "n", stage="breached"))
    assert story.case(case).code == "NODE_STUCK"
    events = story.do(clear(case, "n"))
    assert kinds(events) == [SignalCleared, Reclassified]
    assert story.case(case).code == STALL
    assert story.case(case).codes[-1].evidence == (g.last_event_id(story, SignalCleared.TOPIC),)
    story.do(clear(case, "at_risk", "breached"))
    assert story.case(case).code == "MISROUTED"


def test_a_code_that_a_person_chose_stays_when_signals_clear() -> None:
    story, case = stalled("breached")
    story.do(g.deviation("NODE_STUCK", "n", stage="breached"))
    story.do(c.Reclassify(exception_id=case, code=STALL, reason="no"))
    story.do(c.Reclassify(exception_id=case, code="NODE_STUCK", reason="but yes"))
    assert kinds(story.do(clear(case, "n"))) == [SignalCleared]
    assert story.case(case).code == "NODE_STUCK"


def test_a_code_of_another_source_that_still_stands_stays() -> None:
    story, case = stalled("at_risk", "breached")
    assert kinds(story.do(clear(case, "breached"))) == [SignalCleared]
    assert story.case(case).code == STALL


def test_a_promise_that_was_broken_stays_broken_when_the_parcel_is_delivered() -> None:
    story = Story()
    story.do(g.deviation("PROMISE_MISSED", "p", stage="breached"))
    case = str(story.case().id)
    story.do(g.deviation(STALL, "s", stage="breached"))
    assert story.case(case).code == STALL
    assert kinds(story.do(clear(case, "p", "s"))) == [SignalCleared, Reclassified]
    assert (story.case(case).state, story.case(case).code) == ("escalated", "PROMISE_MISSED")


def test_a_promise_that_was_only_at_risk_clears() -> None:
    story = Story()
    story.do(g.deviation("PROMISE_MISSED", "p", stage="at_risk"))
    assert kinds(story.do(clear(str(story.case().id), "p"))) == [SignalCleared, Withdrawn]


def broken_promise() -> tuple[Story, str]:
    """A promise that passed, known by the source "p"."""
    story = Story()
    story.do(g.deviation("PROMISE_MISSED", "p", stage="breached"))
    return story, str(story.case().id)


def undo(case: str, *source_ids: str) -> c.ClearSignal:
    return c.ClearSignal(exception_id=case, source_ids=source_ids, undone=True)


def test_a_promise_that_was_not_the_true_one_was_not_broken() -> None:
    story, case = broken_promise()
    events = story.do(undo(case, "p"))
    assert kinds(events) == [SignalCleared, Withdrawn]
    assert isinstance(events[0], SignalCleared)
    assert events[0].undone
    found = story.case(case)
    assert (found.state, found.cleared, found.undone) == ("withdrawn", ("p",), ("p",))
    assert story.do(undo(case, "p")) == []
    assert story.do(clear(case, "p")) == []


def test_what_had_ended_may_turn_out_never_to_have_been() -> None:
    story, case = broken_promise()
    assert kinds(story.do(clear(case, "p"))) == [SignalCleared]
    assert (story.case(case).state, story.case(case).undone) == ("escalated", ())
    assert story.do(clear(case, "p")) == []
    assert kinds(story.do(undo(case, "p"))) == [SignalCleared, Withdrawn]
    assert (story.case(case).cleared, story.case(case).undone) == (("p",), ("p",))


def test_a_code_whose_source_never_was_gives_way_to_what_stands() -> None:
    story, case = broken_promise()
    story.do(g.deviation(STALL, "s", stage="at_risk"))
    assert story.case(case).code == "PROMISE_MISSED"
    assert kinds(story.do(undo(case, "p"))) == [SignalCleared, Reclassified]
    assert (story.case(case).state, story.case(case).code) == ("escalated", STALL)


def test_what_never_was_stays_so_after_a_merge() -> None:
    story, case = broken_promise()
    story.do(g.detection(STALL, signal=c.Signal(kind="customer", feed="web", source_id="said")))
    story.do(undo(case, "p"))
    story.do(g.deviation("DAMAGED", "d"))
    into = str(story.case().id)
    story.do(c.Merge(exception_id=case, into=into))
    assert (story.case(into).cleared, story.case(into).undone) == (("p",), ("p",))
    assert story.do(undo(case, "p")) == []


def test_a_running_action_keeps_the_case_and_money_keeps_it_for_ever() -> None:
    story, case = stalled("breached")
    story.do(g.record_order())
    g.verified(story, case)
    expedite = g.submitted(story, case, "expedite")
    assert kinds(story.do(clear(case, "breached"))) == [SignalCleared]
    assert story.case(case).state == "escalated"
    g.outcome(story, case, expedite, "succeeded")
    story.do(g.deviation(STALL, "s2", stage="serious"))
    paid = g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    story.do(c.CancelAction(exception_id=case, action_id=paid))
    assert kinds(story.do(clear(case, "s2"))) == [SignalCleared]
    assert story.case(case).state == "escalated"


@pytest.mark.parametrize("end", ["remediated", "reconciled", "withdrawn"])
def test_in_a_case_at_its_end_clearing_is_only_noted(end: str) -> None:
    story, case = stalled("breached")
    if end == "withdrawn":
        story.do(c.Withdraw(exception_id=case, resolution="FALSE_ALARM"))
    else:
        g.verified(story, case)
        g.explained(story, case)
        g.remediated(story, case)
    if end == "reconciled":
        story.do(c.WriteBack(exception_id=case, none=True))
        story.do(c.Reconcile(exception_id=case))
    assert kinds(story.do(clear(case, "breached"))) == [SignalCleared]
    assert story.case(case).state == end


def test_a_case_that_a_person_reopened_is_never_withdrawn_by_itself() -> None:
    story, case = stalled("breached")
    story.do(c.Withdraw(exception_id=case, resolution="FALSE_ALARM"))
    story.do(c.Reopen(exception_id=case, reason="not false"))
    story.do(g.deviation(STALL, "s", stage="serious"))
    assert kinds(story.do(clear(case, "s", "breached"))) == [SignalCleared]


def test_sources_of_an_earlier_episode_do_not_keep_a_later_one_open() -> None:
    story, case = stalled("breached")
    story.do(c.Withdraw(exception_id=case, resolution="FALSE_ALARM"))
    story.do(g.deviation(STALL, "serious", stage="serious"))
    assert kinds(story.do(clear(case, "serious"))) == [SignalCleared, Withdrawn]


def test_clearing_a_merged_case_is_told_to_the_one_that_stays() -> None:
    story, case = stalled("breached")
    story.do(g.deviation("DAMAGED", "d"))
    into = str(story.case().id)
    story.do(c.Merge(exception_id=case, into=into))
    assert kinds(story.do(clear(case, "breached"))) == [SignalCleared]
    assert str(story.case().id) == into
    assert kinds(story.do(clear(into, "d"))) == [SignalCleared, Withdrawn]


def test_what_was_cleared_before_a_merge_stays_cleared_after_it() -> None:
    story, case = stalled("at_risk", "breached")
    story.do(clear(case, "at_risk"))
    story.do(g.deviation("DAMAGED", "d"))
    into = str(story.case().id)
    story.do(c.Merge(exception_id=case, into=into))
    assert story.do(clear(into, "at_risk")) == []
    assert kinds(story.do(clear(into, "d", "breached"))) == [SignalCleared, Withdrawn]


def test_the_stage_of_a_reopened_case_is_the_worst_that_still_stands() -> None:
    story, case = stalled("at_risk", "breached")
    story.do(c.Withdraw(exception_id=case, resolution="FALSE_ALARM"))
    story.do(c.Reopen(exception_id=case, reason="it is true"))
    assert story.case(case).stage == "breached"
    story.do(c.Withdraw(exception_id=case, resolution="FALSE_ALARM"))
    story.do(clear(case, "breached"))
    story.do(c.Reopen(exception_id=case, reason="true again"))
    assert story.case(case).stage == ""


def test_a_merge_hands_on_no_stage_that_was_cleared() -> None:
    story, case = stalled("serious")
    story.do(g.detection(STALL, signal=c.Signal(kind="customer", feed="web", source_id="said")))
    story.do(clear(case, "serious"))
    story.do(g.deviation("DAMAGED", "d", stage="at_risk"))
    into = str(story.case().id)
    story.do(c.Merge(exception_id=case, into=into))
    assert story.case(into).stage == "at_risk"


@pytest.mark.parametrize(("hour", "stage"), [("07", "at_risk"), ("09", "breached")])
def test_of_a_merge_the_later_word_of_a_rule_is_the_stage(hour: str, stage: str) -> None:
    story = Story()
    at = f"2026-02-25T{hour}:00:00.000000Z"
    alert = c.AlertInput(rule=STALL, version=1, stage="breached", at=at)
    subject = Subject(order_id="O1", shipment_code="S2")
    story.do(g.deviation(STALL, "gone", stage="breached", subject=subject, alert=alert))
    gone = str(story.case().id)
    at = "2026-02-25T08:00:00.000000Z"
    alert = c.AlertInput(rule=STALL, version=1, stage="at_risk", at=at)
    story.do(g.deviation(STALL, "own", stage="at_risk", alert=alert))
    into = str(story.case().id)
    story.do(c.Merge(exception_id=gone, into=into))
    assert story.case(into).stage == stage
    story.do(c.Withdraw(exception_id=into, resolution="FALSE_ALARM"))
    story.do(c.Reopen(exception_id=into, reason="it is true"))
    assert story.case(into).stage == stage


def test_clearing_checks_its_case_and_its_checkpoint() -> None:
    with pytest.raises(ExceptionNotFound):
        Story().do(clear("no-such", "x"))
    story, case = stalled()
    bad = c.ClearSignal(exception_id=case, source_ids=("x",), last_checkpoint=c.CheckpointInput())
    with pytest.raises(InvalidCommand):
        story.do(bad)
