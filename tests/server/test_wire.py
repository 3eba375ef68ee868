"""Domain structs and protobuf messages: nothing is lost, and nonsense is named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from shipment_exception.v1 import exception_actions_pb2 as actions_pb
from shipment_exception.v1 import exception_closing_pb2 as closing_pb
from shipment_exception.v1 import exception_pb2, ledger_pb2, order_pb2, ticket_pb2
from shipment_exception.v1 import exception_service_pb2 as cases_pb
from shipment_exception.v1 import exception_watch_pb2 as watch_pb
from shipment_exception.v1 import history_service_pb2 as history_pb
from shipment_exception.v1 import order_service_pb2 as orders_pb

from esm import commands, events, lifecycle
from esm.catalog import load
from esm.errors import InvalidCommand
from esm.events import Sealed, Subject
from esm.exception.state import Action, Booked, Carry, Case, Verification
from esm.ids import event_id
from esm.order.state import Line, Order
from projections.tickets.view import ActionSummary, Ticket
from server.wire.answers import Answer, Frame
from server.wire.cases import case
from server.wire.commands import ADVANCE_CLOCK, REQUESTS, read_command
from server.wire.enums import words
from server.wire.events import Told, preview
from server.wire.orders import order
from server.wire.requests import (
    HEADER_FIELDS,
    REPEATED_MAX,
    TEXT_CHARS_MAX,
    WORD_CHARS_MAX,
    Request,
)
from server.wire.tickets import ticket

CASE_ID = UUID("6f1c1a3e-0000-5000-8000-000000000001")
AT = "2026-11-22T10:27:03.000007Z"


@pytest.fixture
def frame() -> Frame:
    return Frame("t1", load(), lambda _, sealed: sealed.box.decode(), lambda n: f"p{n}")


def sealed(text: str) -> Sealed:
    return Sealed(subject="ann", key_id="k", box=text.encode())


def concrete_commands(base: type[commands.Command]) -> Iterator[type[commands.Command]]:
    """Commands that a request may ask for: those of our own workers have none."""
    for cls in base.__subclasses__():
        yield from concrete_commands(cls)
        if cls not in commands.INTERNAL | {commands.CaseCommand, commands.ActionCommand}:
            yield cls


# --- requests -------------------------------------------------------------------------------


def test_every_command_has_exactly_one_request_and_every_command_request_is_read() -> None:
    bound = [request.struct for request in (*REQUESTS.values(), ADVANCE_CLOCK)]
    assert sorted(c.__name__ for c in bound) == sorted(
        c.__name__ for c in concrete_commands(commands.Command)
    )
    headed = {
        message
        for file in (actions_pb, cases_pb, closing_pb, watch_pb, orders_pb, history_pb)
        for message in file.DESCRIPTOR.message_types_by_name.values()
        if set(message.fields_by_name) >= HEADER_FIELDS
    }
    assert headed == {message.DESCRIPTOR for message in REQUESTS}


def test_a_command_of_our_own_workers_has_no_request() -> None:
    assert not {request.struct for request in REQUESTS.values()} & commands.INTERNAL


@pytest.mark.parametrize("message", REQUESTS, ids=lambda m: m.__name__)
def test_every_field_of_a_request_reaches_its_command(message: type[Message]) -> None:
    filled = message()
    fill(filled)
    command, header = read_command(filled)
    for field in msgspec.structs.fields(type(command)):
        assert getattr(command, field.name) not in ("", (), None, 0, False), field.name
    etag = "etag" if "etag" in message.DESCRIPTOR.fields_by_name else ""
    assert header == (AT, "request_id", etag, True)


def test_a_request_that_sets_the_time_names_no_other() -> None:
    filled = ADVANCE_CLOCK.message()
    fill(filled)
    command, header = ADVANCE_CLOCK.command(filled)
    assert command == commands.AdvanceClock(to=AT)
    assert header == ("", "request_id", "", True)


def test_an_empty_request_is_read_unless_it_lacks_a_required_message() -> None:
    for message in set(REQUESTS) - {cases_pb.DetectExceptionRequest}:
        assert read_command(message())[1] == ("", "", "", False)
    with pytest.raises(InvalidCommand) as refused:
        read_command(cases_pb.DetectExceptionRequest())
    assert {(v.field, v.description) for v in refused.value.violations} == {
        ("subject", "is required"),
        ("signal", "is required"),
    }


class TooFew(msgspec.Struct, frozen=True, kw_only=True):
    """A command that lacks a field of its request."""

    exception_id: str


def test_a_field_on_one_side_only_stops_the_start() -> None:
    with pytest.raises(TypeError, match="level, reason"):
        Request(cases_pb.EscalateExceptionRequest, TooFew, header=True)


def test_times_are_cut_to_microseconds_and_kept_over_the_whole_range() -> None:
    request = cases_pb.StopWaitingRequest(
        exception_id="x", occurred_at=Timestamp(seconds=-62_135_596_800, nanos=1_999)
    )
    assert read_command(request)[1].occurred == "0001-01-01T00:00:00.000001Z"


def test_absent_money_is_not_zero_money() -> None:
    request = actions_pb.ProposeActionRequest(
        exception_id="x", kind="claim", amount={"currency": "USD"}
    )
    command, _ = read_command(request)
    assert isinstance(command, commands.ProposeAction)
    assert command.amount is not None
    assert command.amount.minor_units == 0
    assert command.goods_cost is None


BAD: list[tuple[Message, str]] = [
    (
        cases_pb.StopWaitingRequest(occurred_at=Timestamp(seconds=253_402_300_800)),
        "occurred_at",
    ),
    (cases_pb.StopWaitingRequest(occurred_at=Timestamp(nanos=-1)), "occurred_at"),
    (cases_pb.EscalateExceptionRequest(level=9), "level"),  # type: ignore[arg-type] # is the test
    (
        actions_pb.RecordActionOutcomeRequest(outcome=99),  # type: ignore[arg-type] # is the test
        "outcome",
    ),
    (cases_pb.AssignExceptionRequest(owner="a" * (WORD_CHARS_MAX + 1)), "owner"),
    (cases_pb.AssignExceptionRequest(owner="a\nb"), "owner"),
    (cases_pb.AddNoteRequest(text="a" * (TEXT_CHARS_MAX + 1)), "text"),
    (cases_pb.AddNoteRequest(text="a\0b"), "text"),
    (
        cases_pb.ReclassifyExceptionRequest(evidence=["a"] * (REPEATED_MAX + 1)),
        "evidence",
    ),
    (cases_pb.ReclassifyExceptionRequest(evidence=["a", "\x7f"]), "evidence[1]"),
    (cases_pb.AddNoteRequest(request_id="a b"), "request_id"),
    (cases_pb.AddNoteRequest(request_id="a" * 129), "request_id"),
    (cases_pb.DetectExceptionRequest(signal={"kind": "person"}), "subject"),
    (actions_pb.ReverseEntryRequest(legs=[{"leg": 1}]), "legs[0].amount"),
    (
        orders_pb.OrderInput(
            sale_lines=[{}, {"sale_recognised_at": Timestamp(nanos=1_000_000_000)}]
        ),
        "sale_lines[1].sale_recognised_at",
    ),
]


@pytest.mark.parametrize(("request_", "path"), BAD, ids=[path for _, path in BAD])
def test_what_can_never_be_right_is_named_by_its_path(request_: Message, path: str) -> None:
    with pytest.raises(InvalidCommand) as refused:
        read_command(request_)
    assert [v.field for v in refused.value.violations] == [path]


def test_all_violations_of_a_request_come_at_once() -> None:
    request = cases_pb.AddNoteRequest(text="\0", exception_id="\n", request_id=" ")
    with pytest.raises(InvalidCommand) as refused:
        read_command(request)
    assert {v.field for v in refused.value.violations} == {"text", "exception_id", "request_id"}


# --- enums ----------------------------------------------------------------------------------


def test_the_enums_have_the_words_of_the_domain() -> None:
    def spoken(enum: Any) -> set[str]:
        return set(words(enum.DESCRIPTOR).number_of) - {""}

    outcomes = {"acknowledged", "succeeded", "failed", "dispatched"}
    outcomes |= {"claim_approved", "claim_paid", "claim_denied"}
    outcomes |= {"coupon_used", "coupon_revoked", "coupon_expired"}
    assert spoken(exception_pb2.ShipmentException.State) == set(lifecycle.STATES)
    assert spoken(exception_pb2.ActionStatus) == set(lifecycle.ACTION_STATUSES)
    assert spoken(exception_pb2.ActionOutcome) == outcomes
    assert spoken(exception_pb2.Stage) == {"at_risk", "breached", "serious"}
    assert set(words(exception_pb2.ResponseLevel.DESCRIPTOR).word_of) == {0, 1, 2, 3}


# --- answers --------------------------------------------------------------------------------


CARRY = Carry(item="action:A1", amount=500, owner="f", due="2026-12-01", proposed_by="f")


def a_case() -> Case:
    entry = events.Entry(
        rules="r",
        ledger="default",
        currency="USD",
        effective="2026-11-22",
        order_id="O-1",
        exception_id=str(CASE_ID),
        episode=1,
        parts=(events.Part(row="R2", amounts={"n": 5}),),
        legs=(
            events.Leg(account="4100", debit=500, row="R2", action_id="A1"),
            events.Leg(account="2010", credit=500, row="R2", action_id="A1"),
        ),
    )
    action = Action(
        action_id="A1",
        kind="partial_refund",
        side="customer",
        money="refund",
        status="approved",
        episode=1,
        terms=events.Terms(
            currency="USD",
            lines=(events.TermLine(sale_line="1", amount=500),),
            shipment_code="S-1",
            cause_event_ids=("e1",),
        ),
        proposed_by="ann",
        approved_by="ben",
        amount=500,
    )
    return Case(
        id=CASE_ID,
        tenant="t1",
        subject=Subject(order_id="O-1", shipment_code="S-1"),
        code="DAMAGED",
        family="damage",
        phase="post_ship",
        occurrence=1,
        state="escalated",
        stage="",
        priority="P2",
        team="care",
        person="buyer-1",
        level=2,
        owner="ann",
        checkpoint=events.Checkpoint(occurred=AT, received=AT, raw_text=sealed("left at door")),
        verifications=(Verification(item="photos", result="confirmed", by="ann"),) * 3,
        sources=(events.Source(kind="person", occurred=AT, raw_text=sealed("broken")),),
        actions=(action,) * 3,
        booked=(Booked(version=7, kind="approval", entry=entry, reversed=(0, 0)),),
        balances={("2010", "action:A1"): -500, ("4100", "action:A1"): 0},
        currency="USD",
        carries=(
            Carry(item="action:A1", amount=500, owner="f", due="2026-12-01", proposed_by="f"),
        ),
        billing_lines={"L1": 7},
        written_back={"": 3},
        summary=sealed("sorry"),
        customer_resolved_at=AT,
    )


def test_a_case_shows_what_its_state_holds(frame: Frame) -> None:
    shown = exception_pb2.ShipmentException(**case(9, a_case(), frame))
    assert (shown.exception_id, shown.etag) == (str(CASE_ID), "9")
    assert shown.state == exception_pb2.ShipmentException.STATE_ESCALATED
    assert shown.level == exception_pb2.RESPONSE_LEVEL_2
    assert shown.stage == exception_pb2.STAGE_UNSPECIFIED
    assert shown.last_checkpoint.raw_text == "left at door"
    assert shown.customer_resolved_at.ToJsonString() == "2026-11-22T10:27:03.000007Z"
    assert shown.summary == "sorry"
    first = shown.actions[0]
    assert (first.amount.currency, first.amount.minor_units) == ("USD", 500)
    assert (first.lines[0].sale_line, first.lines[0].amount.minor_units) == ("1", 500)
    assert first.status == exception_pb2.ACTION_STATUS_APPROVED
    assert (first.shipment_code, list(first.cause_event_ids)) == ("S-1", ["e1"])
    assert not first.HasField("freight")
    assert [(b.account, b.amount.minor_units) for b in shown.balances] == [("2010", -500)]
    assert [(e.event_id, list(e.rows), e.reversed) for e in shown.entries] == [
        (event_id(CASE_ID, 7), ["R2"], False)
    ]
    assert [i.item for i in shown.open_items if i.item == "action:A1"] == ["action:A1"]
    assert shown.carries[0].amount.currency == "USD"
    assert (list(shown.billing_lines), list(shown.written_back)) == (["L1"], [""])


def test_an_order_shows_zero_amounts_in_its_currency(frame: Frame) -> None:
    sale = events.SaleLine(
        line_id="1",
        sku="X",
        quantity=2,
        goods=1_000,
        discounts=(events.Discount(funder="seller", minor_units=50),),
        sale_recognised_at=AT,
    )
    state = Order(
        id=CASE_ID,
        tenant="t1",
        order_id="O-1",
        currency="JPY",
        legal_entity="default",
        lines=(Line(sale=sale, goods_undone=400),),
        captured=1_000,
    )
    shown = order_pb2.Order(**order(3, state, frame))
    line = shown.sale_lines[0]
    assert (line.goods.minor_units, line.goods_undone.minor_units) == (1_000, 400)
    assert (line.tax.currency, line.tax.minor_units) == ("JPY", 0)
    assert line.discounts[0].amount.minor_units == 50
    assert (shown.charged_back.currency, shown.available.minor_units) == ("JPY", 1_000)
    assert shown.etag == "3"


def test_a_ticket_shows_its_times_and_amounts(frame: Frame) -> None:
    value = Ticket(
        tenant="t1",
        exception_id=str(CASE_ID),
        state="detected",
        code="LOST",
        family="delay_loss",
        phase="post_ship",
        stage="at_risk",
        priority="P1",
        team="care",
        order_id="O-1",
        invoice_line=events.InvoiceLine(carrier="c", number="n", line="1"),
        detected_at=1_500_000,
        none_yet=AT,
        actions=(
            ActionSummary(
                action_id="A1",
                kind="claim",
                side="recovery",
                status="submitted",
                episode=1,
                amount=7,
                currency="EUR",
            ),
        ),
        version=4,
        position=12,
    )
    shown = ticket_pb2.Ticket(**ticket(value, frame))
    assert (shown.etag, shown.position, shown.subject.order_id) == ("4", "p12", "O-1")
    assert shown.subject.invoice_line.carrier == "c"
    assert (shown.detected_at.seconds, shown.detected_at.nanos) == (1, 500_000_000)
    assert not shown.HasField("escalated_at")
    assert (shown.actions[0].amount.currency, shown.actions[0].amount.minor_units) == ("EUR", 7)
    assert shown.stage == exception_pb2.STAGE_AT_RISK


def test_a_preview_shows_events_as_they_would_be_stored_and_their_entries(frame: Frame) -> None:
    booked = a_case().booked[0].entry
    made = events.ActionApproved(action_id="A1", by="ben", amount=500, entry=booked)
    note = events.NoteAdded(text=sealed("x"))
    told = Told(AT, "ben", "asserted", "c", "d", "r")
    wire = preview([(CASE_ID, 8, made), (CASE_ID, 9, note)], told, frame)
    assert [e["topic"] for e in wire["events"]] == [made.TOPIC, note.TOPIC]
    assert wire["events"][0]["event_id"] == event_id(CASE_ID, 8)
    assert wire["events"][1]["request_id"] == "r"
    (entry,) = [ledger_pb2.JournalEntry(**e) for e in wire["entries"]]
    assert (entry.event_id, entry.year, entry.number) == (event_id(CASE_ID, 8), 2026, 0)
    assert [(line.index, line.account, line.order_id) for line in entry.lines] == [
        (0, "4100", "O-1"),
        (1, "2010", "O-1"),
    ]
    assert (entry.lines[0].debit.minor_units, entry.lines[0].HasField("credit")) == (500, False)


def test_a_field_of_an_answer_without_a_source_stops_the_start() -> None:
    with pytest.raises(TypeError, match="Carry has no state"):
        Answer(
            exception_pb2.ShipmentException,
            Carry,
            {
                "exception_id": "item",
                "subject": lambda *_: None,
                "code": "item",
                "family": "item",
                "phase": "item",
                "occurrence": lambda *_: None,
            },
            elsewhere=["etag"],
        )


# --- a message with every field set ---------------------------------------------------------


def fill(message: Message) -> None:
    """Sets every field of a message to something that is not its default."""
    for field in message.DESCRIPTOR.fields:
        if field.is_repeated and field.message_type is not None:
            fill(getattr(message, field.name).add())
        elif field.is_repeated:
            getattr(message, field.name).append(field.name)
        elif field.message_type is not None:
            fill_message(getattr(message, field.name), field.message_type)
        elif field.enum_type is not None:
            setattr(message, field.name, 1)
        else:
            setattr(message, field.name, VALUES.get(field.type, 1)(field.name))


def fill_message(message: Message, descriptor: Any) -> None:
    if descriptor.full_name == Timestamp.DESCRIPTOR.full_name:
        message.FromJsonString(AT)  # type: ignore[attr-defined] # a Timestamp
    else:
        fill(message)


VALUES: dict[int, Any] = {
    FieldDescriptor.TYPE_STRING: str,
    FieldDescriptor.TYPE_BOOL: bool,
    FieldDescriptor.TYPE_INT32: len,
    FieldDescriptor.TYPE_INT64: len,
}
