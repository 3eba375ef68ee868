"""docs/settings.md and docs/errors.md say what the code says, of everything that it has."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.rpc import code_pb2
from typer.main import get_command

from esm.errors import DomainError
from server import edge, errors, settings
from server.cli.root import app
from server.settings import Settings, from_environment
from server.writer import FUTURE_MICROS_MAX, OCCURRED_MIN

DOCS = Path(__file__).resolve().parent.parent / "docs"
NONE = "none"
EDGE = {
    errors.MALFORMED: code_pb2.INVALID_ARGUMENT,
    errors.TOO_LARGE: code_pb2.INVALID_ARGUMENT,
    errors.INTERNAL: code_pb2.INTERNAL,
}
"""Reasons that are no refusals of the domain."""

DEFAULT_IN_WORDS = {"dsn": NONE, "catalog": "the packaged one", "webhooks": NONE}
EXAMPLES = {
    "ESM_ADDRESS": "a:1",
    "ESM_DATA": "folder",
    "ESM_DSN": "host=x",
    "ESM_CATALOG": "own",
    "ESM_WEBHOOKS": "a:2",
    "ESM_WEBHOOK_SECRET_FEED": "1",  # which is how many secrets are shown, too
}


def rows(page: str, columns: int) -> list[list[str]]:
    """The rows of a page's first table without its head, each with that many filled cells."""
    lines = (DOCS / page).read_text("utf-8").splitlines()
    first = lines.index(next(line for line in lines if line.startswith("|---")))
    found = []
    for line in lines[first + 1 :]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == columns, line
        assert all(cells), line
        found.append(cells)
    return found


def name(cell: str) -> str:
    """What a cell names: the text in its backticks, or a word such as none."""
    quoted = re.fullmatch(r"`([^`]+)`", cell)
    return quoted[1] if quoted else cell


# --- settings -------------------------------------------------------------------------------------


def setting_rows() -> dict[str, list[str]]:
    """Setting -> its option, variable and default."""
    return {name(row[0]): [name(cell) for cell in row[1:4]] for row in rows("settings.md", 5)}


def variables() -> set[str]:
    """The variables that the settings are read from."""
    return {value for key, value in vars(settings).items() if key.endswith("_VARIABLE")}


def test_every_setting_is_on_its_page_in_order_with_its_default() -> None:
    fields = dataclasses.fields(Settings)
    found = setting_rows()
    assert list(found) == [field.name for field in fields]
    defaults = {
        field.name: DEFAULT_IN_WORDS.get(field.name, str(field.default)) for field in fields
    }
    assert {setting: row[2] for setting, row in found.items()} == defaults
    assert (Settings().dsn, Settings().catalog, Settings().webhooks) == ("", None, "")


def test_the_page_names_every_variable_beside_the_setting_that_it_gives() -> None:
    named = {row[1]: setting for setting, row in setting_rows().items() if row[1] != NONE}
    assert set(named) == variables() == set(EXAMPLES)
    for variable, setting in named.items():
        given = from_environment({variable: EXAMPLES[variable]})
        assert str(getattr(given, setting)) == EXAMPLES[variable]
        changed = {setting: getattr(given, setting)}
        assert given == dataclasses.replace(from_environment({}), **changed)
    assert from_environment({}) == Settings()


def test_the_page_names_every_option_of_serve_beside_its_setting() -> None:
    commands: Any = get_command(app)
    options = {each.name: each.opts[0] for each in commands.commands["serve"].params}
    assert options.pop("as_json") == "--json"
    page = {setting: row[0] for setting, row in setting_rows().items() if row[0] != NONE}
    assert page == options


def test_the_page_says_the_bounds_of_the_occurred_time() -> None:
    page = (DOCS / "settings.md").read_text("utf-8")
    assert f"from {OCCURRED_MIN[:10]} on" in page
    assert FUTURE_MICROS_MAX == 5 * 60 * 1_000_000
    assert "at most five minutes ahead" in page


# --- errors ---------------------------------------------------------------------------------------


def refusals(base: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """Every refusal of the domain."""
    for each in base.__subclasses__():
        yield each
        yield from refusals(each)


def error_rows() -> list[list[str]]:
    """Reason, code and wait of every row."""
    return [[name(cell) for cell in row[:3]] for row in rows("errors.md", 5)]


def codes() -> dict[str, Any]:
    """Reason -> code of everything that a call can be refused with."""
    return {each.reason: errors.CODES[each] for each in refusals()} | EDGE


def test_every_reason_is_on_the_page_once_with_its_code() -> None:
    found = error_rows()
    assert len({reason for reason, _, _ in found}) == len(found)
    wanted = {reason: code_pb2.Code.Name(code) for reason, code in codes().items()}
    assert {reason: code for reason, code, _ in found} == wanted


@pytest.mark.parametrize("row", error_rows(), ids=lambda row: row[0])
def test_a_reason_has_the_wait_of_its_code(row: list[str]) -> None:
    reason, _, wait = row
    millis = errors.RETRY_MILLIS.get(codes()[reason])
    assert wait == (NONE if millis is None else f"{millis} ms")


def test_the_page_says_how_large_a_request_may_be() -> None:
    row = next(row for row in rows("errors.md", 5) if name(row[0]) == errors.TOO_LARGE)
    assert f"{edge.REQUEST_BYTES_MAX // 1024**2} MiB" in row[3]


def test_the_page_names_the_domain_of_the_reasons() -> None:
    assert f"`{errors.DOMAIN}`" in (DOCS / "errors.md").read_text("utf-8")
