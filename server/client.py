"""A thin client over the generated stubs: any RPC by its name, proto JSON in and out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from shipment_exception.v1 import (
    admin_service_pb2,
    exception_service_pb2,
    history_service_pb2,
    ledger_service_pb2,
    order_service_pb2,
    ticket_service_pb2,
    tracking_service_pb2,
)

from server.malformed import faults_of

Json = dict[str, Any]
"""A message in the API's JSON form with the field names of the proto."""

MESSAGE_BYTES_MAX: Final = 16 * 1024 * 1024
MALFORMED: Final = "MALFORMED_REQUEST"
"""Reason of a request that is no message of the API."""

UNREADABLE: Final = "UNREADABLE_ANSWER"
"""Reason of an answer that JSON cannot hold, such as a time behind the year 9999."""

UNARY_SECONDS: Final = 30.0
"""Deadline of a call when the caller names none; streams have none."""

OPTIONS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
)

_FILES: Final = (
    admin_service_pb2,
    exception_service_pb2,
    history_service_pb2,
    ledger_service_pb2,
    order_service_pb2,
    ticket_service_pb2,
    tracking_service_pb2,
)


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC. ``path`` is what goes over the wire."""

    path: str
    request: type[Message]
    response: type[Message]
    streams: bool


class ClientError(Exception):
    """A call that did not succeed, with what the server said about it.

    ``code`` is the name of the gRPC status; ``reason`` is the server's stable reason, "" when the
    call did not get so far; ``violations`` are pairs of a field, or open item, and a text.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        reason: str = "",
        violations: Sequence[tuple[str, str]] = (),
        metadata: Mapping[str, str] | None = None,
        retry_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.violations = tuple(violations)
        self.metadata = dict(metadata or {})
        self.retry_seconds = retry_seconds


class UnknownMethod(LookupError):
    """No service of the API has an RPC of this name."""


def _methods() -> dict[str, Method]:
    found: dict[str, Method] = {}
    for file in _FILES:
        service: ServiceDescriptor
        for service in file.DESCRIPTOR.services_by_name.values():
            rpc: MethodDescriptor
            for rpc in service.methods:
                found[rpc.name] = Method(
                    path=f"/{service.full_name}/{rpc.name}",
                    request=message_factory.GetMessageClass(rpc.input_type),
                    response=message_factory.GetMessageClass(rpc.output_type),
                    streams=rpc.server_streaming,
                )
    return found


METHODS: Final[Mapping[str, Method]] = _methods()
"""Every RPC of the API by its name; names are unique over the services."""


def method(rpc: str) -> Method:
    """The RPC of a name. Raises :class:`UnknownMethod`."""
    if rpc not in METHODS:
        raise UnknownMethod(f"the API has no {rpc}")
    return METHODS[rpc]


def to_json(message: Message, *, defaults: bool = False) -> Json:
    """A message in JSON form; unset fields are left out unless ``defaults``.

    Raises :class:`ClientError` for one that JSON cannot hold.
    """
    try:
        return json_format.MessageToDict(
            message,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=defaults,
        )
    except json_format.SerializeToJsonError as error:
        said = f"the answer of the server has no JSON form: {error}"
        raise ClientError("INTERNAL", said, reason=UNREADABLE) from None


def to_message(rpc: str, request: Mapping[str, Any]) -> Message:
    """The request of an RPC. Raises :class:`ClientError` for what the API does not know.

    It names every field that is wrong, and says what is allowed there.
    """
    kind = method(rpc).request
    try:
        return json_format.ParseDict(dict(request), kind())
    except json_format.ParseError as error:
        faults = list(faults_of(request, kind)) or [("", str(error))]
        said = f"{rpc}: {' '.join(filter(None, faults[0]))}"
        raise ClientError("INVALID_ARGUMENT", said, reason=MALFORMED, violations=faults) from None


def connect(address: str, *, tenant: str = "", actor: str = "") -> Client:
    """A blocking client that sends tenant and actor with every call. Close it, or use ``with``."""
    return Client(grpc.insecure_channel(address, options=OPTIONS), _metadata(tenant, actor))


def connect_aio(address: str, *, tenant: str = "", actor: str = "") -> AioClient:
    """The same for asyncio; to be made inside the loop that uses it."""
    return AioClient(grpc.aio.insecure_channel(address, options=OPTIONS), _metadata(tenant, actor))


@dataclass(frozen=True, slots=True)
class Client:
    """Blocking calls. ``channel`` is open until :meth:`close`."""

    channel: grpc.Channel
    metadata: tuple[tuple[str, str], ...] = ()
    _calls: dict[str, Any] = field(default_factory=dict)

    def call(
        self,
        rpc: str,
        request: Mapping[str, Any] | None = None,
        *,
        actor: str = "",
        seconds: float = UNARY_SECONDS,
        wait: bool = False,
        defaults: bool = False,
    ) -> Json:
        """The answer of a unary RPC.

        ``actor`` replaces the connection's for this call; ``wait`` waits for the server to come up
        instead of failing at once. Raises :class:`ClientError`.
        """
        message = to_message(rpc, request or {})
        try:
            answer = self._callable(rpc)(
                message,
                timeout=seconds,
                metadata=_with_actor(self.metadata, actor),
                wait_for_ready=wait,
            )
        except grpc.RpcError as error:
            raise _refusal(error) from None
        return to_json(answer, defaults=defaults)

    def stream(
        self, rpc: str, request: Mapping[str, Any] | None = None, *, seconds: float | None = None
    ) -> Iterator[Json]:
        """The answers of a streaming RPC as they come, for ``seconds`` at most.

        Raises :class:`ClientError`, with the code DEADLINE_EXCEEDED when the time is over.
        """
        message = to_message(rpc, request or {})
        answers = self._callable(rpc)(message, metadata=self.metadata, timeout=seconds)
        try:
            for answer in answers:
                yield to_json(answer)
        except grpc.RpcError as error:
            raise _refusal(error) from None
        finally:
            answers.cancel()

    def pages(self, rpc: str, request: Mapping[str, Any], field: str) -> Iterator[Json]:
        """Every item of a listing, page after page; ``field`` is the repeated one."""
        token = ""
        while True:
            answer = self.call(rpc, {**request, "page_token": token})
            yield from answer.get(field, [])
            token = answer.get("next_page_token", "")
            if not token:
                return

    def close(self) -> None:
        """Closes the channel."""
        self.channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _callable(self, rpc: str) -> Any:
        if rpc not in self._calls:
            self._calls[rpc] = _callable(self.channel, method(rpc))
        return self._calls[rpc]


@dataclass(frozen=True, slots=True)
class AioClient:
    """The same calls for asyncio."""

    channel: grpc.aio.Channel
    metadata: tuple[tuple[str, str], ...] = ()
    _calls: dict[str, Any] = field(default_factory=dict)

    async def call(
        self,
        rpc: str,
        request: Mapping[str, Any] | None = None,
        *,
        actor: str = "",
        seconds: float = UNARY_SECONDS,
        wait: bool = False,
        defaults: bool = False,
    ) -> Json:
        """The answer of a unary RPC; see :meth:`Client.call`. Raises :class:`ClientError`."""
        message = to_message(rpc, request or {})
        try:
            answer = await self._callable(rpc)(
                message,
                timeout=seconds,
                metadata=_with_actor(self.metadata, actor),
                wait_for_ready=wait,
            )
        except grpc.RpcError as error:
            raise _refusal(error) from None
        return to_json(answer, defaults=defaults)

    async def stream(
        self, rpc: str, request: Mapping[str, Any] | None = None, *, seconds: float | None = None
    ) -> AsyncIterator[Json]:
        """The same as :meth:`Client.stream`."""
        message = to_message(rpc, request or {})
        answers = self._callable(rpc)(message, metadata=self.metadata, timeout=seconds)
        try:
            async for answer in answers:
                yield to_json(answer)
        except grpc.RpcError as error:
            raise _refusal(error) from None
        finally:
            answers.cancel()

    async def pages(self, rpc: str, request: Mapping[str, Any], field: str) -> AsyncIterator[Json]:
        """Every item of a listing, page after page; ``field`` is the repeated one."""
        token = ""
        while True:
            answer = await self.call(rpc, {**request, "page_token": token})
            for item in answer.get(field, []):
                yield item
            token = answer.get("next_page_token", "")
            if not token:
                return

    async def close(self) -> None:
        """Closes the channel."""
        await self.channel.close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _callable(self, rpc: str) -> Any:
        if rpc not in self._calls:
            self._calls[rpc] = _callable(self.channel, method(rpc))
        return self._calls[rpc]


def _callable(channel: Any, rpc: Method) -> Any:
    make = channel.unary_stream if rpc.streams else channel.unary_unary
    return make(
        rpc.path,
        request_serializer=rpc.request.SerializeToString,
        response_deserializer=rpc.response.FromString,
    )


def _metadata(tenant: str, actor: str) -> tuple[tuple[str, str], ...]:
    return tuple((k, v) for k, v in (("esm-tenant", tenant), ("esm-actor", actor)) if v)


def _with_actor(metadata: tuple[tuple[str, str], ...], actor: str) -> tuple[tuple[str, str], ...]:
    if not actor:
        return metadata
    return (*(pair for pair in metadata if pair[0] != "esm-actor"), ("esm-actor", actor))


def _refusal(error: grpc.RpcError) -> ClientError:
    """What an RpcError says, with the details that the server packed into it."""
    code, message = error.code(), error.details() or ""
    reason, violations, told, retry = "", [], {}, None
    try:
        status = rpc_status.from_call(error)  # type: ignore[arg-type] # a Call too
    except ValueError:  # the trailer is not of this call: what grpc itself says is all there is
        status = None
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        bad = error_details_pb2.BadRequest()
        failure = error_details_pb2.PreconditionFailure()
        again = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason, told = info.reason, dict(info.metadata)
        elif detail.Unpack(bad):
            violations += [(v.field, v.description) for v in bad.field_violations]
        elif detail.Unpack(failure):
            violations += [(v.subject, v.description) for v in failure.violations]
        elif detail.Unpack(again):
            retry = again.retry_delay.ToMilliseconds() / 1_000
    return ClientError(
        code.name,
        message,
        reason=reason,
        violations=violations,
        metadata=told,
        retry_seconds=retry,
    )
