"""Events to bytes and back: every topic, stable bytes, unknown and old topics."""

import inspect
import json
import re
from typing import Any, get_args, get_origin

import msgspec
import pytest

from esm import codec, events
from esm.events import (
    Detected,
    Event,
    NoteAdded,
    Sealed,
    Source,
    SourceJoined,
    Subject,
    UnknownEvent,
)


def example(kind: Any) -> Any:
    """A value of a declared type, everything set, nothing at its default."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        return (example(arguments[0]),)
    if origin is dict:
        return {"key": example(arguments[1])}
    if arguments:
        return example(next(a for a in arguments if a is not type(None)))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind(**{f.name: example(f.type) for f in msgspec.structs.fields(kind)})
    return {str: "text", int: 7, bool: True, bytes: b"box"}[kind]


EXAMPLES = [example(cls) for cls in codec.TOPICS.values()]


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda e: e.TOPIC)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    assert codec.decode(event.TOPIC, codec.encode(event)) == event


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda e: e.TOPIC)
def test_the_same_event_always_has_the_same_bytes(event: Event) -> None:
    again = codec.decode(event.TOPIC, codec.encode(event))
    assert isinstance(again, Event)
    assert codec.encode(again) == codec.encode(event)
    assert json.loads(codec.encode(event))


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda e: e.TOPIC)
def test_a_field_that_a_newer_version_added_is_passed_over(event: Event) -> None:
    raw = json.loads(codec.encode(event)) | {"added_later": 1}
    assert codec.decode(event.TOPIC, json.dumps(raw).encode()) == event


def test_every_event_class_has_a_topic_of_its_own_with_a_version() -> None:
    concrete = {
        cls
        for _, cls in inspect.getmembers(events, inspect.isclass)
        if issubclass(cls, Event) and cls is not Event
    }
    assert set(codec.TOPICS.values()) == concrete
    pattern = re.compile(r"(exception|order|catalogue|clock|watch)\.[a-z_]+\.v[1-9][0-9]*")
    assert [topic for topic in codec.TOPICS if not pattern.fullmatch(topic)] == []


def test_optional_fields_are_left_out_of_the_bytes() -> None:
    sealed = Sealed(subject="p", key_id="k", box=b"\x00")
    raw = json.loads(codec.encode(NoteAdded(text=sealed)))
    assert "customer_visible" not in raw


def test_an_unknown_topic_comes_back_as_itself() -> None:
    found = codec.decode("exception.teleported.v1", b"\xff not json")
    assert found == UnknownEvent("exception.teleported.v1", b"\xff not json")


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"subject":1}', b"\xff"])
def test_bytes_that_do_not_fit_a_known_topic_are_an_error(payload: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        codec.decode(Detected.TOPIC, payload)


def test_an_old_topic_is_read_by_its_upcaster(monkeypatch: pytest.MonkeyPatch) -> None:
    old = json.dumps({"order": "O1"}).encode()

    def upcast(payload: bytes) -> tuple[str, bytes]:
        subject = Subject(order_id=json.loads(payload)["order"])
        event = Detected(
            subject=subject,
            code="LOST",
            family="delay_loss",
            phase="post_ship",
            occurrence=1,
            stage="breached",
            priority="P0",
            team="task_force",
            person="",
            source=Source(kind="person"),
        )
        return event.TOPIC, codec.encode(event)

    monkeypatch.setitem(codec.UPCASTERS, "exception.detected.v0", upcast)
    found = codec.decode("exception.detected.v0", old)
    assert isinstance(found, Detected)
    assert found.subject.order_id == "O1"
    assert "exception.detected.v0" not in codec.TOPICS


@pytest.mark.parametrize("name", ["alert", "candidate", "report", "fields"])
def test_a_source_of_before_there_were_rules_loads_and_gives_the_same_bytes(name: str) -> None:
    source = {"kind": "customer", "feed": "web", "source_id": "7"}
    old = json.dumps({"source": source, "code": "LOST"}, separators=(",", ":")).encode()
    found = codec.decode("exception.source_joined.v1", old)
    assert isinstance(found, SourceJoined)
    assert not getattr(found.source, name)
    assert codec.encode(found) == old
