"""ExceptionService: commands to cases, and one case."""

from __future__ import annotations

from typing import Any, cast

import grpc
from shipment_exception.v1 import exception_actions_pb2 as actions_pb
from shipment_exception.v1 import exception_closing_pb2 as closing_pb
from shipment_exception.v1 import exception_service_pb2 as pb
from shipment_exception.v1 import exception_service_pb2_grpc as rpc
from shipment_exception.v1 import exception_watch_pb2 as watch_pb

from esm.errors import ExceptionNotFound
from esm.exception.state import Case
from esm.watch.state import Watch
from server.consistency import LOG
from server.services.base import Changed, CommandServicer, M, exception_uuid, item_results
from server.services.calls import Context, caller_of
from server.services.context import Services
from server.wire.cases import case
from server.wire.kept import Kept
from server.wire.watch import watch


class ExceptionService(CommandServicer, rpc.ExceptionServiceServicer):
    """Cases: from a signal to closed books."""

    NAME = pb.DESCRIPTOR.services_by_name["ExceptionService"].full_name

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._kept = Kept()

    def add_to(self, server: grpc.aio.Server) -> None:
        rpc.add_ExceptionServiceServicer_to_server(self, server)

    async def DetectException(
        self, request: pb.DetectExceptionRequest, context: Context
    ) -> pb.DetectExceptionResponse:
        changed = await self.change(request, context)
        return self.with_case(pb.DetectExceptionResponse, changed)

    async def BatchDetectExceptions(
        self, request: pb.BatchDetectExceptionsRequest, context: Context
    ) -> pb.BatchDetectExceptionsResponse:
        results, position = await self.change_all("requests", request.requests, context)
        items = item_results(results, "exception", Changed.case)
        return pb.BatchDetectExceptionsResponse(results=items, position=position)

    async def EscalateException(
        self, request: pb.EscalateExceptionRequest, context: Context
    ) -> pb.EscalateExceptionResponse:
        changed = await self.change(request, context)
        return self.with_case(pb.EscalateExceptionResponse, changed)

    async def AssignException(
        self, request: pb.AssignExceptionRequest, context: Context
    ) -> pb.AssignExceptionResponse:
        changed = await self.change(request, context)
        return self.with_case(pb.AssignExceptionResponse, changed)

    async def ReclassifyException(
        self, request: pb.ReclassifyExceptionRequest, context: Context
    ) -> pb.ReclassifyExceptionResponse:
        changed = await self.change(request, context)
        return self.with_case(pb.ReclassifyExceptionResponse, changed)

    async def AddNote(self, request: pb.AddNoteRequest, context: Context) -> pb.AddNoteResponse:
        changed = await self.change(request, context)
        return self.with_case(pb.AddNoteResponse, changed)

    async def RecordContact(
        self, request: pb.RecordContactRequest, context: Context
    ) -> pb.RecordContactResponse:
        changed = await self.change(request, context)
        return self.with_case(pb.RecordContactResponse, changed)

    async def RecordVerification(
        self, request: pb.RecordVerificationRequest, context: Context
    ) -> pb.RecordVerificationResponse:
        changed = await self.change(request, context)
        return self.with_case(pb.RecordVerificationResponse, changed)

    async def StartWaiting(
        self, request: pb.StartWaitingRequest, context: Context
    ) -> pb.StartWaitingResponse:
        changed = await self.change(request, context)
        return self.with_case(pb.StartWaitingResponse, changed)

    async def StopWaiting(
        self, request: pb.StopWaitingRequest, context: Context
    ) -> pb.StopWaitingResponse:
        changed = await self.change(request, context)
        return self.with_case(pb.StopWaitingResponse, changed)

    async def ProposeAction(
        self, request: actions_pb.ProposeActionRequest, context: Context
    ) -> actions_pb.ProposeActionResponse:
        changed = await self.change(request, context)
        return self.with_case(actions_pb.ProposeActionResponse, changed)

    async def ApproveAction(
        self, request: actions_pb.ApproveActionRequest, context: Context
    ) -> actions_pb.ApproveActionResponse:
        changed = await self.change(request, context)
        return self.with_case(actions_pb.ApproveActionResponse, changed)

    async def SubmitAction(
        self, request: actions_pb.SubmitActionRequest, context: Context
    ) -> actions_pb.SubmitActionResponse:
        changed = await self.change(request, context)
        return self.with_case(actions_pb.SubmitActionResponse, changed)

    async def RecordActionOutcome(
        self, request: actions_pb.RecordActionOutcomeRequest, context: Context
    ) -> actions_pb.RecordActionOutcomeResponse:
        changed = await self.change(request, context)
        return self.with_case(actions_pb.RecordActionOutcomeResponse, changed)

    async def CancelAction(
        self, request: actions_pb.CancelActionRequest, context: Context
    ) -> actions_pb.CancelActionResponse:
        changed = await self.change(request, context)
        return self.with_case(actions_pb.CancelActionResponse, changed)

    async def WriteOffAction(
        self, request: actions_pb.WriteOffActionRequest, context: Context
    ) -> actions_pb.WriteOffActionResponse:
        changed = await self.change(request, context)
        return self.with_case(actions_pb.WriteOffActionResponse, changed)

    async def ReverseEntry(
        self, request: actions_pb.ReverseEntryRequest, context: Context
    ) -> actions_pb.ReverseEntryResponse:
        changed = await self.change(request, context)
        return self.with_case(actions_pb.ReverseEntryResponse, changed)

    async def RemediateException(
        self, request: closing_pb.RemediateExceptionRequest, context: Context
    ) -> closing_pb.RemediateExceptionResponse:
        changed = await self.change(request, context)
        return self.with_case(closing_pb.RemediateExceptionResponse, changed)

    async def CarryItem(
        self, request: closing_pb.CarryItemRequest, context: Context
    ) -> closing_pb.CarryItemResponse:
        changed = await self.change(request, context)
        return self.with_case(closing_pb.CarryItemResponse, changed)

    async def ReconcileException(
        self, request: closing_pb.ReconcileExceptionRequest, context: Context
    ) -> closing_pb.ReconcileExceptionResponse:
        changed = await self.change(request, context)
        return self.with_case(closing_pb.ReconcileExceptionResponse, changed)

    async def WithdrawException(
        self, request: closing_pb.WithdrawExceptionRequest, context: Context
    ) -> closing_pb.WithdrawExceptionResponse:
        changed = await self.change(request, context)
        return self.with_case(closing_pb.WithdrawExceptionResponse, changed)

    async def MergeExceptions(
        self, request: closing_pb.MergeExceptionsRequest, context: Context
    ) -> closing_pb.MergeExceptionsResponse:
        changed = await self.change(request, context)
        return self.with_case(closing_pb.MergeExceptionsResponse, changed)

    async def ReopenException(
        self, request: closing_pb.ReopenExceptionRequest, context: Context
    ) -> closing_pb.ReopenExceptionResponse:
        changed = await self.change(request, context)
        return self.with_case(closing_pb.ReopenExceptionResponse, changed)

    async def MuteRule(
        self, request: watch_pb.MuteRuleRequest, context: Context
    ) -> watch_pb.MuteRuleResponse:
        changed = await self.change(request, context)
        states = (state for _, _, state in changed.answer.targets)
        frame = self.frame(caller_of(context))
        shown: Any = [watch(state, frame) for state in states if isinstance(state, Watch)]
        return watch_pb.MuteRuleResponse(
            watch=shown[0], position=changed.position(), preview=changed.preview()
        )

    async def GetException(
        self, request: pb.GetExceptionRequest, context: Context
    ) -> pb.GetExceptionResponse:
        caller = caller_of(context)
        await self.caught_up(LOG, request.min_position, context)
        version, state = await self.services.history.state(
            caller.tenant, exception_uuid(request.exception_id)
        )
        if not isinstance(state, Case):
            raise ExceptionNotFound(request.exception_id)
        return pb.GetExceptionResponse(exception=case(version, state, self.frame(caller)))

    def with_case(self, response: type[M], changed: Changed) -> M:
        """An answer with the case: what most commands give."""
        filled: Any = response(position=changed.position(), preview=changed.preview())
        changed.fill_case(filled, self._kept)
        return cast(M, filled)
