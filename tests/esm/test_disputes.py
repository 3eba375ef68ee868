"""Charge-backs over their life: one case of their own, told once, opened again after a verdict."""

import pytest

from esm import commands as c
from esm.errors import DisputeOpen, IllegalActionMove, InvalidCommand
from esm.exception.state import Case
from tests.esm import given as g
from tests.esm.story import NOW, Story

LATER = "2026-03-02T09:00:00.000000Z"
LAST = "2026-03-03T09:00:00.000000Z"


def ordered() -> Story:
    story = Story()
    story.do(g.record_order())
    return story


def withheld(story: Story) -> int:
    """What stands on 1130 over all cases; minor units."""
    cases = [s for _, s in story.states.values() if isinstance(s, Case)]
    return sum(b for case in cases for (a, _), b in case.balances.items() if a == "1130")


def test_a_charge_back_has_its_own_case_and_the_one_named_only_raised_it() -> None:
    story, case = g.lost_parcel()
    story.do(g.money("chargeback_opened", "d1", g.GROSS, exception_id=case))
    own = g.case_of(story, "CHARGEBACK")
    assert own.raised_by == case
    assert story.case(case).balances == {}
    assert story.order().disputes[0].exception_id == str(own.id)


def test_a_verdict_above_the_opening_stays_on_the_dispute_s_case() -> None:
    story, case = g.lost_parcel()
    story.do(g.money("chargeback_opened", "d1", 1000))
    story.do(g.money("chargeback_lost", "d1", 1001, exception_id=case))
    assert story.order().disputes[0].exception_id == str(g.case_of(story, "CHARGEBACK").id)
    assert all(number != "1130" for number, _ in g.case_of(story, "CHARGEBACK").balances)
    assert (withheld(story), story.order().charged_back) == (0, 1001)


def test_a_verdict_above_the_opening_keeps_the_reason_of_the_opening() -> None:
    story = ordered()
    story.do(g.money("chargeback_opened", "d1", 1000, reason="fraud"))
    story.do(g.money("chargeback_lost", "d1", 1001))
    assert story.trial_balance() == {"5070": 1001, "1020": -1001}


def test_a_refund_that_a_charge_back_paid_cannot_fail() -> None:
    story, case = g.lost_parcel()
    action = g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    story.do(g.money("chargeback_opened", "d1", g.GROSS))
    story.do(g.money("chargeback_lost", "d1", g.GROSS))
    with pytest.raises(IllegalActionMove, match=r"succeeded \(chargeback\)"):
        g.outcome(story, case, action, "failed")


def test_a_charge_back_that_was_won_may_be_opened_again_and_decided_again() -> None:
    story, case = g.lost_parcel()
    story.do(g.money("chargeback_opened", "d1", g.GROSS))
    story.do(g.money("chargeback_won", "d1", g.GROSS))
    story.do(g.money("chargeback_opened", "d1", g.GROSS), at=LATER)
    assert story.order().open_disputes == withheld(story) == g.GROSS
    with pytest.raises(DisputeOpen):
        g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    story.do(g.money("chargeback_won", "d1", g.GROSS), at=LAST)
    assert story.order().open_disputes == withheld(story) == 0
    assert story.order().disputes[0].round == 2


def test_what_was_told_of_an_earlier_opening_is_known_when_it_comes_again() -> None:
    story = ordered()
    told = [(g.money(kind, "d1", 500), NOW) for kind in ("chargeback_opened", "chargeback_won")]
    told.append((g.money("chargeback_opened", "d1", 700), LATER))
    told.append((g.money("chargeback_lost", "d1", 700), LAST))
    for command, at in told:
        assert story.do(command, at=at)
    for command, at in told:
        assert story.do(command, at=at) == []
    assert story.order().charged_back == 700


def test_the_late_notice_of_an_opening_that_its_verdict_implied_is_a_repeat() -> None:
    story = ordered()
    story.do(g.money("chargeback_lost", "d1", 500), at=LATER)
    assert story.do(g.money("chargeback_opened", "d1", 500), at=NOW) == []
    assert story.order().open_disputes == 0


def test_a_verdict_after_another_verdict_opens_the_charge_back_again() -> None:
    story = ordered()
    story.do(g.money("chargeback_opened", "d1", 500))
    story.do(g.money("chargeback_won", "d1", 500))
    lost = g.money("chargeback_lost", "d1", 500)
    story.do(lost, at=LATER)
    assert story.do(lost, at=LATER) == []
    assert (withheld(story), story.order().charged_back) == (0, 500)


def test_a_charge_back_opened_again_after_its_case_was_reconciled_has_a_new_case() -> None:
    story = ordered()
    story.do(g.money("chargeback_opened", "d1", 500))
    story.do(g.money("chargeback_won", "d1", 500))
    first = str(g.case_of(story, "CHARGEBACK").id)
    g.remediated(story, first, "DISPUTE_WON")
    for line in story.case(first).billing_lines:
        story.do(c.WriteBack(exception_id=first, logistics_line=line))
    story.do(c.Reconcile(exception_id=first))
    story.do(g.money("chargeback_opened", "d1", 500), at=LATER)
    second = story.order().disputes[0].exception_id
    assert second != first
    assert story.case(second).occurrence == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"amount": g.cny(501)}, "amount"), ({"fee": g.cny(1)}, "fee"), ({"order_id": "O2"}, "")],
)
def test_a_charge_back_told_again_otherwise_is_refused(
    changes: dict[str, object], field: str
) -> None:
    story = ordered()
    story.do(g.record_order("O2"))
    command = g.money("chargeback_opened", "d1", 500)
    story.do(command)
    fields = {f: getattr(command, f) for f in command.__struct_fields__} | changes
    with pytest.raises(InvalidCommand, match="recorded") as refused:
        story.do(c.RecordExternalMoney(**fields))
    assert refused.value.metadata["fields"] == (field or "external_id")


def test_a_verdict_on_another_order_s_charge_back_is_refused_with_that_order() -> None:
    story = ordered()
    story.do(g.record_order("O2"))
    story.do(g.money("chargeback_opened", "d1", 500))
    with pytest.raises(InvalidCommand, match="was opened for order 'O1'"):
        story.do(g.money("chargeback_lost", "d1", 500, order_id="O2"))
