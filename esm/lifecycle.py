"""The rule-book: which moves a case and an action may make, as data, compiled to a table.

The rules are two ``transitions`` machines, the one definition that diagrams and tests read.
They are compiled once into dictionaries: a check then costs a look-up instead of a machine per
aggregate. Destination ``None`` keeps the state.
"""

from typing import Any, Final

from transitions import Machine
from transitions.extensions import GraphMachine

from esm.errors import IllegalActionMove, IllegalMove

DETECTED: Final = "detected"
ESCALATED: Final = "escalated"
REMEDIATED: Final = "remediated"
RECONCILED: Final = "reconciled"
WITHDRAWN: Final = "withdrawn"
MERGED: Final = "merged"
STATES: Final = (DETECTED, ESCALATED, REMEDIATED, RECONCILED, WITHDRAWN, MERGED)
OPEN_STATES: Final = frozenset({DETECTED, ESCALATED})

Rule = dict[str, Any]


def _stay(states: tuple[str, ...], *moves: str) -> list[Rule]:
    return [{"trigger": m, "source": list(states), "dest": None} for m in moves]


def _go(move: str, dest: str, *sources: str) -> Rule:
    return {"trigger": move, "source": list(sources), "dest": dest}


CASE_RULES: Final[tuple[Rule, ...]] = (
    *_stay((DETECTED, ESCALATED, REMEDIATED), "assign"),
    *_stay((DETECTED, ESCALATED), "reclassify", "verify", "join"),
    *_stay(STATES, "note"),
    *_stay((ESCALATED, REMEDIATED), "level", "contact"),
    *_stay((ESCALATED,), "start_waiting", "stop_waiting", "propose", "act"),
    *_stay((ESCALATED, REMEDIATED), "propose_recovery", "act_recovery"),
    *_stay((ESCALATED, REMEDIATED), "charge", "money", "write_back", "carry", "reverse"),
    *_stay((REMEDIATED, RECONCILED), "redeem"),
    *_stay((RECONCILED,), "settle_carried"),
    _go("escalate", ESCALATED, DETECTED),
    _go("propose", ESCALATED, REMEDIATED),
    _go("fail_after_success", ESCALATED, ESCALATED, REMEDIATED),
    _go("remediate", REMEDIATED, ESCALATED),
    _go("reconcile", RECONCILED, REMEDIATED),
    _go("withdraw", WITHDRAWN, DETECTED, ESCALATED),
    _go("merge", MERGED, DETECTED, ESCALATED, REMEDIATED),
    _go("reopen", ESCALATED, REMEDIATED, RECONCILED, WITHDRAWN),
)
"""Moves of a case (design §2). ``propose`` and ``act`` are the customer's side."""

PROPOSED: Final = "proposed"
APPROVED: Final = "approved"
SUBMITTED: Final = "submitted"
ACKNOWLEDGED: Final = "acknowledged"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
WRITTEN_OFF: Final = "written_off"
ACTION_STATUSES: Final = (
    PROPOSED,
    APPROVED,
    SUBMITTED,
    ACKNOWLEDGED,
    SUCCEEDED,
    FAILED,
    CANCELLED,
    WRITTEN_OFF,
)
ENDED_STATUSES: Final = frozenset({SUCCEEDED, FAILED, CANCELLED, WRITTEN_OFF})

ACTION_RULES: Final[tuple[Rule, ...]] = (
    _go("approve", APPROVED, PROPOSED),
    _go("submit", SUBMITTED, APPROVED, FAILED),
    _go("cancel", CANCELLED, PROPOSED, APPROVED, FAILED),
    _go("acknowledged", ACKNOWLEDGED, SUBMITTED),
    _go("succeeded", SUCCEEDED, SUBMITTED, ACKNOWLEDGED),
    _go("failed", FAILED, SUBMITTED, ACKNOWLEDGED, SUCCEEDED),
    *_stay((SUBMITTED, ACKNOWLEDGED), "dispatched", "claim_approved"),
    *_stay((SUBMITTED, ACKNOWLEDGED), "claim_paid", "claim_denied"),
    *_stay((SUCCEEDED,), "coupon_used", "coupon_revoked", "coupon_expired"),
    _go("write_off", WRITTEN_OFF, SUBMITTED, ACKNOWLEDGED),
    _go("settle", SUCCEEDED, APPROVED, SUBMITTED, ACKNOWLEDGED),
)
"""Moves of an action. A claim's money steps stay until nothing of it is open, then it ends;
a failed one is submitted again or cancelled, which withdraws what was still owed."""

Table = dict[str, dict[str, str]]


def _machine(states: tuple[str, ...], rules: tuple[Rule, ...]) -> Machine:
    return Machine(
        model=None,
        states=list(states),
        transitions=list(rules),
        initial=states[0],
        auto_transitions=False,
    )


CASE_MACHINE: Final = _machine(STATES, CASE_RULES)
ACTION_MACHINE: Final = _machine(ACTION_STATUSES, ACTION_RULES)


def compile_table(machine: Machine) -> Table:
    """State -> move -> resulting state. Refuses rules that a table cannot say (callbacks)."""
    table: Table = {state: {} for state in machine.states}
    for move, event in machine.events.items():
        for source, transitions in event.transitions.items():
            for rule in transitions:
                if rule.conditions or rule.prepare or rule.before or rule.after:
                    raise ValueError(f"rule {move} from {source} has a callback or a guard")
            table[source][move] = transitions[0].dest or source
    return table


CASE_TABLE: Final = compile_table(CASE_MACHINE)
ACTION_TABLE: Final = compile_table(ACTION_MACHINE)

RPC_OF_MOVE: Final[dict[str, str]] = {
    "assign": "AssignException",
    "reclassify": "ReclassifyException",
    "verify": "RecordVerification",
    "join": "DetectException",
    "note": "AddNote",
    "level": "EscalateException",
    "escalate": "EscalateException",
    "contact": "RecordContact",
    "start_waiting": "StartWaiting",
    "stop_waiting": "StopWaiting",
    "propose": "ProposeAction",
    "propose_recovery": "ProposeAction (recovery)",
    "act": "ApproveAction, SubmitAction, RecordActionOutcome, CancelAction",
    "act_recovery": "steps of recovery actions, WriteOffAction",
    "redeem": "RecordActionOutcome (coupon)",
    "fail_after_success": "RecordActionOutcome (failed)",
    "settle_carried": "outcomes and money of carried items, and their write-back",
    "charge": "RecordCarrierCharges",
    "money": "RecordExternalMoney",
    "write_back": "WriteBack",
    "carry": "CarryItem",
    "reverse": "ReverseEntry",
    "remediate": "RemediateException",
    "reconcile": "ReconcileException",
    "withdraw": "WithdrawException",
    "merge": "MergeExceptions",
    "reopen": "ReopenException",
}
"""What a caller does to make a move: refusals name these, not our inner words."""


def next_state(state: str, move: str) -> str:
    """The state a move leads to. Raises :class:`IllegalMove` naming what is allowed."""
    destination = CASE_TABLE[state].get(move)
    if destination is None:
        allowed = [RPC_OF_MOVE[m] for m in CASE_TABLE[state]]
        raise IllegalMove(RPC_OF_MOVE[move], state, allowed)
    return destination


def may(state: str, move: str) -> bool:
    """Whether the rule-book has the move from the state."""
    return move in CASE_TABLE[state]


def next_status(action_id: str, status: str, step: str) -> str:
    """The status an action's step leads to. Raises :class:`IllegalActionMove`."""
    destination = ACTION_TABLE[status].get(step)
    if destination is None:
        raise IllegalActionMove(step, action_id, status, sorted(ACTION_TABLE[status]))
    return destination


def diagram(rules: tuple[Rule, ...] = CASE_RULES, states: tuple[str, ...] = STATES) -> str:
    """The rule-book as a Mermaid state diagram."""
    machine = GraphMachine(
        states=list(states),
        transitions=list(rules),
        initial=states[0],
        auto_transitions=False,
        graph_engine="mermaid",
        show_conditions=False,
    )
    return str(machine.get_graph().draw(None))
