"""The load process: 64 callers on one connection; does what lines of JSON on its input ask."""

import argparse
import asyncio
import gc
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sized
from pathlib import Path
from typing import Any, Final

import uvloop
from grpc import aio
from shipment_exception.v1 import exception_service_pb2 as calls
from shipment_exception.v1 import ticket_service_pb2
from shipment_exception.v1.exception_service_pb2_grpc import ExceptionServiceStub
from shipment_exception.v1.order_service_pb2_grpc import OrderServiceStub
from shipment_exception.v1.ticket_service_pb2_grpc import TicketServiceStub

from benchmarks import mix
from benchmarks.asking import READY_SECONDS_MAX, Answer, Backlog, answer_questions
from benchmarks.frame import behind_seconds, percentile

FILLED_SECONDS_MAX: Final = 300.0
PREPARERS: Final = 8
BATCH_CALLERS: Final = 4
IDLE_SECONDS: Final = 0.003
ERRORS_SHOWN_MAX: Final = 3

ESM, PLAIN, ECHO = "esm", "plain", "echo"


class Load:
    """What can be done to one server. ``kind``: esm, plain (no orders, no views) or echo."""

    def __init__(self, channel: aio.Channel, kind: str) -> None:
        self._kind = kind
        self._cases = ExceptionServiceStub(channel)
        self._orders = OrderServiceStub(channel)
        self._tickets = TicketServiceStub(channel)
        self._backlog = Backlog(channel)
        self._targets: list[mix.Target] = []
        self._callers: list[mix.Caller] = []
        self._batched = 0

    async def prepare(self, cases: int = mix.CASES) -> Answer:
        """Opens the cases that the mix works on, and verifies them; seconds that it took."""
        begun = time.perf_counter()
        if self._kind == ECHO:
            self._targets = mix.invented(cases)
        else:
            if self._kind == ESM:
                await _each(PREPARERS, mix.order_requests(cases), self._record_orders)
            self._targets = [mix.Target(0, mix.invented(1)[0].exception_id)] * cases
            await _each(BATCH_CALLERS, mix.detect_requests(0, cases), self._open)
            if self._kind == ESM:
                verifications = (r for t in self._targets for r in mix.verify_requests(t))
                await _each(mix.CALLERS, verifications, self._cases.RecordVerification)
                await self._backlog.drained()
        self._callers = [mix.Caller(n, self._targets[n :: mix.CALLERS]) for n in range(mix.CALLERS)]
        gc.collect()
        gc.freeze()
        return {"seconds": time.perf_counter() - begun}

    async def run(self, seconds: float, limit: int = 0) -> Answer:
        """The mix from all callers for some seconds, or until a number of calls are done."""
        waits: list[float] = []
        failed: Counter[str] = Counter()
        begun = time.perf_counter()
        goes_on = _until(begun + seconds, waits, limit if self._kind != ECHO else 0)
        await asyncio.gather(*(self._call(c, goes_on, waits, failed) for c in self._callers))
        taken = time.perf_counter() - begun
        return await self._report(len(waits), taken, waits, failed)

    async def batch(self, seconds: float, limit: int = 0) -> Answer:
        """New signals, 100 a call, as long as a run; the rate is that of signals."""
        waits: list[float] = []
        failed: Counter[str] = Counter()
        begun = time.perf_counter()
        goes_on = _until(begun + seconds, waits, limit // mix.BATCH)
        written = 0

        async def send(request: Any) -> None:
            sent = time.perf_counter()
            answer = await self._cases.BatchDetectExceptions(request)
            waits.append(time.perf_counter() - sent)
            failed.update(r.error.message for r in answer.results if r.HasField("error"))
            # The etag of a new case is its version, and that is how many events it has.
            nonlocal written
            written += sum(int(r.exception.etag or 0) for r in answer.results)

        def requests() -> Iterator[Any]:
            while goes_on():
                yield from mix.detect_requests(self._batched, mix.BATCH, "B")
                self._batched += mix.BATCH

        await _each(BATCH_CALLERS, requests(), send)
        taken = time.perf_counter() - begun
        answer = await self._report(len(waits) * mix.BATCH, taken, waits, failed)
        return {**answer, "events_per_second": written / taken}

    async def fill(self, cases: int) -> Answer:
        """Brings cases in by batch and reads each once; seconds that it took."""
        begun = time.perf_counter()
        found: list[str] = []

        async def send(request: Any) -> None:
            answer = await self._cases.BatchDetectExceptions(request)
            found.extend(result.exception.exception_id for result in answer.results)

        async def read(exception_id: str) -> None:
            await self._cases.GetException(calls.GetExceptionRequest(exception_id=exception_id))

        await _each(PREPARERS, mix.order_requests(mix.ORDERS), self._record_orders)
        await _each(BATCH_CALLERS, mix.detect_requests(0, cases, "R"), send)
        await _each(mix.CALLERS, iter(found), read)
        await self._backlog.drained(FILLED_SECONDS_MAX)
        return {"seconds": time.perf_counter() - begun, "cases": len(set(found) - {""})}

    async def ryw(self, count: int) -> Answer:
        """Writes on an idle server, each followed by a read of the ticket that must show it."""
        waits = []
        for number in range(count):
            target = self._targets[number % len(self._targets)]
            note = calls.AddNoteRequest(
                exception_id=target.exception_id, text=mix.NOTE_TEXT, request_id=""
            )
            written = await self._cases.AddNote(note)
            request = ticket_service_pb2.GetTicketRequest(
                exception_id=target.exception_id, min_position=written.position
            )
            begun = time.perf_counter()
            await self._tickets.GetTicket(request, timeout=READY_SECONDS_MAX)
            waits.append(time.perf_counter() - begun)
            await asyncio.sleep(IDLE_SECONDS)
        return {"p50_ms": percentile(waits, 0.5) * 1e3, "p99_ms": percentile(waits, 0.99) * 1e3}

    async def sample(self, folder: str) -> Answer:
        """One answer of each method of the mix into a file, for the echo to give."""
        left = {"EscalateException", "AddNote", "AssignException", "ProposeAction", "ApproveAction"}
        caller, sizes = self._callers[0], {}
        while left:
            method, target, request = caller.next()
            response = await getattr(self._cases, method)(request, metadata=caller.metadata)
            caller.done(method, target, response)
            sizes[method] = Path(folder, method).write_bytes(response.SerializeToString())
            left.discard(method)
        return {"sizes": sizes}

    async def _call(
        self,
        caller: mix.Caller,
        goes_on: Callable[[], bool],
        waits: list[float],
        failed: Counter[str],
    ) -> None:
        clock = time.perf_counter
        while goes_on():
            begun = clock()
            method, target, request = caller.next()
            try:
                response = await getattr(self._cases, method)(request, metadata=caller.metadata)
            except aio.AioRpcError as error:
                failed[f"{method}: {error.code().name} {error.details()}"] += 1
                continue
            waits.append(clock() - begun)
            caller.done(method, target, response)

    async def _report(
        self, operations: int, taken: float, waits: list[float], failed: Counter[str]
    ) -> Answer:
        per_second = operations / taken
        answer = {
            "per_second": per_second,
            "operations": operations,
            "errors": failed.total(),
            "p50_ms": percentile(waits, 0.5) * 1e3,
            "p99_ms": percentile(waits, 0.99) * 1e3,
            "shown": failed.most_common(ERRORS_SHOWN_MAX),
        }
        if self._kind != ESM:
            return answer
        lag, stopped = await self._backlog.lag()
        drained = await self._backlog.drained()
        behind = behind_seconds(lag, per_second)
        return {**answer, "behind_seconds": behind, "stopped": stopped, "drain_seconds": drained}

    async def _record_orders(self, request: Any) -> None:
        answer = await self._orders.RecordOrders(request)
        _refuse(answer.results)

    async def _open(self, request: Any) -> None:
        answer = await self._cases.BatchDetectExceptions(request)
        _refuse(answer.results)
        for asked, result in zip(request.requests, answer.results, strict=True):
            number = int(asked.subject.shipment_code.partition("-")[2])
            self._targets[number] = mix.Target(number, result.exception.exception_id)


def _until(moment: float, done: Sized, limit: int) -> Callable[[], bool]:
    """Whether a run goes on: its moment has not come, and not as much is done as it may."""
    most = limit or sys.maxsize
    return lambda: time.perf_counter() < moment and len(done) < most


def _refuse(results: Iterable[Any]) -> None:
    for result in results:
        if result.HasField("error"):
            raise SystemExit(f"refused: {result.error}")


async def _each(workers: int, items: Iterator[Any], do: Callable[[Any], Awaitable[object]]) -> None:
    async def work() -> None:
        for item in items:
            await do(item)

    await asyncio.gather(*(work() for _ in range(workers)))


def main() -> None:
    """Runs until the standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--kind", choices=(ESM, PLAIN, ECHO), required=True)
    given = parser.parse_args()
    uvloop.run(answer_questions(given.address, lambda channel: Load(channel, given.kind)))


if __name__ == "__main__":
    main()
