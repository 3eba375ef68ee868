"""LedgerService: reads of the ledger view."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

import grpc
from shipment_exception.v1 import ledger_pb2
from shipment_exception.v1 import ledger_service_pb2 as pb
from shipment_exception.v1 import ledger_service_pb2_grpc as rpc

from esm.errors import InvalidCommand, OrderNotFound, RecordNotFound, Violation
from esm.events import ActionProposed, Recorded
from esm.ids import event_id, order_aggregate_id
from esm.times import micros
from projections.ledger.view import (
    FILTERS,
    Account,
    Balance,
    By,
    JournalEntry,
    StatementLine,
)
from server.services.base import Page, Servicer
from server.services.calls import Caller, Context, caller_of
from server.wire import ledger as wire
from server.wire.events import event
from server.wire.filters import parse_filter
from server.wire.requests import read_instant

LEDGER: Final = "ledger"
"""Name of the projection."""

LEDGER_DEFAULT: Final = "default"
CAUSES_BATCH: Final = 500


class Cut(NamedTuple):
    """How the books stood: by one date or the other; None for now."""

    by: By
    effective: str | None
    recorded: int | None


class LedgerService(Servicer, rpc.LedgerServiceServicer):
    """The books, read-only."""

    NAME = pb.DESCRIPTOR.services_by_name["LedgerService"].full_name

    def add_to(self, server: grpc.aio.Server) -> None:
        rpc.add_LedgerServiceServicer_to_server(self, server)

    async def ListAccounts(
        self, request: pb.ListAccountsRequest, context: Context
    ) -> pb.ListAccountsResponse:
        caller = caller_of(context)
        page = Page(request, caller, self.services)
        await self.caught_up(LEDGER, request.min_position, context)
        chart = await to_thread(self.services.ledger.accounts, caller.tenant)
        behind = str(page.key[0]) if page.key else ""
        rest = [account for account in chart if account.number > behind][: page.limit]
        frame = self.frame(caller)

        def write(value: Account) -> ledger_pb2.Account:
            return ledger_pb2.Account(**wire.account(value, frame))

        accounts, token = page.cut(rest, write, lambda last: (last.number,))
        return pb.ListAccountsResponse(accounts=accounts, next_page_token=token)

    async def ListEntries(
        self, request: pb.ListEntriesRequest, context: Context
    ) -> pb.ListEntriesResponse:
        caller = caller_of(context)
        page = Page(request, caller, self.services)
        conditions = parse_filter(request.filter, FILTERS)
        await self.caught_up(LEDGER, request.min_position, context)
        view = self.services.ledger
        found = await to_thread(
            view.entries, caller.tenant, conditions, after=page.after, limit=page.limit
        )
        entries, token = self._cut(page, found, caller)
        return pb.ListEntriesResponse(entries=entries, next_page_token=token)

    async def GetEntry(self, request: pb.GetEntryRequest, context: Context) -> pb.GetEntryResponse:
        caller = caller_of(context)
        await self.caught_up(LEDGER, request.min_position, context)
        view, frame = self.services.ledger, self.frame(caller)
        found = await to_thread(view.entry, caller.tenant, request.event_id)
        if found is None:
            raise RecordNotFound(
                f"event {request.event_id!r} made no journal entry",
                metadata={"eventId": request.event_id},
            )
        causes = await self._causes(caller, found)
        return pb.GetEntryResponse(
            entry=wire.entry(found, frame), events=[event(each, frame) for each in causes]
        )

    async def GetTrialBalance(
        self, request: pb.GetTrialBalanceRequest, context: Context
    ) -> pb.GetTrialBalanceResponse:
        caller = caller_of(context)
        cut = _cut(request.as_of)
        await self.caught_up(LEDGER, request.min_position, context)
        ledger = await self._ledger(caller, request.ledger)
        view, frame = self.services.ledger, self.frame(caller)
        found = await to_thread(
            view.trial_balance,
            caller.tenant,
            ledger,
            effective=cut.effective,
            recorded=cut.recorded,
        )
        return pb.GetTrialBalanceResponse(
            accounts=[wire.balance(each, frame) for each in found.accounts],
            memoranda=[wire.balance(each, frame) for each in found.memoranda],
            totals=[wire.balance(each, frame) for each in _totals(found.accounts)],
        )

    async def GetAccountStatement(
        self, request: pb.GetAccountStatementRequest, context: Context
    ) -> pb.GetAccountStatementResponse:
        caller = caller_of(context)
        page, cut = Page(request, caller, self.services), _cut(request.as_of)
        await self.caught_up(LEDGER, request.min_position, context)
        ledger = await self._ledger(caller, request.ledger)
        await self._check_account(caller, request.account)
        found = await to_thread(
            self.services.ledger.account_statement,
            caller.tenant,
            ledger,
            request.account,
            by=cut.by,
            effective=cut.effective,
            recorded=cut.recorded,
            after=page.key,
            limit=page.limit,
        )
        frame = self.frame(caller)

        def write(value: StatementLine) -> ledger_pb2.StatementLine:
            return ledger_pb2.StatementLine(**wire.statement_line(value, frame))

        lines, token = page.cut(found, write, lambda last: last.key(cut.by))
        return pb.GetAccountStatementResponse(lines=lines, next_page_token=token)

    async def GetOrderStatement(
        self, request: pb.GetOrderStatementRequest, context: Context
    ) -> pb.GetOrderStatementResponse:
        caller = caller_of(context)
        page = Page(request, caller, self.services)
        await self.caught_up(LEDGER, request.min_position, context)
        view, frame = self.services.ledger, self.frame(caller)
        found = await to_thread(
            view.order_statement,
            caller.tenant,
            request.order_id,
            after=page.after,
            limit=page.limit,
        )
        if not found.entries:
            await self._check_order(caller, request.order_id)
        entries, token = self._cut(page, found.entries, caller)
        return pb.GetOrderStatementResponse(
            entries=entries,
            costs=[wire.cost(each, frame) for each in found.costs],
            next_page_token=token,
        )

    def _cut(
        self, page: Page, found: Sequence[JournalEntry], caller: Caller
    ) -> tuple[list[ledger_pb2.JournalEntry], str]:
        frame = self.frame(caller)

        def write(value: JournalEntry) -> ledger_pb2.JournalEntry:
            return ledger_pb2.JournalEntry(**wire.entry(value, frame))

        return page.cut(found, write, lambda last: (last.position,))

    async def _ledger(self, caller: Caller, name: str) -> str:
        name = name or LEDGER_DEFAULT
        if name not in self.services.catalogue.ledgers:
            known = await to_thread(self.services.ledger.ledgers, caller.tenant)
            if name not in known:
                raise RecordNotFound(f"no ledger {name!r}", metadata={"ledger": name})
        return name

    async def _check_account(self, caller: Caller, number: str) -> None:
        if number not in self.services.catalogue.accounts:
            chart = await to_thread(self.services.ledger.accounts, caller.tenant)
            if all(account.number != number for account in chart):
                raise RecordNotFound(f"no account {number!r}", metadata={"account": number})

    async def _check_order(self, caller: Caller, order_id: str) -> None:
        aggregate_id = order_aggregate_id(caller.tenant, order_id)
        version, _ = await self.services.history.state(caller.tenant, aggregate_id)
        if not version:
            raise OrderNotFound(order_id)

    async def _causes(self, caller: Caller, entry: JournalEntry) -> list[Recorded]:
        """The events behind an entry, oldest first; see GetEntryResponse.events."""
        events: list[Recorded] = []
        after = 0
        while after < entry.position:
            batch = await self.services.history.events(
                caller.tenant,
                aggregate_id=UUID(entry.exception_id),
                after=after,
                limit=CAUSES_BATCH,
            )
            events.extend(each for each in batch if each.position <= entry.position)
            after = batch[-1].position if len(batch) == CAUSES_BATCH else entry.position
        actions = {line.action_id for line in entry.lines if line.action_id}
        wanted = {entry.event_id, entry.mirrors}
        for each in events:
            if isinstance(each.event, ActionProposed) and each.event.action_id in actions:
                wanted.update(each.event.terms.cause_event_ids)
        return [
            each
            for each in events
            if event_id(each.aggregate_id, each.version) in wanted
            or getattr(each.event, "action_id", None) in actions
        ]


def _cut(as_of: pb.AsOf) -> Cut:
    which = as_of.WhichOneof("cut")
    if which is None:
        return Cut("effective", None, None)
    found: list[Violation] = []
    if which == "recorded":
        moment = read_instant(as_of.recorded, "as_of.recorded", found)
        if found:
            raise InvalidCommand(found)
        return Cut("recorded", None, micros(moment))
    try:
        day = date.fromisoformat(as_of.effective).isoformat()
    except ValueError:
        day = ""
    if day != as_of.effective:
        raise InvalidCommand([Violation("as_of.effective", "must be a date YYYY-MM-DD")])
    return Cut("effective", day, None)


def _totals(balances: Iterable[Balance]) -> list[Balance]:
    sums: dict[str, tuple[int, int]] = {}
    for each in balances:
        debit, credit = sums.get(each.currency, (0, 0))
        sums[each.currency] = (debit + each.debit, credit + each.credit)
    return [
        Balance(account="", currency=currency, debit=debit, credit=credit)
        for currency, (debit, credit) in sorted(sums.items())
    ]
