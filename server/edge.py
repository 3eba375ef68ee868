"""The edge: what a request's bytes and a handler's faults become on the wire."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from inspect import isasyncgenfunction
from typing import Any, Final, NoReturn, TypeAlias, cast
from uuid import uuid4

import grpc
from google.protobuf.message import DecodeError
from google.rpc import code_pb2
from grpc_status import rpc_status

from esm.errors import DomainError, StorageUnavailable
from projections.engine import Unavailable
from server.errors import INTERNAL, MALFORMED, TOO_LARGE, fault, status_of

REQUEST_BYTES_MAX = 4 * 1024 * 1024
"""Largest request. gRPC itself takes somewhat more, so that the refusal can say its reason."""

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context = grpc.aio.ServicerContext[Any, Any]

_log = logging.getLogger(__name__)


def guarded(server: grpc.aio.Server) -> grpc.aio.Server:
    """Where servicers are added to a server, so that whatever a call raises becomes a status.

    Bytes that are no message are INVALID_ARGUMENT, refusals are what the table of
    :mod:`server.errors` says, and all else is INTERNAL without a word of the exception, which is
    logged under the id that the client gets. An interceptor could do the same, at the price of a
    task for each call.
    """
    return cast("grpc.aio.Server", _Guarded(server))


class _Guarded:
    """Wraps handlers once, on their way to the server."""

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        """Generated code adds every handler twice; the second way is the one that is taken."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        wrapped = {name: _wrap(handler) for name, handler in handlers.items()}
        # Its stubs do not know the method.
        cast("Any", self._server).add_registered_method_handlers(service, wrapped)


class _Unread:
    """Stands in for a request that was not decoded; says why."""

    def __init__(self, code: int, reason: str, text: str) -> None:
        self.code = code
        self.reason = reason
        self.text = text


_UNDECODABLE: Final = _Unread(
    code_pb2.INVALID_ARGUMENT, MALFORMED, "the bytes of the request are no message of its type"
)
_OVERSIZED: Final = _Unread(
    code_pb2.INVALID_ARGUMENT, TOO_LARGE, f"a request has at most {REQUEST_BYTES_MAX} bytes"
)


def _wrap(handler: Handler) -> Handler:
    attribute, make = _KINDS[handler.request_streaming, handler.response_streaming]
    behaviour = getattr(handler, attribute)
    around = _streaming if isasyncgenfunction(behaviour) else _answering
    decode = handler.request_deserializer
    return make(
        around(behaviour, handler.request_streaming),
        request_deserializer=None if decode is None else _decoder(decode),
        response_serializer=handler.response_serializer,
    )


def _decoder(decode: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def decode_or_mark(data: bytes) -> Any:
        if len(data) > REQUEST_BYTES_MAX:
            return _OVERSIZED
        try:
            return decode(data)
        except (DecodeError, UnicodeDecodeError):
            return _UNDECODABLE

    return decode_or_mark


def _answering(behaviour: Callable[..., Awaitable[Any]], streaming: bool) -> Callable[..., Any]:
    async def answer(request: Any, context: Context) -> Any:
        try:
            return await behaviour(_checked(request, streaming), context)
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            return await _abort(context, error)

    return answer


def _streaming(behaviour: Callable[..., AsyncIterator[Any]], streaming: bool) -> Callable[..., Any]:
    async def answer(request: Any, context: Context) -> AsyncIterator[Any]:
        try:
            async for response in behaviour(_checked(request, streaming), context):
                yield response
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            await _abort(context, error)

    return answer


_KINDS: Final[Mapping[tuple[bool, bool], tuple[str, Callable[..., Handler]]]] = {
    (False, False): ("unary_unary", grpc.unary_unary_rpc_method_handler),
    (False, True): ("unary_stream", grpc.unary_stream_rpc_method_handler),
    (True, False): ("stream_unary", grpc.stream_unary_rpc_method_handler),
    (True, True): ("stream_stream", grpc.stream_stream_rpc_method_handler),
}


class _Refused(Exception):
    """A message of the request was not decoded."""

    def __init__(self, unread: _Unread) -> None:
        super().__init__(unread.reason)
        self.unread = unread


def _checked(request: Any, streaming: bool) -> Any:
    if streaming:
        return _checked_stream(request)
    if isinstance(request, _Unread):
        raise _Refused(request)
    return request


async def _checked_stream(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _checked(request, streaming=False)


async def _abort(context: Context, error: Exception) -> NoReturn:
    if isinstance(error, Unavailable):
        _log.error("the read models cannot be read: %s", error)
        error = StorageUnavailable("the store cannot be read now; send the request again")
    if isinstance(error, DomainError):
        status = status_of(error)
    elif isinstance(error, _Refused):
        unread = error.unread
        status = fault(unread.code, unread.reason, unread.text, {})
    else:
        correlation_id = str(uuid4())
        _log.error("call failed, correlation id %s", correlation_id, exc_info=error)
        text = f"internal error; the server's log has it under {correlation_id}"
        status = fault(code_pb2.INTERNAL, INTERNAL, text, {"correlationId": correlation_id})
    made = rpc_status.to_status(status)
    await context.abort(made.code, made.details, made.trailing_metadata)
