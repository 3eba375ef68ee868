"""``esm ledger``: the books, read-only."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from server.cli.link import Link, connected
from server.cli.money import shown_money
from server.cli.output import fail, progress, say, table
from server.cli.shown import account_title, show_entries, show_events
from server.exports import FORMATS, Chart, UnknownInChart
from server.journal import JournalEntry, account_of, entry_of

app = typer.Typer(help="The books: entries, balances, exports 账本.", no_args_is_help=True)

PAGE = 500
VIEW = "ledger"

Ledger = Annotated[str, typer.Option("--ledger", help="Legal entity; default when not said.")]
Effective = Annotated[str, typer.Option(help="As the books stood on this date, YYYY-MM-DD.")]
Recorded = Annotated[str, typer.Option(help="As we knew them at this moment, RFC 3339.")]
Limit = Annotated[int, typer.Option(help="Most items to list.", min=1)]


@app.command()
@connected
def accounts(link: Link) -> None:
    """The chart of accounts."""
    found = list(_chart(link))
    if link.as_json:
        link.put({"accounts": found})
        return
    rows = [
        (
            account.get("number", ""),
            account.get("title", {}).get("en", ""),
            account.get("title", {}).get("zh", ""),
            account.get("kind", ""),
            "control" if account.get("control") else "",
        )
        for account in found
    ]
    columns = ("account 科目", "title", "名称", "kind 类别", "gate A 关口")
    table("Accounts 会计科目", columns, rows)


@app.command()
@connected
def entries(
    link: Link,
    filter: Annotated[str, typer.Option(help='For example account = "2110".')] = "",
    limit: Limit = 50,
) -> None:
    """Journal entries in the order of the log."""
    request = {"filter": filter, "page_size": min(limit, PAGE), **link.seen(VIEW)}
    found = list(islice(link.client.pages("ListEntries", request, "entries"), limit))
    if link.as_json:
        link.put({"entries": found})
    else:
        show_entries(link, found)


@app.command()
@connected
def entry(link: Link, event_id: Annotated[str, typer.Argument(help="Event of the entry.")]) -> None:
    """One entry with the events that caused it."""
    answer = link.call("GetEntry", {"event_id": event_id, **link.seen(VIEW)})
    if link.as_json:
        link.put(answer)
        return
    show_entries(link, [answer["entry"]])
    show_events(answer.get("events", []))


@app.command("trial-balance")
@connected
def trial_balance(
    link: Link, ledger: Ledger = "", effective: Effective = "", recorded: Recorded = ""
) -> None:
    """Debits, credits and balances of every account; now or as of a date."""
    request = {"ledger": ledger, **cut(effective, recorded), **link.seen(VIEW)}
    answer = link.call("GetTrialBalance", request)
    if link.as_json:
        link.put(answer)
    else:
        show_trial_balance(link, answer)


@app.command()
@connected
def account(
    link: Link,
    number: Annotated[str, typer.Argument(help="Number of the account.")],
    *,
    ledger: Ledger = "",
    effective: Effective = "",
    recorded: Recorded = "",
    limit: Limit = 200,
) -> None:
    """What moved on an account, with its balance after each line."""
    request = {
        "ledger": ledger,
        "account": number,
        "page_size": min(limit, PAGE),
        **cut(effective, recorded),
        **link.seen(VIEW),
    }
    found = list(islice(link.client.pages("GetAccountStatement", request, "lines"), limit))
    if link.as_json:
        link.put({"lines": found})
        return
    rows = [
        (
            each["entry"].get("effective", ""),
            f"{each['entry'].get('ledger')}/{each['entry'].get('year')}/"
            f"{each['entry'].get('number')}",
            each["line"].get("row", ""),
            each["line"].get("order_id", ""),
            shown_money(each["line"].get("debit"), link.catalogue),
            shown_money(each["line"].get("credit"), link.catalogue),
            shown_money(each.get("balance"), link.catalogue),
        )
        for each in found
    ]
    columns = ("effective 生效", "number 编号", "row 规则", "order 订单", ">debit 借", ">credit 贷")
    table(f"{number} {account_title(number, link)}", (*columns, ">balance 余额"), rows)


@app.command()
@connected
def order(link: Link, order_id: Annotated[str, typer.Argument(help="Our order id.")]) -> None:
    """Every entry of an order, and what each of its cases cost."""
    found, costs = order_statement(link, order_id)
    if link.as_json:
        link.put({"entries": found, "costs": costs})
        return
    show_entries(link, found)
    names = ("revenue_undone", "handling_cost", "recovered", "net_cost")
    columns = (
        *("#case 异常", ">revenue undone 冲减收入", ">handling 处理成本", ">recovered 追回"),
        ">net cost 净成本",
    )
    rows = [
        (each["exception_id"], *(shown_money(each.get(name), link.catalogue) for name in names))
        for each in costs
    ]
    table("Costs 成本", columns, rows)


@app.command()
@connected
def export(
    link: Link,
    format: Annotated[str, typer.Option(help="csv, jsonl or beancount.")] = "csv",
    output: Annotated[
        Path | None, typer.Option(help="File to write; standard output else.")
    ] = None,
    filter: Annotated[str, typer.Option(help="For example year = 2026.")] = "",
) -> None:
    """Write the journal for another program."""
    if format not in FORMATS:
        fail(f"{format!r} is no format; there are: {', '.join(FORMATS)}")
    chart = Chart(
        {each["number"]: account_of(each) for each in _chart(link)},
        link.catalogue.currencies,
    )
    with ExitStack() as stack:
        try:
            file = stack.enter_context(output.open("w", encoding="utf-8")) if output else sys.stdout
        except OSError as problem:
            fail(f"{output}: {problem.strerror}")
        try:
            for piece in FORMATS[format](_read_entries(link, filter, shown=bool(output)), chart):
                file.write(piece)
        except UnknownInChart as problem:
            fail(str(problem))
    if output and link.as_json:
        link.put({"output": str(output)})
    elif output:
        say(f"written 已导出: {output}")


def cut(effective: str, recorded: str) -> dict[str, Any]:
    """The ``as_of`` of a request, nothing for now."""
    if effective and recorded:
        fail("give --effective or --recorded, not both")
    given = {"effective": effective, "recorded": recorded}
    bound = {name: value for name, value in given.items() if value}
    return {"as_of": bound} if bound else {}


def order_statement(link: Link, order_id: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Entries of an order, and the cost of each of its cases."""
    found: list[dict[str, Any]] = []
    request: dict[str, Any] = {"order_id": order_id, "page_size": PAGE, **link.seen(VIEW)}
    while True:
        answer = link.call("GetOrderStatement", request)
        found += answer.get("entries", [])
        request["page_token"] = answer.get("next_page_token", "")
        if not request["page_token"]:
            return found, answer.get("costs", [])


def show_trial_balance(link: Link, answer: dict[str, Any]) -> None:
    """A trial balance, its totals, and the memorandum accounts apart."""

    def rows(balances: Iterable[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
        for each in balances:
            number = each.get("account", "")
            amounts = (
                shown_money(each.get(name), link.catalogue)
                for name in ("debit", "credit", "balance")
            )
            yield (number, account_title(number, link) if number else "total 合计", *amounts)

    columns = ("account 科目", "title 名称", ">debit 借", ">credit 贷", ">balance 余额")
    every = [*rows(answer.get("accounts", [])), *rows(answer.get("totals", []))]
    table("", columns, every)
    if answer.get("memoranda"):
        table("Memorandum accounts 备查账户", columns, list(rows(answer["memoranda"])))


def _read_entries(link: Link, filter: str, *, shown: bool) -> Iterator[JournalEntry]:
    with progress(hidden=not shown or link.as_json) as bars:
        bar = bars.add_task("entries 分录", total=None)
        request = {"filter": filter, "page_size": PAGE, **link.seen(VIEW)}
        for each in link.client.pages("ListEntries", request, "entries"):
            bars.advance(bar)
            yield entry_of(each)


def _chart(link: Link) -> Iterator[dict[str, Any]]:
    request = {"page_size": PAGE, **link.seen(VIEW)}
    return link.client.pages("ListAccounts", request, "accounts")
