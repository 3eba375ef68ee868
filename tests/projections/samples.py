"""Logs made by hand for the tests of projections: every fact a case can have, and entries."""

from collections.abc import Sequence
from random import Random
from uuid import UUID

import msgspec

from esm import codec
from esm import events as e
from esm.ids import catalogue_aggregate_id, exception_id
from esm.times import instant

START = 1_780_000_000_000_000
SECOND = 1_000_000
HOUR = 3_600 * SECOND

CHART = {
    "1010": {"kind": "asset", "title": {"zh": "银行", "en": "Bank"}},
    "1020": {"kind": "asset", "title": {"zh": "清算", "en": "Clearing"}},
    "1110": {"kind": "asset", "control": True, "title": {"zh": "理赔", "en": "Claims"}},
    "2010": {"kind": "liability", "control": True, "title": {"zh": "应付", "en": "Refunds"}},
    "2070": {"kind": "liability", "title": {"zh": "销项", "en": "Output tax"}},
    "4100": {"kind": "contra_revenue", "title": {"zh": "退回", "en": "Returns"}},
    "5010": {"kind": "expense", "title": {"zh": "运费", "en": "Freight"}},
    "5110": {"kind": "expense", "title": {"zh": "关税", "en": "Duties"}},
    "6010": {"kind": "contra_expense", "title": {"zh": "收入", "en": "Recoveries"}},
    "9010": {"kind": "memo", "control": True, "title": {"zh": "备查", "en": "Claims filed"}},
    "9990": {"kind": "memo", "control": True, "title": {"zh": "对方", "en": "Contra memo"}},
}
RULES = "rules-1"
CATALOGUE = "catalogue-1"

Legs = Sequence[tuple[str, int]]
"""Account and signed minor units, debit positive."""


class Log:
    """A log in memory, as a projection's ``LogReader`` and as what a test writes with."""

    def __init__(self) -> None:
        self.recorded: list[e.Recorded] = []
        self._versions: dict[UUID, int] = {}

    def read(self, after: int, limit: int) -> list[e.Recorded]:
        first = next((i for i, r in enumerate(self.recorded) if r.position > after), None)
        return [] if first is None else self.recorded[first : first + limit]

    @property
    def position(self) -> int:
        return self.recorded[-1].position if self.recorded else 0

    def add(
        self,
        aggregate_id: UUID,
        event: e.Event | e.UnknownEvent,
        *,
        tenant: str = "t1",
        occurred: int = 0,
        recorded: int = 0,
        actor: str = "anna",
    ) -> e.Recorded:
        """Append a fact; positions leave gaps, as those of a real log may."""
        number = len(self.recorded)
        version = self._versions[aggregate_id] = self._versions.get(aggregate_id, 0) + 1
        if isinstance(event, e.UnknownEvent):
            topic, payload = event.topic, event.payload
        else:
            topic, payload = event.TOPIC, codec.encode(event)
        row = e.Recorded(
            position=number * 2 + 1,
            tenant=tenant,
            aggregate_id=aggregate_id,
            version=version,
            topic=topic,
            occurred=occurred or START + number * SECOND,
            recorded=recorded or START + number * SECOND + 5,
            actor=actor,
            assurance="asserted",
            correlation_id="",
            causation_id="",
            request_id="",
            order_id="",
            payload=payload,
            event=event,
        )
        self.recorded.append(row)
        return row

    def publish(self, tenant: str = "t1", rules: str = RULES, chart: object = None) -> e.Recorded:
        """Publish a catalogue whose posting rules have the digest ``rules``."""
        content = msgspec.json.encode({"accounts": CHART if chart is None else chart}).decode()
        digest = f"{CATALOGUE}-{rules}"
        event = e.CataloguePublished(digest=digest, postings_digest=rules, content=content)
        return self.add(catalogue_aggregate_id(tenant, digest), event, tenant=tenant)


def case_id(number: int, tenant: str = "t1") -> UUID:
    """Id of the ``number``-th case of a tenant."""
    return exception_id(tenant, f"parcel:{number}", "delay_loss", 1)


def detected(number: int = 1, **changes: object) -> e.Detected:
    """A parcel case of order ``O<number>``."""
    values: dict[str, object] = {
        "subject": e.Subject(order_id=f"O{number}", shipment_code=f"S{number}"),
        "code": "TRANSIT_DELAY",
        "family": "delay_loss",
        "phase": "post_ship",
        "occurrence": 1,
        "stage": "breached",
        "priority": "P2",
        "team": "logistics",
        "person": "",
        "source": e.Source(kind="carrier", feed="track17", source_id=f"T{number}"),
        "checkpoint": e.Checkpoint(
            occurred=instant(START),
            received=instant(START),
            place="Wien",
            status="in_transit",
            raw_text=e.Sealed(subject="p1", key_id="k1", box=b"\x00\xff"),
        ),
    }
    return e.Detected(**{**values, **changes})  # type: ignore[arg-type] # by name, as above


def escalated(
    level: int = 1, *, from_level: int = 0, owner: str = "queue:logistics"
) -> e.Escalated:
    """Into work, or to another level."""
    return e.Escalated(
        from_level=from_level, level=level, team="logistics", owner=owner, state="escalated"
    )


def entry(
    legs: Legs,
    *,
    case: UUID | None = None,
    order_id: str = "O1",
    effective: str = "2026-05-30",
    ledger: str = "default",
    currency: str = "EUR",
    rules: str = RULES,
    mirrors: str = "",
    action_id: str = "A1",
    of_case: str = "",
) -> e.Entry:
    """A journal entry; ``of_case`` is the other case that its last line belongs to."""
    last = len(legs) - 1
    return e.Entry(
        rules=rules,
        ledger=ledger,
        currency=currency,
        effective=effective,
        order_id=order_id,
        exception_id=str(case or case_id(1)),
        episode=1,
        mirrors=mirrors,
        legs=tuple(
            e.Leg(
                account=account,
                debit=max(amount, 0),
                credit=max(-amount, 0),
                amount="gross",
                row="R1",
                party="customer",
                sale_line="L1",
                shipment_code="S1",
                action_id=action_id,
                exception_id=of_case if index == last else "",
            )
            for index, (account, amount) in enumerate(legs)
        ),
    )


def alert(rule: str, stage: str, at: int, next_at: int = 0, source_id: str = "") -> e.Source:
    """What a rule says; times in hours behind the start, 0 for no next stage."""
    return e.Source(
        kind="alert",
        feed="detection",
        source_id=source_id or f"{rule}/{stage}",
        alert=e.Alert(
            rule=rule,
            version=1,
            stage=stage,
            at=instant(START + at * HOUR),
            next_at=instant(START + next_at * HOUR) if next_at else "",
        ),
    )


def joined_by(source: e.Source) -> e.SourceJoined:
    """The source of a later signal."""
    return e.SourceJoined(source=source)


def carried(item: str = "2010/A1", due: str = "2026-07-01") -> e.ItemCarried:
    """An item that two persons carry to a day."""
    return e.ItemCarried(item=item, amount=100, owner="fin", due=due, proposed_by="a", by="b")


def proposed(action_id: str = "A1", *, side: str = "customer") -> e.ActionProposed:
    return e.ActionProposed(
        action_id=action_id,
        kind="full_refund",
        side=side,
        money="refund",
        by="anna",
        terms=e.Terms(currency="EUR"),
        from_state="escalated",
        state="escalated",
    )


def approved(booked: e.Entry | None, action_id: str = "A1", amount: int = 0) -> e.ActionApproved:
    return e.ActionApproved(action_id=action_id, by="anna", amount=amount, entry=booked)


def outcome(
    booked: e.Entry | None, action_id: str = "A1", status: str = "succeeded", **changes: object
) -> e.ActionOutcomeRecorded:
    values: dict[str, object] = {
        "action_id": action_id,
        "outcome": status,
        "from_status": "submitted",
        "status": status,
        "from_state": "escalated",
        "state": "escalated",
        "entry": booked,
    }
    return e.ActionOutcomeRecorded(**{**values, **changes})  # type: ignore[arg-type] # by name


def busy_log(cases: int, seed: int = 1, tenants: Sequence[str] = ("t1", "t2")) -> Log:
    """Many cases of several tenants at once, interleaved, a good part of the facts posting."""
    random = Random(seed)
    log = Log()
    for tenant in tenants:
        log.publish(tenant)
    stories = [
        [(tenant, case_id(n, tenant), event) for event in story(n, case_id(n, tenant), random)]
        for tenant in tenants
        for n in range(cases)
    ]
    while stories:
        at = random.randrange(len(stories))
        tenant, aggregate_id, event = stories[at].pop(0)
        occurred = START + (len(log.recorded) - random.randrange(20)) * SECOND
        log.add(aggregate_id, event, tenant=tenant, occurred=occurred)
        if not stories[at]:
            stories.pop(at)
    return log


def story(number: int, case: UUID, random: Random) -> list[e.Event]:
    """One case from signal to books, with turns that differ from case to case."""
    goods, tax, freight = (random.randrange(1, 9_999) for _ in range(3))
    order = f"O{number // 3}"
    day = f"2026-0{random.randrange(1, 7)}-1{random.randrange(10)}"

    def booked(*legs: tuple[str, int]) -> e.Entry:
        return entry(legs, case=case, order_id=order, effective=day)

    refund = booked(("4100", goods), ("2070", tax), ("2010", -goods - tax))
    paid = booked(("2010", goods + tax), ("1020", -goods - tax))
    claim = booked(("9010", freight), ("9990", -freight))
    agreed = booked(("1110", freight), ("9990", freight), ("6010", -freight), ("9010", -freight))
    text = e.Sealed(subject="p", key_id="k", box=bytes([number % 256]))
    facts: list[e.Event] = [
        detected(number, subject=e.Subject(order_id=order, shipment_code=f"S{number}")),
        escalated(1 + number % 3),
        e.NoteAdded(text=text),
        e.Verified(item="last_event_and_path", result="confirmed", by="anna"),
    ]
    if number % 3:
        facts.append(joined_by(alert("STALL", "breached", 48, 100 + number)))
        facts.append(joined_by(alert("NODE", "at_risk", 48, 90)))
    if number % 2:
        facts.append(e.SignalCleared(source_ids=("NODE/at_risk", "elsewhere")))
    if random.random() < 0.5:
        facts.append(e.WaitingStarted(party="carrier"))
        facts.append(e.WaitingStopped(party="carrier"))
    if random.random() < 0.5:
        facts.append(
            e.Reclassified(from_code="TRANSIT_DELAY", code="LOST", phase="post_ship", priority="P1")
        )
    facts += [
        proposed("A1"),
        approved(refund, "A1", goods + tax),
        e.ActionSubmitted(action_id="A1"),
        outcome(paid, "A1"),
        proposed("A2", side="recovery"),
        approved(None, "A2"),
        e.ActionSubmitted(action_id="A2", entry=claim),
        outcome(agreed, "A2", "acknowledged"),
        e.Remediated(resolution="refunded", customer_resolved_at=instant(START + HOUR)),
    ]
    if random.random() < 0.4:
        facts.append(
            e.Reopened(from_state="remediated", episode=2, level=2, team="support", owner="ben")
        )
    else:
        facts.append(carried())
        facts.append(e.Reconciled(write_back=("B1",)))
    return facts
