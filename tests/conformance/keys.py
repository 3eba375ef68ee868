"""What every key store must do, whatever engine it stands on."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from server.personal import Key, KeyStore


class KeyStoreConformance:
    """Subclasses give the fixtures `keys` and `open_keys` (opens the same store once more)."""

    def test_a_key_is_found_by_its_tenant_and_subject_only(self, keys: KeyStore) -> None:
        key = Key("k1", b"\x00" * 32)
        assert keys.add("t1", {"ann": key}) == {"ann": key}
        assert keys.fetch("t1", ["ann", "bob"]) == {"ann": key}
        assert keys.fetch("t2", ["ann"]) == {}
        assert keys.fetch("t1", []) == {}

    def test_the_first_key_of_a_subject_stands(
        self, keys: KeyStore, open_keys: Callable[[], KeyStore]
    ) -> None:
        first, second = Key("k1", b"1" * 32), Key("k2", b"2" * 32)
        keys.add("t1", {"ann": first})
        assert open_keys().add("t1", {"ann": second, "bob": second}) == {
            "ann": first,
            "bob": second,
        }

    def test_two_processes_that_add_at_once_agree_on_every_key(
        self, open_keys: Callable[[], KeyStore]
    ) -> None:
        stores = [open_keys() for _ in range(4)]
        answers: list[dict[str, Key]] = [{} for _ in stores]

        def add(number: int) -> None:
            mine = {f"s{each}": Key(f"k{number}", bytes([number]) * 32) for each in range(200)}
            answers[number] = stores[number].add("t1", mine)

        threads = [Thread(target=add, args=(number,)) for number in range(len(stores))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers[0]) == 200
        assert all(answer == answers[0] for answer in answers)

    def test_a_destroyed_key_is_gone_for_every_process(
        self, keys: KeyStore, open_keys: Callable[[], KeyStore]
    ) -> None:
        keys.add("t1", {"ann": Key("k1", b"1" * 32), "bob": Key("k2", b"2" * 32)})
        keys.add("t2", {"ann": Key("k3", b"3" * 32)})
        assert keys.destroy("t1", "ann") is True
        assert keys.destroy("t1", "ann") is False
        assert list(open_keys().fetch("t1", ["ann", "bob"])) == ["bob"]
        assert list(open_keys().fetch("t2", ["ann"])) == ["ann"]

    def test_many_subjects_are_one_call(self, keys: KeyStore) -> None:
        many = {f"s{number}": Key("k", b"k" * 32) for number in range(1_200)}
        assert keys.add("t1", many) == many
        assert keys.fetch("t1", list(many)) == many
