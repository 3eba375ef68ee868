"""Seals personal text into events and opens it for views; a person is erased with one key.

Every (tenant, subject) has one key of its own, kept apart from the log. A key stands in the key
store before anything is sealed with it, so no event ever needs a key that a crash took away.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from threading import Lock
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from esm.events import Sealed

KEY_BYTES = 32
NONCE_BYTES = 12
NONCES_DRAWN = 256
"""Drawn at once: asking the system gives up the interpreter, which costs more than the bytes."""
KEY_ID_BYTES = 16
KEYS_CACHED_MAX = 50_000
KEY_CACHE_SECONDS = 60.0
"""How long another process may still use a key after it was destroyed."""

ERASED = "[erased]"
"""What a view shows instead of the text of a person who was erased."""

EPHEMERAL_KEY_ID = "preview"
SEPARATOR = "\x1f"


class KeyMissing(KeyError):
    """The key of `subject` is not at hand: `ensure` it, then seal again."""

    def __init__(self, subject: str) -> None:
        super().__init__(subject)
        self.subject = subject


class Key(NamedTuple):
    """A person's key; `key_id` is drawn with it, so a later key is never taken for an old one."""

    key_id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.key_id!r})"


class KeyStore(ABC):
    """Where keys are kept. Every call is one transaction, durable when it returns."""

    @abstractmethod
    def fetch(self, tenant: str, subjects: Collection[str]) -> dict[str, Key]:
        """The keys of these subjects; those without a key are absent."""

    @abstractmethod
    def add(self, tenant: str, keys: Mapping[str, Key]) -> dict[str, Key]:
        """Keeps each key unless its subject has one already; answers the keys that stand.

        Of two processes that add a key for the same subject at once the first one wins.
        """

    @abstractmethod
    def destroy(self, tenant: str, subject: str) -> bool:
        """Deletes a key beyond recovery from this store; answers whether there was one."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of the store."""


class _Cached(NamedTuple):
    key_id: str
    cipher: AESGCM
    until: float


class Personal:
    """The only place that seals and opens; safe for use by several threads.

    `randomness` gives that many random bytes, `seconds` a clock that never goes back.
    """

    def __init__(
        self,
        keys: KeyStore,
        *,
        randomness: Callable[[int], bytes] = os.urandom,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._randomness = randomness
        self._seconds = seconds
        self._lock = Lock()
        self._cache: OrderedDict[tuple[str, str], _Cached] = OrderedDict()
        self._nonces: list[bytes] = []

    def ensure(self, tenant: str, subjects: Iterable[str]) -> None:
        """Makes sure that each subject has a key, durably, before anything is sealed with it."""
        wanted = {each for each in subjects if self._cached(tenant, each) is None}
        if not wanted:
            return
        found = self._keys.fetch(tenant, wanted)
        missing = sorted(wanted - found.keys())
        if missing:
            found |= self._keys.add(tenant, {each: self._new_key() for each in missing})
        self._remember(tenant, found)

    def seal(self, tenant: str, subject: str, text: str) -> Sealed:
        """The text under the subject's key; raises KeyMissing unless `ensure` came first."""
        cached = self._cached(tenant, subject)
        if cached is None:
            raise KeyMissing(subject)
        nonce = self._nonce()
        box = nonce + cached.cipher.encrypt(nonce, text.encode(), _bound_to(tenant, subject))
        return Sealed(subject=subject, key_id=cached.key_id, box=box)

    def open(self, tenant: str, sealed: Sealed) -> str | None:
        """The text, or None when its key was destroyed.

        Raises ValueError when the key is there but the box is not what it sealed.
        """
        cached = self._cached(tenant, sealed.subject)
        if cached is None:
            self._remember(tenant, self._keys.fetch(tenant, [sealed.subject]))
            cached = self._cached(tenant, sealed.subject)
        if cached is None or cached.key_id != sealed.key_id:
            return None
        nonce, sealed_text = sealed.box[:NONCE_BYTES], sealed.box[NONCE_BYTES:]
        try:
            text = cached.cipher.decrypt(nonce, sealed_text, _bound_to(tenant, sealed.subject))
        except InvalidTag:
            raise ValueError("a sealed box was altered or moved to another person") from None
        return text.decode()

    def shown(self, tenant: str, sealed: Sealed) -> str:
        """The text as a view shows it: of an erased person, the mark of erasure."""
        text = self.open(tenant, sealed)
        return ERASED if text is None else text

    def destroy(self, tenant: str, subject: str) -> bool:
        """Erases a person: every box sealed so far stays shut. Answers whether there was a key.

        Text recorded about the same person later gets a new key and can be read.
        """
        try:
            return self._keys.destroy(tenant, subject)
        finally:
            with self._lock:
                self._cache.pop((tenant, subject), None)

    def _nonce(self) -> bytes:
        with self._lock:
            if not self._nonces:
                drawn = self._randomness(NONCE_BYTES * NONCES_DRAWN)
                starts = range(0, len(drawn), NONCE_BYTES)
                self._nonces = [drawn[i : i + NONCE_BYTES] for i in starts]
            return self._nonces.pop()

    def _new_key(self) -> Key:
        return Key(self._randomness(KEY_ID_BYTES).hex(), self._randomness(KEY_BYTES))

    def _cached(self, tenant: str, subject: str) -> _Cached | None:
        with self._lock:
            cached = self._cache.get((tenant, subject))
            if cached is None:
                return None
            if cached.until <= self._seconds():
                del self._cache[tenant, subject]
                return None
            self._cache.move_to_end((tenant, subject))
            return cached

    def _remember(self, tenant: str, keys: Mapping[str, Key]) -> None:
        until = self._seconds() + KEY_CACHE_SECONDS
        with self._lock:
            for subject, key in keys.items():
                self._cache[tenant, subject] = _Cached(key.key_id, AESGCM(key.secret), until)
            while len(self._cache) > KEYS_CACHED_MAX:
                self._cache.popitem(last=False)


class EphemeralSealer:
    """Seals for a preview: same shape and size, under a key that is thrown away with it."""

    def __init__(self, *, randomness: Callable[[int], bytes] = os.urandom) -> None:
        self._randomness = randomness
        self._cipher = AESGCM(randomness(KEY_BYTES))

    def seal(self, tenant: str, subject: str, text: str) -> Sealed:
        """A box that nobody can open once this sealer is gone."""
        nonce = self._randomness(NONCE_BYTES)
        box = nonce + self._cipher.encrypt(nonce, text.encode(), _bound_to(tenant, subject))
        return Sealed(subject=subject, key_id=EPHEMERAL_KEY_ID, box=box)


def _bound_to(tenant: str, subject: str) -> bytes:
    """What a box is bound to: moved to another person or tenant it does not open."""
    return f"{tenant}{SEPARATOR}{subject}".encode()
