"""Old event versions are upcast on read, and every version ever released still loads (G15)."""

from pathlib import Path

import msgspec
import pytest
from shipment_exception.v1 import history_service_pb2 as history_pb
from shipment_exception.v1 import ticket_service_pb2 as tickets_pb

from esm import codec
from esm.events import NoteAdded, Sealed, UnknownEvent
from server.settings import Settings
from tests.features.planting import plant
from tests.features.refusals import refused
from tests.scenarios.driver import World
from tests.serving import client, serving

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "events"
OLD_TOPIC = "exception.note_added.v0"
OLD_PAYLOAD = b'{"note":{"subject":"p","key_id":"k","box":"AAAA"}}'


class OldNote(msgspec.Struct):
    """A note as a version before the first release might have written it."""

    note: Sealed


def upcast(payload: bytes) -> tuple[str, bytes]:
    """The old note as today's event."""
    old = msgspec.json.decode(payload, type=OldNote)
    return NoteAdded.TOPIC, codec.encode(NoteAdded(text=old.note, customer_visible=False))


def test_an_old_event_version_in_the_log_is_upcast_on_read(
    fresh: Settings, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G15."""
    with serving(fresh) as server, client(server.address, tenant=tenant) as calls:
        case = World(calls, tenant).detect("LOST")
    monkeypatch.setitem(codec.UPCASTERS, OLD_TOPIC, upcast)
    plant(fresh, tenant, case, OLD_TOPIC, OLD_PAYLOAD)
    with serving(fresh) as server, client(server.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        assert world.do("AddNote", case, text="the server works on").etag == "4"
        assert world.case(case).etag == "4"
        request = tickets_pb.GetTicketRequest(exception_id=case, min_position=world.position)
        assert world.send(calls.tickets.GetTicket, request).ticket.notes == 2
        as_of = history_pb.GetExceptionAsOfRequest(exception_id=case, version=3)
        assert calls.history.GetExceptionAsOf(as_of).exception.etag == "3"
        shown = world.events(case)[2]
        assert (shown.topic, shown.payload) == (OLD_TOPIC, OLD_PAYLOAD)


def test_an_event_of_a_newer_version_is_said_to_be_unreadable(fresh: Settings, tenant: str) -> None:
    """G15."""
    with serving(fresh) as server, client(server.address, tenant=tenant) as calls:
        case = World(calls, tenant).detect("LOST")
    plant(fresh, tenant, case, "exception.note_added.v9", b"{}")
    with serving(fresh) as server, client(server.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        with refused("DATA_LOSS", "HISTORY_UNREADABLE"):
            world.do("AddNote", case, text="x")
        other = world.detect("LOST", order="O2")
        request = tickets_pb.GetTicketRequest(exception_id=other, min_position=world.position)
        assert world.send(calls.tickets.GetTicket, request).ticket.exception_id == other


@pytest.mark.parametrize("topic", sorted(codec.TOPICS))
def test_the_golden_file_of_a_topic_loads_and_gives_the_same_bytes(topic: str) -> None:
    """G15."""
    content = (GOLDEN / f"{topic}.json").read_bytes()
    event = codec.decode(topic, content)
    assert not isinstance(event, UnknownEvent)
    assert topic == event.TOPIC
    assert codec.encode(event) == content
    assert unfilled(event) == []


def test_every_golden_file_is_of_a_topic_that_can_be_read() -> None:
    """G15."""
    topics = {path.stem for path in GOLDEN.glob("*.json")}
    assert topics - set(codec.UPCASTERS) == set(codec.TOPICS)


def unfilled(struct: msgspec.Struct, path: str = "") -> list[str]:
    """Fields of a struct, and of its parts, that stand at their default."""
    found = []
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        name = f"{path}{field.name}"
        if not value:
            found.append(name)
        for part in value if isinstance(value, tuple) else [value]:
            if isinstance(part, msgspec.Struct):
                found += unfilled(part, f"{name}.")
    return found
