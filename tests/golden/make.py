"""Writes the golden file of every topic that has none; never touches one that is there.

Run as ``python -m tests.golden.make`` after adding an event or a new version of one.
"""

from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from esm.codec import TOPICS, encode

FOLDER = Path(__file__).resolve().parent / "events"


def filled(struct: type[msgspec.Struct]) -> Any:
    """A struct with every field filled, the parts of its parts too."""
    fields = msgspec.structs.fields(struct)
    return struct(**{field.name: value_of(field.name, field.type) for field in fields})


def value_of(name: str, kind: Any) -> Any:
    """A value of a type that is none of its defaults."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (kind,) = (each for each in arguments if each is not NoneType)
        return value_of(name, kind)
    if origin is tuple:
        return (value_of(name, arguments[0]),)
    if origin in (dict, Mapping):
        return {f"{name}-key": value_of(name, arguments[1])}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return filled(kind)
    plain: dict[Any, Any] = {str: f"{name} 值", int: 7, bool: True, bytes: b"\x00\xffbox"}
    return plain[kind]


def main() -> None:
    """Write what is missing."""
    FOLDER.mkdir(exist_ok=True)
    for topic, event in TOPICS.items():
        path = FOLDER / f"{topic}.json"
        if not path.exists():
            path.write_bytes(encode(filled(event)))


if __name__ == "__main__":
    main()
