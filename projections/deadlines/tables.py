"""Tables of the deadline view."""

from typing import NamedTuple

from projections.deadlines.view import Kind
from projections.engine import Index, Table, integer, text

CASES = Table(
    "deadline_cases",
    (*text("tenant", "exception_id", "subject"), *integer("open")),
    key=("tenant", "exception_id"),
)
"""What a case is about and whether it is open (1): facts about its alerts do not repeat it."""

DEADLINES = Table(
    "deadlines",
    (
        *text("tenant", "exception_id", "kind", "name", "subject"),
        *integer("due_at", "next_at"),
        *text("source_id"),
        *integer("said_at"),
    ),
    key=("tenant", "exception_id", "kind", "name", "subject"),
    indexes=(Index(("tenant", "due_at", "exception_id", "kind", "name", "subject")),),
)
"""One row for each thing that comes due. ``due_at`` is ``NEVER`` while it does not.

``next_at`` is when it would: the next stage of an alert, also while its case is not open.
``source_id`` is the source that the alert came by, ``said_at`` the moment that it is about (0 once
it was cleared); an alert of the last stage has a row for that alone.
"""


class CaseRow(NamedTuple):
    """A row of :data:`CASES`."""

    tenant: str
    exception_id: str
    subject: str
    open: int


class DeadlineRow(NamedTuple):
    """A row of :data:`DEADLINES`."""

    tenant: str
    exception_id: str
    kind: Kind
    name: str
    subject: str
    due_at: int
    next_at: int
    source_id: str = ""
    said_at: int = 0
