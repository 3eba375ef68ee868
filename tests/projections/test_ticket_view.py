"""The ticket view on both engines, and its tables of facts."""

from esm import codec
from esm import events as e
from projections.tickets.projection import STEPS
from tests.conformance.ticket_queue import TicketQueueConformance
from tests.conformance.ticket_view import TicketViewConformance

SHOW_NOTHING = {
    e.WriteOffProposed,
    e.EntryReversed,
    e.CarrierChargeAccrued,
    e.CarrierChargeInvoiced,
    e.OutsideMoneyRecorded,
    e.CarryProposed,
    e.ItemCarried,
    e.WrittenBack,
}
"""Facts of a case that only move a ticket's version, time and actor."""


class TestTicketView(TicketViewConformance):
    pass


class TestTicketQueue(TicketQueueConformance):
    pass


def test_every_fact_of_a_case_has_a_step_or_is_known_to_show_nothing() -> None:
    of_cases = {cls for topic, cls in codec.TOPICS.items() if topic.startswith("exception.")}
    assert of_cases - {e.Detected} == set(STEPS) | SHOW_NOTHING
    assert not set(STEPS) & SHOW_NOTHING
