"""Journal entries as money events carry them: the facts, and the legs they made."""

import msgspec

from esm.events.base import Value


class Part(Value):
    """The facts of one posting row: what the amounts are and what they are tagged with.

    ``amounts`` are minor units by the names the row uses; ``accounts`` answers the row's
    choices (``settlement``, ``cost``, ``payable``). ``item`` groups what must come to zero
    together; ``exception_id`` names another case the part belongs to, whose legs of the
    entry's own case then stand under ``own_item``.
    """

    row: str
    amounts: dict[str, int] = msgspec.field(default_factory=dict)
    accounts: dict[str, str] = msgspec.field(default_factory=dict)
    item: str = ""
    own_item: str = ""
    sale_line: str = ""
    logistics_line: str = ""
    shipment_code: str = ""
    action_id: str = ""
    exception_id: str = ""


class Leg(Value):
    """One line of a journal entry: exactly one of debit and credit is positive minor units.

    ``amount`` names the amount of the part it shows; ``exception_id`` is the case that the
    line belongs to when it is another than the entry's own.
    """

    account: str
    debit: int = 0
    credit: int = 0
    amount: str = ""
    row: str = ""
    item: str = ""
    party: str = ""
    sale_line: str = ""
    logistics_line: str = ""
    shipment_code: str = ""
    action_id: str = ""
    exception_id: str = ""


class Entry(Value):
    """A journal entry as decided: rules by digest, facts in ``parts``, outcome in ``legs``.

    A mirroring entry has no parts: ``mirrors`` is the event id of the entry that it undoes and
    ``mirrored[i]`` how much of that entry's leg i.
    """

    rules: str
    ledger: str
    currency: str
    effective: str
    order_id: str
    exception_id: str
    episode: int
    parts: tuple[Part, ...] = ()
    legs: tuple[Leg, ...] = ()
    mirrors: str = ""
    mirrored: tuple[int, ...] = ()
