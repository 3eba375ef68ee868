"""Servers and worlds for the tests of this folder."""

from tests.scenarios.engines import calls, fresh, server, settings, tenant, watch, world

__all__ = ["calls", "fresh", "server", "settings", "tenant", "watch", "world"]
