"""Servers and worlds for the tests of this folder."""

from collections.abc import Generator

import pytest

from tests.scenarios.engines import calls, fresh, server, settings, tenant, watch, world


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a skip as a failure: a feature whose test did not run is not held."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {report.longrepr}"
    return report


__all__ = ["calls", "fresh", "server", "settings", "tenant", "watch", "world"]
