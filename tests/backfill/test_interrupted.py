"""A backfill that breaks off anywhere, and is run again, leaves what one in one go leaves."""

import asyncio
import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from esm.times import micros
from server.backfill import Outcome, course, gather, load, run
from server.backfill.course import FACTS_AT_ONCE
from server.backfill.sending import sender
from server.client import connect, connect_aio
from server.settings import Settings
from tests.backfill.told import EXAMPLES, Found, Told
from tests.serving import serving, sqlite_settings

PARCELS = 400
HEADER = (
    "order_id,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,"
    "order_delivered_customer_date,order_estimated_delivery_date\n"
)
BEGIN = datetime(2018, 1, 1, tzinfo=UTC)


class BrokeOff(Exception):
    """The sender is gone."""


def row(number: int) -> str:
    """A parcel: its hand-over and delivery come after an hour, days, weeks or never."""
    bought = BEGIN + timedelta(hours=3 * number)
    handed_over = bought + timedelta(hours=(1, 30, 60, 90)[number % 4])
    delivered = handed_over + timedelta(days=(1, 12, 25)[number % 3])
    ended = (handed_over, delivered) if number % 7 else (None, None)
    times = (bought, bought, *ended, bought + timedelta(days=10))
    words = ("" if at is None else at.isoformat() for at in times)
    return f"O{number},{','.join(words)}\n"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "orders.csv"
    path.write_text(HEADER + "".join(map(row, range(PARCELS))), encoding="utf-8")
    return path


def tell(address: str, rows: Path, calls: int | None = None) -> Outcome | None:
    """Send the history; after so many calls, the one more is answered but nobody hears it."""

    async def send_all() -> Outcome | None:
        async with connect_aio(address) as client:
            send, sent = sender(client), 0

            async def breaking(rpc: str, request: dict[str, Any]) -> Mapping[str, Any]:
                nonlocal sent
                answer = await send(rpc, request)
                sent += 1
                if calls is not None and sent > calls:
                    raise BrokeOff
                return answer

            clock = micros((await client.call("GetStatus"))["clock_time"])
            history = gather([rows], load(EXAMPLES / "mappings" / "olist.toml"))
            assert history.bad == []
            assert history.size > 2 * FACTS_AT_ONCE
            try:
                return await run(
                    course(history, clock=clock), breaking, report=lambda row: pytest.fail(str(row))
                )
            except BrokeOff:
                return None

    return asyncio.run(send_all())


def found(settings: Settings, rows: Path, *broken: int) -> list[Found]:
    with serving(settings) as server, connect(server.address) as client:
        for calls in broken:
            assert tell(server.address, rows, calls) is None
        outcome = tell(server.address, rows)
        assert outcome is not None
        assert outcome.bad == 0
        return Told(client, server.address, "olist.toml", (rows,)).found()


def test_a_backfill_that_broke_off_finds_what_one_in_one_go_finds(
    settings: Settings, rows: Path, tmp_path: Path
) -> None:
    catalog = EXAMPLES / "catalogs" / "olist"
    whole = found(sqlite_settings(tmp_path / "whole", clock="feed", catalog=catalog), rows)
    assert len({each.rule for each in whole}) > 2
    broken = dataclasses.replace(settings, clock="feed", catalog=catalog)
    assert sorted(found(broken, rows, 0, 2, 4, 5)) == sorted(whole)
