"""Detection rules as a catalogue holds them: data only, judged by ``esm.detection``."""

import re
from typing import Annotated, Final, Literal, get_args

import msgspec

from esm.catalog.data import Data, Status, Title

Span = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,9}(m|h|d|bd)\Z")]
"""A length of time: minutes, hours, days of 24 hours, or business days (``5bd``)."""

SPAN_DAYS_MAX: Final = 3_650
"""The longest span, before or after, in days or business days: ten years."""

OVERRIDES_MAX: Final = 500
"""Most overrides of a rule; every two of them are looked at together."""

ANYWHERE: Final = "*"
LANE: Final = re.compile(r"[A-Z]{2}-[A-Z]{2}")
"""A lane: the two-letter codes of the countries from and to, such as "CN-US"."""
LANES: Final = re.compile(r"[A-Z]{2}-(?:[A-Z]{2}|\*)|\*-[A-Z]{2}")
"""Lanes of an override: one, or all from or to a country ("CN-*", "*-US")."""

Stage = Literal["at_risk", "breached", "serious"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
"""The stages of a timed rule, the mildest first."""

Since = Literal[
    "event",
    "attempts",
    "after_delivery",
    "future",
    "elsewhere",
    "labelled",
    "handed_over",
    "promised",
    "unknown",
    "first_scan",
    "first_piece",
    "checkpoint",
    "node",
    "status",
]
"""What a rule counts from. ``event``: a checkpoint that opens a case by itself; ``attempts``: the
``count``-th attempt to deliver; ``after_delivery``, ``future``, ``elsewhere``: a checkpoint that
contradicts the delivery, the clock, the destination; ``labelled``, ``handed_over``, ``promised``:
facts of the shipment; ``unknown``: the carrier first said that it does not know the number;
``first_scan``: the carrier's first; ``first_piece``: the first of several pieces was delivered;
``checkpoint``: each one anew; ``node``: the first of a run at one place; ``status``: the parcel
came to one of the statuses in ``while``."""

EVENT_SINCE: frozenset[Since] = frozenset(
    ("event", "attempts", "after_delivery", "future", "elsewhere")
)
"""Rules that need no time: a checkpoint is the deviation."""


class Thresholds(Data, omit_defaults=True):
    """What may differ for some shipments. None in an override means: as in the rule.

    A stage fires once its span after ``since`` is reached; at that very instant a checkpoint comes
    first and saves it, unless ``inclusive``. ``serious_code`` is the code of the serious stage.
    Business days are those of ``calendar``, a country's or region's holidays ("CN", "US-CA"; ""
    for Monday to Friday), and begin at midnight of ``zone``, an IANA name ("UTC" when not given).
    """

    at_risk: Span | None = None
    breached: Span | None = None
    serious: Span | None = None
    serious_code: str | None = None
    inclusive: bool | None = None
    calendar: str | None = None
    zone: str | None = None
    suppressed: bool | None = None


class Override(Thresholds):
    """Other thresholds for shipments that match everything given.

    Of the overrides that match, a later one wins over an earlier one, threshold by threshold.
    A lane is "CN-US"; "CN-*" and "*-US" are all lanes from or to there, and ``cross_border`` all
    between two different places. ``season`` is two days of a year, "11-01/11-30" or over its end
    "12-15/01-05", both included, of the moment that the rule counts from (UTC). ``status`` is that
    of the parcel at that moment.
    """

    carrier: tuple[str, ...] = ()
    lane: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    cross_border: bool = False
    status: tuple[Status, ...] = ()
    season: Annotated[str, msgspec.Meta(pattern=r"^(\d\d-\d\d/\d\d-\d\d)?$")] = ""


class Rule(Thresholds, kw_only=True):
    """What counts as a deviation. ``version`` grows with every change of what it finds.

    A wait begins at ``since`` while the parcel's status is one of ``while`` (empty: any) and ends
    with a checkpoint of a status in ``until`` (empty: what ``since`` says). Without ``tracked`` the
    rule also runs on shipments that nobody scans. Once the stage ``stays`` was reached, the end of
    the wait ends no case any more. A rule on events has no stages, ``while`` is the status of the
    checkpoint itself, and ``code`` is "" where the checkpoint names the code.
    """

    rule: str
    version: int
    title: Title
    since: Since
    code: str = ""
    while_: tuple[Status, ...] = msgspec.field(default=(), name="while")
    until: tuple[Status, ...] = ()
    count: int = 0
    tracked: bool = True
    stays: Stage | None = None
    override: tuple[Override, ...] = ()


class Service(Data):
    """A carrier's service, as far as detection must know it. ``tracked``: the carrier scans it."""

    title: Title
    tracked: bool = True


class Clearing(Data, omit_defaults=True):
    """What follows from the status of a checkpoint, whatever the feed.

    ``clears`` are the families or codes whose event findings it ends. ``opens`` is the code of the
    case that it opens where no raw code says more, ``by_text`` the codes that its text may choose
    instead.
    """

    clears: tuple[str, ...] = ()
    opens: str = ""
    by_text: tuple[str, ...] = ()


Guard = Literal["denies", "plans", "unless"]
"""Words around one that tells a status, by which it tells none. ``denies``: before it, in Chinese
right before it, unless it tells of trouble; ``plans``: before it; ``unless``: before or behind it;
all in the same clause."""

GAP: Final = "…"
"""In a word: anything of the same clause, or nothing."""

BORDER: Final = "|"
"""At an end of a word: there the clause begins or ends."""


class Words(Data):
    """Words in a carrier's text that choose something, the longest one of all that stand there.

    They choose a code where a raw code lets its text choose, and a status where there is no raw
    code. Latin words stand for themselves only, not for a part of a longer word. A word may hold
    GAP and begin or end with BORDER.
    """

    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()
