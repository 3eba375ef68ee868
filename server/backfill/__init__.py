"""Histories of other systems, as CSV or JSON Lines, turned into commands by a mapping."""

from server.backfill.mapping import Mapping, MappingError, load, parse
from server.backfill.plan import Planned, plan
from server.backfill.rows import BadRow, Row, read
from server.backfill.runner import Outcome, Refused, run

__all__ = [
    "BadRow",
    "Mapping",
    "MappingError",
    "Outcome",
    "Planned",
    "Refused",
    "Row",
    "load",
    "parse",
    "plan",
    "read",
    "run",
]
