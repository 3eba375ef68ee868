"""Posting rules: facts in, balanced legs out; mirrors undo them leg by leg."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esm.catalog import load
from esm.errors import UnbalancedEntry
from esm.events import Entry, Part
from esm.postings import account_of, book, mirror, size

CATALOGUE = load()


def booked(*parts: Part, **changes: Any) -> Entry | None:
    fields: dict[str, Any] = {
        "ledger": "default",
        "currency": "CNY",
        "order_id": "O1",
        "exception_id": "case",
        "episode": 1,
        "occurred": "2026-03-01T23:30:00.000000Z",
    }
    return book(CATALOGUE, parts, **(fields | changes))


def legs(entry: Entry | None) -> list[tuple[str, int]]:
    assert entry is not None
    return [(leg.account, leg.debit - leg.credit) for leg in entry.legs]


def refund(**amounts: int) -> Part:
    return Part(row="R1", amounts=amounts, item="action:A1", sale_line="1")


def test_legs_stand_in_the_order_of_the_row_and_zeros_are_left_out() -> None:
    part = refund(goods=10000, shipping=0, tax_documented=1430, gross=11430)
    assert legs(booked(part)) == [("4100", 10000), ("2070", 1430), ("2010", -11430)]


def test_nothing_to_post_is_no_entry() -> None:
    assert booked() is None
    assert booked(refund(goods=0, gross=0)) is None


def test_a_choice_takes_the_account_that_the_fact_names() -> None:
    part = Part(row="R3", amounts={"gross": 5}, accounts={"settlement": "1025"})
    assert legs(booked(part)) == [("2010", 5), ("1025", -5)]


def test_a_negative_amount_of_a_signed_leg_stands_on_the_other_side() -> None:
    part = Part(
        row="S2",
        amounts={
            "obligation": 68,
            "goods_difference": -8,
            "freight_difference": 2,
            "goods_cost": 52,
            "freight": 10,
        },
        item="action:A1",
        logistics_line="L2",
    )
    entry = booked(part)
    assert legs(entry) == [("2040", 68), ("5020", -8), ("5010", 2), ("1200", -52), ("2055", -10)]
    assert entry is not None
    assert [leg.item for leg in entry.legs] == ["action:A1"] * 4 + ["logistics:L2"]
    assert all(leg.debit >= 0 and leg.credit >= 0 for leg in entry.legs)


def test_a_negative_amount_of_any_other_leg_is_refused() -> None:
    with pytest.raises(UnbalancedEntry) as refused:
        booked(refund(goods=-1, gross=-1))
    assert refused.value.metadata == {"row": "R1", "amount": "goods"}


def test_facts_that_do_not_balance_are_refused() -> None:
    with pytest.raises(UnbalancedEntry) as refused:
        booked(refund(goods=10, gross=11))
    assert refused.value.metadata == {"rows": "R1", "by": "-1", "memorandumBy": "0"}


def test_the_effective_date_is_that_of_the_ledgers_time_zone() -> None:
    entry = booked(refund(goods=1, gross=1))
    assert entry is not None
    assert entry.effective == "2026-03-01"
    assert entry.rules == CATALOGUE.postings_digest


def test_a_leg_of_the_own_case_in_a_part_of_another_stands_under_its_own_item() -> None:
    part = Part(
        row="H3",
        amounts={"gross": 9},
        item="action:A1",
        own_item="dispute:d1",
        exception_id="other",
        action_id="A1",
    )
    entry = booked(part)
    assert entry is not None
    shown = [(leg.account, leg.item, leg.exception_id) for leg in entry.legs]
    assert shown == [("2010", "action:A1", "other"), ("1130", "dispute:d1", "")]


def test_rows_name_accounts_and_code_asks_them() -> None:
    assert account_of(CATALOGUE, "C3", "credit", "amount") == "1110"
    with pytest.raises(StopIteration):
        account_of(CATALOGUE, "C3", "credit", "net")


amounts = st.integers(0, 10**9)


@given(goods=amounts, shipping=amounts, tax=amounts)
def test_every_entry_balances_and_every_leg_is_positive_on_one_side(
    goods: int, shipping: int, tax: int
) -> None:
    total = goods + shipping + tax
    entry = booked(refund(goods=goods, shipping=shipping, tax_undocumented=tax, gross=total))
    if entry is None:
        assert total == 0
        return
    assert sum(leg.debit for leg in entry.legs) == sum(leg.credit for leg in entry.legs) == total
    assert all((leg.debit > 0) != (leg.credit > 0) for leg in entry.legs)


@given(goods=amounts, tax=st.integers(1, 10**9))
def test_a_whole_mirror_brings_every_account_to_zero(goods: int, tax: int) -> None:
    entry = booked(refund(goods=goods, tax_documented=tax, gross=goods + tax))
    assert entry is not None
    whole = [size(leg) for leg in entry.legs]
    undone = mirror(CATALOGUE, entry, "X1", whole, event_id="e1", effective="2026-03-02")
    assert [(a, -m) for a, m in legs(entry)] == legs(undone)
    assert (undone.parts, undone.mirrors, undone.effective) == ((), "e1", "2026-03-02")
    assert undone.mirrored == tuple(size(leg) for leg in entry.legs)


def test_a_partial_mirror_takes_part_of_the_legs_and_keeps_their_tags() -> None:
    entry = booked(refund(goods=100, tax_documented=13, gross=113))
    assert entry is not None
    undone = mirror(CATALOGUE, entry, "X1", [40, 0, 40], event_id="e1", effective="2026-03-02")
    assert legs(undone) == [("4100", -40), ("2010", 40)]
    assert [leg.sale_line for leg in undone.legs] == ["1", "1"]
    assert {leg.row for leg in undone.legs} == {"X1"}


def test_a_mirror_of_legs_that_do_not_balance_is_refused() -> None:
    entry = booked(refund(goods=100, tax_documented=13, gross=113))
    assert entry is not None
    with pytest.raises(UnbalancedEntry):
        mirror(CATALOGUE, entry, "X1", [40, 0, 41], event_id="e1", effective="2026-03-02")


def test_memorandum_accounts_balance_among_themselves() -> None:
    entry = booked(Part(row="C2", amounts={"approved": 70}))
    assert entry is not None
    of = [leg.account for leg in entry.legs]
    picked = [70 if account in ("1110", "9010") else 0 for account in of]
    with pytest.raises(UnbalancedEntry):
        mirror(CATALOGUE, entry, "X1", picked, event_id="e1", effective="2026-03-02")


def test_every_row_of_the_catalogue_balances_for_facts_that_belong_together() -> None:
    """Each row with amounts of the shape that its decider gives."""
    shapes: dict[str, dict[str, int]] = {
        "V1.P1": {"net": 9, "tax_documented": 1, "gross": 10},
        "P1": {"net": 9, "tax_undocumented": 1, "gross": 10},
        "P2": {"net": 9, "tax_documented": 1, "gross": 10},
        "P4.used": {"value": 6, "face_rest": 4, "face": 10},
        "S2": {"obligation": 9, "goods_difference": 1, "goods_cost": 7, "freight": 3},
        "C3": {"net": 9, "fee": 1, "amount": 10},
        "H1": {"disputed": 8, "fee": 1, "fee_tax": 1, "total": 10},
        "H.fee": {"fee": 9, "fee_tax": 1, "total": 10},
        "K1": {"net": 9, "tax": 1, "gross": 10},
        "K2": {"accrued": 12, "net_difference": -2, "invoiced": 10},
    }
    whole = {"goods": 7, "shipping": 2, "tax_documented": 1, "gross": 10}
    accounts = {"settlement": "1020", "cost": "5120", "payable": "1900"}
    for name, row in CATALOGUE.rows.items():
        if row.mirror:
            continue
        by_line = any(rule.amount == "goods" for rule in row.legs)
        single = {rule.amount: 10 for rule in row.legs}
        given_amounts = shapes.get(name) or (whole if by_line else single)
        entry = booked(Part(row=name, amounts=given_amounts, accounts=accounts))
        assert entry is not None, name
