"""Folding the facts of a case into its state: a table of small steps that never refuse."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from esm import events as e
from esm import lifecycle
from esm.exception import sources
from esm.exception.state import (
    Accrual,
    Action,
    Booked,
    Carry,
    Case,
    CodeChange,
    Verification,
)
from esm.ids import event_id

RESHIP_FREIGHT = "reship_freight"
"""The charge kind under which a dispatched reshipment's freight waits for its invoice."""


def detected(event: e.Detected, aggregate_id: UUID, tenant: str) -> Case:
    """The case as its first fact leaves it."""
    return Case(
        id=aggregate_id,
        tenant=tenant,
        subject=event.subject,
        code=event.code,
        family=event.family,
        phase=event.phase,
        occurrence=event.occurrence,
        state=lifecycle.DETECTED,
        stage=event.stage,
        priority=event.priority,
        team=event.team,
        person=event.person,
        raised_by=event.raised_by,
        failing_check=event.failing_check,
        checkpoint=event.checkpoint,
        none_yet=event.none_yet,
        codes=(CodeChange(from_code="", code=event.code),),
        sources=(event.source,),
        source_codes=(event.code,),
    )


def _escalated(case: Case, event: e.Escalated, _: int) -> Case:
    return replace(case, state=event.state, level=event.level, team=event.team, owner=event.owner)


def _assigned(case: Case, event: e.Assigned, _: int) -> Case:
    return replace(case, owner=event.owner, team=event.team)


def _reclassified(case: Case, event: e.Reclassified, _: int) -> Case:
    change = CodeChange(from_code=event.from_code, code=event.code, evidence=event.evidence)
    return replace(
        case,
        code=event.code,
        phase=event.phase,
        priority=event.priority,
        codes=(*case.codes, change),
        code_by_hand=event.reason is not None,
    )


def _verified(case: Case, event: e.Verified, _: int) -> Case:
    known = Verification(
        item=event.item,
        result=event.result,
        by=event.by,
        finding=event.finding,
        evidence=event.evidence,
    )
    others = tuple(v for v in case.verifications if v.item != event.item)
    return replace(case, verifications=(*others, known))


def _waiting_started(case: Case, event: e.WaitingStarted, _: int) -> Case:
    return replace(case, waiting_on=event.party)


def _waiting_stopped(case: Case, _: e.WaitingStopped, __: int) -> Case:
    return replace(case, waiting_on="")


def _action_proposed(case: Case, event: e.ActionProposed, _: int) -> Case:
    action = Action(
        action_id=event.action_id,
        kind=event.kind,
        side=event.side,
        money=event.money,
        status=lifecycle.PROPOSED,
        episode=case.episode,
        terms=event.terms,
        proposed_by=event.by,
    )
    return replace(case, state=event.state, actions=(*case.actions, action))


def _action_approved(case: Case, event: e.ActionApproved, version: int) -> Case:
    case = _with_action(
        case,
        event.action_id,
        status=lifecycle.APPROVED,
        approved_by=event.by,
        amount=event.amount,
        approved_version=version,
    )
    return _book(case, event.entry, version, "approval", event.action_id)


def _action_submitted(case: Case, event: e.ActionSubmitted, version: int) -> Case:
    case = _with_action(
        case, event.action_id, status=lifecycle.SUBMITTED, external_id=event.external_id
    )
    return _book(case, event.entry, version, "submission", event.action_id)


def _action_outcome(case: Case, event: e.ActionOutcomeRecorded, version: int) -> Case:
    action = case.action(event.action_id)
    if action is None:
        return case
    changes: dict[str, Any] = {"status": event.status}
    if event.external_id:
        changes["external_id"] = event.external_id
    if event.shipment_code:
        changes["shipment_code"] = event.shipment_code
    changes.update(_OUTCOME_CHANGES.get(event.outcome, _no_change)(action, event, version))
    case = _with_action(replace(case, state=event.state), event.action_id, **changes)
    if event.outcome == "dispatched":
        case = _accrue(case, event.logistics_line, RESHIP_FREIGHT, event.fee, 0)
    return _book(case, event.entry, version, "outcome", event.action_id)


def _no_change(_: Action, __: e.ActionOutcomeRecorded, ___: int) -> dict[str, Any]:
    return {}


def _succeeded(_: Action, event: e.ActionOutcomeRecorded, version: int) -> dict[str, Any]:
    return {"amount": event.amount, "paid_version": version} if event.entry else {}


def _claim_approved(action: Action, event: e.ActionOutcomeRecorded, _: int) -> dict[str, Any]:
    return {"amount": action.amount + event.amount}


def _coupon_ended(_: Action, event: e.ActionOutcomeRecorded, __: int) -> dict[str, Any]:
    return {"settled_by": event.outcome}


_OUTCOME_CHANGES: dict[str, Callable[[Action, e.ActionOutcomeRecorded, int], dict[str, Any]]] = {
    "succeeded": _succeeded,
    "dispatched": lambda *_: {"dispatched": True},
    "claim_approved": _claim_approved,
    "coupon_used": _coupon_ended,
    "coupon_revoked": _coupon_ended,
    "coupon_expired": _coupon_ended,
}
"""What an outcome changes in its action besides status and ids."""


def _action_cancelled(case: Case, event: e.ActionCancelled, version: int) -> Case:
    case = _with_action(case, event.action_id, status=lifecycle.CANCELLED)
    return _book(case, event.entry, version, "mirror", event.action_id)


def _write_off_proposed(case: Case, event: e.WriteOffProposed, _: int) -> Case:
    return _with_action(case, event.action_id, write_off_by=event.by, write_off_amount=event.amount)


def _action_written_off(case: Case, event: e.ActionWrittenOff, version: int) -> Case:
    case = _with_action(case, event.action_id, status=event.status)
    return _book(case, event.entry, version, "write_off", event.action_id)


def _entry_reversed(case: Case, event: e.EntryReversed, version: int) -> Case:
    original = next(
        (b for b in case.booked if event_id(case.id, b.version) == event.reversed_event_id), None
    )
    if original is not None and original.charge:
        case = _unaccrue(case, original, event.entry.mirrored)
    return _book(case, event.entry, version, "mirror")


def _unaccrue(case: Case, original: Booked, undone: tuple[int, ...]) -> Case:
    """A reversed charge is not accrued any more; a reversed invoice is awaited again."""
    legs = zip(original.entry.legs, undone, strict=True)
    amounts = {leg.amount: amount if leg.debit else -amount for leg, amount in legs}
    facts = original.entry.parts[0].amounts
    line = original.entry.parts[0].logistics_line
    if "invoiced" in facts:
        net, tax = facts["accrued_net"], facts["accrued_tax"]
    else:
        net, tax = -amounts.get("net", 0), -amounts.get("tax", 0)
    return _accrue(case, line, original.charge, net, tax)


def _charge_accrued(case: Case, event: e.CarrierChargeAccrued, version: int) -> Case:
    case = _accrue(case, event.logistics_line, event.kind, event.net, event.tax)
    return _book(case, event.entry, version, "charge", charge=event.kind)


def _charge_invoiced(case: Case, event: e.CarrierChargeInvoiced, version: int) -> Case:
    found = accrual_of(case, event.logistics_line, event.kind)
    case = _accrue(case, event.logistics_line, event.kind, -found.net, -found.tax)
    return _book(case, event.entry, version, "charge", charge=event.kind)


def _outside_money(case: Case, event: e.OutsideMoneyRecorded, version: int) -> Case:
    return _book(case, event.entry, version, "outside", outside=event.kind)


def _balance_touched(case: Case, event: e.BalanceTouched, version: int) -> Case:
    balances = dict(case.balances)
    for delta in event.deltas:
        _add(balances, (delta.account, delta.item), delta.amount)
    case = replace(
        case,
        balances=balances,
        money_posted=True,
        billing_lines={**case.billing_lines, **_lines_of(case, event.action_id, version)},
    )
    action = case.action(event.action_id)
    if action is None:
        return case
    return _with_action(
        case,
        event.action_id,
        status=event.action_status or action.status,
        settled_by=event.settled_by or action.settled_by,
    )


def _lines_of(case: Case, action_id: str, version: int) -> dict[str, int]:
    action = case.action(action_id)
    return {action.terms.logistics_line if action else "": version}


def _carry_proposed(case: Case, event: e.CarryProposed, _: int) -> Case:
    return _with_carry(
        case,
        Carry(
            item=event.item,
            amount=event.amount,
            owner=event.owner,
            due=event.due,
            proposed_by=event.by,
        ),
    )


def _item_carried(case: Case, event: e.ItemCarried, _: int) -> Case:
    return _with_carry(
        case,
        Carry(
            item=event.item,
            amount=event.amount,
            owner=event.owner,
            due=event.due,
            proposed_by=event.proposed_by,
            by=event.by,
        ),
    )


def _written_back(case: Case, event: e.WrittenBack, version: int) -> Case:
    if event.none:
        return case
    return replace(case, written_back={**case.written_back, event.logistics_line: version})


def _remediated(case: Case, event: e.Remediated, _: int) -> Case:
    return replace(
        case,
        state=lifecycle.REMEDIATED,
        resolution=event.resolution,
        summary=event.summary,
        customer_resolved_at=event.customer_resolved_at,
        waiting_on="",
    )


def _reconciled(case: Case, _: e.Reconciled, __: int) -> Case:
    return replace(case, state=lifecycle.RECONCILED)


def _withdrawn(case: Case, event: e.Withdrawn, _: int) -> Case:
    return replace(case, state=lifecycle.WITHDRAWN, resolution=event.resolution, waiting_on="")


def _merged(case: Case, event: e.Merged, _: int) -> Case:
    return replace(case, state=lifecycle.MERGED, merged_into=event.into, waiting_on="")


def _reopened(case: Case, event: e.Reopened, _: int) -> Case:
    return replace(
        case,
        state=lifecycle.ESCALATED,
        stage=sources.standing_stage(case),
        episode=event.episode,
        level=event.level,
        team=event.team,
        owner=event.owner,
        resolution="",
        summary=None,
        customer_resolved_at="",
        carries=(),
        episode_sources=len(case.sources),
        episode_by_hand=event.reason is not None,
    )


def _book(
    case: Case,
    entry: e.Entry | None,
    version: int,
    kind: str,
    action_id: str = "",
    *,
    outside: str = "",
    charge: str = "",
) -> Case:
    """Add an entry's own lines to the balances and keep it for reversals."""
    if entry is None:
        return case
    balances = dict(case.balances)
    for leg in entry.legs:
        if not leg.exception_id or leg.exception_id == str(case.id):
            _add(balances, (leg.account, leg.item), leg.debit - leg.credit)
    lines = {leg.logistics_line for leg in entry.legs if leg.logistics_line} or {""}
    kept = Booked(
        version=version,
        kind=kind,
        action_id=action_id,
        outside=outside,
        charge=charge,
        entry=entry,
        reversed=(0,) * len(entry.legs),
    )
    return replace(
        case,
        balances=balances,
        currency=entry.currency,
        booked=(*_with_mirrored(case, entry), kept),
        billing_lines={**case.billing_lines, **dict.fromkeys(lines, version)},
        money_posted=True,
    )


def _with_mirrored(case: Case, entry: e.Entry) -> tuple[Booked, ...]:
    """The entries so far, what ``entry`` undoes of one of them counted."""
    if not entry.mirrors:
        return case.booked
    return tuple(
        replace(b, reversed=tuple(map(sum, zip(b.reversed, entry.mirrored, strict=True))))
        if event_id(case.id, b.version) == entry.mirrors
        else b
        for b in case.booked
    )


def _add(balances: dict[tuple[str, str], int], key: tuple[str, str], amount: int) -> None:
    balance = balances.get(key, 0) + amount
    if balance:
        balances[key] = balance
    else:
        balances.pop(key, None)


def _with_action(case: Case, action_id: str, **changes: Any) -> Case:
    return replace(
        case,
        actions=tuple(
            replace(a, **changes) if a.action_id == action_id else a for a in case.actions
        ),
    )


def accrual_of(case: Case, logistics_line: str, kind: str) -> Accrual:
    """What was accrued and not invoiced for a kind of charge on a billing line, maybe zero."""
    for accrual in case.accruals:
        if accrual.logistics_line == logistics_line and accrual.kind == kind:
            return accrual
    return Accrual(logistics_line=logistics_line, kind=kind, net=0, tax=0)


def _accrue(case: Case, logistics_line: str, kind: str, net: int, tax: int) -> Case:
    found = accrual_of(case, logistics_line, kind)
    accrual = replace(found, net=found.net + net, tax=found.tax + tax)
    others = tuple(a for a in case.accruals if a != found)
    kept = (*others, accrual) if accrual.net or accrual.tax else others
    return replace(case, accruals=kept)


def _with_carry(case: Case, carry: Carry) -> Case:
    others = tuple(c for c in case.carries if c.item != carry.item)
    return replace(case, carries=(*others, carry))


STEPS: dict[type[e.Event], Callable[[Case, Any, int], Case]] = {
    e.SourceJoined: sources.source_joined,
    e.SignalCleared: sources.signal_cleared,
    e.MovementRecorded: sources.movement_recorded,
    e.Escalated: _escalated,
    e.Assigned: _assigned,
    e.Reclassified: _reclassified,
    e.Verified: _verified,
    e.WaitingStarted: _waiting_started,
    e.WaitingStopped: _waiting_stopped,
    e.ActionProposed: _action_proposed,
    e.ActionApproved: _action_approved,
    e.ActionSubmitted: _action_submitted,
    e.ActionOutcomeRecorded: _action_outcome,
    e.ActionCancelled: _action_cancelled,
    e.WriteOffProposed: _write_off_proposed,
    e.ActionWrittenOff: _action_written_off,
    e.EntryReversed: _entry_reversed,
    e.CarrierChargeAccrued: _charge_accrued,
    e.CarrierChargeInvoiced: _charge_invoiced,
    e.OutsideMoneyRecorded: _outside_money,
    e.BalanceTouched: _balance_touched,
    e.CarryProposed: _carry_proposed,
    e.ItemCarried: _item_carried,
    e.WrittenBack: _written_back,
    e.Remediated: _remediated,
    e.Reconciled: _reconciled,
    e.Withdrawn: _withdrawn,
    e.Merged: _merged,
    e.MergeReceived: sources.merge_received,
    e.Reopened: _reopened,
}
"""Event type -> step(case, event, version). Facts that change nothing here are left out."""
