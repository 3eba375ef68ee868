"""Whatever order a feed is told in, and however often: the same state, cases and ids.

Every shuffle is a tenant of its own. All are told before the clock of the feed moves, so what they
find can only hang on what they were told, not on when.
"""

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.timestamp_pb2 import Timestamp
from shipment_exception.v1 import admin_service_pb2 as admin_pb
from shipment_exception.v1 import history_service_pb2 as history_pb
from shipment_exception.v1 import tracking_pb2
from shipment_exception.v1 import tracking_service_pb2 as tracking_pb

from esm.catalog import load
from esm.ids import SEPARATOR, exception_id
from server.settings import Settings
from server.tracking.feeds import FEEDS
from server.tracking.importing import Fact, facts_of
from tests.serving import Client, client, postgres_settings, serving, sqlite_settings
from tests.tracking.given import MESSAGES

SHUFFLES: Final = {"sqlite": 1_000, "postgresql": 70}
COPIES_MAX: Final = 5
BATCH_MAX: Final = 12
STEPS: Final = ("2026-01-12T00:00:00Z", "2026-02-20T00:00:00Z", "2027-06-01T00:00:00Z")
"""Where the clock stops on its way; the last is later than everything that is due."""

TROUBLED: Final = [
    ("2026-01-01T08:00:00Z", "collected", "hub A"),
    ("2026-01-01T20:00:00Z", "departed", "hub A"),
    ("2026-01-04T20:00:00Z", "arrived", "hub B"),
    ("2026-01-07T21:00:00Z", "arrived", "hub B"),
    ("2026-01-08T08:00:00Z", "out_for_delivery", "hub B"),
    ("2026-01-08T08:00:00Z", "information", ""),
    ("2026-01-08T12:00:00Z", "attempted", ""),
    ("2026-01-09T12:00:00Z", "attempted", ""),
    ("2026-01-10T12:00:00Z", "attempted", ""),
    ("2026-01-11T10:00:00Z", "delivered", ""),
    ("2026-01-11T11:00:00Z", "out_for_delivery", ""),
]
"""A parcel with most of what can go wrong: two stalls, a node, three attempts, a contradiction."""

VOLATILE: Final = frozenset({"received", "late", "exceptionId", "box", "key_id"})
"""What may differ between tellings: when it came, whose case it is, and how it was sealed."""

ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Story:
    """What is told of some parcels, by name."""

    name: str
    facts: Sequence[Fact]

    @property
    def parcels(self) -> list[tracking_pb2.Shipment]:
        """The parcels that it is about."""
        numbers = sorted({fact["number"] for fact in self.facts})
        shipments = []
        for number in numbers:
            shipment = tracking_pb2.Shipment(order_id=f"O-{number}", shipment_code=f"P-{number}")
            shipment.numbers.add(number=number)
            shipment.promised_at.FromJsonString("2026-01-09T00:00:00Z")
            shipments.append(shipment)
        return shipments


def stories() -> list[Story]:
    """One story for every feed, from our own message of it, and one with trouble."""
    found = []
    for feed in FEEDS:
        (path,) = MESSAGES.glob(f"{feed}.*")
        number = "EM900000001CN" if feed == "ems" else ""
        facts = facts_of(
            feed,
            path.read_bytes(),
            ZoneInfo(load().sources[feed].zone),
            asked="2026-01-02T00:00:00.000000Z",
            number=number,
        )
        found.append(Story(feed, facts))
    troubled: list[Fact] = [
        {
            "feed": "wms",
            "source_id": f"c{i}",
            "number": "T1",
            "occurred_at": at,
            "status": status,
            "place": place,
        }
        for i, (at, status, place) in enumerate(TROUBLED)
    ]
    return [*found, Story("troubled", troubled)]


def test_every_feed_has_a_story() -> None:
    told = stories()
    assert [story.name for story in told] == [*FEEDS, "troubled"]
    assert all(story.facts for story in told)


@pytest.fixture(params=list(SHUFFLES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Settings, int]:
    """A store that follows a feed's clock, and how many shuffles it is to stand."""
    if request.param == "sqlite":
        settings = sqlite_settings(tmp_path / "data", clock="feed")
    else:
        dsn = request.getfixturevalue("postgres_dsn")
        schema = request.getfixturevalue("postgres_schema")
        settings = postgres_settings(dsn, schema, clock="feed")
    return settings, SHUFFLES[request.param]


@pytest.mark.timeout(600)
def test_any_order_gives_the_same_state_the_same_cases_and_the_same_ids(
    engine: tuple[Settings, int],
) -> None:
    """A17, A29."""
    settings, shuffles = engine
    told = stories()
    chance = random.Random(20260105)
    with serving(settings) as server, client(server.address) as stubs:
        tenants = {f"t{i}-{told[i % len(told)].name}": told[i % len(told)] for i in range(shuffles)}
        for tenant, story in tenants.items():
            tell(stubs, tenant, story, chance)
        for step in STEPS:
            to = Timestamp()
            to.FromJsonString(step)
            stubs.admin.AdvanceClock(admin_pb.AdvanceClockRequest(to=to, request_id=step))
        first: dict[str, Any] = {}
        for tenant, story in tenants.items():
            seen = outcome(stubs, tenant, story)
            assert seen == first.setdefault(story.name, seen), tenant
    codes = {code for seen in first.values() for case in seen["cases"] for code in case["codes"]}
    assert len(codes) >= 8, codes
    assert {"TRACKING_STALLED", "NODE_STUCK", "ATTEMPTS_EXHAUSTED", "TRACKING_ANOMALY"} <= codes


def of(tenant: str) -> Sequence[tuple[str, str]]:
    """The metadata of a tenant's call."""
    return (("esm-tenant", tenant),)


def tell(stubs: Client, tenant: str, story: Story, chance: random.Random) -> None:
    """Every fact one to five times, in any order, in batches of any size; parcels in between."""
    facts = [fact for fact in story.facts for _ in range(chance.randint(1, COPIES_MAX))]
    chance.shuffle(facts)
    register = tracking_pb.RegisterShipmentsRequest(shipments=story.parcels)
    when = chance.randrange(len(facts) + 1)
    sent = 0
    while sent < len(facts) or when >= 0:
        if 0 <= when <= sent:
            stubs.tracking.RegisterShipments(register, metadata=of(tenant))
            when = -1
        batch = facts[sent : sent + chance.randint(1, BATCH_MAX)]
        sent += len(batch)
        if batch:
            request = ParseDict({"checkpoints": batch}, tracking_pb.RecordCheckpointsRequest())
            answer = stubs.tracking.RecordCheckpoints(request, metadata=of(tenant))
            assert not any(r.HasField("error") for r in answer.results), answer


def outcome(stubs: Client, tenant: str, story: Story) -> dict[str, Any]:
    """The parcels and cases of a tenant, without what may differ."""
    parcels = [
        plain(
            MessageToDict(
                stubs.tracking.GetShipment(
                    tracking_pb.GetShipmentRequest(shipment_code=parcel.shipment_code),
                    metadata=of(tenant),
                )
            )
        )
        for parcel in story.parcels
    ]
    cases: dict[str, dict[str, Any]] = {}
    for event in events(stubs, tenant):
        content = json.loads(event.payload)
        if event.topic == "exception.detected.v1":
            assert event.aggregate_id == str(expected_id(tenant, content))
            cases[event.aggregate_id] = {"codes": [content["code"]], "story": []}
        if event.aggregate_id not in cases:
            continue
        case = cases[event.aggregate_id]
        if event.topic in ("exception.reclassified.v1", "exception.source_joined.v1"):
            case["codes"].append(content["code"])
        case["story"].append((event.topic, event.occurred.ToJsonString(), plain(content)))
    ordered = sorted(cases.values(), key=lambda case: json.dumps(case["story"][0]))
    return {"parcels": parcels, "cases": ordered}


def expected_id(tenant: str, detected: Mapping[str, Any]) -> UUID:
    """The id that follows from tenant, parcel, family and occurrence alone."""
    subject = detected["subject"]
    key = ("parcel", subject["order_id"], subject["shipment_code"], subject.get("piece", ""))
    return exception_id(tenant, SEPARATOR.join(key), detected["family"], detected["occurrence"])


def events(stubs: Client, tenant: str) -> Iterator[Any]:
    """Every event of the tenant, in the order of the log."""
    token = ""
    while True:
        request = history_pb.ListEventsRequest(page_size=500, page_token=token)
        answer = stubs.history.ListEvents(request, metadata=of(tenant))
        yield from answer.events
        token = answer.next_page_token
        if not token:
            return


def plain(content: Any) -> Any:
    """Content without what may differ between tellings.

    Ids of cases and events are made of the tenant; those of cases are compared by themselves.
    """
    if isinstance(content, dict):
        return {k: plain(v) for k, v in content.items() if k not in VOLATILE}
    if isinstance(content, str) and ID.fullmatch(content):
        return "id"
    return [plain(each) for each in content] if isinstance(content, list) else content
