"""Answers of the API as people read them: tables with English and Chinese titles."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any, Final

from server.cli.link import Link
from server.cli.money import shown_money
from server.cli.output import say, table

Json = Mapping[str, Any]

STATES: Final[Mapping[str, str]] = {
    "detected": "已发现",
    "escalated": "处理中",
    "remediated": "已补救",
    "reconciled": "已对账",
    "withdrawn": "已撤销",
    "merged": "已合并",
}
"""Chinese for the states of a case."""


def plain(enum: str) -> str:
    """An enum value without its prefix: STATE_ESCALATED -> escalated."""
    for prefix in ("STATE_", "RESPONSE_LEVEL_", "ACTION_STATUS_", "STAGE_"):
        if enum.startswith(prefix):
            rest = enum.removeprefix(prefix).lower()
            return "" if rest == "unspecified" else rest
    return enum


def state_title(enum: str) -> str:
    """A state in English and Chinese."""
    name = plain(enum)
    return f"{name} {STATES.get(name, '')}".strip()


def code_title(code: str, link: Link) -> str:
    """A code with its titles; the bare code when this machine's catalogue lacks it."""
    found = link.catalogue.types.get(code)
    return f"{code}\n{found.title.en} {found.title.zh}" if found else code


def account_title(number: str, link: Link) -> str:
    """An account with its titles."""
    found = link.catalogue.accounts.get(number)
    return f"{found.title.en} {found.title.zh}" if found else ""


def second_of(at: str) -> str:
    """A time of the API to the second, in UTC; "" for none."""
    return f"{at[:19].replace('T', ' ')}Z" if at else ""


def subject_of(subject: Json) -> str:
    """What a case is about, on one line."""
    line = subject.get("invoice_line", {})
    parts = [subject.get(k, "") for k in ("order_id", "shipment_code", "piece")]
    parts += [line.get(k, "") for k in ("carrier", "number", "line")]
    return " / ".join(part for part in parts if part)


def show_case(link: Link, case: Json) -> None:
    """A case: what it is, its actions, and what keeps it open."""
    level = plain(case.get("level", ""))
    facts = (
        ("case 异常", case["exception_id"]),
        ("about 对象", subject_of(case.get("subject", {}))),
        ("code 代码", code_title(case.get("code", ""), link).replace("\n", "  ")),
        ("state 状态", state_title(case.get("state", ""))),
        ("owner 负责人", f"{case.get('owner', '')} ({case.get('team', '')})"),
        ("level 级别", level),
        ("episode 轮次", case.get("episode", "")),
        ("waiting on 等待", case.get("waiting_on", "")),
        ("resolution 结果", case.get("resolution", "")),
        ("etag", case.get("etag", "")),
    )
    table("", ("", ""), [fact for fact in facts if fact[1]])
    if case.get("actions"):
        show_actions(link, case["actions"])
    if case.get("open_items"):
        table(
            "Open items 未清项",
            ("item 项目", ">amount 金额", "what 说明", "carried 结转"),
            [
                (
                    item.get("item", ""),
                    shown_money(item.get("amount"), link.catalogue),
                    item.get("what", ""),
                    "yes" if item.get("carried") else "",
                )
                for item in case["open_items"]
            ],
        )


def show_actions(link: Link, actions: Iterable[Json]) -> None:
    """The remedies of a case."""
    rows = []
    for action in actions:
        remedy = link.catalogue.remedies.get(action.get("kind", ""))
        title = f"{remedy.title.en} {remedy.title.zh}" if remedy else action.get("kind", "")
        rows.append(
            (
                action.get("action_id", ""),
                title,
                plain(action.get("status", "")),
                shown_money(action.get("amount"), link.catalogue),
                action.get("side", ""),
            )
        )
    columns = ("action 措施", "remedy 方案", "status 状态", ">amount 金额", "side 方向")
    table("Actions 处理措施", columns, rows)


def show_changed(link: Link, answer: Json) -> None:
    """The answer to a command: the case, or what the command would do."""
    if link.as_json:
        link.put(answer)
        return
    if "preview" in answer:
        show_preview(link, answer["preview"])
        return
    for case in [answer.get("exception"), *answer.get("exceptions", [])]:
        if case:
            show_case(link, case)
    if answer.get("position"):
        say(f"recorded 已记录 · position {answer['position']}")


def show_preview(link: Link, preview: Json) -> None:
    """What a command would do; nothing of it happened."""
    say("Only shown, nothing was recorded 仅预览，未记录")
    show_events(preview.get("events", []))
    show_entries(link, preview.get("entries", []))


def show_events(events: Iterable[Json]) -> None:
    """Events, one a row, with the beginning of their payloads."""
    table(
        "Events 事件",
        ("#event 事件", "occurred, actor 发生与操作人", "payload 内容"),
        [
            (
                f"{event.get('topic', '')}\n{event.get('event_id', '')}",
                f"{second_of(event.get('occurred', ''))}\n{event.get('actor', '')}",
                brief(event),
            )
            for event in events
        ],
    )


def payload_of(event: Json) -> Any:
    """What an event says."""
    return json.loads(b64decode(event.get("payload", "") or b"e30="))


BRIEF_CHARACTERS_MAX: Final = 160
PUBLISHED: Final = "catalogue.published.v1"


def brief(event: Json) -> str:
    """The first words of an event's payload; the whole of it is in ``--json``."""
    content = payload_of(event)
    if isinstance(content, dict) and event.get("topic") != PUBLISHED:
        content.pop("catalogue", None)
    said = json.dumps(content, ensure_ascii=False)
    return said if len(said) <= BRIEF_CHARACTERS_MAX else said[:BRIEF_CHARACTERS_MAX] + "…"


def entry_title(entry: Json) -> str:
    """How an entry is called: ledger, year and number; empty in a preview."""
    number = entry.get("number")
    return f"{entry.get('ledger', '')}/{entry.get('year', '')}/{number}" if number else "—"


def show_entries(link: Link, entries: Iterable[Json], title: str = "Entries 分录") -> None:
    """Journal entries, a row for each of their lines."""
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        head = f"{entry_title(entry)}  {entry.get('effective', '')}\n{entry.get('event_id', '')}"
        for index, line in enumerate(entry.get("lines", [])):
            number = line.get("account", "")
            rows.append(
                (
                    "" if index else head,
                    line.get("row", ""),
                    f"{number} {account_title(number, link)}",
                    shown_money(line.get("debit"), link.catalogue),
                    shown_money(line.get("credit"), link.catalogue),
                )
            )
    columns = (
        "#number, effective, event 编号",
        "row 规则",
        "account 科目",
        ">debit 借",
        ">credit 贷",
    )
    table(title, columns, rows)
