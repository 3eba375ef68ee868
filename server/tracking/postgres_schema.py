"""Tables and statements of a tracking store on PostgreSQL; ``{schema}`` is that of the store."""

from __future__ import annotations

import hashlib

# Rows of shipments change all the time, in place where their page has room.
STORAGE = "WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)"

CREATE_STATEMENTS = (
    f"""
CREATE TABLE IF NOT EXISTS {{schema}}.tracking_shipments (
    tenant text COLLATE "C" NOT NULL,
    shipment_code text COLLATE "C" NOT NULL,
    order_id text COLLATE "C" NOT NULL,
    status text NOT NULL,
    due bigint NOT NULL,
    agenda bigint NOT NULL,
    looked bigint NOT NULL,
    revision bigint NOT NULL,
    body text NOT NULL,
    kept text NOT NULL,
    PRIMARY KEY (tenant, shipment_code)
) {STORAGE}""",
    """
CREATE INDEX IF NOT EXISTS tracking_shipments_order
ON {schema}.tracking_shipments (tenant, order_id, shipment_code)""",
    """
CREATE INDEX IF NOT EXISTS tracking_shipments_agenda
ON {schema}.tracking_shipments (agenda) WHERE agenda > 0""",
    """
CREATE TABLE IF NOT EXISTS {schema}.tracking_numbers (
    tenant text COLLATE "C" NOT NULL,
    number text COLLATE "C" NOT NULL,
    shipment_code text COLLATE "C" NOT NULL,
    carrier text COLLATE "C" NOT NULL,
    piece text COLLATE "C" NOT NULL,
    leg bigint NOT NULL,
    since bigint NOT NULL,
    order_id text NOT NULL,
    ordinal bigint NOT NULL,
    PRIMARY KEY (tenant, number, shipment_code, carrier, piece)
)""",
    """
CREATE TABLE IF NOT EXISTS {schema}.tracking_sources (
    tenant text COLLATE "C" NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    shipment_code text NOT NULL,
    PRIMARY KEY (tenant, source_id)
)""",
    """
CREATE TABLE IF NOT EXISTS {schema}.tracking_checkpoints (
    id bigint NOT NULL,
    tenant text NOT NULL,
    shipment_code text NOT NULL,
    source_id text NOT NULL,
    received bigint NOT NULL,
    number text NOT NULL,
    carrier text NOT NULL,
    zoned boolean NOT NULL,
    detail bytea NOT NULL,
    PRIMARY KEY (id, received)
) PARTITION BY RANGE (received)""",
    """
CREATE SEQUENCE IF NOT EXISTS {schema}.tracking_checkpoint_ids""",
    """
CREATE TABLE IF NOT EXISTS {schema}.tracking_unmatched (
    tenant text COLLATE "C" NOT NULL,
    handle text COLLATE "C" NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    shipment_code text NOT NULL,
    number text NOT NULL,
    carrier text NOT NULL,
    zoned boolean NOT NULL,
    fact text NOT NULL,
    detail bytea NOT NULL,
    PRIMARY KEY (tenant, handle, source_id)
)""",
    """
CREATE TABLE IF NOT EXISTS {schema}.tracking_cases (
    tenant text COLLATE "C" NOT NULL,
    shipment_code text COLLATE "C" NOT NULL,
    case_id text NOT NULL,
    fact text NOT NULL,
    PRIMARY KEY (tenant, shipment_code, case_id)
)""",
    """
CREATE TABLE IF NOT EXISTS {schema}.tracking_meta (name text PRIMARY KEY, value bigint NOT NULL)""",
)

# A table is made first and attached then, so that nobody who reads or writes the others waits.
CREATE_PARTITION = """
CREATE TABLE {schema}.{name} (
    LIKE {schema}.tracking_checkpoints INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES,
    CHECK (received >= {first} AND received < {end})
)"""
ATTACH_PARTITION = """
ALTER TABLE {schema}.tracking_checkpoints
ATTACH PARTITION {schema}.{name} FOR VALUES FROM ({first}) TO ({end})"""

ROW = """s.tenant, s.shipment_code, s.status, s.due, s.agenda, s.looked, s.revision,
    convert_to(s.body, 'UTF8'), s.kept"""

BODIES = b"\x1e"
"""Stands between bodies: JSON holds no such byte, so a list of them needs no quoting."""

BODY_LIST = "string_to_array(convert_from(%b, 'UTF8'), chr(30))"


# One order for all who lock: by tenant and code.
LOCKED = """
ORDER BY s.tenant, s.shipment_code
FOR UPDATE OF s"""

SELECT_ROWS = f"""
SELECT {ROW} FROM unnest(%s::text[], %s::text[]) AS k (tenant, shipment_code)
JOIN {{schema}}.tracking_shipments AS s
  ON s.tenant = k.tenant AND s.shipment_code = k.shipment_code"""
LOCK_ROWS = SELECT_ROWS + LOCKED
OF_ORDERS = f"""
SELECT {ROW} FROM unnest(%s::text[], %s::text[]) AS k (tenant, order_id)
JOIN {{schema}}.tracking_shipments AS s ON s.tenant = k.tenant AND s.order_id = k.order_id"""
LOCK_ORDERS = OF_ORDERS + LOCKED
OF_NUMBER = """s.shipment_code IN (
    SELECT n.shipment_code FROM {schema}.tracking_numbers AS n
    WHERE n.tenant = %s AND n.number = %s)"""
SELECT_ORDERS = """
SELECT s.tenant, s.shipment_code, s.order_id
FROM unnest(%s::text[], %s::text[]) AS k (tenant, shipment_code)
JOIN {schema}.tracking_shipments AS s
  ON s.tenant = k.tenant AND s.shipment_code = k.shipment_code"""
SELECT_NUMBERS = """
SELECT n.tenant, n.number, n.shipment_code, n.order_id, n.carrier, n.piece, n.leg, n.since,
       n.ordinal
FROM unnest(%s::text[], %s::text[]) AS k (tenant, number)
JOIN {schema}.tracking_numbers AS n ON n.tenant = k.tenant AND n.number = k.number"""
# In the order of the key, so that two servers never wait for each other in a circle.
CLAIM = """
INSERT INTO {schema}.tracking_sources
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[])
ON CONFLICT DO NOTHING RETURNING tenant, source_id"""
SELECT_SOURCES = """
SELECT s.tenant, s.source_id, s.shipment_code
FROM unnest(%s::text[], %s::text[]) AS k (tenant, source_id)
JOIN {schema}.tracking_sources AS s ON s.tenant = k.tenant AND s.source_id = k.source_id"""
UNCLAIM = """
DELETE FROM {schema}.tracking_sources AS s
USING unnest(%s::text[], %s::text[]) AS k (tenant, source_id)
WHERE s.tenant = k.tenant AND s.source_id = k.source_id"""
RECLAIM = """
UPDATE {schema}.tracking_sources AS s SET shipment_code = k.shipment_code
FROM unnest(%s::text[], %s::text[], %s::text[]) AS k (tenant, source_id, shipment_code)
WHERE s.tenant = k.tenant AND s.source_id = k.source_id"""
UPDATE_ROWS = f"""
UPDATE {{schema}}.tracking_shipments AS s
SET status = k.status, due = k.due, agenda = k.agenda, looked = k.looked, revision = k.revision,
    body = k.body, kept = k.kept
FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[],
            %s::bigint[], {BODY_LIST}, %s::text[])
     AS k (tenant, shipment_code, status, due, agenda, looked, revision, body, kept)
WHERE s.tenant = k.tenant AND s.shipment_code = k.shipment_code"""
INSERT_ROWS = f"""
INSERT INTO {{schema}}.tracking_shipments
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
                     %s::bigint[], %s::bigint[], {BODY_LIST}, %s::text[])"""
INSERT_NUMBERS = """
INSERT INTO {schema}.tracking_numbers
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[],
                     %s::bigint[], %s::text[], %s::bigint[])
ON CONFLICT (tenant, number, shipment_code, carrier, piece)
DO UPDATE SET leg = excluded.leg, since = excluded.since"""
INSERT_CHECKPOINTS = """
INSERT INTO {schema}.tracking_checkpoints
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[],
                     %s::text[], %s::boolean[], %s::bytea[])"""
SELECT_DETAILS = """
SELECT id, tenant, shipment_code, source_id, received, number, carrier, zoned, detail
FROM {schema}.tracking_checkpoints
WHERE received = ANY(%s::bigint[]) AND id = ANY(%s::bigint[])"""
INSERT_UNMATCHED = """
INSERT INTO {schema}.tracking_unmatched
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                     %s::boolean[], %s::text[], %s::bytea[])"""
SELECT_UNMATCHED = """
SELECT fact, shipment_code, number, carrier, zoned, detail FROM {schema}.tracking_unmatched
WHERE tenant = %s AND handle = ANY(%s::text[])"""
DELETE_UNMATCHED = """
DELETE FROM {schema}.tracking_unmatched AS u
USING unnest(%s::text[], %s::text[], %s::text[]) AS k (tenant, handle, source_id)
WHERE u.tenant = k.tenant AND u.handle = k.handle AND u.source_id = k.source_id"""
SET_ASIDE = """
UPDATE {schema}.tracking_unmatched AS u SET handle = k.aside || u.handle
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
     AS k (aside, tenant, handle, source_id)
WHERE u.tenant = k.tenant AND u.handle = k.handle AND u.source_id = k.source_id"""
INSERT_CASES = """
INSERT INTO {schema}.tracking_cases
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING"""
TAKE_CASES = """
DELETE FROM {schema}.tracking_cases AS c
USING unnest(%s::text[], %s::text[]) AS k (tenant, shipment_code)
WHERE c.tenant = k.tenant AND c.shipment_code = k.shipment_code
RETURNING c.tenant, c.shipment_code, c.case_id, c.fact"""
SELECT_NUMBER = "SELECT value FROM {schema}.tracking_meta WHERE name = %s"
SET_NUMBER = """
INSERT INTO {schema}.tracking_meta VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
NEXT_IDS = """
SELECT nextval('{schema}.tracking_checkpoint_ids') FROM generate_series(1, %s)"""
NEXT_KEYS = """
SELECT tenant, shipment_code FROM {schema}.tracking_shipments
WHERE (tenant, shipment_code) > (%s, %s) ORDER BY tenant, shipment_code LIMIT %s
FOR UPDATE"""
ROUSE = """
WITH roused AS (
    UPDATE {schema}.tracking_shipments AS s SET due = %s, agenda = %s, revision = revision + 1
    FROM unnest(%s::text[], %s::text[]) AS k (tenant, shipment_code)
    WHERE s.tenant = k.tenant AND s.shipment_code = k.shipment_code
      AND (s.due > %s OR s.due = 0 AND s.status <> ALL(%s::text[])) RETURNING 1)
SELECT count(*) FROM roused"""
SELECT_AGENDA = """
SELECT tenant, shipment_code, agenda <> due FROM {schema}.tracking_shipments
WHERE agenda > 0 AND agenda <= %s ORDER BY agenda LIMIT %s"""
PUT_OFF = """
WITH locked AS (
    SELECT s.tenant, s.shipment_code
    FROM unnest(%s::text[], %s::text[]) AS k (tenant, shipment_code)
    JOIN {schema}.tracking_shipments AS s
      ON s.tenant = k.tenant AND s.shipment_code = k.shipment_code
    ORDER BY s.tenant, s.shipment_code
    FOR UPDATE OF s)
UPDATE {schema}.tracking_shipments AS s SET agenda = s.due FROM locked
WHERE s.tenant = locked.tenant AND s.shipment_code = locked.shipment_code"""
COUNT_DUE = """
SELECT count(*) FROM {schema}.tracking_shipments
WHERE agenda > 0 AND agenda <= %s AND due > 0 AND due <= %s"""
GUARD = "SELECT pg_advisory_xact_lock(%s)"


def guard_key(schema: str) -> int:
    """The key of the advisory lock under which a store's shipments are registered."""
    digest = hashlib.sha256(f"esm tracking {schema}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
