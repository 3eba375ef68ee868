"""Which class and which platform type of the desk a case belongs to, by the catalogue's views."""

from typing import NamedTuple

from esm.catalog.model import Catalogue, Tables


class Members(NamedTuple):
    """What a case must be to belong: one of ``codes`` or, when ``excluded``, none of them.

    ``first_source`` is the kind that its first source must have besides, "" for any.
    """

    codes: tuple[str, ...]
    excluded: bool = False
    first_source: str = ""


def class_of(tables: Tables, code: str) -> str:
    """The class of a code; "" for a code that the catalogue does not hold."""
    classes = tables.views.classes
    for name, class_ in classes.items():
        if code in class_.codes:
            return name
    type_ = tables.types.get(code)
    if type_ is not None:
        for name, class_ in classes.items():
            if type_.category in class_.categories:
                return name
    return ""


def platform_type_of(tables: Tables, code: str, first_source: str) -> str:
    """The platform type of a case by its code and the kind of its first source, "" for none."""
    rest = ""
    for name, type_ in tables.views.platform_types.items():
        if code in type_.codes:
            return name
        if type_.first_source and type_.first_source == first_source:
            rest = name
    return rest


def class_members(catalogue: Catalogue, name: str) -> Members:
    """The members of a class; no code when the catalogue has no such class."""
    return Members(tuple(code for code in catalogue.types if class_of(catalogue, code) == name))


def platform_type_members(catalogue: Catalogue, name: str) -> Members:
    """The members of a platform type; no code when the catalogue has no such type."""
    types = catalogue.views.platform_types
    found = types.get(name)
    if found is None:
        return Members(())
    if not found.first_source:
        return Members(found.codes)
    others = tuple(code for type_ in types.values() for code in type_.codes)
    return Members(others, excluded=True, first_source=found.first_source)
