"""Histories of cases as the log holds them, made by the domain's own structs and posting rules."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from benchmarks import mix
from esm import catalog, codec
from esm import events as e
from esm.catalog import Catalogue
from esm.ids import action_id, catalogue_aggregate_id, event_id
from esm.postings import action_item, book
from esm.times import instant
from server.storage.records import LoggedEvent

TENANT: Final = "default"
BEGIN_MICROS: Final = 1_780_000_000_000_000
STEP_MICROS: Final = 1_000
ROUND_CASES: Final = 250
"""Cases whose histories lie mixed in the log."""

BOX: Final = bytes(range(96))
MIXED_EVENTS: Final = 18

SPACE: Final = UUID("7f0a3f0e-9a2b-5b61-8a52-30c9a3b9d8a4")


class Story(NamedTuple):
    """A case that a history is written for."""

    number: int
    id: UUID

    @property
    def order_id(self) -> str:
        """The order that the case is on."""
        return mix.order_name(self.number)

    @property
    def parcel(self) -> str:
        """The parcel that the case is about."""
        return mix.parcel_name(self.number)

    @property
    def line(self) -> str:
        """The billing line of the parcel."""
        return f"F-{self.number}"


def ledger_log(cases: int) -> Iterator[LoggedEvent]:
    """Ten events a case, five of which post; before them the catalogue that they name."""
    yield _published()
    yield from _mixed(cases, _with_money)


def replay_log(cases: int) -> Iterator[LoggedEvent]:
    """Twenty events a case: opened, accepted, then the mix of the load."""
    yield _published()
    yield from _mixed(cases, _with_mix)


@cache
def catalogue() -> Catalogue:
    """The rules in force."""
    return catalog.load()


def _published() -> LoggedEvent:
    rules = catalogue()
    event = e.CataloguePublished(
        digest=rules.digest,
        postings_digest=rules.postings_digest,
        content=rules.content.decode(),
    )
    return _logged(catalogue_aggregate_id(TENANT, rules.digest), 1, event, "", BEGIN_MICROS)


def _mixed(cases: int, write: Callable[[Story], Iterator[e.Event]]) -> Iterator[LoggedEvent]:
    at = BEGIN_MICROS
    for first in range(0, cases, ROUND_CASES):
        numbers = range(first, min(first + ROUND_CASES, cases))
        stories = [Story(n, uuid5(SPACE, str(n))) for n in numbers]
        for version, step in enumerate(zip(*map(write, stories), strict=True), start=1):
            for story, event in zip(stories, step, strict=True):
                at += STEP_MICROS
                yield _logged(story.id, version, event, story.order_id, at)


def _logged(
    aggregate_id: UUID, version: int, event: e.Event, order_id: str, at: int
) -> LoggedEvent:
    return LoggedEvent(
        originator_id=aggregate_id,
        originator_version=version,
        topic=event.TOPIC,
        state=codec.encode(event),
        tenant=TENANT,
        order_id=order_id,
        occurred=at,
        recorded=at,
        actor="agent-7",
        correlation_id=f"corr-{at}",
        request_id=f"req-{at}",
    )


def _opened(story: Story) -> Iterator[e.Event]:
    rules = catalogue()
    kind = rules.type_of(mix.CODE)
    now = instant(BEGIN_MICROS + story.number)
    yield e.Detected(
        catalogue=rules.digest,
        subject=e.Subject(order_id=story.order_id, shipment_code=story.parcel),
        code=kind.code,
        family=kind.family,
        phase=kind.phase,
        occurrence=1,
        stage="",
        priority=kind.priority,
        team=kind.team,
        person=f"order/{story.order_id}",
        source=e.Source(
            kind="carrier", feed=mix.FEED, source_id=story.parcel, occurred=now, received=now
        ),
        checkpoint=e.Checkpoint(
            occurred=now, received=now, place="Shenzhen hub", status="in_transit", raw_code="DF01"
        ),
    )
    yield _level(story, 0, 1)


def _with_mix(story: Story) -> Iterator[e.Event]:
    yield from _opened(story)
    level, proposed = 1, False
    for step in range(MIXED_EVENTS):
        kind = mix.PATTERN[(step + story.number) % len(mix.PATTERN)]
        if kind == mix.ESCALATE:
            level, before = 3 - level, level
            yield _level(story, before, level)
        elif kind == mix.NOTE:
            yield _note(story)
        elif kind == mix.ASSIGN:
            yield e.Assigned(
                catalogue=catalogue().digest,
                from_owner=f"agent-{step}",
                owner=f"agent-{step + 1}",
                from_team="support",
                team="support",
            )
        elif proposed:
            proposed = False
            yield _approved(story)
        else:
            proposed = True
            yield _proposed(story)


def _with_money(story: Story) -> Iterator[e.Event]:
    digest = catalogue().digest
    yield from _opened(story)
    yield e.Verified(catalogue=digest, item=mix.CHECKLIST[0], result="confirmed", by="agent-7")
    yield _note(story)
    yield _proposed(story)
    yield _approved(story)
    yield e.ActionOutcomeRecorded(
        catalogue=digest,
        action_id=action_id(story.id, 1),
        outcome="succeeded",
        from_status="submitted",
        status="succeeded",
        from_state="escalated",
        state="escalated",
        amount=mix.CONCESSION_MINOR,
        external_id=f"re-{story.number}",
        account="1020",
        entry=_refund_entry(story, "R3", {"gross": mix.CONCESSION_MINOR}, {"settlement": "1020"}),
    )
    yield _accrued(story, "redelivery")
    yield e.CarrierChargeInvoiced(
        catalogue=digest,
        logistics_line=story.line,
        kind="redelivery",
        carrier="acme",
        invoice="INV-1",
        net=700,
        tax=70,
        entry=_charge_entry(story, "K2", {"accrued": 770, "invoiced": 770}, {"payable": "1900"}),
    )
    yield _accrued(story, "surcharge")


def _level(story: Story, before: int, level: int) -> e.Event:
    return e.Escalated(
        catalogue=catalogue().digest,
        from_level=before,
        level=level,
        team="support",
        owner="queue:support",
        state="escalated",
        by_hand=before > 0,
        reason=_sealed(story) if before else None,
    )


def _note(story: Story) -> e.Event:
    return e.NoteAdded(catalogue=catalogue().digest, text=_sealed(story))


def _proposed(story: Story) -> e.Event:
    return e.ActionProposed(
        catalogue=catalogue().digest,
        action_id=action_id(story.id, 1),
        kind="partial_refund",
        side="customer",
        money="concession",
        by="agent-7",
        terms=e.Terms(
            currency=mix.CURRENCY,
            lines=(e.TermLine(sale_line="L1", amount=mix.CONCESSION_MINOR),),
            shipment_code=story.parcel,
            logistics_line=story.line,
            cause_event_ids=(event_id(story.id, 1),),
        ),
        from_state="escalated",
        state="escalated",
    )


def _approved(story: Story) -> e.Event:
    tax = mix.CONCESSION_MINOR // 10
    amounts = {
        "net": mix.CONCESSION_MINOR - tax,
        "tax_documented": tax,
        "gross": mix.CONCESSION_MINOR,
    }
    return e.ActionApproved(
        catalogue=catalogue().digest,
        action_id=action_id(story.id, 1),
        by="agent-8",
        amount=mix.CONCESSION_MINOR,
        entry=_refund_entry(story, "P1", amounts, {}),
    )


def _accrued(story: Story, kind: str) -> e.Event:
    entry = _charge_entry(story, "K1", {"net": 700, "tax": 70, "gross": 770}, {"cost": "5120"})
    return e.CarrierChargeAccrued(
        catalogue=catalogue().digest,
        logistics_line=story.line,
        kind=kind,
        carrier="acme",
        net=700,
        tax=70,
        entry=entry,
    )


def _refund_entry(
    story: Story, row: str, amounts: dict[str, int], accounts: dict[str, str]
) -> e.Entry:
    action = action_id(story.id, 1)
    return _entry(
        story,
        e.Part(
            row=row,
            amounts=amounts,
            accounts=accounts,
            item=action_item(action),
            sale_line="L1",
            logistics_line=story.line,
            shipment_code=story.parcel,
            action_id=action,
        ),
    )


def _charge_entry(
    story: Story, row: str, amounts: dict[str, int], accounts: dict[str, str]
) -> e.Entry:
    return _entry(
        story,
        e.Part(
            row=row,
            amounts=amounts,
            accounts=accounts,
            logistics_line=story.line,
            shipment_code=story.parcel,
        ),
    )


def _entry(story: Story, part: e.Part) -> e.Entry:
    entry = book(
        catalogue(),
        [part],
        ledger="default",
        currency=mix.CURRENCY,
        order_id=story.order_id,
        exception_id=str(story.id),
        episode=1,
        occurred=instant(BEGIN_MICROS),
    )
    assert entry is not None, "amounts above zero make an entry"
    return entry


def _sealed(story: Story) -> e.Sealed:
    return e.Sealed(subject=f"order/{story.order_id}", key_id="k1", box=BOX)
