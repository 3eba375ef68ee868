"""Charts of accounts as a published catalogue holds them, and what an entry must satisfy."""

from collections.abc import Mapping

import msgspec

from esm.events import Entry
from projections.ledger.view import MEMO, Account
from projections.pump import Poison


class _Rule(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    control: bool = False
    title: dict[str, str] = {}


class _Content(msgspec.Struct, frozen=True):
    accounts: dict[str, _Rule]


Chart = Mapping[str, Account]
"""Accounts by number."""

_CONTENT = msgspec.json.Decoder(_Content)
_ACCOUNTS = msgspec.json.Decoder(list[Account])


def published_chart(content: str) -> str:
    """The chart inside a published catalogue, as the JSON that :func:`read_chart` reads."""
    rules = _CONTENT.decode(content).accounts
    accounts = [
        Account(number=number, kind=rule.kind, control=rule.control, title=rule.title)
        for number, rule in sorted(rules.items())
    ]
    return msgspec.json.encode(accounts).decode()


def read_chart(text: str) -> Chart:
    """The accounts by number."""
    return {account.number: account for account in _ACCOUNTS.decode(text)}


def check_entry(entry: Entry, chart: Chart) -> None:
    """Raises ``Poison`` unless the entry may stand in the books.

    Every line has one positive side and an account of the chart that the entry names; debits
    equal credits, among the memorandum accounts and among the others.
    """
    if not entry.legs:
        raise Poison("the entry has no lines")
    real = memo = 0
    for leg in entry.legs:
        account = chart.get(leg.account)
        if account is None:
            raise Poison(f"account {leg.account!r} is not in the chart of rules {entry.rules!r}")
        debit, credit = leg.debit, leg.credit
        if debit < 0 or credit < 0 or (debit == 0) == (credit == 0):
            raise Poison(f"account {leg.account}: debit {debit} and credit {credit}")
        if account.kind == MEMO:
            memo += debit - credit
        else:
            real += debit - credit
    if real or memo:
        raise Poison(f"unbalanced by {real}, memorandum accounts by {memo} ({entry.currency})")
