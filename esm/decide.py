"""The one table from command to decision; ``decide`` may refuse, and is pure."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from esm import commands as c
from esm import outside_money
from esm.clock import advance as clock
from esm.errors import StaleEtag
from esm.exception import (
    actions,
    charges,
    closing,
    deviation,
    handling,
    intake,
    outcomes,
    reversal,
    standing,
)
from esm.ids import order_aggregate_id, parsed
from esm.order import intake as order_intake
from esm.unit import Missing, Unit
from esm.watch import mutes

Decider = Callable[[Any, Unit], UUID | tuple[UUID, ...]]

DECIDERS: dict[type[c.Command], Decider] = {
    c.Detect: intake.detect,
    c.DetectDeviation: deviation.detect_deviation,
    c.ClearSignal: standing.clear_signal,
    c.RecordMovement: standing.record_movement,
    c.MuteRule: mutes.mute_rule,
    c.Escalate: handling.escalate,
    c.Assign: handling.assign,
    c.Reclassify: handling.reclassify,
    c.AddNote: handling.add_note,
    c.RecordContact: handling.record_contact,
    c.RecordVerification: handling.record_verification,
    c.StartWaiting: handling.start_waiting,
    c.StopWaiting: handling.stop_waiting,
    c.ProposeAction: actions.propose_action,
    c.ApproveAction: actions.approve_action,
    c.SubmitAction: actions.submit_action,
    c.RecordActionOutcome: outcomes.record_action_outcome,
    c.CancelAction: actions.cancel_action,
    c.WriteOffAction: actions.write_off_action,
    c.ReverseEntry: reversal.reverse_entry,
    c.Remediate: closing.remediate,
    c.CarryItem: closing.carry_item,
    c.Reconcile: closing.reconcile,
    c.Withdraw: closing.withdraw,
    c.Merge: closing.merge,
    c.Reopen: closing.reopen,
    c.RecordOrder: order_intake.record_order,
    c.RecordExternalMoney: outside_money.record_external_money,
    c.RecordCarrierCharge: charges.record_carrier_charge,
    c.WriteBack: closing.write_back,
    c.AdvanceClock: clock.advance_clock,
}
"""Every command and what decides it; a test proves that none is missing."""


HINTS: dict[type[c.Command], Callable[[Any, c.Context], Missing]] = {
    c.Detect: intake.hint,
    c.DetectDeviation: deviation.hint,
    c.MuteRule: mutes.hint,
    c.RecordOrder: order_intake.hint,
    c.AdvanceClock: clock.hint,
}
"""What a command will surely ask for, so that it is read before the first run. Never needed:
a decision says itself what it lacks."""


def hint(command: c.Command, context: c.Context) -> Missing:
    """What deciding the command will need, as far as the request alone tells."""
    if isinstance(command, c.CaseCommand):
        try:
            return Missing(aggregates=[parsed(command.exception_id)])
        except ValueError:
            return Missing()
    known = HINTS.get(type(command))
    return Missing() if known is None else known(command, context)


def decide(command: c.Command, unit: Unit) -> tuple[UUID, ...]:
    """Decide a command on the unit. Gives the aggregates its answer shows, the first its own.

    Raises :class:`~esm.errors.DomainError` for a refusal, :class:`~esm.unit.Missing` when the
    unit lacks something; a unit that raised is thrown away.
    """
    if unit.context.etag:
        _check_etag(command, unit)
    shown = DECIDERS[type(command)](command, unit)
    return shown if isinstance(shown, tuple) else (shown,)


def _check_etag(command: c.Command, unit: Unit) -> None:
    """Refuse an etag that is not that of the case, else of the order, that a command names."""
    if isinstance(command, c.CaseCommand):
        named = unit.case(command.exception_id).id
    elif isinstance(command, c.RecordOrder | c.RecordExternalMoney):
        named = order_aggregate_id(unit.context.tenant, command.order_id)
    else:
        return
    current = etag(unit.version(named))
    if unit.context.etag != current:
        raise StaleEtag(unit.context.etag, current)


def etag(version: int) -> str:
    """The entity tag of a version of an aggregate, as answers show it."""
    return str(version)
