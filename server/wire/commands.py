"""Which request of the API asks for which command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message
from shipment_exception.v1 import admin_service_pb2 as admin
from shipment_exception.v1 import exception_actions_pb2 as actions
from shipment_exception.v1 import exception_closing_pb2 as closing
from shipment_exception.v1 import exception_service_pb2 as cases
from shipment_exception.v1 import exception_watch_pb2 as watch
from shipment_exception.v1 import order_service_pb2 as orders

from esm import commands as c
from server.wire.requests import Header, Request

_PAIRS: tuple[tuple[type[Message], type[c.Command]], ...] = (
    (cases.DetectExceptionRequest, c.Detect),
    (cases.EscalateExceptionRequest, c.Escalate),
    (cases.AssignExceptionRequest, c.Assign),
    (cases.ReclassifyExceptionRequest, c.Reclassify),
    (cases.AddNoteRequest, c.AddNote),
    (cases.RecordContactRequest, c.RecordContact),
    (cases.RecordVerificationRequest, c.RecordVerification),
    (cases.StartWaitingRequest, c.StartWaiting),
    (cases.StopWaitingRequest, c.StopWaiting),
    (actions.ProposeActionRequest, c.ProposeAction),
    (actions.ApproveActionRequest, c.ApproveAction),
    (actions.SubmitActionRequest, c.SubmitAction),
    (actions.RecordActionOutcomeRequest, c.RecordActionOutcome),
    (actions.CancelActionRequest, c.CancelAction),
    (actions.WriteOffActionRequest, c.WriteOffAction),
    (actions.ReverseEntryRequest, c.ReverseEntry),
    (closing.RemediateExceptionRequest, c.Remediate),
    (closing.CarryItemRequest, c.CarryItem),
    (closing.ReconcileExceptionRequest, c.Reconcile),
    (closing.WithdrawExceptionRequest, c.Withdraw),
    (closing.MergeExceptionsRequest, c.Merge),
    (closing.ReopenExceptionRequest, c.Reopen),
    (watch.MuteRuleRequest, c.MuteRule),
    (orders.OrderInput, c.RecordOrder),
    (orders.RecordExternalMoneyRequest, c.RecordExternalMoney),
    (orders.CarrierChargeInput, c.RecordCarrierCharge),
    (orders.WriteBackRequest, c.WriteBack),
)

REQUESTS: Mapping[type[Message], Request[Any]] = {
    message: Request(message, command, header=True) for message, command in _PAIRS
}
"""The reader of every command request, items of batches included."""


ADVANCE_CLOCK = Request(admin.AdvanceClockRequest, c.AdvanceClock, header=True)
"""The one command that is not about a tenant's cases or orders: AdminService alone reads it."""


def read_command(message: Message) -> tuple[c.Command, Header]:
    """Command and header of a request. Raises :class:`esm.errors.InvalidCommand`."""
    return REQUESTS[type(message)].command(message)
