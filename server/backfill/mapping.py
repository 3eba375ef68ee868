"""The mapping language: which columns and values of a history mean what. Data, never code."""

import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final, dataclass_transform
from zoneinfo import ZoneInfo

import msgspec

MOMENT = "@moment"
"""Column that a named time column adds: the name of the moment that the row stands for."""

FACTS: Final = "facts"
"""Key that says what the rows of a mapping are."""

SIGNALS: Final = "signals"
"""What they are when nothing is said."""

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


class TimeValue(Data):
    """A time in a column. ``format``: iso, unix, unix_ms, or one of strptime.

    ``zone`` holds for times that name none. With ``end_of_day`` the last microsecond of that day
    is meant, as the zone counts days: what is promised for a date is kept all day.
    """

    column: Text
    format: Text = "iso"
    zone: Text = "UTC"
    end_of_day: bool = False


class TimeColumn(TimeValue):
    """A column with the time of a row.

    Columns without a ``moment``, or with the same one, stand in for each other: the first filled
    one counts. Each different moment makes a row of its own, with the moment's name in the column
    ``@moment``. A row in which no time is filled is bad, unless all its columns are ``optional``.
    """

    moment: str = ""
    optional: bool = False


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


class NumberRule(Data):
    """A carrier's number of a shipment; a row without one says nothing of it."""

    number: Value
    carrier: Value = ""
    piece: Value = ""


class ShipmentRule(Data):
    """What a row says of a shipment; rows with the same shipment code add to each other."""

    order_id: Value
    shipment_code: Value
    carrier: Value = ""
    service: Value = ""
    lane: Value = ""
    destination: Value = ""
    untracked: bool = False
    labelled_at: TimeValue | None = None
    handed_over_at: TimeValue | None = None
    promised_at: TimeValue | None = None
    numbers: tuple[NumberRule, ...] = ()
    pieces: tuple[Value, ...] = ()


class CheckpointRule(Data):
    """What a row says of a tracking fact, at the time of the row.

    It names the parcel by our ``shipment_code`` or by the carrier's ``number``, and what happened
    by ``status`` or by a ``raw_code`` of the feed. Without a ``source_id`` the row's key is one.
    """

    feed: Value
    source_id: Value = ""
    shipment_code: Value = ""
    number: Value = ""
    carrier: Value = ""
    piece: Value = ""
    status: Value = ""
    raw_code: Value = ""
    raw_text: Value = ""
    place: Value = ""
    station: Value = ""
    courier: Value = ""
    signer: Value = ""


class Mapping(Data):
    """What every mapping says. ``name`` goes into every id: with another one all is new.

    ``key`` are the columns that make a row unique wherever it stands (all, without it);
    ``sequence`` is the column of whole numbers that orders rows of one instant. ``files`` are
    patterns of the names of the files that it is for, all files without one.
    """

    name: Text
    time: Annotated[tuple[TimeColumn, ...], msgspec.Meta(min_length=1)]
    key: tuple[Text, ...] = ()
    sequence: str = ""
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    files: tuple[Text, ...] = ()

    def columns(self) -> frozenset[str]:
        """Every column that the mapping names."""
        named = {*self.key, *([self.sequence] if self.sequence else [])}
        return frozenset((named | set(_columns(self))) - {MOMENT})

    def takes(self, path: Path) -> bool:
        """Whether the mapping is for a file."""
        return not self.files or any(fnmatchcase(path.name, pattern) for pattern in self.files)


class ShipmentsMapping(Mapping, kw_only=True, tag_field=FACTS, tag="shipments"):
    """Rows are shipments to watch."""

    shipment: ShipmentRule


class CheckpointsMapping(Mapping, kw_only=True, tag_field=FACTS, tag="checkpoints"):
    """Rows are tracking facts."""

    checkpoint: CheckpointRule


class SignalsMapping(Mapping, kw_only=True, tag_field=FACTS, tag=SIGNALS):
    """Rows are signals and what was done about them."""

    subject: SubjectRule
    open: OpenRule
    level: LevelRule | None = None
    owner: OwnerRule | None = None
    verify: tuple[VerifyRule, ...] = ()
    note: tuple[NoteRule, ...] = ()
    wait: WaitRule | None = None
    complete: CompleteRule | None = None
    reopen: ReopenRule | None = None


AnyMapping = SignalsMapping | ShipmentsMapping | CheckpointsMapping
_Tables = Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1)]


def load(path: Path) -> tuple[AnyMapping, ...]:
    """The mappings of a file. Raises :class:`MappingError`, also when there is none."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, MappingError) as error:
        raise MappingError(f"{path}: {error}") from error


def parse(text: str) -> tuple[AnyMapping, ...]:
    """What a TOML text says: one mapping, or a list of them under ``mapping``.

    Raises :class:`MappingError`.
    """
    try:
        raw = tomllib.loads(text)
        several = msgspec.convert(raw["mapping"], _Tables) if set(raw) == {"mapping"} else [raw]
        named = [{FACTS: SIGNALS} | each for each in several]
        mappings = msgspec.convert(named, tuple[AnyMapping, ...])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise MappingError(str(error)) from error
    for mapping in mappings:
        _check(mapping)
    names = [mapping.name for mapping in mappings]
    if len(set(names)) < len(names):
        raise MappingError(f"each mapping has a name of its own, not twice: {', '.join(names)}")
    return mappings


def _check(mapping: AnyMapping) -> None:
    for time in _times(mapping):
        try:
            ZoneInfo(time.zone)
        except (ValueError, OSError, LookupError) as error:
            raise MappingError(f"unknown time zone {time.zone!r}") from error
    if isinstance(mapping, CheckpointsMapping):
        rule = mapping.checkpoint
        if not (rule.shipment_code or rule.number):
            raise MappingError("checkpoint: give a shipment_code or a number")
        if not (rule.status or rule.raw_code):
            raise MappingError("checkpoint: give a status or a raw_code")
    if isinstance(mapping, SignalsMapping) and mapping.owner is not None:
        owner = mapping.owner
        if not (owner.owner or owner.team):
            raise MappingError("owner: give an owner, a team or both")


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
    for each in _parts(part):
        if isinstance(each, From | Test | TimeValue):
            yield each.column


def _times(part: Any) -> Iterator[TimeValue]:
    for each in _parts(part):
        if isinstance(each, TimeValue):
            yield each


def _parts(part: Any) -> Iterator[Data]:
    """A part of a mapping and all parts in it, however deep."""
    if isinstance(part, tuple):
        for item in part:
            yield from _parts(item)
    elif isinstance(part, Data):
        yield part
        for name in part.__struct_fields__:
            yield from _parts(getattr(part, name))
