"""The board of the desk: classes, platform types, what is due, and the queue (rows B1, B2)."""

from collections.abc import Iterable
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from shipment_exception.v1 import exception_pb2, ticket_pb2
from shipment_exception.v1 import ticket_service_pb2 as tickets_pb

from esm import codec
from esm import events as e
from server.settings import Settings
from tests.features.planting import plant
from tests.features.refusals import refused
from tests.scenarios.driver import CATALOGUE, World, moment, money
from tests.server.esm import Esm
from tests.serving import client, serving

CLASSES = {
    "PAYMENT_FAILED": "payment",
    "CHARGEBACK": "payment",
    "ADDRESS_INCOMPLETE": "information",
    "STOCK_OUT": "stock",
    "DAMAGED": "logistics",
    "NODE_STUCK": "logistics",
    "WRONG_ITEM": "fulfilment",
    "QUALITY_RETURN": "fulfilment",
    "BILLING_DISPUTE": "reconciliation",
}
"""Codes with the class that each is in."""

TYPES = {
    ("LABEL_NO_SCAN", "person"): "pickup_timeout",
    ("NODE_STUCK", "carrier"): "transit_timeout",
    ("DELIVERY_TIMEOUT", "alert"): "delivery_timeout",
    ("FALSE_SIGNOFF", "platform"): "false_signoff",
    ("DAMAGED", "carrier"): "carrier_reported",
    ("DAMAGED", "customer"): "",
}
"""Codes and first sources with the platform type that each is of."""


def signal(kind: str, number: int = 0) -> exception_pb2.Signal:
    return exception_pb2.Signal(kind=kind, feed="test", source_id=f"{kind}/{number}")


def open_case(world: World, code: str, number: int, kind: str = "person") -> str:
    phase = CATALOGUE.type_of(code).phase
    more: dict[str, Any] = {"failing_check": "a_check"} if phase == "pre_ship" else {}
    parcel = f"S{number}" if phase == "post_ship" else ""
    return world.detect(
        code, order=f"O{number}", parcel=parcel, signal=signal(kind, number), **more
    )


def listed(world: World, filter_: str = "", order_by: str = "") -> list[ticket_pb2.Ticket]:
    request = tickets_pb.ListTicketsRequest(
        filter=filter_, order_by=order_by, page_size=500, min_position=world.position
    )
    return list(world.send(world.client.tickets.ListTickets, request).tickets)


def counted(world: World, filter_: str, as_of: str = "") -> int:
    request = tickets_pb.CountTicketsRequest(
        by=tickets_pb.TICKET_PROPERTY_STATE, filter=filter_, min_position=world.position
    )
    if as_of:
        request.as_of.CopyFrom(moment(as_of))
    return int(world.send(world.client.tickets.CountTickets, request).total)


def codes(tickets: Iterable[ticket_pb2.Ticket]) -> set[str]:
    return {ticket.code for ticket in tickets}


def test_tickets_are_listed_and_counted_by_the_class_of_the_desk(world: World) -> None:
    """B1."""
    for number, code in enumerate(CLASSES):
        open_case(world, code, number)
    assert {t.code: t.ticket_class for t in listed(world)} == CLASSES
    assert set(CLASSES.values()) == set(CATALOGUE.views.classes)
    for name in CATALOGUE.views.classes:
        wanted = {code for code, class_ in CLASSES.items() if class_ == name}
        assert codes(listed(world, f"class = {name}")) == wanted
        assert codes(listed(world, f"class != {name}")) == set(CLASSES) - wanted
        assert counted(world, f"class = {name} AND open = true") == len(wanted)
        assert counted(world, f"class = {name}", as_of="2100-01-01T00:00:00Z") == len(wanted)
        assert counted(world, f"class = {name}", as_of="2001-01-01T00:00:00Z") == 0


def test_the_five_types_of_platforms_part_the_tickets_that_they_cover(world: World) -> None:
    """B1."""
    cases = {
        open_case(world, code, number, kind): name
        for number, ((code, kind), name) in enumerate(TYPES.items())
    }
    # Who else reports it, later, changes no type.
    world.detect("DAMAGED", order="O5", parcel="S5", signal=signal("carrier", 99))
    assert {t.exception_id: t.platform_type for t in listed(world)} == cases
    found: list[str] = []
    for name in CATALOGUE.views.platform_types:
        members = [t.exception_id for t in listed(world, f"platform_type = {name}")]
        assert members == [case for case, type_ in cases.items() if type_ == name]
        assert counted(world, f"platform_type = {name}") == 1
        assert counted(world, f"platform_type != {name}") == len(cases) - 1
        assert counted(world, f"platform_type = {name}", as_of="2100-01-01T00:00:00Z") == 1
        found += members
    assert len(found) == len(set(found)) == 5
    both = 'class = "logistics" AND platform_type = carrier_reported AND first_source = carrier'
    assert codes(listed(world, both)) == {"DAMAGED"}


@pytest.mark.parametrize(
    "filter_",
    [
        "class = nonsense",
        "platform_type = payment",
        "class > payment",
        "class:pay",
        "class:*",
        'class = ""',
        "ticket_class = payment",
    ],
)
def test_a_class_that_the_catalogue_does_not_hold_is_refused(world: World, filter_: str) -> None:
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "filter"):
        listed(world, filter_)
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "filter"):
        counted(world, filter_)


def test_a_watch_sends_only_what_belongs(world: World) -> None:
    open_case(world, "DAMAGED", 1)
    wanted = open_case(world, "STOCK_OUT", 2)
    request = tickets_pb.WatchTicketsRequest(filter="class = stock")
    stream = world.client.tickets.WatchTickets(request, timeout=30)
    assert next(stream).ticket.exception_id == wanted
    stream.cancel()


def test_an_order_blocking_stock_case_comes_before_an_incomplete_address(world: World) -> None:
    """B2."""
    later = open_case(world, "ADDRESS_INCOMPLETE", 1)
    last = open_case(world, "RECIPIENT_UNAVAILABLE", 2)
    first = open_case(world, "STOCK_OUT", 3)
    queue = [ticket.exception_id for ticket in listed(world, "open = true")]
    assert queue == [first, later, last]
    assert [CATALOGUE.type_of(t.code).priority for t in listed(world)] == ["P0", "P2", "P3"]


def stalled(rule: str, stage: str, next_at: str) -> e.SourceJoined:
    alert = e.Alert(
        rule=rule,
        version=1,
        stage=stage,
        at="2026-03-01T00:00:00.000000Z",
        next_at=next_at,
    )
    source = e.Source(kind="alert", source_id=f"{rule}/{stage}", alert=alert)
    return e.SourceJoined(source=source)


def test_the_queue_of_one_priority_goes_by_due_time_and_a_clearing_takes_it_back(
    fresh: Settings, tenant: str
) -> None:
    """B2."""
    with serving(fresh) as running, client(running.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        cases = [open_case(world, "TRACKING_STALLED", number) for number in range(4)]
    facts: list[tuple[int, e.Event]] = [
        (1, stalled("STALL", "serious", "2026-03-05T00:00:00.000000Z")),
        (2, stalled("STALL", "serious", "2026-03-04T00:00:00.000000Z")),
        (3, stalled("STALL", "serious", "2026-03-03T00:00:00.000000Z")),
        (3, e.SignalCleared(source_ids=("STALL/serious",))),
    ]
    for number, fact in facts:
        plant(fresh, tenant, cases[number], fact.TOPIC, codec.encode(fact))
    with serving(fresh) as running, client(running.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        world.do("AddNote", cases[0], text="all caught up", request_id="n1")
        queue = listed(world)
        assert [t.exception_id for t in queue] == [cases[n] for n in (2, 1, 0, 3)]
        due = [t.due_at.ToJsonString() if t.HasField("due_at") else "" for t in queue]
        assert due == ["2026-03-04T00:00:00Z", "2026-03-05T00:00:00Z", "", ""]
        serious = exception_pb2.STAGE_SERIOUS
        assert [t.stage == serious for t in queue] == [True, True, False, True]
        (alert,) = queue[0].alerts
        assert (alert.rule, alert.stage) == ("STALL", serious)
        assert [t.exception_id for t in listed(world, "due_at:*")] == [cases[2], cases[1]]
        esm = Esm(running.address)
        shown = esm.run("ticket", "list", "--filter", "due_at:*", "--tenant", tenant).stdout
        assert "due 到期 2026-03-04 00:00Z" in shown
        before = listed(world, 'due_at <= "2026-03-04T00:00:00Z"')
        assert [t.exception_id for t in before] == [cases[2]]

        request = tickets_pb.ListDeadlinesRequest(min_position=world.position)
        deadlines = world.send(calls.tickets.ListDeadlines, request).deadlines
        assert [d.exception_id for d in deadlines] == [cases[2], cases[1]]
        assert [d.subject.shipment_code for d in deadlines] == ["S2", "S1"]
        assert {d.name for d in deadlines} == {"STALL"}
        request.until.CopyFrom(moment("2026-03-04T00:00:00Z"))
        assert len(world.send(calls.tickets.ListDeadlines, request).deadlines) == 1
        request.kind = tickets_pb.DEADLINE_KIND_MUTE_END
        assert not world.send(calls.tickets.ListDeadlines, request).deadlines


def carried_claim(world: World, number: int) -> tuple[str, str]:
    """A reconciled case with a claim that two persons carried to a day of May 2099."""
    order, parcel = f"O{number}", f"S{number}"
    world.record_order(order, parcels={"L1": parcel})
    case = world.detect("LOST", order=order, parcel=parcel)
    world.verify(case)
    claim = world.act(case, "claim", amount=money("60"), counterparty="sf", logistics_line="L1")
    world.outcome(case, claim, "claim_approved", amount=money("60"))
    world.outcome(case, world.act(case, "explain_only"), "succeeded")
    world.remediate(case, "EXPLAINED")
    world.write_back(case)
    terms = {
        "item": f"action:{claim}",
        "amount": money("60"),
        "reason": "pays in May",
        "owner": "carol",
        "due": f"2099-05-{10 + number}",
    }
    world.do("CarryItem", case, actor="ann", **terms)
    world.do("CarryItem", case, actor="bob", **terms)
    world.do("ReconcileException", case)
    return case, claim


def deadlines(world: World, page_token: str = "", **more: Any) -> tickets_pb.ListDeadlinesResponse:
    request = tickets_pb.ListDeadlinesRequest(
        page_token=page_token, min_position=world.position, **more
    )
    answer: tickets_pb.ListDeadlinesResponse = world.send(
        world.client.tickets.ListDeadlines, request
    )
    return answer


def test_carried_items_are_due_page_by_page_until_they_are_settled(world: World) -> None:
    claims = [carried_claim(world, number) for number in (1, 2, 3)]
    first = deadlines(world, page_size=2)
    rest = deadlines(world, first.next_page_token, page_size=2)
    assert rest.next_page_token == ""
    found = [*first.deadlines, *rest.deadlines]
    assert [(d.exception_id, d.name) for d in found] == [(c, f"action:{a}") for c, a in claims]
    assert {d.kind for d in found} == {tickets_pb.DEADLINE_KIND_CARRIED_ITEM}
    assert found[0].due_at.ToJsonString() == "2099-05-12T00:00:00Z"
    assert [d.subject.order_id for d in found] == ["O1", "O2", "O3"]
    case, claim = claims[1]
    world.outcome(case, claim, "claim_paid", amount=money("60"), account="1010")
    standing = deadlines(world).deadlines
    assert [d.exception_id for d in standing] == [claims[0][0], claims[2][0]]


def test_the_command_line_lists_what_comes_due(world: World) -> None:
    case, claim = carried_claim(world, 1)
    esm = Esm(world.client.address)
    words = ("ticket", "deadlines", "--tenant", world.tenant)
    (found,) = esm.json(*words, "--until", "2099-12-31T00:00:00Z")["deadlines"]
    assert (found["exception_id"], found["name"]) == (case, f"action:{claim}")
    shown = esm.run(*words, "--kind", "carried_item").stdout
    assert all(part in shown for part in (case, "carried item 结转项", "2099-05-12 00:00Z"))
    assert "none · 无" in esm.run(*words, "--kind", "next_stage").stdout
    assert "none · 无" in esm.run(*words, "--since", "2099-12-31T00:00:00Z").stdout
    assert esm.run(*words, "--kind", "tomorrow").exit_code != 0


def test_a_kind_or_moment_of_a_deadline_that_is_none_is_refused(world: World) -> None:
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "kind"):
        deadlines(world, kind=99)
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "until"):
        deadlines(world, until=Timestamp(seconds=2**60))
