"""What a feed's raw code and text say, in the words of detection."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from esm.catalog.data import Status
from esm.catalog.model import CARRIER_REPORTED, OTHER, Catalogue
from esm.catalog.rules import BORDER, GAP, Clearing, Guard, Words

NO_ATTEMPT: Final = "NO_ATTEMPT"
"""The code of a failed delivery that nobody tried; it is no attempt."""

CHARS_LOOKED_AT: Final = 400
"""Words are looked for in so much of a text: a row of a carrier is shorter, and a stranger may send
characters whose plain form is many times as long."""

_TRIED_AND_FAILED: Final = "attempted"
_NOTHING: Final = Clearing()
_NO_WORDS: Final = Words()

_TROUBLE: Final = frozenset(("attempted", "problem", "returning"))
"""Statuses that bad news tell: "not" before them is mostly a part of the news."""

_ENDS_OF_TROUBLE: Final = frozenset(("attempted", "returning", "returned"))

_MARKS: Final = r",.;!?。、()\[\]【】《》/|\n\u2013\u2014"
_CLAUSE_END: Final = re.compile(rf"[{_MARKS}]|\s-+\s")
_SAME_CLAUSE: Final = rf"[^{_MARKS}]*?"
_BEGINS: Final = rf"(?:(?<=[{_MARKS}])|(?<=\s-)|^)\s*"
_ENDS: Final = rf"\s*(?=[{_MARKS}]|\s-|$)"


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
    text chooses; of a code that is reviewed first it chooses the candidate only. Of a text only the
    first CHARS_LOOKED_AT count.
    """
    meaning = catalogue.meaning(feed, raw_code) if raw_code else None
    if meaning is not None:
        chosen = _chosen(catalogue, meaning.by_text, raw_text)
        opens, candidate = chosen or meaning.opens, ""
        if meaning.candidate:
            opens, candidate = CARRIER_REPORTED, chosen or meaning.candidate
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
    """The status that a text tells, None for none.

    Of the words that stand in it and are not a part of a longer one the longest tells it, and of
    two that are as long as each other the first; one that a guard takes back tells nothing. A
    remark yields to anything else, and anything that does not say itself how the trouble ended
    yields to a problem.
    """
    said: list[Status] = []
    spans: list[tuple[int, int]] = []
    for hit in sorted(_hits(catalogue, _plain(raw_text)), key=_longest_first):
        if not any(start <= hit.start and hit.end <= end for start, end in spans):
            spans.append((hit.start, hit.end))
            said += [hit.status] if hit.counts else []
    told = next((each for each in said if each not in ("information", "problem")), None)
    if "problem" in said and told not in _ENDS_OF_TROUBLE:
        return "problem"
    return told or (said[0] if said else None)


class _Hit(NamedTuple):
    """A word of a status in a text: how long it is, what it covers, whether no guard denies it."""

    length: int
    start: int
    end: int
    status: Status
    counts: bool


def _longest_first(hit: _Hit) -> tuple[int, int]:
    return -hit.length, hit.start


def _hits(catalogue: Catalogue, text: str) -> Iterator[_Hit]:
    """Every word of a status that stands in a text."""
    for status, words in catalogue.status_words.items():
        for length, chinese, found in _found(words, text):
            counts = not _taken_back(catalogue.guards, status, text, found, chinese=chinese)
            yield _Hit(length, *found.span(), status, counts)


def _taken_back(
    guards: Mapping[Guard, Words],
    status: Status,
    text: str,
    found: re.Match[str],
    *,
    chinese: bool,
) -> bool:
    """Whether the clause around a word denies what it tells, plans it or sets a condition."""
    before = _CLAUSE_END.split(text[: found.start()])[-1]
    behind = _CLAUSE_END.split(text[found.end() :], maxsplit=1)[0]

    def stands(guard: Guard, where: str) -> bool:
        words = guards.get(guard, _NO_WORDS)
        return any(each == chinese for _, each, _ in _found(words, where))

    if stands("plans", before) or stands("unless", before) or stands("unless", behind):
        return True
    if chinese:
        return before.endswith(guards.get("denies", _NO_WORDS).zh)
    return status not in _TROUBLE and stands("denies", before)


def _chosen(catalogue: Catalogue, codes: Sequence[str], raw_text: str) -> str:
    """The code whose longest word stands in the text, "" for none."""
    if not codes or not raw_text:
        return ""
    text = _plain(raw_text)
    best, length = "", 0
    for code in codes:
        for found, _, _ in _found(catalogue.words.get(code, _NO_WORDS), text):
            if found > length:
                best, length = code, found
    return best


def _plain(raw_text: str) -> str:
    """The beginning of a text in small letters, its characters in their plain forms."""
    text = unicodedata.normalize("NFKC", raw_text[:CHARS_LOOKED_AT])[:CHARS_LOOKED_AT]
    return text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def _found(words: Words, text: str) -> Iterator[tuple[int, bool, re.Match[str]]]:
    """Every place of words in a plain text: the word's length, whether it is Chinese, where."""
    for piece, length, chinese, pattern in _patterns(words):
        if piece in text:
            for found in pattern.finditer(text):
                yield length, chinese, found


@lru_cache(maxsize=1024)
def _patterns(words: Words) -> tuple[tuple[str, int, bool, re.Pattern[str]], ...]:
    """Of each word its first piece, its length, whether it is Chinese, and its pattern."""
    return tuple(
        (_pieces(word)[0], len(word), chinese, _pattern(word, chinese=chinese))
        for chinese, listed in ((True, words.zh), (False, words.en))
        for word in listed
    )


def _pieces(word: str) -> list[str]:
    return [piece.strip() for piece in word.strip(BORDER).split(GAP)]


def _pattern(word: str, *, chinese: bool) -> re.Pattern[str]:
    """What a word matches; Latin letters stand for themselves only."""
    left, right = ("", "") if chinese else ("(?<![a-z])", "(?![a-z])")
    whole = _SAME_CLAUSE.join(f"{left}{re.escape(piece)}{right}" for piece in _pieces(word))
    begin = _BEGINS if word.startswith(BORDER) else ""
    end = _ENDS if word.endswith(BORDER) else ""
    return re.compile(f"{begin}{whole}{end}")
