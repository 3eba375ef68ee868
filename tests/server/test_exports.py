"""What the exports of the ledger look like, and that Beancount's own checker accepts them."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from esm.catalog import load
from server.exports import FORMATS, OPENED, ROOTS, Chart, UnknownInChart, account_name
from server.journal import Account, JournalEntry, Line

BEAN_CHECK = Path(sys.executable).with_name("bean-check")
CATALOGUE = load()
CHART = Chart(
    accounts={
        number: Account(number, entry.kind, {"en": entry.title.en, "zh": entry.title.zh})
        for number, entry in CATALOGUE.accounts.items()
    },
    exponents=CATALOGUE.currencies,
)


def entry(
    number: int, *legs: tuple[str, int], currency: str = "USD", row: str = "R1", topic: str = ""
) -> JournalEntry:
    """An entry of legs (account, minor units, debit positive)."""
    lines = tuple(
        Line(
            index=index,
            account=account,
            currency=currency,
            debit=max(moved, 0),
            credit=max(-moved, 0),
            row=row,
            party="customer",
            order_id='O-"1"',
            sale_line="",
            logistics_line="",
            shipment_code="SF\\7",
            exception_id="e",
            episode=1,
            action_id="A1",
        )
        for index, (account, moved) in enumerate(legs)
    )
    return JournalEntry(
        event_id=f"event-{number}",
        position=f"p{number}",
        number=number,
        year=2026,
        ledger="default",
        currency=currency,
        effective=f"2026-03-{number:02}",
        recorded=1_774_000_000_000_000,
        occurred=1_773_000_000_000_000,
        topic=topic or "exception.action_approved.v1",
        actor="ann",
        rules="abc",
        order_id='O-"1"',
        exception_id="e",
        episode=1,
        mirrors="event-1" if number == 2 else "",
        lines=lines,
    )


ENTRIES = [
    entry(3, ("4100", 10_000), ("2070", 830), ("2010", -10_830)),
    entry(1, ("2010", 500), ("1020", -500), currency="JPY"),
    entry(2, ("9010", 12_345), ("9990", -12_345), currency="KWD", row="C1"),
]


def text(name: str, *entries: JournalEntry) -> str:
    return "".join(FORMATS[name](entries, CHART))


def bean_check(tmp_path: Path, content: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "ledger.beancount"
    file.write_text(content, encoding="utf-8")
    return subprocess.run(
        [BEAN_CHECK, "--no-cache", file], capture_output=True, text=True, check=False, timeout=60
    )


def test_beancount_accepts_entries_of_several_currencies_in_log_order(tmp_path: Path) -> None:
    checked = bean_check(tmp_path, text("beancount", *ENTRIES))
    assert (checked.returncode, checked.stderr) == (0, "")


def test_beancount_accepts_every_account_of_the_chart(tmp_path: Path) -> None:
    legs = [
        leg
        for place, number in enumerate(sorted(CHART.accounts))
        for leg in ((number, 100 + place), (number, -100 - place))
    ]
    checked = bean_check(tmp_path, text("beancount", entry(4, *legs)))
    assert (checked.returncode, checked.stderr) == (0, "")


def test_beancount_accepts_books_without_entries(tmp_path: Path) -> None:
    assert bean_check(tmp_path, text("beancount")).returncode == 0


def test_beancount_refuses_an_entry_that_does_not_balance(tmp_path: Path) -> None:
    broken = replace(ENTRIES[0], lines=ENTRIES[0].lines[1:])
    checked = bean_check(tmp_path, text("beancount", broken))
    assert checked.returncode != 0
    assert "does not balance" in checked.stdout + checked.stderr


def test_a_transaction_carries_what_explains_it() -> None:
    content = text("beancount", *ENTRIES)
    assert f"{OPENED} open Assets:1020-Payment-provider-clearing\n" in content
    assert f"{OPENED} open Equity:Memo:9010-Claims-filed\n" in content
    assert f"{OPENED} commodity JPY\n" in content
    assert content.count(" open ") == 6
    _, first, mirrored, memo = content.split("\n2026-03-")
    assert first.startswith('03 * "action approved (R1)"\n')
    for line in (
        'number: "default/2026/3"',
        'event_id: "event-3"',
        'row: "R1"',
        'order: "O-\\"1\\""',
        'exception: "e"',
        'shipment-code: "SF\\\\7"',
        "Income:4100-Returns-and-refunds  100.00 USD",
        "Liabilities:2010-Customer-refunds-payable  -108.30 USD",
    ):
        assert f"  {line}\n" in first
    assert "2010-Customer-refunds-payable  500 JPY\n" in mirrored
    assert "Equity:Memo:9010-Claims-filed  12.345 KWD\n" in memo
    assert 'mirrors: "event-1"' in memo


def test_every_kind_of_account_has_a_place_in_beancount() -> None:
    assert set(ROOTS) == {account.kind for account in CHART.accounts.values()}
    names = [account_name(account) for account in CHART.accounts.values()]
    assert len(set(names)) == len(names)


def test_csv_has_one_record_per_line_with_decimal_amounts() -> None:
    records = list(csv.DictReader(io.StringIO(text("csv", *ENTRIES))))
    assert len(records) == 7
    assert [(r["account"], r["debit"], r["credit"], r["currency"]) for r in records[:4]] == [
        ("4100", "100.00", "", "USD"),
        ("2070", "8.30", "", "USD"),
        ("2010", "", "108.30", "USD"),
        ("2010", "500", "", "JPY"),
    ]
    assert records[0]["account_title"] == "Returns and refunds"
    assert records[0]["order_id"] == 'O-"1"'
    assert records[0]["recorded"] == "2026-03-20T09:46:40.000000Z"
    assert records[-1]["mirrors"] == "event-1"
    assert records[-1]["debit"] == ""


def test_json_lines_keep_minor_units_and_every_field() -> None:
    first, second, _ = map(json.loads, text("jsonl", *ENTRIES).splitlines())
    assert first["lines"][0]["debit"] == 10_000
    assert first["lines"][0]["row"] == "R1"
    assert first["effective"] == "2026-03-03"
    assert first["occurred"] == "2026-03-08T20:00:00.000000Z"
    assert (second["currency"], second["number"]) == ("JPY", 1)


@pytest.mark.parametrize("name", ["csv", "beancount"])
def test_an_account_outside_the_chart_is_refused(name: str) -> None:
    with pytest.raises(UnknownInChart, match="'1'"):
        text(name, entry(1, ("1", 5), ("2010", -5)))


@pytest.mark.parametrize("name", FORMATS)
def test_a_currency_without_known_digits_is_refused(name: str) -> None:
    with pytest.raises(UnknownInChart, match="'XXY'"):
        text(name, entry(1, ("2010", 5), ("2010", -5), currency="XXY"))
