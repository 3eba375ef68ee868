"""Why a request in JSON form is no message of the API, field by field and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from reprlib import repr as shortened
from typing import Any, Final

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

TIME: Final = "is no time; write RFC 3339 with a zone, for example 2026-03-01T08:00:00Z"

_SCALARS: Final = {
    FieldDescriptor.CPPTYPE_STRING: "is no text",
    FieldDescriptor.CPPTYPE_BOOL: "is neither true nor false",
    FieldDescriptor.CPPTYPE_DOUBLE: "is no number",
    FieldDescriptor.CPPTYPE_FLOAT: "is no number",
}
_TIMESTAMP: Final = Timestamp.DESCRIPTOR.full_name


def is_time(text: str) -> bool:
    """Whether the API takes a text as a moment."""
    try:
        Timestamp().FromJsonString(text)
    except ValueError:
        return False
    return True


def faults_of(
    request: Mapping[str, Any], kind: type[Message], path: str = ""
) -> Iterator[tuple[str, str]]:
    """Every field of a request that the API does not take, and why; nothing for what it takes."""
    known = kind.DESCRIPTOR.fields_by_name
    fields = {**{each.json_name: each for each in known.values()}, **known}
    for name, value in request.items():
        place = f"{path}{name}"
        field = fields.get(name)
        if field is None:
            yield place, f"is no field; there are: {', '.join(known)}"
        elif not _fits(kind, {name: value}):
            yield from _in_field(kind, field, value, place)


def _in_field(kind: type[Message], field: Any, value: Any, place: str) -> Iterator[tuple[str, str]]:
    if not field.is_repeated:
        yield from _in_value(field, value, place)
    elif not isinstance(value, list):
        yield place, f"{shortened(value)} is no list"
    else:
        for index, each in enumerate(value):
            if not _fits(kind, {field.name: [each]}):
                yield from _in_value(field, each, f"{place}[{index}]")


def _in_value(field: Any, value: Any, place: str) -> Iterator[tuple[str, str]]:
    said = shortened(value)
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        if field.message_type.full_name == _TIMESTAMP:
            yield place, f"{said} {TIME}"
        elif isinstance(value, Mapping):
            inside = message_factory.GetMessageClass(field.message_type)
            yield from faults_of(value, inside, f"{place}.")
        else:
            yield place, f"{said} is no object"
    elif field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        words = ", ".join(each.name for each in field.enum_type.values if each.number)
        yield place, f"{said} is none of: {words}"
    else:
        yield place, f"{said} {_SCALARS.get(field.cpp_type, 'is no whole number in range')}"


def _fits(kind: type[Message], part: dict[str, Any]) -> bool:
    try:
        json_format.ParseDict(part, kind())
    except json_format.ParseError:
        return False
    return True
