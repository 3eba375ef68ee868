"""How vendors prove that a message is theirs. Sources of each: docs/webhooks.md."""

from __future__ import annotations

import hmac
import unicodedata
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from hashlib import md5, sha256
from typing import NamedTuple


class Post(NamedTuple):
    """A message as it came: headers by lower-case name, body, and what it has besides.

    ``form`` are the fields of a form, ``message`` is what the feed's adapter reads: the body, or
    the field of the form. ``path_secret`` is the last part of a path that has one too many.
    """

    headers: Mapping[str, str]
    body: bytes
    form: Mapping[str, str]
    message: bytes
    path_secret: str = ""


class Signature(NamedTuple):
    """What the message says ("" when nothing), and what it would say if it were the vendor's."""

    told: str
    expected: str

    def right(self) -> bool:
        """Whether both are the same; takes as long whatever is told."""
        return hmac.compare_digest(self.told.encode(), self.expected.encode())


Scheme = Callable[[Post, str], Signature]
"""(message, secret) -> its signature. Reads nothing of the message but bytes."""


def aftership(post: Post, secret: str) -> Signature:
    """Base64 of the HMAC-SHA256 of the body."""
    digest = hmac.digest(secret.encode(), post.body, "sha256")
    return Signature(post.headers.get("aftership-hmac-sha256", ""), b64encode(digest).decode())


def easypost(post: Post, secret: str) -> Signature:
    """Hexadecimal HMAC-SHA256 of the body under the secret in Unicode's form NFKD."""
    key = unicodedata.normalize("NFKD", secret).encode()
    digest = hmac.digest(key, post.body, "sha256").hex()
    return Signature(post.headers.get("x-hmac-signature", ""), f"hmac-sha256-hex={digest}")


def track17(post: Post, secret: str) -> Signature:
    """Hexadecimal SHA-256 of body, slash and key."""
    digest = sha256(post.body + b"/" + secret.encode()).hexdigest()
    return Signature(post.headers.get("sign", ""), digest)


def kuaidi100(post: Post, secret: str) -> Signature:
    """Hexadecimal MD5, in capitals, of the field ``param`` and the salt of the subscription."""
    # The vendor chose MD5; what else protects the message is the connection that it comes on.
    digest = md5(post.message + secret.encode(), usedforsecurity=False).hexdigest()
    return Signature(post.form.get("sign", ""), digest.upper())


def kdniao(post: Post, secret: str) -> Signature:
    """Base64 of the hexadecimal MD5 of the field ``RequestData`` and the AppKey."""
    digest = md5(post.message + secret.encode(), usedforsecurity=False).hexdigest()
    return Signature(post.form.get("DataSign", ""), b64encode(digest.encode()).decode())


def karrio(post: Post, secret: str) -> Signature:
    """The secret of the webhook itself: Karrio sends it in the header ``X-Event-Id``."""
    return Signature(post.headers.get("x-event-id", ""), secret)


def shared(post: Post, secret: str) -> Signature:
    """The secret itself, for vendors that sign nothing.

    As a bearer token, as the password of HTTP Basic, or as the last part of the path.
    """
    kind, _, value = post.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return Signature(value.strip(), secret)
    if kind.lower() == "basic":
        return Signature(_password(value.strip()), secret)
    return Signature(post.path_secret, secret)


def _password(credentials: str) -> str:
    try:
        return b64decode(credentials, validate=True).decode().partition(":")[2]
    except (Base64Error, ValueError):
        return ""
