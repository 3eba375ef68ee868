"""What every test may use: the real inputs, and a real PostgreSQL with a schema for each test."""

import os
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.postgres_server import postgres_server

REAL_DATA = "ESM_REAL_DATA"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the real inputs; skips where ``ESM_REAL_DATA`` is not set."""
    if not os.environ.get(REAL_DATA):
        pytest.skip(f"{REAL_DATA} names no folder")
    return Path(os.environ[REAL_DATA])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count the skip of a ``real_data`` test as a failure when the real inputs are there."""
    report = yield
    if report.skipped and os.environ.get(REAL_DATA) and item.get_closest_marker("real_data"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skipped although {REAL_DATA} is set: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """The DSN of a PostgreSQL 18 that lives as long as the test run."""
    with postgres_server() as dsn:
        yield dsn


@pytest.fixture
def postgres_schema(postgres_dsn: str) -> Iterator[str]:
    """The name of a schema that only this test uses; it is not made yet, and dropped at the end."""
    name = f"test_{uuid.uuid4().hex}"
    yield name
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        statement = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name))
        connection.execute(statement)
