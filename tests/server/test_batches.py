"""Many commands at once: each item stands for itself, and none builds on what was not written."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from esm import commands as c
from esm.errors import DomainError, RequestIdReused
from esm.events import Subject
from server.app import Running
from server.settings import Settings
from server.submission import Answer
from tests.esm import given as g
from tests.server import writing as w
from tests.serving import postgres_settings, sqlite_settings


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return sqlite_settings(tmp_path / "store")
    dsn = request.getfixturevalue("postgres_dsn")
    return postgres_settings(dsn, request.getfixturevalue("postgres_schema"))


def charge(case: str, net: int) -> c.RecordCarrierCharge:
    return c.RecordCarrierCharge(
        exception_id=case, logistics_line="L1", kind="storage", step="accrued", net=g.cny(net)
    )


def about(parcel: str) -> Subject:
    return Subject(order_id="O1", shipment_code=parcel)


def reported(source_id: str, parcel: str) -> c.Detect:
    signal = c.Signal(kind="carrier", feed="sf", source_id=source_id)
    return g.detection(signal=signal, subject=about(parcel))


def reasons(found: list[Answer | DomainError]) -> list[str]:
    return [x.reason if isinstance(x, DomainError) else "" for x in found]


def accrued(server: Running, case: str) -> int:
    return sum(a.net for a in w.state(server, UUID(case)).accruals)


def test_each_item_has_a_status_of_its_own_in_its_place(settings: Settings) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        found = await server.writer.handle_batch(
            [
                (charge(case, 1), w.call("a")),
                (charge(case, 0), w.call("b")),
                (charge("nobody", 2), w.call("c")),
                (charge(case, 4), w.call("d")),
                (c.RecordContact(exception_id=case, party="ghost"), w.call("e")),
            ]
        )
        assert reasons(found) == [
            "",
            "INVALID_COMMAND",
            "EXCEPTION_NOT_FOUND",
            "",
            "INVALID_COMMAND",
        ]
        assert [a.targets[0][1] for a in found if isinstance(a, Answer)] == [3, 4]
        assert accrued(server, case) == 5

    w.run(settings, test)


def test_an_item_sees_those_before_it(settings: Settings) -> None:
    async def test(server: Running) -> None:
        signal = c.Signal(kind="carrier", feed="sf", source_id="1")
        found = await server.writer.handle_batch(
            [
                (g.record_order(), w.call()),
                (g.detection(signal=signal), w.call()),
                (g.detection(signal=signal), w.call()),
                (g.detection("STOLEN"), w.call()),
            ]
        )
        versions = [a.targets[0][1] for a in found if isinstance(a, Answer)]
        assert versions == [1, 2, 2, 4]

    w.run(settings, test)


def test_a_signal_is_not_lost_when_a_later_item_makes_the_batch_be_decided_again(
    settings: Settings,
) -> None:
    async def test(server: Running) -> None:
        into = await w.opened(server)
        ended = await w.opened(server, subject=about("S2"))
        await server.writer.handle(c.Merge(exception_id=ended, into=into), w.call())
        # The second item asks for the next case of S2, of which its request does not tell.
        items = [(reported("n1", "S3"), w.call("a")), (reported("n2", "S2"), w.call("b"))]
        found = await server.writer.handle_batch(items)
        assert [a.targets[0][1] for a in found if isinstance(a, Answer)] == [2, 2]
        assert await server.writer.handle_batch(items) == found
        assert len(w.rows(server)) == 1 + 1 + 2 + 2 + 2 + 4

    w.run(settings, test)


def test_an_item_that_occurred_in_the_future_is_refused_alone(settings: Settings) -> None:
    async def test(server: Running) -> None:
        await server.writer.handle(g.record_order(), w.call())
        late = w.call("b", occurred="2999-01-01T00:00:00.000000Z")
        found = await server.writer.handle_batch(
            [(reported("n1", "S1"), w.call("a")), (reported("n2", "S2"), late)]
        )
        assert reasons(found) == ["", "INVALID_COMMAND"]

    w.run(settings, test)


def test_a_batch_that_is_sent_again_with_more_items_adds_only_those(settings: Settings) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        items = [(charge(case, 2**i), w.call(f"r{i}")) for i in range(6)]
        first = await server.writer.handle_batch(items[:3])
        again = await server.writer.handle_batch(items)
        assert again[:3] == first
        assert accrued(server, case) == 63
        assert w.versions(server, UUID(case)) == list(range(1, 9))
        await server.writer.handle(c.AddNote(exception_id=case, text="x"), w.call())
        assert w.without_gaps(server)

    w.run(settings, test)


def test_a_request_id_twice_in_a_batch_counts_once_and_with_another_body_is_refused(
    settings: Settings,
) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        found = await server.writer.handle_batch(
            [
                (charge(case, 1), w.call("a")),
                (charge(case, 1), w.call("a")),
                (charge(case, 2), w.call("a")),
                (charge(case, 4), w.call("b")),
            ]
        )
        assert reasons(found) == ["", "", "REQUEST_ID_REUSED", ""]
        assert found[0] == found[1]
        assert isinstance(found[2], RequestIdReused)
        assert accrued(server, case) == 5
        await server.writer.handle(charge(case, 8), w.call())
        assert w.without_gaps(server)

    w.run(settings, test)


def test_a_refused_request_id_leaves_no_trace_in_what_later_commands_build_on(
    settings: Settings,
) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        other = await w.opened(server, "WRONG_ITEM")
        await server.writer.handle(charge(case, 1), w.call("a"))
        found = await server.writer.handle_batch(
            [(charge(case, 2), w.call("a")), (charge(other, 4), w.call("b"))]
        )
        assert reasons(found) == ["REQUEST_ID_REUSED", ""]
        await server.writer.handle(charge(case, 8), w.call())
        assert w.versions(server, UUID(case)) == [1, 2, 3, 4]
        assert (accrued(server, case), accrued(server, other)) == (9, 4)

    w.run(settings, test)


def test_a_charge_to_a_line_that_was_not_recorded_is_not_recorded(settings: Settings) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        await server.writer.handle(charge(case, 1), w.call("used"))
        line = c.LogisticsLineInput(line_id="L9", shipment_code="S1", carrier="sf")
        more: dict[str, Any] = {
            "source_id": "more",
            "sale_lines": (),
            "tenders": (),
            "logistics_lines": (line,),
        }
        to_the_line = msgspec.structs.replace(charge(case, 2), logistics_line="L9")
        found = await server.writer.handle_batch(
            [(g.record_order(**more), w.call("used")), (to_the_line, w.call("b"))]
        )
        assert reasons(found) == ["REQUEST_ID_REUSED", "INVALID_COMMAND"]
        assert accrued(server, case) == 1
        assert w.without_gaps(server)

    w.run(settings, test)


def test_a_preview_in_a_batch_writes_nothing(settings: Settings) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        preview = replace(w.call("a"), validate_only=True)
        found = await server.writer.handle_batch(
            [(charge(case, 1), preview), (charge(case, 2), w.call("b"))]
        )
        assert reasons(found) == ["", ""]
        assert isinstance(found[0], Answer)
        assert [event.TOPIC for _, _, event in found[0].events]
        assert accrued(server, case) == 2

    w.run(settings, test)


def test_batches_and_single_commands_at_once_keep_every_version(settings: Settings) -> None:
    async def test(server: Running) -> None:
        cases = [await w.opened(server, code) for code in ("LOST", "WRONG_ITEM", "OTHER")]
        batches = [
            server.writer.handle_batch(
                [(charge(cases[j % 3], 1), w.call()) for j in range(i, i + 9)]
            )
            for i in range(10)
        ]
        singles = [server.writer.handle(charge(cases[i % 3], 1), w.call()) for i in range(60)]
        found = await asyncio.gather(*batches, *singles)
        answers = [x for part in found for x in (part if isinstance(part, list) else [part])]
        assert all(isinstance(answer, Answer) for answer in answers)
        assert sum(accrued(server, case) for case in cases) == 150
        assert w.without_gaps(server)

    w.run(settings, test)


def test_a_cancelled_batch_is_written_whole_and_leaves_no_lock(settings: Settings) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        items = [(charge(case, 1), w.call(f"r{i}")) for i in range(5)]
        with w.commits_held(server):
            waiting = asyncio.ensure_future(server.writer.handle_batch(items))
            await asyncio.sleep(0.2)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            behind = asyncio.ensure_future(server.writer.handle(charge(case, 1), w.call()))
            await asyncio.sleep(0.05)
        await behind
        assert accrued(server, case) == 6
        assert w.without_gaps(server)

    w.run(settings, test)


def test_one_request_id_in_batches_and_alone_at_once_counts_once(settings: Settings) -> None:
    async def test(server: Running) -> None:
        case = await w.opened(server)
        first, second = (charge(case, 1), w.call("a")), (charge(case, 2), w.call("b"))
        found = await asyncio.gather(
            *(server.writer.handle_batch([first, second]) for _ in range(10)),
            *(server.writer.handle_batch([second, first]) for _ in range(10)),
            *(server.writer.handle(*first) for _ in range(10)),
        )
        answers = [x for part in found for x in (part if isinstance(part, list) else [part])]
        versions = [a.targets[0][1] for a in answers if isinstance(a, Answer)]
        assert (len(versions), set(versions)) == (50, {3, 4})
        assert accrued(server, case) == 3
        assert w.versions(server, UUID(case)) == [1, 2, 3, 4]

    w.run(settings, test)
