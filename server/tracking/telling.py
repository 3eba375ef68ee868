"""Signals of a shipment as commands to cases, and what their answers say. Pure."""

import hmac
from collections.abc import Iterator, Mapping

import msgspec

from esm import commands as c
from esm.detection.model import Checkpoint, Finding, Outlook
from esm.errors import Contention, DomainError, QueueFull, StorageUnavailable
from esm.events import Subject
from esm.exception.state import Case
from esm.times import instant, micros
from server.submission import Answer, Call
from server.tracking.deviations import DELIVERED, Clear, Move, Open, Signal
from server.tracking.naming import FEED, fitting, printable, source_id_of
from server.tracking.store import (
    EXPECTED,
    MUTED,
    OPENED,
    REFUSED,
    Key,
    KnownCase,
    Told,
    Watched,
)

ACTOR = "system:detection"
MUTED_MICROS_MAX = 3_600_000_000
"""A muted finding is said again after an hour at the latest: the mute may have been shortened."""

DAY_MICROS = 86_400_000_000
TRIED_MICROS_MAX = 30 * DAY_MICROS
"""What an action explained, or a case could not take, is said again daily, for so long: actions
fail, and what stood in the way may be gone."""

LATER: tuple[type[DomainError], ...] = (Contention, QueueFull, StorageUnavailable)
"""Refusals that say nothing about the signal: the same one is sent again."""

Texts = Mapping[str, str]
"""The feed's own words by source id, as far as they were asked for and can be read."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A shipment as it is looked at: its row, its outlook, and the moment (microseconds UTC).

    ``texts`` are None until they were read, which only a shipment of which something is said needs.
    """

    watched: Watched
    outlook: Outlook
    as_of: int
    texts: Texts | None = None

    @property
    def key(self) -> Key:
        """The shipment."""
        return Key(self.watched.tenant, self.watched.shipment.shipment_code)

    def words_of(self, checkpoint: Checkpoint) -> str:
        """The feed's own words of a checkpoint, "" for none."""
        return self.texts.get(checkpoint.source_id, "") if self.texts else ""


def command_of(signal: Signal, moment: Moment, secret: bytes) -> tuple[c.Command, Call]:
    """The command that says a signal. Said again it has the same request id, and the same body."""
    command: c.Command
    match signal:
        case Open(finding, source_id):
            command = _detect(finding, source_id, moment)
            first = source_id == source_id_of(finding, moment.watched, 1)
            # What stands again does so since now; that it once did, the case knows.
            at = min(finding.at, moment.as_of) if first else moment.as_of
        case Clear():
            command, at = _clear(signal, moment), min(signal.at, moment.as_of)
        case Move():
            command, at = _move(signal, moment), min(signal.checkpoint.occurred, moment.as_of)
    body = msgspec.msgpack.encode((type(command).__name__, command, at))
    request_id = f"{FEED}/{hmac.digest(secret, body, 'sha256').hex()}"
    call = Call(
        tenant=moment.watched.tenant,
        actor=ACTOR,
        assurance="asserted",
        request_id=request_id,
        occurred=instant(at),
    )
    return command, call


def after(signal: Signal, watched: Watched, answer: Answer | DomainError, since: int) -> Watched:
    """The shipment once a signal was answered. Raises a refusal that says nothing about it.

    ``since`` is when the case was opened, if the signal opened one (as of :class:`KnownCase`).
    """
    if isinstance(answer, LATER):
        raise answer
    match signal:
        case Open(finding, source_id):
            others = (each for each in watched.told if each.source_id != source_id)
            told = (*others, _answered(source_id, finding, watched, answer))
            cases = (*watched.cases, *_opened(watched, answer, since))
            return msgspec.structs.replace(watched, told=told, cases=cases)
        case Clear(told=gone):
            until = 0 if isinstance(answer, Answer) else _tried(watched, signal.at)
            told = tuple(
                msgspec.structs.replace(t, cleared=not until, until=until) if t in gone else t
                for t in watched.told
            )
            return msgspec.structs.replace(watched, told=told)
        case Move(moved, checkpoint):
            cases = tuple(
                msgspec.structs.replace(k, moved=checkpoint.source_id)
                if k.case_id == moved.case_id
                else k
                for k in watched.cases
            )
            return msgspec.structs.replace(watched, cases=cases)


def _opened(watched: Watched, answer: Answer | DomainError, since: int) -> Iterator[KnownCase]:
    """The case that a signal opened; older ones, which it only joined, the log tells of."""
    if isinstance(answer, Answer):
        case_id, _, case = answer.targets[0]
        known = any(each.case_id == str(case_id) for each in watched.cases)
        if isinstance(case, Case) and len(case.sources) == 1 and not known:
            yield KnownCase(case_id=str(case_id), piece=case.subject.piece, since=since)


def _answered(
    source_id: str, finding: Finding, watched: Watched, answer: Answer | DomainError
) -> Told:
    if isinstance(answer, Answer):
        case_id = str(answer.targets[0][0])
        return Told(source_id=source_id, outcome=OPENED, case_id=case_id)
    outcome = {"MUTED": MUTED, "EXPECTED": EXPECTED}.get(answer.reason, REFUSED)
    if outcome == MUTED:
        as_of = max(watched.due, watched.looked)
        until = min(micros(answer.metadata["until"]), as_of + MUTED_MICROS_MAX)
    else:
        until = _tried(watched, finding.at)
    return Told(source_id=source_id, outcome=outcome, until=until)


def _tried(watched: Watched, since: int) -> int:
    """When what no case took is said again, 0 for never."""
    as_of = max(watched.due, watched.looked)
    return as_of + DAY_MICROS if as_of < since + TRIED_MICROS_MAX else 0


def _speaker(said: Checkpoint | None) -> tuple[str, str]:
    """Kind and feed of a signal: the carrier's where a checkpoint says it, else our own."""
    return ("alert", FEED) if said is None else ("carrier", said.feed)


def _said_by(finding: Finding, watched: Watched) -> Checkpoint | None:
    """The checkpoint that names the code itself: then it is the carrier's word, not our rule's."""
    anchor = watched.checkpoint(finding.anchor)
    return anchor if anchor is not None and anchor.opens == finding.code else None


def _detect(finding: Finding, source_id: str, moment: Moment) -> c.DetectDeviation:
    watched = moment.watched
    anchor, said = watched.checkpoint(finding.anchor), _said_by(finding, watched)
    newest = watched.checkpoint(moment.outlook.newest)
    kind, feed = _speaker(said)
    return c.DetectDeviation(
        subject=_subject(watched, finding.piece),
        code=finding.code,
        signal=c.Signal(
            kind=kind,
            feed=feed,
            source_id=source_id,
            raw_code="" if said is None else printable(said.raw_code),
            raw_text="" if said is None else moment.words_of(said),
            occurred_at=instant(min(finding.at, moment.as_of)),
            received_at=instant(moment.as_of if anchor is None else anchor.received),
        ),
        last_checkpoint=None if newest is None else _input(newest, moment),
        none_yet_looked_at=instant(moment.as_of) if newest is None else "",
        stage=finding.stage,
        looked_at=instant(moment.as_of),
        alert=c.AlertInput(
            rule=finding.rule,
            version=finding.version,
            stage=finding.stage,
            at=instant(finding.at),
            next_at=instant(finding.next_at) if finding.next_at else "",
            evidence=tuple(fitting(each, each) for each in finding.evidence),
        ),
    )


def _clear(signal: Clear, moment: Moment) -> c.ClearSignal:
    return c.ClearSignal(
        exception_id=signal.case_id,
        source_ids=tuple(told.source_id for told in signal.told),
        last_checkpoint=None if signal.by is None else _input(signal.by, moment),
        undone=signal.undone,
    )


def _move(signal: Move, moment: Moment) -> c.RecordMovement:
    return c.RecordMovement(
        exception_id=signal.case.case_id,
        last_checkpoint=_input(signal.checkpoint, moment),
        delivered=signal.checkpoint.status == DELIVERED,
    )


def _subject(watched: Watched, piece: str) -> Subject:
    shipment = watched.shipment
    return Subject(order_id=shipment.order_id, shipment_code=shipment.shipment_code, piece=piece)


def _input(checkpoint: Checkpoint, moment: Moment) -> c.CheckpointInput:
    return c.CheckpointInput(
        occurred_at=instant(checkpoint.occurred),
        received_at=instant(checkpoint.received),
        place=printable(checkpoint.place),
        status=checkpoint.status,
        raw_code=printable(checkpoint.raw_code),
        raw_text=moment.words_of(checkpoint),
    )
