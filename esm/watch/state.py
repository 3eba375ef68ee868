"""Which rules are muted for a subject."""

from uuid import UUID

import msgspec

from esm.events import Subject
from esm.times import Instant


class Watch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The watch over a subject. ``muted`` says until when each rule is, also past ones."""

    id: UUID
    tenant: str
    subject: Subject
    muted: dict[str, Instant]
