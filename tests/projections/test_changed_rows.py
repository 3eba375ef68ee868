"""Rows that change, and the indexes that hold them."""

import sqlite3
from pathlib import Path

import pytest

from projections.engine import Engine, Index, Rejected, Spec, Table, integer, text
from projections.sqlite import SqliteEngine
from projections.tickets.projection import TicketProjection
from tests.projections.running import run_in_random_batches
from tests.projections.samples import busy_log

COLOURS = Table(
    "colours",
    (*text("name", "colour"), *integer("size", "seen")),
    key=("name",),
    indexes=(Index(("colour",)), Index(("size",), where="size > 0")),
    clustered=False,
)


def test_a_changed_row_is_found_by_each_of_its_columns(engine: Engine) -> None:
    engine.ensure(Spec("colours", 1, (COLOURS,)))
    before = [("a", "red", 1, 10), ("b", "red", 2, 10), ("c", "red", 0, 10), ("d", "tan", 1, 1)]
    after = [("a", "blue", 1, 11), ("b", "red", 0, 12), ("c", "red", 3, 13), ("d", "tan", 1, 1)]
    with engine.hold("colours") as held:
        assert held is not None
        held.insert(COLOURS, before)
        held.update(COLOURS, before, after)
        assert list(held.scan(COLOURS)) == after
        for value, names in (("red", ["b", "c"]), ("blue", ["a"])):
            sql = "SELECT name FROM {colours} WHERE colour = ? ORDER BY name"
            assert [name for (name,) in held.rows(sql, (value,))] == names
        found = held.rows("SELECT name FROM {colours} WHERE size > 0 AND size = ?", (3,))
        assert found == [("c",)]
        assert held.rows("SELECT name FROM {colours} WHERE size > 0 AND size = ?", (2,)) == []


def test_a_row_that_is_not_there_cannot_change(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "views.db")
    engine.ensure(Spec("colours", 1, (COLOURS,)))
    with engine.hold("colours") as held:
        assert held is not None
        with pytest.raises(Rejected):
            held.update(COLOURS, [("a", "red", 1, 10)], [("a", "blue", 1, 10)])
    engine.close()


def test_sqlite_finds_every_index_whole_after_many_changes(tmp_path: Path) -> None:
    path = tmp_path / "views.db"
    engine = SqliteEngine(path)
    run_in_random_batches(engine, TicketProjection(), busy_log(40), seed=7)
    engine.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
