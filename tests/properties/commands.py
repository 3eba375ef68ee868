"""What each operation of a sequence asks for, legal or not: one small function in a table."""

from collections.abc import Callable

from server.client import Json
from tests.properties.world import ACTORS, ORDER, Op, World, cny, detection, minor

AMOUNTS = (1000, 99, 1, 3000, 0, 6780, 12430, 20000)
KINDS = (
    "coupon",
    "claim",
    "partial_refund",
    "reship",
    "cash_compensation",
    "shipping_refund",
    "explain_only",
    "full_refund",
    "restore_sale",
    "redeliver",
    "teleport",
)
OUTCOMES = (
    "ACKNOWLEDGED",
    "SUCCEEDED",
    "FAILED",
    "DISPATCHED",
    "CLAIM_APPROVED",
    "CLAIM_PAID",
    "CLAIM_DENIED",
    "COUPON_USED",
    "COUPON_REVOKED",
    "COUPON_EXPIRED",
)
MONEY = (
    "payment_captured",
    "platform_refund",
    "chargeback_lost",
    "wallet_deduction",
    "provider_refund",
    "customer_payment",
    "chargeback_won",
    "payout",
    "chargeback_opened",
)
CODES = ("LOST", "TRACKING_STALLED", "WRONG_ITEM", "DAMAGED", "DELIVERED_AFTER_REMEDY")
ITEMS = (
    "order_facts",
    "last_event_and_path",
    "carrier_contact",
    "warehouse_pack_check",
    "customer_statement",
    "proof_of_delivery",
)
RESOLUTIONS = ("REFUNDED", "EXPLAINED", "RESUMED")

UNFINISHED = ("PROPOSED", "APPROVED", "SUBMITTED", "ACKNOWLEDGED")

Asked = tuple[str, Json, str]
"""RPC, request, actor."""


def asked(world: World, op: Op) -> Asked:
    """What the operation asks for in this world."""
    return OPS[op.name](world, op)


def _about(world: World, op: Op) -> Json:
    return {"exception_id": world.case(op.a)["exception_id"]}


def _amount(op: Op) -> int:
    return AMOUNTS[op.c % len(AMOUNTS)]


def _actor(op: Op) -> str:
    return ACTORS[(op.b + op.c) % len(ACTORS)]


def _simple(rpc: str, **fields: object) -> Callable[[World, Op], Asked]:
    return lambda world, op: (rpc, {**_about(world, op), **fields}, _actor(op))


def _detect(_: World, op: Op) -> Asked:
    changes: Json = {"stage": ("STAGE_BREACHED", "STAGE_AT_RISK")[op.c % 2]}
    if op.b % 2:
        source = {"kind": "carrier", "feed": "sf", "source_id": f"scan-{op.c}"}
        changes["signal"] = source
    return "DetectException", detection(CODES[op.a % len(CODES)], **changes), "ann"


def _escalate(world: World, op: Op) -> Asked:
    level = f"RESPONSE_LEVEL_{1 + op.b % 3}"
    return "EscalateException", {**_about(world, op), "level": level, "reason": "x"}, "ann"


def _assign(world: World, op: Op) -> Asked:
    return "AssignException", {**_about(world, op), "owner": _actor(op)}, "ann"


def _reclassify(world: World, op: Op) -> Asked:
    code = CODES[op.b % len(CODES)]
    return "ReclassifyException", {**_about(world, op), "code": code, "reason": "x"}, "ann"


def _verify(world: World, op: Op) -> Asked:
    item = ITEMS[op.b % len(ITEMS)]
    return "RecordVerification", {**_about(world, op), "item": item}, "ann"


def _propose(world: World, op: Op) -> Asked:
    case = world.case(op.a)
    kind = KINDS[op.b % len(KINDS)]
    amount = cny(_amount(op))
    line = str(1 + op.c % 2)
    terms: dict[str, Json] = {
        "full_refund": world.refund_terms(case) if "refund" in kind else {},
        "coupon": {"amount": amount, "logistics_line": "L1"},
        "claim": {"amount": amount, "counterparty": "sf", "logistics_line": "L1"},
        "reship": {"goods_cost": amount, "freight": cny(800), "logistics_line": "L2"},
        "cash_compensation": {"amount": amount, "basis": "beyond_contract"},
        "restore_sale": {"restores_action_id": world.action(case, op.c, "SUCCEEDED")["action_id"]},
    }
    terms["shipping_refund"] = terms["full_refund"]
    terms["partial_refund"] = {
        **terms["full_refund"],
        "lines": [{"sale_line": line, "amount": amount}],
    }
    return "ProposeAction", {**_about(world, op), "kind": kind, **terms.get(kind, {})}, "ann"


def _step(rpc: str, *statuses: str) -> Callable[[World, Op], Asked]:
    def make(world: World, op: Op) -> Asked:
        action = world.action(world.case(op.a), op.b, *statuses)
        if not action["kind"] and op.c:
            return _propose(world, op)
        request = {**_about(world, op), "action_id": action["action_id"], "reason": "x"}
        return rpc, request, _actor(op)

    return make


def _plain_step(rpc: str, *statuses: str) -> Callable[[World, Op], Asked]:
    def make(world: World, op: Op) -> Asked:
        action = world.action(world.case(op.a), op.b, *statuses)
        if not action["kind"] and op.c:
            return _propose(world, op)
        return rpc, {**_about(world, op), "action_id": action["action_id"]}, _actor(op)

    return make


def _outcome(world: World, op: Op) -> Asked:
    action = world.action(world.case(op.a), op.b, "SUBMITTED", "ACKNOWLEDGED", "SUCCEEDED")
    if not action["kind"] and op.c:
        return _propose(world, op)
    return _told(world, op, action, OUTCOMES[(op.b + op.c) % len(OUTCOMES)])


def _told(world: World, op: Op, action: Json, outcome: str) -> Asked:
    request = {
        **_about(world, op),
        "action_id": action["action_id"],
        "outcome": f"ACTION_OUTCOME_{outcome}",
    }
    if outcome == "SUCCEEDED":
        request |= {"account": "1020", "external_id": f"ext-{action['action_id']}"}
    elif outcome in ("CLAIM_APPROVED", "CLAIM_PAID"):
        whole = minor(action.get("amount"))
        request |= {"amount": cny((whole, whole // 2, _amount(op))[op.c % 3]), "account": "1010"}
    elif outcome == "DISPATCHED":
        request |= {"goods_cost": cny(_amount(op)), "freight": cny(700)}
        request |= {"logistics_line": "L2", "shipment_code": "S2"}
    return "RecordActionOutcome", request, _actor(op)


_NEXT = {"PROPOSED": "ApproveAction", "APPROVED": "SubmitAction", "FAILED": "CancelAction"}


def _advance(world: World, op: Op) -> Asked:
    """The natural next step of an action that has not ended, or a first action."""
    case = world.case(op.a)
    action = world.action(case, op.b, *UNFINISHED)
    status = action.get("status", "").removeprefix("ACTION_STATUS_")
    if not status or (status == "CANCELLED" and op.c):
        return _propose(world, op)
    return _next_step(world, op, action)


def _next_step(world: World, op: Op, action: Json) -> Asked:
    status = action["status"].removeprefix("ACTION_STATUS_")
    if status in _NEXT:
        request = {**_about(world, op), "action_id": action["action_id"]}
        return _NEXT[status], request, _actor(op)
    if action["kind"] == "claim":
        answers = ("CLAIM_APPROVED", "CLAIM_PAID", "CLAIM_DENIED")
        return _told(world, op, action, answers[(op.b + op.c) % 3])
    if action["kind"] == "reship" and not action.get("dispatched"):
        return _told(world, op, action, "DISPATCHED")
    if action["kind"] == "coupon" and status == "SUCCEEDED":
        return _told(world, op, action, OUTCOMES[7 + op.c % 3])
    return _told(world, op, action, "SUCCEEDED")


def _reverse(world: World, op: Op) -> Asked:
    case = world.case(op.a)
    entries = case.get("entries", [])
    event = entries[op.b % len(entries)]["event_id"] if entries else "none"
    request = {**_about(world, op), "event_id": event, "reason": "x"}
    if entries and op.c % 2:
        request["legs"] = _legs(world, event, _amount(op) or 1, uneven=op.c == 7)
    return "ReverseEntry", request, "ann"


def _legs(world: World, event: str, most: int, *, uneven: bool) -> list[Json]:
    """Equal parts of a debit and of a credit leg of an entry."""
    asked_for = {"event_id": event, "min_position": world.position}
    lines = world.call("GetEntry", asked_for)["entry"]["lines"]
    debit = next(line for line in lines if "debit" in line)
    credit = next(line for line in lines if "credit" in line)
    amount = min(minor(debit["debit"]), minor(credit["credit"]), most)
    return [
        {"leg": debit.get("index", 0), "amount": cny(amount)},
        {"leg": credit.get("index", 0), "amount": cny(amount + uneven)},
    ]


def _remediate(world: World, op: Op) -> Asked:
    resolution = RESOLUTIONS[op.c % len(RESOLUTIONS)]
    request = {**_about(world, op), "resolution": resolution, "summary": "told"}
    return "RemediateException", request, "ann"


def _withdraw(world: World, op: Op) -> Asked:
    return "WithdrawException", {**_about(world, op), "resolution": "RESUMED"}, "ann"


def _carry(world: World, op: Op) -> Asked:
    items = world.case(op.a).get("open_items", [])
    item = items[op.b % len(items)]["item"] if items else "action:A9"
    request = {
        **_about(world, op),
        "item": item,
        "reason": "slow",
        "owner": "fin",
        "due": "2099-12-31",
    }
    return "CarryItem", request, ACTORS[op.c % 2]


def _close(world: World, op: Op) -> Asked:
    """The natural next step of a case towards its end, and back into work behind it."""
    case = world.case(op.a)
    mine = [a for a in case.get("actions", []) if a["side"] == "customer"]
    running = [a for a in mine if a["status"].removeprefix("ACTION_STATUS_") in UNFINISHED]
    if case["state"] == "STATE_DETECTED":
        return _escalate(world, op)
    if case["state"] == "STATE_ESCALATED" and running:
        return _next_step(world, op, running[0])
    if case["state"] == "STATE_ESCALATED" and not any(_succeeded(a, case) for a in mine):
        return "ProposeAction", {**_about(world, op), "kind": "explain_only"}, "ann"
    if case["state"] in ("STATE_RECONCILED", "STATE_WITHDRAWN"):
        return "ReopenException", {**_about(world, op), "reason": "again"}, "ann"
    items = [i["item"] for i in case.get("open_items", []) if not i.get("carried")]
    lines = [i for i in items if i.startswith("write_back:")]
    if case["state"] == "STATE_REMEDIATED" and lines:
        line = lines[0].removeprefix("write_back:")
        return "WriteBack", {**_about(world, op), "logistics_line": line}, "ann"
    if case["state"] == "STATE_REMEDIATED" and items:
        return _carry(world, op)
    if case["state"] == "STATE_REMEDIATED":
        return "ReconcileException", _about(world, op), "ann"
    return _remediate(world, op._replace(c=1))


def _succeeded(action: Json, case: Json) -> bool:
    here = action.get("episode") == case.get("episode")
    return here and action["status"] == "ACTION_STATUS_SUCCEEDED"


def _merge(world: World, op: Op) -> Asked:
    into = world.case(op.a + op.b)["exception_id"]
    return "MergeExceptions", {**_about(world, op), "into": into}, "ann"


def _money(world: World, op: Op) -> Asked:
    kind = MONEY[op.b % len(MONEY)]
    request: Json = {
        "order_id": ORDER,
        "kind": kind,
        "provider": "visa",
        "external_id": f"x{op.c % 3}",
        "amount": cny(_amount(op)),
        "account": ("1020", "1025")[op.a % 2],
    }
    if op.a % 2 or kind == "customer_payment":
        request |= _about(world, op)
    return "RecordExternalMoney", request, "ann"


def _charge(world: World, op: Op) -> Asked:
    charge = {
        **_about(world, op),
        "logistics_line": f"L{1 + op.c % 3}",
        "kind": ("storage", "reship_freight")[op.b % 2],
        "step": ("accrued", "invoiced")[op.b // 2 % 2],
        "net": cny(_amount(op)),
        "tax": cny(op.c),
        "carrier": "sf",
        "invoice": f"I{op.c}",
    }
    return "RecordCarrierCharges", {"charges": [charge]}, "ann"


def _write_back(world: World, op: Op) -> Asked:
    lines = world.case(op.a).get("billing_lines", [])
    request = {**_about(world, op), "logistics_line": lines[op.b % len(lines)] if lines else ""}
    return "WriteBack", {**request, "none": not lines}, "ann"


OPS: dict[str, Callable[[World, Op], Asked]] = {
    "detect": _detect,
    "escalate": _escalate,
    "assign": _assign,
    "reclassify": _reclassify,
    "note": _simple("AddNote", text="x"),
    "contact": _simple("RecordContact", party="customer"),
    "verify": _verify,
    "wait": _simple("StartWaiting", party="carrier"),
    "go_on": _simple("StopWaiting"),
    "propose": _propose,
    "approve": _plain_step("ApproveAction", "PROPOSED"),
    "submit": _plain_step("SubmitAction", "APPROVED", "FAILED"),
    "outcome": _outcome,
    "advance": _advance,
    "cancel": _step("CancelAction", "APPROVED", "FAILED", "PROPOSED"),
    "write_off": _step("WriteOffAction", "SUBMITTED", "ACKNOWLEDGED"),
    "reverse": _reverse,
    "remediate": _remediate,
    "carry": _carry,
    "close": _close,
    "reconcile": _simple("ReconcileException"),
    "withdraw": _withdraw,
    "merge": _merge,
    "reopen": _simple("ReopenException", reason="again"),
    "money": _money,
    "charge": _charge,
    "write_back": _write_back,
}
"""Operation -> what it asks for."""

WEIGHTS = {"advance": 16, "propose": 5, "outcome": 5, "money": 3, "close": 14, "reverse": 3}
"""How often an operation is drawn; 1 when it is not named."""
