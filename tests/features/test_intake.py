"""Detection, codes, owners and the completeness of a ticket (rows A2, A5, A31, B4, B5, C1)."""

import json

import pytest
from shipment_exception.v1 import exception_pb2
from shipment_exception.v1 import exception_service_pb2 as cases_pb
from shipment_exception.v1 import ticket_service_pb2 as tickets_pb
from shipment_exception.v1.exception_pb2 import ShipmentException

from tests.features.refusals import refused
from tests.scenarios.driver import CATALOGUE, World, moment

HAPPENED, RECEIVED = "2026-03-01T08:00:00Z", "2026-03-01T09:30:00Z"


def carrier_signal(raw_code: str, source_id: str = "n-1") -> exception_pb2.Signal:
    """What a carrier's feed says, in its own words."""
    return exception_pb2.Signal(
        kind="carrier",
        feed="track17",
        source_id=source_id,
        raw_code=raw_code,
        raw_text="Zustellung nicht moeglich",
        occurred_at=moment(HAPPENED),
        received_at=moment(RECEIVED),
    )


def open_team(code: str) -> str:
    """The team that the catalogue gives a code."""
    return CATALOGUE.type_of(code).team


def test_the_raw_words_and_both_times_stay_beside_the_code(world: World) -> None:
    """A2."""
    checkpoint = exception_pb2.CheckpointInput(
        occurred_at=moment(HAPPENED),
        received_at=moment(RECEIVED),
        place="Linz",
        status="delivery_failed",
        raw_code="DF-7",
        raw_text="niemand da",
    )
    case = world.detect(
        "", signal=carrier_signal("DeliveryFailure_NoBody"), last_checkpoint=checkpoint
    )
    seen = world.case(case)
    assert seen.code == "RECIPIENT_UNREACHABLE"
    (source,) = seen.sources
    assert (source.kind, source.feed, source.source_id) == ("carrier", "track17", "n-1")
    assert (source.raw_code, source.raw_text) == (
        "DeliveryFailure_NoBody",
        "Zustellung nicht moeglich",
    )
    assert (source.occurred, source.received) == (moment(HAPPENED), moment(RECEIVED))
    last = seen.last_checkpoint
    assert (last.place, last.status, last.raw_code, last.raw_text) == (
        "Linz",
        "delivery_failed",
        "DF-7",
        "niemand da",
    )
    assert (last.occurred, last.received) == (moment(HAPPENED), moment(RECEIVED))
    fact = json.loads(world.events(case)[0].payload)
    assert fact["source"]["raw_code"] == "DeliveryFailure_NoBody"
    assert fact["code"] == "RECIPIENT_UNREACHABLE"
    assert fact["source"]["occurred"] == "2026-03-01T08:00:00.000000Z"
    assert fact["source"]["received"] == "2026-03-01T09:30:00.000000Z"


def test_an_unknown_raw_code_becomes_other_and_is_kept(world: World) -> None:
    """A2."""
    case = world.detect("", signal=carrier_signal("Brand_New_Code"))
    seen = world.case(case)
    assert (seen.code, seen.sources[0].raw_code) == ("OTHER", "Brand_New_Code")


def test_a_failed_delivery_opens_a_case_at_once(world: World) -> None:
    """A5."""
    request = world.detection("", signal=carrier_signal("DeliveryFailure_Other"))
    answer = world.send(world.client.exceptions.DetectException, request)
    assert answer.exception.code == "DELIVERY_FAILED"
    assert answer.exception.state == ShipmentException.STATE_ESCALATED
    topics = [event.topic for event in world.events(answer.exception.exception_id)]
    assert topics == ["exception.detected.v1", "exception.escalated.v1"]


def test_reclassifying_inside_the_family_keeps_the_id_with_reason_and_evidence(
    world: World,
) -> None:
    """A31."""
    case = world.detect("TRACKING_STALLED")
    before = world.case(case)
    after = world.do(
        "ReclassifyException", case, code="LOST", reason="carrier says so", evidence=["mail-7"]
    )
    assert (after.exception_id, after.family, after.code) == (case, before.family, "LOST")
    assert [(c.from_code, c.code, list(c.evidence)) for c in after.codes] == [
        ("", "TRACKING_STALLED", []),
        ("TRACKING_STALLED", "LOST", ["mail-7"]),
    ]
    fact = json.loads(world.events(case)[-1].payload)
    assert (fact["from_code"], fact["code"]) == ("TRACKING_STALLED", "LOST")
    assert "box" in fact["reason"]
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "code"):
        world.do("ReclassifyException", case, code="DAMAGED", reason="another family")
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "reason"):
        world.do("ReclassifyException", case, code="SUSPECTED_LOST", reason="")


def test_a_second_signal_of_higher_precedence_raises_the_code(world: World) -> None:
    """A31."""
    case = world.detect("TRACKING_STALLED")
    assert world.detect("SUSPECTED_LOST") == case
    assert world.case(case).code == "SUSPECTED_LOST"
    assert world.detect("TRACKING_STALLED") == case
    assert world.case(case).code == "SUSPECTED_LOST"
    ranks = [CATALOGUE.type_of(c).rank for c in ("TRACKING_STALLED", "SUSPECTED_LOST")]
    assert ranks == sorted(ranks)


def test_every_code_opens_with_the_team_of_the_catalogue(world: World) -> None:
    """B4."""
    requests = []
    for number, (code, type_) in enumerate(sorted(CATALOGUE.types.items())):
        more = {"failing_check": "address"} if type_.phase == "pre_ship" else {}
        parcel = "S1" if type_.phase == "post_ship" else ""
        requests.append(world.detection(code, order=f"B{number}", parcel=parcel, **more))
    assert len(requests) == 83
    answer = world.send(
        world.client.exceptions.BatchDetectExceptions,
        cases_pb.BatchDetectExceptionsRequest(requests=requests),
    )
    found = {r.exception.code: r.exception.team for r in answer.results}
    assert found == {code: open_team(code) for code in CATALOGUE.types}
    assert set(found.values()) <= set(CATALOGUE.teams)
    assert len(CATALOGUE.teams) == 10


def test_no_open_case_is_without_team_and_none_in_work_without_owner(world: World) -> None:
    """B5."""
    watched = world.detect("TRACKING_STALLED", stage=exception_pb2.STAGE_AT_RISK)
    worked = world.detect("DAMAGED")
    assert (world.case(watched).team, world.case(watched).owner) == ("support", "")
    assert world.case(worked).owner == f"queue:{open_team('DAMAGED')}"
    world.do("AssignException", worked, owner="carol", reason="her carrier")
    world.do("AssignException", worked, team="finance", reason="money")
    assert world.case(worked).owner == "queue:finance"
    moves = [e for e in world.events(worked) if e.topic == "exception.assigned.v1"]
    first, second = (json.loads(event.payload) for event in moves)
    assert (first["from_owner"], first["owner"]) == (f"queue:{open_team('DAMAGED')}", "carol")
    assert (second["from_team"], second["team"]) == (open_team("DAMAGED"), "finance")
    assert second["from_owner"] == "carol"
    assert [event.actor for event in moves] == ["ann", "ann"]
    assert all("box" in fact["reason"] for fact in (first, second))
    request = tickets_pb.ListTicketsRequest(filter="open = true", min_position=world.position)
    tickets = world.send(world.client.tickets.ListTickets, request).tickets
    assert len(tickets) == 2
    assert all(t.team for t in tickets)
    assert all(t.owner for t in tickets if t.state == ShipmentException.STATE_ESCALATED)
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "owner"):
        world.do("AssignException", worked)


@pytest.mark.parametrize(
    ("missing", "field"),
    [
        ("order", "subject.order_id"),
        ("parcel", "subject.shipment_code"),
        ("last_checkpoint", "last_checkpoint"),
    ],
)
def test_a_post_ship_case_without_its_facts_is_refused(
    world: World, missing: str, field: str
) -> None:
    """C1."""
    request = world.detection("LOST")
    if missing == "order":
        request.subject.order_id = ""
    elif missing == "parcel":
        request.subject.shipment_code = ""
    else:
        request.ClearField("none_yet_looked_at")
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", field):
        world.send(world.client.exceptions.DetectException, request)


def test_a_ticket_shows_the_last_event_or_when_we_looked(world: World) -> None:
    """C1."""
    case = world.detect("LOST")
    request = tickets_pb.GetTicketRequest(exception_id=case, min_position=world.position)
    ticket = world.send(world.client.tickets.GetTicket, request).ticket
    assert (ticket.subject.order_id, ticket.subject.shipment_code) == ("O1", "S1")
    assert ticket.none_yet_looked_at == moment("2026-02-25T00:00:00Z")
    assert not ticket.HasField("last_checkpoint")


def test_a_pre_ship_case_needs_the_order_and_the_failing_check(world: World) -> None:
    """C1."""
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "failing_check"):
        world.detect("STOCK_OUT", parcel="")
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "subject.order_id"):
        world.detect("STOCK_OUT", order="", parcel="", failing_check="stock")
    case = world.detect("STOCK_OUT", parcel="", failing_check="stock")
    assert world.case(case).failing_check == "stock"
