"""How facts change tickets: a pure step per fact, and what each fact sets for later counts."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from esm import events as e
from esm import lifecycle
from esm.catalog.rules import STAGES
from esm.exception.sources import latest_words
from esm.times import micros
from projections.engine import Held, Row
from projections.pump import Poison, Projection, Session, known
from projections.query import NEVER
from projections.tickets.tables import (
    CHANGES,
    TICKETS,
    Key,
    change_row,
    from_body,
    load,
    ticket_row,
)
from projections.tickets.view import ActionSummary, Check, CodeStep, Ticket, TicketAlert

Recorded = e.Recorded


class Dimensions(NamedTuple):
    """What a fact sets of the things that tickets are counted by; None = not set by it."""

    state: str | None = None
    level: int | None = None
    owner: str | None = None
    code: str | None = None
    family: str | None = None
    first_source: str | None = None


def apply(ticket: Ticket | None, recorded: Recorded) -> Ticket:
    """The ticket after a fact of its case. Pure; raises ``Poison`` when it cannot be."""
    event = known(recorded)
    if isinstance(event, e.Detected):
        return _stamp(_detected(event, recorded), recorded)
    if ticket is None:
        raise Poison(f"{recorded.topic} of a case that has no ticket")
    step = STEPS.get(type(event))
    return _stamp(ticket if step is None else step(ticket, event, recorded), recorded)


def dimensions(event: e.Event) -> Dimensions | None:
    """What the fact sets of a ticket's countable properties, None when nothing."""
    read = _DIMENSIONS.get(type(event))
    return None if read is None else read(event)


class TicketProjection(Projection):
    """Tickets of every case. A fact that cannot be applied is parked; the rest goes on."""

    NAME = "tickets"
    VERSION = 2
    TABLES = (TICKETS, CHANGES)
    HALTS = False

    def begin(self, held: Held, events: Sequence[Recorded]) -> Session:
        return _TicketSession(held, events)


class _TicketSession(Session):
    def __init__(self, held: Held, events: Sequence[Recorded]) -> None:
        self._held = held
        self._keys: dict[int, Key] = {
            r.position: (r.tenant, str(r.aggregate_id)) for r in events if _is_of_case(r)
        }
        bodies = load(held, set(self._keys.values()))
        self._tickets = {key: from_body(body) for key, body in bodies.items()}
        self._before = {key: ticket_row(self._tickets[key], bodies[key]) for key in bodies}
        self._changed: dict[Key, Ticket] = {}
        self._changes: list[Row] = []

    def apply(self, recorded: Recorded) -> None:
        key = self._keys.get(recorded.position)
        if key is None:
            # An unknown topic could be a case's; one that is known and not a case's is not ours.
            known(recorded)
            return
        ticket = apply(self._tickets.get(key), recorded)
        sets = dimensions(known(recorded))
        if sets is not None:
            self._changes.append(change_row(ticket, recorded.occurred, sets))
        self._tickets[key] = self._changed[key] = ticket

    def write(self) -> None:
        rows = {key: ticket_row(ticket) for key, ticket in self._changed.items()}
        old = [key for key in rows if key in self._before]
        self._held.update(TICKETS, [self._before[key] for key in old], [rows[key] for key in old])
        self._held.insert(TICKETS, [row for key, row in rows.items() if key not in self._before])
        self._held.insert(CHANGES, self._changes)


def _is_of_case(recorded: Recorded) -> bool:
    return recorded.topic.startswith("exception.")


def _stamp(ticket: Ticket, recorded: Recorded) -> Ticket:
    return replace(
        ticket,
        version=recorded.version,
        position=recorded.position,
        updated_at=recorded.occurred,
        last_actor=recorded.actor,
        due_at=_due_at(ticket) if ticket.alerts else NEVER,
    )


def _due_at(ticket: Ticket) -> int:
    """When the first of the next stages comes; an ended case has none."""
    if not ticket.is_open:
        return NEVER
    return min((alert.next_at for alert in ticket.alerts if alert.next_at), default=NEVER)


def _detected(event: e.Detected, recorded: Recorded) -> Ticket:
    return Ticket(
        tenant=recorded.tenant,
        exception_id=str(recorded.aggregate_id),
        state=lifecycle.DETECTED,
        code=event.code,
        family=event.family,
        phase=event.phase,
        stage=event.stage,
        priority=event.priority,
        team=event.team,
        occurrence=event.occurrence,
        order_id=event.subject.order_id,
        shipment_code=event.subject.shipment_code,
        piece=event.subject.piece,
        invoice_line=event.subject.invoice_line,
        person=event.person,
        raised_by=event.raised_by,
        failing_check=event.failing_check,
        first_source=event.source.kind,
        source_kinds=(event.source.kind,),
        sources=1,
        alerts=_with_alert((), event.source),
        checkpoint=event.checkpoint,
        none_yet=event.none_yet,
        detected_at=recorded.occurred,
        codes=(CodeStep(from_code="", code=event.code, at=recorded.occurred),),
    )


def _source_joined(ticket: Ticket, event: e.SourceJoined, _: Recorded) -> Ticket:
    return replace(
        _alerted(ticket, event.source),
        sources=ticket.sources + 1,
        source_kinds=_with(ticket.source_kinds, event.source.kind),
        checkpoint=event.checkpoint or ticket.checkpoint,
    )


def _signal_cleared(ticket: Ticket, event: e.SignalCleared, _: Recorded) -> Ticket:
    standing = tuple(a for a in ticket.alerts if a.source_id not in event.source_ids)
    return replace(ticket, alerts=standing, checkpoint=event.checkpoint or ticket.checkpoint)


def _moved(ticket: Ticket, event: e.MovementRecorded, _: Recorded) -> Ticket:
    return replace(ticket, checkpoint=event.checkpoint)


def _escalated(ticket: Ticket, event: e.Escalated, recorded: Recorded) -> Ticket:
    first = event.from_level == 0
    return replace(
        ticket,
        state=event.state,
        level=event.level,
        team=event.team,
        owner=event.owner,
        escalated_at=recorded.occurred if first else ticket.escalated_at,
    )


def _assigned(ticket: Ticket, event: e.Assigned, _: Recorded) -> Ticket:
    return replace(ticket, owner=event.owner, team=event.team)


def _reclassified(ticket: Ticket, event: e.Reclassified, recorded: Recorded) -> Ticket:
    step = CodeStep(from_code=event.from_code, code=event.code, at=recorded.occurred)
    return replace(
        ticket,
        code=event.code,
        phase=event.phase,
        priority=event.priority,
        codes=(*ticket.codes, step),
    )


def _noted(ticket: Ticket, _: e.NoteAdded, __: Recorded) -> Ticket:
    return replace(ticket, notes=ticket.notes + 1)


def _contacted(ticket: Ticket, _: e.ContactRecorded, __: Recorded) -> Ticket:
    return replace(ticket, contacts=ticket.contacts + 1)


def _verified(ticket: Ticket, event: e.Verified, _: Recorded) -> Ticket:
    others = tuple(check for check in ticket.checks if check.item != event.item)
    return replace(ticket, checks=(*others, Check(item=event.item, result=event.result)))


def _waiting_started(ticket: Ticket, event: e.WaitingStarted, recorded: Recorded) -> Ticket:
    return replace(ticket, waiting_on=event.party, waiting_since=recorded.occurred)


def _waiting_stopped(ticket: Ticket, _: e.WaitingStopped, __: Recorded) -> Ticket:
    return replace(ticket, waiting_on="", waiting_since=0)


def _proposed(ticket: Ticket, event: e.ActionProposed, _: Recorded) -> Ticket:
    action = ActionSummary(
        action_id=event.action_id,
        kind=event.kind,
        side=event.side,
        status=lifecycle.PROPOSED,
        episode=ticket.episode,
        currency=event.terms.currency,
    )
    return _with_actions(replace(ticket, state=event.state), (*ticket.actions, action))


def _approved(ticket: Ticket, event: e.ActionApproved, _: Recorded) -> Ticket:
    currency = event.entry.currency if event.entry is not None else ""
    return _change_action(
        ticket,
        event.action_id,
        lifecycle.APPROVED,
        amount=event.amount,
        **({"currency": currency} if currency else {}),
    )


def _submitted(ticket: Ticket, event: e.ActionSubmitted, _: Recorded) -> Ticket:
    return _change_action(ticket, event.action_id, lifecycle.SUBMITTED)


def _outcome(ticket: Ticket, event: e.ActionOutcomeRecorded, _: Recorded) -> Ticket:
    return _change_action(replace(ticket, state=event.state), event.action_id, event.status)


def _cancelled(ticket: Ticket, event: e.ActionCancelled, _: Recorded) -> Ticket:
    return _change_action(ticket, event.action_id, lifecycle.CANCELLED)


def _written_off(ticket: Ticket, event: e.ActionWrittenOff, _: Recorded) -> Ticket:
    return _change_action(ticket, event.action_id, event.status)


def _balance_touched(ticket: Ticket, event: e.BalanceTouched, _: Recorded) -> Ticket:
    if not event.action_status:
        return ticket
    return _change_action(ticket, event.action_id, event.action_status)


def _remediated(ticket: Ticket, event: e.Remediated, _: Recorded) -> Ticket:
    return replace(
        _not_waiting(ticket),
        state=lifecycle.REMEDIATED,
        resolution=event.resolution,
        summary=event.summary,
        customer_resolved_at=micros(event.customer_resolved_at),
    )


def _reconciled(ticket: Ticket, _: e.Reconciled, recorded: Recorded) -> Ticket:
    return replace(ticket, state=lifecycle.RECONCILED, reconciled_at=recorded.occurred)


def _withdrawn(ticket: Ticket, event: e.Withdrawn, _: Recorded) -> Ticket:
    return replace(_not_waiting(ticket), state=lifecycle.WITHDRAWN, resolution=event.resolution)


def _merged(ticket: Ticket, event: e.Merged, _: Recorded) -> Ticket:
    return replace(_not_waiting(ticket), state=lifecycle.MERGED, merged_into=event.into)


def _merge_received(ticket: Ticket, event: e.MergeReceived, _: Recorded) -> Ticket:
    kinds = ticket.source_kinds
    for source in event.sources:
        kinds = _with(kinds, source.kind)
    known = {alert.rule: alert.at for alert in ticket.alerts}
    for source, alert in latest_words(event.sources, event.cleared):
        if micros(alert.at) >= known.get(alert.rule, 0):
            ticket = _alerted(ticket, source)
    return replace(
        ticket,
        merged_from=(*ticket.merged_from, event.merged_id),
        sources=ticket.sources + len(event.sources),
        source_kinds=kinds,
    )


def _reopened(ticket: Ticket, event: e.Reopened, recorded: Recorded) -> Ticket:
    return replace(
        ticket,
        state=lifecycle.ESCALATED,
        stage=max((alert.stage for alert in ticket.alerts), key=_rank, default=""),
        episode=event.episode,
        level=event.level,
        team=event.team,
        owner=event.owner,
        escalated_at=recorded.occurred,
        customer_resolved_at=0,
        reconciled_at=0,
        resolution="",
        summary=None,
    )


def _not_waiting(ticket: Ticket) -> Ticket:
    return replace(ticket, waiting_on="", waiting_since=0)


def _with(kinds: tuple[str, ...], kind: str) -> tuple[str, ...]:
    return kinds if kind in kinds else tuple(sorted((*kinds, kind)))


def _alerted(ticket: Ticket, source: e.Source) -> Ticket:
    """The ticket with what a rule says by this source; the stage never goes back."""
    if source.alert is None:
        return ticket
    stage = max(ticket.stage, source.alert.stage, key=_rank)
    return replace(ticket, stage=stage, alerts=_with_alert(ticket.alerts, source))


def _with_alert(alerts: tuple[TicketAlert, ...], source: e.Source) -> tuple[TicketAlert, ...]:
    """The newest word of each rule."""
    if source.alert is None:
        return alerts
    alert = TicketAlert(
        rule=source.alert.rule,
        stage=source.alert.stage,
        at=micros(source.alert.at),
        next_at=micros(source.alert.next_at) if source.alert.next_at else 0,
        source_id=source.source_id,
    )
    return (*(known for known in alerts if known.rule != alert.rule), alert)


def _rank(stage: str) -> int:
    """The worse the stage the higher; none is the lowest."""
    return ("", *STAGES).index(stage)


def _change_action(ticket: Ticket, action_id: str, status: str, **changes: Any) -> Ticket:
    if not any(action.action_id == action_id for action in ticket.actions):
        raise Poison(f"the ticket has no action {action_id!r}")
    return _with_actions(
        ticket,
        tuple(
            replace(action, status=status, **changes) if action.action_id == action_id else action
            for action in ticket.actions
        ),
    )


def _with_actions(ticket: Ticket, actions: tuple[ActionSummary, ...]) -> Ticket:
    running = sum(action.status not in lifecycle.ENDED_STATUSES for action in actions)
    return replace(ticket, actions=actions, open_actions=running)


STEPS: dict[type[e.Event], Callable[[Ticket, Any, Recorded], Ticket]] = {
    e.SourceJoined: _source_joined,
    e.SignalCleared: _signal_cleared,
    e.MovementRecorded: _moved,
    e.Escalated: _escalated,
    e.Assigned: _assigned,
    e.Reclassified: _reclassified,
    e.NoteAdded: _noted,
    e.ContactRecorded: _contacted,
    e.Verified: _verified,
    e.WaitingStarted: _waiting_started,
    e.WaitingStopped: _waiting_stopped,
    e.ActionProposed: _proposed,
    e.ActionApproved: _approved,
    e.ActionSubmitted: _submitted,
    e.ActionOutcomeRecorded: _outcome,
    e.ActionCancelled: _cancelled,
    e.ActionWrittenOff: _written_off,
    e.BalanceTouched: _balance_touched,
    e.Remediated: _remediated,
    e.Reconciled: _reconciled,
    e.Withdrawn: _withdrawn,
    e.Merged: _merged,
    e.MergeReceived: _merge_received,
    e.Reopened: _reopened,
}
"""Fact -> step. A case's fact that is not here only moves version, position, time and actor."""

_DIMENSIONS: dict[type[e.Event], Callable[[Any], Dimensions]] = {
    e.Detected: lambda x: Dimensions(lifecycle.DETECTED, 0, "", x.code, x.family, x.source.kind),
    e.Escalated: lambda x: Dimensions(x.state, x.level, x.owner),
    e.Assigned: lambda x: Dimensions(owner=x.owner),
    e.Reclassified: lambda x: Dimensions(code=x.code),
    e.ActionProposed: lambda x: Dimensions(x.state),
    e.ActionOutcomeRecorded: lambda x: Dimensions(x.state),
    e.Remediated: lambda _: Dimensions(lifecycle.REMEDIATED),
    e.Reconciled: lambda _: Dimensions(lifecycle.RECONCILED),
    e.Withdrawn: lambda _: Dimensions(lifecycle.WITHDRAWN),
    e.Merged: lambda _: Dimensions(lifecycle.MERGED),
    e.Reopened: lambda x: Dimensions(lifecycle.ESCALATED, x.level, x.owner),
}
"""Fact -> what it sets, whatever was before: so facts may be left out of a count as of a time."""
