"""Persons' keys in the table `keys_subjects` of a store's schema on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import psycopg
from eventsourcing.persistence import OperationalError
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool

from server.personal import Key, KeyStore
from server.storage.postgres_schema import lock_key

CONNECTIONS_MAX = 4
CONNECT_SECONDS_MAX = 10.0

CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS {schema}.keys_subjects (
    tenant text NOT NULL,
    subject text NOT NULL,
    key_id text NOT NULL,
    secret bytea NOT NULL,
    PRIMARY KEY (tenant, subject)
)
"""

FETCH = """
SELECT subject, key_id, secret FROM {schema}.keys_subjects
WHERE tenant = %s AND subject = ANY(%s)
"""

# In the order of the key, so that two processes never wait for each other in a circle.
ADD = """
INSERT INTO {schema}.keys_subjects
SELECT %s, k.subject, k.key_id, k.secret
FROM unnest(%s::text[], %s::text[], %s::bytea[]) AS k (subject, key_id, secret)
ORDER BY k.subject
ON CONFLICT DO NOTHING
"""

DESTROY = "DELETE FROM {schema}.keys_subjects WHERE tenant = %s AND subject = %s RETURNING subject"


class PostgresKeyStore(KeyStore):
    """Keys in the schema of a store; the schema is made with the log and must be there.

    After a deletion the table is vacuumed, so that the row's place is free at once; older pages
    in the server's WAL and its backups live as long as their own policy says.
    """

    def __init__(self, dsn: str, schema: str) -> None:
        self._schema = schema
        self._pool = ConnectionPool(
            dsn,
            min_size=1,
            max_size=CONNECTIONS_MAX,
            timeout=CONNECT_SECONDS_MAX,
            kwargs={"autocommit": True, "row_factory": tuple_row},
            check=ConnectionPool.check_connection,
            open=True,
        )
        # Two servers may start at once, and IF NOT EXISTS alone does not stand that.
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key(schema),))
            connection.execute(self._sql(CREATE_TABLE))

    def fetch(self, tenant: str, subjects: Collection[str]) -> dict[str, Key]:
        rows = self._run(FETCH, (tenant, list(subjects)))
        return {subject: Key(key_id, secret) for subject, key_id, secret in rows}

    def add(self, tenant: str, keys: Mapping[str, Key]) -> dict[str, Key]:
        key_ids, secrets = [key.key_id for key in keys.values()], [k.secret for k in keys.values()]
        self._run(f"{ADD} RETURNING subject", (tenant, list(keys), key_ids, secrets))
        return self.fetch(tenant, keys)

    def destroy(self, tenant: str, subject: str) -> bool:
        gone = bool(self._run(DESTROY, (tenant, subject)))
        self._run("VACUUM {schema}.keys_subjects", None)
        return gone

    def close(self) -> None:
        self._pool.close()

    def _run(self, statement: str, values: Sequence[Any] | None) -> list[tuple[Any, ...]]:
        try:
            with self._pool.connection() as connection:
                cursor = connection.execute(self._sql(statement), values)
                return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise OperationalError(str(error)) from error

    def _sql(self, statement: str) -> bytes:
        text = SQL(cast(Any, statement)).format(schema=Identifier(self._schema))
        return text.as_bytes()
