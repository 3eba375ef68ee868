"""The Olist orders go in by mapping alone, and the detections equal the published figures.

The tests ask the API only; of the file they compute the expected side.
"""

import csv
import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import NamedTuple

import pytest

from server.settings import Settings
from tests.backfill.told import EXAMPLES, Found, Told, told

CATALOG = EXAMPLES / "catalogs" / "olist"
DAY = timedelta(days=1)
HAND_OVER = {"at_risk": DAY, "breached": 2 * DAY, "serious": 3 * DAY}

pytestmark = pytest.mark.real_data


class Order(NamedTuple):
    """Times of an order, None for what did not happen."""

    purchased: datetime | None
    approved: datetime | None
    handed_over: datetime | None
    delivered: datetime | None
    promised: datetime | None


Orders = dict[str, Order]
COLUMNS = (
    *("order_purchase_timestamp", "order_approved_at", "order_delivered_carrier_date"),
    *("order_delivered_customer_date", "order_estimated_delivery_date"),
)


def moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.fixture(scope="module")
def orders(real_data: Path) -> Orders:
    with (real_data / "olist" / "orders.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["order_id"]: Order(*(moment(row[name]) for name in COLUMNS))
            for row in csv.DictReader(file)
        }


@pytest.fixture(scope="module")
def end(orders: Orders) -> datetime:
    """The last row's time: a purchase, a hand-over or a delivery."""
    times = [t for o in orders.values() for t in (o.purchased, o.handed_over, o.delivered) if t]
    return max(times)


@pytest.fixture(scope="module")
def history(settings: Settings, real_data: Path) -> Iterator[Told]:
    on_feed = dataclasses.replace(settings, clock="feed", catalog=CATALOG)
    with told(on_feed, "olist.toml", real_data / "olist" / "orders.csv") as found:
        yield found


@pytest.fixture(scope="module")
def found(history: Told) -> list[Found]:
    return history.found()


def of(found: list[Found], rule: str, stage: str = "breached") -> dict[str, str]:
    """When the stage of a rule was reached, by order; never twice."""
    mine = [each for each in found if (each.rule, each.stage) == (rule, stage)]
    times = {each.order_id: each.at for each in mine}
    assert len(times) == len(mine)
    return times


def late(order: Order) -> timedelta | None:
    """How much later than promised an order was delivered, None when it was not."""
    if order.delivered is None or order.promised is None:
        return None
    return order.delivered - order.promised


@pytest.mark.parametrize(
    ("stage", "number"), [("at_risk", 1_362), ("breached", 943), ("serious", 635)]
)
def test_late_hand_overs_are_found_at_their_thresholds(
    found: list[Found], orders: Orders, stage: str, number: int
) -> None:
    span = HAND_OVER[stage]
    expected = {
        order_id: written(o.approved + span)
        for order_id, o in orders.items()
        if o.approved and o.handed_over and o.handed_over - o.approved > span
    }
    assert len(expected) == number
    times = of(found, "LABEL_NO_SCAN", stage)
    handed_over = {order_id for order_id, o in orders.items() if o.handed_over}
    assert {order_id: at for order_id, at in times.items() if order_id in handed_over} == expected


@pytest.mark.parametrize("stage", HAND_OVER)
def test_what_was_approved_and_never_handed_over_fires_at_every_stage_of_its_age(
    found: list[Found], orders: Orders, end: datetime, stage: str
) -> None:
    waiting = {i: o for i, o in orders.items() if o.approved and not o.handed_over}
    assert len(waiting) == 23
    expected = {
        order_id: written(o.approved + HAND_OVER[stage])
        for order_id, o in waiting.items()
        if o.approved and o.approved + HAND_OVER[stage] <= end
    }
    times = of(found, "LABEL_NO_SCAN", stage)
    assert {i: at for i, at in times.items() if i in waiting} == expected
    assert set(times) <= {order_id for order_id, o in orders.items() if o.approved}


def test_a_hand_over_before_the_approval_raises_nothing(found: list[Found], orders: Orders) -> None:
    early = {
        order_id
        for order_id, o in orders.items()
        if o.approved and o.handed_over and o.handed_over < o.approved
    }
    assert len(early) == 30
    assert not [each for each in found if each.rule == "LABEL_NO_SCAN" and each.order_id in early]


def test_broken_promises_are_found_when_the_promise_passes(
    found: list[Found], orders: Orders, end: datetime
) -> None:
    broken = {i for i, o in orders.items() if (gap := late(o)) is not None and gap > timedelta(0)}
    assert len(broken) == 152
    open_ = {i for i, o in orders.items() if o.promised and not o.delivered and o.promised <= end}
    expected = {i: written(p) for i in broken | open_ if (p := orders[i].promised)}
    assert of(found, "PROMISE_MISSED") == expected


def test_late_by_three_days_is_serious(found: list[Found], orders: Orders) -> None:
    expected = {i for i, o in orders.items() if (gap := late(o)) is not None and gap > 3 * DAY}
    assert len(expected) == 107
    delivered = {i for i, o in orders.items() if o.delivered}
    assert set(of(found, "PROMISE_MISSED", "serious")) & delivered == expected


def test_late_orders_fall_into_their_classes(found: list[Found], orders: Orders) -> None:
    over = [set(of(found, "PROMISE_MISSED"))]
    over += [set(of(found, f"LATE_OVER_{days}_DAYS")) for days in (2, 7, 14)]
    delivered = {i for i, o in orders.items() if o.delivered}
    counts = [len(each & delivered) for each in over]
    assert [a - b for a, b in zip(counts, [*counts[1:], 0], strict=True)] == [39, 38, 45, 30]
    for order_id in over[0] & delivered:
        gap = late(orders[order_id])
        assert gap is not None
        days = ceil(gap / DAY)
        assert sum(order_id in each for each in over) == 1 + sum(days > n for n in (2, 7, 14))


def test_nothing_else_is_found(found: list[Found]) -> None:
    rules = {each.rule for each in found}
    assert rules == {
        "LABEL_NO_SCAN",
        "PROMISE_MISSED",
        *(f"LATE_OVER_{n}_DAYS" for n in (2, 7, 14)),
    }


def test_all_stages_of_one_trouble_are_one_case(found: list[Found]) -> None:
    cases: dict[tuple[str, bool], set[str]] = {}
    for each in found:
        cases.setdefault((each.order_id, each.rule == "LABEL_NO_SCAN"), set()).add(each.case)
    assert {len(each) for each in cases.values()} == {1}


def test_tickets_of_parcels_that_went_on_are_withdrawn(
    history: Told, orders: Orders, end: datetime
) -> None:
    request = {"page_size": 500, "filter": 'code = "LABEL_NO_SCAN"'}
    tickets = list(history.client.pages("ListTickets", request, "tickets"))
    open_ = {
        t["subject"]["order_id"]
        for t in tickets
        if t["state"] in ("STATE_DETECTED", "STATE_ESCALATED")
    }
    assert open_ == {
        order_id
        for order_id, o in orders.items()
        if o.approved and not o.handed_over and o.approved + DAY <= end
    }
    assert {t["state"] for t in tickets if t["subject"]["order_id"] not in open_} == {
        "STATE_WITHDRAWN"
    }


def test_the_clock_stands_at_the_last_row(history: Told, end: datetime) -> None:
    status = history.client.call("GetStatus")
    assert status["clock_time"] == end.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (int(status["watched"]), int(status.get("due_now", 0))) == (2_000, 0)


def test_the_same_file_again_changes_nothing(history: Told) -> None:
    before = history.events()
    assert history.tell().returncode == 0
    assert history.events() == before


def test_an_inclusive_rule_counts_the_threshold_itself(
    settings: Settings, real_data: Path, orders: Orders, tmp_path: Path
) -> None:
    rules = tmp_path / "catalog" / "rules"
    rules.mkdir(parents=True)
    text = (CATALOG / "rules" / "LABEL_NO_SCAN.toml").read_text(encoding="utf-8")
    (rules / "LABEL_NO_SCAN.toml").write_text(f"{text}inclusive = true\n", encoding="utf-8")
    data = tmp_path / "data"
    other = {"schema": f"{settings.schema}_i"} if settings.dsn else {"data": data}
    inclusive = dataclasses.replace(settings, clock="feed", catalog=rules.parent, **other)
    with told(inclusive, "olist.toml", real_data / "olist" / "orders.csv") as history:
        times = of(history.found(), "LABEL_NO_SCAN", "at_risk")
    assert len({i for i in times if orders[i].handed_over}) == 1_363
