"""Which shipment a checkpoint belongs to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from server.tracking.store import Arriving, Incoming, Key
from server.tracking.tables import Number, Registered, Tables


class Target(NamedTuple):
    """The shipment that a checkpoint belongs to, with the piece and the leg of its number."""

    key: Key
    order_id: str
    piece: str
    leg: int


def targets_of(tables: Tables, batches: Sequence[Arriving]) -> list[list[Target | None]]:
    """The shipment of each checkpoint; what has none is looked for again under the guard."""
    numbers = {(b.tenant, i.number) for b in batches for i in b.incoming if i.number}
    keys = {Key(b.tenant, i.shipment_code) for b in batches for i in b.incoming if i.shipment_code}
    found = _find(tables, batches, numbers, keys)
    if any(target is None for each in found for target in each):
        tables.guard()
        found = _find(tables, batches, numbers, keys)
    return found


def _find(
    tables: Tables,
    batches: Sequence[Arriving],
    numbers: Collection[Number],
    keys: Collection[Key],
) -> list[list[Target | None]]:
    registered = tables.registrations(numbers) if numbers else {}
    orders = tables.orders(keys) if keys else {}
    return [[target_of(b.tenant, i, registered, orders) for i in b.incoming] for b in batches]


def target_of(
    tenant: str,
    incoming: Incoming,
    registered: Mapping[Number, Sequence[Registered]],
    orders: Mapping[Key, str],
) -> Target | None:
    """By our code, if it is told; else the last shipment that had the number by then."""
    of_number = registered.get((tenant, incoming.number), ())
    if not incoming.shipment_code:
        found = chosen(of_number, incoming.carrier, incoming.checkpoint.occurred)
        if found is None:
            return None
        return Target(Key(tenant, found.shipment_code), found.order_id, found.piece, found.leg)
    key = Key(tenant, incoming.shipment_code)
    if key not in orders:
        return None
    mine = [each for each in of_number if each.shipment_code == key.shipment_code]
    found = chosen(mine, incoming.carrier, incoming.checkpoint.occurred)
    return Target(key, orders[key], found.piece if found else "", found.leg if found else 0)


def chosen(registered: Sequence[Registered], carrier: str, occurred: int) -> Registered | None:
    """Whose number it was at a moment: of those that had it by then the last.

    Feeds name a carrier in words of their own ("sf", "shunfeng", 100003), so another name rules
    nobody out; an equal one wins. The last is the one whose number began last, else the one that
    was registered last. What is alike is chosen by content, so that the answer is always the same.
    """
    carrier = carrier.casefold()
    by_then = [each for each in registered if each.since <= occurred]
    return max(by_then, key=lambda each: _weight(each, carrier), default=None)


def _weight(registered: Registered, carrier: str) -> tuple[bool, int, int, int, str, str]:
    same = carrier != "" and registered.carrier.casefold() == carrier
    return (
        *(same, registered.since, registered.ordinal),
        *(registered.leg, registered.shipment_code, registered.piece),
    )
