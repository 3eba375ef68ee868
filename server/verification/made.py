"""One entry as an event makes it: read from the raw bytes, derived again from its facts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from server.journal import JournalEntry, LoggedEvent
from server.verification.rules import TAGS, Leg, RuleBook, Unusable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Made:
    """An entry that an event makes.

    ``written`` are the legs that the event holds; ``derived`` those that its facts and the
    published rules make, None without rules, and for a mirror until its original is at hand.
    ``mirrored`` is how much of each leg of the original a mirror undoes; ``date`` the day on
    which it happened where the ledger is.
    """

    event: LoggedEvent
    rules: str
    ledger: str
    currency: str
    effective: str
    order_id: str
    exception_id: str
    episode: int
    mirrors: str
    mirrored: tuple[int, ...]
    date: str
    written: tuple[Leg, ...]
    derived: tuple[Leg, ...] | None

    @property
    def year(self) -> int:
        """The year whose numbers the entry counts among."""
        return int(self.effective[:4])


def facts_of(event: LoggedEvent) -> Mapping[str, Any]:
    """The JSON object of an event. Raises ValueError."""
    facts = json.loads(event.payload)
    if not isinstance(facts, dict):
        raise ValueError("the payload is no JSON object")
    return facts


def made_by(event: LoggedEvent, facts: Mapping[str, Any], rules: RuleBook) -> Made | None:
    """The entry of an event, None when it moves no money.

    Raises :class:`Unusable` when facts and rules make none, KeyError, TypeError or ValueError
    when the entry is not one.
    """
    entry = facts.get("entry")
    if not isinstance(entry, dict):
        return None
    by = rules.postings.get(entry["rules"])
    mirrors = entry.get("mirrors", "")
    parts = entry.get("parts", [])
    derived = None
    if by is not None and not mirrors:
        derived = tuple(leg for part in parts for leg in by.legs(part))
    elif mirrors and parts:
        raise Unusable("a mirror has facts of its own")
    catalogue = rules.catalogues.get(facts.get("catalogue", ""), by)
    zone = "UTC" if catalogue is None else catalogue.zones.get(entry["ledger"], "UTC")
    return Made(
        event=event,
        rules=entry["rules"],
        ledger=entry["ledger"],
        currency=entry["currency"],
        effective=entry["effective"],
        order_id=entry["order_id"],
        exception_id=entry["exception_id"],
        episode=entry["episode"],
        mirrors=mirrors,
        mirrored=tuple(_amount(amount) for amount in entry.get("mirrored", [])),
        date=_date(event.occurred, zone),
        written=tuple(_written(leg) for leg in entry["legs"]),
        derived=derived,
    )


def shown(made: Made, legs: tuple[Leg, ...]) -> tuple[Leg, ...]:
    """Legs as the books show them: without item and name of amount, with the entry's own case."""
    return tuple(
        leg._replace(amount="", item="", exception_id=leg.exception_id or made.exception_id)
        for leg in legs
    )


def booked(entry: JournalEntry) -> tuple[Leg, ...]:
    """The lines of the books as legs."""
    return tuple(
        Leg(
            account=line.account,
            moved=line.debit - line.credit,
            row=line.row,
            party=line.party,
            sale_line=line.sale_line,
            logistics_line=line.logistics_line,
            shipment_code=line.shipment_code,
            action_id=line.action_id,
            exception_id=line.exception_id,
        )
        for line in entry.lines
    )


def _amount(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _written(leg: Mapping[str, Any]) -> Leg:
    debit, credit = _amount(leg.get("debit", 0)), _amount(leg.get("credit", 0))
    if min(debit, credit) != 0:
        raise ValueError("a leg has not exactly one side")
    return Leg(
        account=leg["account"],
        moved=debit - credit,
        row=leg.get("row", ""),
        party=leg.get("party", ""),
        **{tag: leg.get(tag, "") for tag in TAGS},
        exception_id=leg.get("exception_id", ""),
        amount=leg.get("amount", ""),
        item=leg.get("item", ""),
    )


def _date(occurred: int, zone: str) -> str:
    moment = _EPOCH + timedelta(microseconds=occurred)
    return moment.astimezone(ZoneInfo(zone)).date().isoformat()
