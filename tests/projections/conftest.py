"""A fresh view store on each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.engine import Engine
from projections.postgres import PostgresEngine
from projections.sqlite import SqliteEngine


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty view store."""
    made: Engine
    if request.param == "sqlite":
        made = SqliteEngine(tmp_path / "views.db")
    else:
        dsn = request.getfixturevalue("postgres_dsn")
        made = PostgresEngine(dsn, schema=request.getfixturevalue("postgres_schema"))
    yield made
    made.close()
