"""The one table from refusals to gRPC statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2, status_pb2

from esm import errors as e

DOMAIN: Final = "shipment-exceptions"

MESSAGE_CHARS_MAX = 600
METADATA_CHARS_MAX = 300
MOVES_CHARS_MAX = 500
"""The moves that a refusal names are our own words and are never cut."""
VIOLATIONS_MAX = 50
STATUS_BYTES_MAX = 4_000
"""Most bytes of a status with details: clients refuse trailers of more than 8 KiB."""

MALFORMED = "MALFORMED_REQUEST"
TOO_LARGE = "MESSAGE_TOO_LARGE"
INTERNAL = "INTERNAL"
"""Reasons of what is no refusal of the domain: the edge gives them."""

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
    e.Muted: _C.FAILED_PRECONDITION,
    e.Expected: _C.FAILED_PRECONDITION,
    e.UnbalancedEntry: _C.FAILED_PRECONDITION,
    e.NotAFeedClock: _C.FAILED_PRECONDITION,
    e.ClockBackwards: _C.FAILED_PRECONDITION,
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


def status_of(error: e.DomainError) -> status_pb2.Status:
    """The status of a refusal with its details, small enough for every client."""
    code = CODES[type(error)]
    status = fault(code, error.reason, error.message, error.metadata)
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


def fault(code: int, reason: str, message: str, metadata: Mapping[str, str]) -> status_pb2.Status:
    """A status that says its reason, with texts cut to what clients take."""
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
