"""Journal entries: facts in, balanced legs out, by the catalogue's posting rules."""

from collections.abc import Iterable, Sequence

from esm.catalog import Catalogue, LegRule
from esm.errors import UnbalancedEntry
from esm.events import Entry, Leg, Part
from esm.times import Instant, local_date

MEMO = "memo"
"""Kind of the accounts outside the trial balance; they balance among themselves."""


def book(
    catalogue: Catalogue,
    parts: Sequence[Part],
    *,
    ledger: str,
    currency: str,
    order_id: str,
    exception_id: str,
    episode: int,
    occurred: Instant,
) -> Entry | None:
    """The entry that ``parts`` make, or None when every amount is zero (nothing to post).

    Raises :class:`UnbalancedEntry` when the rules in force do not balance for these amounts.
    """
    legs = tuple(leg for part in parts for leg in _legs(catalogue, part))
    if not legs:
        return None
    check_balance(catalogue, legs)
    return Entry(
        rules=catalogue.postings_digest,
        ledger=ledger,
        currency=currency,
        effective=local_date(occurred, catalogue.ledgers[ledger].time_zone),
        order_id=order_id,
        exception_id=exception_id,
        episode=episode,
        parts=tuple(parts),
        legs=legs,
    )


def mirror(
    catalogue: Catalogue,
    original: Entry,
    row: str,
    amounts: Sequence[int],
    *,
    event_id: str,
    effective: str,
) -> Entry:
    """The entry that undoes ``amounts[i]`` minor units of leg i (X1, R5, cancellations).

    Raises :class:`UnbalancedEntry` when the amounts picked do not balance.
    """
    legs = tuple(
        _swapped(leg, row, amount)
        for leg, amount in zip(original.legs, amounts, strict=True)
        if amount
    )
    check_balance(catalogue, legs)
    return Entry(
        rules=original.rules,
        ledger=original.ledger,
        currency=original.currency,
        effective=effective,
        order_id=original.order_id,
        exception_id=original.exception_id,
        episode=original.episode,
        legs=legs,
        mirrors=event_id,
        mirrored=tuple(amounts),
    )


def account_of(catalogue: Catalogue, row: str, side: str, amount: str) -> str:
    """The account that a row uses for an amount on a side; rows name accounts, code does not."""
    return next(
        rule.account
        for rule in catalogue.rows[row].legs
        if rule.side == side and rule.amount == amount
    )


def action_item(action_id: str) -> str:
    """The item under which an action's balances stand."""
    return f"action:{action_id}"


def logistics_item(logistics_line: str) -> str:
    """The item under which what a carrier is owed on a billing line stands."""
    return f"logistics:{logistics_line}"


def dispute_item(external_id: str) -> str:
    """The item under which the funds withheld by a charge-back stand."""
    return f"dispute:{external_id}"


def penalty_item(external_id: str) -> str:
    """The item under which a platform's penalty stands."""
    return f"penalty:{external_id}"


def size(leg: Leg) -> int:
    """The amount of a leg, whichever side it stands on; minor units."""
    return leg.debit or leg.credit


def _legs(catalogue: Catalogue, part: Part) -> Iterable[Leg]:
    for rule in catalogue.rows[part.row].legs:
        amount = part.amounts.get(rule.amount, 0)
        if amount:
            yield _leg(rule, part, amount)


def _leg(rule: LegRule, part: Part, amount: int) -> Leg:
    """One leg; a negative amount flips the side only where the rule is signed."""
    if amount < 0 and not rule.signed:
        raise UnbalancedEntry(
            f"row {part.row}: amount {rule.amount} is negative",
            metadata={"row": part.row, "amount": rule.amount},
        )
    account = rule.account
    if account.startswith("$"):
        account = part.accounts[account[1:]]
    debit = (rule.side == "debit") == (amount > 0)
    item, exception_id = part.item, part.exception_id
    if rule.item == "own":
        item, exception_id = part.own_item, ""
    elif rule.item == "logistics":
        item = logistics_item(part.logistics_line)
    return Leg(
        account=account,
        debit=abs(amount) if debit else 0,
        credit=0 if debit else abs(amount),
        amount=rule.amount,
        row=part.row,
        item=item,
        party=rule.party,
        sale_line=part.sale_line,
        logistics_line=part.logistics_line,
        shipment_code=part.shipment_code,
        action_id=part.action_id,
        exception_id=exception_id,
    )


def _swapped(leg: Leg, row: str, amount: int) -> Leg:
    return Leg(
        account=leg.account,
        debit=amount if leg.credit else 0,
        credit=amount if leg.debit else 0,
        amount=leg.amount,
        row=row,
        item=leg.item,
        party=leg.party,
        sale_line=leg.sale_line,
        logistics_line=leg.logistics_line,
        shipment_code=leg.shipment_code,
        action_id=leg.action_id,
        exception_id=leg.exception_id,
    )


def check_balance(catalogue: Catalogue, legs: Sequence[Leg]) -> None:
    """Debits equal credits, among memorandum accounts and among the others.

    Raises :class:`UnbalancedEntry`; the books would stop at an entry that does not balance.
    """
    sums = {True: 0, False: 0}
    for leg in legs:
        account = catalogue.accounts.get(leg.account)
        memo = account is not None and account.kind == MEMO
        sums[memo] += leg.debit - leg.credit
    if any(sums.values()):
        rows = ",".join(sorted({leg.row for leg in legs}))
        raise UnbalancedEntry(
            f"legs of {rows} do not balance: debits exceed credits by {sums[False]}, "
            f"among memorandum accounts by {sums[True]}",
            metadata={"rows": rows, "by": str(sums[False]), "memorandumBy": str(sums[True])},
        )
