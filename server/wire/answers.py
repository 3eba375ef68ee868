"""Domain structs to protobuf answers, by one table per message that is made at start-up.

A struct becomes a dictionary that a message's constructor takes; nested messages are nested
dictionaries, which protobuf reads several times faster than message objects.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from shipment_exception.v1.common_pb2 import Money

from esm.catalog import Catalogue
from esm.events import Sealed
from esm.times import Instant, micros
from server.wire.enums import words

Opener = Callable[[str, Sealed], str]
"""(tenant, sealed text) -> the text, "[erased]" when its key is gone."""

Wire = dict[str, Any]
"""A message as its constructor takes it."""

S = TypeVar("S")


class Frame:
    """What an answer needs besides the structs: whose it is, and how to write what is opaque.

    ``catalogue`` is the one in force: it says which accounts keep a case open. ``currency`` is
    that of the amounts being written; :class:`Answer` sets it on the way. ``opened`` says that
    personal text was opened since it was last set to False.
    """

    __slots__ = ("_opener", "catalogue", "currency", "opened", "position", "tenant")

    def __init__(
        self,
        tenant: str,
        catalogue: Catalogue,
        opener: Opener,
        position: Callable[[int], str],
    ) -> None:
        self.tenant = tenant
        self.catalogue = catalogue
        self._opener = opener
        self.position = position
        self.currency = ""
        self.opened = False

    def open(self, sealed: Sealed) -> str:
        """Personal text as this answer shows it; the one way to it, so that it is noted."""
        self.opened = True
        return self._opener(self.tenant, sealed)


Make = Callable[[Any, Frame], Any]
"""(struct, frame) -> value for the message; a false one leaves the field unset."""


class Answer(Generic[S]):
    """How structs of one type are written into messages of one type.

    A field comes from the attribute of its name, or from what ``sources`` says: an attribute
    path, or a function of the struct. Fields in ``elsewhere`` are the caller's. ``currency`` is
    the path of the currency of integer amounts; amounts of zero are left out unless ``zeros``.
    Raises TypeError when a field of the message has no source.
    """

    def __init__(
        self,
        message: type[Any],
        struct: type[S],
        sources: Mapping[str, str | Make] | None = None,
        *,
        elsewhere: Collection[str] = (),
        currency: str = "",
        zeros: bool = False,
        parts: Collection[Answer[Any]] = (),
    ) -> None:
        self.message = message
        self.struct = struct
        self._currency = attrgetter(currency) if currency else None
        self._parts = {(p.message.DESCRIPTOR.full_name, p.struct): p for p in parts}
        self._zeros = zeros
        self._fields = []
        plain: dict[str, str] = {}
        for field in message.DESCRIPTOR.fields:
            if field.name in elsewhere:
                continue
            source = (sources or {}).get(field.name, field.name)
            made = self._field(field, source)
            if made[2] is _same and isinstance(source, str) and not field.has_presence:
                plain[field.name] = source
            else:
                self._fields.append(made)
        # What needs no conversion is taken in one go: a case has a score of such fields.
        self._plain_names = tuple(plain)
        self._plain = _all_of(tuple(plain.values()))

    def write(self, value: S, frame: Frame) -> Wire:
        """The message of a struct as a dictionary."""
        outside = frame.currency
        if self._currency is not None:
            frame.currency = self._currency(value)
        wire: Wire = dict(zip(self._plain_names, self._plain(value), strict=True))
        for name, get, convert, always in self._fields:
            got = get(value, frame) if convert is None else get(value)
            if got or always:
                wire[name] = got if convert is None else convert(got, frame)
        frame.currency = outside
        return wire

    def _field(
        self, field: FieldDescriptor, source: str | Make
    ) -> tuple[str, Callable[..., Any], Make | None, bool]:
        if not isinstance(source, str):
            return field.name, source, None, False
        kind = _type_at(self.struct, source)
        convert = self._converter(field, kind)
        always = self._zeros and convert is write_money
        return field.name, attrgetter(source), convert, always

    def _converter(self, field: FieldDescriptor, kind: Any) -> Make:
        if field.is_repeated and field.message_type is not None:
            if get_origin(kind) is tuple:
                return _each(self._part(field.message_type, get_args(kind)[0]))
            if field.message_type.GetOptions().map_entry and get_origin(kind) is dict:
                return _same
        elif field.enum_type is not None:
            number_of = words(field.enum_type).number_of
            return _same if kind is int else lambda value, _: number_of[value]
        elif field.message_type is not None:
            return self._message(field.message_type, kind)
        elif field.type == FieldDescriptor.TYPE_STRING:
            return _string(field, kind)
        elif kind in (int, bool, bytes, float) or field.is_repeated:
            return _same
        raise TypeError(f"{field.full_name} cannot be written from {kind}")

    def _message(self, message: Descriptor, kind: Any) -> Make:
        name = message.full_name
        if name == Money.DESCRIPTOR.full_name and kind is int:
            return write_money
        if name == Timestamp.DESCRIPTOR.full_name:
            return write_instant if kind is str else write_micros
        return self._part(message, kind).write

    def _part(self, descriptor: Descriptor, kind: Any) -> Answer[Any]:
        known = self._parts.get((descriptor.full_name, kind))
        if known is not None:
            return known
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            raise TypeError(f"{descriptor.full_name} cannot be written from {kind}")
        return Answer(
            GetMessageClass(descriptor), kind, zeros=self._zeros, parts=self._parts.values()
        )


def _all_of(paths: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that gets the attributes of all paths at once."""
    if len(paths) > 1:
        return attrgetter(*paths)
    getters = [attrgetter(path) for path in paths]
    return lambda value: tuple(get(value) for get in getters)


def write_money(minor_units: int, frame: Frame) -> Wire:
    """An amount in the currency at hand."""
    return {"currency": frame.currency, "minor_units": minor_units}


def write_instant(value: Instant, frame: Frame) -> Wire:
    """An instant as a Timestamp."""
    return write_micros(micros(value), frame)


def write_micros(value: int, _frame: Frame) -> Wire:
    """Microseconds UTC since 1970 as a Timestamp."""
    seconds, rest = divmod(value, 1_000_000)
    return {"seconds": seconds, "nanos": rest * 1_000}


def _same(value: Any, _frame: Frame) -> Any:
    return value


def _open(value: Sealed, frame: Frame) -> str:
    return frame.open(value)


def _position(value: int, frame: Frame) -> str:
    return frame.position(value)


def _text(value: object, _frame: Frame) -> str:
    return str(value)


def _string(field: FieldDescriptor, kind: Any) -> Make:
    if kind is Sealed:
        return _open
    if field.name == "position" and kind is int:
        return _position
    if kind is UUID or (field.name == "etag" and kind is int):
        return _text
    if kind is str or (field.is_repeated and kind == tuple[str, ...]):
        return _same
    raise TypeError(f"{field.full_name} cannot be written from {kind}")


def _each(part: Answer[Any]) -> Make:
    def write_all(values: tuple[Any, ...], frame: Frame) -> list[Wire]:
        return [part.write(value, frame) for value in values]

    return write_all


def _type_at(struct: type[Any], path: str) -> Any:
    """The type of a dotted attribute path without ``| None``; of a property what it returns."""
    kind: Any = struct
    for name in path.split("."):
        declared = {f.name: f.type for f in msgspec.structs.fields(kind)}
        if name in declared:
            kind = declared[name]
        elif isinstance(getattr(kind, name, None), property):
            kind = get_type_hints(getattr(kind, name).fget)["return"]
        else:
            raise TypeError(f"{kind.__name__} has no {name}")
        if get_origin(kind) in (Union, UnionType):
            (kind,) = (arg for arg in get_args(kind) if arg is not NoneType)
    return kind
