"""Where a store is kept: the event log and persons' keys, on SQLite and on PostgreSQL."""
