"""Refusals of the domain, each with a reason that never changes once released."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple


class Violation(NamedTuple):
    """One thing wrong with a request: the path of the field and what is allowed there."""

    field: str
    description: str


class DomainError(Exception):
    """A refusal. ``reason`` is part of the API; everything dynamic is also in ``metadata``."""

    reason: ClassVar[str]

    def __init__(
        self,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)


class InvalidCommand(DomainError):
    """A field is missing or holds what can never be right, whatever the state."""

    reason = "INVALID_COMMAND"

    def __init__(self, violations: Sequence[Violation]) -> None:
        first = violations[0]
        super().__init__(
            f"{len(violations)} field(s) refused, first: {first.field}: {first.description}",
            metadata={"fields": ",".join(v.field for v in violations)},
            violations=violations,
        )


class ExceptionNotFound(DomainError):
    """No case of this tenant has the id."""

    reason = "EXCEPTION_NOT_FOUND"

    def __init__(self, exception_id: str) -> None:
        super().__init__(
            f"exception {exception_id!r} does not exist", metadata={"exceptionId": exception_id}
        )


class OrderNotFound(DomainError):
    """No order of this tenant has the id; record it first (OrderService.RecordOrders)."""

    reason = "ORDER_NOT_FOUND"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"order {order_id!r} does not exist; record it with RecordOrders first",
            metadata={"orderId": order_id},
        )


class ActionNotFound(DomainError):
    """The case has no action with the id."""

    reason = "ACTION_NOT_FOUND"

    def __init__(self, action_id: str, known: Sequence[str]) -> None:
        super().__init__(
            f"the case has no action {action_id!r}; it has: {', '.join(known) or 'none'}",
            metadata={"actionId": action_id, "known": ",".join(known)},
        )


class EntryNotFound(DomainError):
    """No journal entry was made by the named event of the case."""

    reason = "ENTRY_NOT_FOUND"


class RecordNotFound(DomainError):
    """What a read names (ticket, entry, account, projection, version) does not exist."""

    reason = "NOT_FOUND"


class IllegalMove(DomainError):
    """The rule-book has no such move from the state the case is in."""

    reason = "ILLEGAL_MOVE"

    def __init__(self, move: str, state: str, allowed: Sequence[str]) -> None:
        super().__init__(
            f"{move} is not allowed in state {state}; allowed: {', '.join(allowed) or 'nothing'}",
            metadata={"move": move, "state": state, "allowed": ",".join(allowed)},
        )


class IllegalActionMove(DomainError):
    """The action is not in a status from which this step is possible."""

    reason = "ILLEGAL_ACTION_MOVE"

    def __init__(self, step: str, action_id: str, status: str, allowed: Sequence[str]) -> None:
        super().__init__(
            f"{step} is not allowed for action {action_id} in status {status}; "
            f"allowed: {', '.join(allowed) or 'nothing'}",
            metadata={
                "step": step,
                "actionId": action_id,
                "status": status,
                "allowed": ",".join(allowed),
            },
        )


class ChecklistIncomplete(DomainError):
    """Gate C: something would be promised before it is known."""

    reason = "CHECKLIST_INCOMPLETE"

    def __init__(self, wanted: str, missing: Sequence[str]) -> None:
        super().__init__(
            f"{wanted} needs these items verified first (RecordVerification): {', '.join(missing)}",
            metadata={"missing": ",".join(missing)},
            violations=[Violation(f"checklist/{item}", "not verified yet") for item in missing],
        )


class OpenItemsRemain(DomainError):
    """Gate A: nothing open is closed."""

    reason = "OPEN_ITEMS_REMAIN"

    def __init__(self, move: str, items: Sequence[tuple[str, str]]) -> None:
        refs = [ref for ref, _ in items]
        super().__init__(
            f"{move} is refused while these items are open: {', '.join(refs)}; "
            "settle them, or carry them (CarryItem) to reconcile",
            metadata={"items": ",".join(refs)},
            violations=[Violation(ref, what) for ref, what in items],
        )


class MoneyPosted(DomainError):
    """A case with any money posting is never withdrawn; remediate and reconcile it."""

    reason = "MONEY_POSTED"


class ActionsUnfinished(DomainError):
    """The customer's side is not finished: an action still runs, or none has succeeded."""

    reason = "ACTIONS_UNFINISHED"


class AmountExceedsAvailable(DomainError):
    """D12: we would decide to pay more than was captured and is still ours to give back."""

    reason = "AMOUNT_EXCEEDS_AVAILABLE"

    def __init__(self, requested: int, available: int, what: str) -> None:
        super().__init__(
            f"{what}: {requested} minor units requested, {available} available",
            metadata={"requested": str(requested), "available": str(available), "what": what},
        )


class DisputeOpen(DomainError):
    """Refund decisions are blocked while the customer's bank or platform disputes the order."""

    reason = "DISPUTE_OPEN"


class SecondPersonRequired(DomainError):
    """The proposer of a two-person command may not confirm it."""

    reason = "SECOND_PERSON_REQUIRED"


class ReversalRefused(DomainError):
    """A reversal would exceed the unreversed rest, or reverse a reversal."""

    reason = "REVERSAL_REFUSED"


class MergeRefused(DomainError):
    """Two cases cannot be one: another order, the same case, or a closed survivor."""

    reason = "MERGE_REFUSED"


class Muted(DomainError):
    """Somebody muted the rule for the subject, and the mute has not ended."""

    reason = "MUTED"

    def __init__(self, rule: str, until: str) -> None:
        super().__init__(
            f"rule {rule} is muted for this subject until {until}",
            metadata={"rule": rule, "until": until},
        )


class Expected(DomainError):
    """An action of ours explains what was found: it is a stage of that action, no trouble."""

    reason = "EXPECTED"

    def __init__(self, code: str, exception_id: str, action_id: str, kind: str) -> None:
        super().__init__(
            f"{code} is expected because of action {action_id} ({kind}) of case {exception_id}",
            metadata={"exceptionId": exception_id, "action": action_id, "kind": kind},
        )


class UnbalancedEntry(DomainError):
    """The posting rules in force would make an entry whose debits and credits differ."""

    reason = "UNBALANCED_ENTRY"


class StaleEtag(DomainError):
    """The caller decided on an older version of the aggregate."""

    reason = "STALE_ETAG"

    def __init__(self, given: str, current: str) -> None:
        super().__init__(
            f"etag {given} is stale, the current one is {current}; read again and decide again",
            metadata={"given": given, "current": current},
        )


class RequestIdReused(DomainError):
    """The request id was used before with another body."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"request_id {request_id!r} was used before with another body; use a new one",
            metadata={"requestId": request_id},
        )


class Contention(DomainError):
    """Other writers won every try; the caller should send the same request again."""

    reason = "CONTENTION"


class NotAFeedClock(DomainError):
    """The store follows the wall clock, which nobody advances."""

    reason = "NOT_A_FEED_CLOCK"


class ClockBackwards(DomainError):
    """The clock of a store only goes forward."""

    reason = "CLOCK_BACKWARDS"

    def __init__(self, wanted: str, clock: str) -> None:
        super().__init__(
            f"the clock of the store stands at {clock} and goes forward only, not to {wanted}",
            metadata={"clock": clock, "wanted": wanted},
        )


class QueueFull(DomainError):
    """More commands wait than the server accepts at once; retry after a pause."""

    reason = "QUEUE_FULL"


class HistoryUnreadable(DomainError):
    """The aggregate holds an event of a newer version than this server understands."""

    reason = "HISTORY_UNREADABLE"


class TokenRefused(DomainError):
    """A position or page token is malformed, of another store, or of another query."""

    reason = "TOKEN_REFUSED"


class NotCaughtUp(DomainError):
    """A projection did not reach the position wanted in time, or something due was left out."""

    reason = "NOT_CAUGHT_UP"


class StorageUnavailable(DomainError):
    """The store cannot be read or written now; nothing was recorded."""

    reason = "STORAGE_UNAVAILABLE"
