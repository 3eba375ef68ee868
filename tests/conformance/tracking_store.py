"""What every tracking store must do, whatever engine it stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from msgspec.structs import replace

from esm.catalog import Status
from esm.detection.model import Checkpoint, Number, Shipment
from server.tracking.store import (
    OPENED,
    Incoming,
    Key,
    KnownCase,
    Noted,
    Recorded,
    Told,
    TrackingStore,
    Watched,
)

HOUR = 3_600_000_000
START = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
MONTH = 31 * 24 * HOUR

Open = Callable[[], TrackingStore]


def a_shipment(code: str = "P-1", *numbers: Number, order_id: str = "O-1") -> Shipment:
    return Shipment(order_id=order_id, shipment_code=code, registered=START, numbers=numbers)


def told(
    source_id: str,
    hours: int,
    *,
    code: str = "",
    number: str = "",
    carrier: str = "",
    received: int = START,
    retracts: tuple[str, ...] = (),
    status: Status = "in_transit",
) -> Incoming:
    checkpoint = Checkpoint(
        source_id=f"feed/{source_id}",
        occurred=START + hours * HOUR,
        received=received,
        feed="feed",
        status=status,
        place="Lyon",
        retracts=retracts,
    )
    return Incoming(checkpoint, code, number, carrier, True, f"detail {source_id}".encode())


def counting(watched: Watched) -> Watched:
    """Settles so that a test sees it: due a day after the last checkpoint."""
    last = max((c.occurred for c in watched.timeline), default=watched.shipment.registered)
    return replace(watched, status=f"{len(watched.timeline)} seen", due=last + 24 * HOUR)


def only(store: TrackingStore, code: str = "P-1", tenant: str = "t") -> Watched:
    (watched,) = store.load([Key(tenant, code)])
    return watched


def outcomes(recorded: Sequence[Recorded]) -> list[str]:
    return [each.outcome for each in recorded]


class Registering:
    """Shipments, their numbers, and what waited for them."""

    def test_a_shipment_is_watched_from_the_moment_it_was_registered(
        self, store: TrackingStore
    ) -> None:
        assert store.register("t", [a_shipment()], counting) == ["registered"]
        found = only(store)
        assert (found.looked, found.due, found.revision) == (START, START + 24 * HOUR, 1)
        assert found.status == "0 seen"
        assert store.load([Key("other", "P-1")]) == []
        assert store.counts(START) == (1, 0)
        assert store.counts(START + 24 * HOUR) == (1, 1)

    def test_what_is_told_again_changes_nothing_and_what_is_not_told_stays(
        self, store: TrackingStore
    ) -> None:
        first = replace(
            a_shipment("P-1", Number(number="N1", carrier="c")), promised=START, lane="CN-US"
        )
        later = replace(a_shipment("P-1", Number(number="N2", leg=2)), registered=START + HOUR)
        later = replace(later, promised=START + HOUR, pieces=("a",))
        assert store.register("t", [first, first], counting) == ["registered", "unchanged"]
        assert store.register("t", [later], counting) == ["changed"]
        found = only(store).shipment
        assert found.numbers == (Number(number="N1", carrier="c"), Number(number="N2", leg=2))
        assert (found.promised, found.lane, found.pieces) == (START + HOUR, "CN-US", ("a",))
        assert (found.registered, only(store).looked) == (START, START)
        assert store.counts(START) == (1, 0)

    def test_a_number_told_again_may_get_another_leg_and_another_beginning(
        self, store: TrackingStore
    ) -> None:
        store.register("t", [a_shipment("P-1", Number(number="N1", leg=0))], counting)
        assert only(store).shipment.numbers == (Number(number="N1", leg=1),)
        again = Number(number="N1", leg=2, since=START)
        assert store.register("t", [a_shipment("P-1", again)], counting) == ["changed"]
        assert only(store).shipment.numbers == (again,)
        early = store.record("t", [told("1", -1, number="N1"), told("2", 0, number="N1")], counting)
        assert outcomes(early) == ["unmatched", "new"]
        assert only(store).timeline[0].leg == 2

    def test_a_code_of_another_order_is_refused_and_changes_nothing(
        self, store: TrackingStore
    ) -> None:
        store.register("t", [a_shipment()], counting)
        before = only(store)
        other = a_shipment("P-1", Number(number="N1"), order_id="O-2")
        assert store.register("t", [other], counting) == ["order"]
        assert only(store) == before
        assert outcomes(store.record("t", [told("1", 1, number="N1")], counting)) == ["unmatched"]

    def test_more_numbers_than_a_shipment_may_have_are_refused(self, store: TrackingStore) -> None:
        many = tuple(Number(number=f"N{i}") for i in range(200))
        assert store.register("t", [a_shipment("P-1", *many)], counting) == ["registered"]
        one_more = a_shipment("P-1", Number(number="N200"))
        assert store.register("t", [one_more], counting) == ["full"]
        assert len(only(store).shipment.numbers) == 200

    def test_unmatched_checkpoints_come_in_when_their_shipment_is_registered(
        self, store: TrackingStore
    ) -> None:
        waiting = [told("1", 1, number="N1"), told("2", 2, code="P-1"), told("3", 3, number="N9")]
        assert outcomes(store.record("t", waiting, counting)) == ["unmatched"] * 3
        assert store.record("t", waiting[:1], counting) == [Recorded("known", "")]
        store.register("t", [a_shipment("P-1", Number(number="N1", piece="a", leg=2))], counting)
        found = only(store)
        assert [c.source_id for c in found.timeline] == ["feed/1", "feed/2"]
        assert [(c.piece, c.leg, c.late) for c in found.timeline] == [
            ("a", 2, False),
            ("", 0, False),
        ]
        assert found.status == "2 seen"
        assert store.record("t", waiting, counting) == [
            Recorded("known", "P-1"),
            Recorded("known", "P-1"),
            Recorded("known", ""),
        ]
        assert [d.detail for d in store.checkpoints(Key("t", "P-1"))] == [b"detail 1", b"detail 2"]
        assert store.register("t", [a_shipment()], counting) == ["unchanged"]

    def test_a_later_registration_that_adds_the_number_brings_them_in(
        self, store: TrackingStore
    ) -> None:
        store.register("t", [a_shipment()], counting)
        store.record("t", [told("1", 1, number="N1")], counting)
        store.register("t", [a_shipment("P-1", Number(number="N1"))], counting)
        assert [c.source_id for c in only(store).timeline] == ["feed/1"]

    def test_cases_known_before_a_shipment_is_watched_are_with_it_then(
        self, store: TrackingStore
    ) -> None:
        case = KnownCase(case_id="c1", piece="a")
        noted = [Noted(tenant, "O-1", "c1", "P-1", case) for tenant in ("t", "u")]
        store.note(7, noted, START)
        assert store.followed() == 7
        store.register("t", [a_shipment()], counting)
        assert only(store).cases == (case,)
        store.register("t", [a_shipment("P-2")], counting)
        assert only(store, "P-2").cases == ()

    def test_what_the_log_says_a_shipment_knows_from_then_on_and_is_due(
        self, store: TrackingStore
    ) -> None:
        def noted(case: KnownCase) -> Noted:
            return Noted("t", "O-1", case.case_id, "P-1", case)

        store.register("t", [a_shipment(), a_shipment("P-2")], counting)
        before = only(store, "P-2")
        case = KnownCase(case_id="c1")
        store.note(3, [noted(case)], START + 5)
        found = only(store)
        assert (found.cases, found.due, found.revision) == ((case,), START + 5, 2)
        store.put_back([replace(found, due=0)])
        store.note(2, [noted(replace(case, moved="x"))], START + 9)
        assert (only(store).cases, only(store).due) == ((case,), 0)
        assert store.followed() == 3
        other = replace(case, case_id="c2")
        store.note(4, [noted(other)], START + 9)
        assert (only(store).cases, only(store).due) == ((case, other), START + 9)
        store.note(4, [noted(replace(case, case_id="c3"))], START + 20)
        assert only(store).due == START + 9  # what was due before is looked after first
        assert store.followed() == 4
        assert only(store, "P-2") == before

    def test_a_finding_that_a_case_took_or_cleared_is_known_whoever_said_it(
        self, store: TrackingStore
    ) -> None:
        store.register("t", [a_shipment(), a_shipment("P-2")], counting)
        case = KnownCase(case_id="c1")
        opened = Noted("t", "O-1", "c1", "P-1", case, source_id="P-1/stall")
        joined = Noted("t", "O-1", "c1", source_id="P-1/breach")
        cleared = Noted("t", "O-1", "c1", cleared=("P-1/stall", "P-1/unknown"))
        store.note(1, [opened, joined, cleared], START + 5)
        stall = Told(source_id="P-1/stall", outcome=OPENED, case_id="c1", cleared=True)
        breach = Told(source_id="P-1/breach", outcome=OPENED, case_id="c1")
        assert only(store).told == (stall, breach)
        assert [only(store, code).due for code in ("P-1", "P-2")] == [START + 5, START + 24 * HOUR]
        store.put_back([replace(only(store), due=0)])
        store.note(2, [opened, joined, cleared], START + 9)
        assert (only(store).told, only(store).due) == ((stall, breach), 0)
        of_another_order = Noted("t", "O-2", "c2", "P-1", replace(case, case_id="c2"))
        store.note(3, [of_another_order], START + 9)
        assert only(store).cases == (case,)
        (found,) = [w for w in store.of_orders([("t", "O-1"), ("t", "O-9")]) if w.told]
        assert found == only(store)

    def test_what_could_not_be_said_once_is_taken_as_the_log_says(
        self, store: TrackingStore
    ) -> None:
        store.register("t", [a_shipment()], counting)
        refused = Told(source_id="s", outcome="refused", until=START + HOUR)
        store.put_back([replace(only(store), told=(refused,))])
        store.note(1, [Noted("t", "O-1", "c", "P-1", KnownCase(case_id="c"), "s")], START)
        assert only(store).told == (Told(source_id="s", outcome=OPENED, case_id="c"),)


class Keeping:
    """What the timekeeper and the readers do."""

    @pytest.mark.parametrize("at_once", [1, 2, 5, 1_000])
    def test_another_catalogue_makes_due_what_it_may_judge_otherwise(
        self, store: TrackingStore, at_once: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("server.tracking.table_store.ROWS_ROUSED", at_once)
        one, two = "1" * 64, "2" * 64
        rows = {
            "P-1": ("in_transit", 30),
            "P-2": ("in_transit", 0),
            "P-3": ("delivered", 0),
            "P-4": ("delivered", 30),
            "P-5": ("in_transit", 10),
        }

        def settle(watched: Watched) -> Watched:
            status, due = rows[watched.shipment.shipment_code]
            return replace(watched, status=status, due=due)

        store.register("t", [a_shipment(code) for code in rows], settle)
        before = only(store)
        assert store.ruled_by(one, 20) == 0
        assert only(store) == before
        assert store.ruled_by(two, 20) == 3
        assert [only(store, code).due for code in rows] == [20, 20, 0, 20, 10]
        assert store.put_back([before]) == [False]
        assert store.ruled_by(two, 15) == 0
        assert store.ruled_by(one, 0) == 4
        assert {only(store, code).due for code in rows} == {0, 1}

    def test_what_is_due_comes_the_earliest_first(self, store: TrackingStore) -> None:
        dues = {"P-1": 30, "P-2": 10, "P-3": 0, "P-4": 20}
        store.register(
            "t",
            [a_shipment(code) for code in dues],
            lambda w: replace(w, due=dues[w.shipment.shipment_code]),
        )
        assert store.due(30, 10) == [Key("t", "P-2"), Key("t", "P-4"), Key("t", "P-1")]
        assert store.due(29, 10) == [Key("t", "P-2"), Key("t", "P-4")]
        assert store.due(30, 1) == [Key("t", "P-2")]
        assert store.due(9, 10) == []

    def test_what_was_put_off_is_due_at_its_last_moment_only(self, store: TrackingStore) -> None:
        """The moments are later, sooner, never and again; every order of them is asked for."""
        moments = [10, 40, 5, 0, 25, 30, 3, 50]
        for plan in zip(moments, moments[3:] + moments[:3], moments[5:] + moments[:5], strict=True):
            code = f"P-{plan[0]}"
            dues = iter([START + each if each else 0 for each in plan])

            def settle(watched: Watched, dues: Iterator[int] = dues) -> Watched:
                return replace(watched, due=next(dues))

            store.register("t", [a_shipment(code)], settle)
            store.record("t", [told(f"{code}/1", 1, code=code)], settle)
            store.record("t", [told(f"{code}/2", 2, code=code)], settle)
        last = {f"P-{n}": m for n, m in zip(moments, moments[5:] + moments[:5], strict=True) if m}
        in_order = [Key("t", code) for code in sorted(last, key=lambda code: last[code])]
        for before in (*range(60), *reversed(range(60))):
            expected = [key for key in in_order if last[key.shipment_code] <= before]
            assert store.counts(START + before) == (len(moments), len(expected))
            for limit in (1, 3, 100):
                assert store.due(START + before, limit) == expected[:limit]
            listed = store.watched("t", "", 100, due_before=START + before)
            assert {w.shipment.shipment_code for w in listed} == {k.shipment_code for k in expected}

    def test_only_what_nobody_changed_since_is_put_back(self, store: TrackingStore) -> None:
        store.register("t", [a_shipment("P-1"), a_shipment("P-2")], counting)
        mine, other = only(store, "P-1"), only(store, "P-2")
        store.record("t", [told("1", 1, code="P-2")], counting)
        said = Told(source_id="s", outcome="opened")
        new = replace(mine, told=(said,), looked=START + 1, due=0, status="late")
        gone = replace(mine, shipment=a_shipment("P-9"))
        assert store.put_back([new, replace(other, due=0), gone]) == [True, False, False]
        assert only(store) == replace(new, revision=mine.revision + 1)
        assert only(store, "P-2").status == "1 seen"
        assert store.put_back([new]) == [False]

    def test_a_row_put_back_keeps_the_details_of_its_checkpoints(
        self, store: TrackingStore
    ) -> None:
        store.register("t", [a_shipment()], counting)
        store.record("t", [told("2", 2, code="P-1"), told("1", 1, code="P-1")], counting)
        found = only(store)
        shuffled = tuple(reversed(found.timeline))
        assert store.put_back([replace(found, timeline=shuffled)]) == [True]
        assert [d.detail for d in store.checkpoints(Key("t", "P-1"))] == [b"detail 1", b"detail 2"]

    def test_shipments_are_listed_by_code_and_by_what_is_asked(self, store: TrackingStore) -> None:
        store.register(
            "t", [a_shipment(f"P-{i}", order_id=f"O-{i % 2}") for i in range(6)], counting
        )
        store.register("u", [a_shipment("P-9")], counting)
        store.record("t", [told("1", 1, code="P-3")], counting)

        def codes(**asked: object) -> list[str]:
            values = {"after": "", "limit": 10, **asked}
            found = store.watched("t", **values)  # type: ignore[arg-type] # given by name
            return [each.shipment.shipment_code for each in found]

        assert codes() == [f"P-{i}" for i in range(6)]
        assert codes(after="P-1", limit=2) == ["P-2", "P-3"]
        assert codes(order_id="O-1") == ["P-1", "P-3", "P-5"]
        assert codes(status="1 seen") == ["P-3"]
        assert codes(due_before=START + 24 * HOUR) == ["P-0", "P-1", "P-2", "P-4", "P-5"]
        assert codes(order_id="O-0", status="1 seen") == []

    def test_checkpoints_of_several_months_are_one_timeline(self, store: TrackingStore) -> None:
        store.register("t", [a_shipment()], counting)
        for i in range(4):
            fact = told(str(i), i, code="P-1", received=START + i * MONTH)
            assert outcomes(store.record("t", [fact], counting)) == ["new"]
        found = store.checkpoints(Key("t", "P-1"))
        assert [d.detail for d in found] == [f"detail {i}".encode() for i in range(4)]
        assert [d.checkpoint.received for d in found] == [START + i * MONTH for i in range(4)]

    def test_everything_is_there_after_the_store_was_closed(self, open_store: Open) -> None:
        first = open_store()
        first.register("t", [a_shipment("P-1", Number(number="N1"))], counting)
        facts = [told("1", 1, number="N1"), told("2", 2, number="N9")]
        first.record("t", facts, counting)
        first.note(5, [], START)
        before = only(first), first.checkpoints(Key("t", "P-1"))
        first.close()
        second = open_store()
        assert (only(second), second.checkpoints(Key("t", "P-1"))) == before
        assert second.followed() == 5
        assert outcomes(second.record("t", facts, counting)) == ["known", "known"]
        assert outcomes(second.record("t", [told("3", 3, number="N1")], counting)) == ["new"]

    def test_a_bulk_load_is_as_if_everything_had_come_in(self, store: TrackingStore) -> None:
        shipments = [a_shipment(f"P-{i}", Number(number=f"N{i}")) for i in range(2_500)]
        facts = [told(f"{i}", 1, number=f"N{i}").checkpoint for i in range(2_500)]
        rows = [
            counting(Watched(tenant="t", shipment=s, timeline=(f,), revision=1))
            for s, f in zip(shipments, facts, strict=True)
        ]
        assert store.load_bulk(rows) == 2_500
        assert only(store, "P-2400") == rows[2400]
        assert store.counts(START + 25 * HOUR) == (2_500, 2_500)
        again = [told("7", 1, number="N7"), told("x", 2, number="N7")]
        assert store.record("t", again, counting) == [
            Recorded("known", "P-7"),
            Recorded("new", "P-7"),
        ]
        assert [d.detail for d in store.checkpoints(Key("t", "P-7"))] == [b"", b"detail x"]
