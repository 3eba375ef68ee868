"""Folding facts into the state of a watch."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from esm.events import Event, RuleMuted
from esm.watch.state import Watch


def begun(event: RuleMuted, aggregate_id: UUID, tenant: str) -> Watch:
    """The watch after its first rule was muted."""
    muted = {event.rule: event.until}
    return Watch(id=aggregate_id, tenant=tenant, subject=event.subject, muted=muted)


def _rule_muted(watch: Watch, event: RuleMuted, _version: int) -> Watch:
    return replace(watch, muted={**watch.muted, event.rule: event.until})


STEPS: dict[type[Event], Callable[..., Any]] = {RuleMuted: _rule_muted}
