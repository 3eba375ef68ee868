"""What must hold after any sequence of commands, read over the API and beside it."""

import base64
from collections import defaultdict
from typing import Any
from uuid import UUID

from esm.codec import decode
from esm.events import Event
from esm.evolve import State, evolve
from server.client import Json
from server.journal import entry_of, event_of, turnover_of
from server.verification import audit
from tests.properties.world import ORDER, World, minor

PAGE = 500
MEMO = frozenset({"9010", "9990"})


def listed(world: World, rpc: str, field: str, **request: Any) -> list[Json]:
    """Every item of a listing that has seen the world's last command."""
    found: list[Json] = []
    token = ""
    while True:
        asked = {"page_size": PAGE, "min_position": world.position, "page_token": token, **request}
        answer = world.call(rpc, asked)
        found += answer.get(field, [])
        token = answer.get("next_page_token", "")
        if not token:
            return found


def check_entries(world: World, before: list[Json]) -> list[Json]:
    """Every entry balances, and those listed before are still there as they were."""
    entries = listed(world, "ListEntries", "entries")
    assert entries[: len(before)] == before, "an entry has changed"
    for entry in entries[len(before) :]:
        sums: defaultdict[tuple[str, bool], int] = defaultdict(int)
        for line in entry["lines"]:
            debit, credit = minor(line.get("debit")), minor(line.get("credit"))
            assert (debit > 0) != (credit > 0), line
            currency = line.get("debit", line.get("credit"))["currency"]
            assert currency == entry["currency"]
            sums[currency, line["account"] in MEMO] += debit - credit
        assert not any(sums.values()), entry
    return entries


def check_replay(world: World, live: dict[UUID, tuple[int, State | None]]) -> None:
    """Folding the listed events gives the states that the server decides on and shows."""
    folded: dict[UUID, tuple[int, State | None]] = {}
    positions: set[str] = set()
    for event in listed(world, "ListEvents", "events"):
        aggregate, version = UUID(event["aggregate_id"]), int(event["version"])
        before, state = folded.get(aggregate, (0, None))
        assert version == before + 1, "a version is missing or doubled"
        assert event["position"] not in positions
        positions.add(event["position"])
        fact = decode(event["topic"], base64.b64decode(event["payload"]))
        assert isinstance(fact, Event)
        tenant = dict(world.client.metadata)["esm-tenant"]
        folded[aggregate] = version, evolve(state, fact, aggregate, tenant, version)
    for aggregate, found in folded.items():
        assert live.get(aggregate, found) == found, f"{aggregate} differs from its replay"
    for exception_id, case in world.cases.items():
        shown = world.call("GetException", {"exception_id": exception_id})["exception"]
        version = int(shown["etag"])
        assert version == folded[UUID(exception_id)][0]
        as_of = {"exception_id": exception_id, "version": version}
        assert world.call("GetExceptionAsOf", as_of)["exception"] == shown
        if case["etag"] == shown["etag"]:
            assert case == shown, "an answer differs from what is read"


def check_order(world: World) -> None:
    """No decision of ours ever went above captured - refunded - charged back - disputed."""
    request = {"filter": f'order_id = "{ORDER}"'}
    captured = outside = lost = 0
    disputes: dict[str, int] = {}
    decided: defaultdict[str, int] = defaultdict(int)
    paid: defaultdict[str, int] = defaultdict(int)
    tenders: dict[tuple[str, str], int] = {}

    def available() -> int:
        gone = sum(max(decided[action], paid[action]) for action in decided)
        return captured - gone - outside - lost - sum(disputes.values())

    for event in listed(world, "ListEvents", "events", **request):
        if not event["topic"].startswith("order."):
            continue
        fact: Any = decode(event["topic"], base64.b64decode(event["payload"]))
        match type(fact).__name__:
            case "OrderRecorded":
                captured += sum(_once(tenders, t, t.captured) for t in fact.tenders)
            case "PaymentCaptured":
                captured += _once(tenders, fact, fact.amount)
            case "RefundCommitted":
                decided[fact.action_id] += fact.amount
                assert available() >= 0, f"decided {-available()} above what was there"
            case "RefundReleased":
                decided[fact.action_id] -= fact.amount
                assert decided[fact.action_id] >= 0
            case "RefundPaid":
                paid[fact.action_id] += fact.amount
            case "OutsideRefundRecorded":
                outside += fact.amount
            case "DisputeOpened":
                disputes[fact.external_id] = disputes.get(fact.external_id, 0) + fact.amount
            case "DisputeClosed":
                disputes[fact.external_id] -= fact.amount
                if fact.outcome == "lost":
                    lost += fact.amount - fact.settled
    shown = world.call("GetOrder", {"order_id": ORDER})["order"]
    assert minor(shown.get("captured")) == captured, (shown, tenders)
    assert minor(shown.get("available")) == available()


def _once(tenders: dict[tuple[str, str], int], payment: Any, amount: int) -> int:
    """What a payment adds to those known: a tender that is told twice counts once."""
    key = (payment.provider, payment.external_id)
    known = tenders.get(key, 0)
    tenders[key] = max(known, amount)
    return tenders[key] - known


def check_trial_balance(world: World, entries: list[Json]) -> None:
    """The trial balance is the sum of the entries, and balances."""
    answer = world.call("GetTrialBalance", {"min_position": world.position})
    summed: defaultdict[str, int] = defaultdict(int)
    for entry in entries:
        for line in entry["lines"]:
            summed[line["account"]] += minor(line.get("debit")) - minor(line.get("credit"))
    shown = [*answer.get("accounts", []), *answer.get("memoranda", [])]
    assert {a["account"]: minor(a.get("balance")) for a in shown} == dict(summed)
    for total in answer.get("totals", []):
        assert minor(total.get("debit")) == minor(total.get("credit"))


def check_audit(world: World, entries: list[Json]) -> None:
    """The auditor, which shares no code with the domain, derives the same books from the log."""
    tenant = dict(world.client.metadata)["esm-tenant"]
    events = [event_of(event, tenant) for event in listed(world, "ListEvents", "events")]
    answer = world.call("GetTrialBalance", {"min_position": world.position})
    shown = [*answer.get("accounts", []), *answer.get("memoranda", [])]
    turnovers = [turnover_of(each, "default") for each in shown]
    assert list(audit(lambda: events, map(entry_of, entries), turnovers)) == []


def rebuild_equals_live(world: World) -> None:
    """Both projections rebuilt from the first event are, byte by byte, what they were."""
    for projection in ("tickets", "ledger"):
        *_, last = world.client.stream("RebuildProjection", {"projection": projection})
        world.seen.rpcs["RebuildProjection"] += 1
        assert last.get("done")
        assert last.get("equal"), f"{projection} differs when rebuilt"
        assert last["live_digest"] == last["rebuilt_digest"]
