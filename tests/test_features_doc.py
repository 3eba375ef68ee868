"""docs/features.md names, for every feature, tests that exist, run, and are about it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "features.md"
ROWS = """
    A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A13 A14 A15 A16 A17 A18 A19 A20 A21 A23 A26 A29 A31 B1 B2 B4
    B5 C1 C3 C34 D10 D12 D21 D24 E1 E2 E3 E6 E7 E15 E16 E17 E24 E25 E26 G1 G2 G3 G4 G5 G6 G7 G9
    G10 G13 G14 G15 G17 G19 G21 G23 N12 N15
""".split()
"""Features that the product has so far; it never loses one."""

NOT_RUN = re.compile(r"\b(skip|skipif|xfail|importorskip|SkipTest|expectedFailure|real_data)\b")
"""What would let a test pass without running: marks, calls, and inputs that may be absent."""

COLUMNS = 4


def table() -> dict[str, list[str]]:
    """The cells behind each row's id."""
    lines = [x for x in PAGE.read_text("utf-8").splitlines() if re.match(r"\| [A-Z]\d+ \|", x)]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", x)[1:-1]] for x in lines]
    return {row: rest for row, *rest in cells}


def named_for(row: str) -> list[str]:
    """The test ids that the page names for a row."""
    return re.findall(r"`([^`]+)`", table()[row][1])


def problem_of(test: str, row: str, root: Path = ROOT) -> str:
    """Why a test does not hold a row; "" when it does."""
    path, _, name = test.partition("::")
    if not (root / path).is_file():
        return "no such file"
    module = ast.parse((root / path).read_text("utf-8"))
    found = [n for n in module.body if isinstance(n, ast.FunctionDef) and n.name == name]
    if not found:
        return "no such test"
    marks = [n for n in module.body if isinstance(n, ast.Assign) and "pytestmark" in ast.dump(n)]
    if any(NOT_RUN.search(ast.unparse(node)) for node in (*found, *marks)):
        return "may not run"
    said = (ast.get_docstring(found[0]) or "").partition(".")[0]
    return "" if row in said.split(", ") else f"its docstring does not begin with {row}"


def test_every_feature_stands_on_the_page_once_with_all_its_cells() -> None:
    page = PAGE.read_text("utf-8")
    ids = re.findall(r"^\| ([A-Z]\d+) \|", page, re.MULTILINE)
    assert ids == ROWS
    assert {row: len(rest) + 1 for row, rest in table().items()} == dict.fromkeys(ROWS, COLUMNS)
    assert all(cell for rest in table().values() for cell in rest)


@pytest.mark.parametrize("row", ROWS)
def test_the_tests_of_a_feature_exist_and_run_and_are_about_it(row: str) -> None:
    tests = named_for(row)
    assert tests
    assert {test: problem_of(test, row) for test in tests} == dict.fromkeys(tests, "")


def test_every_test_that_names_a_feature_stands_on_the_page() -> None:
    missing = []
    for path in sorted((ROOT / "tests" / "features").glob("test_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                continue
            named = re.match(r"[A-Z]\d+(, [A-Z]\d+)*\.", ast.get_docstring(node) or "")
            for row in named[0].rstrip(".").split(", ") if named else []:
                test = f"{path.relative_to(ROOT).as_posix()}::{node.name}"
                missing += [] if test in named_for(row) else [f"{row}: {test}"]
    assert missing == []


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ('def test_x():\n    """A2."""', ""),
        ('def test_y():\n    """A2."""', "no such test"),
        ('def test_x():\n    """A22."""', "its docstring does not begin with A2"),
        ('@pytest.mark.skip\ndef test_x():\n    """A2."""', "may not run"),
        ('@pytest.mark.xfail(strict=True)\ndef test_x():\n    """A2."""', "may not run"),
        ('def test_x():\n    """A2."""\n    pytest.skip("no")', "may not run"),
        ('def test_x(real_data):\n    """A2."""', "may not run"),
        ('pytestmark = pytest.mark.skip\ndef test_x():\n    """A2."""', "may not run"),
    ],
)
def test_a_planted_test_that_holds_nothing_is_found(
    tmp_path: Path, source: str, problem: str
) -> None:
    (tmp_path / "test_planted.py").write_text(source, "utf-8")
    assert problem_of("test_planted.py::test_x", "A2", tmp_path) == problem


def test_a_test_in_a_file_that_is_gone_is_found(tmp_path: Path) -> None:
    assert problem_of("test_gone.py::test_x", "A2", tmp_path) == "no such file"
