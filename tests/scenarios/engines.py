"""Fixtures of tests over gRPC: a server on each engine, and a tenant of its own for every test."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from server.app import Running
from server.settings import Settings
from tests.scenarios.driver import World
from tests.scenarios.watching import Watch, watching
from tests.serving import Client, client, postgres_settings, serving, sqlite_settings

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="module", params=ENGINES)
def settings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings of a server on a fresh store, one per module and engine."""
    if request.param == "sqlite":
        yield sqlite_settings(tmp_path_factory.mktemp("store") / "data")
        return
    dsn = request.getfixturevalue("postgres_dsn")
    schema = f"test_{uuid.uuid4().hex}"
    yield postgres_settings(dsn, schema)
    with psycopg.connect(dsn, autocommit=True) as connection:
        statement = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema))
        connection.execute(statement)


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Running]:
    """A server that all tests of a module share."""
    with serving(settings) as running:
        yield running


@pytest.fixture
def tenant() -> str:
    """A tenant that nobody else uses."""
    return f"t-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def calls(server: Running, tenant: str) -> Iterator[Client]:
    """Stubs that call for the tenant of the test."""
    with client(server.address, tenant=tenant) as stubs:
        yield stubs


@pytest.fixture
def world(calls: Client, tenant: str) -> World:
    """An empty world: the tenant of the test, through verbs."""
    return World(calls, tenant)


@pytest.fixture(params=ENGINES)
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a store that only this test uses, to be started as often as it likes."""
    if request.param == "sqlite":
        return sqlite_settings(tmp_path / "data")
    schema = request.getfixturevalue("postgres_schema")
    return postgres_settings(request.getfixturevalue("postgres_dsn"), schema)


@pytest.fixture
def watch(fresh: Settings) -> Iterator[Watch]:
    """An empty world on a store of its own that follows the clock of a feed."""
    with watching(fresh) as found:
        yield found
