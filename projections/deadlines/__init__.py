"""Deadlines: what comes due because of events, in the order of time."""
