"""Stores on each engine for histories that go in by mapping alone."""

from tests.scenarios.engines import settings

__all__ = ["settings"]
