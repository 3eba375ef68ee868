"""What an audit may find."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

KINDS: Final[Mapping[str, str]] = {
    "leg_dropped": "a leg that the facts make is not there",
    "leg_added": "a leg is there that the facts do not make",
    "sign_flipped": "a leg stands on the other side",
    "wrong_account": "a leg stands on another account",
    "wrong_amount": "a leg has another amount",
    "wrong_order": "an entry or a leg names another order",
    "wrong_tag": "an entry or a leg names another case, episode, action, line, party or row",
    "wrong_head": "an entry names other rules, another ledger, currency, actor or topic",
    "wrong_date": "an entry has another effective, occurred or recorded date",
    "legs_shuffled": "the legs are right and in another order than the rules give",
    "entry_doubled": "an event has more than one entry",
    "entry_missing": "an event that moves money has no entry",
    "entry_unfounded": "an entry has no event behind it",
    "entry_misplaced": "an entry stands in another order than the log",
    "number_gap": "a number was left out",
    "number_repeated": "a number was given before",
    "unbalanced": "debits differ from credits by the rules and the facts themselves",
    "mirror_unfounded": "a mirroring entry has a leg that its original does not have",
    "mirror_exceeds": "mirroring entries undo more than their original moved",
    "mirror_of_mirror": "an entry mirrors one that itself mirrors",
    "rules_unpublished": "an entry names rules that the log does not hold",
    "rules_altered": "published rules do not have the digest that they go by",
    "event_altered": "an event does not have the id that its case and version give",
    "event_unreadable": "an event that should make an entry cannot be read",
    "wrong_total": "the trial balance is not the sum of the entries",
}
"""Every kind of finding and what it means."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold: of which event or entry, where in the log, in words.

    ``number`` is that of the entry (``ledger/year/number``), empty where no entry stands.
    """

    kind: str
    event_id: str
    number: str
    position: str
    words: str
