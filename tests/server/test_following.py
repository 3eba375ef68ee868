"""The log is followed for cases of watched shipments, at no cost where nothing is to be noted."""

from pathlib import Path

import pytest

from esm.events import Subject
from server.app import Running
from server.clock import Clock
from server.settings import Settings
from server.tracking.detecting import Detecting
from server.tracking.following import Following
from server.tracking.inputs import Shipment
from server.tracking.store import Key, KnownCase
from tests.server import writing as w
from tests.server.test_timekeeper import TENANT, play, stalled


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A store of its own that follows a feed's clock, so that nothing is due by itself."""
    return Settings(address="127.0.0.1:0", data=tmp_path / "data", clock="feed")


async def registered(parts: Detecting, *parcels: str) -> None:
    """Parcels of which nothing is told yet."""
    shipments = [Shipment(order_id="O1", shipment_code=each) for each in parcels]
    assert await parts.tracking.register(TENANT, shipments) == ["registered"] * len(parcels)


def following(server: Running) -> Following:
    """What a server has that begins now."""
    log = server.store.application.events_log
    return Following(log, server.store.tracking, wall=True)


def cases_of(server: Running, code: str) -> tuple[KnownCase, ...]:
    """The cases that a watched shipment knows of."""
    (found,) = server.store.tracking.load([Key(TENANT, code)])
    return found.cases


def test_a_case_that_the_timekeeper_opens_is_known_and_written_with_what_was_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(server: Running, parts: Detecting) -> None:
        breached = await stalled(parts, "P1")
        noted: list[object] = []
        monkeypatch.setattr(server.store.tracking, "note", lambda *given: noted.append(given))
        await parts.timekeeper.run_until(breached)
        opening = next(row for row in w.rows(server, TENANT) if row.topic.endswith("detected.v1"))
        (case,) = cases_of(server, "P1")
        assert (case.case_id, case.since) == (str(opening.aggregate_id), opening.occurred)
        assert noted == []

    play(settings, test)


def test_a_case_that_others_open_is_noted_for_its_shipment_whichever_came_first(
    tmp_path: Path,
) -> None:
    async def test(server: Running, parts: Detecting) -> None:
        early = await w.opened(server, subject=Subject(order_id="O1", shipment_code="P1"))
        follow, store, now = following(server), server.store.tracking, Clock().micros()
        shipments = [Key(TENANT, "P1"), Key(TENANT, "P2")]
        assert follow(now) == 0  # nothing is watched, so nothing is read,
        assert store.followed() == 0
        await registered(parts, "P1", "P2")
        assert follow(now) == 1  # and nothing is missed once something is
        late = await w.opened(server, subject=Subject(order_id="O1", shipment_code="P2"))
        assert (follow(now), follow(now)) == (1, 0)
        found = [case.case_id for code in ("P1", "P2") for case in cases_of(server, code)]
        assert found == [str(early), str(late)]
        before = store.load(shipments)
        assert following(server)(now) == 0  # one that begins anew
        assert store.load(shipments) == before

    play(Settings(address="127.0.0.1:0", data=tmp_path), test)
