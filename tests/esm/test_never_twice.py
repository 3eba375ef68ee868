"""Money is never paid, counted or owed twice, whatever others did in between."""

import pytest

from esm import commands as c
from esm.errors import ActionsUnfinished, AmountExceedsAvailable, InvalidCommand
from tests.esm import given as g
from tests.esm.story import Story


def test_a_refund_that_the_platform_paid_itself_is_not_paid_again() -> None:
    story, case = g.lost_parcel()
    refund = g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    story.do(g.money("platform_refund", "p1", g.GROSS, account="1025"))
    with pytest.raises(AmountExceedsAvailable, match="cancel the action"):
        story.do(c.SubmitAction(exception_id=case, action_id=refund))
    story.do(c.CancelAction(exception_id=case, action_id=refund))
    assert "2010" not in story.trial_balance()


def test_a_tender_of_the_order_that_is_captured_again_counts_once() -> None:
    story = Story()
    story.do(g.record_order())
    story.do(g.money("payment_captured", "pay-O1", g.GROSS, provider="alipay", account=""))
    assert story.order().captured == g.GROSS
    story.do(g.money("payment_captured", "more", 500, provider="alipay", account=""))
    assert story.order().captured == g.GROSS + 500


def test_a_refund_that_failed_is_no_sale_to_restore() -> None:
    story, case = g.lost_parcel()
    refund = g.refunded(story, case)
    restoring = g.proposed(story, case, "restore_sale", restores_action_id=refund)
    g.outcome(story, case, refund, "failed")
    with pytest.raises(ActionsUnfinished, match="is failed"):
        story.do(c.ApproveAction(exception_id=case, action_id=restoring))


def test_a_refund_whose_sale_is_restored_does_not_fail_behind_its_back() -> None:
    story, case = g.lost_parcel()
    refund = g.refunded(story, case)
    g.approved(story, case, "restore_sale", restores_action_id=refund)
    with pytest.raises(InvalidCommand, match="restores the sale"):
        g.outcome(story, case, refund, "failed")


def test_two_persons_write_off_the_same_amount_or_begin_again() -> None:
    story, case = g.lost_parcel()
    claim = g.submitted(story, case, "claim", amount=g.cny(6000), counterparty="sf")
    g.outcome(story, case, claim, "claim_approved", amount=g.cny(100))
    g.outcome(story, case, claim, "claim_denied")
    giving_up = c.WriteOffAction(exception_id=case, action_id=claim, reason="insolvent")
    (proposal,) = story.do(giving_up, actor="ann")
    g.outcome(story, case, claim, "claim_paid", amount=g.cny(40), account="1010")
    (again,) = story.do(giving_up, actor="bob")
    assert type(again) is type(proposal)
    story.do(giving_up, actor="ann")
    assert story.case(case).actions[-1].status == "written_off"
    assert story.trial_balance()["5100"] == 60
