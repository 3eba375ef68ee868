"""A posting rule changes: what was booked stays, what comes is booked by the new rule (E26)."""

from dataclasses import replace
from pathlib import Path

from shipment_exception.v1 import admin_service_pb2 as admin_pb

from server.settings import Settings
from tests.scenarios.driver import World
from tests.serving import client, serving

POSTINGS = Path(__file__).resolve().parents[2] / "esm" / "catalog" / "postings.toml"
OLD = "R1: 4100 100.00, 4110 10.00, 2070 14.30 / 2010 124.30"
NEW = "R1: 4100 100.00, 4120 10.00, 2070 14.30 / 2010 124.30"
SHIPPING_LEG = '{ account = "4110", side = "debit", amount = "shipping" }'


def changed_rules(folder: Path) -> Path:
    """A catalogue folder in which row R1 books shipping refunds as concessions."""
    folder.mkdir()
    text = POSTINGS.read_text("utf-8")
    changed = text.replace(SHIPPING_LEG, SHIPPING_LEG.replace("4110", "4120"), 1)
    assert changed != text
    (folder / "postings.toml").write_text(changed, "utf-8")
    return folder


def approve_a_refund(world: World, order: str) -> None:
    """One R1 entry on an order of its own."""
    world.record_order(order)
    case = world.detect("LOST", order=order)
    world.verify(case)
    world.approve_refund(case)


def stored(world: World) -> list[bytes]:
    """Every entry as bytes."""
    return [entry.SerializeToString(deterministic=True) for entry in world.entries()]


def test_a_changed_posting_row_leaves_old_entries_and_books_new_ones(
    fresh: Settings, tmp_path: Path, tenant: str
) -> None:
    """E26."""
    with serving(fresh) as server, client(server.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        approve_a_refund(world, "O1")
        assert world.book() == [OLD]
        before = stored(world)
        old_rules = world.entries()[0].rules

    overlay = replace(fresh, catalog=changed_rules(tmp_path / "catalogue"))
    with serving(overlay) as server, client(server.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        approve_a_refund(world, "O2")
        assert world.book() == [OLD, NEW]
        request = admin_pb.RebuildProjectionRequest(projection="ledger")
        last = list(calls.admin.RebuildProjection(request))[-1]
        assert (last.done, last.equal) == (True, True)
        assert stored(world)[:1] == before
        assert world.book() == [OLD, NEW]
        first, second = world.entries()
        assert first.rules == old_rules
        assert second.rules != old_rules
        published = [e for e in world.history() if e.topic == "catalogue.published.v1"]
        assert len(published) == 2
        both = stored(world)

    if not fresh.dsn:  # on SQLite the views are files that may be deleted at any time
        for path in fresh.data.glob("views.db*"):
            path.unlink()
    with serving(fresh) as server, client(server.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        approve_a_refund(world, "O3")
        assert stored(world)[:2] == both
        assert world.book() == [OLD, NEW, OLD]
