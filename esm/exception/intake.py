"""Detection: a signal opens a case, joins the open one, or reopens the last one."""

from uuid import UUID

from esm import events as e
from esm import lifecycle
from esm.catalog import ExceptionType
from esm.catalog.model import OTHER
from esm.checks import Checks
from esm.commands import CheckpointInput, Context, Detect, Signal
from esm.exception.state import Case
from esm.ids import SEPARATOR, exception_id
from esm.times import micros
from esm.unit import Missing, Unit

SIGNAL_KINDS = ("person", "carrier", "customer", "platform", "alert")
STAGES = ("at_risk", "breached", "serious")
AT_RISK = "at_risk"
AHEAD_MICROS_MAX = 300_000_000
"""How far a caller's clock may be ahead of ours: five minutes."""

OCCURRENCES_MAX = 1_000
"""Cases of one family on one subject; more means that a caller loops."""


def queue_of(team: str) -> str:
    """The owner of a case that no person has taken yet: its team's queue."""
    return f"queue:{team}"


def source_key(signal: Signal) -> str:
    """The name under which a feed's source ids are accepted once."""
    return f"signal/{signal.kind}/{signal.feed}"


def detect(command: Detect, unit: Unit) -> UUID:
    """Open, join or reopen the case of a signal. Gives the case's id.

    A source id accepted before answers with its case and changes nothing. Raises
    :class:`~esm.errors.InvalidCommand`.
    """
    _check_signal(command)
    _check_last_event(command, unit.context)
    signal = command.signal
    if signal.source_id:
        known = unit.source(source_key(signal), signal.source_id)
        if known is not None and unit.find(known) is not None:
            return known
    type_ = _type(command, unit)
    _check_subject(command, type_)
    case_id = open_or_join(
        unit,
        type_,
        subject=command.subject,
        source=_source(command, unit),
        stage=command.stage or "breached",
        person=person_of(command.person, command.subject),
        checkpoint=_checkpoint(command, unit),
        none_yet=command.none_yet_looked_at,
        failing_check=command.failing_check,
    )
    if signal.source_id:
        unit.accept(source_key(signal), signal.source_id, case_id)
    return case_id


def hint(command: Detect, context: Context) -> Missing:
    """What a first signal about its subject needs; a later one needs more and says so."""
    signal, catalogue = command.signal, context.catalogue
    code = command.code or catalogue.code_for(signal.feed, signal.raw_code)
    type_ = catalogue.types.get(code)
    if type_ is None:
        return Missing()
    key = subject_key(command.subject, type_.phase)
    checkpoint = command.last_checkpoint
    texts = signal.raw_text or (checkpoint is not None and checkpoint.raw_text)
    return Missing(
        aggregates=[exception_id(context.tenant, key, type_.family, 1)],
        sources=[(source_key(signal), signal.source_id)] if signal.source_id else (),
        persons=[person_of(command.person, command.subject)] if texts else (),
    )


def open_or_join(
    unit: Unit,
    type_: ExceptionType,
    *,
    subject: e.Subject,
    source: e.Source,
    stage: str,
    person: str,
    checkpoint: e.Checkpoint | None = None,
    none_yet: str = "",
    failing_check: str = "",
    raised_by: str = "",
) -> UUID:
    """The case of the type's family on the subject: opened, joined or reopened by a source.

    ``occurrence`` grows only past reconciled and merged cases (design §2, identity). A source
    on a remediated or withdrawn case reopens it, which is work whatever the source's stage.
    """
    key = subject_key(subject, type_.phase)
    joinable: Case | None = None
    for occurrence in range(1, OCCURRENCES_MAX + 1):
        case_id = exception_id(unit.context.tenant, key, type_.family, occurrence)
        case = unit.find(case_id)
        if case is None:
            break
        if isinstance(case, Case) and case.state not in (lifecycle.RECONCILED, lifecycle.MERGED):
            joinable = case
            if case.state != lifecycle.WITHDRAWN:
                break
    if joinable is not None:
        joined = e.SourceJoined(
            catalogue=unit.context.catalogue.digest,
            source=source,
            checkpoint=checkpoint,
            code=type_.code,
        )
        _join(unit, joinable, type_, joined, stage)
        return joinable.id
    unit.record(
        case_id,
        e.Detected(
            catalogue=unit.context.catalogue.digest,
            subject=subject,
            code=type_.code,
            family=type_.family,
            phase=type_.phase,
            occurrence=occurrence,
            stage=stage,
            priority=type_.priority,
            team=type_.team,
            person=person,
            source=source,
            checkpoint=checkpoint,
            none_yet=none_yet,
            failing_check=failing_check,
            raised_by=raised_by,
        ),
    )
    if stage != AT_RISK:
        _escalate(unit, case_id, type_, from_level=0)
    return case_id


def subject_key(subject: e.Subject, phase: str) -> str:
    """What identifies a subject: invoice line, order (commercial codes) or parcel."""
    line = subject.invoice_line
    if line is not None:
        return SEPARATOR.join(("invoice", line.carrier, line.number, line.line))
    if phase == "commercial" or not subject.shipment_code:
        return SEPARATOR.join(("order", subject.order_id))
    return SEPARATOR.join(("parcel", subject.order_id, subject.shipment_code, subject.piece))


def live_sibling(unit: Unit, case: Case) -> Case | None:
    """Another occurrence of the case's family and subject that is not at an end, if any."""
    key = _own_key(unit, case)
    for occurrence in range(1, OCCURRENCES_MAX + 1):
        found = unit.find(exception_id(unit.context.tenant, key, case.family, occurrence))
        if not isinstance(found, Case):
            break
        if found.id != case.id and found.state in lifecycle.OPEN_STATES | {lifecycle.REMEDIATED}:
            return found
    return None


def _own_key(unit: Unit, case: Case) -> str:
    """The key that the case's id was made of; its code may have changed the phase since."""
    keys = [subject_key(case.subject, phase) for phase in ("post_ship", "commercial")]
    wanted = (case.family, case.occurrence)
    return next((k for k in keys if exception_id(unit.context.tenant, k, *wanted) == case.id), "")


def person_of(given: str, subject: e.Subject) -> str:
    """Whose key seals personal text of the case: the caller's reference, else the order's."""
    return given or f"order/{subject.order_id or subject_key(subject, 'commercial')}"


def _join(unit: Unit, case: Case, type_: ExceptionType, joined: e.SourceJoined, stage: str) -> None:
    """Add the source to the case; level and team are those of the code that the case then has."""
    digest, known = unit.context.catalogue.digest, unit.context.catalogue.type_of(case.code)
    stronger = type_ if type_.rank > known.rank else known
    if case.state in (lifecycle.REMEDIATED, lifecycle.WITHDRAWN):
        unit.record(
            case.id,
            e.Reopened(
                catalogue=digest,
                from_state=case.state,
                episode=case.episode + 1,
                level=max(case.level, stronger.level),
                team=case.team,
                owner=case.owner or queue_of(case.team),
            ),
        )
    unit.record(case.id, joined)
    if stronger is not known:
        unit.record(
            case.id,
            e.Reclassified(
                catalogue=digest,
                from_code=case.code,
                code=type_.code,
                phase=type_.phase,
                priority=type_.priority,
                evidence=(joined.source.source_id,) if joined.source.source_id else (),
            ),
        )
    if case.state == lifecycle.DETECTED and stage != AT_RISK:
        _escalate(unit, case.id, stronger, from_level=case.level)


def _escalate(unit: Unit, case_id: UUID, type_: ExceptionType, from_level: int) -> None:
    unit.record(
        case_id,
        e.Escalated(
            catalogue=unit.context.catalogue.digest,
            from_level=from_level,
            level=type_.level,
            team=type_.team,
            owner=queue_of(type_.team),
            state=lifecycle.next_state(lifecycle.DETECTED, "escalate"),
        ),
    )


def _check_signal(command: Detect) -> None:
    checks = Checks()
    signal = command.signal
    checks.one_of("signal.kind", signal.kind, SIGNAL_KINDS)
    if signal.kind not in ("", "person", "customer"):
        checks.identifier("signal.source_id", signal.source_id)
    checks.identifier("signal.feed", signal.feed, required=bool(signal.raw_code))
    checks.identifier("signal.source_id", signal.source_id, required=False)
    checks.identifier("signal.raw_code", signal.raw_code, required=False)
    checks.text("signal.raw_text", signal.raw_text, required=False)
    checks.require(
        bool(command.code) != bool(signal.raw_code),
        "code",
        "give either code (of the catalogue) or signal.raw_code (of signal.feed)",
    )
    if command.stage:
        checks.one_of("stage", command.stage, STAGES)
    checks.identifier("person", command.person, required=False)
    if command.failing_check:
        checks.word("failing_check", command.failing_check)
    checks.done()


def _type(command: Detect, unit: Unit) -> ExceptionType:
    catalogue, signal = unit.context.catalogue, command.signal
    checks = Checks()
    code = command.code
    if code:
        checks.known("code", code, catalogue.types, "a code")
    else:
        code = catalogue.code_for(signal.feed, signal.raw_code)
        meaning = catalogue.meaning(signal.feed, signal.raw_code)
        if not code and meaning is not None:
            checks.refuse(
                "signal.raw_code",
                f"{signal.raw_code!r} of {signal.feed} says {meaning.title.en!r}, "
                "which opens no case by itself",
            )
    checks.done()
    return catalogue.type_of(code)


def _check_subject(command: Detect, type_: ExceptionType) -> None:
    """Gate B: the subject is whole for the phase of the code."""
    checks = Checks()
    subject = command.subject
    for name in ("order_id", "shipment_code", "piece"):
        checks.identifier(f"subject.{name}", getattr(subject, name), required=False)
    if subject.invoice_line is not None:
        for name in ("carrier", "number", "line"):
            checks.identifier(f"subject.invoice_line.{name}", getattr(subject.invoice_line, name))
    needs_parcel = type_.phase == "post_ship" and type_.code != OTHER
    if type_.phase == "commercial":
        checks.require(
            subject.order_id or subject.invoice_line,
            "subject.order_id",
            f"{type_.code} needs an order or a line of a carrier's invoice",
        )
    else:
        checks.identifier("subject.order_id", subject.order_id)
    if needs_parcel:
        checks.identifier("subject.shipment_code", subject.shipment_code)
    if subject.shipment_code and type_.phase != "commercial":
        checks.require(
            (command.last_checkpoint is None) == bool(command.none_yet_looked_at),
            "last_checkpoint",
            "give the last tracking event, or none_yet_looked_at when there is none yet",
        )
    elif type_.phase == "pre_ship":
        checks.require(command.failing_check, "failing_check", "is required")
    checks.done()


def _check_last_event(command: Detect, context: Context) -> None:
    """What is said of the parcel's last event, whether or not the code needs it."""
    checks = Checks()
    checkpoint = command.last_checkpoint
    # On a store that follows a feed the time of the call is the feed's, which may be ahead of ours.
    looked_at = command.none_yet_looked_at
    if looked_at > max(context.now, context.occurred):
        checks.require(
            micros(looked_at) <= micros(context.now) + AHEAD_MICROS_MAX,
            "none_yet_looked_at",
            "lies in the future; it is at most five minutes ahead",
        )
    if checkpoint is not None:
        checks.require(checkpoint.occurred_at, "last_checkpoint.occurred_at", "is required")
        checks.identifier("last_checkpoint.raw_code", checkpoint.raw_code, required=False)
        checks.text("last_checkpoint.raw_text", checkpoint.raw_text, required=False)
        checks.identifier("last_checkpoint.place", checkpoint.place, required=False)
        checks.identifier("last_checkpoint.status", checkpoint.status, required=False)
    checks.done()


def _source(command: Detect, unit: Unit) -> e.Source:
    signal = command.signal
    person = person_of(command.person, command.subject)
    return e.Source(
        kind=signal.kind,
        feed=signal.feed,
        source_id=signal.source_id,
        raw_code=signal.raw_code,
        raw_text=unit.seal(person, signal.raw_text),
        occurred=signal.occurred_at or unit.context.occurred,
        received=signal.received_at or unit.context.now,
    )


def _checkpoint(command: Detect, unit: Unit) -> e.Checkpoint | None:
    given: CheckpointInput | None = command.last_checkpoint
    if given is None:
        return None
    return e.Checkpoint(
        occurred=given.occurred_at,
        received=given.received_at or unit.context.now,
        place=given.place,
        status=given.status,
        raw_code=given.raw_code,
        raw_text=unit.seal(person_of(command.person, command.subject), given.raw_text),
    )
