"""``esm demo``: starts a server, tells the story over gRPC, and proves the books from the log."""

from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.rule import Rule

from server.cli.admin import rebuilt
from server.cli.demo.explained import explain_order
from server.cli.demo.story import CHAPTERS, DISPUTED
from server.cli.demo.telling import NotAccepted, NotRefused, Teller
from server.cli.ledger import show_trial_balance
from server.cli.link import Link, opened
from server.cli.output import REFUSED, fail, out, progress, put_json, say
from server.cli.shown import STATES
from server.cli.stores import store_problems
from server.cli.ticket import show_tickets
from server.cli.verify import audited, show_findings
from server.settings import Settings

OPEN_SHOWN: Final = 12

NEXT: Final = """\
Try next 接下来可以试试:
  esm serve --data my-store                     a server of your own
  esm status                                    what it runs on (in another terminal)
  esm catalog show types                        every code it knows, in English and Chinese
  esm exception detect --help                   report trouble by hand
  README.md, "A tour"                           a refund from report to closed books"""


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Only the last lines, in JSON.")] = False,
) -> None:
    """Tell a story through the whole service, in half a minute.

    Nothing of it stays: the store lies in a temporary folder. Exit code 1 when the replayed
    books differ from the live ones.
    """
    from server.cli.hosted import hosted  # noqa: PLC0415 # pulls in the whole server

    logging.basicConfig(level=logging.ERROR)
    begun = time.monotonic()
    sound: list[bool] = []

    def work(link: Link) -> None:
        sound.append(_told_and_proved(link, begun))

    with tempfile.TemporaryDirectory(prefix="esm-demo-") as folder, store_problems():
        settings = Settings(address="127.0.0.1:0", data=Path(folder))
        with hosted(settings) as server:
            _headline(f"A server on {server.address}, a store in {folder}", as_json=as_json)
            try:
                opened(work, address=server.address, tenant="demo", actor="", as_json=as_json)
            except (NotAccepted, NotRefused) as problem:
                fail(f"the story cannot go on: {problem}", REFUSED)
    if not all(sound):
        raise typer.Exit(REFUSED)


def _told_and_proved(link: Link, begun: float) -> bool:
    teller = Teller(link)
    _tell(teller)
    if not link.as_json:
        _show(teller)
    equal = _replayed(link)
    findings, events, entries = audited(link, hidden=link.as_json)
    seconds = time.monotonic() - begun
    if link.as_json:
        put_json(
            {
                "commands": teller.commands,
                "events": events,
                "entries": entries,
                "rebuilt_equals_live": equal,
                "findings": len(findings),
                "seconds": round(seconds, 1),
            }
        )
        return equal and not findings
    show_findings(findings, events, entries)
    if not equal:
        fail("the replayed projections differ from the live ones", REFUSED)
    if not findings:
        out.print("[bold green]rebuilt = live[/] 重放结果与实时一致")
        say(f"{teller.commands} commands, {events} events, {entries} entries, {seconds:.0f} s\n")
        say(NEXT)
    return not findings


def _tell(teller: Teller) -> None:
    with progress(hidden=teller.link.as_json) as bars:
        bar = bars.add_task("story 故事", total=len(CHAPTERS))
        for title, chapter in CHAPTERS:
            _headline(title, as_json=teller.link.as_json)
            for words in chapter(teller):
                if not teller.link.as_json:
                    say(words)
            bars.advance(bar)


def _show(teller: Teller) -> None:
    link = teller.link
    seen = {"min_position": teller.position}
    _headline("Tickets 工单", as_json=False)
    by_state = link.call("CountTickets", {"by": "TICKET_PROPERTY_STATE", **seen})
    counts = [f"{c['tickets']} {c['value']} {STATES[c['value']]}" for c in by_state["counts"]]
    say(f"{by_state['total']} cases: {', '.join(counts)}")
    request = {"filter": "open = true", "order_by": "level desc, detected_at", "page_size": 500}
    tickets = link.call("ListTickets", {**request, **seen})["tickets"]
    shown = tickets[:OPEN_SHOWN]
    show_tickets(link, shown, f"Open, most senior first 未结 ({len(shown)} of {len(tickets)})")
    _headline("Trial balance 试算平衡", as_json=False)
    show_trial_balance(link, link.call("GetTrialBalance", seen))
    _headline(f"Order {DISPUTED}, explained 订单流水及原因", as_json=False)
    explain_order(link, DISPUTED)


def _replayed(link: Link) -> bool:
    """Build every projection again from the first event; whether all of them came out equal."""
    _headline("Replay from the first event 从头重放", as_json=link.as_json)
    equal = True
    for name in [each["name"] for each in link.call("GetStatus")["projections"]]:
        last = rebuilt(link, name, hidden=link.as_json)
        same = bool(last.get("equal"))
        equal = equal and same
        if not link.as_json:
            said = "equal byte by byte 一致" if same else "different 不一致"
            digest = last.get("rebuilt_digest", "")[:16]
            say(f"{name}: {last.get('events_done', 0)} events replayed, dump {digest}… {said}")
    return equal


def _headline(text: str, *, as_json: bool) -> None:
    if not as_json:
        out.print(Rule(text, align="left", style="cyan"))
