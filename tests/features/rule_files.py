"""An operator's folder with rules that differ from the packaged ones."""

from dataclasses import replace
from pathlib import Path

from server.settings import Settings

RULES = Path(__file__).resolve().parents[2] / "esm" / "catalog" / "rules"


def overlay(settings: Settings, folder: Path, **changes: dict[str, str] | str) -> Settings:
    """Settings with a folder that has a file for each rule named.

    It is the packaged one with texts replaced, or with text added behind it.
    """
    rules = folder / "operator" / "rules"
    rules.mkdir(parents=True)
    for rule, change in changes.items():
        text = (RULES / f"{rule}.toml").read_text("utf-8")
        if isinstance(change, str):
            text += change
        else:
            for old, new in change.items():
                assert text.count(old) == 1, old
                text = text.replace(old, new)
        (rules / f"{rule}.toml").write_text(text, "utf-8")
    return replace(settings, catalog=rules.parent)
