"""`buf breaking` against the last release passes as things are and catches a renamed field."""

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorSet

ROOT = Path(__file__).resolve().parent.parent
IMAGE = ROOT / "proto" / "release.binpb"
FOUND = 100
"""Exit code of buf when it has found something; 1 means that it could not look."""


def a_released_field() -> tuple[str, str, FieldDescriptorProto]:
    """Path of its file below proto/, name of its message, and the field."""
    for file in FileDescriptorSet.FromString(IMAGE.read_bytes()).file:
        for message in file.message_type:
            for field in message.field:
                return file.name, message.name, field
    raise AssertionError("the last release has no field")


@pytest.fixture
def api(tmp_path: Path) -> Path:
    """A copy of the API and its buf.yaml, to be broken."""
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    for source in (ROOT / "proto").rglob("*.proto"):
        copy = tmp_path / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    return tmp_path


def breaking(api: Path) -> subprocess.CompletedProcess[str]:
    """What buf says of the API in this folder against the image of the last release."""
    buf = Path(sysconfig.get_path("scripts")) / "buf"
    return subprocess.run(
        [buf, "breaking", "--against", IMAGE], cwd=api, capture_output=True, text=True, check=False
    )


def test_the_api_breaks_nothing_of_the_last_release(api: Path) -> None:
    done = breaking(api)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_renamed_field_of_the_last_release_is_caught(api: Path) -> None:
    file, message, field = a_released_field()
    path = api / "proto" / file
    place = re.compile(rf"(message {message} {{.*?\b){field.name}( = {field.number}\b)", re.DOTALL)
    text, count = place.subn(r"\1renamed\2", path.read_text("utf-8"), count=1)
    assert count == 1, f"{message}.{field.name} is not in {file}"
    path.write_text(text, "utf-8")
    done = breaking(api)
    assert done.returncode == FOUND, done.stdout + done.stderr
    assert '"renamed"' in done.stdout
