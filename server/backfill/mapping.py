"""The mapping language: which columns and values of a history mean what. Data, never code."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, dataclass_transform
from zoneinfo import ZoneInfo

import msgspec

MOMENT = "@moment"
"""Column that a named time column adds: the name of the moment that the row stands for."""

Text = Annotated[str, msgspec.Meta(min_length=1)]
Texts = Text | tuple[Text, ...]


class MappingError(ValueError):
    """A mapping that cannot be used; the text says why."""


class NoValue(ValueError):
    """A row for which a column, table or list of cases gives nothing; the text says which."""


# Type checkers do not see what subclasses inherit from these options, so they are told.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything that a mapping says; an unknown key is an error."""


class Pattern(Data):
    """What a text may be like; every key that is given must hold, each by any of its texts."""

    equals: Texts = ()
    unlike: Texts = ()
    prefix: Texts = ()
    suffix: Texts = ()

    def fits(self, text: str) -> bool:
        """Whether a text is like this."""
        return (
            (not self.equals or text in _all(self.equals))
            and (not self.unlike or text not in _all(self.unlike))
            and (not self.prefix or text.startswith(_all(self.prefix)))
            and (not self.suffix or text.endswith(_all(self.suffix)))
        )


class Test(Pattern, kw_only=True):
    """A test of one column of a row; without a pattern: that the column is filled."""

    __test__ = False  # not one of pytest's
    column: Text

    def holds(self, fields: dict[str, str]) -> bool:
        """Whether the row passes."""
        text = fields.get(self.column, "")
        if not (self.equals or self.unlike or self.prefix or self.suffix):
            return bool(text)
        return self.fits(text)


class Choice(Pattern, kw_only=True):
    """A value for texts that are like something."""

    value: str


class From(Data):
    """A value that a column gives: its own text, or what a table or the first fitting case says.

    ``default`` stands for a text that neither knows; without one such a row is bad.
    """

    column: Text
    table: dict[str, str] = {}
    cases: tuple[Choice, ...] = ()
    default: str | None = None

    def of(self, fields: dict[str, str]) -> str:
        """The value for a row. Raises :class:`NoValue`."""
        text = fields.get(self.column, "")
        if text in self.table:
            return self.table[text]
        for case in self.cases:
            if case.fits(text):
                return case.value
        if self.default is not None and (self.table or self.cases or not text):
            return self.default
        if self.table or self.cases:
            raise NoValue(f"column {self.column!r}: nothing is said about {text!r}")
        return text


Value = str | From
When = Test | tuple[Test, ...]


class TimeColumn(Data):
    """A column with a time. ``format``: iso, unix, unix_ms, or one of strptime.

    ``zone`` holds for times that name none. Columns without a ``moment``, or with the same one,
    stand in for each other: the first filled one counts. Each different moment makes a row of
    its own, with the moment's name in the column ``@moment``.
    """

    column: Text
    format: Text = "iso"
    zone: Text = "UTC"
    moment: str = ""


class SubjectRule(Data):
    """What a row is about; rows with the same three values are of one case."""

    order_id: Value
    shipment_code: Value = ""
    piece: Value = ""


class OpenRule(Data):
    """Which row opens a case (the first one, without a test), and what stands in it.

    ``none_yet``: no tracking fact existed, we looked at the time of the row.
    """

    when: When = ()
    code: Value = ""
    kind: Value = "alert"
    feed: Value = ""
    source_id: Value = ""
    raw_code: Value = ""
    person: Value = ""
    failing_check: Value = ""
    none_yet: bool = False


class LevelRule(Data):
    """The response level (1, 2 or 3) of a row; another one than before moves the case."""

    value: Value
    reason: Value


class OwnerRule(Data):
    """The owner, or the team of the catalogue, of a row; another one than before assigns."""

    owner: Value = ""
    team: Value = ""


class VerifyRule(Data):
    """The checklist item that the first fitting row of a case ticks (the opening row, untested)."""

    item: Text
    when: When = ()
    finding: Value = ""


class NoteRule(Data):
    """A note, for each fitting row whose text is not that of the row before."""

    text: Value
    when: When = ()


class WaitRule(Data):
    """On whom a row waits, "" for nobody; another one than before starts or ends a waiting."""

    party: Value


class CompleteRule(Data, kw_only=True):
    """Which rows finish the customer's side of a case that is not finished."""

    when: When
    resolution: Value = "EXPLAINED"
    summary: Value


class ReopenRule(Data):
    """Which rows take a finished case back into work."""

    when: When
    reason: Value


class Mapping(Data):
    """A whole mapping. ``name`` goes into every request id: with another one all is new.

    ``key`` are the columns that make a row unique wherever it stands (all, without it);
    ``sequence`` is the column of whole numbers that orders rows of one instant.
    """

    name: Text
    time: Annotated[tuple[TimeColumn, ...], msgspec.Meta(min_length=1)]
    subject: SubjectRule
    open: OpenRule
    key: tuple[Text, ...] = ()
    sequence: str = ""
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    level: LevelRule | None = None
    owner: OwnerRule | None = None
    verify: tuple[VerifyRule, ...] = ()
    note: tuple[NoteRule, ...] = ()
    wait: WaitRule | None = None
    complete: CompleteRule | None = None
    reopen: ReopenRule | None = None

    def columns(self) -> frozenset[str]:
        """Every column that the mapping names."""
        named = {*self.key, *([self.sequence] if self.sequence else [])}
        return frozenset((named | set(_columns(self))) - {MOMENT})


def load(path: Path) -> Mapping:
    """The mapping of a file. Raises :class:`MappingError`, also when there is none."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, MappingError) as error:
        raise MappingError(f"{path}: {error}") from error


def parse(text: str) -> Mapping:
    """The mapping that a TOML text says. Raises :class:`MappingError`."""
    try:
        mapping = msgspec.convert(tomllib.loads(text), Mapping)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise MappingError(str(error)) from error
    for time in mapping.time:
        try:
            ZoneInfo(time.zone)
        except (ValueError, OSError, LookupError) as error:
            raise MappingError(f"unknown time zone {time.zone!r}") from error
    if mapping.owner is not None and not (mapping.owner.owner or mapping.owner.team):
        raise MappingError("owner: give an owner, a team or both")
    return mapping


def value_of(value: Value, fields: dict[str, str]) -> str:
    """The constant, or what the column gives. Raises :class:`NoValue`."""
    return value if isinstance(value, str) else value.of(fields)


def holds(when: When, fields: dict[str, str]) -> bool:
    """Whether the test, or any of several, holds; no test at all holds for every row."""
    tests = (when,) if isinstance(when, Test) else when
    return not tests or any(test.holds(fields) for test in tests)


def _all(texts: Texts) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else texts


def _columns(part: Any) -> Iterator[str]:
    """The columns that the parts of a mapping name, however deep."""
    if isinstance(part, tuple):
        for item in part:
            yield from _columns(item)
    elif isinstance(part, Data):
        if isinstance(part, From | Test | TimeColumn):
            yield part.column
        for name in part.__struct_fields__:
            yield from _columns(getattr(part, name))
