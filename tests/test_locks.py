"""The lock files name exact versions with hashes and nothing of the machine that wrote them."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("runtime", "dev")
REQUIREMENT = re.compile(r"([a-z0-9-]+)==([^ ]+)( ; .+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
PLATFORM_FILES_MIN = 20
"""A compiled package has a file for each platform and Python version."""


def locked(name: str) -> dict[str, list[str]]:
    """Pinned requirement (``name==version``) -> its hashes; any other line is an error."""
    text = (ROOT / "requirements" / f"{name}.lock").read_text("utf-8")
    pins: dict[str, list[str]] = {}
    for entry in text.replace("\\\n", "").splitlines():
        requirement, *hashes = re.split(r"\s+(?=--hash)", entry.strip())
        match = REQUIREMENT.fullmatch(requirement)
        assert match, f"{name}.lock has a line that pins nothing: {entry!r}"
        assert hashes, f"{requirement} in {name}.lock has no hash"
        assert all(HASH.fullmatch(each) for each in hashes), entry
        pins[f"{match[1]}=={match[2]}"] = hashes
    return pins


def canonical(requirement: str) -> str:
    """The normalised name of the package that a requirement asks for."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~ ;]", requirement)[0]).lower()


def declared() -> tuple[list[str], list[str]]:
    """Names of the runtime dependencies of pyproject.toml, with the extras', and of the others."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    runtime = [*project["project"]["dependencies"], *(each for one in extras for each in one)]
    dev = project["dependency-groups"]["dev"]
    return [canonical(each) for each in runtime], [canonical(each) for each in dev]


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_pins_a_version_and_its_hashes(name: str) -> None:
    assert locked(name)


def test_a_development_machine_runs_the_versions_of_the_runtime() -> None:
    dev = locked("dev")
    assert {
        pin: hashes for pin, hashes in locked("runtime").items() if dev.get(pin) != hashes
    } == {}


@pytest.mark.parametrize("package", ["cryptography", "grpcio", "msgspec", "psycopg-binary"])
def test_a_compiled_package_has_the_hashes_of_all_platforms(package: str) -> None:
    (hashes,) = (
        found for pin, found in locked("runtime").items() if pin.startswith(f"{package}==")
    )
    assert len(set(hashes)) >= PLATFORM_FILES_MIN


def test_every_declared_dependency_is_locked() -> None:
    runtime, dev = declared()
    assert set(runtime) <= {pin.partition("==")[0] for pin in locked("runtime")}
    assert {*runtime, *dev} <= {pin.partition("==")[0] for pin in locked("dev")}


def test_every_declared_dependency_has_its_row_in_the_docs() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    rows = re.findall(r"^\| `([^`\[]+)(?:\[\w+\])?` \|", page, flags=re.MULTILINE)
    runtime, dev = declared()
    assert sorted(rows) == sorted([*runtime, *dev])
