"""The committed Python code of the API is what the proto files give, and the pins allow it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
PATTERNS = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py")


def generated(folder: Path) -> dict[str, bytes]:
    """Path below the folder -> content, of every generated file."""
    files = [path for pattern in PATTERNS for path in folder.rglob(pattern)]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def stated(pattern: str) -> set[str]:
    """Every version that the generated code states in the given way."""
    codes = [content.decode() for content in generated(PROTO).values()]
    return {version for code in codes for version in re.findall(pattern, code)}


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_committed_code_is_what_the_proto_files_give(tmp_path: Path) -> None:
    subprocess.run([sys.executable, PROTO / "generate.py", tmp_path], check=True)
    fresh, committed = generated(tmp_path), generated(PROTO)
    assert fresh, "there is no proto file"
    assert sorted(committed) == sorted(fresh)
    assert [name for name in fresh if committed[name] != fresh[name]] == []


def test_the_pins_ask_for_the_runtimes_that_the_code_was_generated_for() -> None:
    (protobuf,) = stated(r"# Protobuf Python Version: (\S+)")
    (grpcio,) = stated(r"GRPC_GENERATED_VERSION = '(\S+)'")
    dependencies = pyproject()["project"]["dependencies"]
    assert any(each.startswith(f"protobuf>={protobuf},") for each in dependencies)
    for package in ("grpcio", "grpcio-health-checking", "grpcio-reflection", "grpcio-status"):
        assert f"{package}>={grpcio},<2" in dependencies
    assert f"grpcio-tools=={grpcio}" in pyproject()["dependency-groups"]["dev"]
