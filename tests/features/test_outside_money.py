"""What we decide to pay is capped, what others did is a fact (rows D12, D24)."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from shipment_exception.v1 import exception_actions_pb2 as actions_pb

from tests.features.refusals import refused
from tests.scenarios.driver import World, money, written


def lost(world: World) -> str:
    """An order whose parcel is lost, verified."""
    world.record_order()
    case = world.detect("LOST")
    world.verify(case)
    return case


def test_what_we_decide_never_exceeds_what_is_available(world: World) -> None:
    """D12."""
    case = lost(world)
    terms = world.refund_terms(case, {"1": "124.31"})
    with refused("FAILED_PRECONDITION", "AMOUNT_EXCEEDS_AVAILABLE"):
        world.propose(case, "partial_refund", **terms)
    world.outside("platform_refund", "100", "pf-1", provider="tmall", account="1025")
    assert world.order().available == money("24.30")
    with refused("FAILED_PRECONDITION", "AMOUNT_EXCEEDS_AVAILABLE"):
        world.propose(case, "partial_refund", **world.refund_terms(case, {"1": "24.31"}))
    world.approve_refund(case, "partial_refund", **{"1": "24.30"})
    assert world.order().available.minor_units == 0


def test_two_refunds_decided_at_the_same_time_do_not_both_pass(world: World) -> None:
    """D12."""
    case = lost(world)
    other = world.detect("DAMAGED")
    world.verify(other)
    actions = [(c, world.propose(c, "full_refund", **world.refund_terms(c))) for c in (case, other)]

    def approve(wanted: tuple[str, str]) -> str:
        try:
            world.do("ApproveAction", wanted[0], action_id=wanted[1], actor="bob")
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(approve, actions))
    assert answers == ["FAILED_PRECONDITION", "OK"]
    assert len(world.entries()) == 1
    assert world.order().committed == money("124.30")


def test_a_second_refund_request_returns_the_first_result(world: World) -> None:
    """D12."""
    case = lost(world)
    action = world.propose(case, "full_refund", **world.refund_terms(case))
    request = actions_pb.ApproveActionRequest(
        exception_id=case, action_id=action, request_id="approve-once"
    )
    first = world.send(world.client.exceptions.ApproveAction, request)
    second = world.send(world.client.exceptions.ApproveAction, request)
    assert first == second
    assert len(world.entries()) == 1


def test_an_outside_refund_that_overshoots_is_booked_and_opens_a_dispute(world: World) -> None:
    """D12, D24."""
    case = lost(world)
    world.refund(case)
    answer = world.outside(
        "provider_refund", "50", "pr-1", provider="alipay", exception_id=case, tax_document="CN-2"
    )
    (dispute,) = [c for c in answer.exceptions if c.code == "REFUND_DISPUTE"]
    assert dispute.raised_by == case
    assert world.book()[-1] == "R4.excess: 1150 50.00 / 1020 50.00"
    assert world.balances(dispute.exception_id) == {"1150": "50.00"}
    assert written(world.order().available.minor_units) == "-50.00"
    assert [i.kind for i in world.case(dispute.exception_id).open_items if i.amount.minor_units]


@pytest.mark.parametrize(
    ("kind", "amount", "more"),
    [
        ("payment_captured", "20", {"provider": "alipay"}),
        ("platform_refund", "500", {"provider": "tmall", "account": "1025"}),
        ("provider_refund", "500", {"provider": "alipay"}),
        ("chargeback_opened", "500", {"fee": "15"}),
        ("chargeback_won", "500", {}),
        ("chargeback_lost", "500", {}),
        ("wallet_deduction", "5", {"provider": "tmall", "account": "1025"}),
        ("payout", "99", {"provider": "tmall"}),
    ],
)
def test_a_fact_is_recorded_once_and_never_refused_for_its_amount(
    world: World, kind: str, amount: str, more: dict[str, str]
) -> None:
    """D24."""
    world.record_order()
    first = world.outside(kind, amount, "x-1", **more)
    events, entries = len(world.history()), world.entries()
    assert events
    second = world.outside(kind, amount, "x-1", **more)
    assert len(world.history()) == events
    assert world.entries() == entries
    assert second.order == first.order
    if kind not in ("payment_captured", "payout"):
        assert entries
        assert all(line.order_id == "O1" for entry in entries for line in entry.lines)


@pytest.mark.parametrize("kind", ["payment_captured", "provider_refund", "chargeback_opened"])
def test_a_fact_told_again_otherwise_is_refused_with_what_was_recorded(
    world: World, kind: str
) -> None:
    """D24."""
    world.record_order()
    world.outside(kind, "10", "x-1")
    events = len(world.history())
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "amount") as refusal:
        world.outside(kind, "11", "x-1")
    assert "1000 minor units were recorded" in refusal.text
    assert len(world.history()) == events


def test_a_charge_back_that_was_decided_opens_again_when_it_occurred_later(world: World) -> None:
    """D24."""
    world.record_order()
    for kind in ("chargeback_opened", "chargeback_won", "chargeback_opened"):
        world.outside(kind, "124.30", "cb-1")
    assert world.order().open_disputes == money("124.30")
    world.outside("chargeback_lost", "124.30", "cb-1")
    assert world.order().open_disputes.minor_units == 0
    assert world.order().available.minor_units == 0


def test_a_deducted_penalty_is_notified_and_paid_in_one_entry(world: World) -> None:
    """D24."""
    world.record_order()
    answer = world.outside("wallet_deduction", "5", "fine-1", provider="tmall", account="1025")
    assert [case.code for case in answer.exceptions] == ["PLATFORM_COMPLAINT"]
    assert world.book() == ["Q1.notified+Q1.paid: 5090 5.00, 2060 5.00 / 2060 5.00, 1025 5.00"]
