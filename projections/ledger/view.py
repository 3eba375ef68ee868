"""The port of the ledger view: journal entries, balances and statements as readers get them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from projections.query import Condition, Kind

ENTRIES_MAX = 1_000
"""Most entries or statement lines that one call answers."""

MEMO = "memo"
"""Kind of the accounts that stand outside the trial balance total."""

By = Literal["effective", "recorded"]
"""Which of its two dates an entry is ordered and cut by."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what the ledger answers. Amounts are integer minor units of a currency."""


class Account(Part, frozen=True):
    """An account of the chart. ``title`` by language; ``control``: gate A asks about it."""

    number: str
    kind: str
    control: bool = False
    title: dict[str, str] = {}


class Line(Part, frozen=True):
    """A line of an entry: exactly one of debit and credit is positive."""

    index: int
    account: str
    debit: int
    credit: int
    row: str
    party: str
    order_id: str
    sale_line: str
    logistics_line: str
    shipment_code: str
    exception_id: str
    episode: int
    action_id: str


class JournalEntry(Part, frozen=True):
    """An entry. ``number`` is gapless per tenant, ledger and ``year`` of the effective date.

    ``event_id`` is the event that made it, ``mirrors`` that of the entry it undoes;
    ``effective`` is ``YYYY-MM-DD``, ``recorded`` and ``occurred`` are microseconds UTC.
    """

    event_id: str
    position: int
    number: int
    year: int
    ledger: str
    currency: str
    effective: str
    recorded: int
    occurred: int
    topic: str
    actor: str
    rules: str
    order_id: str
    exception_id: str
    episode: int
    mirrors: str
    lines: tuple[Line, ...] = ()


class Balance(Part, frozen=True):
    """Turnover of an account in a currency; ``balance`` is debit minus credit."""

    account: str
    currency: str
    debit: int
    credit: int

    @property
    def balance(self) -> int:
        """Debit minus credit: positive stands on the debit side."""
        return self.debit - self.credit


class TrialBalance(Part, frozen=True):
    """Accounts with turnover by number and currency, the memorandum accounts apart.

    Debits equal credits per currency within ``accounts`` and within ``memoranda``.
    """

    accounts: tuple[Balance, ...]
    memoranda: tuple[Balance, ...]


class StatementLine(Part, frozen=True):
    """A line of an account with its entry (without the other lines) and the balance after it."""

    entry: JournalEntry
    line: Line
    balance: int

    def key(self, by: By) -> tuple[str | int, int, int]:
        """What ``after`` of :meth:`LedgerView.account_statement` takes to go on behind it."""
        return (getattr(self.entry, by), self.entry.position, self.line.index)


class NetCost(Part, frozen=True):
    """What a case cost in a currency: costs are positive, ``recovered`` lowers ``net_cost``."""

    exception_id: str
    currency: str
    revenue_undone: int
    handling_cost: int
    recovered: int

    @property
    def net_cost(self) -> int:
        """Revenue undone plus handling cost minus what was recovered."""
        return self.revenue_undone + self.handling_cost - self.recovered


class OrderStatement(Part, frozen=True):
    """A page of an order's entries in log order, and the net cost of each of its cases.

    ``costs`` cover all entries of the order, whatever the page, by case and currency.
    """

    entries: tuple[JournalEntry, ...]
    costs: tuple[NetCost, ...]


FILTERS: Mapping[str, Kind] = {
    "event_id": "text",
    "ledger": "text",
    "currency": "text",
    "year": "integer",
    "number": "integer",
    "effective": "date",
    "recorded": "time",
    "occurred": "time",
    "topic": "text",
    "actor": "text",
    "rules": "text",
    "order_id": "text",
    "exception_id": "text",
    "mirrors": "text",
    "account": "text",
    "row": "text",
    "action_id": "text",
    "shipment_code": "text",
}
"""Fields that conditions on entries may name.

``account``, ``row``, ``action_id`` and ``shipment_code`` ask for an entry with such a line;
``exception_id`` for one that is the case's, or has a line of the case.
"""


class LedgerView(ABC):
    """Reads of the ledger. Every one is of one tenant; safe to call from any thread.

    ``effective`` (``YYYY-MM-DD``) and ``recorded`` (microseconds UTC) cut what is read: entries
    with an effective date up to the one, known at the other, both ends included, None = no cut.
    Conditions that :data:`FILTERS` does not allow raise
    :class:`projections.query.QueryRefused`.
    """

    @abstractmethod
    def accounts(self, tenant: str) -> Sequence[Account]:
        """The chart by number: every account of any rules published to the tenant."""

    @abstractmethod
    def ledgers(self, tenant: str) -> Sequence[str]:
        """The ledgers (legal entities) that hold entries of the tenant, sorted."""

    @abstractmethod
    def entries(
        self, tenant: str, conditions: Sequence[Condition] = (), *, after: int = 0, limit: int
    ) -> Sequence[JournalEntry]:
        """At most ``limit`` entries with their lines, in log order, position above ``after``."""

    @abstractmethod
    def entry(self, tenant: str, event_id: str) -> JournalEntry | None:
        """The entry that an event made, None when it made none or is another tenant's."""

    @abstractmethod
    def trial_balance(
        self,
        tenant: str,
        ledger: str,
        *,
        effective: str | None = None,
        recorded: int | None = None,
    ) -> TrialBalance:
        """Turnover per account and currency."""

    @abstractmethod
    def account_statement(
        self,
        tenant: str,
        ledger: str,
        account: str,
        *,
        by: By = "effective",
        effective: str | None = None,
        recorded: int | None = None,
        after: Sequence[str | int] = (),
        limit: int,
    ) -> Sequence[StatementLine]:
        """Lines of an account by the date ``by`` names, then log order, with running balance.

        The balance runs per currency from the first line ever, also over pages; ``after`` is the
        :meth:`StatementLine.key` of the last line of the page before.
        """

    @abstractmethod
    def order_statement(
        self, tenant: str, order_id: str, *, after: int = 0, limit: int
    ) -> OrderStatement:
        """An order's entries with position above ``after``, and what its cases cost."""

    @abstractmethod
    def position(self) -> int:
        """Position of the last event that this ledger has seen."""
