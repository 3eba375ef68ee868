"""How shipments and checkpoints come into the tables, the same way on every engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from esm.detection.model import Checkpoint, Shipment
from esm.detection.model import Number as ShipmentNumber
from esm.detection.timeline import retracted
from server.tracking.noting import by_order, knowing
from server.tracking.room import Room
from server.tracking.store import (
    PARTS_MAX,
    Arriving,
    Incoming,
    Key,
    KnownCase,
    Noted,
    Recorded,
    Seal,
    Settle,
    Watched,
    handle_of,
    person_of,
)
from server.tracking.tables import (
    FOLLOWED,
    NUMBERED,
    WATCHED,
    KeptDetail,
    Row,
    SourceKey,
    Tables,
    Unmatched,
)
from server.tracking.targets import Target, target_of, targets_of

NEW, KNOWN, UNMATCHED, FULL = "new", "known", "unmatched", "full"
"""What becomes of a checkpoint."""

REGISTERED, CHANGED, UNCHANGED, ORDER = "registered", "changed", "unchanged", "order"
"""What becomes of a shipment; it may be FULL too."""

# --- registering ----------------------------------------------------------------------------


def register(
    tables: Tables, tenant: str, shipments: Sequence[Shipment], settle: Settle
) -> list[str]:
    """As the store's ``register``."""
    tables.guard()
    keys = {Key(tenant, each.shipment_code) for each in shipments}
    rows = tables.rows(keys, lock=True)
    cases = tables.take_cases(keys - rows.keys())
    new = 0
    outcomes: list[str] = []
    changed: dict[Key, Row] = {}
    for shipment in shipments:
        key = Key(tenant, shipment.shipment_code)
        row = rows.get(key)
        outcome = _outcome(row, shipment)
        outcomes.append(outcome)
        if outcome == REGISTERED:
            rows[key] = changed[key] = _new_row(key, shipment, cases.get(key, ()))
            new += 1
        elif outcome == CHANGED and row is not None:
            merged = merge(row.watched.shipment, shipment)
            row.watched = replace(row.watched, shipment=merged)
            changed[key] = row
    if changed:
        _take_up(tables, tenant, changed, settle)
    if new:
        tables.set_number(WATCHED, tables.number(WATCHED) + new)
    return outcomes


def _outcome(row: Row | None, shipment: Shipment) -> str:
    if row is None:
        return REGISTERED
    known = row.watched.shipment
    if known.order_id != shipment.order_id:
        return ORDER
    merged = merge(known, shipment)
    if max(len(merged.numbers), len(merged.pieces)) > PARTS_MAX:
        return FULL
    return UNCHANGED if merged == known else CHANGED


def _new_row(key: Key, shipment: Shipment, cases: Iterable[KnownCase]) -> Row:
    blank = Shipment(order_id=shipment.order_id, shipment_code=shipment.shipment_code)
    watched = Watched(
        tenant=key.tenant,
        shipment=replace(merge(blank, shipment), registered=shipment.registered),
        cases=tuple(cases),
        looked=shipment.registered,
    )
    return Row(watched, [])


def merge(known: Shipment, given: Shipment) -> Shipment:
    """What is known of a shipment once more is told: what is not given stays.

    Numbers and pieces are added; a number told again may have another leg or another beginning.
    """
    numbers = {(n.number, n.carrier, n.piece): n for n in known.numbers}
    for each in given.numbers:
        name = (each.number, each.carrier, each.piece)
        numbers[name] = _merged_number(numbers.get(name), each)
    return replace(
        known,
        carrier=given.carrier or known.carrier,
        service=given.service or known.service,
        lane=given.lane or known.lane,
        destination=given.destination or known.destination,
        untracked=given.untracked or known.untracked,
        labelled=given.labelled or known.labelled,
        handed_over=given.handed_over or known.handed_over,
        promised=given.promised or known.promised,
        numbers=tuple(numbers.values()),
        pieces=tuple(dict.fromkeys((*known.pieces, *given.pieces))),
    )


def _merged_number(known: ShipmentNumber | None, given: ShipmentNumber) -> ShipmentNumber:
    """Leg 0 and since 0 mean not given; without any the leg is the first."""
    if known is None:
        return given if given.leg else replace(given, leg=1)
    return replace(known, leg=given.leg or known.leg, since=given.since or known.since)


def _take_up(tables: Tables, tenant: str, changed: dict[Key, Row], settle: Settle) -> None:
    """Write shipments and numbers, with the checkpoints that waited for them."""
    ordinal = tables.number(NUMBERED) + 1
    tables.add_numbers(tenant, changed.values(), ordinal)
    tables.set_number(NUMBERED, ordinal + len(changed) - 1)
    handles = {handle_of(key.shipment_code, "") for key in changed}
    for row in changed.values():
        handles |= {handle_of("", each.number) for each in row.watched.shipment.numbers}
    waiting = tables.unmatched(tenant, handles)
    if waiting:
        _attach(tables, tenant, changed, waiting)
    for row in changed.values():
        row.watched = settle(replace(row.watched, revision=row.watched.revision + 1))
    tables.write(changed.values())


def _attach(
    tables: Tables, tenant: str, changed: dict[Key, Row], waiting: Sequence[Unmatched]
) -> None:
    """Give checkpoints that waited to the shipments that are known now, as long as there is room.

    Nothing of their shipment was known when they came, so they are not late. Of too many those stay
    that came first; the others are set aside, so that no later registration reads them again.
    """
    waiting = sorted(waiting, key=lambda w: (w.checkpoint.received, *_by_time(w.checkpoint)))
    registered = tables.registrations({(tenant, w.number) for w in waiting if w.number})
    orders = {key: row.watched.shipment.order_id for key, row in changed.items()}
    rooms = {key: Room(row.watched) for key, row in changed.items()}
    attached, additions, too_many = [], [], []
    for each in waiting:
        incoming = Incoming(
            each.checkpoint,
            each.shipment_code,
            each.number,
            each.carrier,
            each.zoned,
            each.detail,
        )
        target = target_of(tenant, incoming, registered, orders)
        if target is None or target.key not in rooms:
            continue
        if not rooms[target.key].takes(each.checkpoint, each.checkpoint.piece or target.piece):
            too_many.append(each)
            continue
        attached.append(each)
        additions.append(_Addition(target, incoming, late=False))
    if too_many:
        tables.set_aside(too_many)
    if attached:
        tables.drop_unmatched(attached)
        sources = {
            (tenant, a.incoming.checkpoint.source_id): a.target.key.shipment_code for a in additions
        }
        tables.reclaim(sources)
        _add(tables, changed, additions, [a.incoming.detail for a in additions])


# --- recording ------------------------------------------------------------------------------


class _Addition(NamedTuple):
    target: Target
    incoming: Incoming
    late: bool


def record(
    tables: Tables, batches: Sequence[Arriving], settle: Settle, seal: Seal
) -> list[list[Recorded]]:
    """As the store's ``record_many``."""
    targets = targets_of(tables, batches)
    sources: dict[SourceKey, str] = {}
    for batch, found in zip(batches, targets, strict=True):
        for each, target in zip(batch.incoming, found, strict=True):
            source = (batch.tenant, each.checkpoint.source_id)
            sources.setdefault(source, target.key.shipment_code if target else "")
    known = tables.claim(sources)
    keys = {
        target.key
        for batch, found in zip(batches, targets, strict=True)
        for each, target in zip(batch.incoming, found, strict=True)
        if target and (batch.tenant, each.checkpoint.source_id) not in known
    }
    rows = tables.rows(keys, lock=True) if keys else {}
    work = _Recording(tables, rows, known)
    answers = [work.batch(*each) for each in zip(batches, targets, strict=True)]
    work.finish(settle, seal)
    return answers


class _Recording:
    """The batches of one transaction, one after the other."""

    def __init__(self, tables: Tables, rows: dict[Key, Row], known: dict[SourceKey, str]) -> None:
        self._tables = tables
        self._rows = rows
        self._seen: dict[SourceKey, Recorded] = {
            source: Recorded(KNOWN, code) for source, code in known.items()
        }
        self._additions: dict[str, list[_Addition]] = {}
        self._unmatched: dict[str, list[Incoming]] = {}
        self._rooms: dict[Key, Room] = {}
        self._newest: dict[Key, int] = {}
        self._full: list[SourceKey] = []

    def batch(self, arriving: Arriving, targets: Sequence[Target | None]) -> list[Recorded]:
        """What becomes of the checkpoints of one message."""
        tenant = arriving.tenant
        answers: list[Recorded] = []
        additions: list[_Addition] = []
        for each, target in zip(arriving.incoming, targets, strict=True):
            source = (tenant, each.checkpoint.source_id)
            answer = self._seen.get(source)
            if answer is None:
                answer = self._take(source, each, target, additions)
                # Sent again in the same group it is known; of a full shipment it is refused again.
                again = KNOWN if answer.outcome != FULL else FULL
                self._seen[source] = Recorded(again, answer.shipment_code)
            answers.append(answer)
        self._additions.setdefault(tenant, []).extend(additions)
        for addition in additions:
            occurred = addition.incoming.checkpoint.occurred
            key = addition.target.key
            if not addition.incoming.checkpoint.future:
                self._newest[key] = max(self._newest[key], occurred)
        return answers

    def _take(
        self,
        source: SourceKey,
        incoming: Incoming,
        target: Target | None,
        additions: list[_Addition],
    ) -> Recorded:
        if target is None:
            self._unmatched.setdefault(source[0], []).append(incoming)
            return Recorded(UNMATCHED, "")
        key = target.key
        checkpoint = incoming.checkpoint
        room = self._rooms.get(key)
        if room is None:
            watched = self._rows[key].watched
            room = self._rooms[key] = Room(watched)
            self._newest[key] = newest_of(watched.timeline, checkpoint.received)
        if not room.takes(checkpoint, checkpoint.piece or target.piece):
            self._full.append(source)
            return Recorded(FULL, key.shipment_code)
        late = checkpoint.occurred < self._newest[key]
        additions.append(_Addition(target, incoming, late))
        return Recorded(NEW, key.shipment_code)

    def finish(self, settle: Settle, seal: Seal) -> None:
        """Seal, settle and write what is new."""
        for tenant in self._additions.keys() | self._unmatched.keys():
            added = self._additions.get(tenant, [])
            alone = self._unmatched.get(tenant, [])
            persons = [
                *(person_of(a.target.order_id, "") for a in added),
                *(handle_of(each.shipment_code, each.number) for each in alone),
            ]
            plain = [*(a.incoming.detail for a in added), *(each.detail for each in alone)]
            sealed = seal(tenant, list(zip(persons, plain, strict=True))) if plain else []
            _add(self._tables, self._rows, added, sealed[: len(added)])
            if alone:
                self._tables.keep_unmatched(
                    [
                        Unmatched(tenant, *each[:5], detail)
                        for each, detail in zip(alone, sealed[len(added) :], strict=True)
                    ]
                )
        if self._full:
            self._tables.unclaim(self._full)
        more = {a.target.key for added in self._additions.values() for a in added}
        changed = [self._rows[key] for key in more]
        for row in changed:
            row.watched = settle(replace(row.watched, revision=row.watched.revision + 1))
        if changed:
            self._tables.write(changed)


def newest_of(timeline: Sequence[Checkpoint], received: int) -> int:
    """When the newest checkpoint occurred that counted at the time of receipt, 0 for none.

    One that came later does not count, whichever was written first: two threads write, and what is
    late must not hang on which one was faster. Nor does one that was declared wrong by then, or
    that still lay in the future.
    """
    known = [
        each
        for each in timeline
        if each.received <= received and (not each.future or each.occurred <= received)
    ]
    wrong = retracted(known)
    return max((each.occurred for each in known if each.source_id not in wrong), default=0)


def _add(
    tables: Tables,
    rows: dict[Key, Row],
    additions: Sequence[_Addition],
    details: Sequence[bytes],
) -> None:
    """Put checkpoints on the timelines of locked shipments, and write their details."""
    if not additions:
        return
    kept = []
    added: dict[Key, list[Checkpoint]] = {}
    places = tables.places(len(additions))
    for place, addition, detail in zip(places, additions, details, strict=True):
        incoming, target = addition.incoming, addition.target
        checkpoint = incoming.checkpoint
        piece, leg = checkpoint.piece or target.piece, checkpoint.leg or target.leg
        if addition.late or piece != checkpoint.piece or leg != checkpoint.leg:
            checkpoint = replace(checkpoint, piece=piece, leg=leg, late=addition.late)
        added.setdefault(target.key, []).append(checkpoint)
        rows[target.key].kept.append(place)
        kept.append(
            KeptDetail(
                place,
                target.key,
                checkpoint.source_id,
                checkpoint.received,
                incoming.number,
                incoming.carrier,
                incoming.zoned,
                detail,
            )
        )
    for key, checkpoints in added.items():
        row = rows[key]
        timeline = sorted((*row.watched.timeline, *checkpoints), key=_by_time)
        row.watched = replace(row.watched, timeline=tuple(timeline))
    tables.keep(kept)


def _by_time(checkpoint: Checkpoint) -> tuple[int, str]:
    return checkpoint.occurred, checkpoint.source_id


# --- what the timekeeper writes -------------------------------------------------------------


def put_back(tables: Tables, watched: Sequence[Watched]) -> list[bool]:
    """As the store's ``put_back``."""
    keys = {Key(each.tenant, each.shipment.shipment_code) for each in watched}
    rows = tables.rows(keys, lock=True)
    done: list[bool] = []
    changed: list[Row] = []
    for each in watched:
        row = rows.get(Key(each.tenant, each.shipment.shipment_code))
        fits = row is not None and row.watched.revision == each.revision
        done.append(fits)
        if fits and row is not None:
            row.watched = replace(
                row.watched,
                told=each.told,
                cases=each.cases,
                status=each.status,
                looked=each.looked,
                due=each.due,
                revision=each.revision + 1,
            )
            changed.append(row)
    if changed:
        tables.write(changed)
    return done


def note(tables: Tables, position: int, noted: Sequence[Noted], now: int) -> None:
    """As the store's ``note``."""
    tables.guard()
    orders = by_order(noted)
    rows = tables.of_orders(orders.keys(), lock=True) if orders else []
    changed = []
    for row in rows:
        known = knowing(row.watched, orders)
        if known is not row.watched:
            due = min(known.due or now, now)
            row.watched = replace(known, due=due, revision=known.revision + 1)
            changed.append(row)
    if changed:
        tables.write(changed)
    watched = {(r.watched.tenant, r.watched.shipment.shipment_code) for r in rows}
    unwatched = [
        (Key(each.tenant, each.shipment_code), each.case)
        for each in noted
        if each.case is not None and (each.tenant, each.shipment_code) not in watched
    ]
    if unwatched:
        tables.add_cases(unwatched)
    if position > tables.number(FOLLOWED):
        tables.set_number(FOLLOWED, position)
