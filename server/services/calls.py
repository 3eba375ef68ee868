"""Who calls and what they say besides the request: metadata to the writer's call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import uuid4

import grpc

from esm.errors import InvalidCommand, Violation
from server.submission import Call
from server.wire.events import Told
from server.wire.requests import Header

Context = grpc.aio.ServicerContext[Any, Any]

TENANT_DEFAULT: Final = "default"
ACTOR_DEFAULT: Final = "anonymous"
ASSERTED: Final = "asserted"
"""How sure we are of an actor that only said so."""

CALLERS_KEPT_MAX: Final = 512
"""Metadata whose caller is remembered; gRPC takes 16 KiB of them at most, so 8 MiB in all."""

_TENANT, _ACTOR = "esm-tenant", "esm-actor"
_CORRELATION, _CAUSATION = "esm-correlation-id", "esm-causation-id"

_RULES: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    _TENANT: (
        re.compile(r"[a-z0-9][a-z0-9_-]{0,62}"),
        "must be 1 to 63 of a-z 0-9 _ - and begin with a letter or digit",
    ),
    _ACTOR: (
        re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:/+-]{0,127}"),
        "must be 1 to 128 of A-Z a-z 0-9 . _ @ : / + - and begin with a letter or digit",
    ),
    **dict.fromkeys(
        (_CORRELATION, _CAUSATION),
        (re.compile(r"[!-~]{1,128}"), "must be 1 to 128 visible ASCII characters"),
    ),
}
"""Metadata that a call may carry: what is allowed, as a pattern and in words."""


class Caller(NamedTuple):
    """Who calls, for which tenant, and in what undertaking; ids are "" when not said."""

    tenant: str
    actor: str
    correlation_id: str
    causation_id: str

    def call(self, header: Header) -> Call:
        """The call of a command. Without a request id it gets one that nobody can repeat."""
        return Call(
            tenant=self.tenant,
            actor=self.actor,
            assurance=ASSERTED,
            request_id=header.request_id or str(uuid4()),
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            occurred=header.occurred,
            etag=header.etag,
            validate_only=header.validate_only,
        )


def caller_of(context: Context) -> Caller:
    """Who calls. Raises :class:`InvalidCommand` for metadata that are not allowed."""
    metadata = context.invocation_metadata() or ()
    return _caller(tuple([pair for pair in metadata if pair[0] in _RULES]))


# Callers send the same of ours again and again, so these are checked once; what else they send,
# such as credentials, is not kept. Refusals raise and are therefore not remembered.
@lru_cache(CALLERS_KEPT_MAX)
def _caller(metadata: tuple[tuple[str, str | bytes], ...]) -> Caller:
    said: dict[str, str] = {}
    for key, value in metadata:
        rule = _RULES[key]
        if key in said or not isinstance(value, str) or not rule[0].fullmatch(value):
            text = "must be given once" if key in said else rule[1]
            raise InvalidCommand([Violation(f"metadata {key}", text)])
        said[key] = value
    return Caller(
        said.get(_TENANT, TENANT_DEFAULT),
        said.get(_ACTOR, ACTOR_DEFAULT),
        said.get(_CORRELATION, ""),
        said.get(_CAUSATION, ""),
    )


def told(call: Call) -> Told:
    """What of a call stands on the events of its preview."""
    return Told(
        occurred=call.occurred,
        actor=call.actor,
        assurance=call.assurance,
        correlation_id=call.correlation_id,
        causation_id=call.causation_id,
        request_id=call.request_id,
    )
