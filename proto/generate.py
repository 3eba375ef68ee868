"""Writes the Python code of every proto file beside it, or below another folder.

Usage: ``python proto/generate.py [FOLDER]``.
"""

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
PATTERNS = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py")


def generated(folder: Path) -> list[Path]:
    """All generated files below a folder, sorted, relative to it."""
    return sorted(path.relative_to(folder) for name in PATTERNS for path in folder.rglob(name))


def generate(target: Path, source: Path = SOURCE) -> None:
    """Replace the generated code below ``target`` by that of the proto files below ``source``."""
    for stale in generated(target):
        (target / stale).unlink()
    protos = sorted(str(path.relative_to(source)) for path in source.rglob("*.proto"))
    outputs = [f"--{kind}_out={target}" for kind in ("python", "pyi", "grpc_python")]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", *outputs, *protos]
    subprocess.run(command, cwd=source, check=True)
    for path in target.rglob("*_pb2_grpc.py"):
        if "class " not in path.read_text(encoding="utf-8"):
            path.unlink()  # protoc writes one even for a file without a service


if __name__ == "__main__":
    generate(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else SOURCE)
