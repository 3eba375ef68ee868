"""What detection found becomes one case: stages, mutes, what an action of ours explains."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from esm import commands as c
from esm.errors import Expected, InvalidCommand, Muted
from esm.events import (
    Alert,
    Detected,
    Escalated,
    Reclassified,
    Reopened,
    RuleMuted,
    SignalCleared,
    SourceJoined,
    Withdrawn,
)
from esm.events import Subject as About
from esm.exception.state import Case
from esm.ids import watch_aggregate_id
from esm.watch.mutes import MUTE_DAYS_MAX
from esm.watch.state import Watch
from tests.esm import given as g
from tests.esm.story import CATALOGUE, NOW, Story

STALL = "TRACKING_STALLED"
PIECE = About(order_id="O1", shipment_code="S1", piece="p1")
BEFORE, UNTIL = "2026-03-09T23:59:59.999999Z", "2026-03-10T00:00:00.000000Z"


def kinds(events: list[Any]) -> list[type]:
    return [type(event) for event in events]


def test_a_detection_names_rule_version_and_evidence() -> None:
    story = Story()
    story.do(
        g.deviation(
            STALL,
            "a",
            alert=c.AlertInput(
                rule=STALL, version=3, stage="at_risk", at=NOW, next_at=UNTIL, evidence=("e1", "e2")
            ),
        )
    )
    alert = Alert(
        rule=STALL, version=3, stage="at_risk", at=NOW, next_at=UNTIL, evidence=("e1", "e2")
    )
    assert [source.alert for source in story.case().sources] == [alert]


def test_every_stage_joins_as_a_source_of_its_own_and_the_case_shows_the_worst() -> None:
    story = Story()
    assert kinds(story.do(g.deviation(STALL, "a", stage="at_risk"))) == [Detected]
    case = story.case()
    assert (case.state, case.stage, case.team, case.level) == ("detected", "at_risk", "support", 0)
    assert kinds(story.do(g.deviation(STALL, "b", stage="breached"))) == [SourceJoined, Escalated]
    case = story.case()
    assert (case.state, case.stage, case.owner, case.level) == (
        "escalated",
        "breached",
        "queue:support",
        1,
    )
    story.do(g.deviation(STALL, "c", stage="at_risk"))
    assert story.case().stage == "breached"


def test_a_serious_stage_brings_its_stronger_code_and_the_level_of_that() -> None:
    story = Story()
    story.do(g.deviation(STALL, "a", stage="breached"))
    events = story.do(g.deviation("SUSPECTED_LOST", "b", stage="serious"))
    assert kinds(events) == [SourceJoined, Reclassified, Escalated]
    case = story.case()
    assert (case.code, case.stage, case.level, case.team) == (
        "SUSPECTED_LOST",
        "serious",
        2,
        "support",
    )


def test_a_level_that_a_person_lowered_stays_when_the_same_code_is_found_again() -> None:
    story = Story()
    story.do(g.deviation("NODE_STUCK", "a", stage="breached"))
    story.do(c.Escalate(exception_id=str(story.case().id), level=1, reason="calm"))
    assert kinds(story.do(g.deviation("NODE_STUCK", "b", stage="serious"))) == [SourceJoined]
    assert story.case().level == 1


def test_what_is_only_at_risk_never_names_a_case_in_work() -> None:
    story = Story()
    story.do(g.deviation(STALL, "a", stage="breached"))
    assert kinds(story.do(g.deviation("NODE_STUCK", "b", stage="at_risk"))) == [SourceJoined]
    assert (story.case().code, story.case().level) == (STALL, 1)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_has_happened_names_the_case_in_whatever_order_it_came(order: tuple[int, int]) -> None:
    story = Story()
    story.do(g.deviation(STALL, "first", stage="at_risk"))
    found = (
        g.deviation("NODE_STUCK", "b", stage="at_risk"),
        g.deviation(STALL, "c", stage="breached"),
    )
    for i in order:
        story.do(found[i])
    case = story.case()
    assert (case.code, case.level, case.state) == (STALL, 1, "escalated")


def test_a_breach_does_not_undo_what_a_person_called_it() -> None:
    story = Story()
    story.do(g.deviation(STALL, "a", stage="at_risk"))
    case = str(story.case().id)
    story.do(c.Reclassify(exception_id=case, code="STOLEN", reason="police"))
    story.do(g.deviation(STALL, "b", stage="breached"))
    assert story.case(case).code == "STOLEN"


def test_the_same_source_id_again_changes_nothing_whatever_became_of_the_case() -> None:
    story = Story()
    story.do(g.deviation(STALL, "a", stage="at_risk"))
    case = story.case().id
    story.do(c.Withdraw(exception_id=str(case), resolution="FALSE_ALARM"))
    story.do(g.mute(STALL))
    assert story.do(g.deviation(STALL, "a", stage="at_risk")) == []
    assert story.case().id == case


def test_a_new_stall_reopens_a_case_that_went_by_itself_under_the_new_code() -> None:
    story = Story()
    story.do(g.deviation("SUSPECTED_LOST", "a", stage="serious"))
    case = str(story.case().id)
    story.do(c.ClearSignal(exception_id=case, source_ids=("a",)))
    events = story.do(g.deviation(STALL, "b", stage="breached"))
    assert kinds(events) == [Reopened, SourceJoined, Reclassified]
    found = story.case()
    assert (str(found.id), found.episode, found.code, found.stage) == (case, 2, STALL, "breached")


def withdrawn() -> tuple[Story, str]:
    """A stall that was at risk and went by itself."""
    story = Story()
    story.do(g.deviation(STALL, "a", stage="at_risk"))
    case = str(story.case().id)
    story.do(c.ClearSignal(exception_id=case, source_ids=("a",)))
    return story, case


@pytest.mark.parametrize("code", [STALL, "NODE_STUCK"])
def test_what_is_only_at_risk_leaves_a_withdrawn_case_as_it_is(code: str) -> None:
    story, case = withdrawn()
    known = story.case(case)
    for i in range(3):
        at_risk = g.deviation(code, f"b{i}", stage="at_risk")
        assert story.do(at_risk) == []
        assert str(story.case().id) == case
        assert story.sources["signal/alert/detection", f"b{i}"] == UUID(case)
        assert story.do(at_risk) == []
        assert story.do(c.ClearSignal(exception_id=case, source_ids=(f"b{i}",))) == []
    assert story.case(case) == known


@pytest.mark.parametrize("stage", ["breached", "serious", ""])
def test_what_has_happened_reopens_a_withdrawn_case_that_was_at_risk_again(stage: str) -> None:
    story, case = withdrawn()
    story.do(g.deviation(STALL, "b", stage="at_risk"))
    assert kinds(story.do(g.deviation(STALL, "c", stage=stage))) == [Reopened, SourceJoined]
    assert kinds(story.do(g.deviation("NODE_STUCK", "d", stage="at_risk"))) == [SourceJoined]
    gone = c.ClearSignal(exception_id=case, source_ids=("b", "c", "d"))
    assert kinds(story.do(gone)) == [SignalCleared, Withdrawn]
    assert story.case(case).cleared == ("a", "c", "d")


def test_what_somebody_reports_at_risk_reopens_a_withdrawn_case() -> None:
    story, _ = withdrawn()
    said = g.detection(STALL, stage="at_risk", signal=c.Signal(kind="person"))
    assert kinds(story.do(said)) == [Reopened, SourceJoined]


def test_a_checkpoint_that_opens_a_case_keeps_its_raw_code_and_the_code_that_text_chose() -> None:
    story = Story()
    signal = c.Signal(kind="carrier", feed="kdniao", source_id="x", raw_code="4", raw_text="破损")
    story.do(g.deviation("DAMAGED", "x", signal=signal))
    source = story.case().sources[0]
    assert (story.case().code, source.raw_code, source.candidate) == ("DAMAGED", "4", "")


def reviewed() -> tuple[str, str, str]:
    """A raw code that the carrier desk reviews: feed, raw code, candidate."""
    for feed, source in sorted(CATALOGUE.sources.items()):
        for raw_code, meaning in sorted(source.codes.items()):
            if meaning.candidate and "*" not in raw_code:
                return feed, raw_code, meaning.candidate
    raise AssertionError("the catalogue has no raw code to review")


@pytest.mark.parametrize("by_rule", [True, False])
def test_a_raw_code_under_review_keeps_its_candidate(by_rule: bool) -> None:
    feed, raw_code, candidate = reviewed()
    story = Story()
    signal = c.Signal(kind="carrier", feed=feed, source_id="x", raw_code=raw_code)
    if by_rule:
        story.do(g.deviation("CARRIER_REPORTED", "x", signal=signal))
    else:
        story.do(g.detection("", signal=signal))
    assert story.case().code == "CARRIER_REPORTED"
    assert story.case().sources[0].candidate == candidate


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("signal.kind", {"signal": c.Signal(kind="customer", source_id="x")}),
        ("code", {"code": "NO_SUCH"}),
        ("report", {"report": c.Report(template="damaged")}),
        ("alert.rule", {"alert": c.AlertInput(rule="", version=1, at=NOW)}),
        ("alert.at", {"alert": c.AlertInput(rule="X", version=1, at="")}),
        ("alert.stage", {"alert": c.AlertInput(rule="X", version=1, at=NOW, stage="late")}),
    ],
)
def test_a_finding_that_says_too_little_is_refused(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidCommand) as refused:
        Story().do(replace(g.deviation(STALL, "a"), **changes))
    assert field in {v.field for v in refused.value.violations}


# --- mutes (A20) ----------------------------------------------------------------------------


def test_a_muted_rule_opens_nothing_before_the_end_of_the_mute() -> None:
    story = Story()
    assert kinds(story.do(g.mute(STALL))) == [RuleMuted]
    with pytest.raises(Muted) as refused:
        story.do(g.deviation(STALL, "a", looked_at=BEFORE))
    assert refused.value.metadata == {"rule": STALL, "until": UNTIL}
    assert kinds(story.do(g.deviation(STALL, "a", looked_at=UNTIL))) == [Detected, Escalated]


def test_a_mute_is_of_one_rule_and_one_subject() -> None:
    story = Story()
    story.do(g.mute(STALL))
    story.do(g.deviation("NODE_STUCK", "a"))
    story.do(g.deviation(STALL, "b", subject=About(order_id="O1", shipment_code="S2")))
    assert len({event.code for _, _, event in story.events if isinstance(event, Detected)}) == 2


@pytest.mark.parametrize(
    "muted",
    [{"shipment_code": ""}, {"shipment_code": "S1"}, {"shipment_code": "S1", "piece": "p1"}],
    ids=["order", "parcel", "piece"],
)
def test_a_mute_of_something_wider_holds_for_what_is_in_it(muted: dict[str, str]) -> None:
    story = Story()
    story.do(g.mute(STALL, **muted))
    with pytest.raises(Muted):
        story.do(g.deviation(STALL, "a", subject=PIECE))


def test_a_mute_of_a_piece_says_nothing_of_the_parcel() -> None:
    story = Story()
    story.do(g.mute(STALL, piece="p1"))
    assert kinds(story.do(g.deviation(STALL, "a"))) == [Detected, Escalated]


def test_a_later_mute_replaces_the_end_and_the_same_again_changes_nothing() -> None:
    story = Story()
    story.do(g.mute(STALL))
    assert story.do(g.mute(STALL)) == []
    story.do(g.mute(STALL, "2026-03-02T00:00:00.000000Z"))
    story.do(g.mute("NODE_STUCK"))
    watch = story.states[watch_aggregate_id("t1", "parcel␟O1␟S1␟")][1]
    assert isinstance(watch, Watch)
    assert watch.muted == {STALL: "2026-03-02T00:00:00.000000Z", "NODE_STUCK": UNTIL}
    story.do(g.deviation(STALL, "a", looked_at=BEFORE))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("rule", {"rule": "NO_SUCH"}),
        ("until", {"until": ""}),
        ("until", {"until": NOW}),
        ("until", {"until": "2026-05-30T09:00:00.000001Z"}),
        ("reason", {"reason": " "}),
        ("order_id", {"order_id": ""}),
        ("shipment_code", {"shipment_code": "", "piece": "p1"}),
    ],
)
def test_a_mute_needs_a_rule_a_reason_a_subject_and_an_end_that_is_not_far(
    field: str, changes: dict[str, Any]
) -> None:
    assert MUTE_DAYS_MAX == 90
    with pytest.raises(InvalidCommand) as refused:
        Story().do(replace(g.mute(STALL), **changes))
    assert [v.field for v in refused.value.violations] == [field]


def test_a_mute_may_end_exactly_ninety_days_ahead() -> None:
    assert kinds(Story().do(g.mute(STALL, "2026-05-30T09:00:00.000000Z"))) == [RuleMuted]


# --- what an action of ours explains (A18) --------------------------------------------------


def ordered(kind: str, **detection: Any) -> tuple[Story, str, str]:
    """A case in which an action that moves no money was submitted."""
    story = Story()
    story.do(g.record_order())
    case = g.detected(story, "DELIVERED_NOT_RECEIVED", **detection)
    g.verified(story, case)
    return story, case, g.submitted(story, case, kind)


@pytest.mark.parametrize(
    ("kind", "code"),
    [("redeliver", "TRACKING_ANOMALY"), ("return_goods", "RETURNING"), ("intercept", "RETURNED")],
)
def test_what_an_action_of_another_family_explains_opens_no_case(kind: str, code: str) -> None:
    story, case, action = ordered(kind)
    with pytest.raises(Expected) as refused:
        story.do(g.deviation(code, "a"))
    assert refused.value.metadata == {"exceptionId": case, "action": action, "kind": kind}


def test_nobody_ordered_it_so_it_is_a_case() -> None:
    story, case, _ = ordered("redeliver")
    assert Detected in kinds(story.do(g.deviation("RETURNING", "a")))
    other = About(order_id="O1", shipment_code="S2")
    story.do(g.deviation("TRACKING_ANOMALY", "b", subject=other))
    assert story.case().subject == other
    assert str(story.case().id) != case


def test_an_action_that_failed_explains_nothing_and_one_that_succeeded_does() -> None:
    story, case, action = ordered("redeliver")
    g.outcome(story, case, action, "failed")
    assert Detected in kinds(story.do(g.deviation("TRACKING_ANOMALY", "a")))
    story, case, action = ordered("redeliver")
    g.outcome(story, case, action, "succeeded")
    g.remediated(story, case, "REDELIVERED")
    with pytest.raises(Expected):
        story.do(g.deviation("TRACKING_ANOMALY", "a"))
    story.do(c.WriteBack(exception_id=case, none=True))
    story.do(c.Reconcile(exception_id=case))
    assert Detected in kinds(story.do(g.deviation("TRACKING_ANOMALY", "a")))


def test_an_action_that_is_only_proposed_explains_nothing() -> None:
    story = Story()
    story.do(g.record_order())
    case = g.detected(story, "DELIVERED_NOT_RECEIVED")
    g.verified(story, case)
    g.proposed(story, case, "redeliver")
    assert Detected in kinds(story.do(g.deviation("TRACKING_ANOMALY", "a")))


def test_an_action_for_the_whole_parcel_explains_what_is_found_of_a_piece() -> None:
    story, _, _ = ordered("return_goods")
    with pytest.raises(Expected):
        story.do(g.deviation("RETURNING", "a", subject=PIECE))


def test_a_return_ordered_on_the_order_explains_it_for_its_parcel() -> None:
    story = Story()
    story.do(g.record_order())
    case = g.detected(
        story,
        "REFUND_REQUESTED",
        subject=About(order_id="O1"),
        none_yet_looked_at="",
        failing_check="asked",
    )
    g.verified(story, case)
    g.submitted(story, case, "intercept", shipment_code="S1")
    with pytest.raises(Expected):
        story.do(g.deviation("RETURNED", "a"))
    other = About(order_id="O1", shipment_code="S2")
    assert Detected in kinds(story.do(g.deviation("RETURNED", "b", subject=other)))


@pytest.mark.parametrize("end", ["remediated", "reconciled"])
def test_that_a_parcel_we_paid_for_as_lost_does_not_arrive_is_no_trouble(end: str) -> None:
    story, case = g.lost_parcel()
    refund = g.refunded(story, case)
    assert SourceJoined in kinds(story.do(g.deviation("LONG_TRANSIT", "a", stage="at_risk")))
    g.remediated(story, case, "REFUNDED")
    if end == "reconciled":
        story.do(c.WriteBack(exception_id=case, logistics_line="L1"))
        story.do(c.Reconcile(exception_id=case))
    with pytest.raises(Expected) as refused:
        story.do(g.deviation("LONG_TRANSIT", "b", stage="breached"))
    assert refused.value.metadata["action"] == refund
    story.do(g.moved(case, delivered=True))
    assert story.case(case).code == "DELIVERED_AFTER_REMEDY"
    assert kinds(story.do(g.deviation(STALL, "c", stage="breached"))) == [SourceJoined]


def test_what_a_carrier_says_of_a_parcel_we_paid_for_is_still_heard() -> None:
    story, case = g.lost_parcel()
    g.refunded(story, case)
    g.remediated(story, case, "REFUNDED")
    assert Reopened in kinds(story.do(g.deviation("MISROUTED", "m")))


def test_case_five_a_false_sign_off_whose_redelivery_is_no_contradiction() -> None:
    story = Story()
    story.do(g.record_order())
    answers = (c.ReportField(name="asked_around", values=("yes",)),)
    said = c.Report(template="not_received", fields=answers)
    case = g.detected(story, "", signal=c.Signal(kind="customer"), report=said)
    assert (story.case(case).code, story.case(case).level) == ("DELIVERED_NOT_RECEIVED", 1)
    story.do(c.Reclassify(exception_id=case, code="FALSE_SIGNOFF", reason="the place is another"))
    g.verified(story, case)
    again = g.submitted(story, case, "redeliver")
    with pytest.raises(Expected):
        story.do(g.deviation("TRACKING_ANOMALY", "out for delivery after delivery"))
    g.outcome(story, case, again, "succeeded")
    g.remediated(story, case, "REDELIVERED")
    assert (story.case(case).code, story.case(case).state) == ("FALSE_SIGNOFF", "remediated")
    cases = [state for _, state in story.states.values() if isinstance(state, Case)]
    assert cases == [story.case(case)]
