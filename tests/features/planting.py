"""Events put into a log behind the server's back, as an older version might have left them."""

from uuid import UUID

from server.clock import Clock
from server.settings import Settings
from server.storage.records import LoggedEvent, Submission
from server.store import open_store

MARCH = 1_772_352_000_000_000
"""2026-03-01T08:00:00Z in microseconds."""


def plant(settings: Settings, tenant: str, case: str, topic: str, payload: bytes) -> None:
    """Append an event to an aggregate of a store that no server holds."""
    with open_store(settings, Clock()) as store:
        log = store.application.events_log
        event = LoggedEvent(
            originator_id=UUID(case),
            originator_version=log.max_version(UUID(case)) + 1,
            topic=topic,
            state=payload,
            tenant=tenant,
            order_id="O1",
            occurred=MARCH,
            recorded=MARCH,
            actor="old-version",
        )
        log.insert_group([Submission([event])])
