"""Parcels in trouble, told to two servers again and again, and what must come of it."""

import json
import random
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import grpc
from shipment_exception.v1 import history_service_pb2 as history_pb
from shipment_exception.v1 import tracking_pb2
from shipment_exception.v1 import tracking_service_pb2 as tracking_pb

from tests.serving import Client, client

TENANT: Final = "parcels"
PARCELS_PER_ROUND: Final = 30
COPIES_MAX: Final = 3
BATCH: Final = 7
SETTLE_SECONDS_MAX: Final = 60.0
POLL_SECONDS: Final = 0.2

Fact = tracking_pb2.TrackingCheckpoint


@dataclass(frozen=True)
class Parcel:
    """A parcel: its facts, and the one case that it must come to.

    ``end`` is "open" or "withdrawn"; or "quiet", for which there may be no case at all. What a
    withdrawn case was called hangs on what was known when, so its ``trouble`` is "" for any.
    """

    code: str
    facts: Sequence[Fact]
    trouble: str
    end: str = "open"


def parcels(round_: int, now: datetime) -> list[Parcel]:
    """Parcels of all sorts, by turns. What they must come to holds in any order of arrival."""
    kinds = (
        _attempts_alike,
        _told_again_in_other_words,
        _resumed,
        _stalled,
        _about_to_stall,
        _heard_of_late,
    )
    return [
        kinds[i % len(kinds)](f"r{round_}p{i}", now - timedelta(minutes=round_ * 60 + i))
        for i in range(PARCELS_PER_ROUND)
    ]


def _fact(parcel: str, number: int, at: datetime, status: str, text: str = "") -> Fact:
    fact = Fact(
        feed="wms",
        source_id=f"{parcel}-{number}",
        number=f"N-{parcel}",
        status=status,
        raw_text=text,
    )
    fact.occurred_at.FromDatetime(at)
    return fact


def _attempts_alike(parcel: str, now: datetime) -> Parcel:
    """Three attempts that read alike to the letter: three facts, since their ids differ."""
    tried = [_fact(parcel, i, now, "attempted", "nobody there") for i in range(3)]
    first = _fact(parcel, 9, now - timedelta(hours=5), "out_for_delivery")
    return Parcel(parcel, [first, *tried], "ATTEMPTS_EXHAUSTED")


def _told_again_in_other_words(parcel: str, now: datetime) -> Parcel:
    """One attempt that is told thrice, each time in other words: one fact."""
    told = [_fact(parcel, 1, now, "attempted", f"nobody there, told {i} times") for i in range(3)]
    return Parcel(parcel, [*told, _fact(parcel, 9, now, "information")], "DELIVERY_FAILED")


def _resumed(parcel: str, now: datetime) -> Parcel:
    """Attempts enough for a case, and the delivery that ends it."""
    tried = [
        _fact(parcel, i, now - timedelta(hours=8 - i), "attempted", f"attempt {i}")
        for i in range(3)
    ]
    done = _fact(parcel, 8, now, "delivered")
    return Parcel(parcel, [*tried, done], "", "withdrawn")


def _stalled(parcel: str, now: datetime) -> Parcel:
    """Nothing was heard for more than two days: a case as soon as it is known."""
    facts = [
        _fact(parcel, i, datetime.now(UTC) - timedelta(hours=60 - 5 * i), "departed")
        for i in range(3)
    ]
    return Parcel(parcel, facts, "TRACKING_STALLED")


def _heard_of_late(parcel: str, now: datetime) -> Parcel:
    """Scans of three days, the last an hour old: a stall only as long as it is not told."""
    facts = [
        _fact(parcel, i, datetime.now(UTC) - timedelta(hours=72 - i * 71 / 3), "departed")
        for i in range(4)
    ]
    return Parcel(parcel, facts, "", "quiet")


def _about_to_stall(parcel: str, now: datetime) -> Parcel:
    """The time of the first stage comes while servers are being killed."""
    almost = datetime.now(UTC) - timedelta(hours=36) + timedelta(seconds=1)
    return Parcel(parcel, [_fact(parcel, 1, almost, "departed")], "TRACKING_STALLED")


def register(address: str, told: Sequence[Parcel]) -> None:
    """Watch the parcels; told again, nothing changes."""
    shipments = []
    for parcel in told:
        shipment = tracking_pb2.Shipment(order_id=f"O-{parcel.code}", shipment_code=parcel.code)
        shipment.numbers.add(number=f"N-{parcel.code}")
        shipments.append(shipment)
    with client(address, tenant=TENANT) as stubs:
        request = tracking_pb.RegisterShipmentsRequest(shipments=shipments)
        answer = stubs.tracking.RegisterShipments(request, timeout=20)
        assert all(result.outcome for result in answer.results), answer


@dataclass
class Teller:
    """Tells facts to servers, each one to three times, in any order; notes what was taken."""

    chance: random.Random
    refused: list[str] = field(default_factory=list)

    def tell(self, addresses: Sequence[str], facts: Sequence[Fact]) -> None:
        """Send shuffled copies to any of the servers, as long as one answers."""
        copies = [fact for fact in facts for _ in range(self.chance.randint(1, COPIES_MAX))]
        self.chance.shuffle(copies)
        alive = list(addresses)
        for start in range(0, len(copies), BATCH):
            if not alive:
                return
            address = self.chance.choice(alive)
            try:
                self._send(address, copies[start : start + BATCH])
            except grpc.RpcError:
                alive.remove(address)

    def _send(self, address: str, facts: Sequence[Fact]) -> None:
        with client(address, tenant=TENANT) as stubs:
            request = tracking_pb.RecordCheckpointsRequest(checkpoints=facts)
            answer = stubs.tracking.RecordCheckpoints(request, timeout=10)
        self.refused += [str(r.error) for r in answer.results if r.HasField("error")]


def settled(address: str, told: Sequence[Parcel]) -> list[str]:
    """What is wrong once everything that is due was said; waits for it, bounded in time."""
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    while True:
        wrong = differences(address, told)
        if not wrong or time.monotonic() > deadline:
            return wrong
        time.sleep(POLL_SECONDS)


def differences(address: str, told: Sequence[Parcel]) -> list[str]:
    """What is wrong with cases, signals and deviations.

    Cases are missing, doubled, too many or in another state; signals were taken twice; a deviation
    is in no case.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    signals: Counter[tuple[str, str]] = Counter()
    cases: dict[str, dict[str, Any]] = {}
    with client(address, tenant=TENANT) as stubs:
        for event in _events(stubs):
            content = json.loads(event.payload)
            if "source" in content:
                signals[event.aggregate_id, content["source"].get("source_id", "")] += 1
            if event.topic == "exception.detected.v1":
                cases[event.aggregate_id] = {**content, "end": "open"}
            elif event.topic == "exception.reclassified.v1":
                cases[event.aggregate_id]["code"] = content["code"]
            elif event.topic == "exception.withdrawn.v1":
                cases[event.aggregate_id]["end"] = "withdrawn"
            elif event.topic == "exception.reopened.v1":
                cases[event.aggregate_id]["end"] = "open"
        untaken = {p.code: what for p in told if (what := _untaken(stubs, p.code, cases))}
    for case in cases.values():
        code = case["subject"]["shipment_code"]
        found.setdefault(code, []).append((case["code"], case["end"]))
    wrong = [f"{code}: {what}" for code, what in untaken.items()]
    wrong += [f"signal {name} stands {n} times" for name, n in signals.items() if n > 1]
    for parcel in told:
        have = found.get(parcel.code, [])
        if parcel.end == "quiet" and not have:
            continue
        end = "withdrawn" if parcel.end == "quiet" else parcel.end
        want = (parcel.trouble or (have[0][0] if have else "any"), end)
        if have != [want]:
            wrong.append(f"{parcel.code}: cases {have}, not {want}")
    return wrong


def _untaken(stubs: Client, code: str, cases: Collection[str]) -> list[str]:
    """Deviations of a parcel that are in none of the cases, with what became of them.

    A stage that was reached and ended before anybody could be told of it is none.
    """
    request = tracking_pb.GetShipmentRequest(shipment_code=code)
    deviations = stubs.tracking.GetShipment(request, timeout=20).deviations
    return [
        f"{each.rule} {each.stage} is {each.outcome or 'unsaid'}"
        for each in deviations
        if not (each.exception_id in cases and each.outcome == "opened")
        and (each.outcome or not each.stage or not each.HasField("ended_at"))
    ]


def _events(stubs: Client) -> Iterator[Any]:
    token = ""
    while True:
        request = history_pb.ListEventsRequest(page_size=500, page_token=token)
        answer = stubs.history.ListEvents(request, timeout=20)
        yield from answer.events
        token = answer.next_page_token
        if not token:
            return


def now() -> datetime:
    """The wall clock, by which these servers run."""
    return datetime.now(UTC)
