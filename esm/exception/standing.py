"""What happens to a case when the world moves on: signals that cleared, parcels that move."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from esm import commands as c
from esm import events as e
from esm import lifecycle
from esm.catalog import Catalogue
from esm.catalog.model import DELIVERED_AFTER_REMEDY
from esm.catalog.rules import STAGES
from esm.checks import Checks
from esm.exception.closing import may_withdraw
from esm.exception.deviation import cases_about, explanation, took_for_gone
from esm.exception.intake import (
    check_checkpoint,
    checkpoint_of,
    live_sibling,
    open_or_join,
    queue_of,
)
from esm.exception.state import AT_RISK, Action, Case
from esm.ids import event_id
from esm.times import local_date
from esm.unit import Unit

RESUMED: Final = "RESUMED"
"""The resolution of a case whose trouble went by itself."""

CLEARABLE: Final = frozenset({"alert", "carrier"})
"""Kinds of sources that may cease to stand; what people and platforms reported always stands."""


def clear_signal(command: c.ClearSignal, unit: Unit) -> UUID:
    """Note that sources do not stand any more; ends a case that nothing stands behind (A19).

    What the case does not know, or knows as cleared, changes nothing; that what ended never was
    is news once more. A merged case hands it on to the one that it went into. Gives the id of the
    case that stays.
    """
    checks = Checks()
    checks.few("source_ids", command.source_ids)
    check_checkpoint(command.last_checkpoint, checks)
    checks.done()
    case = _surviving(unit, command.exception_id)
    known = {s.source_id for s in case.sources if s.kind in CLEARABLE} - {""}
    known -= set(case.undone if command.undone else case.cleared)
    gone = tuple(each for each in dict.fromkeys(command.source_ids) if each in known)
    if not gone:
        return case.id
    unit.record(
        case.id,
        e.SignalCleared(
            catalogue=unit.context.catalogue.digest,
            source_ids=gone,
            checkpoint=checkpoint_of(unit, case.person, command.last_checkpoint),
            undone=command.undone,
        ),
    )
    case = unit.case(str(case.id))
    if case.state in lifecycle.OPEN_STATES:
        _settle(unit, case, gone)
    return case.id


def record_movement(command: c.RecordMovement, unit: Unit) -> UUID:
    """Note that a parcel moved after a remedy that took it for gone (design §2, identity).

    A remediated or reconciled case of a stall or loss comes back into work, unless the same
    trouble has a later case that is not at its end; then, and for another trouble, the parcel's
    case of the family takes DELIVERED_AFTER_REMEDY as a source, or opens with it. In a case that
    is in work it is only noted. A merged case hands it on to the one that it went into. Gives the
    id of the case in which the story goes on.
    """
    checks = Checks()
    check_checkpoint(command.last_checkpoint, checks)
    checks.done()
    parcel = unit.case(command.exception_id).subject
    case = _surviving(unit, command.exception_id)
    checkpoint = checkpoint_of(unit, case.person, command.last_checkpoint)
    assert checkpoint is not None, "the command has one"
    if not _is_news(unit, case, parcel, checkpoint, delivered=command.delivered):
        return case.id
    digest = unit.context.catalogue.digest
    unit.record(
        case.id,
        e.MovementRecorded(catalogue=digest, checkpoint=checkpoint, delivered=command.delivered),
    )
    if case.state == lifecycle.ESCALATED:
        return case.id
    type_ = unit.context.catalogue.type_of(DELIVERED_AFTER_REMEDY)
    if case.family == type_.family and live_sibling(unit, case) is None:
        _reopen(unit, case)
        return case.id
    return open_or_join(
        unit,
        type_,
        subject=parcel,
        source=e.Source(
            kind="carrier",
            raw_code=checkpoint.raw_code,
            occurred=checkpoint.occurred,
            received=checkpoint.received,
        ),
        stage="breached",
        person=case.person,
        checkpoint=checkpoint,
        raised_by=str(case.id),
    )


def standing(case: Case, catalogue: Catalogue) -> list[tuple[e.Source, str]]:
    """The sources of this episode that still stand, each with the code that it came with."""
    own = zip(case.sources, case.source_codes, strict=True)
    return [
        (source, code)
        for source, code in list(own)[case.episode_sources :]
        if _stands(case, source, catalogue)
    ]


def _stands(case: Case, source: e.Source, catalogue: Catalogue) -> bool:
    if source.source_id not in case.cleared:
        return True
    return source.source_id not in case.undone and not _clears(source, catalogue)


def _clears(source: e.Source, catalogue: Catalogue) -> bool:
    """Whether the end of its signal ends what the source means for the case."""
    if source.kind not in CLEARABLE:
        return False
    rule = catalogue.rules.get(source.alert.rule) if source.alert else None
    if source.alert is None or rule is None or rule.stays is None:
        return True
    stage = source.alert.stage
    return stage not in STAGES or STAGES.index(stage) < STAGES.index(rule.stays)


def _settle(unit: Unit, case: Case, gone: tuple[str, ...]) -> None:
    """Withdraw an open case that nothing stands behind; else its code follows what stands."""
    catalogue = unit.context.catalogue
    left = standing(case, catalogue)
    evidence = (event_id(case.id, unit.version(case.id)),)
    if not left:
        by_signal = case.sources[case.episode_sources :] and not case.episode_by_hand
        if by_signal and may_withdraw(case, catalogue):
            unit.record(
                case.id,
                e.Withdrawn(
                    catalogue=catalogue.digest,
                    from_state=case.state,
                    resolution=RESUMED,
                    evidence=evidence,
                ),
            )
        return
    own = [
        (source.alert is None or source.alert.stage != AT_RISK, catalogue.type_of(code))
        for source, code in left
        if code in catalogue.types and catalogue.type_of(code).family == case.family
    ]
    came = {
        code
        for source, code in zip(case.sources, case.source_codes, strict=True)
        if source.source_id in gone
    }
    if not own or case.code_by_hand or case.code not in came:
        return
    _, strongest = max(own, key=lambda each: (each[0], each[1].rank))
    if case.code not in {type_.code for _, type_ in own}:
        unit.record(
            case.id,
            e.Reclassified(
                catalogue=catalogue.digest,
                from_code=case.code,
                code=strongest.code,
                phase=strongest.phase,
                priority=strongest.priority,
                evidence=evidence,
            ),
        )


def _surviving(unit: Unit, exception_id: str) -> Case:
    """The case, or the one that it was merged into at last."""
    case, seen = unit.case(exception_id), {exception_id}
    while case.state == lifecycle.MERGED and case.merged_into not in seen:
        seen.add(case.merged_into)
        case = unit.case(case.merged_into)
    return case


def _merged(unit: Unit, case: Case) -> Iterator[Case]:
    """The case, and all that went into it: what they did was done about the same trouble."""
    yield case
    for each in case.merged_from:
        yield from _merged(unit, unit.case(each))


def _is_news(
    unit: Unit, case: Case, parcel: e.Subject, checkpoint: e.Checkpoint, *, delivered: bool
) -> bool:
    """Whether the movement of a parcel changes anything for the case, or is worth a note in it.

    A delivery is, however long ago; another movement only since a remedy took the goods for gone.
    In work the first movement of the episode is noted, and the delivery. At rest one movement
    brings back a case that is not about a parcel found again already, or raises one that is.
    """
    catalogue = unit.context.catalogue
    story = tuple(_merged(unit, case))
    if any(_same(known.checkpoint, checkpoint) for each in story for known in each.movements):
        return False
    if not any(
        took_for_gone(each, action)
        and (delivered or _came_since(each, action, checkpoint, catalogue))
        for each in story
        for action in each.actions
    ):
        return False
    own = [m for m in case.movements if m.episode == case.episode and m.state == case.state]
    type_ = catalogue.type_of(DELIVERED_AFTER_REMEDY)
    if case.state == lifecycle.ESCALATED:
        news = not own or (delivered and not any(m.delivered for m in own))
    elif case.state not in (lifecycle.REMEDIATED, lifecycle.RECONCILED):
        news = False
    else:
        news = not own and not (case.family == type_.family and case.code == type_.code)
    if not news or any(_explains(a, type_.expected_by) for each in story for a in each.actions):
        return False
    code = parcel.shipment_code
    others = cases_about(unit, parcel) if code else ()
    return not any(explanation(other, type_.expected_by, code) for other in others)


def _came_since(case: Case, remedy: Action, checkpoint: e.Checkpoint, catalogue: Catalogue) -> bool:
    """Whether a scan is of the day that the remedy was first booked on, or of a later one.

    The books know no more than the day. A remedy that is not in them is as old as its case.
    """
    booked = next((b.entry for b in case.booked if b.action_id == remedy.action_id), None)
    ledger = None if booked is None else catalogue.ledgers.get(booked.ledger)
    if booked is None or ledger is None:
        return True
    return local_date(checkpoint.occurred, ledger.time_zone) >= booked.effective


def _explains(action: Action, kinds: tuple[str, ...]) -> bool:
    return action.kind in kinds and action.status not in (lifecycle.CANCELLED, lifecycle.FAILED)


def _same(a: e.Checkpoint, b: e.Checkpoint) -> bool:
    return (a.occurred, a.status, a.raw_code, a.place) == (
        b.occurred,
        b.status,
        b.raw_code,
        b.place,
    )


def _reopen(unit: Unit, case: Case) -> None:
    """Back into work as the next episode, under the code of what is found again."""
    type_ = unit.context.catalogue.type_of(DELIVERED_AFTER_REMEDY)
    digest, evidence = unit.context.catalogue.digest, event_id(case.id, unit.version(case.id))
    unit.record(
        case.id,
        e.Reopened(
            catalogue=digest,
            from_state=case.state,
            episode=case.episode + 1,
            level=max(case.level, type_.level),
            team=case.team,
            owner=case.owner or queue_of(case.team),
        ),
    )
    unit.record(
        case.id,
        e.Reclassified(
            catalogue=digest,
            from_code=case.code,
            code=type_.code,
            phase=type_.phase,
            priority=type_.priority,
            evidence=(evidence,),
        ),
    )
