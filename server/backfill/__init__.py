"""Histories of other systems, as CSV or JSON Lines, turned into commands and tracking facts."""

from server.backfill.course import Advance, Batch, History, course, gather
from server.backfill.facts import Fact, checkpoints, facts
from server.backfill.mapping import (
    AnyMapping,
    CheckpointsMapping,
    MappingError,
    ShipmentsMapping,
    SignalsMapping,
    load,
    parse,
)
from server.backfill.plan import Planned, plan
from server.backfill.rows import BadRow, Row, read
from server.backfill.runner import Outcome, Refused, run

__all__ = [
    "Advance",
    "AnyMapping",
    "BadRow",
    "Batch",
    "CheckpointsMapping",
    "Fact",
    "History",
    "MappingError",
    "Outcome",
    "Planned",
    "Refused",
    "Row",
    "ShipmentsMapping",
    "SignalsMapping",
    "checkpoints",
    "course",
    "facts",
    "gather",
    "load",
    "parse",
    "plan",
    "read",
    "run",
]
