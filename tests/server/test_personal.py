"""Sealing personal text: what opens, what stays shut, and when a key must be there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pytest

from esm.events import Sealed
from server import personal
from server.personal import (
    ERASED,
    KEY_CACHE_SECONDS,
    EphemeralSealer,
    Key,
    KeyMissing,
    KeyStore,
    Personal,
)
from server.storage.keys_sqlite import SqliteKeyStore

TEXT = "Frau Müller, +49 170 1234567, 收货人"


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyStore]:
    store = SqliteKeyStore(tmp_path / "keys.db")
    yield store
    store.close()


@pytest.fixture
def sealer(keys: KeyStore) -> Personal:
    sealer = Personal(keys)
    sealer.ensure("t1", ["ann"])
    return sealer


def test_what_was_sealed_opens_again_and_the_box_does_not_show_it(sealer: Personal) -> None:
    sealed = sealer.seal("t1", "ann", TEXT)
    assert sealer.open("t1", sealed) == TEXT
    assert sealed.subject == "ann"
    assert b"1234567" not in sealed.box


def test_sealing_twice_gives_two_boxes(sealer: Personal) -> None:
    assert sealer.seal("t1", "ann", TEXT).box != sealer.seal("t1", "ann", TEXT).box


def test_a_new_process_opens_what_an_old_one_sealed(sealer: Personal, keys: KeyStore) -> None:
    assert Personal(keys).open("t1", sealer.seal("t1", "ann", TEXT)) == TEXT


def test_sealing_without_a_key_at_hand_names_the_subject(sealer: Personal) -> None:
    with pytest.raises(KeyMissing) as missing:
        sealer.seal("t1", "bob", TEXT)
    assert missing.value.subject == "bob"
    assert isinstance(missing.value, KeyError)
    with pytest.raises(KeyMissing):
        sealer.seal("t2", "ann", TEXT)


def test_a_key_is_in_the_store_before_anything_is_sealed_with_it(
    sealer: Personal, keys: KeyStore
) -> None:
    sealer.ensure("t1", ["bob", "ann"])
    sealed = sealer.seal("t1", "bob", TEXT)
    assert keys.fetch("t1", ["bob"])["bob"].key_id == sealed.key_id


def test_an_erased_person_is_shown_as_erased_and_nobody_else_is(sealer: Personal) -> None:
    sealer.ensure("t1", ["bob"])
    ann, bob = sealer.seal("t1", "ann", TEXT), sealer.seal("t1", "bob", TEXT)
    assert sealer.destroy("t1", "ann") is True
    assert sealer.open("t1", ann) is None
    assert sealer.shown("t1", ann) == ERASED
    assert sealer.shown("t1", bob) == TEXT
    with pytest.raises(KeyMissing):
        sealer.seal("t1", "ann", TEXT)


def test_a_later_key_of_an_erased_person_opens_new_boxes_only(sealer: Personal) -> None:
    old = sealer.seal("t1", "ann", TEXT)
    sealer.destroy("t1", "ann")
    sealer.ensure("t1", ["ann"])
    assert sealer.open("t1", sealer.seal("t1", "ann", "new")) == "new"
    assert sealer.open("t1", old) is None


def test_a_box_moved_to_another_person_or_altered_does_not_open(sealer: Personal) -> None:
    sealed = sealer.seal("t1", "ann", TEXT)
    sealer.ensure("t1", ["bob"])
    bob = sealer.seal("t1", "bob", "x")
    moved = Sealed(subject="bob", key_id=bob.key_id, box=sealed.box)
    altered = Sealed(subject="ann", key_id=sealed.key_id, box=sealed.box[:-1] + b"\x00")
    for box in (moved, altered):
        with pytest.raises(ValueError, match="altered or moved"):
            sealer.open("t1", box)


def test_another_tenant_cannot_open_a_box(sealer: Personal) -> None:
    sealed = sealer.seal("t1", "ann", TEXT)
    sealer.ensure("t2", ["ann"])
    assert sealer.open("t2", sealed) is None


def test_an_erasure_by_another_process_is_seen_when_the_cache_runs_out(keys: KeyStore) -> None:
    now = 0.0
    here = Personal(keys, seconds=lambda: now)
    here.ensure("t1", ["ann"])
    sealed = here.seal("t1", "ann", TEXT)
    Personal(keys).destroy("t1", "ann")
    assert here.open("t1", sealed) == TEXT
    now = KEY_CACHE_SECONDS
    assert here.open("t1", sealed) is None


def test_the_cache_is_bounded_and_forgets_the_least_used(
    keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal, "KEYS_CACHED_MAX", 2)
    sealer = Personal(keys)
    sealer.ensure("t1", ["a", "b"])
    sealer.seal("t1", "a", TEXT)
    sealer.ensure("t1", ["c"])
    sealer.seal("t1", "a", TEXT)
    with pytest.raises(KeyMissing):
        sealer.seal("t1", "b", TEXT)


def test_of_two_processes_the_first_key_wins_and_both_seal_with_it() -> None:
    class Race(KeyStore):
        """Another process adds its key between our fetch and our add."""

        first = Key("theirs", b"1" * 32)

        def fetch(self, tenant: str, subjects: Collection[str]) -> dict[str, Key]:
            return {}

        def add(self, tenant: str, keys: Mapping[str, Key]) -> dict[str, Key]:
            return dict.fromkeys(keys, self.first)

        def destroy(self, tenant: str, subject: str) -> bool:
            return False

        def close(self) -> None:
            pass

    sealer = Personal(Race())
    sealer.ensure("t1", ["ann"])
    assert sealer.seal("t1", "ann", TEXT).key_id == "theirs"


def test_a_preview_seals_in_the_same_shape_and_keeps_nothing(keys: KeyStore) -> None:
    sealed = EphemeralSealer().seal("t1", "ann", TEXT)
    assert sealed.subject == "ann"
    assert keys.fetch("t1", ["ann"]) == {}
    assert Personal(keys).open("t1", sealed) is None


def test_a_key_does_not_show_its_secret() -> None:
    assert "secret-bytes" not in repr(Key("k1", b"secret-bytes"))
