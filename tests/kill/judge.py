"""Compares the client's record with the log of a server that was killed and started again."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from server.client import Client, Json, connect
from server.consistency import Tokens
from tests.kill.load import EVENTS, TENANT
from tests.kill.record import ACKNOWLEDGED, Asked

PAGE = 500
SAMPLE_EVERY = 97
"""One request id in so many is also looked up by the filter of ListEvents."""


@dataclass
class Verdict:
    """Request ids that the log does not hold as the record says, and numbering that is broken."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether the log is what the record says."""
        return not (self.lost or self.doubled or self.unasked or self.other)


def judge(address: str, record: Mapping[str, Asked]) -> Verdict:
    """Every acknowledged command is in the log once, and nothing else is."""
    verdict = Verdict()
    with connect(address, tenant=TENANT, actor="judge") as client:
        store = client.call("GetStatus")["store_id"]
        events = list(client.pages("ListEvents", {"page_size": PAGE}, "events"))
        _check_numbering(events, Tokens(store), verdict)
        by_request: defaultdict[str, list[Json]] = defaultdict(list)
        for event in events:
            by_request[event["request_id"]].append(event)
        for asked in record.values():
            _check(asked, by_request.get(asked.request_id, []), verdict)
        known = set(record) | {r for r in by_request if r.startswith("prepare-")}
        verdict.unasked = sorted(set(by_request) - known)
        for request_id in sorted(record)[::SAMPLE_EVERY]:
            _check_filter(client, request_id, by_request[request_id], verdict)
    return verdict


def _check(asked: Asked, events: list[Json], verdict: Verdict) -> None:
    wanted = EVENTS[asked.rpc]
    if asked.outcome == ACKNOWLEDGED and len(events) < wanted:
        verdict.lost.append(asked.request_id)
    elif len(events) not in (0, wanted):
        verdict.doubled.append(asked.request_id)
    elif asked.outcome == ACKNOWLEDGED and str(events[-1]["version"]) != asked.answer:
        verdict.other.append(f"{asked.request_id}: answered {asked.answer}, stands elsewhere")


def _check_filter(client: Client, request_id: str, events: list[Json], verdict: Verdict) -> None:
    asked = {"filter": f'request_id = "{request_id}"', "page_size": PAGE}
    if client.call("ListEvents", asked).get("events", []) != events:
        verdict.other.append(f"{request_id}: the filter finds other events")


def _check_numbering(events: list[Json], tokens: Tokens, verdict: Verdict) -> None:
    """Positions rise, and the versions of every aggregate count from 1."""
    positions = [tokens.number(event["position"], "position") for event in events]
    if positions != sorted(set(positions)):
        verdict.other.append("positions do not rise")
    versions: defaultdict[str, list[int]] = defaultdict(list)
    for event in events:
        versions[event["aggregate_id"]].append(int(event["version"]))
    for aggregate, found in versions.items():
        if found != list(range(1, len(found) + 1)):
            verdict.other.append(f"{aggregate}: versions {found[:20]}")
