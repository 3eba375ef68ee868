"""Reads catalogue files, packaged ones overlaid by an operator's, into a checked Catalogue."""

import hashlib
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec

from esm.catalog.checks import check
from esm.catalog.data import Status, Title
from esm.catalog.model import (
    Account,
    Catalogue,
    CatalogueError,
    ChargeKind,
    Compensation,
    ExceptionType,
    Exponent,
    LegalEntity,
    Postings,
    Remedy,
    Resolution,
    Source,
    Tables,
    Views,
)
from esm.catalog.reports import ReportTemplate
from esm.catalog.rules import Clearing, Guard, Rule, Service, Words

# A folder holds one entry per file; the file's name must be what the entry calls itself.
_FOLDERS: Mapping[str, tuple[str, Any]] = {
    "types": ("code", ExceptionType),
    "sources": ("feed", Source),
    "remedies": ("kind", Remedy),
    "rules": ("rule", Rule),
    "reports": ("report", ReportTemplate),
}
_FILES: Mapping[str, Any] = {
    "checklist": dict[str, Title],
    "teams": dict[str, Title],
    "resolutions": dict[str, Resolution],
    "accounts": dict[str, Account],
    "postings": Postings,
    "charges": dict[str, ChargeKind],
    "ledgers": dict[str, LegalEntity],
    "currencies": dict[str, Exponent],
    "compensation": Compensation,
    "views": Views,
    "services": dict[str, Service],
    "clearings": dict[Status, Clearing],
    "words": dict[str, Words],
    "status_words": dict[Status, Words],
    "guards": dict[Guard, Words],
}
_SUFFIX = ".toml"


def load(directory: Path | None = None) -> Catalogue:
    """The packaged catalogue, overlaid file by file by an operator's directory.

    A file of the directory replaces the packaged file of the same relative path whole, or adds
    an entry. Raises CatalogueError with every problem of every file.
    """
    texts = _texts(files(__package__))
    if directory is not None:
        if not directory.is_dir():
            raise CatalogueError([f"{directory}: no such directory"])
        texts |= _texts(directory)
    tables, problems = _tables(texts)
    if tables is None:
        raise CatalogueError(problems)
    problems = check(tables)
    if problems:
        raise CatalogueError(problems)
    return _catalogue(tables, _canonical(tables))


def parse(content: bytes) -> Catalogue:
    """The catalogue that was published as ``content``; its digest is that of these very bytes.

    What was published is history, so it is not judged by today's checks. Raises CatalogueError
    when the bytes are no catalogue.
    """
    try:
        tables = msgspec.convert(_upcast(msgspec.json.decode(content)), Tables)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CatalogueError([f"published catalogue: {error}"]) from error
    return _catalogue(tables, content)


def _upcast(content: Any) -> Any:
    """Published content in today's shape; what is no catalogue stays as it is.

    At first a source had no zone, and named only the raw codes that open a case, each with our
    code.
    """
    sources = content.get("sources") if isinstance(content, dict) else None
    for source in sources.values() if isinstance(sources, dict) else ():
        codes = source.get("codes") if isinstance(source, dict) else None
        if isinstance(codes, dict) and "zone" not in source:
            source["zone"] = "UTC"
            source["codes"] = {
                raw: {"title": {"zh": raw, "en": raw}, "status": "problem", "opens": code}
                for raw, code in codes.items()
            }
    return content


def _catalogue(tables: Tables, content: bytes) -> Catalogue:
    fields = {name: getattr(tables, name) for name in Tables.__struct_fields__}
    money = _canonical({"accounts": tables.accounts, "postings": tables.postings})
    return Catalogue(
        **fields,
        content=content,
        digest=hashlib.sha256(content).hexdigest(),
        postings_digest=hashlib.sha256(money).hexdigest(),
    )


def _canonical(value: object) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def _texts(root: Traversable) -> dict[str, bytes]:
    """The TOML files of a catalogue folder and of the folders in it, by relative path."""
    found: dict[str, bytes] = {}
    for entry in root.iterdir():
        if entry.name.endswith(_SUFFIX):
            found[entry.name] = entry.read_bytes()
        elif entry.is_dir():
            for inner in entry.iterdir():
                if inner.name.endswith(_SUFFIX):
                    found[f"{entry.name}/{inner.name}"] = inner.read_bytes()
    return found


def _tables(texts: Mapping[str, bytes]) -> tuple[Tables | None, list[str]]:
    """The files as tables, or None and what is wrong with which file."""
    parts: dict[str, Any] = {folder: {} for folder in _FOLDERS}
    problems: list[str] = []
    for path in sorted(texts):
        try:
            _read(parts, path, texts[path])
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            problems.append(f"{path}: {error}")
        except CatalogueError as error:
            problems.extend(error.problems)
    missing = [name for name in _FILES if f"{name}{_SUFFIX}" not in texts]
    problems.extend(f"{name}{_SUFFIX}: missing" for name in missing)
    if problems:
        return None, problems
    try:
        return msgspec.convert(parts, Tables), []
    except msgspec.ValidationError as error:
        return None, [f"catalogue: {error}"]


def _read(parts: dict[str, Any], path: str, text: bytes) -> None:
    folder, _, name = path.removesuffix(_SUFFIX).rpartition("/")
    known = name in _FILES if folder == "" else folder in _FOLDERS
    if not known:
        raise CatalogueError([f"{path}: not a file of the catalogue"])
    raw = tomllib.loads(text.decode("utf-8"))
    if folder == "":
        parts[name] = msgspec.convert(raw, _FILES[name])
        return
    key, kind = _FOLDERS[folder]
    if folder == "sources":
        _refuse_plain_codes(path, raw)
    entry = msgspec.convert(raw, kind)
    if getattr(entry, key) != name:
        raise CatalogueError([f"{path}: {key} is {getattr(entry, key)!r}, not {name!r}"])
    parts[folder][name] = entry


def _refuse_plain_codes(path: str, raw: Mapping[str, Any]) -> None:
    """Refuse raw codes that only name a code of ours, as at first, and show today's shape."""
    codes = raw.get("codes")
    plain = {
        code: value
        for code, value in (codes.items() if isinstance(codes, dict) else ())
        if isinstance(value, str)
    }
    if plain:
        shape = 'title = {{ zh = "...", en = "..." }}, status = "problem", opens = "{}"'
        raise CatalogueError(
            [
                f'{path}: {code!r} is plain text; write a table [codes."{code}"] with '
                + shape.format(value)
                for code, value in plain.items()
            ]
        )
