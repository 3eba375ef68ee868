"""One tenant of a real server as a client sees it, and what was seen of the API in all of them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from server.client import Client, ClientError, Json

GROSS = 12430
LOOKED = "2026-02-25T00:00:00Z"
SOLD = "2026-02-20T00:00:00Z"
ORDER = "O1"
ACTORS = ("ann", "bob", "eve")


class Op(NamedTuple):
    """What to do next: a name and three numbers that choose case, action and amounts."""

    name: str
    a: int = 0
    b: int = 0
    c: int = 0


@dataclass
class Seen:
    """Everything that occurred over all sequences: calls that succeeded, outcomes, refusals."""

    rpcs: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


def cny(minor_units: int) -> Json:
    """An amount in fen, as the API writes it."""
    return {"currency": "CNY", "minor_units": minor_units}


def minor(amount: Json | None) -> int:
    """Minor units of an amount, 0 for none."""
    return int((amount or {}).get("minor_units", 0))


class World:
    """The cases and the order of a tenant, as the answers to commands left them.

    ``previous`` is the last command that succeeded, to be sent again.
    """

    def __init__(self, client: Client, seen: Seen) -> None:
        self.client = client
        self.seen = seen
        self.cases: dict[str, Json] = {}
        self.position = ""
        self.previous: tuple[str, Json, str, Json] | None = None
        self.sent = 0

    # --- calls ------------------------------------------------------------------------------

    def call(self, rpc: str, request: Json, actor: str = "ann", **how: Any) -> Json:
        """A call that must succeed."""
        answer = self.client.call(rpc, request, actor=actor, **how)
        self.seen.rpcs[rpc] += 1
        return answer

    def refused(self, rpc: str, request: Json, actor: str = "ann", **how: Any) -> str:
        """A call that must be refused; gives the reason."""
        try:
            self.client.call(rpc, request, actor=actor, **how)
        except ClientError as refusal:
            return self._reason(refusal.reason or refusal.code)
        raise AssertionError(f"{rpc} {request} was not refused")

    def do(self, rpc: str, request: Json, actor: str = "ann") -> str:
        """A command that may be refused; gives the reason, "" when it was done."""
        self.sent += 1
        request = {"request_id": f"r{self.sent}", **request}
        try:
            answer = self.client.call(rpc, request, actor=actor)
        except ClientError as refusal:
            return self._reason(refusal.reason or refusal.code)
        if not request.get("validate_only"):
            self.learn(answer)
            self.previous = (rpc, request, actor, answer)
        self.seen.rpcs[rpc] += 1
        self.seen.outcomes[str(request.get("outcome", ""))] += 1
        return ""

    def do_all(self, rpc: str, name: str, items: list[Json]) -> list[str]:
        """A batch; gives the reason of each item."""
        requests = []
        for item in items:
            self.sent += 1
            requests.append({"request_id": f"r{self.sent}", **item})
        answer = self.call(rpc, {name: requests})
        self.learn(answer)
        return [
            self._reason(result["error"]["reason"]) if "error" in result else ""
            for result in answer["results"]
        ]

    def must(self, rpc: str, request: Json, actor: str = "ann") -> Json:
        """A command that must be done; gives the first case of its answer."""
        reason = self.do(rpc, request, actor)
        assert not reason, f"{rpc} {request}: {reason}"
        assert self.previous is not None
        answer: Json = self.previous[3].get("exception", {})
        return answer

    def learn(self, answer: Json) -> None:
        """Keep what an answer shows."""
        shown = [answer.get("exception"), *answer.get("exceptions", [])]
        shown += [result.get("exception") for result in answer.get("results", [])]
        for case in shown:
            if case:
                self.cases[case["exception_id"]] = case
        self.position = answer.get("position", "") or self.position

    def _reason(self, reason: str) -> str:
        assert reason not in ("", "INTERNAL", "UNKNOWN"), reason
        self.seen.reasons[reason] += 1
        return reason

    # --- what is there ------------------------------------------------------------------------

    def case(self, number: int) -> Json:
        """One of the cases."""
        return list(self.cases.values())[number % len(self.cases)]

    def action(self, case: Json, number: int, *statuses: str) -> Json:
        """An action of a case, of one of the statuses if there is any; may be none of it."""
        actions: list[Json] = case.get("actions", [])
        wanted = [a for a in actions if a["status"].removeprefix("ACTION_STATUS_") in statuses]
        found = wanted or actions
        return found[number % len(found)] if found else {"action_id": "A9-none", "kind": ""}

    def event_ids(self, case: Json) -> list[str]:
        """Ids of the case's events, oldest first."""
        request = {"filter": f'aggregate_id = "{case["exception_id"]}"', "page_size": 1}
        return [event["event_id"] for event in self.call("ListEvents", request)["events"]]

    def refund_terms(self, case: Json) -> Json:
        """What a refund of the parcel must name."""
        return {
            "shipment_code": "S1",
            "logistics_line": "L1",
            "cause_event_ids": self.event_ids(case),
            "tax_document": "CN-1",
        }

    # --- beginnings ---------------------------------------------------------------------------

    def begin(self, *, recognised: bool = True, verified: bool = True) -> None:
        """An order of two lines, and two cases on its parcel."""
        reasons = self.do_all("RecordOrders", "orders", [order(recognised=recognised)])
        reasons += self.do_all(
            "BatchDetectExceptions", "requests", [detection("LOST"), detection("WRONG_ITEM")]
        )
        assert reasons == [""] * 3
        if verified:
            for number in range(2):
                self.verify(number)

    def verify(self, number: int) -> None:
        """Verify everything that a code may ask for."""
        exception_id = self.case(number)["exception_id"]
        for item in CHECKLISTS[self.case(number)["code"]]:
            self.must("RecordVerification", {"exception_id": exception_id, "item": item})


CHECKLISTS = {
    "LOST": ("order_facts", "last_event_and_path", "carrier_contact"),
    "WRONG_ITEM": (
        "order_facts",
        "last_event_and_path",
        "warehouse_pack_check",
        "customer_statement",
    ),
}


def order(order_id: str = ORDER, *, recognised: bool = True) -> Json:
    """Two lines, 124.30 gross together, captured; the first recognised or not."""
    first = {"line_id": "1", "sku": "A", "quantity": 1, "goods": cny(6000), "tax": cny(780)}
    second = {
        "line_id": "2",
        "sku": "B",
        "quantity": 2,
        "goods": cny(4000),
        "shipping": cny(1000),
        "tax": cny(650),
        "sale_recognised_at": SOLD,
    }
    if recognised:
        first["sale_recognised_at"] = SOLD
    return {
        "order_id": order_id,
        "source": "erp",
        "source_id": order_id,
        "currency": "CNY",
        "sale_lines": [first, second],
        "tenders": [
            {"provider": "alipay", "external_id": f"pay-{order_id}", "captured": cny(GROSS)}
        ],
        "logistics_lines": [
            {"line_id": "L1", "shipment_code": "S1", "carrier": "sf"},
            {"line_id": "L2", "shipment_code": "S2", "carrier": "sf"},
        ],
    }


def detection(code: str, **changes: Any) -> Json:
    """A report about the parcel S1."""
    return {
        "subject": {"order_id": ORDER, "shipment_code": "S1"},
        "code": code,
        "signal": {"kind": "person"},
        "none_yet_looked_at": LOOKED,
        **changes,
    }
