"""Reversal (冲销): mirror an entry line by line, whole or in part, never twice."""

from collections.abc import Mapping
from uuid import UUID

from esm import events as e
from esm.checks import Checks
from esm.commands import ReverseEntry
from esm.errors import EntryNotFound, ReversalRefused
from esm.exception.booking import PAYOUTS, order_effect, rest_of, touch_others
from esm.exception.gates import is_carried
from esm.exception.state import Booked, Case
from esm.ids import event_id
from esm.lifecycle import ENDED_STATUSES, RECONCILED, SUCCEEDED, next_state
from esm.postings import check_balance, mirror, size
from esm.unit import Unit

ROW = "X1"


def reverse_entry(command: ReverseEntry, unit: Unit) -> UUID:
    """Mirror what an event of the case posted; effective on the date of the entry it undoes.

    Raises :class:`EntryNotFound`, :class:`ReversalRefused` (above the unreversed rest, of a
    reversal, or of what another command undoes), :class:`~esm.errors.UnbalancedEntry` when the
    legs picked do not balance part by part.
    """
    case = unit.case(command.exception_id)
    checks = Checks()
    checks.identifier("event_id", command.event_id)
    checks.text("reason", command.reason)
    checks.few("legs", command.legs)
    checks.done()
    booked = _find(case, command.event_id)
    _require_move(case, booked)
    _require_reversible(case, booked)
    amounts = _amounts(command, unit, booked, checks)
    checks.done()
    _require_parts_balance(unit, booked, amounts)
    _require_unsettled(unit, case, booked, amounts)
    entry = mirror(
        unit.context.catalogue,
        booked.entry,
        ROW,
        amounts,
        event_id=command.event_id,
        effective=booked.entry.effective,
    )
    unit.record(
        case.id,
        e.EntryReversed(
            catalogue=unit.context.catalogue.digest,
            reversed_event_id=command.event_id,
            entry=entry,
            reason=unit.seal(case.person, command.reason),
        ),
    )
    effect = order_effect(case, booked, amounts)
    if effect is not None:
        unit.record(unit.order(case.subject.order_id).id, effect)
    touch_others(unit, case, entry)
    return case.id


def _find(case: Case, wanted: str) -> Booked:
    for booked in case.booked:
        if event_id(case.id, booked.version) == wanted:
            return booked
    raise EntryNotFound(
        f"no entry of this case was made by event {wanted!r}", metadata={"eventId": wanted}
    )


def _require_move(case: Case, booked: Booked) -> None:
    carried = any(leg.item and is_carried(case, leg.item) for leg in booked.entry.legs)
    next_state(case.state, "settle_carried" if case.state == RECONCILED and carried else "reverse")
    if booked.entry.mirrors:
        raise ReversalRefused("a reversal is never reversed; post the right fact instead")


INSTEAD: Mapping[str, str] = {
    "submission": "a filed claim ends by claim_denied",
    "write_off": "a claim that was written off is filed again",
    **{f"outcome/{m}": "a payout that came back is recorded as failed (R5)" for m in PAYOUTS},
    "outcome/coupon": "a coupon ends by coupon_revoked",
    "outcome/reshipment": "a dispatched parcel stays dispatched; record its charges",
    "approval/reshipment": "cancel the action",
    "outside/chargeback_opened": "record chargeback_won or chargeback_lost",
    "outside/chargeback_won": "record chargeback_opened again",
    "outside/chargeback_lost": "record the provider's later fact",
    "outside/wallet_deduction": "record the platform's later fact",
}
"""Entries that another command undoes, because more than the books hangs on them: by what made
them, and the money of the action or the kind of outside money."""


ENDED: Mapping[str, frozenset[str]] = {
    "approval": frozenset({SUCCEEDED}),
    "outcome": ENDED_STATUSES,
}
"""By what made an entry, the statuses of its action in which it stands for good."""


def _require_reversible(case: Case, booked: Booked) -> None:
    action = case.action(booked.action_id)
    about = booked.outside or (action.money if action else "")
    advice = INSTEAD.get(booked.kind) or INSTEAD.get(f"{booked.kind}/{about}")
    if advice is None and action is not None and action.status in ENDED[booked.kind]:
        advice = "its action has ended; a payout that came back is recorded as failed first"
    if advice is not None:
        raise ReversalRefused(
            f"this entry is not reversed by itself: {advice}",
            metadata={"kind": booked.kind, "of": about},
        )


def _require_parts_balance(unit: Unit, booked: Booked, amounts: tuple[int, ...]) -> None:
    """What is undone of a row and sale line balances by itself, so it can be told the order."""
    groups: dict[tuple[str, str], list[e.Leg]] = {}
    for leg, amount in zip(booked.entry.legs, amounts, strict=True):
        undone = e.Leg(
            account=leg.account,
            row=leg.row,
            debit=amount if leg.debit else 0,
            credit=amount if leg.credit else 0,
        )
        groups.setdefault((leg.row, leg.sale_line), []).append(undone)
    for legs in groups.values():
        check_balance(unit.context.catalogue, legs)
    if booked.charge and "accrued" in {leg.amount for leg in booked.entry.legs}:
        whole = all(a == size(leg) for leg, a in zip(booked.entry.legs, amounts, strict=True))
        if not whole:
            raise ReversalRefused("an invoiced charge is reversed whole, then invoiced again")


def _require_unsettled(unit: Unit, case: Case, booked: Booked, amounts: tuple[int, ...]) -> None:
    """What was paid, invoiced or settled since is undone first: no obligation turns around."""
    undone: dict[tuple[str, str], int] = {}
    for leg, amount in zip(booked.entry.legs, amounts, strict=True):
        account = unit.context.catalogue.accounts.get(leg.account)
        opens = {"asset": bool(leg.debit), "liability": bool(leg.credit)}
        if account is not None and account.control and opens.get(account.kind):
            key = (leg.account, leg.item)
            undone[key] = undone.get(key, 0) + amount
    for (number, item), amount in undone.items():
        left = abs(case.balances.get((number, item), 0))
        if amount > left and not _of_another(booked, number):
            raise ReversalRefused(
                f"account {number}: {amount} minor units to reverse, {left} are still open; "
                "undo what settled the rest first",
                metadata={"account": number, "open": str(left)},
            )


def _of_another(booked: Booked, account: str) -> bool:
    """Whether the account's legs belong to another case, whose balance is not at hand."""
    return any(leg.account == account and leg.exception_id for leg in booked.entry.legs)


def _amounts(command: ReverseEntry, unit: Unit, booked: Booked, checks: Checks) -> tuple[int, ...]:
    rest = rest_of(booked)
    if not any(rest):
        raise ReversalRefused("the entry is reversed whole already")
    if not command.legs:
        return rest
    amounts = [0] * len(rest)
    for i, wanted in enumerate(command.legs):
        field = f"legs[{i}]"
        amount = checks.money(
            f"{field}.amount", wanted.amount, unit.context.catalogue, booked.entry.currency
        )
        if not 0 <= wanted.leg < len(rest):
            checks.refuse(f"{field}.leg", f"the entry has legs 0 to {len(rest) - 1}")
            continue
        amounts[wanted.leg] += amount
    for i, (amount, left) in enumerate(zip(amounts, rest, strict=True)):
        if amount > left:
            raise ReversalRefused(
                f"leg {i}: {amount} minor units to reverse, {left} are not reversed yet",
                metadata={"leg": str(i), "rest": str(left)},
            )
    return tuple(amounts)
