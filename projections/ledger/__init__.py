"""The ledger: every amount that an event posted, in balanced journal entries."""
