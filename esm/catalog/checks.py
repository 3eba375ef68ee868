"""Whether the tables of a catalogue fit together, answered in words."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from esm.catalog.data import Title
from esm.catalog.model import (
    CARRIER_REPORTED,
    DELIVERED_AFTER_REMEDY,
    LAST_EVENT_AND_PATH,
    OTHER,
    PostingRow,
    RawCode,
    Side,
    Tables,
)
from esm.catalog.rule_checks import check_rules

CHOICE_MARK = "$"
COST_CHOICE = "cost"
DEFAULT_LEDGER = "default"

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ACCOUNT = re.compile(r"[0-9]{4}")
_COST_KINDS = ("expense",)


def check(tables: Tables) -> list[str]:
    """Everything wrong with the tables, one sentence each; empty when they can be used."""
    return [problem for rule in _RULES for problem in rule(tables)]


def _titles(tables: Tables) -> Iterator[str]:
    titled: Mapping[str, Mapping[str, object]] = {
        "types": tables.types,
        "resolutions": tables.resolutions,
        "sources": tables.sources,
        "accounts": tables.accounts,
        "postings": tables.postings.rows,
        "charges": tables.charges,
        "remedies": tables.remedies,
        "reports": tables.reports,
        "ledgers": tables.ledgers,
        "views class": tables.views.classes,
        "views platform type": tables.views.platform_types,
        "rules": tables.rules,
        "services": tables.services,
    }
    for table, entries in titled.items():
        for name, entry in entries.items():
            yield from _title(f"{table} {name}", getattr(entry, "title", None))
    for table, titles in {"checklist": tables.checklist, "teams": tables.teams}.items():
        for name, title in titles.items():
            yield from _title(f"{table} {name}", title)


def _title(where: str, title: Title | None) -> Iterator[str]:
    for language in ("zh", "en"):
        if not getattr(title, language, "").strip():
            yield f"{where}: no title in {language}"


def _types(tables: Tables) -> Iterator[str]:
    if OTHER not in tables.types:
        yield f"types: {OTHER} is missing; unknown raw codes map to it"
    if CARRIER_REPORTED not in tables.types:
        yield f"types: {CARRIER_REPORTED} is missing; raw codes that are not clear map to it"
    if DELIVERED_AFTER_REMEDY not in tables.types:
        yield f"types: {DELIVERED_AFTER_REMEDY} is missing; parcels found again map to it"
    for code, entry in tables.types.items():
        where = f"types {code}"
        yield from _unknown(where, "team", [entry.team], tables.teams)
        yield from _unknown(where, "checklist item", entry.checklist, tables.checklist)
        yield from _repeated(where, "checklist item", entry.checklist)
        yield from _unknown(where, "remedy", entry.expected_by, tables.remedies)
        if not entry.checklist:
            yield f"{where}: the checklist is empty"
        if entry.phase == "post_ship" and LAST_EVENT_AND_PATH not in entry.checklist:
            yield f"{where}: a post_ship code needs the checklist item {LAST_EVENT_AND_PATH}"


def _ranks(tables: Tables) -> Iterator[str]:
    holders: dict[tuple[str, int], list[str]] = {}
    for code, entry in tables.types.items():
        holders.setdefault((entry.family, entry.rank), []).append(code)
    for (family, rank), codes in holders.items():
        if len(codes) > 1:
            yield f"family {family}: rank {rank} stands on {', '.join(sorted(codes))}"


def _sources(tables: Tables) -> Iterator[str]:
    families = {entry.family for entry in tables.types.values()}
    for feed, source in tables.sources.items():
        if not _is_time_zone(source.zone):
            yield f"sources {feed}: unknown time zone {source.zone!r}"
        for raw_code, entry in source.codes.items():
            where = f"sources {feed} {raw_code}"
            yield from _title(where, entry.title)
            yield from _outcome(where, entry)
            named = [code for code in (entry.opens, entry.candidate) if code]
            yield from _unknown(where, "code", [*named, *entry.by_text], tables.types)
            yield from _repeated(where, "code", [*named, *entry.by_text])
            yield from _unknown(
                where, "code or family", entry.clears, families | tables.types.keys()
            )


def _outcome(where: str, entry: RawCode) -> Iterator[str]:
    """A raw code has one outcome: it opens a case, is reviewed, or opens nothing by itself."""
    if entry.opens and entry.candidate:
        yield f"{where}: either opens or candidate, not both"
    if entry.case_code and (entry.timer or entry.report):
        yield f"{where}: what waits for a timer or a report opens nothing by itself"
    if entry.by_text and not entry.case_code:
        yield f"{where}: by_text chooses instead of what it opens, which is nothing"


def _accounts(tables: Tables) -> Iterator[str]:
    for number in tables.accounts:
        if not _ACCOUNT.fullmatch(number):
            yield f"accounts {number}: an account number has four digits"
    for choice, numbers in tables.postings.choices.items():
        yield from _unknown(f"postings choice {choice}", "account", numbers, tables.accounts)
        yield from _repeated(f"postings choice {choice}", "account", numbers)
        if not numbers:
            yield f"postings choice {choice}: no account to choose from"


def _rows(tables: Tables) -> Iterator[str]:
    for name, row in tables.postings.rows.items():
        where = f"postings {name}"
        for leg in row.legs:
            yield from _account(where, leg.account, tables)
            if not _NAME.fullmatch(leg.amount):
                yield f"{where}: {leg.amount!r} is not a name of an amount"
        yield from _sides(where, row)
        yield from _memo(where, row, tables)


def _account(where: str, account: str, tables: Tables) -> Iterator[str]:
    if account.startswith(CHOICE_MARK):
        choice = account.removeprefix(CHOICE_MARK)
        yield from _unknown(where, "choice", [choice], tables.postings.choices)
    else:
        yield from _unknown(where, "account", [account], tables.accounts)


def _sides(where: str, row: PostingRow) -> Iterator[str]:
    if row.mirror:
        if row.legs:
            yield f"{where}: a mirror has no legs of its own"
        return
    debit, credit = _amounts(row, "debit"), _amounts(row, "credit")
    if not debit or not credit:
        yield (
            f"{where}: needs legs on both sides; debit has {_listed(debit)}, "
            f"credit has {_listed(credit)}"
        )


def _memo(where: str, row: PostingRow, tables: Tables) -> Iterator[str]:
    """Memo accounts stand outside the trial balance, so their legs balance among themselves."""
    memo = {number for number, entry in tables.accounts.items() if entry.kind == "memo"}
    debit, credit = _amounts(row, "debit", memo), _amounts(row, "credit", memo)
    if Counter(debit) != Counter(credit):
        yield (
            f"{where}: memo legs do not balance; debit has {_listed(debit)}, "
            f"credit has {_listed(credit)}"
        )


def _amounts(row: PostingRow, side: Side, accounts: Collection[str] | None = None) -> list[str]:
    return [
        leg.amount
        for leg in row.legs
        if leg.side == side and (accounts is None or leg.account in accounts)
    ]


def _charges(tables: Tables) -> Iterator[str]:
    allowed = tables.postings.choices.get(COST_CHOICE, ())
    for kind, charge in tables.charges.items():
        if charge.account not in tables.accounts:
            yield from _unknown(f"charges {kind}", "account", [charge.account], tables.accounts)
        elif tables.accounts[charge.account].kind not in _COST_KINDS:
            yield f"charges {kind}: account {charge.account} is not an expense"
        elif charge.account not in allowed:
            yield f"charges {kind}: account {charge.account} is not in the choice {COST_CHOICE}"


def _remedies(tables: Tables) -> Iterator[str]:
    for kind, remedy in tables.remedies.items():
        yield from _unknown(
            f"remedies {kind}", "posting row", remedy.row_names(), tables.postings.rows
        )
        if (remedy.money == "none") != (not remedy.rows):
            yield f"remedies {kind}: money is {remedy.money!r} but it has {len(remedy.rows)} rows"


def _ledgers(tables: Tables) -> Iterator[str]:
    if DEFAULT_LEDGER not in tables.ledgers:
        yield f"ledgers: {DEFAULT_LEDGER} is missing"
    for name, entity in tables.ledgers.items():
        if not _is_time_zone(entity.time_zone):
            yield f"ledgers {name}: unknown time zone {entity.time_zone!r}"


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


def _currencies(tables: Tables) -> Iterator[str]:
    for currency in tables.currencies:
        if not _CURRENCY.fullmatch(currency):
            yield f"currencies {currency}: a currency code has three capital letters"


def _compensation(tables: Tables) -> Iterator[str]:
    uses = tables.compensation.coupon_expected_use
    yield from _repeated(
        "compensation", "coupon_expected_use", [f"{use.kind} from {use.since}" for use in uses]
    )
    for use in uses:
        if not _is_date(use.since):
            yield f"compensation {use.kind}: {use.since!r} is not a date"


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _reports(tables: Tables) -> Iterator[str]:
    for name, template in tables.reports.items():
        where = f"reports {name}"
        yield from _unknown(where, "code", template.codes, tables.types)
        if not template.codes:
            yield f"{where}: no code that it may open"
        for field, rule in template.fields.items():
            yield from _title(f"{where} {field}", rule.title)
            if (rule.kind == "choice") != bool(rule.choices):
                yield f"{where} {field}: choices are given for kind choice, and only there"
            for choice, title in rule.choices.items():
                yield from _title(f"{where} {field} {choice}", title)


def _views(tables: Tables) -> Iterator[str]:
    views = tables.views
    for name, class_ in views.classes.items():
        yield from _unknown(f"views class {name}", "code", class_.codes, tables.types)
    classes = views.classes.values()
    named = [category for class_ in classes for category in class_.categories]
    yield from _repeated("views classes", "category", named)
    codes = [code for class_ in classes for code in class_.codes]
    yield from _repeated("views classes", "code", codes)
    for code, entry in tables.types.items():
        if code not in codes and entry.category not in named:
            yield f"views: no class names {code} or its category {entry.category}"
    for name, type_ in views.platform_types.items():
        yield from _unknown(f"views platform type {name}", "code", type_.codes, tables.types)
        if bool(type_.codes) == bool(type_.first_source):
            yield f"views platform type {name}: needs either codes or first_source"
    types = views.platform_types.values()
    covered = [code for type_ in types for code in type_.codes]
    yield from _repeated("views platform types", "code", covered)
    sources = [type_.first_source for type_ in types if type_.first_source]
    yield from _repeated("views platform types", "first_source", sources)


def _unknown(where: str, what: str, names: Iterable[str], known: Collection[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{where}: unknown {what} {name!r}"


def _repeated(where: str, what: str, names: Iterable[str]) -> Iterator[str]:
    for name, times in Counter(names).items():
        if times > 1:
            yield f"{where}: {what} {name!r} stands {times} times"


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) or "none"


_RULES: tuple[Callable[[Tables], Iterator[str]], ...] = (
    _titles,
    _types,
    _ranks,
    _sources,
    _accounts,
    _rows,
    _charges,
    _remedies,
    _ledgers,
    _currencies,
    _compensation,
    _reports,
    _views,
    check_rules,
)
