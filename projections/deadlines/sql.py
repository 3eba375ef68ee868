"""The deadline view on a view store."""

from collections.abc import Sequence

import msgspec

from esm.events import Subject
from projections.conditions import Clause, behind, joined, ordering
from projections.deadlines.projection import DeadlineProjection
from projections.deadlines.view import DEADLINES_MAX, Deadline, DeadlineView, Kind
from projections.engine import Engine
from projections.query import NEVER, Order

NAME = DeadlineProjection.NAME
FIELDS = "tenant, kind, exception_id, name, subject, due_at"
OF_A_TENANT = tuple(Order(name) for name in ("due_at", "exception_id", "kind", "name", "subject"))

_SUBJECT = msgspec.json.Decoder(Subject)


class SqlDeadlineView(DeadlineView):
    """Reads deadlines from the live generation of a store's tables."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list(
        self,
        tenant: str,
        *,
        kind: Kind | None = None,
        since: int = 0,
        until: int = NEVER - 1,
        after: Sequence[str | int] = (),
        limit: int,
    ) -> Sequence[Deadline]:
        clauses: list[Clause] = [
            ("tenant = ?", [tenant]),
            ("due_at >= ?", [since]),
            ("due_at <= ?", [min(until, NEVER - 1)]),
        ]
        if kind is not None:
            clauses.append(("kind = ?", [kind]))
        if after:
            clauses.append(behind(OF_A_TENANT, after))
        where, values = joined(clauses)
        by = ordering(OF_A_TENANT)
        sql = f"SELECT {FIELDS} FROM {{deadlines}} WHERE {where} ORDER BY {by} LIMIT ?"
        parameters = (*values, min(limit, DEADLINES_MAX))
        rows = self._engine.read(NAME, lambda read: read.rows(sql, parameters))
        return [
            Deadline(
                tenant=tenant,
                kind=kind,
                exception_id=exception_id,
                name=name,
                subject=_SUBJECT.decode(subject),
                due_at=due_at,
            )
            for tenant, kind, exception_id, name, subject, due_at in rows
        ]

    def position(self) -> int:
        return self._engine.position(NAME)
