"""The end of a case: remediate, carry, write back, reconcile, withdraw, merge, reopen."""

from datetime import date
from uuid import UUID

from esm import commands as c
from esm import events as e
from esm import lifecycle
from esm.catalog import Catalogue
from esm.checks import Checks
from esm.errors import (
    ActionsUnfinished,
    IllegalMove,
    MergeRefused,
    MoneyPosted,
    SecondPersonRequired,
)
from esm.exception.gates import WRITE_BACK, open_items, require_closed, stale_write_backs
from esm.exception.intake import live_sibling, queue_of
from esm.exception.state import Carry, Case
from esm.lifecycle import (
    ENDED_STATUSES,
    OPEN_STATES,
    RECONCILED,
    REMEDIATED,
    RPC_OF_MOVE,
    SUCCEEDED,
    may,
    next_state,
)
from esm.unit import Unit

NO_MONEY = ("none",)
"""The write-back of a case that never moved money."""


def remediate(command: c.Remediate, unit: Unit) -> UUID:
    """The customer's side is finished and told: every action of it ended, one succeeded.

    Commercial codes need no succeeded action (design §2).
    """
    case = unit.case(command.exception_id)
    _check_resolution(unit, command.resolution, REMEDIATED)
    checks = Checks()
    checks.text("summary", command.summary)
    checks.done()
    next_state(case.state, "remediate")
    mine = [a for a in case.actions if a.side == "customer" and a.episode == case.episode]
    running = [a.action_id for a in mine if a.status not in ENDED_STATUSES]
    if running:
        raise ActionsUnfinished(
            f"these actions have not ended: {', '.join(running)}",
            metadata={"actions": ",".join(running)},
        )
    if case.phase != "commercial" and all(a.status != SUCCEEDED for a in mine):
        raise ActionsUnfinished("no action for the customer has succeeded in this episode")
    unit.record(
        case.id,
        e.Remediated(
            catalogue=unit.context.catalogue.digest,
            resolution=command.resolution,
            customer_resolved_at=unit.context.occurred,
            summary=unit.seal(case.person, command.summary),
        ),
    )
    return case.id


def carry_item(command: c.CarryItem, unit: Unit) -> UUID:
    """Carry an open item past reconciliation: the first actor proposes, another confirms.

    An item that has grown since is carried again, by two actors.
    """
    case = unit.case(command.exception_id)
    amount = _check_carry(command, unit, case)
    next_state(case.state, "carry")
    actor = unit.context.actor
    wanted = (command.item, amount, command.owner, command.due)
    known = next((x for x in case.carries if x.item == command.item), None)
    if known is not None and known.by and known.amount >= amount:
        return case.id
    if known is None or known.by or _terms(known) != wanted:
        unit.record(
            case.id,
            e.CarryProposed(
                catalogue=unit.context.catalogue.digest,
                item=command.item,
                amount=amount,
                owner=command.owner,
                due=command.due,
                by=actor,
                reason=unit.seal(case.person, command.reason),
            ),
        )
        return case.id
    if known.proposed_by == actor:
        raise SecondPersonRequired(
            f"{actor} proposed to carry {command.item}; another person confirms it",
            metadata={"proposedBy": actor, "item": command.item},
        )
    unit.record(
        case.id,
        e.ItemCarried(
            catalogue=unit.context.catalogue.digest,
            item=command.item,
            amount=amount,
            owner=command.owner,
            due=command.due,
            proposed_by=known.proposed_by,
            by=actor,
        ),
    )
    return case.id


def write_back(command: c.WriteBack, unit: Unit) -> UUID:
    """Put the outcome of the case on a billing line of its order, or say that there is none.

    Money of carried items comes after reconciliation: then a line written back before is
    written back again.
    """
    case = unit.case(command.exception_id)
    stale = case.state == RECONCILED and command.logistics_line in stale_write_backs(case)
    next_state(case.state, "settle_carried" if stale else "write_back")
    digest = unit.context.catalogue.digest
    checks = Checks()
    checks.require(
        command.none != case.money_posted,
        "none",
        "is true for a case without money, and only then",
    )
    if case.money_posted:
        known = ", ".join(repr(x) for x in sorted(case.billing_lines))
        checks.require(
            command.logistics_line in case.billing_lines,
            "logistics_line",
            f"the case has money on: {known}",
        )
    checks.done()
    if case.money_posted:
        order = unit.order(case.subject.order_id)
        unit.record(order.id, _figures(case, command.logistics_line, unit.context.catalogue))
    unit.record(
        case.id,
        e.WrittenBack(catalogue=digest, logistics_line=command.logistics_line, none=command.none),
    )
    return case.id


def reconcile(command: c.Reconcile, unit: Unit) -> UUID:
    """Close the books of the case; gate A asks that nothing is open but what is carried."""
    case = unit.case(command.exception_id)
    next_state(case.state, "reconcile")
    carried = require_closed(case, unit.context.catalogue, "reconcile", carried=True)
    unit.record(
        case.id,
        e.Reconciled(
            catalogue=unit.context.catalogue.digest,
            write_back=tuple(sorted(case.billing_lines)) if case.money_posted else NO_MONEY,
            carried=carried,
        ),
    )
    return case.id


def withdraw(command: c.Withdraw, unit: Unit) -> UUID:
    """False or self-cleared: refused once money was posted or while an action runs."""
    case = unit.case(command.exception_id)
    _check_resolution(unit, command.resolution, lifecycle.WITHDRAWN)
    checks = Checks()
    checks.text("reason", command.reason, required=False)
    checks.done()
    next_state(case.state, "withdraw")
    if case.money_posted:
        raise MoneyPosted("money was posted for this case; remediate and reconcile it instead")
    require_closed(case, unit.context.catalogue, "withdraw")
    unit.record(
        case.id,
        e.Withdrawn(
            catalogue=unit.context.catalogue.digest,
            from_state=case.state,
            resolution=command.resolution,
            reason=unit.seal(case.person, command.reason),
        ),
    )
    return case.id


def may_withdraw(case: Case, catalogue: Catalogue) -> bool:
    """Whether the case may be withdrawn as it is: what :func:`withdraw` would not refuse."""
    return may(case.state, "withdraw") and not case.money_posted and not open_items(case, catalogue)


def merge(command: c.Merge, unit: Unit) -> UUID:
    """End a duplicate; the survivor takes its sources over and both keep their logs."""
    case = unit.case(command.exception_id)
    checks = Checks()
    checks.identifier("into", command.into)
    checks.text("reason", command.reason, required=False)
    checks.done()
    survivor = unit.case(command.into)
    next_state(case.state, "merge")
    if survivor.id == case.id or not _same_subject(case.subject, survivor.subject):
        raise MergeRefused(
            "a case merges into another case of the same order or line of a carrier's invoice"
        )
    if survivor.state not in OPEN_STATES | {REMEDIATED}:
        raise MergeRefused(f"the survivor is {survivor.state}; reopen it first")
    require_closed(case, unit.context.catalogue, "merge")
    digest = unit.context.catalogue.digest
    unit.record(
        case.id,
        e.Merged(
            catalogue=digest,
            from_state=case.state,
            into=str(survivor.id),
            reason=unit.seal(case.person, command.reason),
        ),
    )
    unit.record(
        survivor.id,
        e.MergeReceived(
            catalogue=digest,
            merged_id=str(case.id),
            sources=case.sources,
            cleared=case.cleared,
            undone=case.undone,
        ),
    )
    return case.id


def reopen(command: c.Reopen, unit: Unit) -> UUID:
    """Back into work: the next episode of the same case, with its level, team and owner.

    Refused while another occurrence of the same trouble is not at its end.
    """
    case = unit.case(command.exception_id)
    checks = Checks()
    checks.text("reason", command.reason)
    checks.done()
    next_state(case.state, "reopen")
    sibling = live_sibling(unit, case)
    if sibling is not None:
        raise IllegalMove(
            RPC_OF_MOVE["reopen"],
            f"{case.state} while case {sibling.id} is {sibling.state} about the same trouble",
            [RPC_OF_MOVE["note"]],
        )
    unit.record(
        case.id,
        e.Reopened(
            catalogue=unit.context.catalogue.digest,
            from_state=case.state,
            episode=case.episode + 1,
            level=case.level or unit.context.catalogue.type_of(case.code).level,
            team=case.team,
            owner=case.owner or queue_of(case.team),
            reason=unit.seal(case.person, command.reason),
        ),
    )
    return case.id


def _same_subject(a: e.Subject, b: e.Subject) -> bool:
    """Cases about invoices name no order: nothing in common is not the same order."""
    if a.order_id or b.order_id:
        return a.order_id == b.order_id
    return a.invoice_line is not None and a.invoice_line == b.invoice_line


def _check_resolution(unit: Unit, resolution: str, state: str) -> None:
    table = unit.context.catalogue.resolutions
    allowed = sorted(code for code, r in table.items() if r.closes == state)
    checks = Checks()
    checks.one_of("resolution", resolution, allowed)
    checks.done()


def _check_carry(command: c.CarryItem, unit: Unit, case: Case) -> int:
    checks = Checks()
    checks.text("reason", command.reason)
    checks.reference("owner", command.owner)
    checks.require(_is_date(command.due), "due", "is a date, YYYY-MM-DD")
    checks.require(
        command.due >= unit.context.occurred[:10], "due", "is not before the day of the command"
    )
    items = {i.ref: i for i in open_items(case, unit.context.catalogue)}
    item = items.get(command.item)
    if item is None:
        checks.refuse("item", f"is no open item; open: {', '.join(items) or 'none'}")
    elif item.kind == WRITE_BACK:
        checks.refuse("item", "is never carried; write it back (WriteBack)")
    amount = checks.money(
        "amount",
        command.amount,
        unit.context.catalogue,
        case.currency or (command.amount.currency if command.amount else ""),
        required=False,
        zero=True,
    )
    if item is not None and command.amount is not None:
        checks.require(
            amount == item.amount, "amount", f"{item.amount} minor units are open on the item"
        )
    checks.done()
    assert item is not None, "refused above"
    return item.amount


def _terms(carry: Carry) -> tuple[str, int, str, str]:
    return (carry.item, carry.amount, carry.owner, carry.due)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


_FIGURE_OF_KIND = {
    "contra_revenue": "revenue_undone",
    "expense": "handling_cost",
    "contra_expense": "recovered",
}
"""Account kinds that make up the net cost of a case (ledger.md); tax stays outside."""


def _figures(case: Case, line: str, catalogue: Catalogue) -> e.BillingLineWrittenBack:
    """What the case cost on a billing line so far, from the legs tagged with it."""
    figures = dict.fromkeys(_FIGURE_OF_KIND.values(), 0)
    for booked in case.booked:
        for leg in booked.entry.legs:
            account = catalogue.accounts.get(leg.account)
            figure = _FIGURE_OF_KIND.get(account.kind) if account else None
            if figure is not None and leg.logistics_line == line:
                figures[figure] += leg.debit - leg.credit
    recovered = -figures["recovered"]
    return e.BillingLineWrittenBack(
        catalogue=catalogue.digest,
        logistics_line=line,
        exception_id=str(case.id),
        episode=case.episode,
        revenue_undone=figures["revenue_undone"],
        handling_cost=figures["handling_cost"],
        recovered=recovered,
        net_cost=figures["revenue_undone"] + figures["handling_cost"] - recovered,
    )
