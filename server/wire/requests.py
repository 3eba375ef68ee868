"""Protobuf requests to command structs, by one table per message that is made at start-up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Generic, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from esm.errors import InvalidCommand, Violation
from esm.times import Instant, instant
from server.wire.enums import words

WORD_CHARS_MAX = 200
"""Longest id, code, kind or reference of a request; the domain allows less where it can."""

TEXT_CHARS_MAX = 10_000
"""Longest free text of a request; the domain allows less where it can."""

REPEATED_MAX = 500
"""Most elements of a repeated field, and most items of a batch."""

REQUEST_ID_CHARS_MAX = 128

TEXT_FIELDS = frozenset(
    {"text", "reason", "summary", "finding", "explanation", "note", "raw_text", "values"}
)
"""Fields that hold free text of people."""

HEADER_FIELDS = frozenset({"occurred_at", "request_id", "validate_only"})
"""Fields that every command request has besides those of its command; one that names what it
changes has an ``etag`` too, and the one that sets the time has no ``occurred_at``."""

_SOMETIMES = frozenset({"etag", "occurred_at"})

_SECONDS_MIN = -62_135_596_800  # 0001-01-01T00:00:00Z
_SECONDS_MAX = 253_402_300_799  # 9999-12-31T23:59:59Z
_NANOS_MAX = 999_999_999
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_REQUEST_ID = re.compile(f"[!-~]{{1,{REQUEST_ID_CHARS_MAX}}}")

S = TypeVar("S", bound=msgspec.Struct)
Convert = Callable[[Any, str, list[Violation]], Any]
"""(wire value, path of the field, violations found so far) -> domain value."""


class Header(NamedTuple):
    """What a command request says besides its command; "" and False mean not said."""

    occurred: Instant
    request_id: str
    etag: str
    validate_only: bool


class Request(Generic[S]):
    """How messages of one type are read into structs of one type.

    Raises TypeError when a field of either has no counterpart, so that a gap in the API shows
    when the program starts.
    """

    def __init__(self, message: type[Message], struct: type[S], *, header: bool = False) -> None:
        self.message = message
        self.struct = struct
        descriptor = message.DESCRIPTOR
        ours = {field.name: field for field in msgspec.structs.fields(struct)}
        theirs: dict[str, Any] = dict(descriptor.fields_by_name)
        expected = set(ours)
        if header:
            expected |= (HEADER_FIELDS - {"occurred_at"}) | (_SOMETIMES & set(theirs))
        if header and _HEADER.keys() & ours.keys():
            raise TypeError(f"{struct.__name__} has a field of a request's header")
        if expected != set(theirs):
            names = ", ".join(sorted(expected ^ set(theirs)))
            raise TypeError(f"{descriptor.full_name} and {struct.__name__} differ in: {names}")
        converters = {n: _converter(theirs[n], f.type) for n, f in ours.items()}
        self._fields = {
            field: (name, converters.get(name) or _HEADER[name]) for name, field in theirs.items()
        }
        # A message does not carry a value at its default, so absent and default are the same.
        self._base = {
            f.name: f.type() for f in ours.values() if f.required and f.type in (str, int, bool)
        }
        self._needed = [f.name for f in ours.values() if f.required and f.name not in self._base]

    def read(self, message: Message, path: str, found: list[Violation]) -> S:
        """The struct of a message; what is wrong with it is added to ``found``.

        With violations added the result may be anything and must not be used.
        """
        return self.struct(**self._values(message, path, found))

    def command(self, message: Message) -> tuple[S, Header]:
        """Command and header of a request. Raises :class:`InvalidCommand`."""
        found: list[Violation] = []
        values = self._values(message, "", found)
        take = values.pop
        header = Header(
            take("occurred_at", ""),
            take("request_id", ""),
            take("etag", ""),
            take("validate_only", False),
        )
        if found:
            raise InvalidCommand(found)
        return self.struct(**values), header

    def _values(self, message: Message, path: str, found: list[Violation]) -> dict[str, Any]:
        """The fields of the struct, and those of the header as far as they are set."""
        values: dict[str, Any] = dict(self._base)
        for field, value in message.ListFields():
            name, convert = self._fields[field]
            values[name] = convert(value, path + name, found)
        for name in self._needed:
            if name not in values:
                found.append(Violation(path + name, "is required"))
                values[name] = None
        return values


def read_instant(value: Timestamp, path: str, found: list[Violation]) -> Instant:
    """The instant of a timestamp, cut to microseconds; a value out of range is a violation."""
    seconds, nanos = value.seconds, value.nanos
    if not (_SECONDS_MIN <= seconds <= _SECONDS_MAX and 0 <= nanos <= _NANOS_MAX):
        text = "must lie in the years 1 to 9999, with nanos from 0 to 999,999,999"
        found.append(Violation(path, text))
        return ""
    return instant(seconds * 1_000_000 + nanos // 1_000)


def _word(value: str, path: str, found: list[Violation]) -> str:
    if len(value) > WORD_CHARS_MAX:
        found.append(Violation(path, f"must have at most {WORD_CHARS_MAX} characters"))
    elif not value.isprintable() and _CONTROL.search(value):  # the first is much cheaper
        found.append(Violation(path, "must not hold control characters"))
    return value


def _text(value: str, path: str, found: list[Violation]) -> str:
    if len(value) > TEXT_CHARS_MAX:
        found.append(Violation(path, f"must have at most {TEXT_CHARS_MAX} characters"))
    elif "\0" in value:
        found.append(Violation(path, "must not hold the character NUL"))
    return value


def _request_id(value: str, path: str, found: list[Violation]) -> str:
    if not _REQUEST_ID.fullmatch(value):
        text = f"must be 1 to {REQUEST_ID_CHARS_MAX} visible ASCII characters"
        found.append(Violation(path, text))
    return value


def _same(value: Any, _path: str, _found: list[Violation]) -> Any:
    return value


_HEADER: Mapping[str, Convert] = {
    "occurred_at": read_instant,
    "request_id": _request_id,
    "etag": _word,
    "validate_only": _same,
}
"""How the fields of a header are read."""


def _converter(field: FieldDescriptor, declared: Any) -> Convert:
    kind = _plain(declared)
    if field.is_repeated:
        return _many(_single(field, _element(kind)))
    return _single(field, kind)


def _single(field: FieldDescriptor, kind: Any) -> Convert:
    if field.enum_type is not None:
        return _enum(field.enum_type, words_wanted=kind is str)
    if field.message_type is not None:
        if field.message_type.full_name == Timestamp.DESCRIPTOR.full_name:
            return read_instant
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return _nested(Request(GetMessageClass(field.message_type), kind))
    elif kind is str and field.type == FieldDescriptor.TYPE_STRING:
        return _text if field.name in TEXT_FIELDS else _word
    elif kind in (int, bool) and field.type != FieldDescriptor.TYPE_STRING:
        return _same
    raise TypeError(f"{field.full_name} cannot be read into {kind}")


def _nested(request: Request[Any]) -> Convert:
    def convert(value: Message, path: str, found: list[Violation]) -> Any:
        return request.read(value, f"{path}.", found)

    return convert


def _many(convert: Convert) -> Convert:
    def convert_all(values: Sequence[Any], path: str, found: list[Violation]) -> Any:
        if len(values) > REPEATED_MAX:
            found.append(Violation(path, f"must have at most {REPEATED_MAX} elements"))
            return ()
        return tuple(convert(v, f"{path}[{i}]", found) for i, v in enumerate(values))

    return convert_all


def _enum(enum: EnumDescriptor, *, words_wanted: bool) -> Convert:
    table: Mapping[int, Any] = words(enum).word_of
    names = ", ".join(value.name for value in enum.values)
    if not words_wanted:
        table = {number: number for number in table}

    def convert(value: int, path: str, found: list[Violation]) -> Any:
        if value not in table:
            found.append(Violation(path, f"has no value {value}; allowed: {names}"))
        return table.get(value)

    return convert


def _plain(declared: Any) -> Any:
    """The declared type without ``| None``."""
    if get_origin(declared) in (Union, UnionType):
        (kind,) = (arg for arg in get_args(declared) if arg is not NoneType)
        return kind
    return declared


def _element(kind: Any) -> Any:
    if get_origin(kind) is not tuple:
        raise TypeError(f"a repeated field needs a tuple, not {kind}")
    return get_args(kind)[0]
