"""Facts about the watch over a subject: which rules are muted there."""

from esm.events.base import Event, Sealed, Subject
from esm.times import Instant


class RuleMuted(Event):
    """A rule opens no case about the subject before ``until``; replaces what was said before."""

    TOPIC = "watch.rule_muted.v1"
    subject: Subject
    rule: str
    until: Instant
    by: str
    reason: Sealed | None = None
