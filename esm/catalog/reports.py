"""What customers are asked when they report trouble: templates, as data."""

from typing import Literal

import msgspec

from esm.catalog.data import Data, Title

FieldKind = Literal["text", "photo", "time", "number", "choice"]
"""``photo``: references to pictures, one word each; ``time``: RFC 3339; ``number``: decimal."""


class FieldRule(Data):
    """A field of a report. ``choices`` are the answers that a field of kind ``choice`` takes."""

    title: Title
    kind: FieldKind
    required: bool = False
    choices: dict[str, Title] = msgspec.field(default_factory=dict)


class ReportTemplate(Data):
    """A sort of trouble that customers report. The first of ``codes`` counts when none is given."""

    report: str
    title: Title
    codes: tuple[str, ...]
    fields: dict[str, FieldRule]
