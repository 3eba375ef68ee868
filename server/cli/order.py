"""``esm order``: the money side of orders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from server.cli.commands import Command, add_all
from server.cli.exception import show_results
from server.cli.items import in_batches, items_of
from server.cli.link import Link, connected
from server.cli.money import shown_money
from server.cli.output import REFUSED, table
from server.cli.shown import show_changed, show_preview

app = typer.Typer(help="Orders and their money 订单.", no_args_is_help=True)

MONEY: Final = (
    Command(
        "money",
        "RecordExternalMoney",
        "Record money that others moved: a fact, once per provider and external id.",
        arguments=("order_id", "kind"),
        options=(
            *("provider", "external_id", "amount", "account", "fee", "fee_tax"),
            *("exception_id", "reason", "tax_document"),
        ),
    ),
    Command(
        "write-back",
        "WriteBack",
        "Write the outcome of a case back to a billing line.",
        options=("logistics_line", "none"),
    ),
)
CHARGES: Final = (
    Command(
        "charges",
        "RecordCarrierCharges",
        "Record what a carrier charges for a case: accrued, then invoiced.",
        arguments=("exception_id", "logistics_line", "kind", "step"),
        options=("net", "tax", "carrier", "invoice"),
        item="charges",
    ),
)


def show_charge(link: Link, answer: dict[str, Any]) -> None:
    """The answer to one charge; a refusal ends the command."""
    preview = answer.get("results", [{}])[0].get("preview")
    if preview and not link.as_json:
        show_preview(link, preview)
    elif show_results(link, answer, "exception"):
        raise typer.Exit(REFUSED)


add_all(app, MONEY, show_changed)
add_all(app, CHARGES, show_charge)


@app.command()
@connected
def record(
    link: Link, file: Annotated[Path, typer.Argument(help="JSON or JSON Lines of OrderInput.")]
) -> None:
    """Record the orders of a file; each once per source and source id."""
    refused = sent = 0
    for batch, orders in in_batches(items_of(file, "RecordOrders", "orders")):
        refused += show_results(link, link.call("RecordOrders", {"orders": orders}), "order", sent)
        sent += len(batch)
    if refused:
        raise typer.Exit(REFUSED)


@app.command()
@connected
def show(link: Link, order_id: Annotated[str, typer.Argument(help="Our order id.")]) -> None:
    """An order: lines, payments, and what we may still give back."""
    answer = link.call("GetOrder", {"order_id": order_id})
    if link.as_json:
        link.put(answer)
        return
    order = answer["order"]

    def money(holder: dict[str, Any], name: str) -> str:
        return shown_money(holder.get(name), link.catalogue)

    table(
        f"Order 订单 {order_id}",
        ("line 行", "sku", ">goods 货款", ">shipping 运费", ">tax 税", ">goods undone 已退货款"),
        [
            (
                line.get("line_id", ""),
                line.get("sku", ""),
                *(money(line, name) for name in ("goods", "shipping", "tax", "goods_undone")),
            )
            for line in order.get("sale_lines", [])
        ],
    )
    table(
        "Parcels 物流账单行",
        ("line 行", "parcel 包裹", "carrier 承运商", "number 单号", ">freight 运费"),
        [
            (
                *(
                    line.get(name, "")
                    for name in ("line_id", "shipment_code", "carrier", "carrier_number")
                ),
                money(line, "freight"),
            )
            for line in order.get("logistics_lines", [])
        ],
    )
    names = ("captured", "committed", "refunded_outside", "charged_back", "open_disputes")
    titles: tuple[str, ...] = ("captured 已收", "committed 已承诺", "refunded outside 外部退款")
    titles += ("charged back 已拒付", "open disputes 争议中")
    rows = [(title, money(order, name)) for title, name in zip(titles, names, strict=True)]
    table(
        "Money 资金", ("", ">amount 金额"), [*rows, ("available 可用", money(order, "available"))]
    )
