"""What detection found, as a signal: refused while it is muted, or while an action explains it."""

from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

from esm import events as e
from esm import lifecycle
from esm.catalog import ExceptionType
from esm.catalog.model import DELIVERED_AFTER_REMEDY
from esm.catalog.rules import STAGES
from esm.checks import Checks
from esm.commands import Context, DetectDeviation
from esm.errors import Expected
from esm.exception import intake
from esm.exception.state import Action, Case
from esm.ids import exception_id
from esm.unit import Missing, Unit
from esm.watch.mutes import require_not_muted, watches_over

KINDS: Final = ("alert", "carrier")
EXPLAINING: Final = frozenset({lifecycle.SUBMITTED, lifecycle.ACKNOWLEDGED, lifecycle.SUCCEEDED})
"""Statuses of an action from which its effects may be seen on the way of the parcel."""

LOSES: Final = frozenset({"refund", "reshipment", "claim"})
"""Money of remedies that take the goods for gone: a later movement of the parcel is news."""

UNDER_WAY: Final = frozenset({lifecycle.ESCALATED, lifecycle.REMEDIATED})
"""States of a case whose episode is not at its end."""


def detect_deviation(command: DetectDeviation, unit: Unit) -> UUID:
    """Open, join or reopen the case of a finding. Gives the case's id.

    A source id accepted before answers with its case and changes nothing. Raises
    :class:`~esm.errors.InvalidCommand`, :class:`~esm.errors.Muted`, :class:`Expected`.
    """
    checks, catalogue = Checks(), unit.context.catalogue
    intake.check_signal(command, checks)
    checks.one_of("signal.kind", command.signal.kind, KINDS)
    checks.known("code", command.code, catalogue.types, "a code")
    checks.require(command.report is None, "report", "is a customer's, not a rule's")
    checks.word("alert.rule", command.alert.rule)
    checks.require(command.alert.at, "alert.at", "is required")
    if command.alert.stage:
        checks.one_of("alert.stage", command.alert.stage, STAGES)
    checks.done()
    looked_at = command.looked_at or unit.context.present
    intake.check_last_event(command, unit.context, looked_at)
    known = intake.known_case(command, unit)
    if known is not None:
        return known
    type_ = catalogue.type_of(command.code)
    intake.check_subject(command, type_)
    require_not_muted(unit, command.subject, command.alert.rule, looked_at)
    _require_unexpected(unit, command.subject, type_)
    if command.alert.stage:
        _require_not_gone(unit, command.subject, type_)
    alert = e.Alert(
        rule=command.alert.rule,
        version=command.alert.version,
        stage=command.alert.stage,
        at=command.alert.at,
        next_at=command.alert.next_at,
        evidence=command.alert.evidence,
    )
    return intake.take(command, unit, type_, intake.source_of(command, unit, type_.code, alert))


def hint(command: DetectDeviation, context: Context) -> Missing:
    """What the first finding about a parcel needs."""
    known = intake.hint(command, context)
    type_ = context.catalogue.types.get(command.code)
    wanted = [*known.aggregates, *watches_over(context.tenant, command.subject)]
    if type_ is not None and type_.expected_by:
        families = {each.family for each in context.catalogue.types.values()}
        keys = _keys(command.subject)
        wanted += [exception_id(context.tenant, k, f, 1) for k in keys for f in families]
    return Missing(aggregates=wanted, sources=known.sources, persons=known.persons)


def explanation(case: Case, kinds: Iterable[str], shipment_code: str) -> Action | None:
    """An action of these kinds that the case's episode has under way or done, for the parcel.

    One that was cancelled or failed explains nothing; one that succeeded does until the episode
    is at its end, since scans come late.
    """
    if case.state not in UNDER_WAY:
        return None
    for action in case.actions:
        of_parcel = bool(case.subject.shipment_code) or action.terms.shipment_code in (
            "",
            shipment_code,
        )
        if (
            action.kind in kinds
            and action.episode == case.episode
            and action.status in EXPLAINING
            and of_parcel
        ):
            return action
    return None


def cases_about(unit: Unit, subject: e.Subject) -> Iterator[Case]:
    """Every case of any family about the subject, the whole parcel, and its order."""
    families = {each.family for each in unit.context.catalogue.types.values()}
    wanted = [(key, family) for key in _keys(subject) for family in sorted(families)]
    for occurrence in range(1, intake.OCCURRENCES_MAX + 1):
        ids = {
            name: exception_id(unit.context.tenant, *name, occurrence=occurrence) for name in wanted
        }
        unit.gather(ids.values())
        found = {name: unit.find(case_id) for name, case_id in ids.items()}
        wanted = [name for name, case in found.items() if case is not None]
        yield from (case for case in found.values() if isinstance(case, Case))
        if not wanted:
            return


def took_for_gone(case: Case, action: Action) -> bool:
    """A remedy that stands and took the goods for gone: paid, sent again, or claimed."""
    undone = any(
        other.terms.restores_action_id == action.action_id and other.status != lifecycle.CANCELLED
        for other in case.actions
    )
    return (
        action.money in LOSES
        and not undone
        and (
            action.status == lifecycle.SUCCEEDED or (action.money == "claim" and action.amount > 0)
        )
    )


def _require_unexpected(unit: Unit, subject: e.Subject, type_: ExceptionType) -> None:
    """A18: refuses what an action of ours makes expected."""
    if not type_.expected_by:
        return
    for case in cases_about(unit, subject):
        action = explanation(case, type_.expected_by, subject.shipment_code)
        if action is not None:
            raise Expected(type_.code, str(case.id), action.action_id, action.kind)


def _require_not_gone(unit: Unit, subject: e.Subject, type_: ExceptionType) -> None:
    """Refuses what time alone finds of a parcel that was taken for gone and paid for.

    That it does not arrive is why we paid. Once it is found again, or while the trouble is in
    work, it is watched like any other.
    """
    settled: tuple[Case, Action] | None = None
    for case in cases_of(unit, subject, type_):
        if case.state in lifecycle.OPEN_STATES or case.code == DELIVERED_AFTER_REMEDY:
            return
        gone = [action for action in case.actions if took_for_gone(case, action)]
        if gone and case.state in (lifecycle.REMEDIATED, lifecycle.RECONCILED):
            settled = case, gone[0]
    if settled is not None:
        case, action = settled
        raise Expected(type_.code, str(case.id), action.action_id, action.kind)


def cases_of(unit: Unit, subject: e.Subject, type_: ExceptionType) -> Iterator[Case]:
    """The cases of the type's family about the subject, oldest first."""
    key = intake.subject_key(subject, type_.phase)
    for occurrence in range(1, intake.OCCURRENCES_MAX + 1):
        case = unit.find(exception_id(unit.context.tenant, key, type_.family, occurrence))
        if not isinstance(case, Case):
            return
        yield case


def _keys(subject: e.Subject) -> list[str]:
    """The keys of a piece, its parcel and its order, as cases about them were made of."""
    parcel = e.Subject(order_id=subject.order_id, shipment_code=subject.shipment_code)
    keys = [intake.subject_key(each, "post_ship") for each in (subject, parcel)]
    return list(dict.fromkeys([*keys, intake.subject_key(parcel, "commercial")]))
