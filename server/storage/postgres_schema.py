"""Tables, indexes and the readable view of an event log on PostgreSQL, one statement each."""

from __future__ import annotations

import hashlib

from psycopg.sql import SQL, Composed, Identifier

# The tables only grow, and the plans of their readers hang on fresh statistics.
STORAGE = "WITH (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.01)"

CREATE_EVENTS = f"""
CREATE TABLE IF NOT EXISTS {{schema}}.log_events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigserial,
    tenant text NOT NULL DEFAULT '',
    order_id text NOT NULL DEFAULT '',
    occurred bigint NOT NULL DEFAULT 0,
    recorded bigint NOT NULL DEFAULT 0,
    actor text NOT NULL DEFAULT '',
    assurance text NOT NULL DEFAULT 'asserted',
    correlation_id text NOT NULL DEFAULT '',
    causation_id text NOT NULL DEFAULT '',
    request_id text NOT NULL DEFAULT '',
    PRIMARY KEY (originator_id, originator_version)
) {STORAGE}
"""

CREATE_POSITION_INDEX = """
CREATE UNIQUE INDEX IF NOT EXISTS log_events_notification_id_idx
ON {schema}.log_events (notification_id)
"""

CREATE_ORDER_INDEX = """
CREATE INDEX IF NOT EXISTS log_events_order_idx
ON {schema}.log_events (order_id, notification_id) WHERE order_id <> ''
"""

CREATE_REQUESTS = f"""
CREATE TABLE IF NOT EXISTS {{schema}}.log_requests (
    tenant text NOT NULL,
    request_id text NOT NULL,
    fingerprint bytea NOT NULL,
    answer bytea NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (tenant, request_id)
) {STORAGE}
"""

CREATE_SOURCES = f"""
CREATE TABLE IF NOT EXISTS {{schema}}.log_sources (
    tenant text NOT NULL,
    source text NOT NULL,
    source_id text NOT NULL,
    aggregate_id uuid NOT NULL,
    PRIMARY KEY (tenant, source, source_id)
) {STORAGE}
"""

CREATE_META = """
CREATE TABLE IF NOT EXISTS {schema}.log_meta (key text PRIMARY KEY, value text NOT NULL)
"""


def _time_text(column: str) -> str:
    """SQL that shows a column of microseconds as RFC 3339 text with six digits."""
    moment = f"timestamp 'epoch' + {column} * interval '1 microsecond'"
    return f'to_char({moment}, \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\') AS {column}'


CREATE_READABLE = f"""
CREATE OR REPLACE VIEW {{schema}}.log_readable AS
SELECT notification_id AS position, tenant, originator_id AS aggregate_id,
       originator_version AS version, topic, {_time_text("occurred")}, {_time_text("recorded")},
       actor, assurance, correlation_id, causation_id, request_id, order_id,
       convert_from(state, 'UTF8') AS payload
FROM {{schema}}.log_events
"""

# One statement, so one round trip and one implicit transaction. `held` orders the writers: no
# position is drawn before the lock is held, and the lock is held until the commit, so positions
# appear in their order. `numbered` gives a request the position of its command's last event by
# its number in the group (0: no event before it, so the highest position there was).
INSERT_GROUP = """
WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock({key})),
made AS (
    INSERT INTO {schema}.log_events (
        originator_id, originator_version, topic, state, tenant, order_id, occurred, recorded,
        actor, assurance, correlation_id, causation_id, request_id)
    SELECT e.originator_id, e.originator_version, e.topic, e.state, e.tenant, e.order_id,
           e.occurred, e.recorded, e.actor, e.assurance, e.correlation_id, e.causation_id,
           e.request_id
    FROM held, unnest(
        %s::uuid[], %s::bigint[], %s::text[], %s::bytea[], %s::text[], %s::text[], %s::bigint[],
        %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[]
    ) WITH ORDINALITY AS e (
        originator_id, originator_version, topic, state, tenant, order_id, occurred, recorded,
        actor, assurance, correlation_id, causation_id, request_id, number)
    ORDER BY e.number
    RETURNING notification_id
),
numbered AS (
    SELECT notification_id, row_number() OVER (ORDER BY notification_id) AS number FROM made
    UNION ALL
    SELECT coalesce((SELECT max(notification_id) FROM {schema}.log_events), 0), 0
),
requests AS (
    INSERT INTO {schema}.log_requests (tenant, request_id, fingerprint, answer, position)
    SELECT r.tenant, r.request_id, r.fingerprint, r.answer, n.notification_id
    FROM unnest(%s::text[], %s::text[], %s::bytea[], %s::bytea[], %s::bigint[])
         AS r (tenant, request_id, fingerprint, answer, number)
    JOIN numbered AS n ON n.number = r.number
),
sources AS (
    INSERT INTO {schema}.log_sources (tenant, source, source_id, aggregate_id)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::uuid[])
)
SELECT array_agg(notification_id ORDER BY number), pg_notify({channel}, '') FROM numbered
"""

# Run under the writers' lock and before the insert: a statement sees what was committed before
# it began, so the insert alone, which waits for the lock, would look at an old log.
FIND_MOVED = """
SELECT r.aggregate_id FROM unnest(%s::uuid[], %s::bigint[]) AS r (aggregate_id, version)
WHERE r.version <> coalesce((SELECT max(originator_version) FROM {schema}.log_events AS e
                             WHERE e.originator_id = r.aggregate_id), 0)
LIMIT 1
"""


def create_statements(schema: str) -> list[Composed]:
    """The statements that make the tables of a log, in order."""
    return [
        SQL(text).format(schema=Identifier(schema))
        for text in (
            *(CREATE_EVENTS, CREATE_POSITION_INDEX, CREATE_ORDER_INDEX, CREATE_REQUESTS),
            *(CREATE_SOURCES, CREATE_META, CREATE_READABLE),
        )
    ]


def lock_key(schema: str) -> int:
    """The key of the advisory lock that orders the writers of a store."""
    digest = hashlib.sha256(f"esm log {schema}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def channel_of(schema: str) -> str:
    """The channel that tells of new events of a store; channels are shared by a database."""
    return f"{schema}_log"
