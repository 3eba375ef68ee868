"""Loops around pure code: each pulls a bounded batch, does it, and looks again."""
