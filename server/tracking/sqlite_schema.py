"""Tables and statements of a tracking store on SQLite."""

CREATE_STATEMENTS = (
    """
CREATE TABLE IF NOT EXISTS tracking_shipments (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    shipment_code TEXT NOT NULL,
    order_id TEXT NOT NULL,
    status TEXT NOT NULL,
    due INTEGER NOT NULL,
    agenda INTEGER NOT NULL,
    looked INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL,
    kept TEXT NOT NULL
) STRICT""",
    """
CREATE UNIQUE INDEX IF NOT EXISTS tracking_shipments_code
ON tracking_shipments (tenant, shipment_code)""",
    """
CREATE INDEX IF NOT EXISTS tracking_shipments_order
ON tracking_shipments (tenant, order_id, shipment_code)""",
    """
CREATE INDEX IF NOT EXISTS tracking_shipments_agenda
ON tracking_shipments (agenda) WHERE agenda > 0""",
    """
CREATE TABLE IF NOT EXISTS tracking_numbers (
    tenant TEXT NOT NULL,
    number TEXT NOT NULL,
    shipment_code TEXT NOT NULL,
    carrier TEXT NOT NULL,
    piece TEXT NOT NULL,
    leg INTEGER NOT NULL,
    since INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (tenant, number, shipment_code, carrier, piece)
) STRICT, WITHOUT ROWID""",
    """
CREATE TABLE IF NOT EXISTS tracking_sources (
    tenant TEXT NOT NULL,
    source_id TEXT NOT NULL,
    shipment_code TEXT NOT NULL,
    PRIMARY KEY (tenant, source_id)
) STRICT, WITHOUT ROWID""",
    """
CREATE TABLE IF NOT EXISTS tracking_checkpoints (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    shipment_code TEXT NOT NULL,
    source_id TEXT NOT NULL,
    received INTEGER NOT NULL,
    number TEXT NOT NULL,
    carrier TEXT NOT NULL,
    zoned INTEGER NOT NULL,
    detail BLOB NOT NULL
) STRICT""",
    """
CREATE TABLE IF NOT EXISTS tracking_unmatched (
    tenant TEXT NOT NULL,
    handle TEXT NOT NULL,
    source_id TEXT NOT NULL,
    shipment_code TEXT NOT NULL,
    number TEXT NOT NULL,
    carrier TEXT NOT NULL,
    zoned INTEGER NOT NULL,
    fact TEXT NOT NULL,
    detail BLOB NOT NULL,
    PRIMARY KEY (tenant, handle, source_id)
) STRICT""",
    """
CREATE TABLE IF NOT EXISTS tracking_cases (
    tenant TEXT NOT NULL,
    shipment_code TEXT NOT NULL,
    case_id TEXT NOT NULL,
    fact TEXT NOT NULL,
    PRIMARY KEY (tenant, shipment_code, case_id)
) STRICT, WITHOUT ROWID""",
    """
CREATE TABLE IF NOT EXISTS tracking_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT""",
)

# Many rows in one: lists of what is short, and the bodies with commas between them, which make one
# JSON list. Of both aggregates of a row the order is the same.
ROWS = """
SELECT json_array({lists}), CAST(coalesce(group_concat(body, ','), '') AS BLOB),
       coalesce(group_concat(kept, ','), '')
FROM ({{}})
"""
COLUMNS = ("id", "tenant", "shipment_code", "status", "due", "agenda", "looked", "revision")
SELECT_ROWS = ROWS.format(lists=", ".join(f"json_group_array({column})" for column in COLUMNS))
BY_KEY = SELECT_ROWS.format("""
SELECT s.* FROM json_each(?) AS k CROSS JOIN tracking_shipments AS s
ON s.tenant = k.value ->> 0 AND s.shipment_code = k.value ->> 1
""")

BY_ORDER = SELECT_ROWS.format("""
SELECT s.* FROM json_each(?) AS k CROSS JOIN tracking_shipments AS s
ON s.tenant = k.value ->> 0 AND s.order_id = k.value ->> 1
""")

OF_NUMBER = (
    "shipment_code IN (SELECT shipment_code FROM tracking_numbers WHERE tenant = ? AND number = ?)"
)

SELECT_ORDERS = """
SELECT json_group_array(json_array(s.tenant, s.shipment_code, s.order_id))
FROM json_each(?) AS k CROSS JOIN tracking_shipments AS s
ON s.tenant = k.value ->> 0 AND s.shipment_code = k.value ->> 1
"""
SELECT_NUMBERS = """
SELECT json_group_array(json_array(n.tenant, n.number, n.shipment_code, n.order_id, n.carrier,
                                   n.piece, n.leg, n.since, n.ordinal))
FROM json_each(?) AS k CROSS JOIN tracking_numbers AS n
ON n.tenant = k.value ->> 0 AND n.number = k.value ->> 1
"""
NUMBER_KNOWN = """
ON CONFLICT (tenant, number, shipment_code, carrier, piece)
DO UPDATE SET leg = excluded.leg, since = excluded.since"""
SELECT_SOURCES = """
SELECT json_group_array(json_array(s.tenant, s.source_id, s.shipment_code))
FROM json_each(?) AS k CROSS JOIN tracking_sources AS s
ON s.tenant = k.value ->> 0 AND s.source_id = k.value ->> 1
"""
DELETE_SOURCES = """
DELETE FROM tracking_sources
WHERE (tenant, source_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))
"""
SELECT_DETAILS = """
SELECT c.id, c.tenant, c.shipment_code, c.source_id, c.received, c.number, c.carrier, c.zoned,
       c.detail
FROM json_each(?) AS k CROSS JOIN tracking_checkpoints AS c ON c.id = k.value
"""
SELECT_UNMATCHED = """
SELECT u.tenant, u.fact, u.shipment_code, u.number, u.carrier, u.zoned, u.detail
FROM json_each(?) AS k CROSS JOIN tracking_unmatched AS u ON u.tenant = ? AND u.handle = k.value
"""
DELETE_UNMATCHED = (
    "DELETE FROM tracking_unmatched WHERE tenant = ? AND handle = ? AND source_id = ?"
)
SET_ASIDE = (
    "UPDATE tracking_unmatched SET handle = ? || handle"
    " WHERE tenant = ? AND handle = ? AND source_id = ?"
)
NEXT_KEYS = """
SELECT json_group_array(json_array(tenant, shipment_code)) FROM (
    SELECT tenant, shipment_code FROM tracking_shipments WHERE (tenant, shipment_code) > (?, ?)
    ORDER BY tenant, shipment_code LIMIT ?)
"""
ROUSE = """
UPDATE tracking_shipments SET due = ?1, agenda = ?1, revision = revision + 1
WHERE (tenant, shipment_code) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?2))
  AND (due > ?1 OR due = 0 AND status NOT IN (SELECT value FROM json_each(?3)))
"""
SELECT_AGENDA = """
SELECT json_group_array(json_array(tenant, shipment_code, agenda <> due)) FROM (
    SELECT tenant, shipment_code, agenda, due FROM tracking_shipments
    WHERE agenda > 0 AND agenda <= ? ORDER BY agenda LIMIT ?)
"""
PUT_OFF = """
UPDATE tracking_shipments SET agenda = due
WHERE (tenant, shipment_code) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))
"""
COUNT_DUE = """
SELECT count(*) FROM tracking_shipments
WHERE agenda > 0 AND agenda <= ?1 AND due > 0 AND due <= ?1
"""
