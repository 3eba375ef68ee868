"""How facts make deadlines, move them and take them away. Most facts have nothing to do here."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from esm import events as e
from esm import lifecycle
from esm.exception.sources import latest_words
from esm.times import micros
from projections.conditions import marks, padded
from projections.deadlines.tables import CASES, DEADLINES, CaseRow, DeadlineRow
from projections.deadlines.view import subject_text
from projections.engine import Held
from projections.pump import Poison, Projection, Session, known
from projections.query import NEVER

Recorded = e.Recorded
Key = tuple[str, str]
"""Tenant and exception id."""

DAY_MICROS = 86_400_000_000
_LOAD_MAX = 512


class DeadlineProjection(Projection):
    """What comes due. A fact that cannot be applied is parked; the rest goes on."""

    NAME = "deadlines"
    VERSION = 2
    TABLES = (CASES, DEADLINES)
    HALTS = False

    def begin(self, held: Held, events: Sequence[Recorded]) -> Session:
        return DeadlineSession(held, events)


class DeadlineSession(Session):
    """The cases and deadlines of a batch as they stand after its facts so far."""

    def __init__(self, held: Held, events: Sequence[Recorded]) -> None:
        self._held = held
        keys = {(r.tenant, str(r.aggregate_id)) for r in events if _needs_rows(r)}
        loaded = [CaseRow(*row) for row in _load(held, CASES.name, keys)]
        self._before: dict[Key, CaseRow] = {(c.tenant, c.exception_id): c for c in loaded}
        self._cases = dict(self._before)
        self._rows: defaultdict[Key, dict[tuple[str, str], DeadlineRow]] = defaultdict(dict)
        for found in _load(held, DEADLINES.name, keys):
            row = DeadlineRow(*found)
            self._rows[row.tenant, row.exception_id][row.kind, row.name] = row
        self._changed_cases: dict[Key, CaseRow] = {}
        self._changed: dict[tuple[str, ...], DeadlineRow] = {}

    def apply(self, recorded: Recorded) -> None:
        step = STEPS.get(recorded.topic)
        if step is not None:
            step(self, known(recorded), recorded)

    def write(self) -> None:
        changed = self._changed_cases
        old = [key for key in changed if key in self._before]
        held = self._held
        held.update(CASES, [self._before[key] for key in old], [changed[key] for key in old])
        held.insert(CASES, [row for key, row in changed.items() if key not in self._before])
        held.upsert(DEADLINES, list(self._changed.values()))

    def opened(self, event: e.Detected, recorded: Recorded) -> None:
        """A case came up."""
        key = _key(recorded)
        self._put_case(key, CaseRow(*key, subject_text(event.subject), 1))
        self._alert(self._cases[key], event.source)

    def joined(self, event: e.SourceJoined, recorded: Recorded) -> None:
        """A source may bring the word of a rule."""
        if event.source.alert is not None:
            self._alert(self._case(recorded), event.source)

    def received(self, event: e.MergeReceived, recorded: Recorded) -> None:
        """So may those of a duplicate, unless the survivor knows a later word of the rule."""
        for source, alert in latest_words(event.sources, event.cleared):
            row = self._rows[_key(recorded)].get(("next_stage", alert.rule))
            if row is None or micros(alert.at) >= row.said_at:
                self._alert(self._case(recorded), source)

    def cleared(self, event: e.SignalCleared, recorded: Recorded) -> None:
        """What some sources said stands no more."""
        for row in list(self._rows[_key(recorded)].values()):
            if row.kind == "next_stage" and row.source_id in event.source_ids:
                self._put(row._replace(due_at=NEVER, next_at=0, said_at=0))

    def moved(self, state: str, recorded: Recorded) -> None:
        """The case came to another state: alerts of one that is not open are not due."""
        case = self._case(recorded)
        is_open = int(state in lifecycle.OPEN_STATES)
        if is_open == case.open:
            return
        self._put_case(_key(recorded), case._replace(open=is_open))
        for row in list(self._rows[_key(recorded)].values()):
            if row.kind == "next_stage":
                self._put(row._replace(due_at=_due(row.next_at, is_open)))

    def carried(self, event: e.ItemCarried, recorded: Recorded) -> None:
        """Two persons carried an item to a day; it is due when that day is over, in UTC."""
        case = self._case(recorded)
        due_at = micros(f"{event.due}T00:00:00Z") + DAY_MICROS
        key = (case.tenant, case.exception_id)
        self._put(DeadlineRow(*key, "carried_item", event.item, case.subject, due_at, due_at))

    def muted(self, event: e.RuleMuted, recorded: Recorded) -> None:
        """A rule is silent about a subject for a while; the newest word counts."""
        until = micros(event.until)
        about = subject_text(event.subject)
        row = DeadlineRow(recorded.tenant, "", "mute_end", event.rule, about, until, until)
        self._changed[row[:5]] = row

    def _alert(self, case: CaseRow, source: e.Source) -> None:
        """The newest word of a rule takes the place of what it said before."""
        alert = source.alert
        if alert is None:
            return
        known_rows = self._rows.get((case.tenant, case.exception_id), {})
        next_at = micros(alert.next_at) if alert.next_at else 0
        if not (next_at or alert.stage or ("next_stage", alert.rule) in known_rows):
            return
        self._put(
            DeadlineRow(
                case.tenant,
                case.exception_id,
                "next_stage",
                alert.rule,
                case.subject,
                _due(next_at, case.open),
                next_at,
                source.source_id,
                micros(alert.at),
            )
        )

    def _case(self, recorded: Recorded) -> CaseRow:
        case = self._cases.get(_key(recorded))
        if case is None:
            raise Poison(f"{recorded.topic} of a case that was never detected")
        return case

    def _put_case(self, key: Key, case: CaseRow) -> None:
        self._cases[key] = self._changed_cases[key] = case

    def _put(self, row: DeadlineRow) -> None:
        self._rows[row.tenant, row.exception_id][row.kind, row.name] = row
        self._changed[row[:5]] = row


def _due(next_at: int, is_open: int) -> int:
    return next_at if next_at and is_open else NEVER


def _key(recorded: Recorded) -> Key:
    return recorded.tenant, str(recorded.aggregate_id)


def _needs_rows(recorded: Recorded) -> bool:
    """Whether a fact is about what earlier facts of its case made."""
    wanted = NEEDS_ROWS.get(recorded.topic)
    if wanted is None or isinstance(recorded.event, e.UnknownEvent):
        return False
    return wanted(recorded.event)


def _load(held: Held, table: str, keys: Iterable[Key]) -> Iterator[tuple[Any, ...]]:
    by_tenant: defaultdict[str, list[str]] = defaultdict(list)
    for tenant, exception_id in sorted(keys):
        by_tenant[tenant].append(exception_id)
    for tenant, ids in by_tenant.items():
        for start in range(0, len(ids), _LOAD_MAX):
            chunk = padded(ids[start : start + _LOAD_MAX])
            sql = (
                f"SELECT * FROM {{{table}}} WHERE tenant = ?"
                f" AND exception_id IN ({marks(len(chunk))})"
            )
            yield from held.rows(sql, (tenant, *chunk))


def _to(state: str) -> Callable[[DeadlineSession, Any, Recorded], None]:
    return lambda session, _, recorded: session.moved(state, recorded)


def _to_named(session: DeadlineSession, event: Any, recorded: Recorded) -> None:
    """A step of an action rarely moves its case; only then there is something to look up."""
    if _moves(event):
        session.moved(event.state, recorded)


def _always(_: Any) -> bool:
    return True


def _moves(event: Any) -> bool:
    return bool(event.state != event.from_state)


STEPS: Mapping[str, Callable[[DeadlineSession, Any, Recorded], None]] = {
    e.Detected.TOPIC: DeadlineSession.opened,
    e.SourceJoined.TOPIC: DeadlineSession.joined,
    e.SignalCleared.TOPIC: DeadlineSession.cleared,
    e.MergeReceived.TOPIC: DeadlineSession.received,
    e.ActionProposed.TOPIC: _to_named,
    e.ActionOutcomeRecorded.TOPIC: _to_named,
    e.Remediated.TOPIC: _to(lifecycle.REMEDIATED),
    e.Reconciled.TOPIC: _to(lifecycle.RECONCILED),
    e.Withdrawn.TOPIC: _to(lifecycle.WITHDRAWN),
    e.Merged.TOPIC: _to(lifecycle.MERGED),
    e.Reopened.TOPIC: _to(lifecycle.ESCALATED),
    e.ItemCarried.TOPIC: DeadlineSession.carried,
    e.RuleMuted.TOPIC: DeadlineSession.muted,
}
"""Topic -> step; a topic that is not here has nothing to do with deadlines."""

NEEDS_ROWS: Mapping[str, Callable[[Any], bool]] = {
    e.SourceJoined.TOPIC: lambda event: event.source.alert is not None,
    e.SignalCleared.TOPIC: _always,
    e.MergeReceived.TOPIC: lambda event: any(s.alert is not None for s in event.sources),
    e.ActionProposed.TOPIC: _moves,
    e.ActionOutcomeRecorded.TOPIC: _moves,
    e.Remediated.TOPIC: _always,
    e.Reconciled.TOPIC: _always,
    e.Withdrawn.TOPIC: _always,
    e.Merged.TOPIC: _always,
    e.Reopened.TOPIC: _always,
    e.ItemCarried.TOPIC: _always,
}
"""Topic -> whether a fact needs the rows of its case; all that have a step, but two, may."""
