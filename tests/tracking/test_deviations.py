"""What is said of a shipment: once, in order, and taken back when it stands no more."""

from typing import Any

import msgspec
import pytest

from esm.checks import Checks
from esm.commands import Command, DetectDeviation
from esm.detection.model import Checkpoint, Finding, Outlook, Shipment
from esm.errors import Contention, DomainError, IllegalMove
from esm.times import micros
from server.tracking.deviations import Clear, Move, Open, due_after, settled, signals
from server.tracking.naming import fitting, source_id_of
from server.tracking.noting import by_order, knowing
from server.tracking.store import KnownCase, Noted, Told, Watched
from server.tracking.telling import Moment, after, command_of

HOUR = 3_600_000_000
T0 = 1_700_000_000_000_000
SECRET = b"a secret of the store"

SCAN = Checkpoint(source_id="f/1", occurred=T0, received=T0 + 5, feed="f", status="departed")
NEXT = Checkpoint(
    source_id="f/2", occurred=T0 + 53 * HOUR, received=T0 + 53 * HOUR, feed="f", status="arrived"
)
PARCEL = Watched(
    tenant="t",
    shipment=Shipment(order_id="O1", shipment_code="S1"),
    timeline=(SCAN,),
    looked=T0,
    due=T0 + 36 * HOUR,
)


def stall(stage: str, hours: int, **other: Any) -> Finding:
    found = Finding(
        rule="tracking_stalled",
        version=1,
        code="TRACKING_STALLED",
        anchor="f/1",
        at=T0 + hours * HOUR,
        stage=stage,
        evidence=("f/1",),
    )
    return msgspec.structs.replace(found, **other)


AT_RISK, BREACHED = stall("at_risk", 36), stall("breached", 48)


def told(finding: Finding, **other: Any) -> Told:
    name = source_id_of(finding, PARCEL, 1)
    said = Told(source_id=name, outcome="opened", case_id="C")
    return msgspec.structs.replace(said, **other)


def opens(finding: Finding, telling: int = 1) -> Open:
    return Open(finding, source_id_of(finding, PARCEL, telling))


def source_id(command: Command) -> str:
    assert isinstance(command, DetectDeviation)
    return command.signal.source_id


def outlook(*findings: Finding, due: int = 0, newest: str = "f/1") -> Outlook:
    return Outlook(status="departed", findings=findings, due=due, newest=newest)


def test_a_finding_is_said_once() -> None:
    risky = outlook(AT_RISK)
    assert signals(PARCEL, risky, AT_RISK.at, wall=True) == [opens(AT_RISK)]
    said = msgspec.structs.replace(PARCEL, told=(told(AT_RISK),))
    assert signals(said, risky, AT_RISK.at, wall=True) == []


def test_what_opens_is_said_before_what_clears() -> None:
    said = msgspec.structs.replace(PARCEL, told=(told(AT_RISK),))
    both = outlook(stall("at_risk", 36, ended=1), BREACHED)
    assert signals(said, both, BREACHED.at, wall=True) == [opens(BREACHED)]


def test_a_timed_finding_that_ended_unseen_is_not_said() -> None:
    over = outlook(stall("breached", 48, ended=NEXT.occurred, ended_by="f/2"))
    assert signals(PARCEL, over, NEXT.occurred, wall=True) == []


def test_what_ended_as_an_inclusive_threshold_was_reached_is_said() -> None:
    over = outlook(msgspec.structs.replace(BREACHED, ended=BREACHED.at, ended_by="f/2"))
    found = signals(PARCEL, over, BREACHED.at, wall=True)
    assert [type(each) for each in found] == [Open]


def test_a_finding_on_a_checkpoint_is_said_although_it_ended() -> None:
    over = outlook(stall("", 0, ended=NEXT.occurred, ended_by="f/2"))
    found = signals(PARCEL, over, NEXT.occurred, wall=True)
    assert [type(each) for each in found] == [Open]


def test_the_stages_of_one_case_are_cleared_together() -> None:
    said = msgspec.structs.replace(
        PARCEL, told=(told(AT_RISK), told(BREACHED)), timeline=(SCAN, NEXT)
    )
    ended = [
        msgspec.structs.replace(f, ended=NEXT.occurred, ended_by="f/2") for f in (AT_RISK, BREACHED)
    ]
    (clear,) = signals(said, outlook(*ended, newest="f/2"), NEXT.occurred, wall=True)
    assert isinstance(clear, Clear)
    assert clear == Clear("C", said.told, NEXT, NEXT.occurred)


def test_a_finding_that_a_late_checkpoint_undoes_is_cleared_by_the_newest() -> None:
    said = msgspec.structs.replace(PARCEL, told=(told(AT_RISK),), timeline=(SCAN, NEXT))
    learned = NEXT.occurred + 5 * HOUR
    (clear,) = signals(said, outlook(newest="f/2"), learned, wall=True)
    assert clear == Clear("C", said.told, NEXT, learned, undone=True)


@pytest.mark.parametrize("outcome", ["muted", "expected", "refused"])
def test_what_no_case_took_is_never_cleared(outcome: str) -> None:
    said = msgspec.structs.replace(PARCEL, told=(told(AT_RISK, outcome=outcome, until=2**60),))
    assert signals(said, outlook(), NEXT.occurred, wall=True) == []


def test_a_muted_finding_is_due_and_said_again_when_the_mute_ends() -> None:
    until = T0 + 50 * HOUR
    muted = msgspec.structs.replace(PARCEL, told=(told(BREACHED, outcome="muted", until=until),))
    stalled = outlook(BREACHED, due=T0 + 60 * HOUR)
    assert signals(muted, stalled, until - 1, wall=True) == []
    assert due_after(muted, stalled) == until
    assert signals(muted, stalled, until, wall=True) == [opens(BREACHED)]


def test_the_end_of_a_mute_is_nothing_to_wait_for_when_the_finding_ended() -> None:
    until = T0 + 50 * HOUR
    muted = msgspec.structs.replace(PARCEL, told=(told(AT_RISK, outcome="muted", until=until),))
    over = msgspec.structs.replace(AT_RISK, ended=NEXT.occurred, ended_by="f/2")
    for now in (outlook(over, due=T0 + 90 * HOUR), outlook(due=T0 + 90 * HOUR)):
        assert signals(muted, now, until, wall=True) == []
        assert due_after(muted, now) == T0 + 90 * HOUR


def test_a_movement_is_told_to_the_cases_opened_before_it_was_known() -> None:
    older = KnownCase(case_id="A", since=NEXT.received - 1)
    newer = KnownCase(case_id="B", since=NEXT.received)
    heard = KnownCase(case_id="C", since=0, moved="f/2")
    moved = msgspec.structs.replace(PARCEL, timeline=(SCAN, NEXT), cases=(older, newer, heard))
    assert signals(moved, outlook(newest="f/2"), NEXT.occurred, wall=True) == [Move(older, NEXT)]


def test_on_a_feed_clock_a_movement_is_known_when_it_occurred() -> None:
    case = KnownCase(case_id="A", since=NEXT.occurred)
    scanned = msgspec.structs.replace(NEXT, received=NEXT.occurred + 10**15)
    moved = msgspec.structs.replace(PARCEL, timeline=(SCAN, scanned), cases=(case,))
    assert signals(moved, outlook(newest="f/2"), NEXT.occurred, wall=False) == []
    assert signals(moved, outlook(newest="f/2"), NEXT.occurred, wall=True) == [Move(case, scanned)]


@pytest.mark.parametrize(
    ("status", "moves"), [("information", 0), ("returning", 0), ("delivered", 1), ("departed", 1)]
)
def test_only_the_way_to_the_customer_is_a_movement(status: str, moves: int) -> None:
    seen = msgspec.structs.replace(NEXT, status=status)
    case = KnownCase(case_id="A", since=SCAN.received)
    moved = msgspec.structs.replace(PARCEL, timeline=(SCAN, seen), cases=(case,))
    assert len(signals(moved, outlook(newest="f/2"), NEXT.occurred, wall=True)) == moves


def test_a_moment_that_passed_unseen_stays_when_something_new_comes() -> None:
    late = T0 + 40 * HOUR
    assert settled(PARCEL, outlook(AT_RISK), late, wall=True).due == PARCEL.due


def test_a_shipment_is_due_at_once_when_there_is_something_to_say() -> None:
    now = T0 + HOUR
    assert settled(PARCEL, outlook(stall("", 0)), now, wall=True).due == now
    assert settled(PARCEL, outlook(due=T0 + 9 * HOUR), now, wall=True).due == T0 + 9 * HOUR
    assert settled(PARCEL, outlook(), now, wall=True).due == 0


def test_the_same_signal_is_the_same_request_whenever_it_is_said() -> None:
    moment = Moment(watched=PARCEL, outlook=outlook(AT_RISK), as_of=AT_RISK.at)
    first = command_of(opens(AT_RISK), moment, SECRET)
    assert command_of(opens(AT_RISK), moment, SECRET) == first
    other = command_of(opens(BREACHED), moment, SECRET)
    assert other[1].request_id != first[1].request_id
    assert source_id(other[0]) != source_id(first[0])


def test_a_long_source_id_stays_unique_and_fits_an_identifier() -> None:
    moment = Moment(watched=PARCEL, outlook=outlook(), as_of=T0)
    ids = set()
    for last in "ab":
        finding = stall("breached", 48, anchor="f/" + 500 * "x" + last)
        ids.add(source_id(command_of(opens(finding), moment, SECRET)[0]))
    assert len(ids) == 2
    assert all(len(each) <= 128 for each in ids)


def test_a_refusal_that_says_nothing_about_the_signal_is_raised() -> None:
    with pytest.raises(Contention):
        after(opens(AT_RISK), PARCEL, Contention("later"), 0)


@pytest.mark.parametrize(
    ("reason", "outcome", "until"),
    [
        ("MUTED", "muted", T0),
        ("EXPECTED", "expected", PARCEL.due + 24 * HOUR),
        ("ELSE", "refused", PARCEL.due + 24 * HOUR),
    ],
)
def test_a_refused_finding_is_kept_and_said_again_later(
    reason: str, outcome: str, until: int
) -> None:
    kind = type("Refusal", (DomainError,), {"reason": reason})
    refusal = kind("no", metadata={"until": "2023-11-14T22:13:20.000000Z"})
    (said,) = after(opens(AT_RISK), PARCEL, refusal, 0).told
    assert (said.outcome, said.until) == (outcome, until)
    refused = msgspec.structs.replace(PARCEL, told=(said,))
    assert signals(refused, outlook(AT_RISK), until - 1, wall=True) == []
    assert signals(refused, outlook(AT_RISK), until, wall=True) == [opens(AT_RISK)]


def test_a_finding_that_no_case_takes_is_given_up_after_a_month() -> None:
    late = msgspec.structs.replace(PARCEL, due=AT_RISK.at + 30 * 24 * HOUR)
    (said,) = after(opens(AT_RISK), late, IllegalMove("x", "y", []), 0).told
    assert said.until == 0


def test_a_finding_that_was_cleared_and_stands_again_is_said_under_another_id() -> None:
    once = msgspec.structs.replace(PARCEL, told=(told(BREACHED, cleared=True),))
    assert signals(once, outlook(BREACHED), NEXT.occurred, wall=True) == [opens(BREACHED, 2)]
    second = told(BREACHED, source_id=source_id_of(BREACHED, PARCEL, 2))
    twice = msgspec.structs.replace(once, told=(*once.told, second))
    assert signals(twice, outlook(BREACHED), NEXT.occurred, wall=True) == []
    (clear,) = signals(twice, outlook(), NEXT.occurred, wall=True)
    assert isinstance(clear, Clear)
    assert (clear.told, clear.undone) == ((second,), True)


def test_what_stands_again_does_so_from_now_on() -> None:
    now = BREACHED.at + HOUR
    moment = Moment(watched=PARCEL, outlook=outlook(BREACHED), as_of=now)
    for telling, at in ((1, BREACHED.at), (2, now)):
        _, call = command_of(opens(BREACHED, telling), moment, SECRET)
        assert micros(call.occurred) == at


def test_many_findings_are_cleared_in_parts_that_a_case_takes() -> None:
    found = [stall("breached", 48, anchor=f"f/{i}", ended=NEXT.occurred) for i in range(201)]
    said = msgspec.structs.replace(PARCEL, told=tuple(told(f) for f in found))
    clears = signals(said, outlook(*found), NEXT.occurred, wall=True)
    sizes = [len(each.told) for each in clears if isinstance(each, Clear)]
    assert sum(sizes) == 201
    assert max(sizes) < 200


@pytest.mark.parametrize("odd", [" x", "x\u3000y", "x\u200by", "x\u241fy", "x" * 500])
def test_names_of_strangers_become_identifiers_that_stay_apart(odd: str) -> None:
    checks = Checks()
    names = {fitting(odd, odd), fitting(odd + "1", odd)}
    for name in names:
        checks.identifier("name", name)
    checks.done()
    assert len(names) == 2


def test_a_case_that_cannot_take_a_clearing_is_asked_daily_for_a_month() -> None:
    said = msgspec.structs.replace(PARCEL, told=(told(AT_RISK),))
    clear = Clear("C", said.told, SCAN, SCAN.occurred)
    refusal = IllegalMove("withdraw", "merged", [])
    (kept,) = after(clear, said, refusal, 0).told
    again = PARCEL.due + 24 * HOUR
    assert (kept.cleared, kept.until) == (False, again)
    waiting = msgspec.structs.replace(said, told=(kept,))
    ended = outlook(stall("at_risk", 36, ended=SCAN.occurred))
    assert signals(waiting, ended, again - 1, wall=True) == []
    assert due_after(waiting, ended) == again
    assert [type(each) for each in signals(waiting, ended, again, wall=True)] == [Clear]
    stands_again = outlook(AT_RISK)
    assert due_after(waiting, stands_again) == 0
    late = msgspec.structs.replace(said, due=SCAN.occurred + 30 * 24 * HOUR)
    (given_up,) = after(clear, late, refusal, 0).told
    assert (given_up.cleared, given_up.until) == (True, 0)


def test_a_delivery_is_told_before_a_newer_scan_whenever_it_became_known() -> None:
    """The case was opened after the newest scan was known; the delivery came to us later."""
    delivered = msgspec.structs.replace(
        SCAN, source_id="f/9", status="delivered", received=NEXT.received + 2 * HOUR
    )
    case = KnownCase(case_id="A", since=NEXT.received + HOUR)
    parcel = msgspec.structs.replace(PARCEL, timeline=(SCAN, delivered, NEXT), cases=(case,))
    now = NEXT.occurred + 3 * HOUR
    assert signals(parcel, outlook(newest="f/2"), now, wall=True) == [Move(case, delivered)]


def test_a_case_is_as_old_as_the_log_says_whoever_said_it_again_after_a_stop() -> None:
    again = KnownCase(case_id="C", since=T0 + HOUR)
    parcel = msgspec.structs.replace(PARCEL, cases=(again,))
    for since, age in ((T0, T0), (T0 + 2 * HOUR, again.since)):
        opened = Noted(
            PARCEL.tenant,
            PARCEL.shipment.order_id,
            "C",
            PARCEL.shipment.shipment_code,
            KnownCase(case_id="C", since=since),
        )
        (case,) = knowing(parcel, by_order([opened])).cases
        assert case.since == age
