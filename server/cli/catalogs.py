"""``esm catalog``: reads catalogue files and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from esm import catalog
from esm.catalog import Catalogue, CatalogueError
from esm.catalog.rules import Override, Thresholds
from esm.lifecycle import ACTION_RULES, ACTION_STATUSES, CASE_RULES, STATES, diagram
from server.cli.output import REFUSED, fail, put_json, say, table
from server.cli.stores import Catalog
from server.settings import from_environment

app = typer.Typer(help="Codes, remedies, chart and posting rules 规则目录.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Rows = Callable[[Catalogue], list[tuple[Any, ...]]]

DIAGRAMS: Final = {"case": (CASE_RULES, STATES), "action": (ACTION_RULES, ACTION_STATUSES)}


def _types(read: Catalogue) -> list[tuple[Any, ...]]:
    return [
        (code, t.title.en, t.title.zh, t.family, t.phase, t.priority, t.level, t.team)
        for code, t in sorted(read.types.items(), key=lambda each: (each[1].family, each[0]))
    ]


def _remedies(read: Catalogue) -> list[tuple[Any, ...]]:
    return [
        (kind, r.title.en, r.title.zh, r.side, r.money, " ".join(dict.fromkeys(r.row_names())))
        for kind, r in sorted(read.remedies.items())
    ]


def _reports(read: Catalogue) -> list[tuple[Any, ...]]:
    return [
        (
            name,
            template.title.en,
            template.title.zh,
            " ".join(template.codes),
            "\n".join(
                f"{field}{' *' if rule.required else ''} {' | '.join(rule.choices) or rule.kind}"
                for field, rule in template.fields.items()
            ),
        )
        for name, template in read.reports.items()
    ]


def _postings(read: Catalogue) -> list[tuple[Any, ...]]:
    return [
        (
            name,
            row.title.en,
            row.title.zh,
            "\n".join(f"{leg.side} {leg.account} {leg.amount}" for leg in row.legs) or "mirror",
        )
        for name, row in read.rows.items()
    ]


def _rules(read: Catalogue) -> list[tuple[Any, ...]]:
    return [
        (
            name,
            f"{rule.title.en}\n{rule.title.zh}",
            f"{rule.since}{f' {rule.count}' if rule.count else ''}\n{rule.code}".strip(),
            "\n".join(_thresholds(rule)),
            "\n".join(map(_override, rule.override)),
        )
        for name, rule in read.rules.items()
    ]


def _thresholds(of: Thresholds) -> list[str]:
    """What is set of them, a phrase each."""
    settings = {name: getattr(of, name) for name in Thresholds.__struct_fields__}
    return [
        name if value is True else f"{name} {value}"
        for name, value in settings.items()
        if value is not None
    ]


def _override(override: Override) -> str:
    """For which shipments other thresholds hold, and which."""
    names = [
        name for name in Override.__struct_fields__ if name not in Thresholds.__struct_fields__
    ]
    given = {name: value for name in names if (value := getattr(override, name))}
    whose = [name if value is True else f"{name} {_words(value)}" for name, value in given.items()]
    return f"{', '.join(whose) or 'all'}: {', '.join(_thresholds(override))}"


def _titled(table_name: str) -> Rows:
    def rows(read: Catalogue) -> list[tuple[Any, ...]]:
        found: Mapping[str, Any] = getattr(read, table_name)
        titles = {name: getattr(entry, "title", entry) for name, entry in found.items()}
        return [(name, title.en, title.zh) for name, title in titles.items()]

    return rows


NAMED: Final = ("name 名称", "English", "中文")
SHOWN: Final[Mapping[str, tuple[tuple[str, ...], Rows]]] = {
    "types": (
        ("#code 代码", "English", "中文", "family 族", "phase 阶段", "P", ">level", "team 团队"),
        _types,
    ),
    "remedies": (
        ("#remedy 方案", "English", "中文", "side 方向", "money 资金", "rows 规则"),
        _remedies,
    ),
    "reports": (
        ("#report 报告", "English", "中文", "codes 代码", "fields (* required) 字段"),
        _reports,
    ),
    "postings": (("#row 规则", "English", "中文", "legs 分录"), _postings),
    "rules": (
        ("#rule 规则", "title 名称", "since, code 起点与代码", "stages 阶段", "overrides 例外"),
        _rules,
    ),
    **{
        name: (NAMED, _titled(name))
        for name in ("accounts", "charges", "checklist", "ledgers", "resolutions", "teams")
    },
}
"""Tables that ``esm catalog show`` knows: their columns and rows."""


def read_catalogue(folder: Path | None) -> Catalogue:
    """The catalogue of a folder, of the environment, or the packaged one; or the end."""
    try:
        return catalog.load(folder or from_environment().catalog)
    except CatalogueError as error:
        for problem in error.problems:
            say(f"  - {problem}")
        fail(f"the catalogue has {len(error.problems)} problem(s)", REFUSED)


@app.command()
def check(folder: Catalog = None, as_json: AsJson = False) -> None:
    """Whether the catalogue can be used; lists every problem of every file."""
    read = read_catalogue(folder)
    counts = {name: len(getattr(read, name)) for name in ("types", "remedies", "rows", "accounts")}
    if as_json:
        put_json({"digest": read.digest, "postings_digest": read.postings_digest, **counts})
        return
    held = ", ".join(f"{count} {name}" for name, count in counts.items())
    say(f"the catalogue is sound 目录有效: {held}")
    say(f"digest {read.digest}")


@app.command()
def show(
    what: Annotated[str, typer.Argument(help="types, remedies, accounts … or one code or kind.")],
    folder: Catalog = None,
    as_json: AsJson = False,
) -> None:
    """A table of the catalogue, or one type or remedy of it."""
    read = read_catalogue(folder)
    if what in SHOWN:
        columns, rows = SHOWN[what]
        if as_json:
            source = read.rows if what == "postings" else getattr(read, what)
            put_json(msgspec.to_builtins(source))
        else:
            table(f"{what} ({len(rows(read))})", columns, rows(read))
        return
    found = read.types.get(what.upper()) or read.remedies.get(what.lower())
    if found is None:
        fail(f"{what!r} is no table, code or remedy; tables are: {', '.join(SHOWN)}")
    facts = msgspec.to_builtins(found)
    if as_json:
        put_json(facts)
        return
    title = facts.pop("title")
    table(f"{title['en']} {title['zh']}", ("", ""), [(k, _words(v)) for k, v in facts.items()])


@app.command("diagram")
def draw(
    of: Annotated[str, typer.Argument(help="case or action.")] = "case", as_json: AsJson = False
) -> None:
    """The rule-book as a Mermaid state diagram."""
    if of not in DIAGRAMS:
        fail(f"{of!r} has no diagram; there are: {', '.join(DIAGRAMS)}")
    drawn = diagram(*DIAGRAMS[of])
    if as_json:
        put_json({"of": of, "mermaid": drawn})
    else:
        say(drawn)


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_words(each)}" for key, each in value.items())
    return str(value)
