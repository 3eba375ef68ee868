"""Muting a rule for a subject, and whether one is muted."""

from typing import Final
from uuid import UUID

from esm import events as e
from esm.checks import Checks
from esm.commands import Context, MuteRule
from esm.errors import Muted
from esm.exception.intake import person_of, subject_key
from esm.ids import watch_aggregate_id
from esm.times import Instant, micros
from esm.unit import Missing, Unit
from esm.watch.state import Watch

MUTE_DAYS_MAX: Final = 90
"""How long a rule may be muted; then somebody looks again, and may mute it again."""

_DAY_MICROS: Final = 86_400_000_000


def mute_rule(command: MuteRule, unit: Unit) -> UUID:
    """Mute a rule for an order, a parcel or a piece (A20). Gives the id of the watch over it.

    A later call replaces the end; the same end again changes nothing.
    Raises :class:`~esm.errors.InvalidCommand`.
    """
    _check(command, unit.context)
    subject = _subject(command)
    watch_id = _watch_id(unit.context.tenant, subject)
    watch = unit.find(watch_id)
    if isinstance(watch, Watch) and watch.muted.get(command.rule) == command.until:
        return watch_id
    unit.record(
        watch_id,
        e.RuleMuted(
            catalogue=unit.context.catalogue.digest,
            subject=subject,
            rule=command.rule,
            until=command.until,
            by=unit.context.actor,
            reason=unit.seal(person_of("", subject), command.reason),
        ),
    )
    return watch_id


def hint(command: MuteRule, context: Context) -> Missing:
    """The watch over the subject, and the key that seals the reason."""
    subject = _subject(command)
    return Missing(
        aggregates=[_watch_id(context.tenant, subject)], persons=[person_of("", subject)]
    )


def watches_over(tenant: str, subject: e.Subject) -> list[UUID]:
    """The ids of the watches over a subject: its own, and those of the parcel and the order."""
    wider = [e.Subject(order_id=subject.order_id)]
    if subject.shipment_code:
        wider.append(e.Subject(order_id=subject.order_id, shipment_code=subject.shipment_code))
    if subject.piece:
        wider.append(subject)
    return [_watch_id(tenant, each) for each in wider]


def require_not_muted(unit: Unit, subject: e.Subject, rule: str, present: Instant) -> None:
    """Raises :class:`~esm.errors.Muted` while the rule is muted; at the very end it is not."""
    ids = watches_over(unit.context.tenant, subject)
    unit.gather(ids)
    watches = [watch for watch in map(unit.find, ids) if isinstance(watch, Watch)]
    until = max((watch.muted.get(rule, "") for watch in watches), default="")
    if present < until:
        raise Muted(rule, until)


def _subject(command: MuteRule) -> e.Subject:
    return e.Subject(
        order_id=command.order_id, shipment_code=command.shipment_code, piece=command.piece
    )


def _watch_id(tenant: str, subject: e.Subject) -> UUID:
    return watch_aggregate_id(tenant, subject_key(subject, "post_ship"))


def _check(command: MuteRule, context: Context) -> None:
    checks = Checks()
    checks.identifier("order_id", command.order_id)
    checks.identifier("shipment_code", command.shipment_code, required=bool(command.piece))
    checks.identifier("piece", command.piece, required=False)
    checks.known("rule", command.rule, context.catalogue.rules, "a rule")
    if not command.until:
        checks.refuse("until", "is required")
    else:
        ahead = micros(command.until) - micros(context.present)
        checks.require(
            0 < ahead <= MUTE_DAYS_MAX * _DAY_MICROS,
            "until",
            f"lies in the future, at most {MUTE_DAYS_MAX} days ahead",
        )
    checks.text("reason", command.reason)
    checks.done()
