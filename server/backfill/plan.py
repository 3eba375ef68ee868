"""From rows to commands: each row judged against the case's row before. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import uuid5

from esm.times import instant
from server.backfill.mapping import NoValue, SignalsMapping, holds, value_of
from server.backfill.rows import BadRow, Row

EXPLAIN: Final = "explain_only"
"""Remedy of the catalogue that a completion records: the customer was told, nothing else."""

LEVELS: Final = ("1", "2", "3")

CASE: Final = "exception_id"
ACTION: Final = "action_id"

OPENING: Final = "DetectException"
PROPOSAL: Final = "ProposeAction"


@dataclass(frozen=True, slots=True)
class Planned:
    """A command in the words of the API's JSON form.

    ``fills`` names the fields that answers before it give: the id of the case from its opening,
    that of the action from its proposal. ``case`` tells cases apart within one history.
    """

    file: str
    line: int
    case: str
    rpc: str
    request: dict[str, Any]
    fills: tuple[str, ...]
    occurred: str
    request_id: str


class _Step(NamedTuple):
    """One command of a row; ``name`` tells it from the others of the row, for ever."""

    name: str
    rpc: str
    request: dict[str, Any]
    fills: tuple[str, ...] = (CASE,)


@dataclass(slots=True)
class _Case:
    """What the rows so far said about a case."""

    opened: bool = False
    done: bool = False
    level: str = ""
    owner: tuple[str, str] = ("", "")
    party: str = ""
    verified: set[str] = field(default_factory=set)
    notes: dict[int, str] = field(default_factory=dict)


def plan(mapping: SignalsMapping, rows: Iterable[Row]) -> Iterator[Planned | BadRow]:
    """The commands of sorted rows, and rows that the mapping has no words for.

    Row by row, those of a row in this order: open or reopen, verify, level and owner, wait, note,
    complete. A bad row gives no command and is nobody's row before. Rows of a case before the
    one that opens it say nothing. Request ids depend on the mapping's name, the key of the row
    and the step, so the same rows give the same commands wherever they stand.
    """
    cases: dict[str, _Case] = {}
    for row in rows:
        try:
            subject = _subject(mapping, row.fields)
            key = "/".join(subject.values())
            case = cases.setdefault(key, _Case())
            steps = list(_Judge(mapping, row, case, subject).steps())
        except NoValue as error:
            yield BadRow(row.file, row.line, str(error))
            continue
        occurred = instant(row.at)
        for step in steps:
            request_id = str(uuid5(row.key, step.name))
            yield Planned(
                file=row.file,
                line=row.line,
                case=key,
                rpc=step.rpc,
                request=step.request | {"occurred_at": occurred, "request_id": request_id},
                fills=step.fills,
                occurred=occurred,
                request_id=request_id,
            )


def _subject(mapping: SignalsMapping, fields: dict[str, str]) -> dict[str, str]:
    rule = mapping.subject
    subject = {name: value_of(getattr(rule, name), fields) for name in rule.__struct_fields__}
    if not subject["order_id"]:
        raise NoValue("the row names no order")
    return {name: text for name, text in subject.items() if text}


class _Judge:
    """One row against what the rows before it said of its case.

    Values are read before anything is judged: a row that lacks one changes nothing.
    """

    def __init__(
        self, mapping: SignalsMapping, row: Row, case: _Case, subject: dict[str, str]
    ) -> None:
        self._mapping = mapping
        self._fields = row.fields
        self._at = instant(row.at)
        self._case = case
        self._subject = subject
        self._ticked: set[str] = set()
        self._opens = not case.opened and holds(mapping.open.when, row.fields)
        self._reopens = case.done and self._holds(mapping.reopen)
        still_done = case.done and not self._reopens
        self._completes = not still_done and self._holds(mapping.complete)
        self._done = still_done or self._completes
        self._level = self._read_level()
        self._owner = self._read_owner()
        self._party = "" if self._done or mapping.wait is None else self._read(mapping.wait.party)
        self._notes = {
            place: self._read(note.text)
            for place, note in enumerate(mapping.note)
            if holds(note.when, row.fields)
        }

    def steps(self) -> Iterator[_Step]:
        """The commands of the row; the case then stands as the row says."""
        case = self._case
        if not case.opened and not self._opens:
            return
        steps = [
            *self._open_or_reopen(),
            *self._verify(),
            *self._move(),
            *self._assign(),
            *self._wait(),
            *self._note(),
            *self._complete(),
        ]
        case.opened, case.done = True, self._done
        case.level, case.owner = self._level or case.level, self._owner
        case.party, case.notes = self._party, self._notes
        case.verified |= self._ticked
        yield from steps

    def _read(self, value: Any) -> str:
        return value_of(value, self._fields)

    def _holds(self, rule: Any) -> bool:
        return rule is not None and holds(rule.when, self._fields)

    def _read_level(self) -> str:
        if self._mapping.level is None:
            return ""
        level = self._read(self._mapping.level.value)
        if level not in LEVELS:
            raise NoValue(f"level {level!r} is not one of {', '.join(LEVELS)}")
        return level

    def _read_owner(self) -> tuple[str, str]:
        """Owner and team; one that the row leaves empty stays as it was."""
        rule, (owner, team) = self._mapping.owner, self._case.owner
        if rule is None:
            return owner, team
        # An owner is one word, since it is stored in clear; groups of a source often are several.
        named = "_".join(self._read(rule.owner).split())
        return named or owner, self._read(rule.team) or team

    def _open_or_reopen(self) -> Iterator[_Step]:
        if self._opens:
            yield self._opening()
        elif self._reopens and self._mapping.reopen is not None:
            reason = self._read(self._mapping.reopen.reason)
            yield _Step("reopen", "ReopenException", {"reason": reason})

    def _opening(self) -> _Step:
        rule = self._mapping.open
        signal = {name: self._read(getattr(rule, name)) for name in _SIGNAL}
        request: dict[str, Any] = {
            "subject": self._subject,
            "signal": {name: text for name, text in signal.items() if text}
            | {"occurred_at": self._at},
        }
        for name in ("code", "person", "failing_check"):
            if text := self._read(getattr(rule, name)):
                request[name] = text
        if rule.none_yet:
            request["none_yet_looked_at"] = self._at
        # With a level of its own the case comes into work by that, not by its code's.
        if self._mapping.level is not None:
            request["stage"] = "STAGE_AT_RISK"
        return _Step("open", OPENING, request, fills=())

    def _verify(self) -> Iterator[_Step]:
        if self._case.done and not self._reopens:
            return  # a finished case takes no verification
        for rule in self._mapping.verify:
            due = holds(rule.when, self._fields) if rule.when else self._opens
            if not due or rule.item in self._case.verified | self._ticked:
                continue
            request = {"item": rule.item, "result": "confirmed"}
            if finding := self._read(rule.finding):
                request["finding"] = finding
            self._ticked.add(rule.item)
            yield _Step(f"verify {rule.item}", "RecordVerification", request)

    def _move(self) -> Iterator[_Step]:
        if self._mapping.level is not None and self._level != self._case.level:
            reason = self._read(self._mapping.level.reason)
            level = f"RESPONSE_LEVEL_{self._level}"
            yield _Step("level", "EscalateException", {"level": level, "reason": reason})

    def _assign(self) -> Iterator[_Step]:
        if self._owner != self._case.owner:
            named = zip(("owner", "team"), self._owner, strict=True)
            request = {name: text for name, text in named if text}
            yield _Step("assign", "AssignException", request)

    def _wait(self) -> Iterator[_Step]:
        if self._party and self._party != self._case.party:
            yield _Step("wait", "StartWaiting", {"party": self._party})
        elif self._case.party and not self._party:
            yield _Step("wait", "StopWaiting", {})

    def _note(self) -> Iterator[_Step]:
        for place, text in self._notes.items():
            if text and text != self._case.notes.get(place):
                yield _Step(f"note {place}", "AddNote", {"text": text})

    def _complete(self) -> Iterator[_Step]:
        rule = self._mapping.complete
        if not self._completes or rule is None:
            return
        told = self._read(rule.summary)
        both = (CASE, ACTION)
        succeeded = {"outcome": "ACTION_OUTCOME_SUCCEEDED"}
        yield _Step("propose", PROPOSAL, {"kind": EXPLAIN, "explanation": told})
        yield _Step("approve", "ApproveAction", {}, both)
        yield _Step("submit", "SubmitAction", {}, both)
        yield _Step("succeed", "RecordActionOutcome", succeeded, both)
        resolution = {"resolution": self._read(rule.resolution), "summary": told}
        yield _Step("remediate", "RemediateException", resolution)


_SIGNAL: Final = ("kind", "feed", "source_id", "raw_code")
