"""AdminService: what operators of the server need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import grpc
from shipment_exception.v1 import admin_service_pb2 as pb
from shipment_exception.v1 import admin_service_pb2_grpc as rpc

from server.services.base import Servicer
from server.services.calls import Context, caller_of, told
from server.services.context import Advanced, Progress, Status
from server.wire.answers import Answer
from server.wire.commands import ADVANCE_CLOCK
from server.wire.events import preview

_STATUS: Final = Answer(pb.GetStatusResponse, Status)
_ADVANCED: Final = Answer(pb.AdvanceClockResponse, Advanced, elsewhere=("preview",))
_PROGRESS: Final = Answer(pb.RebuildProjectionResponse, Progress)


class AdminService(Servicer, rpc.AdminServiceServicer):
    """The server itself."""

    NAME = pb.DESCRIPTOR.services_by_name["AdminService"].full_name

    def add_to(self, server: grpc.aio.Server) -> None:
        rpc.add_AdminServiceServicer_to_server(self, server)

    async def RebuildProjection(
        self, request: pb.RebuildProjectionRequest, context: Context
    ) -> AsyncIterator[pb.RebuildProjectionResponse]:
        frame = self.frame(caller_of(context))
        async for progress in self.services.admin.rebuild(request.projection):
            yield pb.RebuildProjectionResponse(**_PROGRESS.write(progress, frame))

    async def AdvanceClock(
        self, request: pb.AdvanceClockRequest, context: Context
    ) -> pb.AdvanceClockResponse:
        caller = caller_of(context)
        command, header = ADVANCE_CLOCK.command(request)
        call = caller.call(header)
        advanced = await self.services.admin.advance_clock(command, call)
        frame = self.frame(caller)
        wire = _ADVANCED.write(advanced, frame)
        if call.validate_only:
            wire["preview"] = preview(advanced.events, told(call), frame)
        return pb.AdvanceClockResponse(**wire)

    async def GetStatus(
        self, request: pb.GetStatusRequest, context: Context
    ) -> pb.GetStatusResponse:
        caller = caller_of(context)
        status = await self.services.admin.status(caller.tenant)
        return pb.GetStatusResponse(**_STATUS.write(status, self.frame(caller)))
