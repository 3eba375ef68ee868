"""``esm verify``: derives the books again from the log, with code of its own, and compares."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import Final

import typer

from esm.times import instant
from server.cli.link import Actor, Address, AsJson, Link, Tenant, opened
from server.cli.output import REFUSED, progress, say, table
from server.cli.stores import Data, Dsn, Schema, require_store, store_problems, store_settings
from server.journal import JournalEntry, LoggedEvent, Turnover, entry_of, event_of, turnover_of
from server.verification import KINDS, Finding, audit

PAGE: Final = 500
PAUSE_SECONDS: Final = 0.2
FINDINGS_MAX: Final = 1_000
"""After so many findings an audit ends: more of them say nothing more."""


def verify(
    *,
    data: Data = None,
    dsn: Dsn = "",
    schema: Schema = "",
    address: Address = "",
    tenant: Tenant = "",
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Derive the books again from the log and compare; exit code 1 when something differs.

    Asks the server at --address, or opens a store that no live server holds.
    """

    def ask(at: str, work: Callable[[Link], None]) -> None:
        opened(work, address=at, tenant=tenant, actor=actor, as_json=as_json)

    if data is None and not dsn:
        ask(address, report)
        return
    from server.cli.hosted import hosted  # noqa: PLC0415 # pulls in the whole server

    settings = store_settings(data, dsn, schema, address="127.0.0.1:0", reflection=False)
    with store_problems():
        require_store(settings)
        with hosted(settings) as server:
            ask(server.address, _caught_up)
            ask(server.address, report)


def report(link: Link) -> None:
    """Audit one tenant; ends the command with 1 when something does not hold."""
    findings, events, entries = audited(link, hidden=link.as_json)
    if link.as_json:
        link.put(
            {"events": events, "entries": entries, "findings": [asdict(each) for each in findings]}
        )
    else:
        show_findings(findings, events, entries)
    if findings:
        raise typer.Exit(REFUSED)


def show_findings(findings: list[Finding], events: int, entries: int) -> None:
    """What an audit found, or that all of it holds."""
    if not findings:
        say(f"verified 核验通过: {entries} entries are what {events} events make")
        return
    columns = ("finding 问题", "meaning 含义", "entry 分录", "event 事件", "details 详情")
    rows = [
        (each.kind, KINDS[each.kind], each.number, each.event_id, each.words) for each in findings
    ]
    table("Findings 核验问题", columns, rows)
    say(f"{len(findings)} findings in {entries} entries and {events} events")


def audited(link: Link, *, hidden: bool = False) -> tuple[list[Finding], int, int]:
    """What an audit over the API found, and how many events and entries it read.

    Commands may come in meanwhile: what is audited ends with the last event of the first look.
    """
    read = _Reading(link, link.call("GetStatus").get("position", ""))
    with progress(hidden=hidden) as bars:
        bar = bars.add_task("reading 读取", total=None)

        def tick() -> None:
            bars.advance(bar)

        last = read.look(tick)
        if last is None:
            return [], 0, 0
        bars.reset(bar, total=2 * read.events_known, description="auditing 核验")
        found = audit(lambda: read.events(last, tick), read.entries(last), read.turnovers(last))
        findings = list(islice(found, FINDINGS_MAX))
    return findings, read.events_known, read.entries_read


class _Reading:
    """What an audit reads of a server, all of it up to one event of the log."""

    def __init__(self, link: Link, position: str) -> None:
        self._link = link
        self._position = position
        self._ledgers: set[str] = set()
        self.events_known = 0
        self.entries_read = 0

    def look(self, tick: Callable[[], None]) -> LoggedEvent | None:
        """The last event there is now."""
        last = None
        for event in self._every_event():
            last = event
            self.events_known += 1
            tick()
        return last

    def events(self, last: LoggedEvent, tick: Callable[[], None]) -> Iterator[LoggedEvent]:
        """Every event up to the last, in the order of the log."""
        for event in self._every_event():
            tick()
            yield event
            if event.event_id == last.event_id:
                return

    def entries(self, last: LoggedEvent) -> Iterator[JournalEntry]:
        """The books, without entries of events that were recorded later."""
        request = {"page_size": PAGE, "min_position": last.position}
        for each in self._link.client.pages("ListEntries", request, "entries"):
            entry = entry_of(each)
            if entry.recorded <= last.recorded:
                self.entries_read += 1
                self._ledgers.add(entry.ledger)
                yield entry

    def turnovers(self, last: LoggedEvent) -> Iterator[Turnover]:
        """Trial balances of the ledgers of all entries, cut at the last event if others came."""
        moved = self._link.call("GetStatus").get("position", "") != self._position
        bound = {"as_of": {"recorded": instant(last.recorded)}} if moved else {}
        for ledger in sorted(self._ledgers):
            answer = self._link.call("GetTrialBalance", {"ledger": ledger, **bound})
            for each in (*answer.get("accounts", ()), *answer.get("memoranda", ())):
                yield turnover_of(each, ledger)

    def _every_event(self) -> Iterator[LoggedEvent]:
        for each in self._link.client.pages("ListEvents", {"page_size": PAGE}, "events"):
            yield event_of(each)


def _caught_up(link: Link) -> None:
    """Wait until the projections of a store that was opened for this have read its log."""
    with progress(hidden=link.as_json) as bars:
        bar = bars.add_task("projections 投影", total=None)
        longest = 0
        while True:
            lags = [int(p.get("lag", 0)) for p in link.call("GetStatus")["projections"]]
            longest = max(longest, *lags)
            bars.update(bar, completed=longest - max(lags), total=longest)
            if not any(lags):
                return
            time.sleep(PAUSE_SECONDS)
