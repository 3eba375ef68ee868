"""The one table from refusals to gRPC statuses, and the interceptor that applies it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from inspect import isasyncgenfunction
from typing import Any, Final, NoReturn, TypeAlias
from uuid import uuid4

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from esm import errors as e

DOMAIN: Final = "shipment-exceptions"

MESSAGE_CHARS_MAX = 600
METADATA_CHARS_MAX = 300
MOVES_CHARS_MAX = 500
"""The moves that a refusal names are our own words and are never cut."""
VIOLATIONS_MAX = 50
STATUS_BYTES_MAX = 4_000
"""Most bytes of a status with details: clients refuse trailers of more than 8 KiB."""

REQUEST_BYTES_MAX = 4 * 1024 * 1024
"""Largest request. gRPC itself takes somewhat more, so that the refusal can say its reason."""

MALFORMED = "MALFORMED_REQUEST"
TOO_LARGE = "MESSAGE_TOO_LARGE"
INTERNAL = "INTERNAL"

_LOG = logging.getLogger(__name__)

_LIMITS: Final[Mapping[str, int]] = {"allowed": MOVES_CHARS_MAX}

_C = code_pb2

CODES: Final[Mapping[type[e.DomainError], int]] = {
    e.InvalidCommand: _C.INVALID_ARGUMENT,
    e.TokenRefused: _C.INVALID_ARGUMENT,
    # Ids are kept for ever, so this request can never become right. ALREADY_EXISTS would tempt
    # clients that take it for "done before" to drop a command that was never done.
    e.RequestIdReused: _C.INVALID_ARGUMENT,
    e.ExceptionNotFound: _C.NOT_FOUND,
    e.OrderNotFound: _C.NOT_FOUND,
    e.ActionNotFound: _C.NOT_FOUND,
    e.EntryNotFound: _C.NOT_FOUND,
    e.RecordNotFound: _C.NOT_FOUND,
    e.IllegalMove: _C.FAILED_PRECONDITION,
    e.IllegalActionMove: _C.FAILED_PRECONDITION,
    e.ChecklistIncomplete: _C.FAILED_PRECONDITION,
    e.OpenItemsRemain: _C.FAILED_PRECONDITION,
    e.MoneyPosted: _C.FAILED_PRECONDITION,
    e.ActionsUnfinished: _C.FAILED_PRECONDITION,
    e.AmountExceedsAvailable: _C.FAILED_PRECONDITION,
    e.DisputeOpen: _C.FAILED_PRECONDITION,
    e.SecondPersonRequired: _C.FAILED_PRECONDITION,
    e.ReversalRefused: _C.FAILED_PRECONDITION,
    e.MergeRefused: _C.FAILED_PRECONDITION,
    e.UnbalancedEntry: _C.FAILED_PRECONDITION,
    e.StaleEtag: _C.ABORTED,
    e.Contention: _C.ABORTED,
    e.QueueFull: _C.RESOURCE_EXHAUSTED,
    e.NotCaughtUp: _C.UNAVAILABLE,
    e.StorageUnavailable: _C.UNAVAILABLE,
    e.HistoryUnreadable: _C.DATA_LOSS,
}
"""google.rpc.Code of every refusal."""

FIELDS: Final[Mapping[type[e.DomainError], str]] = {e.RequestIdReused: "request_id"}
"""The field that a refusal is about, for those that carry no violations of their own."""

RETRY_MILLIS: Final[Mapping[int, int]] = {
    _C.ABORTED: 50,
    _C.RESOURCE_EXHAUSTED: 250,
    _C.UNAVAILABLE: 500,
}
"""How long a client waits at least before it sends again, in milliseconds, by code."""

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context = grpc.aio.ServicerContext[Any, Any]


def status_of(error: e.DomainError) -> status_pb2.Status:
    """The status of a refusal with its details, small enough for every client."""
    code = CODES[type(error)]
    status = _status(code, error.reason, error.message, error.metadata)
    violations = _violations(error)
    while True:
        detail = _detail(code, error.reason, violations)
        size = 0 if detail is None else detail.ByteSize()
        if status.ByteSize() + size <= STATUS_BYTES_MAX or not violations:
            break
        violations = violations[: len(violations) * 3 // 4]
    if detail is not None:
        status.details.add().Pack(detail)
    if code in RETRY_MILLIS:
        wait = Duration()
        wait.FromMilliseconds(RETRY_MILLIS[code])
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=wait))
    return status


def item_error(error: e.DomainError) -> dict[str, Any]:
    """An ItemError as its constructor takes it: the refusal of one item of a batch."""
    return {
        "code": CODES[type(error)],
        "reason": error.reason,
        "message": _cut(error.message, MESSAGE_CHARS_MAX),
        "metadata": {
            k: _cut(v, _LIMITS.get(k, METADATA_CHARS_MAX)) for k, v in error.metadata.items()
        },
        "violations": [
            {"field": field, "description": _cut(text, METADATA_CHARS_MAX)}
            for field, text in _violations(error)
        ],
    }


def _violations(error: e.DomainError) -> tuple[e.Violation, ...]:
    field = FIELDS.get(type(error))
    if field is not None:
        return (e.Violation(field, error.message),)
    return error.violations[:VIOLATIONS_MAX]


def _status(code: int, reason: str, message: str, metadata: Mapping[str, str]) -> status_pb2.Status:
    status = status_pb2.Status(code=code, message=_cut(message, MESSAGE_CHARS_MAX))
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN)
    for key, value in metadata.items():
        info.metadata[key] = _cut(value, _LIMITS.get(key, METADATA_CHARS_MAX))
    status.details.add().Pack(info)
    return status


def _detail(
    code: int, reason: str, violations: tuple[e.Violation, ...]
) -> error_details_pb2.BadRequest | error_details_pb2.PreconditionFailure | None:
    if not violations:
        return None
    if code == _C.INVALID_ARGUMENT:
        bad = error_details_pb2.BadRequest()
        for field, text in violations:
            bad.field_violations.add(
                field=_cut(field, METADATA_CHARS_MAX), description=_cut(text, METADATA_CHARS_MAX)
            )
        return bad
    if code == _C.FAILED_PRECONDITION:
        failure = error_details_pb2.PreconditionFailure()
        for field, text in violations:
            failure.violations.add(
                type=reason,
                subject=_cut(field, METADATA_CHARS_MAX),
                description=_cut(text, METADATA_CHARS_MAX),
            )
        return failure
    return None


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


# --- the edge -------------------------------------------------------------------------------


class _Unread:
    """Stands in for a request that was not decoded; says why."""

    def __init__(self, code: int, reason: str, text: str) -> None:
        self.code = code
        self.reason = reason
        self.text = text


_UNDECODABLE: Final = _Unread(
    _C.INVALID_ARGUMENT, MALFORMED, "the bytes of the request are no message of its type"
)
_OVERSIZED: Final = _Unread(
    _C.INVALID_ARGUMENT, TOO_LARGE, f"a request has at most {REQUEST_BYTES_MAX} bytes"
)


class ErrorInterceptor(
    grpc.aio.ServerInterceptor  # type: ignore[type-arg] # generic in its stubs only
):
    """Turns whatever a call raises into a status, for all four kinds of calls.

    Bytes that are no message are INVALID_ARGUMENT, refusals are what the table says, and all
    else is INTERNAL without a word of the exception, which is logged under the id that the
    client gets. A handler that this interceptor wrapped once is kept.
    """

    def __init__(self) -> None:
        self._wrapped: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        handler: Handler | None = await continuation(handler_call_details)
        if handler is None:
            return handler  # type: ignore[return-value] # unknown method: grpc answers itself
        method = handler_call_details.method
        wrapped = self._wrapped.get(method)
        if wrapped is None:  # only known methods get here, so the table is bounded
            wrapped = self._wrapped[method] = _wrap(handler)
        return wrapped


def _wrap(handler: Handler) -> Handler:
    attribute, make = _KINDS[handler.request_streaming, handler.response_streaming]
    behaviour = getattr(handler, attribute)
    around = _streaming if isasyncgenfunction(behaviour) else _answering
    decode = handler.request_deserializer
    return make(
        around(behaviour, handler.request_streaming),
        request_deserializer=None if decode is None else _guarded(decode),
        response_serializer=handler.response_serializer,
    )


def _guarded(decode: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
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
    if isinstance(error, e.DomainError):
        status = status_of(error)
    elif isinstance(error, _Refused):
        unread = error.unread
        status = _status(unread.code, unread.reason, unread.text, {})
    else:
        correlation_id = str(uuid4())
        _LOG.error("call failed, correlation id %s", correlation_id, exc_info=error)
        text = f"internal error; the server's log has it under {correlation_id}"
        status = _status(_C.INTERNAL, INTERNAL, text, {"correlationId": correlation_id})
    made = rpc_status.to_status(status)
    await context.abort(made.code, made.details, made.trailing_metadata)
