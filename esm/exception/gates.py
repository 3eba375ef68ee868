"""The gates: what is still open on a case (A), and what must be known before a promise (C)."""

from collections.abc import Iterable

from esm import lifecycle
from esm.catalog import Catalogue
from esm.catalog.model import LAST_EVENT_AND_PATH
from esm.errors import ChecklistIncomplete, OpenItemsRemain
from esm.exception.state import Case, OpenItem
from esm.postings import action_item

WRITE_BACK = "write_back"
WRITE_BACK_PREFIX = f"{WRITE_BACK}:"


def open_items(case: Case, catalogue: Catalogue) -> tuple[OpenItem, ...]:
    """Everything gate A asks about, in a stable order: balances, actions, write-backs."""
    found = [*_balances(case, catalogue), *_actions(case)]
    by_ref: dict[str, OpenItem] = {}
    for item in found:
        known = by_ref.get(item.ref)
        by_ref[item.ref] = item if known is None else _joined(known, item)
    for line in sorted(stale_write_backs(case)):
        ref = f"{WRITE_BACK_PREFIX}{line}"
        what = f"billing line {line or '(order)'} is not written back"
        by_ref[ref] = OpenItem(ref=ref, kind=WRITE_BACK, amount=0, what=what)
    carried = {c.item: c.amount for c in case.carries if c.by}
    return tuple(
        OpenItem(
            ref=i.ref,
            kind=i.kind,
            amount=i.amount,
            what=i.what,
            carried=carried.get(i.ref, -1) >= i.amount,
        )
        for i in by_ref.values()
    )


def require_closed(
    case: Case, catalogue: Catalogue, move: str, *, carried: bool = False
) -> tuple[str, ...]:
    """Gate A: raises :class:`OpenItemsRemain`, or gives the refs of the carried items.

    Only a reconciled case settles what was carried, so other ends take no ``carried`` items.
    """
    items = open_items(case, catalogue)
    blocking = [(i.ref, i.what) for i in items if not (carried and i.carried)]
    if blocking:
        raise OpenItemsRemain(move, blocking)
    return tuple(i.ref for i in items)


def stale_write_backs(case: Case) -> Iterable[str]:
    """Billing lines with money that is newer than their last write-back."""
    return (
        line
        for line, money_version in case.billing_lines.items()
        if case.written_back.get(line, 0) < money_version
    )


def is_carried(case: Case, ref: str) -> bool:
    """Whether two persons carried the item of that ref."""
    return any(c.item == ref and c.by for c in case.carries)


def item_ref(account: str, item: str) -> str:
    """What CarryItem names a balance by: its item, else its account."""
    return item or f"account:{account}"


def require_checklist(case: Case, catalogue: Catalogue, wanted: str) -> None:
    """Gate C: every checklist item of the current code is known or known not obtainable."""
    known = {v.item for v in case.verifications}
    missing = [i for i in catalogue.type_of(case.code).checklist if i not in known]
    if missing:
        raise ChecklistIncomplete(wanted, missing)


def require_last_event(case: Case, catalogue: Catalogue, wanted: str) -> None:
    """Raising the level by hand and asking the carrier need the last event and path known."""
    asked = LAST_EVENT_AND_PATH in catalogue.type_of(case.code).checklist
    if asked and all(v.item != LAST_EVENT_AND_PATH for v in case.verifications):
        raise ChecklistIncomplete(wanted, [LAST_EVENT_AND_PATH])


def _balances(case: Case, catalogue: Catalogue) -> Iterable[OpenItem]:
    for (account, item), amount in sorted(case.balances.items()):
        chart = catalogue.accounts.get(account)
        if chart is not None and chart.control:
            yield OpenItem(
                ref=item_ref(account, item),
                kind="balance",
                amount=abs(amount),
                what=f"account {account} stands at {amount} minor units",
            )


def _actions(case: Case) -> Iterable[OpenItem]:
    for action in case.actions:
        if action.status not in lifecycle.ENDED_STATUSES:
            yield OpenItem(
                ref=action_item(action.action_id),
                kind="action",
                amount=0,
                what=f"action {action.kind} is {action.status}",
            )


def _joined(a: OpenItem, b: OpenItem) -> OpenItem:
    return OpenItem(
        ref=a.ref,
        kind=a.kind,
        amount=max(a.amount, b.amount),
        what=f"{a.what}; {b.what}",
    )
