"""The tables of the domain are complete, and folding tolerates any part of a history."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esm import commands as c
from esm import evolve as folding
from esm.clock.evolve import STEPS as CLOCK_STEPS
from esm.codec import TOPICS
from esm.decide import DECIDERS
from esm.events import (
    BalanceTouched,
    CataloguePublished,
    ClockAdvanced,
    ContactRecorded,
    Event,
    NoteAdded,
    RuleMuted,
)
from esm.events import Detected as DetectedEvent
from esm.events import OrderRecorded as OrderRecordedEvent
from esm.exception.evolve import STEPS as CASE_STEPS
from esm.order.evolve import STEPS as ORDER_STEPS
from esm.watch.evolve import STEPS as WATCH_STEPS
from tests.esm import given as g
from tests.esm.story import Story

CHANGES_NOTHING = {NoteAdded, ContactRecorded}
"""Facts that no state shows; the ticket and the history do."""

BEGINS = {DetectedEvent, OrderRecordedEvent, CataloguePublished, ClockAdvanced, RuleMuted}


def concrete(base: type[c.Command]) -> Iterator[type[c.Command]]:
    for cls in base.__subclasses__():
        yield from concrete(cls)
        if cls not in (c.CaseCommand, c.ActionCommand):
            yield cls


def test_every_command_has_its_decider() -> None:
    assert set(DECIDERS) == set(concrete(c.Command))


def test_every_event_is_folded_or_known_to_change_nothing() -> None:
    steps = (CASE_STEPS, ORDER_STEPS, CLOCK_STEPS, WATCH_STEPS)
    folded = {event for table in steps for event in table} | BEGINS
    assert folded | CHANGES_NOTHING == set(TOPICS.values())
    assert folded & CHANGES_NOTHING == set()


def test_no_event_is_folded_into_two_kinds_of_state() -> None:
    assert set(CASE_STEPS) & set(ORDER_STEPS) == set()


def long_story() -> Story:
    """A case through everything that a case can go through, and its order."""
    story, case = g.lost_parcel()
    story.do(g.detection("STOLEN"))
    story.do(c.Escalate(exception_id=case, level=2, reason="calm"))
    story.do(c.Assign(exception_id=case, owner="eve", team="finance"))
    story.do(c.Reclassify(exception_id=case, code="LOST", reason="found out"))
    story.do(c.AddNote(exception_id=case, text="x"))
    story.do(c.RecordContact(exception_id=case, party="customer"))
    story.do(c.StartWaiting(exception_id=case, party="carrier"))
    story.do(c.StopWaiting(exception_id=case))
    part = (c.RefundLine(sale_line="1", amount=g.cny(3000)),)
    first = g.refunded(story, case, "partial_refund", lines=part)
    g.outcome(story, case, first, "failed")
    story.do(c.SubmitAction(exception_id=case, action_id=first))
    g.outcome(story, case, first, "succeeded", account="1020", external_id="again")
    second = g.approved(story, case, "shipping_refund", **g.refund_terms(story, case))
    story.do(c.CancelAction(exception_id=case, action_id=second))
    third = g.approved(story, case, "full_refund", **g.refund_terms(story, case))
    approval = g.last_event_id(story, "exception.action_approved.v1")
    legs = (c.LegReversal(leg=0, amount=g.cny(100)), c.LegReversal(leg=3, amount=g.cny(100)))
    story.do(c.ReverseEntry(exception_id=case, event_id=approval, legs=legs, reason="x"))
    story.do(g.money("chargeback_opened", "d1", g.GROSS))
    story.do(g.money("chargeback_lost", "d1", g.GROSS))
    assert story.case(case).action(third) is not None
    dispute = g.case_of(story, "REFUND_DISPUTE")
    story.do(g.money("customer_payment", "v1", 100, exception_id=str(dispute.id)))
    story.do(g.money("wallet_deduction", "w1", 5, account=""))
    ship = g.submitted(story, case, "reship", goods_cost=g.cny(60), freight=g.cny(8))
    g.outcome(
        story,
        case,
        ship,
        "dispatched",
        goods_cost=g.cny(61),
        freight=g.cny(9),
        logistics_line="L2",
        shipment_code="S2",
    )
    g.outcome(story, case, ship, "succeeded")
    for step in ("accrued", "invoiced"):
        story.do(
            c.RecordCarrierCharge(
                exception_id=case,
                logistics_line="L1",
                kind="storage",
                step=step,
                net=g.cny(80),
                carrier="sf",
                invoice="I1",
            )
        )
    claim = g.submitted(story, case, "claim", amount=g.cny(100), counterparty="sf")
    g.outcome(story, case, claim, "claim_approved", amount=g.cny(100))
    for actor in ("ann", "bob"):
        story.do(c.WriteOffAction(exception_id=case, action_id=claim, reason="broke"), actor=actor)
    g.remediated(story, case, "RESHIPPED")
    for line in ("L1", "L2", ""):
        story.do(c.WriteBack(exception_id=case, logistics_line=line))
    for actor in ("ann", "bob"):
        story.do(
            c.CarryItem(
                exception_id=case, item="logistics:L2", reason="r", owner="o", due="2026-12-31"
            ),
            actor=actor,
        )
    story.do(c.Reconcile(exception_id=case))
    watched(story, case)
    return story


def watched(story: Story, case: str) -> None:
    """What detection does to cases and rules."""
    story.do(g.moved(case))
    story.do(g.deviation("DAMAGED", "contents"))
    damaged = str(story.case().id)
    story.do(c.ClearSignal(exception_id=damaged, source_ids=("contents",)))
    story.do(g.mute("TRACKING_STALLED"))
    story.do(g.mute("NODE_STUCK"))


STORY = long_story()


def histories() -> dict[UUID, list[tuple[int, Event]]]:
    found: dict[UUID, list[tuple[int, Event]]] = {}
    for aggregate, version, event in STORY.events:
        found.setdefault(aggregate, []).append((version, event))
    return found


HISTORIES = histories()


def test_the_story_holds_nearly_every_fact_of_cases() -> None:
    met = {type(event) for _, _, event in STORY.events}
    missed = {cls.__name__ for cls in CASE_STEPS} - {cls.__name__ for cls in met}
    assert missed == {"Merged", "MergeReceived"}
    assert BalanceTouched in met


@pytest.mark.parametrize("aggregate", list(HISTORIES), ids=str)
def test_folding_the_whole_history_gives_the_state_that_the_decisions_left(
    aggregate: UUID,
) -> None:
    state: folding.State | None = None
    for version, event in HISTORIES[aggregate]:
        state = folding.evolve(state, event, aggregate, STORY.tenant, version)
    assert state == STORY.states[aggregate][1]


@given(st.data())
def test_folding_any_part_of_a_history_never_raises(data: st.DataObject) -> None:
    aggregate = data.draw(st.sampled_from(list(HISTORIES)))
    history = HISTORIES[aggregate]
    kept = data.draw(st.sets(st.integers(0, len(history) - 1)))
    state: folding.State | None = None
    for i in sorted(kept):
        version, event = history[i]
        state = folding.evolve(state, event, aggregate, STORY.tenant, version)
    begins = any(type(history[i][1]) in BEGINS for i in kept)
    assert (state is not None) == begins


@given(st.permutations(range(len(STORY.events))))
def test_folding_in_any_order_never_raises(order: list[int]) -> None:
    states: dict[UUID, folding.State | None] = {}
    for i in order:
        aggregate, version, event = STORY.events[i]
        states[aggregate] = folding.evolve(
            states.get(aggregate), event, aggregate, STORY.tenant, version
        )
