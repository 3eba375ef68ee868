"""Tickets: the cases as the people who work on them see them."""
