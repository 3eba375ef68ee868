"""The load process of tracking: streams checkpoints, and reads what was detected meanwhile."""

import argparse
import asyncio
import gc
import json
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, NamedTuple

import uvloop
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio
from shipment_exception.v1 import history_service_pb2, tracking_pb2
from shipment_exception.v1 import tracking_service_pb2 as calls
from shipment_exception.v1.history_service_pb2_grpc import HistoryServiceStub
from shipment_exception.v1.tracking_service_pb2_grpc import TrackingServiceStub

from benchmarks.asking import Answer, Backlog, answer_questions
from benchmarks.frame import behind_seconds, percentile
from benchmarks.parcels import CARRIER, FEED, HOUR, SECOND, Fact, Parcels
from benchmarks.storage import chunks
from esm.events import Detected
from esm.times import micros

MESSAGE_CHECKPOINTS: Final = 100
STREAMS: Final = 4
IN_FLIGHT: Final = 4
"""Messages of one stream that are not acknowledged yet."""

STALLS_A_CALL: Final = 100
STALLS_AFTER: Final = 36 * HOUR
"""A parcel in transit of which nothing is told for so long is at risk."""

STALL_RULE: Final = "TRACKING_STALLED"
LEAD_SECONDS: Final = 1.0
"""How long before the first threshold the stalling parcels are told of; the run begins with it."""

EVENTS_A_PAGE: Final = 500
ERRORS_SHOWN_MAX: Final = 3
METHOD: Final = "/shipment_exception.v1.TrackingService/StreamCheckpoints"


class Detection(NamedTuple):
    """A case that was opened: by what, when it was due and when it was recorded (microseconds)."""

    rule: str
    due: int
    recorded: int


class Intake:
    """What can be asked of one server that watches ``watched`` parcels, as they were at ``now``."""

    def __init__(self, channel: aio.Channel, watched: int, now: int) -> None:
        self._parcels = Parcels(watched, now)
        self._tracking = TrackingServiceStub(channel)
        self._history = HistoryServiceStub(channel)
        self._backlog = Backlog(channel)
        # Requests are bytes already, so that making them costs nothing while it is measured.
        self._stream = channel.stream_stream(
            METHOD,
            request_serializer=bytes,
            response_deserializer=calls.StreamCheckpointsResponse.FromString,
        )
        self._stalling = 0

    async def run(self, run: int, count: int, stalling: int, seconds: float) -> Answer:
        """Streams ``count`` checkpoints while ``stalling`` parcels reach a threshold.

        The thresholds spread over ``seconds``, the time that the run is expected to take.
        """
        facts = self._parcels.further(run, count, _now())
        messages = [_message(each) for each in chunks(facts, MESSAGE_CHECKPOINTS)]
        thresholds = await self._stall(stalling, seconds)
        waits: list[float] = []
        failed: Counter[str] = Counter()
        gc.collect()
        gc.freeze()
        await asyncio.sleep(max((min(thresholds, default=0) - _now()) / SECOND, 0.0))
        first, begun = _now(), time.perf_counter()
        await asyncio.gather(
            *(self._send(messages[n::STREAMS], waits, failed) for n in range(STREAMS))
        )
        taken, last = time.perf_counter() - begun, _now()
        lag, stopped = await self._backlog.lag()
        drained = await self._backlog.drained(watch=True)
        found = [d for d in await self._detections() if d.recorded >= first]
        reached = {at for at in thresholds if first <= at <= last}
        stalls = [d for d in found if d.rule == STALL_RULE and d.due in reached]
        arrivals = [d for d in found if d.rule != STALL_RULE]
        watch = max((last - d.due for d in found if d.due <= last < d.recorded), default=0)
        due_now = (await self._backlog.status()).due_now
        return {
            "per_second": count / taken,
            "operations": count,
            "errors": failed.total(),
            "shown": failed.most_common(ERRORS_SHOWN_MAX),
            "p50_ms": percentile(waits, 0.5) * 1e3,
            "p99_ms": percentile(waits, 0.99) * 1e3,
            "behind_seconds": max(watch / SECOND, behind_seconds(lag, len(found) / taken)),
            "stopped": stopped,
            "unfinished": _unfinished(due_now, len(reached) - len(stalls)),
            "drain_seconds": drained,
            "detected": len(found),
            "stalls": [(d.recorded - d.due) / SECOND for d in stalls],
            "arrivals": [(d.recorded - d.due) / SECOND for d in arrivals],
        }

    async def _send(
        self, messages: Sequence[bytes], waits: list[float], failed: Counter[str]
    ) -> None:
        """One stream; the next message goes as soon as one of those in flight is answered."""
        clock = time.perf_counter
        room = asyncio.Semaphore(IN_FLIGHT)
        sent: deque[float] = deque()

        async def requests() -> AsyncIterator[bytes]:
            for message in messages:
                await room.acquire()
                sent.append(clock())
                yield message

        try:
            async for answer in self._stream(requests()):
                waits.append(clock() - sent.popleft())
                room.release()
                failed.update(
                    each.error.message or each.outcome
                    for each in answer.results
                    if each.outcome != "new"
                )
        except aio.AioRpcError as error:
            failed[f"{error.code().name} {error.details()}"] += 1

    async def _stall(self, count: int, seconds: float) -> list[int]:
        """Watches parcels of which the last that was told is 36 h old within the next seconds.

        Gives the moments of that.
        """
        numbers = range(self._stalling, self._stalling + count)
        self._stalling += count
        first = _now() + int(LEAD_SECONDS * SECOND)
        step = int(seconds * SECOND / max(count, 1))
        thresholds = {n: first + (n - numbers.start) * step for n in numbers}
        for part in chunks(numbers, STALLS_A_CALL):
            shipments = [_stalling(n) for n in part]
            registered = await self._tracking.RegisterShipments(
                calls.RegisterShipmentsRequest(shipments=shipments)
            )
            told = [_last_told(n, thresholds[n] - STALLS_AFTER) for n in part]
            recorded = await self._tracking.RecordCheckpoints(
                calls.RecordCheckpointsRequest(checkpoints=told)
            )
            for result in (*registered.results, *recorded.results):
                if result.HasField("error"):
                    raise SystemExit(f"refused: {result.error}")
        return list(thresholds.values())

    async def _detections(self) -> list[Detection]:
        return [each async for each in self._opened()]

    async def _opened(self) -> AsyncIterator[Detection]:
        """Every case that the log holds."""
        request = history_service_pb2.ListEventsRequest(
            page_size=EVENTS_A_PAGE, filter=f'topic = "{Detected.TOPIC}"'
        )
        while True:
            page = await self._history.ListEvents(request)
            for event in page.events:
                source = json.loads(event.payload)["source"]
                alert = source.get("alert", {})
                at = max(micros(alert.get("at", source["received"])), micros(source["received"]))
                recorded = event.recorded.ToMicroseconds()
                yield Detection(alert.get("rule", ""), at, recorded)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def _unfinished(due_now: int, missing: int) -> str:
    """What was not said, though its moment came; "" when everything was."""
    parts = (
        f"{due_now} shipments are due still" if due_now else "",
        f"{missing} thresholds passed without an event" if missing else "",
    )
    return "; ".join(part for part in parts if part)


def _now() -> int:
    return time.time_ns() // 1_000


def _timestamp(at: int) -> Timestamp:
    return Timestamp(seconds=at // SECOND, nanos=at % SECOND * 1_000)


def _message(facts: Sequence[Fact]) -> bytes:
    request = calls.StreamCheckpointsRequest(
        checkpoints=[
            tracking_pb2.TrackingCheckpoint(
                feed=FEED,
                source_id=fact.source_id,
                number=fact.tracking_number,
                carrier=CARRIER,
                occurred_at=_timestamp(fact.occurred),
                raw_code=fact.raw_code,
                raw_text=fact.words,
                place=fact.place,
                station=fact.station,
                courier=fact.courier,
            )
            for fact in facts
        ]
    )
    data: bytes = request.SerializeToString()
    return data


def _stalling(number: int) -> Any:
    return tracking_pb2.Shipment(
        order_id=f"STALL-{number:05}", shipment_code=f"S-{number:05}", carrier=CARRIER
    )


def _last_told(number: int, occurred: int) -> Any:
    return tracking_pb2.TrackingCheckpoint(
        feed=FEED,
        source_id=f"stall-{number}",
        shipment_code=f"S-{number:05}",
        occurred_at=_timestamp(occurred),
        raw_code="0",
        raw_text="快件已到达转运中心",
    )


def main() -> None:
    """Runs until the standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--watched", type=int, required=True)
    parser.add_argument("--now", type=int, required=True)
    given = parser.parse_args()
    uvloop.run(
        answer_questions(given.address, lambda channel: Intake(channel, given.watched, given.now))
    )


if __name__ == "__main__":
    main()
