"""Tables, indexes and the readable view of an event log on SQLite."""

from __future__ import annotations

EVENTS_TABLE = "log_events"

# The library reads the position from a column of exactly this name; AUTOINCREMENT keeps a
# position from ever being given twice and makes it survive VACUUM and a dump.
CREATE_EVENTS = f"""
CREATE TABLE IF NOT EXISTS {EVENTS_TABLE} (
    rowid INTEGER PRIMARY KEY AUTOINCREMENT,
    originator_id TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic TEXT NOT NULL,
    state BLOB NOT NULL,
    tenant TEXT NOT NULL DEFAULT '',
    order_id TEXT NOT NULL DEFAULT '',
    occurred INTEGER NOT NULL DEFAULT 0,
    recorded INTEGER NOT NULL DEFAULT 0,
    actor TEXT NOT NULL DEFAULT '',
    assurance TEXT NOT NULL DEFAULT 'asserted',
    correlation_id TEXT NOT NULL DEFAULT '',
    causation_id TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL DEFAULT '',
    UNIQUE (originator_id, originator_version)
)
"""

CREATE_ORDER_INDEX = f"""
CREATE INDEX IF NOT EXISTS log_events_order_idx ON {EVENTS_TABLE} (order_id)
WHERE order_id <> ''
"""

# With its rowid: the index that random request ids scatter over stays small, which spares every
# commit a third of the pages it would dirty.
CREATE_REQUESTS = """
CREATE TABLE IF NOT EXISTS log_requests (
    tenant TEXT NOT NULL,
    request_id TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    answer BLOB NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tenant, request_id)
)
"""

CREATE_SOURCES = """
CREATE TABLE IF NOT EXISTS log_sources (
    tenant TEXT NOT NULL,
    source TEXT NOT NULL,
    source_id TEXT NOT NULL,
    aggregate_id TEXT NOT NULL,
    PRIMARY KEY (tenant, source, source_id)
) WITHOUT ROWID
"""

CREATE_META = """
CREATE TABLE IF NOT EXISTS log_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID
"""


def _time_text(column: str) -> str:
    """SQL that shows a column of microseconds as RFC 3339 text with six digits."""
    seconds = f"strftime('%Y-%m-%dT%H:%M:%S', {column} / 1000000, 'unixepoch')"
    return f"{seconds} || printf('.%06dZ', {column} % 1000000) AS {column}"


CREATE_READABLE = f"""
CREATE VIEW IF NOT EXISTS log_readable AS
SELECT rowid AS position, tenant, originator_id AS aggregate_id, originator_version AS version,
       topic, {_time_text("occurred")}, {_time_text("recorded")}, actor, assurance,
       correlation_id, causation_id, request_id, order_id, CAST(state AS TEXT) AS payload
FROM {EVENTS_TABLE}
"""

CREATE_STATEMENTS = (
    *(CREATE_EVENTS, CREATE_ORDER_INDEX, CREATE_REQUESTS, CREATE_SOURCES),
    *(CREATE_META, CREATE_READABLE),
)
