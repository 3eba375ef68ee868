"""The ledger view on both engines."""

from tests.conformance.ledger_view import LedgerViewConformance


class TestLedgerView(LedgerViewConformance):
    pass
