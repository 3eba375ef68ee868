"""Another catalogue, and what was settled by the one before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from server.settings import Settings
from tests.scenarios.driver import World
from tests.scenarios.watching import Watch, at
from tests.serving import client, postgres_settings, serving, sqlite_settings

RULE = "TRACKING_STALLED"


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        found = sqlite_settings(tmp_path / "store")
    else:
        dsn, schema = (request.getfixturevalue(n) for n in ("postgres_dsn", "postgres_schema"))
        found = postgres_settings(dsn, schema)
    return replace(found, clock="feed")


def watching(settings: Settings, story: Callable[[Watch], None]) -> None:
    with serving(settings) as running, client(running.address, tenant="w") as stub:
        story(Watch(World(stub, "w")))


def test_a_threshold_that_became_shorter_counts_for_parcels_that_wait_already(
    settings: Settings, tmp_path: Path
) -> None:
    rules = tmp_path / "catalogue" / "rules"
    rules.mkdir(parents=True)
    packaged = (resources.files("esm.catalog") / "rules" / f"{RULE}.toml").read_text()
    shorter = packaged.replace('"36h"', '"12h"').replace('"48h"', '"20h"')
    assert shorter != packaged
    (rules / f"{RULE}.toml").write_text(shorter.replace("version = 1", "version = 2"))

    def before(watch: Watch) -> None:
        watch.register()
        watch.scan(0, "departed")
        watch.until(1)
        assert watch.shown().shipment.due_at == at(36)

    def after(watch: Watch) -> None:
        watch.until(13)
        assert [watch.world.case(case).code for case in watch.cases()] == [RULE]

    watching(settings, before)
    watching(replace(settings, catalog=tmp_path / "catalogue"), after)
