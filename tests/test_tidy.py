"""Limits of size, module docstrings and banned words of the whole source tree."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("esm", "projections", "server", "proto", "tests", "benchmarks", "docs", "examples")
SUFFIXES = {".md", ".proto", ".py", ".sql", ".toml"}
GENERATED = re.compile(r"_pb2(_grpc)?\.pyi?$")

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
LINE_CHARACTERS_MAX = 100

TOP_LOOPS = ("server/workers/", "server/committer.py", "server/storage/log.py", "server/edge.py")
"""Where the top loop of a thread takes whatever comes, and passes it on in another way."""

DOMAIN_LIBRARIES = {"esm", "holidays", "msgspec", "transitions"}
DOMAIN_STANDARD_LIBRARY = {
    *("__future__", "abc", "bisect", "collections", "dataclasses", "datetime", "enum"),
    *("functools", "hashlib", "importlib", "itertools", "json", "math", "operator", "pathlib"),
    *("re", "string", "tomllib", "types", "typing", "unicodedata", "uuid", "zoneinfo"),
}


class Ban(NamedTuple):
    """A word that no source file has, what to write instead, and where the ban does not hold."""

    word: str
    instead: str
    holds_in: tuple[str, ...] = ("esm/", "projections/", "server/", "tests/", "benchmarks/")
    except_in: tuple[str, ...] = ()


BANS = (
    Ban(r"\bfloat\(", "integers in minor units", except_in=("benchmarks/",)),
    Ban(
        r"\bdatetime\.(now|utcnow|today)\b|\btime\.time(_ns)?\(",
        "server/clock.py",
        except_in=("server/clock.py", "tests/", "benchmarks/"),
    ),
    Ban(
        r"\bos\.(environ|getenv)\b",
        "server/settings.py",
        except_in=("server/settings.py", "tests/"),
    ),
    Ban(r"\b(TO[D]O|FIX[M]E|X[X]X)\b", "an issue"),
    Ban(r"\bprint\(", "a return value", holds_in=("esm/", "projections/")),
    Ban(r"\buuid4\(|\buuid\.uuid1\(", "esm/ids.py or server/", holds_in=("esm/", "projections/")),
    Ban(r"#\s*type:\s*ignore(?!\[[\w, -]+\]\s+#\s*\w)", "an ignore with its code and a reason"),
    Ban(r"#\s*noqa(?!: [A-Z]+\d+(, [A-Z]+\d+)*\s+[#-]?\s*\w)", "a noqa with its code and a reason"),
)


def source_files(*suffixes: str) -> list[Path]:
    """Every source file that a person wrote, of the given suffixes, sorted."""
    found = (path for name in FOLDERS for path in (ROOT / name).rglob("*"))
    return sorted(p for p in found if p.suffix in suffixes and not GENERATED.search(p.name))


def name_of(path: Path) -> str:
    """The path below the root, with slashes."""
    return path.relative_to(ROOT).as_posix()


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, methods and nested ones included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def long_functions(tree: ast.Module) -> list[str]:
    """Names of the functions that have too many lines."""
    lines = ((node, (node.end_lineno or node.lineno) - node.lineno + 1) for node in functions(tree))
    return [f"{node.name}: {count} lines" for node, count in lines if count > FUNCTION_LINES_MAX]


def banned_words(name: str, text: str) -> list[str]:
    """What a file of this name must say in another way."""
    bans = [
        ban
        for ban in BANS
        if name.startswith(ban.holds_in) and not (ban.except_in and name.startswith(ban.except_in))
    ]
    return [
        f"{name}:{number}: {found.group()!r}, use {ban.instead}"
        for number, line in enumerate(text.splitlines(), start=1)
        for ban in bans
        if (found := re.search(ban.word, line))
    ]


def swallows_anything(handler: ast.ExceptHandler) -> bool:
    """Whether a handler takes every exception and does not end by raising it again."""
    names = {node.id for node in ast.walk(handler.type or ast.Pass()) if isinstance(node, ast.Name)}
    broad = handler.type is None or bool(names & {"Exception", "BaseException"})
    last = handler.body[-1]
    return broad and not (isinstance(last, ast.Raise) and last.exc is None)


def broad_handlers(tree: ast.Module) -> list[int]:
    """Lines of the handlers that let nothing through."""
    handlers = (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))
    return [handler.lineno for handler in handlers if swallows_anything(handler)]


def imported(tree: ast.Module) -> set[str]:
    """The top-level packages that a module imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def test_a_function_has_at_most_70_lines() -> None:
    found = {name_of(p): long_functions(ast.parse(p.read_bytes())) for p in source_files(".py")}
    assert {name: too_long for name, too_long in found.items() if too_long} == {}


def test_a_file_has_at_most_500_lines() -> None:
    lines = {name_of(p): len(p.read_text("utf-8").splitlines()) for p in source_files(*SUFFIXES)}
    assert {name: count for name, count in lines.items() if count > FILE_LINES_MAX} == {}


def test_a_line_of_code_has_at_most_100_characters() -> None:
    assert [
        f"{name_of(path)}:{number}"
        for path in source_files(".py", ".proto", ".sql")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if len(line) > LINE_CHARACTERS_MAX
    ] == []


def test_a_module_says_in_its_docstring_what_it_is_for() -> None:
    without = [p for p in source_files(".py") if not ast.get_docstring(ast.parse(p.read_bytes()))]
    assert [name_of(path) for path in without] == []


def test_no_file_has_a_banned_word() -> None:
    found = [banned_words(name_of(path), path.read_text("utf-8")) for path in source_files(".py")]
    assert [line for lines in found for line in lines] == []


def test_only_the_top_loop_of_a_thread_takes_every_exception() -> None:
    files = [path for path in source_files(".py") if not name_of(path).startswith(TOP_LOOPS)]
    found = {name_of(path): broad_handlers(ast.parse(path.read_bytes())) for path in files}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_the_domain_imports_three_libraries_and_pure_parts_of_the_standard_library() -> None:
    allowed = DOMAIN_LIBRARIES | DOMAIN_STANDARD_LIBRARY
    modules = [path for path in source_files(".py") if name_of(path).startswith("esm/")]
    found = {name_of(path): imported(ast.parse(path.read_bytes())) - allowed for path in modules}
    assert {name: extra for name, extra in found.items() if extra} == {}


def test_no_check_is_switched_off_for_a_whole_file() -> None:
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    assert [word for word in ("ignore_errors", "ignore_imports") if word in settings] == []


@pytest.mark.parametrize(
    ("handler", "lines"),
    [
        ("except:\n    pass", [3]),
        ("except Exception as error:\n    log(error)", [3]),
        ("except (OSError, BaseException):\n    raise Other", [3]),
        ("except BaseException:\n    undo()\n    raise", []),
        ("except OSError:\n    pass", []),
    ],
)
def test_a_planted_broad_handler_is_found(handler: str, lines: list[int]) -> None:
    assert broad_handlers(ast.parse(f"try:\n    work()\n{handler}")) == lines


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("esm/money.py", "amount = float" + "(text)"),
        ("server/writer.py", "now = datetime" + ".now(UTC)"),
        ("server/writer.py", "now = time" + ".time()"),
        ("server/writer.py", "home = os" + ".environ['HOME']"),
        ("tests/test_x.py", "# TO" + "DO: later"),
        ("esm/money.py", "print" + "(amount)"),
        ("server/app.py", "x = 1  # type: " + "ignore"),
        ("server/app.py", "x = 1  # type: " + "ignore[misc]"),
        ("server/app.py", "x = 1  # no" + "qa: E501"),
    ],
)
def test_a_planted_word_is_found(name: str, line: str) -> None:
    assert len(banned_words(name, line)) == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("server/clock.py", "now = datetime" + ".now(UTC)"),
        ("server/settings.py", "home = os" + ".environ['HOME']"),
        ("server/app.py", "x = 1  # type: " + "ignore[misc]  # the library has no types here"),
        ("benchmarks/load.py", "ratio = float" + "(text)"),
    ],
)
def test_a_word_in_its_one_place_is_not_found(name: str, line: str) -> None:
    assert banned_words(name, line) == []
