"""A small log with money in it, and the books that a faithful projection keeps of it."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid5

from esm import postings
from esm.catalog import Catalogue
from esm.codec import encode
from esm.events import (
    ActionApproved,
    ActionSubmitted,
    CarrierChargeAccrued,
    CataloguePublished,
    Detected,
    Entry,
    EntryReversed,
    Event,
    Part,
    Source,
    Subject,
)
from esm.times import instant
from server.journal import JournalEntry, Line, LoggedEvent

CASE, OTHER_CASE = UUID(int=1), UUID(int=2)
ORDERS = {CASE: "O-1", OTHER_CASE: "O-2"}
DAY = 86_400_000_000
START = 1_790_000_000_000_000

Events = list[LoggedEvent]
Books = list[JournalEntry]


class Log:
    """A small log that grows event by event."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.events: Events = []
        self.versions: dict[UUID, int] = {}
        published = CataloguePublished(
            digest=catalogue.digest,
            postings_digest=catalogue.postings_digest,
            content=catalogue.content.decode(),
        )
        self.add(UUID(int=9), published)
        for case, order in ORDERS.items():
            self.add(
                case,
                Detected(
                    subject=Subject(order_id=order),
                    code="LOST",
                    family="delay_loss",
                    phase="post_ship",
                    occurrence=1,
                    stage="breached",
                    priority="P1",
                    team="support",
                    person="",
                    source=Source(kind="person"),
                ),
            )

    @property
    def occurred(self) -> int:
        return START + len(self.events) * DAY

    def add(self, aggregate: UUID, event: Event) -> str:
        version = self.versions[aggregate] = self.versions.get(aggregate, 0) + 1
        logged = LoggedEvent(
            position=f"p{len(self.events)}",
            event_id=str(uuid5(aggregate, str(version))),
            topic=event.TOPIC,
            version=version,
            aggregate_id=str(aggregate),
            occurred=self.occurred,
            recorded=self.occurred + 5,
            actor="ann",
            payload=encode(event),
            tenant="t",
        )
        self.events.append(logged)
        return logged.event_id

    def entry(self, case: UUID, *parts: Part, ledger: str = "default") -> Entry:
        made = postings.book(
            self.catalogue,
            parts,
            ledger=ledger,
            currency="USD",
            order_id=ORDERS[case],
            exception_id=str(case),
            episode=1,
            occurred=instant(self.occurred),
        )
        assert made is not None
        return made

    def mirror(self, case: UUID, entry: Entry, event_id: str, *amounts: int) -> str:
        undone = postings.mirror(
            self.catalogue,
            entry,
            "X1",
            amounts,
            event_id=event_id,
            effective=instant(self.occurred)[:10],
        )
        return self.add(case, reversal(event_id, undone))


def reversal(event_id: str, entry: Entry) -> EntryReversed:
    return EntryReversed(reversed_event_id=event_id, entry=entry)


def sound(catalogue: Catalogue) -> Events:
    """Two refunds, a reshipment, a claim, a charge, and a reversal in two steps."""
    log = Log(catalogue)

    def approve(case: UUID, *parts: Part) -> tuple[Entry, str]:
        entry = log.entry(case, *parts)
        event = ActionApproved(catalogue=catalogue.digest, action_id="A1", by="bo", entry=entry)
        return entry, log.add(case, event)

    refund, refund_id = approve(
        CASE,
        Part(
            row="R1",
            amounts={"goods": 1000, "shipping": 200, "tax_documented": 120, "gross": 1320},
            item="action:A1",
            sale_line="1",
            action_id="A1",
        ),
    )
    approve(CASE, Part(row="S1", amounts={"goods_cost": 700, "freight": 90}, item="action:A2"))
    approve(
        CASE,
        Part(
            row="S2",
            amounts={
                "obligation": 790,
                "goods_difference": -30,
                "freight_difference": 10,
                "goods_cost": 670,
                "freight": 100,
            },
            item="action:A2",
            logistics_line="L1",
        ),
    )
    claim = log.entry(OTHER_CASE, Part(row="C1", amounts={"claimed": 400}, item="action:A1"))
    log.add(OTHER_CASE, ActionSubmitted(action_id="A1", entry=claim))
    charge = log.entry(
        OTHER_CASE,
        Part(
            row="K1",
            amounts={"net": 50, "tax": 5, "gross": 55},
            accounts={"cost": "5040"},
            logistics_line="L2",
        ),
    )
    log.add(
        OTHER_CASE,
        CarrierChargeAccrued(
            logistics_line="L2", kind="return_freight", carrier="c", net=50, tax=5, entry=charge
        ),
    )
    log.mirror(CASE, refund, refund_id, 600, 0, 0, 600)
    log.mirror(CASE, refund, refund_id, 400, 200, 120, 720)
    return log.events


def books_of(events: Iterable[LoggedEvent]) -> Books:
    """The books that a faithful projection keeps of the events."""
    books: Books = []
    numbers: dict[tuple[str, str], int] = {}
    for event in events:
        entry = json.loads(event.payload).get("entry")
        if entry is None:
            continue
        key = (entry["ledger"], entry["effective"][:4])
        numbers[key] = numbers.get(key, 0) + 1
        lines = [_line(i, leg, entry) for i, leg in enumerate(entry["legs"])]
        books.append(
            JournalEntry(
                **{k: getattr(event, k) for k in "event_id position topic actor".split()},
                **{k: getattr(event, k) for k in ("recorded", "occurred")},
                number=numbers[key],
                year=int(key[1]),
                **{k: entry[k] for k in "ledger currency effective rules".split()},
                **{k: entry[k] for k in ("order_id", "exception_id", "episode")},
                mirrors=entry.get("mirrors", ""),
                lines=tuple(lines),
            )
        )
    return books


def _line(index: int, leg: dict[str, Any], entry: dict[str, Any]) -> Line:
    tags = "row party sale_line logistics_line shipment_code action_id".split()
    return Line(
        index=index,
        account=leg["account"],
        currency=entry["currency"],
        debit=leg.get("debit", 0),
        credit=leg.get("credit", 0),
        order_id=entry["order_id"],
        exception_id=leg.get("exception_id", entry["exception_id"]),
        episode=entry["episode"],
        **{tag: leg.get(tag, "") for tag in tags},
    )
