"""Customers' reports by a template of the catalogue: checked field by field, then sealed."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from esm.catalog import Catalogue
from esm.catalog.reports import FieldKind, FieldRule
from esm.checks import Checks
from esm.commands import Report

REPORTERS: Final = ("customer", "person")
"""Kinds of signals that come with a report: the customer, or somebody for him."""

PHOTOS_MAX: Final = 20

_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")


def check_report(
    report: Report, code: str, kind: str, catalogue: Catalogue, checks: Checks
) -> None:
    """Check a report against its template; paths are like ``report.fields[photos]``."""
    if kind:
        checks.require(
            kind in REPORTERS, "report", f"comes with a signal of kind {' or '.join(REPORTERS)}"
        )
    template = catalogue.reports.get(report.template)
    if template is None:
        known = ", ".join(catalogue.reports) or "none"
        checks.refuse("report.template", f"{report.template!r} is not one of: {known}")
        return
    if code:
        checks.one_of("code", code, template.codes)
    names = [field.name for field in report.fields]
    for name in dict.fromkeys(names):
        path = f"report.fields[{name}]"
        if names.count(name) > 1:
            checks.refuse(path, "is given twice")
        if name not in template.fields:
            checks.refuse(path, f"is not one of: {', '.join(template.fields)}")
    given = {field.name: field.values for field in report.fields}
    for name, rule in template.fields.items():
        _check_field(f"report.fields[{name}]", given.get(name, ()), rule, checks)


def code_of_report(report: Report, catalogue: Catalogue) -> str:
    """The code of a report that names none, "" when its template is unknown."""
    template = catalogue.reports.get(report.template)
    return template.codes[0] if template is not None else ""


def sealed_answers(report: Report) -> str:
    """The text that is sealed: a JSON object of lists by the field's name."""
    answers = {field.name: field.values for field in report.fields if any(field.values)}
    return msgspec.json.encode(answers, order="sorted").decode()


def opened_answers(text: str) -> dict[str, list[str]]:
    """What :func:`sealed_answers` wrote; one answer without a name for what is no such text."""
    try:
        return msgspec.json.decode(text, type=dict[str, list[str]])
    except msgspec.DecodeError:
        return {"": [text]}


def _check_field(path: str, values: tuple[str, ...], rule: FieldRule, checks: Checks) -> None:
    given = [value for value in values if value.strip()]
    if not given:
        checks.require(not rule.required, path, "is required")
        return
    most = PHOTOS_MAX if rule.kind == "photo" else 1
    if len(given) > most:
        checks.refuse(path, f"has {len(given)} values, at most {most}")
        return
    for value in given:
        _KINDS[rule.kind](path, value, rule, checks)


def _text(path: str, value: str, _rule: FieldRule, checks: Checks) -> None:
    checks.text(path, value)


def _photo(path: str, value: str, _rule: FieldRule, checks: Checks) -> None:
    checks.reference(path, value)


def _time(path: str, value: str, _rule: FieldRule, checks: Checks) -> None:
    try:
        zoned = datetime.fromisoformat(value).tzinfo is not None and "T" in value.upper()
    except ValueError:
        zoned = False
    checks.require(zoned, path, "is a time with its zone, like 2026-03-01T09:00:00Z")


def _number(path: str, value: str, _rule: FieldRule, checks: Checks) -> None:
    checks.require(_DECIMAL.fullmatch(value), path, "is a number, like 12 or 0.5")


def _choice(path: str, value: str, rule: FieldRule, checks: Checks) -> None:
    checks.one_of(path, value, rule.choices)


_KINDS: Final[Mapping[FieldKind, Callable[[str, str, FieldRule, Checks], None]]] = {
    "text": _text,
    "photo": _photo,
    "time": _time,
    "number": _number,
    "choice": _choice,
}
