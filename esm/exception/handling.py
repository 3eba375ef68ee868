"""Working on a case: level, owner, code, notes, contacts, verification, waiting."""

from uuid import UUID

from esm import commands as c
from esm import events as e
from esm import lifecycle
from esm.checks import Checks
from esm.exception.gates import require_last_event
from esm.exception.intake import queue_of
from esm.lifecycle import next_state
from esm.unit import Unit

LEVEL_MAX = 3
CONTACT_PARTIES = ("customer", "carrier", "warehouse", "platform", "provider", "other")
DIRECTIONS = ("inbound", "outbound")
RESULTS = ("confirmed", "not_obtainable")
WAITING_PARTIES = ("customer", "carrier", "platform", "supplier", "force_majeure")


def escalate(command: c.Escalate, unit: Unit) -> UUID:
    """Accept the case into work, or move its response level up or down.

    Raising the level by hand needs the last event and path verified; moving it needs a reason.
    """
    case = unit.case(command.exception_id)
    catalogue = unit.context.catalogue
    checks = Checks()
    checks.require(0 <= command.level <= LEVEL_MAX, "level", "is 1, 2 or 3")
    checks.text("reason", command.reason, required=case.state != lifecycle.DETECTED)
    checks.done()
    move = "escalate" if case.state == lifecycle.DETECTED else "level"
    state = next_state(case.state, move)
    default = catalogue.type_of(case.code).level
    level = command.level or max(case.level, default)
    if level == case.level:
        return case.id
    if level > (case.level or default):
        require_last_event(case, catalogue, f"raising the level to {level}")
    unit.record(
        case.id,
        e.Escalated(
            catalogue=catalogue.digest,
            from_level=case.level,
            level=level,
            team=case.team,
            owner=case.owner or queue_of(case.team),
            state=state,
            by_hand=True,
            reason=unit.seal(case.person, command.reason),
        ),
    )
    return case.id


def assign(command: c.Assign, unit: Unit) -> UUID:
    """Give the case an owner or another owning team; a team alone means its queue."""
    case = unit.case(command.exception_id)
    catalogue = unit.context.catalogue
    checks = Checks()
    checks.require(command.owner or command.team, "owner", "give an owner, a team or both")
    checks.reference("owner", command.owner, required=False)
    checks.text("reason", command.reason, required=False)
    if command.team:
        checks.known("team", command.team, catalogue.teams, "a team")
    checks.done()
    next_state(case.state, "assign")
    team = command.team or case.team
    owner = command.owner or queue_of(team)
    if (owner, team) != (case.owner, case.team):
        unit.record(
            case.id,
            e.Assigned(
                catalogue=catalogue.digest,
                from_owner=case.owner,
                owner=owner,
                from_team=case.team,
                team=team,
                reason=unit.seal(case.person, command.reason),
            ),
        )
    return case.id


def reclassify(command: c.Reclassify, unit: Unit) -> UUID:
    """Change the code inside the family, with reason and evidence; the id never changes."""
    case = unit.case(command.exception_id)
    catalogue = unit.context.catalogue
    next_state(case.state, "reclassify")
    checks = Checks()
    checks.text("reason", command.reason)
    checks.references("evidence", command.evidence)
    if checks.known("code", command.code, catalogue.types, "a code"):
        type_ = catalogue.type_of(command.code)
        checks.require(
            type_.family == case.family,
            "code",
            f"{command.code} is of family {type_.family}, the case of {case.family}",
        )
        checks.require(
            type_.phase != "post_ship" or case.subject.shipment_code,
            "code",
            f"{command.code} needs a parcel and the case has no shipment code",
        )
    checks.done()
    type_ = catalogue.type_of(command.code)
    if command.code != case.code:
        unit.record(
            case.id,
            e.Reclassified(
                catalogue=catalogue.digest,
                from_code=case.code,
                code=command.code,
                phase=type_.phase,
                priority=type_.priority,
                reason=unit.seal(case.person, command.reason),
                evidence=command.evidence,
            ),
        )
    return case.id


def add_note(command: c.AddNote, unit: Unit) -> UUID:
    """Write something down; legal in every state."""
    case = unit.case(command.exception_id)
    checks = Checks()
    checks.text("text", command.text)
    checks.done()
    next_state(case.state, "note")
    unit.record(
        case.id,
        e.NoteAdded(
            catalogue=unit.context.catalogue.digest,
            text=unit.context.seal(case.person, command.text),
            customer_visible=command.customer_visible,
        ),
    )
    return case.id


def record_contact(command: c.RecordContact, unit: Unit) -> UUID:
    """Record that we spoke with somebody, or tried to."""
    case = unit.case(command.exception_id)
    checks = Checks()
    checks.one_of("party", command.party, CONTACT_PARTIES)
    checks.reference("channel", command.channel, required=False)
    if command.direction:
        checks.one_of("direction", command.direction, DIRECTIONS)
    checks.text("summary", command.summary, required=False)
    checks.done()
    next_state(case.state, "contact")
    unit.record(
        case.id,
        e.ContactRecorded(
            catalogue=unit.context.catalogue.digest,
            party=command.party,
            channel=command.channel,
            direction=command.direction or "outbound",
            reached=command.reached,
            summary=unit.seal(case.person, command.summary),
        ),
    )
    return case.id


def record_verification(command: c.RecordVerification, unit: Unit) -> UUID:
    """Tick one checklist item, or mark it not obtainable with the reason as finding."""
    case = unit.case(command.exception_id)
    catalogue = unit.context.catalogue
    result = command.result or "confirmed"
    checks = Checks()
    checks.known("item", command.item, catalogue.checklist, "a checklist item")
    checks.one_of("result", result, RESULTS)
    checks.text("finding", command.finding, required=result == "not_obtainable")
    checks.references("evidence", command.evidence)
    checks.done()
    next_state(case.state, "verify")
    unit.record(
        case.id,
        e.Verified(
            catalogue=catalogue.digest,
            item=command.item,
            result=result,
            by=unit.context.actor,
            finding=unit.seal(case.person, command.finding),
            evidence=command.evidence,
        ),
    )
    return case.id


def start_waiting(command: c.StartWaiting, unit: Unit) -> UUID:
    """We wait on somebody; waiting on another party ends the waiting before."""
    case = unit.case(command.exception_id)
    checks = Checks()
    checks.one_of("party", command.party, WAITING_PARTIES)
    checks.text("reason", command.reason, required=False)
    checks.done()
    next_state(case.state, "start_waiting")
    if command.party == case.waiting_on:
        return case.id
    digest = unit.context.catalogue.digest
    if case.waiting_on:
        unit.record(case.id, e.WaitingStopped(catalogue=digest, party=case.waiting_on))
    unit.record(
        case.id,
        e.WaitingStarted(
            catalogue=digest,
            party=command.party,
            reason=unit.seal(case.person, command.reason),
        ),
    )
    return case.id


def stop_waiting(command: c.StopWaiting, unit: Unit) -> UUID:
    """The waiting is over; without a waiting nothing changes."""
    case = unit.case(command.exception_id)
    next_state(case.state, "stop_waiting")
    if case.waiting_on:
        unit.record(
            case.id,
            e.WaitingStopped(catalogue=unit.context.catalogue.digest, party=case.waiting_on),
        )
    return case.id
