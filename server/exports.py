"""Journal entries as files for other programs: CSV, JSON Lines and Beancount."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from esm.money import format_minor
from esm.times import instant
from server.journal import Account, JournalEntry, Line

OPENED: Final = "1970-01-01"
"""Date on which accounts and commodities begin in Beancount: before every entry."""

ROOTS: Final[Mapping[str, str]] = {
    "asset": "Assets",
    "liability": "Liabilities",
    "contra_revenue": "Income",
    "income": "Income",
    "expense": "Expenses",
    "contra_expense": "Expenses",
    "memo": "Equity:Memo",
}
"""Where Beancount has the accounts of each kind; memorandum accounts stand apart."""

ENTRY_COLUMNS: Final = (
    *("ledger", "year", "number", "effective", "recorded", "occurred", "event_id", "position"),
    *("topic", "actor", "rules", "mirrors", "order_id", "exception_id", "episode"),
)
LINE_COLUMNS: Final = (
    *("index", "account", "account_title", "debit", "credit", "currency", "row", "party"),
    *("sale_line", "logistics_line", "shipment_code", "line_exception_id", "action_id"),
)
TIMES: Final = frozenset({"recorded", "occurred"})


class UnknownInChart(LookupError):
    """An entry names an account or a currency that nobody said anything about."""


@dataclass(frozen=True, slots=True)
class Chart:
    """What writing amounts and accounts needs.

    ``accounts`` by number; ``exponents`` are the digits after the point of each currency.
    """

    accounts: Mapping[str, Account]
    exponents: Mapping[str, int]

    def account(self, number: str) -> Account:
        """The account of a number. Raises :class:`UnknownInChart`."""
        if number not in self.accounts:
            raise UnknownInChart(f"account {number!r} is not in the chart")
        return self.accounts[number]

    def decimal(self, minor_units: int, currency: str) -> str:
        """An amount as people write it. Raises :class:`UnknownInChart`."""
        if currency not in self.exponents:
            raise UnknownInChart(f"{currency!r} is not a currency of the catalogue")
        return format_minor(minor_units, self.exponents[currency])


Export = Callable[[Iterable[JournalEntry], Chart], Iterator[str]]
"""Entries in the order of the log -> pieces of text. Raises :class:`UnknownInChart`."""


def as_csv(entries: Iterable[JournalEntry], chart: Chart) -> Iterator[str]:
    """One record per line of an entry, amounts as decimals, under a row of names."""
    yield _record((*ENTRY_COLUMNS, *LINE_COLUMNS))
    for entry in entries:
        head = [_cell(entry, name) for name in ENTRY_COLUMNS]
        for line in entry.lines:
            yield _record((*head, *_line_cells(line, chart)))


def as_jsonl(entries: Iterable[JournalEntry], chart: Chart) -> Iterator[str]:
    """One object per entry with its lines, amounts in minor units as the API gives them."""
    for entry in entries:
        known = {line.currency for line in entry.lines} | {entry.currency}
        for currency in known:
            chart.decimal(0, currency)
        content = asdict(entry) | {name: instant(getattr(entry, name)) for name in TIMES}
        yield json.dumps(content, ensure_ascii=False) + "\n"


def as_beancount(entries: Iterable[JournalEntry], chart: Chart) -> Iterator[str]:
    """One transaction per entry; accounts and commodities are opened at their first use."""
    yield ";; Sub-ledger of exceptions. Memorandum accounts stand under Equity:Memo.\n"
    yield 'option "title" "Shipment exceptions"\n'
    opened: set[str] = set()
    for entry in entries:
        for line in entry.lines:
            if line.currency not in opened:
                opened.add(line.currency)
                yield f"{OPENED} commodity {line.currency}\n"
                yield f"  minor-unit-digits: {len(_fraction(line.currency, chart))}\n"
            if line.account not in opened:
                opened.add(line.account)
                yield f"{OPENED} open {account_name(chart.account(line.account))}\n"
        yield _transaction(entry, chart)


FORMATS: Final[Mapping[str, Export]] = {
    "csv": as_csv,
    "jsonl": as_jsonl,
    "beancount": as_beancount,
}
"""Every format by the name that the command line gives it."""


def account_name(account: Account) -> str:
    """An account as Beancount names it, for example ``Assets:1010-Bank``."""
    title = re.sub(r"[^A-Za-z0-9]+", "-", account.title.get("en", "")).strip("-")
    name = f"{account.number}-{title}" if title else account.number
    return f"{ROOTS[account.kind]}:{name}"


def _transaction(entry: JournalEntry, chart: Chart) -> str:
    rows = ", ".join(sorted({line.row for line in entry.lines}))
    what = entry.topic.split(".")[1].replace("_", " ") if "." in entry.topic else entry.topic
    number = f"{entry.ledger}/{entry.year}/{entry.number}"
    meta = {
        "number": number,
        "event_id": entry.event_id,
        "row": rows,
        "order": entry.order_id,
        "exception": entry.exception_id,
        "episode": str(entry.episode),
        "mirrors": entry.mirrors,
        "rules": entry.rules,
        "recorded": instant(entry.recorded),
        "actor": entry.actor,
    }
    text = [f"\n{entry.effective} * {_quoted(f'{what} ({rows})')}\n"]
    text += [f"  {name}: {_quoted(value)}\n" for name, value in meta.items() if value]
    for line in entry.lines:
        text.append(_posting(line, entry, chart))
    return "".join(text)


def _posting(line: Line, entry: JournalEntry, chart: Chart) -> str:
    amount = chart.decimal(line.debit - line.credit, line.currency)
    meta = {
        "row": line.row,
        "party": line.party,
        "sale-line": line.sale_line,
        "logistics-line": line.logistics_line,
        "shipment-code": line.shipment_code,
        "exception": line.exception_id if line.exception_id != entry.exception_id else "",
        "action": line.action_id,
    }
    tags = (f"    {name}: {_quoted(value)}\n" for name, value in meta.items() if value)
    name = account_name(chart.account(line.account))
    return f"  {name}  {amount} {line.currency}\n" + "".join(tags)


def _fraction(currency: str, chart: Chart) -> str:
    """The digits after the point of a zero of the currency."""
    return chart.decimal(0, currency).partition(".")[2]


def _quoted(text: str) -> str:
    """A Beancount string on one line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"\s", " ", escaped) + '"'


def _cell(entry: JournalEntry, name: str) -> str:
    value = getattr(entry, name)
    return instant(value) if name in TIMES else str(value)


def _line_cells(line: Line, chart: Chart) -> Iterator[str]:
    account = chart.account(line.account)
    amounts = {
        "account_title": account.title.get("en", ""),
        "debit": chart.decimal(line.debit, line.currency) if line.debit else "",
        "credit": chart.decimal(line.credit, line.currency) if line.credit else "",
        "line_exception_id": line.exception_id,
    }
    for name in LINE_COLUMNS:
        yield amounts[name] if name in amounts else str(getattr(line, name))


def _record(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
