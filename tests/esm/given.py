"""What domain tests begin with: an order of 124.30 CNY, cases on it, actions half done."""

from typing import Any

from esm import commands as c
from esm.events import Subject
from esm.exception.state import Case
from esm.ids import event_id
from esm.money import Money
from tests.esm.story import Story

LOOKED = "2026-02-25T00:00:00.000000Z"
MOVED = "2026-03-02T08:00:00.000000Z"
RECOGNISED = "2026-02-20T00:00:00.000000Z"
GROSS = 12430
"""Goods 100, shipping 10 and own tax 14.30 of the line "1", all captured."""


def cny(minor_units: int) -> Money:
    """An amount in fen."""
    return Money("CNY", minor_units)


def sale_line(line_id: str = "1", **changes: Any) -> c.SaleLineInput:
    """A sale line of 124.30 gross, recognised unless changed."""
    fields: dict[str, Any] = {
        "sku": "A",
        "quantity": 1,
        "goods": cny(10000),
        "shipping": cny(1000),
        "tax": cny(1430),
        "unit_cost": cny(6000),
        "sale_recognised_at": RECOGNISED,
    }
    return c.SaleLineInput(line_id=line_id, **(fields | changes))


def record_order(order_id: str = "O1", **changes: Any) -> c.RecordOrder:
    """The order: one line, one tender, two parcels with a billing line each."""
    fields: dict[str, Any] = {
        "source": "erp",
        "source_id": order_id,
        "currency": "CNY",
        "sale_lines": (sale_line(),),
        "tenders": (
            c.TenderInput(provider="alipay", external_id=f"pay-{order_id}", captured=cny(GROSS)),
        ),
        "logistics_lines": (
            c.LogisticsLineInput(line_id="L1", shipment_code="S1", carrier="sf"),
            c.LogisticsLineInput(line_id="L2", shipment_code="S2", carrier="sf"),
        ),
    }
    return c.RecordOrder(order_id=order_id, **(fields | changes))


def detection(code: str = "LOST", **changes: Any) -> c.Detect:
    """A person's report about the parcel S1 of the order."""
    fields: dict[str, Any] = {
        "subject": Subject(order_id="O1", shipment_code="S1"),
        "signal": c.Signal(kind="person"),
        "none_yet_looked_at": LOOKED,
    }
    return c.Detect(code=code, **(fields | changes))


def deviation(code: str, source_id: str, *, stage: str = "", **changes: Any) -> c.DetectDeviation:
    """What a rule of the code's name found about the parcel S1 of the order."""
    fields: dict[str, Any] = {
        "subject": Subject(order_id="O1", shipment_code="S1"),
        "signal": c.Signal(kind="alert", feed="detection", source_id=source_id),
        "none_yet_looked_at": LOOKED,
        "alert": c.AlertInput(rule=code, version=1, stage=stage, at=LOOKED, evidence=("e1",)),
    }
    return c.DetectDeviation(code=code, **(fields | changes))


def scan(at: str = LOOKED, **changes: Any) -> c.CheckpointInput:
    """A tracking fact of a hub."""
    fields: dict[str, Any] = {"status": "in_transit", "place": "Hub"}
    return c.CheckpointInput(occurred_at=at, **(fields | changes))


def moved(case: str, at: str = MOVED, *, delivered: bool = False) -> c.RecordMovement:
    """A movement of the case's parcel, on the day after all that a story does."""
    return c.RecordMovement(exception_id=case, last_checkpoint=scan(at), delivered=delivered)


def mute(rule: str, until: str = "2026-03-10T00:00:00.000000Z", **changes: Any) -> c.MuteRule:
    """Mute a rule for the parcel S1 of the order."""
    fields: dict[str, Any] = {"order_id": "O1", "shipment_code": "S1", "reason": "known"}
    return c.MuteRule(rule=rule, until=until, **(fields | changes))


def detected(story: Story, code: str = "LOST", **changes: Any) -> str:
    """Detect a case; gives its id."""
    story.do(detection(code, **changes))
    return str(story.case().id)


def verified(story: Story, case: str) -> None:
    """Verify every checklist item of the case's code."""
    for item in story.catalogue.type_of(story.case(case).code).checklist:
        story.do(c.RecordVerification(exception_id=case, item=item))


def lost_parcel(**order: Any) -> tuple[Story, str]:
    """An order with a lost parcel whose checklist is complete."""
    story = Story()
    story.do(record_order(**order))
    case = detected(story)
    verified(story, case)
    return story, case


def refund_terms(story: Story, case: str, **changes: Any) -> dict[str, Any]:
    """What a refund must name (gate B)."""
    fields: dict[str, Any] = {
        "shipment_code": "S1",
        "logistics_line": "L1",
        "cause_event_ids": (story.first_event_id(case),),
        "tax_document": "CN-1",
    }
    return fields | changes


def proposed(story: Story, case: str, kind: str, **terms: Any) -> str:
    """Propose an action; gives its id."""
    story.do(c.ProposeAction(exception_id=case, kind=kind, **terms))
    return story.case(case).actions[-1].action_id


def approved(story: Story, case: str, kind: str, **terms: Any) -> str:
    """Propose and approve an action; gives its id."""
    action = proposed(story, case, kind, **terms)
    story.do(c.ApproveAction(exception_id=case, action_id=action), actor="bob")
    return action


def submitted(story: Story, case: str, kind: str, **terms: Any) -> str:
    """Propose, approve and submit an action; gives its id."""
    action = approved(story, case, kind, **terms)
    story.do(c.SubmitAction(exception_id=case, action_id=action))
    return action


def outcome(story: Story, case: str, action: str, name: str, **fields: Any) -> None:
    """Record what became of an action."""
    story.do(c.RecordActionOutcome(exception_id=case, action_id=action, outcome=name, **fields))


def refund_submitted(story: Story, case: str, kind: str = "full_refund", **terms: Any) -> str:
    """A refund on its way; gives its id."""
    return submitted(story, case, kind, **refund_terms(story, case, **terms))


def refunded(story: Story, case: str, kind: str = "full_refund", **terms: Any) -> str:
    """A refund that was paid from 1020; gives its id."""
    action = refund_submitted(story, case, kind, **terms)
    outcome(story, case, action, "succeeded", account="1020", external_id=f"pay-{action}")
    return action


def explained(story: Story, case: str) -> str:
    """An explain-only action that succeeded; gives its id."""
    action = submitted(story, case, "explain_only")
    outcome(story, case, action, "succeeded")
    return action


def remediated(story: Story, case: str, resolution: str = "EXPLAINED") -> None:
    """End the customer's side."""
    story.do(c.Remediate(exception_id=case, resolution=resolution, summary="told"))


def money(kind: str, external_id: str, amount: int, **fields: Any) -> c.RecordExternalMoney:
    """Money that others moved on the order."""
    known: dict[str, Any] = {"order_id": "O1", "provider": "visa", "account": "1020"}
    return c.RecordExternalMoney(
        kind=kind, external_id=external_id, amount=cny(amount), **(known | fields)
    )


def last_event_id(story: Story, topic: str) -> str:
    """Id of the last event of a topic."""
    found = [(a, v) for a, v, event in story.events if topic == event.TOPIC]
    return event_id(*found[-1])


def case_of(story: Story, code: str) -> Case:
    """The one case whose code it is."""
    (case,) = (s for _, s in story.states.values() if isinstance(s, Case) and s.code == code)
    return case
