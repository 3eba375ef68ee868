"""The table from refusals to statuses: complete, well formed, and small enough to arrive."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, RetryInfo
from google.rpc.status_pb2 import Status

from esm import errors as e
from server.errors import CODES, DOMAIN, STATUS_BYTES_MAX, item_error, status_of

REASON = re.compile(r"[A-Z][A-Z0-9_]{1,61}[A-Z0-9]")
METADATA_KEY = re.compile(r"[a-z][a-zA-Z0-9_-]{1,63}")

EXAMPLES: tuple[e.DomainError, ...] = (
    e.InvalidCommand([e.Violation("level", "must be 1 to 3")]),
    e.ExceptionNotFound("x"),
    e.OrderNotFound("x"),
    e.ActionNotFound("A1", ["A2"]),
    e.EntryNotFound("no entry"),
    e.RecordNotFound("no ticket"),
    e.IllegalMove("remediate", "detected", ["assign", "escalate"]),
    e.IllegalActionMove("submit", "A1", "proposed", ["approve"]),
    e.ChecklistIncomplete("full_refund", ["photos"]),
    e.OpenItemsRemain("reconcile", [("action:A1", "account 2010 stands at -5")]),
    e.MoneyPosted("money"),
    e.ActionsUnfinished("unfinished"),
    e.AmountExceedsAvailable(5, 4, "refund"),
    e.DisputeOpen("dispute"),
    e.SecondPersonRequired("second"),
    e.ReversalRefused("reversal"),
    e.MergeRefused("merge"),
    e.Muted("TRACKING_STALLED", "2026-03-10T00:00:00.000000Z"),
    e.Expected("RETURNING", "c-1", "A1", "return_goods"),
    e.UnbalancedEntry("unbalanced"),
    e.NotAFeedClock("wall"),
    e.ClockBackwards("2018-05-01T00:00:00.000000Z", "2018-06-01T00:00:00.000000Z"),
    e.StaleEtag("1", "2"),
    e.RequestIdReused("r-1"),
    e.Contention("contention"),
    e.QueueFull("full"),
    e.HistoryUnreadable("unreadable"),
    e.TokenRefused("token", violations=[e.Violation("page_token", "is damaged")]),
    e.NotCaughtUp("behind"),
    e.StorageUnavailable("away"),
)


def all_refusals(base: type[e.DomainError] = e.DomainError) -> Iterator[type[e.DomainError]]:
    for cls in base.__subclasses__():
        yield cls
        yield from all_refusals(cls)


def detail(status: Status, message: Message) -> bool:
    return any(each.Unpack(message) for each in status.details)


def test_every_refusal_of_the_domain_has_a_code_and_an_example_here() -> None:
    assert set(CODES) == set(all_refusals())
    assert {type(example) for example in EXAMPLES} == set(CODES)


def test_reasons_are_unique_and_of_the_form_that_the_api_promises() -> None:
    reasons = [cls.reason for cls in CODES]
    assert len(reasons) == len(set(reasons))
    assert all(REASON.fullmatch(reason) for reason in reasons)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: error.reason)
def test_a_status_carries_what_its_code_asks_for(error: e.DomainError) -> None:
    status = status_of(error)
    info, bad, failure, retry = ErrorInfo(), BadRequest(), PreconditionFailure(), RetryInfo()
    assert detail(status, info)
    assert (info.reason, info.domain) == (error.reason, DOMAIN)
    assert dict(info.metadata) == error.metadata
    assert all(METADATA_KEY.fullmatch(key) for key in info.metadata)
    code = status.code
    assert detail(status, bad) == (code == code_pb2.INVALID_ARGUMENT)
    wants_failure = code == code_pb2.FAILED_PRECONDITION and bool(error.violations)
    assert detail(status, failure) == wants_failure
    retried = {code_pb2.ABORTED, code_pb2.RESOURCE_EXHAUSTED, code_pb2.UNAVAILABLE}
    assert detail(status, retry) == (code in retried)
    kinds = [each.type_url for each in status.details]
    assert len(kinds) == len(set(kinds))


def test_an_illegal_move_names_the_allowed_ones() -> None:
    status = status_of(e.IllegalMove("remediate", "detected", ["assign", "escalate"]))
    info = ErrorInfo()
    assert detail(status, info)
    assert info.metadata["allowed"] == "assign,escalate"
    assert "assign, escalate" in status.message


def test_a_reused_request_id_names_its_field() -> None:
    bad = BadRequest()
    assert detail(status_of(e.RequestIdReused("r-1")), bad)
    assert [v.field for v in bad.field_violations] == ["request_id"]


def test_a_status_stays_below_what_clients_take_however_much_is_wrong() -> None:
    violations = [e.Violation(f"sale_lines[{i}].goods", "错" * 1_000) for i in range(500)]
    status = status_of(e.InvalidCommand(violations))
    bad = BadRequest()
    assert status.ByteSize() <= STATUS_BYTES_MAX + 200
    assert detail(status, bad)
    assert bad.field_violations[0].field == "sale_lines[0].goods"


def test_an_item_of_a_batch_is_refused_like_a_call_of_its_own() -> None:
    for error in EXAMPLES:
        item = item_error(error)
        status = status_of(error)
        assert (item["code"], item["message"]) == (status.code, status.message)
        assert (item["reason"], item["metadata"]) == (error.reason, error.metadata)
