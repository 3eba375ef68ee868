"""The standard health service, with the listing that the library's class leaves out."""

from collections.abc import Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1._async import HealthServicer

_STATUS = health_pb2.HealthCheckResponse


class Health(HealthServicer):  # type: ignore[misc] # the library has no types here
    """Health of the whole server ("") and of each service named."""

    def __init__(self, services: Sequence[str]) -> None:
        super().__init__()
        self._names = ("", *services)

    async def List(
        self,
        request: health_pb2.HealthListRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> health_pb2.HealthListResponse:
        """The health of everything that can be asked for."""
        found = {}
        for name in self._names:
            found[name] = await self.Check(health_pb2.HealthCheckRequest(service=name), context)
        return health_pb2.HealthListResponse(statuses=found)

    async def say(self, service: str, *, fit: bool) -> None:
        """Set the health of a service."""
        await self.set(service, _STATUS.SERVING if fit else _STATUS.NOT_SERVING)
