"""The load of design §9 as requests: orders, cases on them, and the mix of commands."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from google.protobuf.timestamp_pb2 import Timestamp
from shipment_exception.v1 import common_pb2, exception_pb2, order_pb2
from shipment_exception.v1 import exception_actions_pb2 as actions
from shipment_exception.v1 import exception_service_pb2 as calls
from shipment_exception.v1 import order_service_pb2 as orders

from esm.ids import event_id

CASES: Final = 5_000
ORDERS: Final = 500
CALLERS: Final = 64
BATCH: Final = 100
ORDERS_A_CALL: Final = 50

LEVELS: Final = (
    exception_pb2.RESPONSE_LEVEL_UNSPECIFIED,
    exception_pb2.RESPONSE_LEVEL_1,
    exception_pb2.RESPONSE_LEVEL_2,
)
CODE: Final = "DELIVERY_FAILED"
CHECKLIST: Final = ("order_facts", "last_event_and_path")
FEED: Final = "bench"
CURRENCY: Final = "USD"
CAPTURED_MINOR: Final = 2_000_000_000
CONCESSION_MINOR: Final = 150
HAPPENED: Final = Timestamp(seconds=1_780_000_000)

ESCALATE, NOTE, ASSIGN, MONEY = "escalate", "note", "assign", "money"
PATTERN: Final = (ESCALATE, NOTE, ESCALATE, ASSIGN, NOTE, ESCALATE, MONEY, NOTE, ESCALATE, ASSIGN)
"""Ten commands: 40 % escalate, 30 % note, 20 % assign, 10 % an action with money."""

NOTE_TEXT: Final = "Customer rang and asks for delivery after 18:00; the carrier was told so."
REASON: Final = "Promised for today, second attempt failed."


@dataclass(slots=True)
class Target:
    """A case of the load as its caller knows it. One caller works on a case."""

    number: int
    exception_id: str
    level: int = 1
    assigned: int = 0
    first_event: str = field(init=False)

    def __post_init__(self) -> None:
        self.first_event = event_id(UUID(self.exception_id), 1)


def order_name(number: int) -> str:
    """Id of the order that a case is on."""
    return f"BENCH-{number % ORDERS:05}"


def parcel_name(number: int, prefix: str = "P") -> str:
    """Our id of the parcel that a case is about."""
    return f"{prefix}-{number:07}"


def invented(count: int) -> list[Target]:
    """Targets for a server that knows no cases and answers all the same."""
    space = UUID(int=0)
    return [Target(n, str(uuid5(space, str(n)))) for n in range(count)]


def order_requests(cases: int) -> Iterator[orders.RecordOrdersRequest]:
    """Orders that hold a billing line for every case and never run out of money."""
    inputs = [_order(number, cases) for number in range(min(ORDERS, cases))]
    for start in range(0, len(inputs), ORDERS_A_CALL):
        yield orders.RecordOrdersRequest(orders=inputs[start : start + ORDERS_A_CALL])


def detect_requests(
    first: int, count: int, prefix: str = "P"
) -> Iterator[calls.BatchDetectExceptionsRequest]:
    """Signals about parcels number ``first`` and up, 100 a call."""
    for start in range(first, first + count, BATCH):
        numbers = range(start, min(start + BATCH, first + count))
        yield calls.BatchDetectExceptionsRequest(requests=[_detect(n, prefix) for n in numbers])


def verify_requests(target: Target) -> Iterator[calls.RecordVerificationRequest]:
    """Everything that must be known before a level is raised or money is promised."""
    for item in CHECKLIST:
        yield calls.RecordVerificationRequest(
            exception_id=target.exception_id,
            item=item,
            result="confirmed",
            request_id=f"verify-{item}-{target.exception_id}",
        )


class Caller:
    """One of the 64: goes through the pattern, each time on one of its own cases."""

    def __init__(self, number: int, targets: list[Target]) -> None:
        self._targets = targets
        self._step = number
        self._random = random.Random(number)
        self._name = f"{uuid4().hex}-{number}-"
        self._proposed: tuple[Target, str] | None = None
        self.metadata = (("esm-actor", f"bench-{number}"),)

    def next(self) -> tuple[str, Target, Any]:
        """The method to call, the case that it is about, and the request."""
        self._step += 1
        target = self._random.choice(self._targets)
        kind = PATTERN[self._step % len(PATTERN)]
        if kind == MONEY and self._proposed is not None:
            target = self._proposed[0]
        method, request = getattr(self, f"_{kind}")(target, f"{self._name}{self._step}")
        return method, target, request

    def done(self, method: str, target: Target, response: Any) -> None:
        """Takes note of what an answer changed."""
        if method == "ProposeAction":
            self._proposed = (target, response.exception.actions[-1].action_id)
        elif method == "ApproveAction":
            self._proposed = None

    def _escalate(self, target: Target, request_id: str) -> tuple[str, Any]:
        target.level = 2 if target.level == 1 else 1
        return "EscalateException", calls.EscalateExceptionRequest(
            exception_id=target.exception_id,
            level=LEVELS[target.level],
            reason=REASON,
            request_id=request_id,
        )

    def _note(self, target: Target, request_id: str) -> tuple[str, Any]:
        return "AddNote", calls.AddNoteRequest(
            exception_id=target.exception_id, text=NOTE_TEXT, request_id=request_id
        )

    def _assign(self, target: Target, request_id: str) -> tuple[str, Any]:
        target.assigned += 1
        return "AssignException", calls.AssignExceptionRequest(
            exception_id=target.exception_id,
            owner=f"agent-{target.assigned % 7}",
            request_id=request_id,
        )

    def _money(self, target: Target, request_id: str) -> tuple[str, Any]:
        if self._proposed is not None:
            return "ApproveAction", actions.ApproveActionRequest(
                exception_id=target.exception_id,
                action_id=self._proposed[1],
                request_id=request_id,
            )
        line = exception_pb2.RefundLine(sale_line="L1", amount=money(CONCESSION_MINOR))
        return "ProposeAction", actions.ProposeActionRequest(
            exception_id=target.exception_id,
            kind="partial_refund",
            lines=[line],
            shipment_code=parcel_name(target.number),
            logistics_line=f"F-{target.number}",
            cause_event_ids=[target.first_event],
            tax_document="BENCH-1",
            request_id=request_id,
        )


def money(minor_units: int) -> common_pb2.Money:
    """An amount in the currency of every order here."""
    return common_pb2.Money(currency=CURRENCY, minor_units=minor_units)


def _order(number: int, cases: int) -> orders.OrderInput:
    name = order_name(number)
    sale = order_pb2.SaleLineInput(
        line_id="L1",
        sku="SKU-1",
        quantity=1,
        goods=money(CAPTURED_MINOR - CAPTURED_MINOR // 10),
        tax=money(CAPTURED_MINOR // 10),
        tax_treatment="own",
        unit_cost=money(CAPTURED_MINOR // 3),
        sale_recognised_at=HAPPENED,
        cost_expensed_at=HAPPENED,
    )
    tender = order_pb2.TenderInput(
        provider="stripe", external_id=f"pay-{name}", kind="card", captured=money(CAPTURED_MINOR)
    )
    lines = [
        order_pb2.LogisticsLineInput(
            line_id=f"F-{case}",
            shipment_code=parcel_name(case),
            carrier="acme",
            carrier_number=f"AC{case:09}",
            freight=money(700),
        )
        for case in range(number, cases, ORDERS)
    ]
    return orders.OrderInput(
        order_id=name,
        source=FEED,
        source_id=name,
        currency=CURRENCY,
        legal_entity="default",
        buyer=f"buyer-{name}",
        sale_lines=[sale],
        tenders=[tender],
        logistics_lines=lines,
        request_id=f"order-{name}",
    )


def _detect(number: int, prefix: str) -> calls.DetectExceptionRequest:
    parcel = parcel_name(number, prefix)
    return calls.DetectExceptionRequest(
        subject=exception_pb2.Subject(order_id=order_name(number), shipment_code=parcel),
        code=CODE,
        signal=exception_pb2.Signal(
            kind="carrier", feed=FEED, source_id=f"signal-{parcel}", occurred_at=HAPPENED
        ),
        last_checkpoint=exception_pb2.CheckpointInput(
            occurred_at=HAPPENED, place="Shenzhen hub", status="in_transit", raw_code="DF01"
        ),
        request_id=f"detect-{parcel}",
    )
