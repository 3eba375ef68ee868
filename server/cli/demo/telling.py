"""How the story is told: commands at moments of the past weeks, by the people of a desk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from server.cli.demo.goods import Sale
from server.cli.link import Link
from server.cli.money import typed_money
from server.client import ClientError, Json
from server.clock import Clock

DAYS_BEFORE: Final = 21
"""The story began so many days ago, so that every moment of it lies in the past."""

ANNA, BO, CHEN, DORA = "anna@support", "bo@support", "chen@finance", "dora@finance"
FEED: Final = "feeds@gateway"

BANK, PROVIDER = "1010", "1020"
"""Accounts of the chart that money moves on."""


WAIT_SECONDS_MAX: Final = 10.0
"""What the server does by itself takes it less than a second; a busy machine takes longer."""

T = TypeVar("T")


class NotRefused(RuntimeError):
    """The story expected a refusal and the server did what was asked."""


@dataclass
class Teller:
    """Sends the commands of the story. ``position`` is the place behind the last of them."""

    link: Link
    begin: datetime = field(
        default_factory=lambda: datetime.fromisoformat(Clock().now()) - timedelta(days=DAYS_BEFORE)
    )
    position: str = ""
    commands: int = 0

    def at(self, day: float) -> str:
        """A moment of the story, RFC 3339."""
        return (self.begin + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def date(self, day: float) -> str:
        """A day of the story, YYYY-MM-DD."""
        return self.at(day)[:10]

    def money(self, text: str, currency: str) -> Json:
        """An amount as the API takes it."""
        return typed_money(text, currency, self.link.catalogue)

    def header(self, day: float) -> Json:
        """What every command carries: its moment and an id of its own."""
        self.commands += 1
        return {"occurred_at": self.at(day), "request_id": f"demo-{self.commands:04}"}

    def call(self, rpc: str, request: Json, *, by: str) -> Json:
        """Send a request that carries its own header, or a batch of such."""
        answer = self.link.call(rpc, request, actor=by)
        self.position = answer.get("position", self.position)
        return answer

    def tell(self, rpc: str, day: float, by: str, **request: Any) -> Json:
        """Send one command."""
        return self.call(rpc, {**request, **self.header(day)}, by=by)

    def refused(self, rpc: str, day: float, by: str, **request: Any) -> ClientError:
        """Send a command that the server must refuse; gives the refusal."""
        try:
            self.tell(rpc, day, by, **request)
        except ClientError as refusal:
            return refusal
        raise NotRefused(f"{rpc} was to be refused")

    def until(self, rpc: str, request: Json, wanted: Callable[[Json], T | None]) -> T:
        """Ask until the answer holds what is wanted, which the server does by itself."""
        end = time.monotonic() + WAIT_SECONDS_MAX
        while time.monotonic() < end:
            if found := wanted(self.link.call(rpc, request)):
                return found
            time.sleep(0.05)
        raise NotAccepted(f"{rpc} does not say what it should")

    def open(self, sale: Sale, code: str, day: float, words: str, parcel: int = 0) -> Case:
        """A customer reports trouble with an order, or with a parcel of it."""
        subject = {"order_id": sale.order}
        more: Json = {}
        if code in CHECK_OF_EARLY:
            more["failing_check"] = CHECK_OF_EARLY[code]
        else:
            subject["shipment_code"] = sale.parcels[parcel].code
            more["last_checkpoint"] = {"occurred_at": self.at(day - 1), "status": "in_transit"}
        answer = self.tell(
            "DetectException",
            day,
            ANNA,
            subject=subject,
            code=code,
            signal={"kind": "customer", "raw_text": words},
            **more,
        )
        return Case(self, sale, answer["exception"]["exception_id"], parcel)


CHECK_OF_EARLY: Final = {"STOCK_OUT": "stock"}
"""Codes of the story whose subject is an order without a parcel, and the check that failed."""


@dataclass
class Case:
    """A case of the story, with the order that its money is about."""

    teller: Teller
    sale: Sale
    exception_id: str
    parcel: int = 0

    def tell(self, rpc: str, day: float, by: str = BO, **request: Any) -> Json:
        """Send a command to the case; gives the case as it is then."""
        answer = self.teller.tell(rpc, day, by, exception_id=self.exception_id, **request)
        case: Json = answer["exception"]
        return case

    def check(self, day: float) -> None:
        """Tick everything that the checklist of the code asks for."""
        case = self.teller.link.call("GetException", {"exception_id": self.exception_id})
        code = case["exception"]["code"]
        for item in self.teller.link.catalogue.type_of(code).checklist:
            self.tell("RecordVerification", day, item=item, result="confirmed")

    def money(self, text: str) -> Json:
        """An amount in the order's currency."""
        return self.teller.money(text, self.sale.currency)

    def place(self) -> Json:
        """The parcel and billing line, which every refund names once there is a parcel."""
        if not self.sale.parcels:
            return {}
        parcel = self.sale.parcels[self.parcel]
        return {"shipment_code": parcel.code, "logistics_line": self.sale.billing[self.parcel]}

    def first_event(self) -> str:
        """Id of the event that opened the case."""
        request = {"filter": f'aggregate_id = "{self.exception_id}"', "page_size": 1}
        found = self.teller.link.call("ListEvents", request)
        event_id: str = found["events"][0]["event_id"]
        return event_id

    def agree(self, kind: str, day: float, **terms: Any) -> str:
        """Propose a remedy and have finance approve it; gives the action's id."""
        case = self.tell("ProposeAction", day, kind=kind, **terms)
        action_id: str = case["actions"][-1]["action_id"]
        self.tell("ApproveAction", day + 0.1, CHEN, action_id=action_id)
        return action_id

    def refund(self, kind: str, day: float, **terms: Any) -> str:
        """Agree to a refund that names its cause and its parcel."""
        causes = [self.first_event()]
        return self.agree(kind, day, cause_event_ids=causes, **self.place(), **terms)

    def pay(self, action_id: str, day: float, payment: str) -> None:
        """Hand an agreed payment to the provider, who confirms it."""
        self.tell("SubmitAction", day, action_id=action_id)
        self.outcome(action_id, "SUCCEEDED", day + 0.2, external_id=payment, account=PROVIDER)

    def outcome(self, action_id: str, outcome: str, day: float, **facts: Any) -> Json:
        """Record what became of a remedy."""
        name = f"ACTION_OUTCOME_{outcome}"
        return self.tell("RecordActionOutcome", day, action_id=action_id, outcome=name, **facts)

    def explain(self, day: float) -> None:
        """The remedy that moves no money: tell the customer what happens."""
        action_id = self.agree("explain_only", day)
        self.tell("SubmitAction", day + 0.2, action_id=action_id)
        self.outcome(action_id, "SUCCEEDED", day + 0.2)

    def close(self, resolution: str, day: float, words: str) -> None:
        """The customer is done; write the outcome back and close the books."""
        self.tell("RemediateException", day, resolution=resolution, summary=words)
        self.settle(day + 0.5)

    def settle(self, day: float) -> None:
        """Write back every billing line with money, or none, and reconcile."""
        found = self.teller.link.call("GetException", {"exception_id": self.exception_id})
        lines = found["exception"].get("billing_lines", [])
        for line in lines:
            self.tell("WriteBack", day, CHEN, logistics_line=line)
        if not found["exception"].get("entries"):
            self.tell("WriteBack", day, CHEN, none=True)
        self.tell("ReconcileException", day + 0.1, CHEN)


def order_input(teller: Teller, sale: Sale, day: float) -> Json:
    """An order as the shop reports it: one line, one payment, a billing line per parcel."""

    def money(text: str) -> Json:
        return teller.money(text, sale.currency)

    paid = sum(int(money(text)["minor_units"]) for text in (sale.goods, sale.shipping, sale.tax))
    line: Json = {
        "line_id": "L1",
        "sku": sale.sku,
        "quantity": 1,
        "goods": money(sale.goods),
        "shipping": money(sale.shipping),
        "tax": money(sale.tax),
        "unit_cost": money(sale.cost),
    }
    if sale.shipped:
        line |= {"sale_recognised_at": teller.at(day), "cost_expensed_at": teller.at(day)}
    tender = {
        "provider": "paywell",
        "external_id": f"pay-{sale.order}",
        "kind": "card",
        "captured": {"currency": sale.currency, "minor_units": paid},
    }
    return {
        **teller.header(day),
        "order_id": sale.order,
        "source": "shop",
        "source_id": sale.order,
        "currency": sale.currency,
        "buyer": f"buyer-{sale.order}",
        "sale_lines": [line],
        "tenders": [tender],
        "logistics_lines": [
            {
                "line_id": billing,
                "shipment_code": parcel.code,
                "carrier": parcel.carrier,
                "carrier_number": f"{parcel.carrier[:2].upper()}{parcel.code[2:]}",
                "freight": money(parcel.freight),
            }
            for parcel, billing in zip(sale.parcels, sale.billing, strict=True)
        ],
    }


def accepted(results: Iterable[Json], name: str) -> list[Json]:
    """The resources of a batch; raises :class:`NotAccepted` when one was refused."""
    found: list[Json] = []
    for result in results:
        if "error" in result:
            raise NotAccepted(result["error"]["message"])
        found.append(result[name])
    return found


class NotAccepted(RuntimeError):
    """The server refused an item of a batch that the story needs."""
