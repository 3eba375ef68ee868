"""The service as its users see it: verbs of the trade over gRPC, amounts written as "124.30"."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from shipment_exception.v1 import common_pb2, exception_pb2, ledger_pb2, order_pb2
from shipment_exception.v1 import exception_service_pb2 as cases_pb
from shipment_exception.v1 import history_service_pb2 as history_pb
from shipment_exception.v1 import ledger_service_pb2 as ledger_pb
from shipment_exception.v1 import order_service_pb2 as orders_pb

from esm.catalog import load
from tests.serving import Client

CURRENCY = "CNY"
LOOKED_AT = "2026-02-25T00:00:00Z"
RECOGNISED_AT = "2026-02-20T00:00:00Z"
PRICE = {"goods": "100", "shipping": "10", "tax": "14.30", "unit_cost": "60"}
CATALOGUE = load()
EXCEPTION_SERVICE = cases_pb.DESCRIPTOR.services_by_name["ExceptionService"]


def money(text: str, currency: str = CURRENCY) -> common_pb2.Money:
    """The amount that a text with at most two decimals says."""
    whole, _, cents = text.partition(".")
    return common_pb2.Money(currency=currency, minor_units=int(whole + cents.ljust(2, "0")))


def written(minor_units: int) -> str:
    """Minor units as people write them: 12430 is "124.30"."""
    sign = "-" if minor_units < 0 else ""
    return f"{sign}{abs(minor_units) // 100}.{abs(minor_units) % 100:02}"


def moment(text: str) -> Timestamp:
    """The timestamp of an RFC 3339 text."""
    found = Timestamp()
    found.FromJsonString(text)
    return found


def shown(entry: ledger_pb2.JournalEntry) -> str:
    """An entry as the ledger page writes it: rows, then accounts debited / accounts credited."""
    sides: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for line in entry.lines:
        side, amount = (0, line.debit) if line.HasField("debit") else (1, line.credit)
        sides[side][line.account] = sides[side].get(line.account, 0) + amount.minor_units
    rows = "+".join(dict.fromkeys(line.row for line in entry.lines))
    debits, credits = (
        ", ".join(f"{account} {written(amount)}" for account, amount in side.items())
        for side in sides
    )
    return f"{rows}: {debits} / {credits}"


class World:
    """One tenant of a running server. Every verb is one call, or a few that belong together.

    ``position`` is behind the last write, and every read waits for it.
    """

    def __init__(self, client: Client, tenant: str) -> None:
        self.client = client
        self.tenant = tenant
        self.position = ""

    def send(self, rpc: Any, request: Any, *, actor: str = "ann") -> Any:
        """One call. A command without a request id gets one of its own."""
        if "request_id" in request.DESCRIPTOR.fields_by_name and not request.request_id:
            request.request_id = str(uuid4())
        answer = rpc(request, metadata=(("esm-actor", actor),), timeout=30)
        self.position = getattr(answer, "position", "") or self.position
        return answer

    # --- orders -------------------------------------------------------------------------------

    def order_input(
        self,
        order: str = "O1",
        *,
        recognised: bool = True,
        lines: Mapping[str, Mapping[str, str]] | None = None,
        captured: str = "124.30",
        parcels: Mapping[str, str] | None = None,
    ) -> orders_pb.OrderInput:
        """The sale of the cases: 100 goods, 10 shipping, 14.30 tax, cost 60, two parcels."""
        sold = []
        for line_id, price in (lines or {"1": PRICE}).items():
            sale = order_pb2.SaleLineInput(line_id=line_id, sku=f"SKU-{line_id}", quantity=1)
            for name, amount in price.items():
                getattr(sale, name).CopyFrom(money(amount))
            if recognised:
                sale.sale_recognised_at.CopyFrom(moment(RECOGNISED_AT))
            sold.append(sale)
        boxes = {"L1": "S1", "L2": "S2"} if parcels is None else parcels
        return orders_pb.OrderInput(
            order_id=order,
            source="shop",
            source_id=f"{order}/{uuid4()}",
            request_id=str(uuid4()),
            currency=CURRENCY,
            buyer=f"buyer-of-{order}",
            sale_lines=sold,
            tenders=[
                order_pb2.TenderInput(
                    provider="alipay", external_id=f"pay-{order}", captured=money(captured)
                )
            ],
            logistics_lines=[
                order_pb2.LogisticsLineInput(line_id=k, shipment_code=v, carrier="sf")
                for k, v in boxes.items()
            ],
        )

    def record_order(self, order: str = "O1", **terms: Any) -> order_pb2.Order:
        """An order comes in from the shop."""
        request = orders_pb.RecordOrdersRequest(orders=[self.order_input(order, **terms)])
        (result,) = self.send(self.client.orders.RecordOrders, request).results
        assert result.WhichOneof("result") == "order", result.error
        order_: order_pb2.Order = result.order
        return order_

    def order(self, order: str = "O1") -> order_pb2.Order:
        """The money side of an order as it is now."""
        request = orders_pb.GetOrderRequest(order_id=order, min_position=self.position)
        found: order_pb2.Order = self.send(self.client.orders.GetOrder, request).order
        return found

    # --- cases --------------------------------------------------------------------------------

    def detection(
        self, code: str, *, order: str = "O1", parcel: str = "S1", **more: Any
    ) -> cases_pb.DetectExceptionRequest:
        """A person's report, before it is sent."""
        request = cases_pb.DetectExceptionRequest(code=code, **more)
        request.subject.order_id = order
        request.subject.shipment_code = parcel
        if not request.HasField("signal"):
            request.signal.kind = "person"
        if parcel and not request.HasField("last_checkpoint"):
            request.none_yet_looked_at.CopyFrom(moment(LOOKED_AT))
        return request

    def detect(self, code: str, *, actor: str = "ann", **more: Any) -> str:
        """Somebody reports trouble; gives the id of its case."""
        request = self.detection(code, **more)
        answer = self.send(self.client.exceptions.DetectException, request, actor=actor)
        return str(answer.exception.exception_id)

    def do(self, verb: str, case: str, *, actor: str = "ann", **fields: Any) -> Any:
        """One command on a case by the name of its RPC; gives the case as it is then."""
        request = self.request(verb, case, **fields)
        return self.send(getattr(self.client.exceptions, verb), request, actor=actor).exception

    def request(self, verb: str, case: str, **fields: Any) -> Any:
        """What ``do`` sends."""
        method = EXCEPTION_SERVICE.methods_by_name[verb]
        return GetMessageClass(method.input_type)(exception_id=case, **fields)

    def case(self, case: str) -> exception_pb2.ShipmentException:
        """A case as it is now."""
        request = cases_pb.GetExceptionRequest(exception_id=case)
        answer = self.send(self.client.exceptions.GetException, request)
        found: exception_pb2.ShipmentException = answer.exception
        return found

    def verify(self, case: str, *items: str) -> None:
        """Tick the items, or everything that the code asks for."""
        for item in items or CATALOGUE.type_of(self.case(case).code).checklist:
            self.do("RecordVerification", case, item=item)

    def reclassify(self, case: str, code: str) -> None:
        """More is known, so the code changes; what it asks for is verified."""
        self.do("ReclassifyException", case, code=code, reason="we know more", evidence=["call-1"])
        self.verify(case)

    # --- actions ------------------------------------------------------------------------------

    def propose(self, case: str, kind: str, **terms: Any) -> str:
        """Suggest a remedy; gives the id of the action."""
        return str(self.do("ProposeAction", case, kind=kind, **terms).actions[-1].action_id)

    def act(self, case: str, kind: str, **terms: Any) -> str:
        """Propose, approve (a second person) and submit a remedy."""
        action = self.propose(case, kind, **terms)
        self.do("ApproveAction", case, action_id=action, actor="bob")
        self.do("SubmitAction", case, action_id=action)
        return action

    def outcome(self, case: str, action: str, outcome: str, **fields: Any) -> Any:
        """What became of an action, by the name of the outcome."""
        value = exception_pb2.ActionOutcome.Value(f"ACTION_OUTCOME_{outcome.upper()}")
        return self.do("RecordActionOutcome", case, action_id=action, outcome=value, **fields)

    def refund_terms(self, case: str, lines: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What a refund names: sale lines (all when none), cause, parcel and billing line."""
        wanted = [
            exception_pb2.RefundLine(sale_line=line, amount=money(amount))
            for line, amount in (lines or {}).items()
        ]
        return {
            "lines": wanted,
            "cause_event_ids": [self.events(case)[0].event_id],
            "shipment_code": "S1",
            "logistics_line": "L1",
            "tax_document": "CN-1",
        }

    def approve_refund(self, case: str, kind: str = "full_refund", **lines: str) -> str:
        """Decide to refund, without handing it in yet."""
        action = self.propose(case, kind, **self.refund_terms(case, lines))
        self.do("ApproveAction", case, action_id=action, actor="bob")
        return action

    def pay(self, case: str, action: str, account: str = "1020") -> None:
        """The provider confirms that a refund was paid."""
        self.outcome(case, action, "succeeded", account=account, external_id=f"paid-{action}")

    def refund(
        self, case: str, kind: str = "full_refund", *, account: str = "1020", **lines: str
    ) -> str:
        """Decide a refund, hand it in and have it paid; lines as ``line_1="30"``."""
        named = {name.removeprefix("line_"): amount for name, amount in lines.items()}
        action = self.approve_refund(case, kind, **named)
        self.do("SubmitAction", case, action_id=action)
        self.pay(case, action, account)
        return action

    # --- money of others ----------------------------------------------------------------------

    def outside(self, kind: str, amount: str, external_id: str, **fields: Any) -> Any:
        """Somebody else moved money; gives the whole answer."""
        fields = {"account": "1020", "provider": "visa", "order_id": "O1", **fields}
        if "fee" in fields:
            fields["fee"] = money(fields["fee"])
        request = orders_pb.RecordExternalMoneyRequest(
            kind=kind, amount=money(amount), external_id=external_id, **fields
        )
        return self.send(self.client.orders.RecordExternalMoney, request)

    def charge(self, case: str, line: str, kind: str, step: str, net: str, tax: str = "0") -> None:
        """The carrier charges us for a case: "accrued" when known, "invoiced" with the invoice."""
        charge = orders_pb.CarrierChargeInput(
            exception_id=case,
            logistics_line=line,
            kind=kind,
            step=step,
            net=money(net),
            tax=money(tax),
            carrier="sf",
            invoice="INV-1" if step == "invoiced" else "",
            request_id=str(uuid4()),
        )
        request = orders_pb.RecordCarrierChargesRequest(charges=[charge])
        (result,) = self.send(self.client.orders.RecordCarrierCharges, request).results
        assert result.WhichOneof("result") == "exception", result.error

    # --- the end ------------------------------------------------------------------------------

    def remediate(self, case: str, resolution: str) -> None:
        """The customer's side is finished and told."""
        self.do("RemediateException", case, resolution=resolution, summary="told the customer")

    def write_back(self, case: str) -> None:
        """The outcome goes onto every billing line that has money of the case, if it has any."""
        stale = [i.item for i in self.case(case).open_items if i.kind == "write_back"]
        for item in stale:
            self.write_back_to(case, logistics_line=item.removeprefix("write_back:"))

    def write_back_to(self, case: str, **where: Any) -> Any:
        """The outcome goes onto one billing line, or ``none=True``."""
        request = orders_pb.WriteBackRequest(exception_id=case, **where)
        return self.send(self.client.orders.WriteBack, request)

    def reconcile(self, case: str) -> None:
        """Write back and close the books of the case."""
        self.write_back(case)
        self.do("ReconcileException", case)

    # --- what the books and the log say ---------------------------------------------------------

    def entries(self, filter_: str = "") -> list[ledger_pb2.JournalEntry]:
        """Journal entries of the tenant, oldest first."""
        request = ledger_pb.ListEntriesRequest(
            page_size=500, filter=filter_, min_position=self.position
        )
        return list(self.send(self.client.ledger.ListEntries, request).entries)

    def book(self, filter_: str = "") -> list[str]:
        """The same, each in a line."""
        return [shown(entry) for entry in self.entries(filter_)]

    def trial_balance(self) -> dict[str, str]:
        """Balance of every account that is not at zero, debit positive; memoranda too."""
        request = ledger_pb.GetTrialBalanceRequest(min_position=self.position)
        answer = self.send(self.client.ledger.GetTrialBalance, request)
        for total in answer.totals:
            assert total.debit == total.credit
        rows = [*answer.accounts, *answer.memoranda]
        return {
            row.account: written(row.balance.minor_units) for row in rows if row.balance.minor_units
        }

    def statement(self, order: str = "O1") -> Any:
        """Everything in the books about an order."""
        request = ledger_pb.GetOrderStatementRequest(
            order_id=order, page_size=500, min_position=self.position
        )
        return self.send(self.client.ledger.GetOrderStatement, request)

    def net_cost(self, order: str = "O1") -> dict[str, str]:
        """Net cost of every case of an order."""
        costs = self.statement(order).costs
        return {cost.exception_id: written(cost.net_cost.minor_units) for cost in costs}

    def balances(self, case: str) -> dict[str, str]:
        """What stands on the control accounts of a case; those at zero are absent."""
        found: dict[str, int] = {}
        for balance in self.case(case).balances:
            if not CATALOGUE.accounts[balance.account].control:
                continue
            amount = found.get(balance.account, 0) + balance.amount.minor_units
            found[balance.account] = amount
        return {account: written(amount) for account, amount in found.items() if amount}

    def events(self, case: str = "", **more: str) -> Sequence[Any]:
        """Events of the tenant, or of one case, in the order of the log."""
        wanted = {"aggregate_id": case, **more} if case else more
        return self.history(" AND ".join(f'{k} = "{v}"' for k, v in wanted.items()))

    def history(self, filter_: str = "") -> Sequence[Any]:
        """Every event that a filter finds, over all pages."""
        found, token = [], ""
        while True:
            request = history_pb.ListEventsRequest(page_size=500, page_token=token, filter=filter_)
            answer = self.send(self.client.history.ListEvents, request)
            found += answer.events
            token = answer.next_page_token
            if not token:
                return found
