"""What each vendor sends and wants to hear: content types, form, signature, answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final, NamedTuple

import msgspec

from server.webhooks import signatures
from server.webhooks.signatures import Post, Scheme

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = ("application/json", "text/json")
XML: Final = ("application/xml", "text/xml")

CHINA: Final = timezone(timedelta(hours=8))
"""KDNiao writes its times so; China has had one zone without summer time since 1991."""

ID_CHARS_MAX: Final = 64


class Told(NamedTuple):
    """What an answer says: HTTP status, what happened in words, how many facts were in it."""

    status: int
    words: str
    facts: int
    micros: int

    @property
    def success(self) -> bool:
        """Whether the message was taken."""
        return self.status == 200


Answer = Callable[[Told, Post | None], Any]
"""(what happened, the message when it was read) -> the JSON that the vendor understands."""


class Vendor(NamedTuple):
    """How messages of a feed come. ``field`` is the form's field that holds it, "" for the body."""

    scheme: Scheme
    content_types: tuple[str, ...]
    answer: Answer
    field: str = ""


def _plain(told: Told, post: Post | None) -> Any:
    return {"facts": told.facts} if told.success else {"error": told.words}


def _kuaidi100(told: Told, post: Post | None) -> Any:
    return {"result": told.success, "returnCode": str(told.status), "message": told.words}


class _Business(msgspec.Struct):
    EBusinessID: str | int = ""


def _kdniao(told: Told, post: Post | None) -> Any:
    at = datetime.fromtimestamp(told.micros // 1_000_000, UTC).astimezone(CHINA)
    return {
        "EBusinessID": _business_id(post),
        "UpdateTime": at.strftime("%Y-%m-%d %H:%M:%S"),
        "Success": told.success,
        "Reason": "" if told.success else told.words,
    }


def _business_id(post: Post | None) -> str:
    """The account that the message names, which its answer must name again."""
    if post is None:
        return ""
    found: str | int = post.form.get("EBusinessID", "")
    if not found:
        try:
            found = msgspec.json.decode(post.message, type=_Business).EBusinessID
        except (msgspec.DecodeError, RecursionError):
            return ""
    return str(found)[:ID_CHARS_MAX]


def _shared(*content_types: str) -> Vendor:
    return Vendor(signatures.shared, content_types, _plain)


VENDORS: Final[Mapping[str, Vendor]] = {
    "aftership": Vendor(signatures.aftership, JSON, _plain),
    "dhl_ecommerce": _shared(*JSON),
    "easypost": Vendor(signatures.easypost, JSON, _plain),
    "ems": _shared(*XML),
    "epcis": _shared(*JSON, "application/ld+json"),
    "fourpx": _shared(*JSON),
    "karrio": Vendor(signatures.karrio, JSON, _plain),
    "kdniao": Vendor(signatures.kdniao, (FORM,), _kdniao, "RequestData"),
    "kuaidi100": Vendor(signatures.kuaidi100, (FORM,), _kuaidi100, "param"),
    "track17": Vendor(signatures.track17, JSON, _plain),
    "usps": _shared(*XML),
    "x12_214": _shared("application/edi-x12", "text/plain", "application/octet-stream"),
    "yanwen": _shared(*JSON),
}
"""Every feed that can be read, by its name."""
