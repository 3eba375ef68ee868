"""The outlook of a shipment: everything that the rules of a catalogue find in its timeline."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from msgspec.structs import replace

from esm.catalog.model import Catalogue
from esm.catalog.rules import EVENT_SINCE, STAGES
from esm.detection.contradictions import SIGHTS, Sight, Sights
from esm.detection.model import Checkpoint, Finding, Outlook, Shipment
from esm.detection.select import Plan, concerning
from esm.detection.timeline import Track, counted, least, tracks
from esm.detection.waits import WAITS, Wait, Waits, facts_of

PLANS_KEPT: Final = 4096
"""Combinations of carrier, lane and service whose rules are kept worked out; and of rules with
overrides, which many of them share."""

_Plans = tuple[tuple[tuple[Plan, Sights], ...], tuple[tuple[Plan, Waits], ...]]


class Detection:
    """The rules of a catalogue, ready to be asked. Safe to share between threads.

    Made once for a catalogue: it keeps the rules worked out for the kinds of shipments it met.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._cleared = _cleared_by_status(catalogue)
        self._plan = lru_cache(maxsize=PLANS_KEPT)(Plan)
        self._plans = lru_cache(maxsize=PLANS_KEPT)(self._select)

    def outlook(self, shipment: Shipment, timeline: Iterable[Checkpoint], as_of: int) -> Outlook:
        """Where a shipment stands at a moment, what is wrong, and when that may change by itself.

        Only what occurred at or before ``as_of`` (microseconds UTC) counts, and of that nothing
        that was retracted. The order of the timeline and repeated source ids do not matter. An
        event finding that a later checkpoint clears has ``ended``, as has a timed one whose wait
        ended after its threshold. Raises nothing for any stored timeline.
        """
        now = counted(timeline, as_of)
        per_piece = tracks(shipment.pieces, now)
        dues = [each.occurred for each in now.ahead]
        facts = facts_of(shipment, as_of, per_piece, dues)
        events, timed = self._plans(
            shipment.carrier, shipment.lane, shipment.service, shipment.untracked
        )
        findings: list[Finding] = []
        for track in per_piece:
            clearers = _Clearers(track, self._clears)
            for plan, see in events:
                for sight in see(plan, track, shipment):
                    if sight.at > as_of:
                        dues.append(sight.at)
                    else:
                        findings.append(_seen(plan, track, sight, clearers))
            for plan, wait_for in timed:
                for wait in wait_for(plan, track, facts):
                    if (wait.end or as_of) - wait.begin >= plan.shortest:
                        findings += _reached(plan, track, wait, as_of, dues)
                    elif not wait.end:
                        _ahead(plan, wait, dues)
        states: dict[str, str] = {}
        if shipment.pieces:
            findings = _of_shipment(findings, (*now.seen, *now.flagged), per_piece)
            named = [(piece, track.state) for track in per_piece for piece in track.pieces]
            states = dict(sorted(named))
        findings.sort(key=_order)
        return Outlook(
            status=least([track.state for track in per_piece]),
            findings=tuple(findings),
            due=min(dues, default=0),
            newest=now.seen[-1].source_id if now.seen else "",
            pieces=states,
            retracted=now.wrong,
        )

    def _select(self, carrier: str, lane: str, service: str, untracked: bool) -> _Plans:
        known = self._catalogue.services.get(service)
        tracked = not untracked and (known is None or known.tracked)
        plans = [
            self._plan(rule, concerning(rule, carrier, lane, service))
            for rule in self._catalogue.rules.values()
            if tracked or not rule.tracked
        ]
        plans = [plan for plan in plans if not plan.never]
        return (
            tuple((p, SIGHTS[p.rule.since]) for p in plans if p.rule.since in EVENT_SINCE),
            tuple((p, WAITS[p.rule.since]) for p in plans if p.rule.since not in EVENT_SINCE),
        )

    def _clears(self, checkpoint: Checkpoint, code: str) -> bool:
        """Whether a checkpoint ends what another one opened under a code."""
        if code in self._cleared.get(checkpoint.status, ()) or code in checkpoint.clears:
            return True
        type_ = self._catalogue.types.get(code)
        return ("" if type_ is None else type_.family) in checkpoint.clears


class _Clearers:
    """What of a track ends what was opened, looked up once for each code."""

    __slots__ = ("_by_code", "_clears", "_places", "_track")

    def __init__(self, track: Track, clears: Callable[[Checkpoint, str], bool]) -> None:
        self._track = track
        self._clears = clears
        self._by_code: dict[str, list[int]] = {}
        self._places: dict[str, int] | None = None

    def after(self, checkpoint: Checkpoint, at: int, code: str) -> Checkpoint | None:
        """The first checkpoint after another one, or after a moment, that ends what it opened."""
        seen = self._track.seen
        found = self._by_code.get(code)
        if found is None:
            found = [place for place, each in enumerate(seen) if self._clears(each, code)]
            self._by_code[code] = found
        if not found:
            return None
        if self._places is None:
            self._places = {each.source_id: place for place, each in enumerate(seen)}
        own = self._places.get(checkpoint.source_id, len(seen))
        begin = min(own + 1, bisect_right(seen, at, key=_occurred))
        for place in found[bisect_left(found, begin) :]:
            if place != own:
                return seen[place]
        return None


def _occurred(checkpoint: Checkpoint) -> int:
    return checkpoint.occurred


def _seen(plan: Plan, track: Track, sight: Sight, clearers: _Clearers) -> Finding:
    rule, checkpoint = plan.rule, sight.checkpoint
    code = sight.code or rule.code
    ender = clearers.after(checkpoint, sight.at, code)
    return Finding(
        rule=rule.rule,
        version=rule.version,
        code=code,
        anchor=checkpoint.source_id,
        at=sight.at,
        piece=track.piece,
        evidence=sight.evidence,
        ended=ender.occurred if ender else 0,
        ended_by=ender.source_id if ender else "",
    )


def _reached(plan: Plan, track: Track, wait: Wait, as_of: int, dues: list[int]) -> list[Finding]:
    """The stages of a wait that were reached; when the next one is due goes to ``dues``."""
    spans = plan.spans(wait.begin, wait.state)
    if spans.suppressed:
        return []
    moments = spans.moments(wait.begin)
    if wait.pauses:
        moments = [_resumed(each, wait, spans.inclusive) for each in moments]
    last = as_of
    if wait.end:
        last = wait.end if spans.inclusive else wait.end - 1
    else:
        dues += [moment for moment in moments if moment > as_of]
    reached = [moment <= last for moment in moments]
    if not any(reached):
        return []
    rule, steps = plan.rule, spans.steps
    stands = not wait.end or any(
        step.stage in plan.stays for step, here in zip(steps, reached, strict=True) if here
    )
    following = [
        moment if not wait.end or here else 0 for moment, here in zip(moments, reached, strict=True)
    ]
    return [
        Finding(
            rule=rule.rule,
            version=rule.version,
            code=step.code,
            anchor=wait.anchor,
            at=moment,
            stage=step.stage,
            piece=track.piece,
            evidence=_evidence(wait, moment),
            next_at=next_at,
            ended=0 if stands else wait.end,
            ended_by="" if stands else wait.ended_by,
        )
        for step, moment, here, next_at in zip(
            steps, moments, reached, [*following[1:], 0], strict=True
        )
        if here
    ]


def _resumed(moment: int, wait: Wait, inclusive: bool) -> int:
    """When a threshold is found reached: one that passed while nobody waited, at the end of that.

    What stops a wait at the very threshold saves it, unless the threshold is inclusive.
    """
    for first, last in wait.pauses:
        if first + inclusive <= moment < last:
            return last
    return moment


def _ahead(plan: Plan, wait: Wait, dues: list[int]) -> None:
    """When the first stage of a wait is due that is too young for any."""
    spans = plan.spans(wait.begin, wait.state)
    if spans.steps and not spans.suppressed:
        dues.append(spans.first(wait.begin))


def _evidence(wait: Wait, moment: int) -> tuple[str, ...]:
    """What was seen when a threshold was reached: the wait's beginning, the last of its run."""
    if wait.fact:
        return (wait.fact,)
    last = wait.anchor
    for each in wait.run:
        if each.occurred <= moment:
            last = each.source_id
    return (wait.anchor,) if last == wait.anchor else (wait.anchor, last)


def _of_shipment(
    findings: Sequence[Finding], known: Iterable[Checkpoint], tracks: Sequence[Track]
) -> list[Finding]:
    """The findings of each piece, by those of the tracks.

    What hangs on no piece and holds for all of them is one finding of the shipment. A wait is one
    when all pieces reached its first stage. It stays one when some of them end it: its later stages
    are those of the pieces that are left, and it ends with the last of them.
    """
    alike = {track.piece: track.pieces for track in tracks}
    pieces = sum(map(len, alike.values()))
    named = {each.source_id: each.piece for each in known}
    kept: list[Finding] = []
    shared: dict[tuple[str, str], list[Finding]] = {}
    for each in findings:
        if named.get(each.anchor) or each.anchor.startswith(_OF_EACH_PIECE):
            kept.append(each)
        else:
            shared.setdefault((each.rule, each.anchor), []).append(each)
    whole: list[Finding] = []
    for group in shared.values():
        first = min(each.at for each in group)
        if sum(len(alike[each.piece]) for each in group if each.at == first) < pieces:
            kept += group
            continue
        stages: dict[str, list[Finding]] = {}
        for each in group:
            stages.setdefault(each.stage, []).append(each)
        whole += map(_whole, stages.values())
    for each in kept:
        names = alike[each.piece]
        whole += [each] if len(names) == 1 else [replace(each, piece=name) for name in names]
    return whole


def _whole(alike: Sequence[Finding]) -> Finding:
    """The finding of a shipment by those of its pieces; it ended when it ended for all of them."""
    first = min(alike, key=lambda each: (each.at, each.piece))
    ended = all(each.ended for each in alike)
    last = max(alike, key=lambda each: (each.ended, each.ended_by))
    return Finding(
        rule=first.rule,
        version=first.version,
        code=first.code,
        anchor=first.anchor,
        at=first.at,
        stage=first.stage,
        evidence=first.evidence,
        next_at=max(each.next_at for each in alike),
        ended=last.ended if ended else 0,
        ended_by=last.ended_by if ended else "",
    )


_OF_EACH_PIECE: Final = "promised@"
"""Anchor of a wait that is judged piece by piece even when all are alike: each one is promised."""

_RANKS: Final[Mapping[str, int]] = {stage: rank for rank, stage in enumerate(("", *STAGES))}


def _order(finding: Finding) -> tuple[int, str, str, str, int]:
    return finding.at, finding.rule, finding.piece, finding.anchor, _RANKS[finding.stage]


def _cleared_by_status(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """Codes whose findings a checkpoint of a status ends, families written out."""
    return {
        status: frozenset(
            code
            for code, entry in catalogue.types.items()
            if code in clearing.clears or entry.family in clearing.clears
        )
        for status, clearing in catalogue.clearings.items()
    }
