"""Reads what strangers send: bounded, without entities, and with the place of what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError
from zoneinfo import ZoneInfo

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from esm.times import Instant
from server.tracking.reading import WORD_CHARS_MAX, FeedProblem

RFC_3339_BEGINS: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")

PAYLOAD_BYTES_MAX: Final = 8 * 1024 * 1024
"""Largest message of a feed; a year of one parcel is some kilobytes."""


def read_json(body: bytes) -> Any:
    """The value of a JSON message. Raises :class:`FeedProblem`."""
    check_size(body)
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        raise FeedProblem(f"line {error.lineno}", f"is not JSON: {error.msg}") from None
    except UnicodeDecodeError:
        raise FeedProblem("", "is not text in UTF-8, UTF-16 or UTF-32") from None
    except RecursionError:
        raise FeedProblem("", "is nested too deeply") from None
    except ValueError:
        raise FeedProblem("", "holds a number that is too long") from None


def read_xml(body: bytes) -> Element:
    """The root of an XML message without entities or a document type. Raises FeedProblem."""
    check_size(body)
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except DefusedXmlException:
        raise FeedProblem("", "holds a document type or entities, which are not read") from None
    except ParseError as error:
        raise FeedProblem(f"line {error.position[0]}", "is not XML") from None
    except (LookupError, ValueError):
        raise FeedProblem("", "is in an encoding that is not read") from None
    return root


def field(element: Element, name: str) -> str:
    """The text of an element's child without surrounding spaces, "" where there is none."""
    return (element.findtext(name) or "").strip()


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    """An object. Raises FeedProblem."""
    if not isinstance(value, dict):
        raise FeedProblem(where, f"is {_kind(value)}, not an object")
    return value


def items(value: Any, where: str) -> Sequence[Any]:
    """A list, empty for null. Raises FeedProblem."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise FeedProblem(where, f"is {_kind(value)}, not a list")
    return value


def text(value: Any, where: str) -> str:
    """Text without surrounding spaces; numbers as they are written, "" for null."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise FeedProblem(where, f"is {_kind(value)}, not text")
    found = str(value).strip()
    if "\0" in found or not _is_text(found):
        raise FeedProblem(where, "holds a character that no text can hold")
    return found


def word(value: Any, where: str) -> str:
    """Text that is an id or a name, and bounded as such. Raises FeedProblem."""
    found = text(value, where)
    if len(found) > WORD_CHARS_MAX:
        raise FeedProblem(where, f"has {len(found)} characters, at most {WORD_CHARS_MAX} are read")
    return found


def required(value: Any, where: str) -> str:
    """Text that must be there. Raises FeedProblem."""
    found = text(value, where)
    if not found:
        raise FeedProblem(where, "is required")
    return found


def moment(value: str, where: str, zone: ZoneInfo, *formats: str) -> tuple[Instant, bool]:
    """The instant of a time, and whether it had a zone.

    It is written in RFC 3339, or in one of the ``strptime`` formats. A time without a zone is one
    of the given zone; of two moments that it may be, the earlier. Raises FeedProblem.
    """
    at = _parsed(value, formats)
    if at is None:
        raise FeedProblem(where, f"{value[:40]!r} is not a time that this feed writes")
    zoned = at.tzinfo is not None
    try:
        utc = (at if zoned else at.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise FeedProblem(where, "lies outside of the years 1 to 9999") from None
    return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z", zoned


def _parsed(value: str, formats: Sequence[str]) -> datetime | None:
    for form in formats:
        try:
            return datetime.strptime(value, form)  # noqa: DTZ007 # zone-less is what feeds write
        except ValueError:
            continue
    if not RFC_3339_BEGINS.match(value):
        return None  # other forms of ISO 8601 are numbers or weeks that only look like a time
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _is_text(found: str) -> bool:
    """JSON can spell half of a character; nobody can store it."""
    try:
        found.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_size(body: bytes) -> None:
    """Raises FeedProblem for a message that is larger than any is read."""
    if len(body) > PAYLOAD_BYTES_MAX:
        raise FeedProblem("", f"is too long: at most {PAYLOAD_BYTES_MAX} bytes are read")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    return names.get(type(value), "null" if value is None else "a number")
