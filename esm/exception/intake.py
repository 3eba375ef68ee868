"""Detection: a signal opens a case, joins the open one, or reopens the last one."""

from uuid import UUID

from esm import events as e
from esm import lifecycle
from esm.catalog import Catalogue, ExceptionType
from esm.catalog.model import CARRIER_REPORTED, OTHER
from esm.catalog.rules import STAGES
from esm.checks import Checks
from esm.commands import CheckpointInput, Context, Detect, Signal
from esm.exception.reports import check_report, code_of_report, sealed_answers
from esm.exception.state import AT_RISK, Case
from esm.ids import SEPARATOR, exception_id
from esm.times import micros
from esm.unit import Missing, Unit

BREACHED = "breached"
SIGNAL_KINDS = ("person", "carrier", "customer", "platform", "alert")
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
    checks = Checks()
    check_signal(command, checks)
    _check_code(command, unit.context.catalogue, checks)
    checks.done()
    check_last_event(command, unit.context)
    known = known_case(command, unit)
    if known is not None:
        return known
    type_ = _type(command, unit)
    check_subject(command, type_)
    return take(command, unit, type_, source_of(command, unit, type_.code))


def known_case(command: Detect, unit: Unit) -> UUID | None:
    """The case that accepted the source id before; None when it is new, or there is none."""
    signal = command.signal
    if not signal.source_id:
        return None
    known = unit.source(source_key(signal), signal.source_id)
    return known if known is not None and unit.find(known) is not None else None


def take(command: Detect, unit: Unit, type_: ExceptionType, source: e.Source) -> UUID:
    """Take a checked signal that is new into its case, and accept its source id for ever."""
    case_id = open_or_join(
        unit,
        type_,
        subject=command.subject,
        source=source,
        stage=(source.alert.stage if source.alert else command.stage) or BREACHED,
        person=person_of(command.person, command.subject),
        checkpoint=checkpoint_of(
            unit, person_of(command.person, command.subject), command.last_checkpoint
        ),
        none_yet=command.none_yet_looked_at,
        failing_check=command.failing_check,
    )
    signal = command.signal
    if signal.source_id:
        unit.accept(source_key(signal), signal.source_id, case_id)
    return case_id


def hint(command: Detect, context: Context) -> Missing:
    """What a first signal about its subject needs; a later one needs more and says so."""
    signal, catalogue = command.signal, context.catalogue
    code = _named_code(command, catalogue)
    type_ = catalogue.types.get(code)
    if type_ is None:
        return Missing()
    key = subject_key(command.subject, type_.phase)
    checkpoint = command.last_checkpoint
    texts = signal.raw_text or command.report or (checkpoint and checkpoint.raw_text)
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
    on a remediated or withdrawn case reopens it, which is work whatever the source's stage. So
    what a rule finds at risk leaves a withdrawn case as it is: it is answered and not recorded,
    else a parcel that is scanned a little too seldom comes into work each time.
    """
    key = subject_key(subject, type_.phase)
    joinable, occurrence = _joinable(unit, key, type_.family)
    if joinable is not None:
        if source.alert is not None and stage == AT_RISK and joinable.state == lifecycle.WITHDRAWN:
            return joinable.id
        joined = e.SourceJoined(
            catalogue=unit.context.catalogue.digest,
            source=source,
            checkpoint=checkpoint,
            code=type_.code,
        )
        _join(unit, joinable, type_, joined, stage)
        return joinable.id
    case_id = exception_id(unit.context.tenant, key, type_.family, occurrence)
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


def _joinable(unit: Unit, key: str, family: str) -> tuple[Case | None, int]:
    """The case that a source about the subject goes to, None with the occurrence of a new one."""
    joinable: Case | None = None
    for occurrence in range(1, OCCURRENCES_MAX + 1):
        case = unit.find(exception_id(unit.context.tenant, key, family, occurrence))
        if case is None:
            break
        if isinstance(case, Case) and case.state not in (lifecycle.RECONCILED, lifecycle.MERGED):
            joinable = case
            if case.state != lifecycle.WITHDRAWN:
                break
    return joinable, occurrence


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
    stronger = type_ if _outranks(type_, stage, joined.source, case, known) else known
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
    elif stronger is not known and case.state == lifecycle.ESCALATED and joined.source.alert:
        _raise_level(unit, case, stronger.level)


def _outranks(
    type_: ExceptionType, stage: str, source: e.Source, case: Case, known: ExceptionType
) -> bool:
    """Whether the case takes the code of a source that joins it.

    Where rules report, what is only at risk never names a case that is in work, and what has
    happened names one that only watched, unless a person chose its code. Else the rank decides. A
    case that went by itself and is reopened by a rule is about what the rule found now.
    """
    if case.state == lifecycle.WITHDRAWN and source.alert is not None:
        return type_ is not known
    happened = stage != AT_RISK
    in_work = case.state != lifecycle.DETECTED
    by_rule = any(each.alert is not None for each in (source, *case.sources))
    if by_rule and happened != in_work and not (happened and case.code_by_hand):
        return happened and type_ is not known
    return type_.rank > known.rank


def _raise_level(unit: Unit, case: Case, level: int) -> None:
    """What a rule finds is worked on at the level of its code; team and owner stay.

    Who reports by hand raises the level himself; nobody is there when a rule reports.
    """
    if level <= case.level:
        return
    unit.record(
        case.id,
        e.Escalated(
            catalogue=unit.context.catalogue.digest,
            from_level=case.level,
            level=level,
            team=case.team,
            owner=case.owner,
            state=lifecycle.next_state(case.state, "level"),
        ),
    )


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


def check_signal(command: Detect, checks: Checks) -> None:
    """What a signal says of itself, whichever code it is about."""
    signal = command.signal
    checks.one_of("signal.kind", signal.kind, SIGNAL_KINDS)
    if signal.kind not in ("", "person", "customer"):
        checks.identifier("signal.source_id", signal.source_id)
    checks.identifier("signal.feed", signal.feed, required=bool(signal.raw_code))
    checks.identifier("signal.source_id", signal.source_id, required=False)
    checks.identifier("signal.raw_code", signal.raw_code, required=False)
    checks.text("signal.raw_text", signal.raw_text, required=False)
    if command.stage:
        checks.one_of("stage", command.stage, STAGES)
    checks.identifier("person", command.person, required=False)
    if command.failing_check:
        checks.word("failing_check", command.failing_check)


def _check_code(command: Detect, catalogue: Catalogue, checks: Checks) -> None:
    """A code of ours or a raw code of a feed, and the report that a customer makes."""
    code, raw_code, report = command.code, command.signal.raw_code, command.report
    if report is None:
        checks.require(
            bool(code) != bool(raw_code),
            "code",
            "give either code (of the catalogue) or signal.raw_code (of signal.feed)",
        )
    else:
        checks.require(not raw_code, "signal.raw_code", "a report by template has no raw code")
        check_report(report, code, command.signal.kind, catalogue, checks)


def _named_code(command: Detect, catalogue: Catalogue) -> str:
    """The code that a request is about, "" for none."""
    signal = command.signal
    if command.report is not None:
        return command.code or code_of_report(command.report, catalogue)
    return command.code or catalogue.code_for(signal.feed, signal.raw_code)


def _type(command: Detect, unit: Unit) -> ExceptionType:
    catalogue, signal = unit.context.catalogue, command.signal
    checks = Checks()
    code = _named_code(command, catalogue)
    if command.code:
        checks.known("code", code, catalogue.types, "a code")
    elif command.report is None:
        meaning = catalogue.meaning(signal.feed, signal.raw_code)
        if not code and meaning is not None:
            checks.refuse(
                "signal.raw_code",
                f"{signal.raw_code!r} of {signal.feed} says {meaning.title.en!r}, "
                "which opens no case by itself",
            )
    checks.done()
    return catalogue.type_of(code)


def check_subject(command: Detect, type_: ExceptionType) -> None:
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


def check_last_event(command: Detect, context: Context, looked_at: str = "") -> None:
    """What is said of the parcel's last event, whether or not the code needs it.

    ``looked_at`` is the moment that a timer of the store itself looks at.
    """
    checks = Checks()
    # On a store that follows a feed a command may occur ahead of where the feed's clock stands.
    none_yet = command.none_yet_looked_at
    if none_yet > max(context.present, context.occurred, looked_at):
        checks.require(
            micros(none_yet) <= micros(context.present) + AHEAD_MICROS_MAX,
            "none_yet_looked_at",
            "lies in the future; it is at most five minutes ahead",
        )
    check_checkpoint(command.last_checkpoint, checks)
    checks.done()


def check_checkpoint(checkpoint: CheckpointInput | None, checks: Checks) -> None:
    """What is said of a tracking fact, in the field ``last_checkpoint``."""
    if checkpoint is not None:
        checks.require(checkpoint.occurred_at, "last_checkpoint.occurred_at", "is required")
        checks.identifier("last_checkpoint.raw_code", checkpoint.raw_code, required=False)
        checks.text("last_checkpoint.raw_text", checkpoint.raw_text, required=False)
        checks.identifier("last_checkpoint.place", checkpoint.place, required=False)
        checks.identifier("last_checkpoint.status", checkpoint.status, required=False)


def source_of(command: Detect, unit: Unit, code: str, alert: e.Alert | None = None) -> e.Source:
    """The source that a report becomes; ``code`` is that of the case that it is about."""
    signal, report = command.signal, command.report
    person = person_of(command.person, command.subject)
    candidate = ""
    if signal.raw_code and code == CARRIER_REPORTED:
        meaning = unit.context.catalogue.meaning(signal.feed, signal.raw_code)
        candidate = "" if meaning is None else meaning.candidate
    return e.Source(
        kind=signal.kind,
        feed=signal.feed,
        source_id=signal.source_id,
        raw_code=signal.raw_code,
        raw_text=unit.seal(person, signal.raw_text),
        occurred=signal.occurred_at or unit.context.occurred,
        received=signal.received_at or unit.context.now,
        alert=alert,
        candidate=candidate,
        report="" if report is None else report.template,
        fields=None if report is None else unit.seal(person, sealed_answers(report)),
    )


def checkpoint_of(unit: Unit, person: str, given: CheckpointInput | None) -> e.Checkpoint | None:
    """The tracking fact as a case keeps it; its text is sealed under the person's key."""
    if given is None:
        return None
    return e.Checkpoint(
        occurred=given.occurred_at,
        received=given.received_at or unit.context.now,
        place=given.place,
        status=given.status,
        raw_code=given.raw_code,
        raw_text=unit.seal(person, given.raw_text),
    )
