"""What every tracking store must do with checkpoints; and the whole of what it must do."""

from __future__ import annotations

import random
from collections.abc import Sequence
from threading import Barrier, Thread

import pytest
from msgspec.structs import replace

from esm.detection.model import Checkpoint, Number, Shipment
from server.tracking.store import (
    CHECKPOINTS_MAX,
    ENDS_MAX,
    PARTS_MAX,
    PIECE_CHECKPOINTS_MAX,
    Arriving,
    Detail,
    Incoming,
    Key,
    Recorded,
    TrackingStore,
    Watched,
    as_given,
)
from tests.conformance.tracking_store import (
    HOUR,
    START,
    Keeping,
    Open,
    Registering,
    a_shipment,
    counting,
    only,
    outcomes,
    told,
)


class Recording:
    """Checkpoints, each once."""

    def test_a_checkpoint_is_stored_once_for_its_source_id(self, store: TrackingStore) -> None:
        store.register("t", [a_shipment("P-1"), a_shipment("P-2")], counting)
        first = told("1", 1, code="P-1")
        assert store.record("t", [first, first], counting) == [
            Recorded("new", "P-1"),
            Recorded("known", "P-1"),
        ]
        again = replace_detail(told("1", 9, code="P-2"), b"other")
        assert store.record("t", [again], counting) == [Recorded("known", "P-1")]
        assert only(store, "P-2").timeline == ()
        assert only(store).status == "1 seen"
        assert outcomes(store.record("u", [first], counting)) == ["unmatched"]

    def test_two_stores_at_once_store_every_checkpoint_once(self, open_store: Open) -> None:
        stores = [open_store() for _ in range(3)]
        codes = [f"P-{i}" for i in range(20)]
        stores[0].register("t", [a_shipment(code) for code in codes], counting)
        facts = [told(f"{code}/{i}", i, code=code) for code in codes for i in range(10)]
        barrier = Barrier(len(stores))
        answers: list[list[str]] = [[] for _ in stores]

        def send(which: int) -> None:
            mine = facts[:]
            random.Random(which).shuffle(mine)
            barrier.wait()
            for at in range(0, len(mine), 25):
                answers[which] += outcomes(stores[which].record("t", mine[at : at + 25], counting))

        threads = [Thread(target=send, args=(which,)) for which in range(len(stores))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        said = [each for answer in answers for each in answer]
        assert (said.count("new"), said.count("known")) == (len(facts), 2 * len(facts))
        for code in codes:
            assert len(only(stores[0], code).timeline) == 10
            assert len(stores[1].checkpoints(Key("t", code))) == 10

    def test_registering_and_recording_at_once_leaves_no_checkpoint_behind(
        self, open_store: Open
    ) -> None:
        first, second = open_store(), open_store()
        barrier = Barrier(2)

        def register() -> None:
            barrier.wait()
            for i in range(30):
                shipment = a_shipment(f"P-{i}", Number(number=f"N{i}"))
                first.register("t", [shipment], counting)

        def record() -> None:
            barrier.wait()
            for i in range(30):
                second.record("t", [told(str(i), 1, number=f"N{i}")], counting)

        threads = [Thread(target=register), Thread(target=record)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [len(only(first, f"P-{i}").timeline) for i in range(30)] == [1] * 30

    def test_a_checkpoint_that_comes_while_its_number_is_registered_waits_for_it(
        self, open_store: Open
    ) -> None:
        first, second = open_store(), open_store()
        answers: list[Recorded] = []

        def record() -> None:
            answers.extend(second.record("t", [told("1", 1, number="N1")], counting))

        thread = Thread(target=record)

        def meanwhile(watched: Watched) -> Watched:
            thread.start()
            thread.join(0.3)
            return counting(watched)

        first.register("t", [a_shipment("P-1", Number(number="N1"))], meanwhile)
        thread.join()
        assert answers == [Recorded("new", "P-1")]

    def test_a_number_that_is_used_again_means_the_last_shipment_that_had_it_by_then(
        self, store: TrackingStore
    ) -> None:
        old = a_shipment("P-1", Number(number="N1", carrier="c"))
        new = a_shipment("P-2", Number(number="N1", carrier="c", since=START + 100 * HOUR))
        store.register("t", [old, new], counting)
        recorded = store.record(
            "t",
            [told("1", 99, number="N1"), told("2", 100, number="N1"), told("3", 1, number="N1")],
            counting,
        )
        assert [r.shipment_code for r in recorded] == ["P-1", "P-2", "P-1"]

    def test_the_carrier_tells_two_shipments_with_one_number_apart(
        self, store: TrackingStore
    ) -> None:
        store.register("t", [a_shipment("P-1", Number(number="N1", carrier="one"))], counting)
        two = Number(number="N1", carrier="two", since=START)
        store.register("t", [a_shipment("P-2", two)], counting)
        recorded = store.record(
            "t",
            [
                told("1", 1, number="N1", carrier="ONE"),
                told("2", 1, number="N1", carrier="two"),
                told("3", 1, number="N1"),
                told("4", 1, number="N1", carrier="three"),
            ],
            counting,
        )
        assert [r.shipment_code for r in recorded] == ["P-1", "P-2", "P-2", "P-2"]

    def test_a_number_that_means_one_shipment_finds_it_whatever_the_carrier_is_called(
        self, store: TrackingStore
    ) -> None:
        store.register("t", [a_shipment("P-1", Number(number="N1", carrier="sf"))], counting)
        recorded = store.record("t", [told("1", 1, number="N1", carrier="shunfeng")], counting)
        assert recorded == [Recorded("new", "P-1")]

    def test_a_number_without_a_beginning_is_that_of_the_shipment_that_told_of_it_last(
        self, store: TrackingStore
    ) -> None:
        for code in ("P-9", "P-10"):
            store.register("t", [a_shipment(code, Number(number="N1"))], counting)
        assert store.record("t", [told("1", 1, number="N1")], counting)[0].shipment_code == "P-10"
        again = replace(a_shipment("P-9", Number(number="N1", leg=2)), lane="CN-US")
        assert store.register("t", [again], counting) == ["changed"]
        assert store.record("t", [told("2", 1, number="N1")], counting)[0].shipment_code == "P-10"
        store.register("t", [a_shipment(code) for code in ("P-8", "P-7")], counting)
        both = [a_shipment(code, Number(number="N1")) for code in ("P-8", "P-7")]
        assert store.register("t", both, counting) == ["changed"] * 2
        assert store.record("t", [told("3", 1, number="N1")], counting)[0].shipment_code == "P-7"
        begun = a_shipment("P-9", Number(number="N1", since=START))
        assert store.register("t", [begun], counting) == ["changed"]
        assert store.record("t", [told("4", 1, number="N1")], counting)[0].shipment_code == "P-9"

    def test_of_too_many_that_wait_those_come_in_that_came_first_and_none_is_read_again(
        self, store: TrackingStore
    ) -> None:
        first = [told(str(i), 1, number="N1") for i in range(CHECKPOINTS_MAX)]
        more = [told(f"more{i}", 0, number="N1", received=START + 1) for i in range(3)]
        assert outcomes(store.record("t", more + first, counting)) == ["unmatched"] * 503
        store.register("t", [a_shipment("P-1", Number(number="N1"))], counting)
        assert {c.source_id for c in only(store).timeline} == {
            each.checkpoint.source_id for each in first
        }
        assert outcomes(store.record("t", more, counting)) == ["known"] * 3
        assert outcomes(store.record("t", [told("x", 1, number="N1")], counting)) == ["full"]
        store.register("t", [a_shipment("P-2", Number(number="N1"))], counting)
        assert only(store, "P-2").timeline == ()

    def test_after_a_hand_over_both_numbers_are_the_shipments(self, store: TrackingStore) -> None:
        first = Number(number="N1", carrier="one")
        store.register("t", [a_shipment("P-1", first)], counting)
        store.record("t", [told("1", 1, number="N1")], counting)
        store.register(
            "t", [a_shipment("P-1", Number(number="N2", carrier="two", leg=2))], counting
        )
        store.record("t", [told("2", 2, number="N2"), told("3", 3, number="N1")], counting)
        assert [(c.source_id, c.leg) for c in only(store).timeline] == [
            ("feed/1", 1),
            ("feed/2", 2),
            ("feed/3", 1),
        ]

    def test_a_checkpoint_with_both_names_is_that_of_our_code(self, store: TrackingStore) -> None:
        store.register(
            "t",
            [
                a_shipment("P-1", Number(number="N1", leg=3)),
                a_shipment("P-2", Number(number="N2", leg=2, piece="b")),
            ],
            counting,
        )
        both = [told("1", 1, code="P-1", number="N2"), told("2", 1, code="P-2", number="N2")]
        assert [r.shipment_code for r in store.record("t", both, counting)] == ["P-1", "P-2"]
        assert only(store).timeline[0].leg == 0
        assert (only(store, "P-2").timeline[0].leg, only(store, "P-2").timeline[0].piece) == (
            2,
            "b",
        )

    def test_what_comes_after_newer_facts_of_an_earlier_message_is_late(
        self, store: TrackingStore
    ) -> None:
        store.register("t", [a_shipment()], counting)
        store.record("t", [told("2", 2, code="P-1"), told("1", 1, code="P-1")], counting)
        store.record("t", [told("0", 0, code="P-1"), told("3", 3, code="P-1")], counting)
        late = {c.source_id: c.late for c in only(store).timeline}
        assert late == {"feed/0": True, "feed/1": False, "feed/2": False, "feed/3": False}

    def test_messages_of_one_transaction_are_late_to_each_other(self, store: TrackingStore) -> None:
        store.register("t", [a_shipment()], counting)
        batches = [Arriving("t", [told(str(h), h, code="P-1")]) for h in (5, 4, 6)]
        answers = store.record_many(batches, counting, as_given)
        assert [outcomes(answer) for answer in answers] == [["new"]] * 3
        assert [c.late for c in only(store).timeline] == [True, False, False]

    def test_what_was_received_first_is_not_late_to_what_was_written_first(
        self, store: TrackingStore
    ) -> None:
        store.register("t", [a_shipment()], counting)
        store.record("t", [told("5", 5, code="P-1", received=START + 2)], counting)
        store.record("t", [told("4", 4, code="P-1", received=START + 1)], counting)
        store.record("t", [told("3", 3, code="P-1", received=START + 3)], counting)
        late = {c.source_id: c.late for c in only(store).timeline}
        assert late == {"feed/3": True, "feed/4": False, "feed/5": False}

    def test_words_in_any_script_and_with_any_sign_are_read_as_they_were_told(
        self, store: TrackingStore
    ) -> None:
        codes = ["P-1", "P-2", "P-3"]
        places = ["杭州市", 'a \\ "b", {c}, NULL', "\x1e\x1f\t\n𠮷 é"]
        store.register("t", [a_shipment(code) for code in codes], counting)
        facts = [told(str(n), n, code=code) for n, code in enumerate(codes)]
        facts = [
            each._replace(checkpoint=replace(each.checkpoint, place=place))
            for each, place in zip(facts, places, strict=True)
        ]
        store.record("t", facts, counting)
        assert [only(store, code).timeline[0].place for code in codes] == places

    def test_nothing_is_late_to_what_was_declared_wrong(self, store: TrackingStore) -> None:
        store.register("t", [a_shipment()], counting)
        store.record("t", [told("9", 9, code="P-1")], counting)
        store.record("t", [told("1", 1, code="P-1", retracts=("feed/9",))], counting)
        store.record("t", [told("2", 2, code="P-1")], counting)
        late = {c.source_id: c.late for c in only(store).timeline}
        assert late == {"feed/1": True, "feed/2": False, "feed/9": False}
        assert only(store).timeline[0].retracts == ("feed/9",)

    def test_one_checkpoint_more_than_the_most_is_refused_and_never_accepted(
        self, store: TrackingStore
    ) -> None:
        store.register("t", [a_shipment(), a_shipment("P-2")], counting)
        facts = [told(str(i), i, code="P-1") for i in range(CHECKPOINTS_MAX - 1)]
        assert set(outcomes(store.record("t", facts, counting))) == {"new"}
        more = [told("x", 1, code="P-1"), told("y", 1, code="P-1"), told("y", 1, code="P-1")]
        assert outcomes(store.record("t", more, counting)) == ["new", "full", "full"]
        before = only(store)
        assert outcomes(store.record("t", more, counting)) == ["known", "full", "full"]
        assert only(store) == before
        assert len(before.timeline) == CHECKPOINTS_MAX
        assert outcomes(store.record("t", [told("y", 1, code="P-2")], counting)) == ["new"]

    def test_a_full_shipment_still_hears_that_it_arrived(self, store: TrackingStore) -> None:
        store.register("t", [a_shipment()], counting)
        facts = [told(str(i), i, code="P-1") for i in range(CHECKPOINTS_MAX)]
        store.record("t", facts, counting)
        ends = [told(f"e{i}", 600, code="P-1", status="delivered") for i in range(ENDS_MAX + 1)]
        assert outcomes(store.record("t", ends, counting)) == ["new"] * ENDS_MAX + ["full"]
        scan = told("x", 1, code="P-1")
        assert outcomes(store.record("t", [scan, ends[0]], counting)) == ["full", "known"]

    def test_every_piece_of_a_large_shipment_tells_of_its_whole_way(
        self, store: TrackingStore
    ) -> None:
        pieces = tuple(f"p{i}" for i in range(PARTS_MAX))
        numbers = Number(number="N"), Number(number="N0", piece="p0")
        waiting = [told(f"s{i}", 1, number="N") for i in range(CHECKPOINTS_MAX)]
        waiting += [told(f"p0-{i}", 2, number="N0") for i in range(1, PIECE_CHECKPOINTS_MAX)]
        store.record("t", waiting, counting)
        store.register("t", [replace(a_shipment("P-1", *numbers), pieces=pieces)], counting)
        assert len(only(store).timeline) == len(waiting)
        own = [told("p0-0", 2, number="N0")]
        own += [
            about(piece, told(f"{piece}-{i}", 2, code="P-1"))
            for piece in pieces[1:]
            for i in range(PIECE_CHECKPOINTS_MAX)
        ]
        assert set(outcomes(store.record("t", own, counting))) == {"new"}
        more = [told("more", 3, number="N0"), about("p1", told("more-p1", 3, code="P-1"))]
        assert outcomes(store.record("t", more, counting)) == ["full"] * 2
        ends = [about(p, told(f"e-{p}", 4, code="P-1", status="delivered")) for p in pieces]
        assert set(outcomes(store.record("t", ends, counting))) == {"new"}

    def test_a_settling_that_fails_leaves_nothing_behind(self, store: TrackingStore) -> None:
        def failing(watched: Watched) -> Watched:
            raise LookupError(watched.shipment.shipment_code)

        with pytest.raises(LookupError):
            store.register("t", [a_shipment()], failing)
        assert store.counts(START) == (0, 0)
        store.register("t", [a_shipment()], counting)
        before = only(store)
        facts = [told("1", 1, code="P-1"), told("2", 1, number="N1")]
        with pytest.raises(LookupError):
            store.record("t", facts, failing)
        assert only(store) == before
        assert store.checkpoints(Key("t", "P-1")) == []
        assert outcomes(store.record("t", facts, counting)) == ["new", "unmatched"]

    def test_the_order_of_messages_and_duplicates_change_nothing_that_is_known(
        self, open_store: Open
    ) -> None:
        store = open_store()
        facts = [(c, i) for c in ("P-1", "P-2") for i in range(8)]
        found = []
        for tenant, seed in (("t0", 0), ("t1", 1), ("t2", 2)):
            shipments = [a_shipment(c, Number(number=f"N-{c}")) for c in ("P-1", "P-2")]
            sent = [told(f"{c}/{i}", i % 5, number=f"N-{c}") for c, i in facts * (seed + 1)]
            rng = random.Random(seed)
            rng.shuffle(sent)
            store.register(tenant, shipments[:seed], counting)
            while sent:
                size = rng.randint(1, 6)
                store.record(tenant, sent[:size], counting)
                del sent[:size]
            store.register(tenant, shipments, counting)
            found.append([essence(store, Key(tenant, c)) for c in ("P-1", "P-2")])
        assert found[0] == found[1] == found[2]
        assert len(found[0][0][1]) == 8


class Sealing:
    """Details are written as the seal gives them."""

    def test_only_what_is_new_is_sealed_under_its_order_or_what_it_was_called(
        self, store: TrackingStore
    ) -> None:
        asked: list[tuple[str, str, bytes]] = []

        def seal(tenant: str, details: Sequence[tuple[str, bytes]]) -> list[bytes]:
            asked.extend((tenant, *each) for each in details)
            return [b"sealed" for _ in details]

        store.register("t", [a_shipment("P-1", Number(number="N1"))], counting)
        facts = [told("1", 1, number="N1"), told("2", 1, number="N9"), told("3", 1, code="P-9")]
        for _ in range(2):
            store.record_many([Arriving("t", facts), Arriving("t", facts)], counting, seal)
        assert sorted(set(asked)) == [
            ("t", "number/N9", b"detail 2"),
            ("t", "order/O-1", b"detail 1"),
            ("t", "shipment/P-9", b"detail 3"),
        ]
        assert [d.detail for d in store.checkpoints(Key("t", "P-1"))] == [b"sealed"]


class TrackingStoreConformance(Registering, Recording, Sealing, Keeping):
    """Subclasses give the fixtures ``store`` and ``open_store`` (opens the same store again)."""


Essence = tuple[Shipment, tuple[Checkpoint, ...], list[Detail], str, int]


def essence(store: TrackingStore, key: Key) -> Essence:
    """What is known of a shipment, but for when and in which order it came."""
    (found,) = store.load([key])
    timeline = tuple(replace(c, late=False) for c in found.timeline)
    details = [
        d._replace(checkpoint=replace(d.checkpoint, late=False)) for d in store.checkpoints(key)
    ]
    return found.shipment, timeline, details, found.status, found.due


def replace_detail(incoming: Incoming, detail: bytes) -> Incoming:
    return incoming._replace(detail=detail)


def about(piece: str, incoming: Incoming) -> Incoming:
    return incoming._replace(checkpoint=replace(incoming.checkpoint, piece=piece))
