"""What a feed's raw code and text say, in the words of detection."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from esm.catalog.data import Status
from esm.catalog.model import CARRIER_REPORTED, OTHER, Catalogue
from esm.catalog.rules import Clearing, Words

NO_ATTEMPT: Final = "NO_ATTEMPT"
"""The code of a failed delivery that nobody tried; it is no attempt."""

CHARS_LOOKED_AT: Final = 400
"""Words are looked for in so much of a text: a row of a carrier is shorter, and a stranger may send
characters whose plain form is many times as long."""

_TRIED_AND_FAILED: Final = "attempted"
_NOTHING: Final = Clearing()


class Normalised(NamedTuple):
    """What a checkpoint says.

    ``opens`` is the code of the case that it opens by itself, "" for none, ``candidate`` what the
    carrier desk should think of, ``clears`` the families or codes that it ends, ``attempt`` that a
    delivery was really tried, and failed. ``known`` is False for a raw code that its feed does not
    define.
    """

    status: Status
    opens: str = ""
    candidate: str = ""
    clears: tuple[str, ...] = ()
    attempt: bool = False
    known: bool = True


def normalised(
    catalogue: Catalogue, feed: str, raw_code: str, raw_text: str = "", status: Status | None = None
) -> Normalised:
    """What a checkpoint of a feed says by the catalogue.

    The catalogue decides; a caller's own ``status`` counts where it knows nothing of the raw code,
    and opens what the catalogue says of that status. So does a status that the text tells, where
    there is no raw code or the feed's codes are nobody's knowledge (its table is empty); a text
    that tells none is a remark. A raw code that nobody knows opens OTHER and moves nothing. Where
    a raw code that opens a case lets its text choose, the longest of the catalogue's words in the
    text chooses. Of a text only the first CHARS_LOOKED_AT count.
    """
    meaning = catalogue.meaning(feed, raw_code) if raw_code else None
    if meaning is not None:
        chosen = _chosen(catalogue, meaning.by_text, raw_text) if meaning.case_code else ""
        opens = chosen or meaning.case_code
        candidate = meaning.candidate if opens == CARRIER_REPORTED else ""
        attempt = meaning.status == _TRIED_AND_FAILED and opens != NO_ATTEMPT
        return Normalised(meaning.status, opens, candidate, meaning.clears, attempt)
    source = catalogue.sources.get(feed)
    silent = not raw_code or (source is not None and not source.codes)
    stands = status or (_told(catalogue, raw_text) if silent else None)
    if stands is None:
        return Normalised("information", "" if silent else OTHER, known=silent)
    entry = catalogue.clearings.get(stands, _NOTHING)
    opens = _chosen(catalogue, entry.by_text, raw_text) or entry.opens
    attempt = stands == _TRIED_AND_FAILED and opens != NO_ATTEMPT
    return Normalised(stands, opens, attempt=attempt, known=silent)


def _told(catalogue: Catalogue, raw_text: str) -> Status | None:
    """The status whose longest word stands in a text; None when none does."""
    if not raw_text:
        return None
    text = _plain(raw_text)
    found = [(_longest(words, text), each) for each, words in catalogue.status_words.items()]
    length, status = max(found, default=(0, None))
    return status if length else None


def _chosen(catalogue: Catalogue, codes: Sequence[str], raw_text: str) -> str:
    """The code whose longest word stands in the text, "" for none."""
    if not codes or not raw_text:
        return ""
    text = _plain(raw_text)
    best, length = "", 0
    for code in codes:
        found = _longest(catalogue.words.get(code), text)
        if found > length:
            best, length = code, found
    return best


def _plain(raw_text: str) -> str:
    """The beginning of a text in small letters, its characters in their plain forms."""
    text = raw_text[:CHARS_LOOKED_AT]
    return unicodedata.normalize("NFKC", text)[:CHARS_LOOKED_AT].casefold()


def _longest(words: Words | None, text: str) -> int:
    if words is None:
        return 0
    found = [word for word in words.zh if word in text]
    found += [word for word in words.en if word in text and _whole(word).search(text)]
    return max(map(len, found), default=0)


@lru_cache(maxsize=4096)
def _whole(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z]){re.escape(word)}(?![a-z])")
