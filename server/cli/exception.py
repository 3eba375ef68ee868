"""``esm exception``: everything that can be done to a case."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from server.cli.commands import Command, add_all
from server.cli.items import in_batches, items_of
from server.cli.link import Link, connected
from server.cli.output import REFUSED, fail, table
from server.cli.shown import show_case, show_changed, state_title, subject_of

app = typer.Typer(help="Cases, from detection to reconciliation 异常.", no_args_is_help=True)

ACTION: Final = ("exception_id", "action_id")

COMMANDS: Final = (
    Command(
        "detect",
        "DetectException",
        "Report trouble: opens a case, or joins the open one.",
        arguments=(),
        options=(
            *("order_id", "code", "shipment_code", "piece", "invoice_line", "signal_kind", "feed"),
            *("source_id", "raw_code", "raw_text", "began_at", "received_at", "checkpoint_at"),
            *("checkpoint_received_at", "checkpoint_place", "checkpoint_status"),
            *("checkpoint_code", "checkpoint_text", "none_yet_at", "failing_check", "stage"),
            *("person", "report", "answers"),
        ),
        paths={
            "order_id": "subject.order_id",
            "shipment_code": "subject.shipment_code",
            "piece": "subject.piece",
            "invoice_line": "subject.invoice_line",
            "signal_kind": "signal.kind",
            "feed": "signal.feed",
            "source_id": "signal.source_id",
            "raw_code": "signal.raw_code",
            "raw_text": "signal.raw_text",
            "began_at": "signal.occurred_at",
            "received_at": "signal.received_at",
            "checkpoint_at": "last_checkpoint.occurred_at",
            "checkpoint_received_at": "last_checkpoint.received_at",
            "checkpoint_place": "last_checkpoint.place",
            "checkpoint_status": "last_checkpoint.status",
            "checkpoint_code": "last_checkpoint.raw_code",
            "checkpoint_text": "last_checkpoint.raw_text",
            "none_yet_at": "none_yet_looked_at",
            "report": "report.template",
            "answers": "report.fields",
        },
        fixed={"signal.kind": "person"},
        implied={"report": ("signal.kind", "customer")},
        etag=False,
    ),
    Command(
        "escalate",
        "EscalateException",
        "Accept into work, or move the response level up or down.",
        options=("level", "reason"),
    ),
    Command(
        "assign",
        "AssignException",
        "Give the case an owner, and another team.",
        options=("owner", "team", "reason"),
    ),
    Command(
        "reclassify",
        "ReclassifyException",
        "Change the code inside its family.",
        arguments=("exception_id", "code"),
        options=("reason", "evidence"),
    ),
    Command(
        "note",
        "AddNote",
        "Write something down.",
        arguments=("exception_id", "text"),
        options=("customer_visible",),
    ),
    Command(
        "contact",
        "RecordContact",
        "Record that we spoke with somebody, or tried to.",
        arguments=("exception_id", "party"),
        options=("channel", "direction", "reached", "summary"),
    ),
    Command(
        "verify",
        "RecordVerification",
        "Tick an item of the code's checklist.",
        arguments=("exception_id", "item"),
        options=("result", "finding", "evidence"),
        fixed={"result": "confirmed"},
    ),
    Command(
        "wait",
        "StartWaiting",
        "We wait on somebody.",
        arguments=("exception_id", "party"),
        options=("reason",),
    ),
    Command("resume", "StopWaiting", "The waiting is over."),
    Command(
        "propose",
        "ProposeAction",
        "Propose a remedy: esm catalog show remedies.",
        arguments=("exception_id", "kind"),
        options=(
            *("lines", "amount", "goods_cost", "freight", "shipment_code", "logistics_line"),
            *("cause_event_ids", "tax_document", "basis", "coupon_kind"),
            *("restores_action_id", "counterparty", "explanation"),
        ),
    ),
    Command("approve", "ApproveAction", "Decide a remedy; what we then owe is posted.", ACTION),
    Command(
        "submit",
        "SubmitAction",
        "Hand a remedy to whoever carries it out.",
        ACTION,
        options=("external_id",),
    ),
    Command(
        "outcome",
        "RecordActionOutcome",
        "Record what became of a remedy.",
        (*ACTION, "outcome"),
        options=(
            *("external_id", "account", "amount", "fee", "goods_cost", "freight"),
            *("shipment_code", "logistics_line", "note"),
        ),
    ),
    Command("cancel", "CancelAction", "A remedy will not happen.", ACTION, options=("reason",)),
    Command(
        "write-off",
        "WriteOffAction",
        "Give up an approved, unpaid claim; called by two persons.",
        ACTION,
        options=("reason",),
    ),
    Command(
        "reverse",
        "ReverseEntry",
        "Undo a journal entry, or a part of it.",
        arguments=("exception_id", "event_id"),
        options=("legs", "reason"),
    ),
    Command(
        "remediate",
        "RemediateException",
        "The customer's side is finished and told.",
        arguments=("exception_id", "resolution"),
        options=("summary",),
    ),
    Command(
        "carry",
        "CarryItem",
        "Carry an open item past reconciliation; called by two persons.",
        arguments=("exception_id", "item"),
        options=("amount", "reason", "owner", "due"),
    ),
    Command("reconcile", "ReconcileException", "Close the books of a case."),
    Command(
        "withdraw",
        "WithdrawException",
        "The trouble was false or cleared by itself.",
        arguments=("exception_id", "resolution"),
        options=("reason",),
    ),
    Command(
        "merge",
        "MergeExceptions",
        "End a duplicate; its story goes on in another case.",
        arguments=("exception_id", "into"),
        options=("reason",),
    ),
    Command("reopen", "ReopenException", "Back into work.", options=("reason",)),
    Command(
        "mute",
        "MuteRule",
        "Keep a rule from opening cases about an order, a parcel or a piece, for a while.",
        arguments=("rule", "order_id"),
        options=("shipment_code", "piece", "until", "reason"),
        etag=False,
    ),
)
"""Every command on one case; field names are those of the proto unless ``paths`` says more."""

add_all(app, COMMANDS, show_changed)

CaseId = Annotated[str, typer.Argument(help="The case.")]


@app.command("detect-file")
@connected
def detect_file(
    link: Link,
    file: Annotated[Path, typer.Argument(help="JSON Lines of DetectExceptionRequest.")],
) -> None:
    """Report the troubles of a file, 500 a call; each stands for itself."""
    refused = sent = 0
    items = items_of(file, "BatchDetectExceptions", "requests")
    for batch, requests in in_batches(items):
        answer = link.call("BatchDetectExceptions", {"requests": requests})
        refused += show_results(link, answer, "exception", sent)
        sent += len(batch)
    if refused:
        raise typer.Exit(REFUSED)


def show_results(link: Link, answer: dict[str, Any], name: str, start: int = 0) -> int:
    """The results of a batch; gives how many were refused. ``name``: field of the resource."""
    results = answer.get("results", [])
    refused = sum("error" in result for result in results)
    if link.as_json:
        link.put(answer)
        return refused
    rows = []
    for index, result in enumerate(results, start + 1):
        error, made = result.get("error"), result.get(name, {})
        if error:
            violations = "; ".join(
                f"{v.get('field', '')} {v.get('description', '')}"
                for v in error.get("violations", [])
            )
            rows.append((index, "refused 拒绝", error["reason"], violations or error["message"]))
        else:
            about = made.get("order_id") or subject_of(made.get("subject", {}))
            kept = made.get("exception_id", "")
            rows.append((index, "accepted 已受理", about, kept or made.get("etag", "")))
    table("", (">#", "result 结果", "about 对象", "id / why 编号或原因"), rows)
    return refused


@app.command()
@connected
def show(link: Link, exception_id: CaseId) -> None:
    """A case as the log has it."""
    _put(link, link.call("GetException", {"exception_id": exception_id}))


@app.command("as-of")
@connected
def as_of(
    link: Link,
    exception_id: CaseId,
    version: Annotated[int, typer.Option(help="After so many events.")] = 0,
    occurred: Annotated[str, typer.Option(help="As it was then in the world, RFC 3339.")] = "",
    recorded: Annotated[str, typer.Option(help="As we knew it then, RFC 3339.")] = "",
) -> None:
    """A case as it was: after a version, at an occurred or at a recorded time."""
    given = {"version": version, "occurred": occurred, "recorded": recorded}
    bound = {name: value for name, value in given.items() if value}
    if len(bound) != 1:
        fail("give one of --version, --occurred and --recorded")
    _put(link, link.call("GetExceptionAsOf", {"exception_id": exception_id, **bound}))


def _put(link: Link, answer: dict[str, Any]) -> None:
    if link.as_json:
        link.put(answer)
        return
    case = answer["exception"]
    show_case(link, case)
    history = [c.get("code", "") for c in case.get("codes", [])]
    table(
        "",
        ("", ""),
        [
            ("codes 代码变化", " → ".join(history)),
            ("reports 信号", "\n".join(_source(each) for each in case.get("sources", []))),
            ("checked 核对", ", ".join(v["item"] for v in case.get("verifications", []))),
            ("state 状态", state_title(case.get("state", ""))),
        ],
    )


def _source(source: dict[str, Any]) -> str:
    """A report in one line: who, by which rule or template, what of it is to be reviewed."""
    alert = source.get("alert", {})
    stage = alert.get("stage", "").removeprefix("STAGE_").lower()
    words = (source.get("kind", ""), alert.get("rule", ""), stage, source.get("report", ""))
    candidate = source.get("candidate", "")
    return " ".join((*filter(None, words), *([f"→ {candidate}?"] if candidate else [])))
