"""What a refusal over gRPC says, taken apart for tests."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2 as details_pb
from grpc_status import rpc_status

PYTHON_WORDS = re.compile(
    r"Traceback|Error\(|Exception calling|<class|object at 0x|\.py\b|KeyError|ValueError|TypeError"
)
"""What only a leaked exception of Python would say."""


@dataclass
class Refusal:
    """Status, words and details of a refused call; filled when the block ends."""

    code: str = ""
    text: str = ""
    reason: str = ""
    domain: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    """Field, or open item, and what is wrong with it."""
    retry_after_millis: int = 0


@contextmanager
def refused(code: str, reason: str = "", *fields: str) -> Iterator[Refusal]:
    """The block is refused with this status and reason, about these fields among others."""
    found = Refusal()
    with pytest.raises(grpc.RpcError) as raised:
        yield found
    _fill(found, raised.value)
    assert found.code == code, found
    assert found.domain == "shipment-exceptions"
    assert not reason or found.reason == reason, found
    assert set(fields) <= set(found.fields), found
    assert not PYTHON_WORDS.search(found.text), found.text


def _fill(found: Refusal, error: Any) -> None:
    found.code, found.text = error.code().name, error.details()
    status = rpc_status.from_call(error)
    assert status is not None, f"{found.code} without details: {found.text}"
    for detail in status.details:
        if detail.Is(details_pb.ErrorInfo.DESCRIPTOR):
            info = details_pb.ErrorInfo.FromString(detail.value)
            found.reason, found.domain = info.reason, info.domain
            found.metadata = dict(info.metadata)
        elif detail.Is(details_pb.BadRequest.DESCRIPTOR):
            bad = details_pb.BadRequest.FromString(detail.value)
            found.fields |= {v.field: v.description for v in bad.field_violations}
        elif detail.Is(details_pb.PreconditionFailure.DESCRIPTOR):
            failure = details_pb.PreconditionFailure.FromString(detail.value)
            found.fields |= {v.subject: v.description for v in failure.violations}
        elif detail.Is(details_pb.RetryInfo.DESCRIPTOR):
            retry = details_pb.RetryInfo.FromString(detail.value)
            found.retry_after_millis = retry.retry_delay.ToMilliseconds()
