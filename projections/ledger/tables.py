"""The tables of the ledger view. Entries and lines are only ever added."""

from projections.engine import Index, Table, integer, text

ENTRIES = Table(
    "ledger_entries",
    (
        *text("tenant"),
        *integer("position"),
        *text("event_id", "ledger"),
        *integer("year", "number"),
        *text("currency", "effective"),
        *integer("recorded", "occurred"),
        *text("topic", "actor", "rules", "order_id", "exception_id"),
        *integer("episode"),
        *text("mirrors"),
    ),
    key=("tenant", "position"),
    indexes=(
        Index(("tenant", "event_id"), unique=True),
        Index(("tenant", "ledger", "year", "number"), unique=True),
        Index(("tenant", "order_id", "position")),
        Index(("tenant", "exception_id", "position")),
    ),
)
"""One row per journal entry."""

LINES = Table(
    "ledger_lines",
    (
        *text("tenant"),
        *integer("position", "leg"),
        *text("ledger", "account", "currency", "effective"),
        *integer("recorded", "debit", "credit"),
        *text("posting_row", "party", "order_id", "sale_line", "logistics_line"),
        *text("shipment_code", "exception_id"),
        *integer("episode"),
        *text("action_id"),
    ),
    key=("tenant", "position", "leg"),
    indexes=(Index(("tenant", "ledger", "account", "effective", "position", "leg")),),
)
"""One row per line."""

SHARED = Table(
    "ledger_shared",
    (*text("tenant", "exception_id"), *integer("position")),
    key=("tenant", "exception_id", "position"),
)
"""Entries in which a case has a line though the entry is another case's; few of all."""

NUMBERS = Table(
    "ledger_numbers",
    (*text("tenant", "ledger"), *integer("year", "last_number")),
    key=("tenant", "ledger", "year"),
)
"""The last number given, per series."""

RULES = Table(
    "ledger_rules",
    (*text("tenant", "digest"), *integer("position"), *text("accounts")),
    key=("tenant", "digest"),
)
"""The charts that were published to a tenant, by every digest that an entry may name."""

ENTRY_COLUMNS = ENTRIES.names[1:]
LINE_COLUMNS = ("position", "leg", "account", "debit", "credit", *LINES.names[10:19])
