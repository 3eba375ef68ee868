"""The books: balance, tags, write-back, reversal, gate A, past instants, chart, rebuild.

Rows E1, E2, E3, E6, E7, E15, E16, E17, E24, E25.
"""

import asyncio
import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from shipment_exception.v1 import admin_service_pb2 as admin_pb
from shipment_exception.v1 import exception_actions_pb2 as actions_pb
from shipment_exception.v1 import ledger_pb2
from shipment_exception.v1 import ledger_service_pb2 as ledger_pb

from esm.catalog import CatalogueError
from server.app import running
from server.settings import Settings
from tests.features.refusals import refused
from tests.scenarios.driver import CATALOGUE, World, moment, money
from tests.serving import client, serving

ESM = Path(__file__).resolve().parents[2] / "esm"


def lost(world: World, order: str = "O1") -> str:
    """An order whose parcel is lost, verified."""
    world.record_order(order)
    case = world.detect("LOST", order=order)
    world.verify(case)
    return case


def a_busy_case(world: World) -> str:
    """Refund, claim partly paid, carrier charge and a reversal on one case."""
    case = lost(world)
    world.refund(case)
    claim = world.act(case, "claim", amount=money("60"), counterparty="sf", logistics_line="L1")
    world.outcome(case, claim, "claim_approved", amount=money("40"))
    world.outcome(case, claim, "claim_paid", amount=money("38"), fee=money("2"), account="1010")
    world.outcome(case, claim, "claim_denied")
    world.charge(case, "L1", "surcharge", "accrued", "12", "0.72")
    world.charge(case, "L1", "surcharge", "invoiced", "15", "0.90")
    return case


def reverse(world: World, case: str, event: str, **legs: str) -> str:
    """Mirror an entry, whole or the legs named as ``leg_0="40"``; gives the reversing event."""
    wanted = [
        actions_pb.LegReversal(leg=int(name.removeprefix("leg_")), amount=money(amount))
        for name, amount in legs.items()
    ]
    answer = world.do("ReverseEntry", case, event_id=event, legs=wanted, reason="entered wrong")
    return str(answer.entries[-1].event_id)


def test_every_entry_balances_and_debits_equal_credits_in_the_trial_balance(world: World) -> None:
    """E1."""
    a_busy_case(world)
    entries = world.entries()
    assert len(entries) == 8
    for entry in entries:
        sums = Counter({"debit": 0, "credit": 0})
        for line in entry.lines:
            side, other = ("debit", "credit") if line.HasField("debit") else ("credit", "debit")
            assert not line.HasField(other)
            assert getattr(line, side).minor_units > 0
            assert getattr(line, side).currency == entry.currency
            sums[side] += getattr(line, side).minor_units
        assert sums["debit"] == sums["credit"]
    assert world.trial_balance()


def test_an_entry_that_does_not_balance_is_refused_and_leaves_nothing(world: World) -> None:
    """E1."""
    case = lost(world)
    world.approve_refund(case)
    before = world.entries()
    with refused("FAILED_PRECONDITION", "UNBALANCED_ENTRY"):
        reverse(world, case, before[0].event_id, leg_0="40")
    assert world.entries() == before


def test_lines_and_entries_carry_their_tags(world: World) -> None:
    """E2."""
    case = a_busy_case(world)
    actions = {action.action_id for action in world.case(case).actions}
    for entry in world.entries():
        assert entry.position
        assert len(entry.rules) == 64
        for line in entry.lines:
            assert (line.order_id, line.exception_id, line.episode) == ("O1", case, 1)
            assert line.logistics_line == "L1"
            charge = line.row.startswith("K")
            assert (line.action_id == "") == charge
            assert charge or line.action_id in actions
            assert (line.sale_line == "1") == (line.row == "R1")
            assert (line.shipment_code == "S1") == line.row.startswith("R")
    owed = {line.account: line.party for e in world.entries() for line in e.lines if line.party}
    assert (owed["2010"], owed["1110"], owed["2055"]) == ("customer", "carrier", "carrier")


def test_a_case_is_not_reconciled_before_its_billing_lines_are_written_back(
    world: World,
) -> None:
    """E3."""
    case = a_busy_case(world)
    world.remediate(case, "REFUNDED")
    with refused("FAILED_PRECONDITION", "OPEN_ITEMS_REMAIN", "write_back:L1"):
        world.do("ReconcileException", case)
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "none"):
        world.write_back_to(case, none=True)
    world.write_back(case)
    (record,) = world.order().write_backs
    assert (record.logistics_line, record.exception_id, record.episode) == ("L1", case, 1)
    assert record.revenue_undone == money("110")
    assert record.handling_cost == money("17")
    assert record.recovered == money("40")
    assert record.net_cost == money("87")
    world.do("ReconcileException", case)


def test_a_case_without_money_is_written_back_as_none(world: World) -> None:
    """E3."""
    case = world.detect("TRANSIT_DELAY")
    action = world.act(case, "explain_only")
    world.outcome(case, action, "succeeded")
    world.remediate(case, "EXPLAINED")
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "none"):
        world.write_back_to(case, logistics_line="L1")
    world.write_back_to(case, none=True)
    world.do("ReconcileException", case)
    assert json.loads(world.events(case)[-1].payload)["write_back"] == ["none"]


def test_a_reversal_mirrors_its_original_line_by_line_and_links_to_it(world: World) -> None:
    """E6."""
    case = lost(world)
    world.approve_refund(case)
    original = world.entries()[0]
    reversing = reverse(world, case, original.event_id)
    mirror = world.entries()[1]
    assert (mirror.event_id, mirror.mirrors) == (reversing, original.event_id)
    assert mirror.effective == original.effective
    pairs = zip(original.lines, mirror.lines, strict=True)
    for line, back in pairs:
        assert (back.account, back.debit, back.credit) == (line.account, line.credit, line.debit)
        for tag in ("sale_line", "logistics_line", "shipment_code", "action_id", "party"):
            assert getattr(back, tag) == getattr(line, tag)
        assert back.row == "X1"
    assert world.trial_balance() == {}
    with refused("FAILED_PRECONDITION", "REVERSAL_REFUSED"):
        reverse(world, case, original.event_id)
    with refused("FAILED_PRECONDITION", "REVERSAL_REFUSED"):
        reverse(world, case, reversing)


def test_a_part_is_reversed_up_to_the_unreversed_rest(world: World) -> None:
    """E6, E7."""
    case = lost(world)
    world.approve_refund(case)
    original = world.entries()[0]
    reverse(world, case, original.event_id, leg_0="40", leg_3="40")
    assert world.book()[1] == "X1: 2010 40.00 / 4100 40.00"
    assert world.order().available == money("40")
    with refused("FAILED_PRECONDITION", "REVERSAL_REFUSED"):
        reverse(world, case, original.event_id, leg_0="60.01", leg_3="60.01")
    reverse(world, case, original.event_id)
    assert world.book()[2] == "X1: 2010 84.30 / 4100 60.00, 4110 10.00, 2070 14.30"
    assert world.trial_balance() == {}
    assert world.order().available == money("124.30")


def test_parts_refunded_in_odd_amounts_leave_the_exact_rest(world: World) -> None:
    """E7."""
    case = lost(world)
    rest = 12430
    for amount in ("33.33", "0.01", "41.97"):
        world.refund(case, "partial_refund", line_1=amount)
        rest -= money(amount).minor_units
        assert world.order().available.minor_units == rest
        (line,) = world.order().sale_lines
        undone = (line.goods_undone, line.shipping_undone, line.tax_undone)
        assert sum(part.minor_units for part in undone) == 12430 - rest
    world.refund(case)
    assert world.order().available.minor_units == 0
    (line,) = world.order().sale_lines
    assert (line.goods_undone, line.tax_undone) == (line.goods, line.tax)
    assert world.trial_balance()["2070"] == "14.30"
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "lines"):
        world.propose(case, "full_refund", **world.refund_terms(case))


@pytest.mark.parametrize("move", ["reconcile", "withdraw", "merge"])
def test_nothing_open_is_closed(world: World, move: str) -> None:
    """E15."""
    case = lost(world)
    other = world.detect("DAMAGED")
    claim = world.act(case, "claim", amount=money("60"), counterparty="sf", logistics_line="L1")
    item = f"action:{claim}"
    if move == "reconcile":
        world.outcome(case, world.act(case, "explain_only"), "succeeded")
        world.remediate(case, "EXPLAINED")
        world.write_back(case)
        with refused("FAILED_PRECONDITION", "OPEN_ITEMS_REMAIN", item):
            world.do("ReconcileException", case)
    elif move == "withdraw":
        with refused("FAILED_PRECONDITION", "MONEY_POSTED"):
            world.do("WithdrawException", case, resolution="FALSE_ALARM", reason="no")
        world.do("ProposeAction", other, kind="explain_only")
        with refused("FAILED_PRECONDITION", "OPEN_ITEMS_REMAIN"):
            world.do("WithdrawException", other, resolution="FALSE_ALARM", reason="no")
    else:
        with refused("FAILED_PRECONDITION", "OPEN_ITEMS_REMAIN", item, "write_back:L1"):
            world.do("MergeExceptions", case, into=other, reason="same trouble")


def test_an_accrued_charge_without_invoice_keeps_the_case_open(world: World) -> None:
    """E15."""
    case = lost(world)
    world.charge(case, "L1", "surcharge", "accrued", "12")
    world.outcome(case, world.act(case, "explain_only"), "succeeded")
    world.remediate(case, "EXPLAINED")
    world.write_back(case)
    with refused("FAILED_PRECONDITION", "OPEN_ITEMS_REMAIN", "logistics:L1"):
        world.do("ReconcileException", case)
    world.charge(case, "L1", "surcharge", "invoiced", "12")
    world.reconcile(case)


def test_a_second_person_carries_an_item_and_it_is_settled_without_reopening(
    world: World,
) -> None:
    """E15."""
    case = lost(world)
    world.refund(case)
    claim = world.act(case, "claim", amount=money("60"), counterparty="sf", logistics_line="L1")
    world.outcome(case, claim, "claim_approved", amount=money("60"))
    world.remediate(case, "REFUNDED")
    world.write_back(case)
    terms = {
        "item": f"action:{claim}",
        "amount": money("60"),
        "reason": "pays in May",
        "owner": "carol",
        "due": "2099-05-31",
    }
    world.do("CarryItem", case, actor="ann", **terms)
    with refused("FAILED_PRECONDITION", "SECOND_PERSON_REQUIRED"):
        world.do("CarryItem", case, actor="ann", **terms)
    with refused("FAILED_PRECONDITION", "OPEN_ITEMS_REMAIN"):
        world.do("ReconcileException", case)
    world.do("CarryItem", case, actor="bob", **terms)
    (carry,) = world.case(case).carries
    assert (carry.proposed_by, carry.by, carry.owner) == ("ann", "bob", "carol")
    closed = world.do("ReconcileException", case)
    paid = world.outcome(case, claim, "claim_paid", amount=money("60"), account="1010")
    assert (paid.state, paid.episode) == (closed.state, 1)
    assert world.balances(case) == {}


def test_the_books_as_they_stood_by_effective_and_by_recorded_date(world: World) -> None:
    """E16."""
    case = lost(world)
    approve = world.propose(case, "full_refund", **world.refund_terms(case))
    world.do("ApproveAction", case, action_id=approve, occurred_at=moment("2026-03-01T10:00:00Z"))
    between = world.entries()[0].recorded
    world.do("SubmitAction", case, action_id=approve)
    world.outcome(
        case,
        approve,
        "succeeded",
        account="1020",
        external_id="r-1",
        occurred_at=moment("2026-03-05T10:00:00Z"),
    )

    def balance(as_of: ledger_pb.AsOf) -> dict[str, int]:
        request = ledger_pb.GetTrialBalanceRequest(as_of=as_of, min_position=world.position)
        found = world.send(world.client.ledger.GetTrialBalance, request)
        return {a.account: a.balance.minor_units for a in found.accounts if a.balance.minor_units}

    full = {"2070": 1430, "4100": 10000, "4110": 1000}
    assert balance(ledger_pb.AsOf(effective="2026-02-28")) == {}
    assert balance(ledger_pb.AsOf(effective="2026-03-04")) == {**full, "2010": -12430}
    assert balance(ledger_pb.AsOf(effective="2026-03-05")) == {**full, "1020": -12430}
    assert balance(ledger_pb.AsOf(recorded=between)) == {**full, "2010": -12430}
    for as_of, balances in (
        (ledger_pb.AsOf(effective="2026-03-04"), [-12430]),
        (ledger_pb.AsOf(effective="2026-03-05"), [-12430, 0]),
        (ledger_pb.AsOf(recorded=between), [-12430]),
    ):
        request = ledger_pb.GetAccountStatementRequest(
            account="2010", as_of=as_of, min_position=world.position
        )
        lines = world.send(world.client.ledger.GetAccountStatement, request).lines
        assert [line.balance.minor_units for line in lines] == balances


def test_the_chart_is_data_and_an_unknown_account_is_refused(world: World) -> None:
    """E17."""
    case = lost(world)
    refund = world.approve_refund(case)
    world.do("SubmitAction", case, action_id=refund)
    for account in ("9999", "4100", ""):
        with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "account"):
            world.outcome(case, refund, "succeeded", account=account, external_id="r-1")
    request = ledger_pb.ListAccountsRequest(page_size=500, min_position=world.position)
    chart = {a.number: a for a in world.send(world.client.ledger.ListAccounts, request).accounts}
    assert set(chart) == set(CATALOGUE.accounts)
    assert len(chart) == 56
    assert (chart["2010"].kind, chart["2010"].control) == ("liability", True)
    assert (chart["9010"].kind, chart["9010"].control) == ("memo", True)
    assert all(account.title["en"] and account.title["zh"] for account in chart.values())


def test_rules_that_post_to_an_unknown_account_do_not_start_a_server(
    fresh: Settings, tmp_path: Path
) -> None:
    """E17."""
    rules = (ESM / "catalog" / "postings.toml").read_text("utf-8")
    assert 'account = "4110"' in rules
    overlay = tmp_path / "catalogue"
    overlay.mkdir()
    (overlay / "postings.toml").write_text(rules.replace('account = "4110"', 'account = "4999"'))

    async def start() -> None:
        async with running(replace(fresh, catalog=overlay)):
            pass

    with pytest.raises(CatalogueError) as stopped:
        asyncio.run(start())
    assert any("4999" in problem for problem in stopped.value.problems)


def test_the_ledger_service_only_reads(world: World) -> None:
    """E24."""
    case = lost(world)
    world.refund(case)
    methods = ledger_pb.DESCRIPTOR.services_by_name["LedgerService"].methods
    assert methods
    for method in methods:
        assert method.name.startswith(("Get", "List"))
        assert "request_id" not in method.input_type.fields_by_name
    last, before = world.history()[-1].position, world.entries()
    entry = before[0]
    got = world.send(
        world.client.ledger.GetEntry, ledger_pb.GetEntryRequest(event_id=entry.event_id)
    )
    assert got.entry == entry
    assert entry.event_id in [event.event_id for event in got.events]
    world.trial_balance()
    world.statement()
    assert world.history()[-1].position == last


def test_rebuilding_from_the_first_event_gives_the_same_bytes_and_numbers(
    fresh: Settings, tenant: str
) -> None:
    """E25."""

    def contents(world: World) -> bytes:
        chunks = [entry.SerializeToString(deterministic=True) for entry in world.entries()]
        return hashlib.sha256(b"".join(chunks)).digest()

    with serving(fresh) as server, client(server.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        a_busy_case(world)
        before = contents(world)
        numbers = [entry.number for entry in world.entries()]
        assert numbers == list(range(1, 9))
        request = admin_pb.RebuildProjectionRequest(projection="ledger")
        last = list(calls.admin.RebuildProjection(request))[-1]
        assert (last.done, last.equal) == (True, True)
        assert last.live_digest == last.rebuilt_digest
        assert contents(world) == before
    if fresh.dsn:
        return
    for path in fresh.data.glob("views.db*"):
        path.unlink()
    with serving(fresh) as server, client(server.address, tenant=tenant) as calls:
        again = World(calls, tenant)
        again.position = world.position
        assert contents(again) == before
        assert isinstance(again.entries()[0], ledger_pb2.JournalEntry)
