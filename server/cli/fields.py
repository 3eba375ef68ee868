"""The fields of command requests as options: how each is typed and what it means, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, NamedTuple

import typer

from esm.catalog import Catalogue
from server.cli.money import typed_money
from server.cli.output import fail


class Typing(NamedTuple):
    """What a command line gives for a field, and how that becomes the API's JSON.

    ``read`` takes what was typed, the ``--currency`` of the command and the catalogue.
    """

    annotation: Any
    default: Any
    read: Callable[[Any, str, Catalogue], Any]


def _as_it_is(value: Any, _currency: str, _catalogue: Catalogue) -> Any:
    return value


def _with_prefix(prefix: str) -> Callable[[Any, str, Catalogue], str]:
    def read(value: Any, _currency: str, _catalogue: Catalogue) -> str:
        return prefix + str(value).upper().replace("-", "_")

    return read


def _money(value: Any, currency: str, catalogue: Catalogue) -> dict[str, Any]:
    return typed_money(value, currency, catalogue)


def _lines(values: list[str], currency: str, catalogue: Catalogue) -> list[dict[str, Any]]:
    """``L1=12.30`` wants that much of the line, ``L1`` all that is left."""
    read: list[dict[str, Any]] = []
    for value in values:
        name, separator, amount = value.partition("=")
        wanted = {"amount": typed_money(amount, currency, catalogue)} if separator else {}
        read.append({"sale_line": name, **wanted})
    return read


def _legs(values: list[str], currency: str, catalogue: Catalogue) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = []
    for value in values:
        name, separator, amount = value.partition("=")
        if not separator or not name.isdigit():
            fail(f"{value!r} is no leg; write its index and an amount, for example 0=12.30")
        read.append({"leg": int(name), "amount": typed_money(amount, currency, catalogue)})
    return read


def _answers(values: list[str], _currency: str, _catalogue: Catalogue) -> list[dict[str, Any]]:
    """``photos=IMG1`` answers a field; a field that is named again has several answers."""
    read: dict[str, list[str]] = {}
    for value in values:
        name, separator, answer = value.partition("=")
        if not separator or not name:
            fail(f"{value!r} is no answer; write field=answer, for example photos=IMG1")
        read.setdefault(name, []).append(answer)
    return [{"name": name, "values": answers} for name, answers in read.items()]


def _invoice(value: str, _currency: str, _catalogue: Catalogue) -> dict[str, str]:
    parts = value.split("/")
    if len(parts) != 3:
        fail(f"{value!r} is no invoice line; write carrier/number/line")
    return dict(zip(("carrier", "number", "line"), parts, strict=True))


TEXT: Final = Typing(str, "", _as_it_is)
TEXTS: Final = Typing(list[str] | None, None, _as_it_is)
FLAG: Final = Typing(bool, False, _as_it_is)
MONEY: Final = Typing(str, "", _money)
LINES: Final = Typing(list[str] | None, None, _lines)
LEGS: Final = Typing(list[str] | None, None, _legs)
ANSWERS: Final = Typing(list[str] | None, None, _answers)
LEVEL: Final = Typing(str, "", _with_prefix("RESPONSE_LEVEL_"))
OUTCOME: Final = Typing(str, "", _with_prefix("ACTION_OUTCOME_"))
STAGE: Final = Typing(str, "", _with_prefix("STAGE_"))
INVOICE: Final = Typing(str, "", _invoice)

MONEYS: Final = (MONEY, LINES, LEGS)
"""Kinds that want ``--currency``."""

FIELDS: Final[Mapping[str, tuple[Typing, str]]] = {
    "account": (TEXT, "Account that the money moved on: 1010 bank, 1020 provider, 1025 wallet."),
    "action_id": (TEXT, "The action inside its case."),
    "answers": (ANSWERS, "Answer in a customer's report: photos=IMG1; may be repeated."),
    "amount": (MONEY, "Amount, for example 12.30."),
    "basis": (TEXT, "Why we pay: late_performance or beyond_contract."),
    "began_at": (TEXT, "When the source says that the trouble began, RFC 3339."),
    "carrier": (TEXT, "Carrier; that of the billing line when not said."),
    "cause_event_ids": (TEXTS, "Event of the case that the action answers; may be repeated."),
    "channel": (TEXT, "phone, chat, email, sms or portal."),
    "checkpoint_at": (TEXT, "When the last tracking fact happened, RFC 3339."),
    "checkpoint_code": (TEXT, "The carrier's own code of it."),
    "checkpoint_place": (TEXT, "Where it happened."),
    "checkpoint_received_at": (TEXT, "When we got it, RFC 3339."),
    "checkpoint_status": (TEXT, "Our normalised status of it."),
    "checkpoint_text": (TEXT, "The carrier's own words of it."),
    "code": (TEXT, "Code of the catalogue: esm catalog show types."),
    "counterparty": (TEXT, "Whom a claim is made on."),
    "coupon_kind": (TEXT, "Kind of coupon: coupon or store_credit."),
    "customer_visible": (FLAG, "The customer may read it."),
    "direction": (TEXT, "inbound or outbound."),
    "due": (TEXT, "Date until when, YYYY-MM-DD."),
    "evidence": (TEXTS, "Reference to a picture, call or document; may be repeated."),
    "event_id": (TEXT, "The entry, by the id of its event: esm ledger entries."),
    "exception_id": (TEXT, "The case."),
    "explanation": (TEXT, "Words for the people who approve."),
    "external_id": (TEXT, "Id at whoever carries it out or moved the money."),
    "failing_check": (TEXT, "Check that failed, before there is a parcel."),
    "fee": (MONEY, "Fee that was kept."),
    "fee_tax": (MONEY, "Tax on the fee."),
    "feed": (TEXT, "Name of the feed, for example track17."),
    "finding": (TEXT, "What was found."),
    "freight": (MONEY, "What the transport costs us."),
    "goods_cost": (MONEY, "What the goods cost us."),
    "into": (TEXT, "The case that stays."),
    "invoice": (TEXT, "Number of the invoice."),
    "invoice_line": (INVOICE, "Line of a carrier's invoice: carrier/number/line."),
    "item": (TEXT, "The item, as the case shows it."),
    "kind": (TEXT, "What it is, as the catalogue or the API names it."),
    "legs": (LEGS, "Leg to undo: index=amount; may be repeated; all of it when not given."),
    "level": (LEVEL, "1, 2 or 3."),
    "lines": (LINES, "Line of the order: L1=12.30, or L1 for all that is left; may be repeated."),
    "logistics_line": (TEXT, "Billing line of the order."),
    "net": (MONEY, "Amount without tax."),
    "none": (FLAG, "The case touched no money, so there is nothing to write."),
    "none_yet_at": (TEXT, "When we looked and there was no tracking fact yet, RFC 3339."),
    "note": (TEXT, "Words about it."),
    "order_id": (TEXT, "Our order id."),
    "outcome": (OUTCOME, "succeeded, failed, dispatched, claim_approved … as the API names it."),
    "owner": (TEXT, "Who sees to it."),
    "party": (TEXT, "customer, carrier, warehouse …"),
    "person": (TEXT, "Reference of the customer, never a name."),
    "piece": (TEXT, "Piece of a parcel of several pieces."),
    "provider": (TEXT, "Who moved the money."),
    "raw_code": (TEXT, "The source's own code."),
    "raw_text": (TEXT, "The source's own words."),
    "reached": (FLAG, "The other side was reached."),
    "reason": (TEXT, "Why."),
    "received_at": (TEXT, "When we got the report, RFC 3339."),
    "report": (TEXT, "Template of a customer's report: esm catalog show reports."),
    "resolution": (TEXT, "How it ended: esm catalog show resolutions."),
    "restores_action_id": (TEXT, "Action of the case that this one undoes."),
    "result": (TEXT, "confirmed or not_obtainable."),
    "rule": (TEXT, "Rule of the catalogue: esm catalog show rules."),
    "shipment_code": (TEXT, "Our parcel id."),
    "signal_kind": (TEXT, "Who reports: person, carrier, customer, platform or alert."),
    "source_id": (TEXT, "Id of the report at its source; accepted once, for ever."),
    "stage": (STAGE, "Of a timed rule: at_risk, breached or serious."),
    "step": (TEXT, "accrued or invoiced."),
    "summary": (TEXT, "What was said, or what the customer was told."),
    "tax": (MONEY, "Tax on it."),
    "tax_document": (TEXT, "Number of the tax document of a refund."),
    "team": (TEXT, "Owning team: esm catalog show teams."),
    "text": (TEXT, "The words."),
    "until": (TEXT, "Until when, RFC 3339."),
}
"""Every field of a command by the name of its option."""

HEADER: Final = (
    (
        "occurred_at",
        Annotated[str, typer.Option(help="When it happened, RFC 3339; now when not said.")],
        "",
    ),
    (
        "request_id",
        Annotated[str, typer.Option(help="The same id again changes nothing.")],
        "",
    ),
    (
        "etag",
        Annotated[str, typer.Option(help="Refuse when the case changed since this version.")],
        "",
    ),
    (
        "validate_only",
        Annotated[bool, typer.Option("--validate-only", help="Only show what it would do.")],
        False,
    ),
)
"""What every command takes besides its own fields."""

CURRENCY: Final = (
    "currency",
    Annotated[str, typer.Option(help="Currency of amounts that name none, for example USD.")],
    "",
)


def option(name: str, *, positional: bool) -> tuple[str, Any, Any]:
    """A field as Typer takes it: name, annotation, default. Positional ones are required."""
    typing, help_text = FIELDS[name]
    if positional:
        return name, Annotated[str, typer.Argument(help=help_text)], ...
    flag = "--" + name.replace("_", "-")
    return name, Annotated[typing.annotation, typer.Option(flag, help=help_text)], typing.default
