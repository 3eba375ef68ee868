"""Money that others moved, checked: the entry it makes, on which cases, and what orders learn."""

from uuid import UUID

import msgspec

from esm import events as e
from esm.commands import RecordExternalMoney
from esm.exception.actions import line_part
from esm.exception.booking import book_parts, touch_others
from esm.exception.intake import open_or_join, person_of
from esm.exception.state import Case
from esm.ids import SEPARATOR
from esm.lifecycle import SUCCEEDED
from esm.order.state import Commitment, Order
from esm.unit import Unit

RECOVERY_CODE = "REFUND_DISPUTE"
"""The code of the case on which a customer owes what was paid too much."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """The request, checked, with its order as it stood before; amounts in minor units."""

    command: RecordExternalMoney
    unit: Unit
    order: Order
    amount: int
    fee: int
    fee_tax: int

    @property
    def settlement(self) -> dict[str, str]:
        """Where the money moved, as the parts of an entry name it."""
        return {"settlement": self.command.account}

    def source(self, kind: str) -> str:
        """The name under which external ids of the provider are accepted once, by kind."""
        return f"money/{self.command.provider}/{kind}"

    def source_id(self, round_: int) -> str:
        """The external id; of a charge-back that was opened again, with the number of times."""
        external_id = self.command.external_id
        return external_id if round_ == 1 else SEPARATOR.join((external_id, str(round_)))


def facts_of(fact: Fact, row: str, item: str, *, exception_id: str = "", **amounts: int) -> e.Part:
    """The facts of a row of this money, settled on the account it names."""
    return e.Part(
        row=row,
        amounts=amounts,
        accounts=fact.settlement,
        item=item,
        exception_id=exception_id,
    )


def line_parts(fact: Fact, splits: tuple[e.LineSplit, ...], row: str, item: str) -> list[e.Part]:
    """The facts of a row about what the lines give back."""
    parts = []
    for split in splits:
        line = fact.order.line(split.sale_line)
        assert line is not None, "spread names lines of the order"
        parts.append(
            line_part(
                split,
                f"{row}.{'recognised' if line.sale.sale_recognised_at else 'advance'}",
                line,
                documented=bool(fact.command.tax_document),
                item=item,
                own_item=item,
            )
        )
    return parts


def own_case(fact: Fact, code: str, source_id: str, raised_by: str) -> Case:
    """The case of the code on the order: opened, joined or reopened by this money."""
    unit = fact.unit
    subject = e.Subject(order_id=fact.order.order_id)
    case_id = open_or_join(
        unit,
        unit.context.catalogue.type_of(code),
        subject=subject,
        source=e.Source(
            kind="platform",
            feed=fact.command.provider,
            source_id=source_id,
            occurred=unit.context.occurred,
            received=unit.context.now,
        ),
        stage="breached",
        person=person_of("", subject),
        raised_by=raised_by,
    )
    return unit.case(str(case_id))


def overshoot(fact: Fact, case: Case) -> Case:
    """The case that recovers what was paid above the order: the case itself if it is that one."""
    if case.family == fact.unit.context.catalogue.type_of(RECOVERY_CODE).family:
        return case
    return own_case(fact, RECOVERY_CODE, fact.command.external_id, raised_by=str(case.id))


def tell_case(
    fact: Fact,
    case: Case,
    parts: tuple[e.Part, ...],
    settled: tuple[tuple[Commitment, int], ...] = (),
) -> list[UUID]:
    """Record the fact on its case, and its balance events on the others it touches."""
    unit, command = fact.unit, fact.command
    entry = book_parts(unit, case, parts)
    unit.record(
        case.id,
        e.OutsideMoneyRecorded(
            catalogue=unit.context.catalogue.digest,
            kind=command.kind,
            provider=command.provider,
            external_id=command.external_id,
            amount=fact.amount,
            currency=fact.order.currency,
            fee=fact.fee,
            reason=command.reason,
            entry=entry,
        ),
    )
    if entry is None:
        return []
    return touch_others(unit, case, entry, _endings(settled))


def _endings(settled: tuple[tuple[Commitment, int], ...]) -> dict[str, str]:
    """Action -> status, of the refunds that a charge-back settled whole."""
    return {c.action_id: SUCCEEDED for c, taken in settled if taken == c.unpaid}


def tell_order(fact: Fact, event: type[e.Event], **fields: object) -> None:
    """Record the fact on its order, its ids filled in."""
    if hasattr(event, "provider"):
        fields = {"provider": fact.command.provider, **fields}
    if hasattr(event, "external_id"):
        fields = {"external_id": fact.command.external_id, **fields}
    if hasattr(event, "occurred"):
        fields = {
            "fee": fact.fee,
            "fee_tax": fact.fee_tax,
            "occurred": fact.unit.context.occurred,
            **fields,
        }
    digest = fact.unit.context.catalogue.digest
    fact.unit.record(fact.order.id, event(catalogue=digest, **fields))
