"""``esm track register|show|list``: the parcels that are watched."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from server.cli.items import Item, in_batches, items_of
from server.cli.link import Link
from server.cli.output import REFUSED, check_time, fail, table
from server.cli.shown import code_title, second_of

STATUSES: Final = {
    "registered": "已登记",
    "collected": "已揽收",
    "in_transit": "运输中",
    "arrived": "已到达",
    "departed": "已离开",
    "customs": "清关中",
    "customs_released": "已清关",
    "out_for_delivery": "派送中",
    "awaiting_collection": "待自提",
    "attempted": "派送未成功",
    "delivered": "已签收",
    "returning": "退回中",
    "returned": "已退回",
    "cancelled": "已取消",
    "problem": "异常",
    "information": "备注",
    "unknown": "查无",
}
"""Chinese for where a parcel stands."""

OUTCOMES: Final = {
    "registered": "已登记",
    "changed": "已更改",
    "unchanged": "未变",
    "opened": "已开异常",
    "muted": "已静音",
    "expected": "预期之内",
    "refused": "拒绝",
}
"""Chinese for what became of a shipment, or of a deviation."""

STAGES: Final = {"at_risk": "风险", "breached": "已超时", "serious": "严重"}

MARKS: Final = {
    "late": "late 迟到",
    "future": "in the future 时间超前",
    "zone_assumed": "zone assumed 时区推定",
    "retracted": "retracted 已撤回",
}
"""What may be remarked of a tracking fact."""

Code = Annotated[str, typer.Argument(help="Our id of the parcel.")]
FilterStatus = Annotated[
    str, typer.Option(help=f"Only those that stand so: {', '.join(STATUSES)}.")
]


def register(
    link: Link,
    shipment_code: Annotated[str, typer.Argument(help="Our id of the parcel.")] = "",
    *,
    file: Annotated[
        Path | None, typer.Option(help="JSON or JSON Lines of Shipment, instead of options.")
    ] = None,
    order_id: Annotated[str, typer.Option(help="Our order id.")] = "",
    number: Annotated[
        list[str] | None,
        typer.Option(help="Carrier's number, or carrier/number; may be repeated."),
    ] = None,
    piece: Annotated[
        list[str] | None, typer.Option(help="Name of a piece of several; may be repeated.")
    ] = None,
    carrier: Annotated[str, typer.Option(help="Carrier, by which rules may differ.")] = "",
    service: Annotated[str, typer.Option(help="Service of the carrier.")] = "",
    lane: Annotated[str, typer.Option(help="Lane, for example CN-US.")] = "",
    destination: Annotated[str, typer.Option(help="City or node it goes to.")] = "",
    untracked: Annotated[bool, typer.Option("--untracked", help="Nobody scans it.")] = False,
    labelled_at: Annotated[str, typer.Option(help="When it was marked as shipped, RFC 3339.")] = "",
    handed_over_at: Annotated[str, typer.Option(help="When the carrier got it, RFC 3339.")] = "",
    promised_at: Annotated[str, typer.Option(help="The latest time promised, RFC 3339.")] = "",
) -> None:
    """Watch a shipment, or the shipments of a file; what is set replaces what was."""
    given = {
        "shipment_code": shipment_code,
        "order_id": order_id,
        "numbers": [_number(each) for each in number or ()],
        "pieces": piece,
        "carrier": carrier,
        "service": service,
        "lane": lane,
        "destination": destination,
        "untracked": untracked,
        "labelled_at": labelled_at,
        "handed_over_at": handed_over_at,
        "promised_at": promised_at,
    }
    one = {name: value for name, value in given.items() if value}
    if bool(one) == (file is not None):
        fail("give a shipment code with its options, or --file")
    check_time("--labelled-at", labelled_at)
    check_time("--handed-over-at", handed_over_at)
    check_time("--promised-at", promised_at)
    rpc, field = "RegisterShipments", "shipments"
    items = [Item("", one)] if file is None else items_of(file, rpc, field)
    refused = 0
    for batch, shipments in in_batches(items):
        refused += _show_results(link, link.call(rpc, {field: shipments}), batch)
    if refused:
        raise typer.Exit(REFUSED)


def show(link: Link, shipment_code: Code) -> None:
    """A shipment: how it stands, what carriers told, and what was found."""
    answer = link.call("GetShipment", {"shipment_code": shipment_code})
    token = answer.pop("next_page_token", "")
    while token:
        request = {"shipment_code": shipment_code, "page_token": token}
        more = link.call("GetShipment", request)
        answer["timeline"] += more.get("timeline", [])
        token = more.get("next_page_token", "")
    if link.as_json:
        link.put(answer)
        return
    watched = answer["shipment"]
    shipment = watched["shipment"]
    numbers = [_written(each) for each in shipment.get("numbers", [])]
    pieces = [
        f"{each['piece']}: {status_title(each.get('status', ''))}"
        for each in watched.get("pieces", [])
    ]
    facts = (
        ("shipment 包裹", shipment_code),
        ("order 订单", shipment.get("order_id", "")),
        ("status 状态", status_title(watched.get("status", ""))),
        ("pieces 分件", "\n".join(pieces) or "\n".join(shipment.get("pieces", []))),
        ("numbers 单号", "\n".join(numbers)),
        ("carrier 承运商", _carriage(shipment)),
        ("destination 目的地", shipment.get("destination", "")),
        ("labelled 已打单", second_of(shipment.get("labelled_at", ""))),
        ("handed over 已交运", second_of(shipment.get("handed_over_at", ""))),
        ("promised 承诺时间", second_of(shipment.get("promised_at", ""))),
        ("next look 下次检查", second_of(watched.get("due_at", ""))),
    )
    table("", ("", ""), [fact for fact in facts if fact[1]])
    _show_timeline(link, answer.get("timeline", []))
    if answer.get("deviations"):
        _show_deviations(link, answer["deviations"])


def list_watched(
    link: Link,
    *,
    order_id: Annotated[str, typer.Option(help="Only those of this order.")] = "",
    number: Annotated[str, typer.Option(help="Only those of this carrier number.")] = "",
    status: FilterStatus = "",
    limit: Annotated[int, typer.Option(help="Most shipments to list.", min=1)] = 50,
) -> None:
    """The shipments that are watched, by shipment code."""
    given = {"order_id": order_id, "number": number, "status": status}
    request = {**given, "page_size": min(limit, 500)}
    found = list(islice(link.client.pages("ListWatched", request, "shipments"), limit))
    if link.as_json:
        link.put({"shipments": found})
        return
    table(
        "Watched 监控中",
        (
            *("#shipment 包裹", "order 订单", "status 状态", "carrier 承运商"),
            *("last told 最近轨迹", "next look 下次检查", ">facts 轨迹数"),
        ),
        [
            (
                each["shipment"].get("shipment_code", ""),
                each["shipment"].get("order_id", ""),
                status_title(each.get("status", "")),
                _carriage(each["shipment"]),
                second_of(each.get("last_checkpoint_at", "")),
                second_of(each.get("due_at", "")),
                each.get("checkpoints", 0),
            )
            for each in found
        ],
    )


def status_title(status: str) -> str:
    """Where a parcel stands, in English and Chinese."""
    return f"{status} {STATUSES.get(status, '')}".strip()


def _number(typed: str) -> dict[str, str]:
    carrier, separator, number = typed.partition("/")
    return {"carrier": carrier, "number": number} if separator else {"number": typed}


def _written(number: dict[str, Any]) -> str:
    parts = [f"{number['carrier']}/" if number.get("carrier") else "", number.get("number", "")]
    parts.append(f" ({number['piece']})" if number.get("piece") else "")
    parts.append(f", leg 段 {number['leg']}" if number.get("leg", 1) > 1 else "")
    return "".join(parts)


def _carriage(shipment: dict[str, Any]) -> str:
    parts = [shipment.get(name, "") for name in ("carrier", "service", "lane")]
    parts.append("not scanned 无轨迹" if shipment.get("untracked") else "")
    return " · ".join(part for part in parts if part)


def _show_results(link: Link, answer: dict[str, Any], batch: Sequence[Item]) -> int:
    results = answer.get("results", [])
    if link.as_json:
        link.put(answer)
    else:
        rows = []
        for item, each in zip(batch, results, strict=True):
            outcome = each.get("outcome", "refused")
            error = each.get("error", {})
            violations = [
                f"{v.get('field', '')} {v.get('description', '')}"
                for v in error.get("violations", [])
            ]
            why = "; ".join(violations) or error.get("message", "")
            why = f"{item.place}: {why}" if why and item.place else why
            said = f"{outcome} {OUTCOMES.get(outcome, '')}"
            rows.append((each.get("shipment_code", ""), said, why))
        table("", ("#shipment 包裹", "result 结果", "why 原因"), rows)
    return sum("error" in each for each in results)


def _show_timeline(link: Link, timeline: list[dict[str, Any]]) -> None:
    rows = []
    for each in timeline:
        remarks = [title for name, title in MARKS.items() if each.get(name)]
        if each.get("opens"):
            remarks.insert(0, code_title(each["opens"], link))
        told = [each.get(name, "") for name in ("station", "courier", "signer")]
        words = [each.get("raw_text", ""), " · ".join(part for part in told if part)]
        rows.append(
            (
                second_of(each.get("occurred", "")),
                f"{status_title(each.get('status', ''))}\n{each.get('raw_code', '')}".strip(),
                "\n".join(filter(None, (each.get("place", ""), each.get("piece", "")))),
                "\n".join(filter(None, words)),
                "\n".join(remarks),
            )
        )
    columns = (
        "#occurred 时间",
        "status, code 状态与原码",
        "place 地点",
        "text 原文",
        "remarks 备注",
    )
    table("Timeline 轨迹", columns, rows)


def _show_deviations(link: Link, deviations: list[dict[str, Any]]) -> None:
    rows = []
    for each in deviations:
        stage, outcome = each.get("stage", ""), each.get("outcome", "")
        staged = f"{stage} {STAGES.get(stage, '')}".strip()
        piece = f"piece 分件 {each['piece']}" if each.get("piece") else ""
        rows.append(
            (
                "\n".join(second_of(each[name]) for name in ("at", "ended_at") if each.get(name)),
                "\n".join(filter(None, (f"{each['rule']} v{each.get('version', 0)}", staged))),
                "\n".join(filter(None, (code_title(each.get("code", ""), link), piece))),
                "\n".join(
                    filter(
                        None,
                        (
                            f"{outcome} {OUTCOMES.get(outcome, '')}".strip(),
                            each.get("exception_id"),
                        ),
                    )
                ),
            )
        )
    columns = ("#from, until 起止", "rule, stage 规则与阶段", "code 代码", "#so, case 处理与异常")
    table("Deviations 偏差", columns, rows)
