"""Answers made of kept parts say what fresh ones say, also of who was erased, and stay bounded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from shipment_exception.v1 import exception_pb2 as pb

from esm import commands as c
from esm.events import Event, Sealed
from esm.exception.state import Case
from server.client import connect
from server.services import base
from server.wire.answers import Frame
from server.wire.cases import case, fill_case
from server.wire.kept import KEPT_BYTES_MAX, PART_BYTES, STATE_BYTES_A_BYTE, Kept
from tests.esm import given as g
from tests.esm.story import CATALOGUE, Story
from tests.properties.scripts import SCRIPTS
from tests.properties.world import Seen, World
from tests.serving import serving, sqlite_settings

ERASED = "[erased]"


class Told(Story):
    """A story that remembers every version of its cases, in the order of the facts."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[int, Case]] = []

    def do(self, command: c.Command, **how: Any) -> list[Event]:
        events = super().do(command, **how)
        for version, state in map(self.states.__getitem__, self.shown):
            if isinstance(state, Case):
                self.told.append((version, state))
        return events


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Told:
    """A lost parcel and a wrong item: explained, refunded, claimed, accrued, carried, closed."""
    monkeypatch.setattr(g, "Story", Told)
    story, lost = g.lost_parcel()
    assert isinstance(story, Told)
    signal = c.Signal(kind="carrier", feed="f", source_id="s", raw_text="left with Ursula")
    seen = c.CheckpointInput(occurred_at=g.LOOKED, raw_text="given to Ursula", place="hub")
    other = g.detected(
        story, "WRONG_ITEM", signal=signal, none_yet_looked_at="", last_checkpoint=seen
    )
    story.do(c.RecordVerification(exception_id=other, item="order_facts", finding="Ursula rang"))
    for owner in ("ann", "bob"):
        story.do(c.Assign(exception_id=other, owner=owner))
        story.do(c.Assign(exception_id=lost, owner=owner))
    g.explained(story, lost)
    g.refunded(story, lost)
    charge: dict[str, Any] = {"logistics_line": "L1", "kind": "storage", "step": "accrued"}
    story.do(c.RecordCarrierCharge(exception_id=lost, net=g.cny(800), **charge))
    claim = g.submitted(story, lost, "claim", amount=g.cny(60), counterparty="sf")
    g.outcome(story, lost, claim, "claim_approved", amount=g.cny(60))
    story.do(c.StartWaiting(exception_id=lost, party="carrier"))
    g.remediated(story, lost)
    story.do(c.WriteBack(exception_id=lost, logistics_line="L1"))
    carry: dict[str, Any] = {
        "item": f"action:{claim}",
        "reason": "slow",
        "owner": "fin",
        "due": "2099-12-31",
    }
    for actor in ("ann", "bob"):
        story.do(c.CarryItem(exception_id=lost, **carry), actor=actor)
    story.do(c.AddNote(exception_id=lost, text="x"))
    return story


@pytest.fixture
def erased() -> set[str]:
    """Persons whose key is gone."""
    return set()


@pytest.fixture
def frame(erased: set[str]) -> Frame:
    def opened(_: str, sealed: Sealed) -> str:
        return ERASED if sealed.subject in erased else sealed.box.decode()

    return Frame("t1", CATALOGUE, opened, str)


def fresh(version: int, state: Case, frame: Frame) -> pb.ShipmentException:
    return pb.ShipmentException(**case(version, state, frame))


def of_kept(version: int, state: Case, frame: Frame, kept: Kept) -> pb.ShipmentException:
    message = pb.ShipmentException()
    fill_case(message, version, state, frame, kept)
    return message


def test_a_kept_answer_equals_a_fresh_one_at_every_step(story: Told, frame: Frame) -> None:
    kept = Kept()
    for version, state in (*story.told, *reversed(story.told)):
        assert of_kept(version, state, frame, kept) == fresh(version, state, frame)


def test_every_part_is_written_from_its_own_attributes_only(story: Told, frame: Frame) -> None:
    kept = Kept()
    work = {"state": "withdrawn", "level": 3, "team": "x", "owner": "y", "waiting_on": "z"}
    said: dict[str, Any] = {"checkpoint": None, "sources": (), "verifications": (), "summary": None}
    for version, state in story.told:
        of_kept(version, state, frame, kept)
        held = kept.bytes_held
        worked = replace(state, **work)
        assert of_kept(version, worked, frame, kept) == fresh(version, worked, frame)
        assert kept.bytes_held == held, "work makes nothing that is kept anew"
        unsaid = replace(state, **said)
        assert of_kept(version, unsaid, frame, kept) == fresh(version, unsaid, frame)


def test_an_erased_person_is_gone_from_the_next_answer(
    story: Told, frame: Frame, erased: set[str]
) -> None:
    kept = Kept()
    with_text = [(v, s) for v, s in story.told if "Ursula" in str(fresh(v, s, frame))]
    version, state = with_text[-1]
    assert "Ursula" in str(of_kept(version, state, frame, kept))
    assert b"Ursula" not in b"".join(part.serialised for part in kept._parts.values())
    erased |= {s.raw_text.subject for s in state.sources if s.raw_text is not None}
    shown = of_kept(version, state, frame, kept)
    assert shown == fresh(version, state, frame)
    assert "Ursula" not in str(shown)
    assert shown.last_checkpoint.raw_text == shown.sources[0].raw_text == ERASED
    assert ERASED in [v.finding for v in shown.verifications]


def test_what_is_kept_is_bounded_and_the_least_used_goes_first() -> None:
    part = bytes(1_000)
    counted = PART_BYTES + 1_000 * (1 + STATE_BYTES_A_BYTE)
    kept = Kept(bytes_max=3 * counted)
    for aggregate in (1, 2, 3, 3):
        kept.keep((aggregate, 0), (), part)
    assert kept.find((1, 0), ()) is part
    kept.keep((4, 0), (), part)
    found = [kept.find((aggregate, 0), ()) for aggregate in (1, 2, 3, 4)]
    assert (found, kept.bytes_held) == ([part, None, part, part], 3 * counted)
    assert kept.find((1, 0), ("other",)) is None
    kept.keep((5, 0), (), bytes(KEPT_BYTES_MAX))
    assert (kept.find((5, 0), ()), kept.bytes_held) == (None, 0)


@pytest.mark.parametrize("play", SCRIPTS)
def test_a_server_answers_as_if_it_kept_nothing(
    play: Callable[[World], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = 0

    def checked(message: Any, version: int, state: Case, frame: Frame, kept: Kept) -> None:
        nonlocal compared
        fill_case(message, version, state, frame, kept)
        assert message == fresh(version, state, frame)
        compared += 1

    monkeypatch.setattr(base, "fill_case", checked)
    with (
        serving(sqlite_settings(tmp_path / "store")) as server,
        connect(server.address, tenant="t1", actor="ann") as client,
    ):
        play(World(client, Seen()))
    assert compared
