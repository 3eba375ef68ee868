"""Posting rules as the log published them, and the legs that they make of facts."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

PUBLISHED: Final = "catalogue.published.v1"

Facts = Mapping[str, Any]


class Leg(NamedTuple):
    """One leg with everything it is tagged with; ``moved`` is positive for debit."""

    account: str
    moved: int
    row: str = ""
    party: str = ""
    sale_line: str = ""
    logistics_line: str = ""
    shipment_code: str = ""
    action_id: str = ""
    exception_id: str = ""
    amount: str = ""
    item: str = ""


TAGS: Final = ("sale_line", "logistics_line", "shipment_code", "action_id")


class Unusable(Exception):
    """Facts that the rules make no legs of; the text says why."""


@dataclass(frozen=True, slots=True)
class Published:
    """The rules of one catalogue: rows and choices by name, chart, time zones of the ledgers."""

    rows: Mapping[str, Facts]
    choices: Mapping[str, Sequence[str]]
    accounts: Mapping[str, Facts]
    zones: Mapping[str, str]

    def legs(self, facts: Facts) -> Iterator[Leg]:
        """The legs of one part of an event. Raises :class:`Unusable`."""
        name = facts["row"]
        row = self.rows.get(name)
        if row is None:
            raise Unusable(f"the rules have no row {name!r}")
        amounts = facts.get("amounts", {})
        for rule in row.get("legs", ()):
            quantity = amounts.get(rule["amount"], 0)
            if isinstance(quantity, bool) or not isinstance(quantity, int):
                raise Unusable(f"amount {rule['amount']} of row {name} is not a whole number")
            if quantity < 0 and not rule.get("signed", False):
                raise Unusable(f"amount {rule['amount']} of row {name} is negative")
            if quantity:
                yield self._leg(name, rule, facts, quantity)

    def mirrors(self, row: str) -> bool:
        """Whether a row is one that swaps the legs of an earlier entry."""
        return bool(self.rows.get(row, {}).get("mirror", False))

    def memo_accounts(self) -> set[str]:
        """The accounts that stand outside the trial balance and balance among themselves."""
        return {number for number, account in self.accounts.items() if account["kind"] == "memo"}

    def _leg(self, row: str, rule: Facts, facts: Facts, quantity: int) -> Leg:
        whose = rule.get("item", "")
        item = facts.get("item", "")
        if whose == "own":
            item = facts.get("own_item", "")
        elif whose == "logistics":
            item = "logistics:" + facts.get("logistics_line", "")
        return Leg(
            account=self._account(rule["account"], facts),
            moved=quantity if rule["side"] == "debit" else -quantity,
            row=row,
            party=rule.get("party", ""),
            **{tag: facts.get(tag, "") for tag in TAGS},
            exception_id="" if whose == "own" else facts.get("exception_id", ""),
            amount=rule["amount"],
            item=item,
        )

    def _account(self, named: str, facts: Facts) -> str:
        """The account itself, or the one that the facts chose among those allowed."""
        account = named
        if named.startswith("$"):
            choice = named[1:]
            account = facts.get("accounts", {}).get(choice, "")
            if account not in self.choices.get(choice, ()):
                raise Unusable(f"{account!r} is no {choice} account of the rules")
        if account not in self.accounts:
            raise Unusable(f"account {account!r} is not in the chart")
        return account


class RuleBook:
    """All rules that a log published: by the digest of the catalogue, and of the postings."""

    def __init__(self) -> None:
        self.catalogues: dict[str, Published] = {}
        self.postings: dict[str, Published] = {}

    def publish(self, facts: Facts) -> str:
        """Take in a published catalogue; what is wrong with its digests, or nothing."""
        content: str = facts["content"]
        tables = json.loads(content)
        published = Published(
            rows=tables["postings"]["rows"],
            choices=tables["postings"]["choices"],
            accounts=tables["accounts"],
            zones={name: entity["time_zone"] for name, entity in tables["ledgers"].items()},
        )
        self.catalogues[facts["digest"]] = published
        self.postings.setdefault(facts["postings_digest"], published)
        if _digest(content) != facts["digest"]:
            return f"the content is not that of {facts['digest']}"
        money = {"accounts": tables["accounts"], "postings": tables["postings"]}
        text = json.dumps(money, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if _digest(text) != facts["postings_digest"]:
            return f"the posting rules are not those of {facts['postings_digest']}"
        return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
