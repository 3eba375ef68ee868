"""One order's statement in words: every entry with the events that caused it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rich.markup import escape

from esm.money import format_minor
from server.cli.ledger import order_statement
from server.cli.link import Link
from server.cli.money import shown_money
from server.cli.output import out, table
from server.cli.shown import account_title, entry_title, payload_of
from server.client import Json


def _amount(said: Json, name: str, unit: tuple[str, int]) -> str:
    currency, exponent = unit
    return f"{format_minor(said.get(name, 0), exponent)} {currency}"


Phrase = Callable[[Json, tuple[str, int]], str]
"""(payload, (currency, digits)) -> what an event says."""

PHRASES: Final[Mapping[str, Phrase]] = {
    "exception.detected.v1": lambda said, _: f"{said['code']} was reported",
    "exception.action_proposed.v1": lambda said, _: f"{said['kind']} was proposed",
    "exception.action_approved.v1": lambda said, unit: (
        f"was approved{': ' + _amount(said, 'amount', unit) if said.get('amount') else ''}"
    ),
    "exception.action_submitted.v1": lambda said, _: "was handed over to be carried out",
    "exception.action_outcome_recorded.v1": lambda said, unit: (
        f"{said['outcome'].replace('_', ' ')}"
        f"{': ' + _amount(said, 'amount', unit) if said.get('amount') else ''}"
    ),
    "exception.action_cancelled.v1": lambda said, _: "was called off",
    "exception.entry_reversed.v1": lambda said, _: "the entry was reversed",
    "exception.carrier_charge_accrued.v1": lambda said, unit: (
        f"the carrier will charge {_amount(said, 'net', unit)}"
    ),
    "exception.carrier_charge_invoiced.v1": lambda said, unit: (
        f"the carrier's invoice {said['invoice']} says {_amount(said, 'net', unit)}"
    ),
    "exception.outside_money_recorded.v1": lambda said, unit: (
        f"{said['provider']} reports {said['kind'].replace('_', ' ')} {said['external_id']}: "
        f"{_amount(said, 'amount', unit)}"
    ),
}
"""What an event says, by topic; other events are named by their topic."""


def words_of(event: Json, unit: tuple[str, int]) -> str:
    """An event as a sentence: when, who, what."""
    said: dict[str, Any] = payload_of(event)
    phrase = PHRASES.get(event["topic"])
    what = phrase(said, unit) if phrase else event["topic"].split(".")[1].replace("_", " ")
    when = event.get("occurred", "")[:16].replace("T", " ") + "Z"
    return f"{when}  {event.get('actor', '')}: {what}"


def explain_order(link: Link, order_id: str) -> int:
    """Show every entry of an order, its lines and why it is there; gives how many."""
    entries, costs = order_statement(link, order_id)
    for entry in entries:
        unit = (entry["currency"], link.catalogue.exponent(entry["currency"]))
        events = link.call("GetEntry", {"event_id": entry["event_id"]}).get("events", [])
        rows = ", ".join(dict.fromkeys(line["row"] for line in entry["lines"]))
        out.print(f"\n[bold]{entry_title(entry)}[/] {entry['effective']}  rows {rows}")
        for line in entry["lines"]:
            debit = shown_money(line.get("debit"), link.catalogue)
            credit = shown_money(line.get("credit"), link.catalogue)
            side = f"debit  {debit:>14}" if debit else f"credit {credit:>14}"
            title = account_title(line["account"], link)
            out.print(f"    {side}  {line['account']} {escape(title)}")
        for event in events:
            out.print(f"    [dim]because {escape(words_of(event, unit))}[/]")
    names = ("revenue_undone", "handling_cost", "recovered", "net_cost")
    table(
        "\nWhat its cases cost 各异常成本",
        (
            "#case 异常",
            ">revenue undone 冲减收入",
            ">handling 处理",
            ">recovered 追回",
            ">net 净额",
        ),
        [
            (each["exception_id"], *(shown_money(each.get(n), link.catalogue) for n in names))
            for each in costs
        ],
    )
    return len(entries)
