"""Whatever detection, people and carriers do to a parcel's cases in whatever order, this holds."""

from random import Random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from esm import commands as c
from esm import evolve as folding
from esm.errors import DomainError
from esm.events import (
    Event,
    Merged,
    MovementRecorded,
    Reclassified,
    Reopened,
    RuleMuted,
    SignalCleared,
    Withdrawn,
)
from esm.exception.intake import source_key
from esm.exception.state import Case
from tests.esm import given as g
from tests.esm.story import Story

CODES = ("TRACKING_STALLED", "NODE_STUCK", "PROMISE_MISSED", "DAMAGED", "TRACKING_ANOMALY")
STAGES = ("at_risk", "breached", "serious", "")
KINDS = ("alert", "carrier", "customer")
UNTIL = ("2026-03-02T00:00:00.000000Z", "2026-03-05T00:00:00.000000Z")
LOOKED = ("2026-03-01T00:00:00.000000Z", "2026-03-03T00:00:00.000000Z")

Op = tuple[int, int, int]


def case_ids(story: Story) -> list[str]:
    return [str(i) for i, (_, state) in sorted(story.states.items()) if isinstance(state, Case)]


def reported(op: Op) -> c.Detect:
    """What a rule, a carrier or a customer says; a source id always says the same."""
    _, a, b = op
    code, kind = CODES[a % len(CODES)], KINDS[b % len(KINDS)]
    source_id = f"{code}/{a}/{b}"
    if kind == "customer":
        return g.detection(code, signal=c.Signal(kind=kind, feed="web", source_id=source_id))
    signal = c.Signal(kind=kind, feed="detection", source_id=source_id)
    stage = STAGES[a % len(STAGES)]
    return g.deviation(code, source_id, stage=stage, signal=signal, looked_at=LOOKED[b % 2])


def on_case(story: Story, op: Op) -> list[c.Command]:
    """What is done to one of the cases; several commands when one alone is never legal."""
    kind, a, b = op
    ids = case_ids(story)
    if not ids:
        return []
    case = ids[a % len(ids)]
    sources = [source.source_id for source in story.case(case).sources]
    done: list[list[c.Command]] = [
        [c.ClearSignal(exception_id=case, source_ids=tuple(sources[b % 3 :]))],
        [c.ClearSignal(exception_id=case, source_ids=tuple(sources[:1]), undone=b % 2 == 1)],
        [g.moved(case, LOOKED[b % 2], delivered=a % 2 == 0)],
        [c.Withdraw(exception_id=case, resolution="FALSE_ALARM")],
        [c.Reopen(exception_id=case, reason="x")],
        [c.Reclassify(exception_id=case, code=CODES[b % len(CODES)], reason="x")],
        [c.Escalate(exception_id=case, level=1, reason="x")],
        [c.Merge(exception_id=case, into=ids[b % len(ids)])],
        [c.Reconcile(exception_id=case)],
        [c.Remediate(exception_id=case, resolution="EXPLAINED", summary="x")],
    ]
    return done[kind % len(done)]


def worked(story: Story, op: Op) -> None:
    """An action of a case that succeeds, with or without money; a refund may close the case."""
    _, a, b = op
    ids = case_ids(story)
    if not ids:
        return
    case = ids[a % len(ids)]
    g.verified(story, case)
    if b % 3 == 0:
        g.refunded(story, case)
        if b == 3:
            g.remediated(story, case, "REFUNDED")
            story.do(c.WriteBack(exception_id=case, logistics_line="L1"))
            story.do(c.Reconcile(exception_id=case))
    else:
        g.submitted(story, case, ("redeliver", "return_goods")[b % 2])


def play(story: Story, op: Op) -> None:
    kind, a, b = op
    if kind < 8:
        story.do(reported(op))
    elif kind == 8:
        story.do(g.mute(CODES[a % len(CODES)], UNTIL[b % 2]))
    elif kind == 9:
        worked(story, op)
    else:
        for command in on_case(story, (kind - 10, a, b)):
            story.do(command)


OPS = st.tuples(st.integers(0, 19), st.integers(0, 11), st.integers(0, 5))


def played(ops: list[Op]) -> Story:
    """A story of what was legal of it."""
    story = Story()
    story.do(g.record_order())
    for op in ops:
        try:
            play(story, op)
        except DomainError:
            continue
    return story


def cases(story: Story) -> list[Case]:
    return [state for _, state in story.states.values() if isinstance(state, Case)]


@settings(max_examples=300, deadline=None)
@given(st.lists(OPS, max_size=40))
def test_the_history_of_every_case_folds_to_its_state(ops: list[Op]) -> None:
    story = played(ops)
    folded: dict[UUID, folding.State | None] = {}
    for aggregate, version, event in story.events:
        state = folded.get(aggregate)
        folded[aggregate] = folding.evolve(state, event, aggregate, story.tenant, version)
    assert folded == {a: state for a, (_, state) in story.states.items()}


@settings(max_examples=300, deadline=None)
@given(st.lists(OPS, max_size=40))
def test_what_a_case_says_of_its_sources_fits_together(ops: list[Op]) -> None:
    for case in cases(played(ops)):
        assert len(case.sources) == len(case.source_codes)
        assert set(case.cleared) <= {source.source_id for source in case.sources} - {""}
        assert len(case.cleared) == len(set(case.cleared))
        assert set(case.undone) <= set(case.cleared)
        assert len(case.undone) == len(set(case.undone))
        assert 0 <= case.episode_sources <= len(case.sources)
        assert case.episode >= 1
        if case.state == "withdrawn":
            assert not case.money_posted
        if case.resolution == "RESUMED":
            assert case.state == "withdrawn"
            assert all(
                source.source_id in case.cleared for source in case.sources[case.episode_sources :]
            )


@settings(max_examples=300, deadline=None)
@given(st.lists(OPS, max_size=30))
def test_everything_that_was_reported_said_again_changes_nothing(ops: list[Op]) -> None:
    story = played(ops)
    for op in ops:
        if op[0] < 8:
            command = reported(op)
            if (source_key(command.signal), command.signal.source_id) in story.sources:
                assert story.do(command) == []
    for case in cases(story):
        gone = c.ClearSignal(exception_id=str(case.id), source_ids=case.cleared)
        assert story.do(gone) == []
        never = c.ClearSignal(exception_id=str(case.id), source_ids=case.undone, undone=True)
        assert story.do(never) == []
        for moved in case.movements:
            again = c.RecordMovement(
                exception_id=str(case.id),
                last_checkpoint=g.scan(moved.checkpoint.occurred),
                delivered=moved.delivered,
            )
            assert story.do(again) == []


@settings(max_examples=300, deadline=None)
@given(st.lists(OPS, min_size=1, max_size=40))
def test_no_two_open_cases_are_of_one_family_of_one_subject(ops: list[Op]) -> None:
    live = [
        (case.family, case.subject)
        for case in cases(played(ops))
        if case.state in ("detected", "escalated", "remediated")
    ]
    assert len(live) == len(set(live))


def test_such_sequences_make_every_fact_that_they_are_about() -> None:
    dice = Random(3)
    met: set[type[Event]] = set()
    for _ in range(200):
        ops = [(dice.randrange(20), dice.randrange(12), dice.randrange(6)) for _ in range(40)]
        met |= {type(event) for _, _, event in played(ops).events}
    wanted = {SignalCleared, MovementRecorded, Withdrawn, Reopened, Reclassified, RuleMuted, Merged}
    assert wanted <= met
