"""Personal text never stands in clear in the log, the views or their journals (row G23)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql
from shipment_exception.v1 import exception_pb2
from shipment_exception.v1 import exception_watch_pb2 as watch_pb
from shipment_exception.v1 import ticket_service_pb2 as tickets_pb

from server.settings import Settings
from tests.features.refusals import refused
from tests.scenarios.driver import World, moment, money
from tests.serving import client, serving

CANARY = "Ursula-Kanarienvogel-{}"
SENTENCE = "Ursula Kanarienvogel, {}"
"""Personal text in a field that is stored in clear: such a field takes no sentence."""

EVERYWHERE = ("events.db", "views.db")


def canary(name: str) -> str:
    """Personal text that is found wherever it went."""
    return CANARY.format(name)


def tell_everything(world: World) -> list[str]:
    """Every free-text field of the API, filled with a canary of its own; gives all of them."""
    used: list[str] = []

    def text(name: str) -> str:
        used.append(canary(name))
        return used[-1]

    world.record_order()
    signal = exception_pb2.Signal(
        kind="customer", feed="web", source_id="s-1", raw_text=text("signal")
    )
    checkpoint = exception_pb2.CheckpointInput(
        occurred_at=moment("2026-03-01T08:00:00Z"), raw_text=text("checkpoint")
    )
    case = world.detect("LOST", signal=signal, last_checkpoint=checkpoint)
    answers = [
        exception_pb2.ReportField(name="new_address", values=[text("address")]),
        exception_pb2.ReportField(name="new_phone", values=[text("phone")]),
    ]
    report = exception_pb2.Report(template="address_change", fields=answers)
    world.detect("ADDRESS_CHANGE", signal=exception_pb2.Signal(kind="customer"), report=report)
    mute = watch_pb.MuteRuleRequest(
        rule="NODE_STUCK",
        order_id="O1",
        until=moment((datetime.now(UTC) + timedelta(days=1)).isoformat()),
        reason=text("mute"),
    )
    world.send(world.client.exceptions.MuteRule, mute)
    world.do("AddNote", case, text=text("note"))
    world.do("RecordContact", case, party="customer", summary=text("contact"))
    world.do("AssignException", case, owner="carol", reason=text("assign"))
    world.do("StartWaiting", case, party="customer", reason=text("waiting"))
    world.do("ReclassifyException", case, code="SUSPECTED_LOST", reason=text("reclassify"))
    world.do("RecordVerification", case, item="order_facts", finding=text("finding"))
    world.verify(case)
    world.do("EscalateException", case, level=3, reason=text("level"))
    explained = world.propose(case, "explain_only", explanation=text("explanation"))
    world.do("CancelAction", case, action_id=explained, reason=text("cancel"))
    told = world.act(case, "explain_only")
    world.outcome(case, told, "succeeded", note=text("outcome"))
    refund = world.approve_refund(case)
    entry = world.entries()[0].event_id
    world.do("ReverseEntry", case, event_id=entry, reason=text("reversal"))
    world.do("CancelAction", case, action_id=refund)
    claim = world.act(case, "claim", amount=money("60"), counterparty="sf", logistics_line="L1")
    world.outcome(case, claim, "claim_approved", amount=money("60"))
    world.do("WriteOffAction", case, action_id=claim, reason=text("write_off"))
    world.do("RemediateException", case, resolution="EXPLAINED", summary=text("summary"))
    carry = {"item": f"action:{claim}", "owner": "carol", "due": "2099-01-31"}
    world.do("CarryItem", case, reason=text("carry"), **carry)
    world.do("ReopenException", case, reason=text("reopen"))
    spare = world.detect("DAMAGED")
    world.do("WithdrawException", spare, resolution="FALSE_ALARM", reason=text("withdraw"))
    double = world.detect("DAMAGED", parcel="S2")
    world.do("MergeExceptions", double, into=case, reason=text("merge"))
    world.do("AddNote", case, text=text("dry_run"), validate_only=True)
    used += sentences_refused(world, case)
    request = tickets_pb.GetTicketRequest(exception_id=case, min_position=world.position)
    world.send(world.client.tickets.GetTicket, request)
    world.entries()
    assert world.case(case).sources[0].raw_text == canary("signal")
    with refused("INVALID_ARGUMENT"):
        world.do("AddNote", case, text=text("refused") * 500)
    return used


def sentences_refused(world: World, case: str) -> list[str]:
    """Personal text where only identifiers belong is refused; gives all of it."""
    used: list[str] = []

    def words(name: str) -> str:
        used.append(SENTENCE.format(name))
        return used[-1]

    for code, parcel in (("STOCK_OUT", ""), ("LOST", "S1"), ("REFUND_DISPUTE", "")):
        with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "failing_check"):
            world.detect(code, parcel=parcel, failing_check=words(f"failing_check of {code}"))
    evidence: dict[str, Any] = {"evidence": ["mail-7", words("evidence of a code")]}
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "evidence[1]"):
        world.do("ReclassifyException", case, code="LOST", reason="x", **evidence)
    evidence = {"evidence": [words("evidence of a check")]}
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "evidence[0]"):
        world.do("RecordVerification", case, item="order_facts", **evidence)
    claim: dict[str, Any] = {"amount": money("1"), "counterparty": words("counterparty")}
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "counterparty"):
        world.do("ProposeAction", case, kind="claim", **claim)
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "owner"):
        world.do("AssignException", case, owner=words("owner"))
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "channel"):
        world.do("RecordContact", case, party="customer", channel=words("channel"))
    return used


def everything_stored(settings: Settings) -> dict[str, bytes]:
    """All bytes of the store but the keys, by file or table."""
    if not settings.dsn:
        return {
            path.name: path.read_bytes()
            for path in settings.data.iterdir()
            if path.name.startswith(EVERYWHERE)
        }
    found: dict[str, bytes] = {}
    with psycopg.connect(settings.dsn) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s",
            (settings.schema,),
        ).fetchall()
        for (table,) in tables:
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(settings.schema, table))
            rows = connection.execute(query).fetchall()
            values = [value for row in rows for value in row]
            found[table] = b"\n".join(
                v if isinstance(v, bytes) else str(v).encode() for v in values
            )
    return found


def test_no_byte_of_log_or_views_holds_personal_text(
    fresh: Settings, tenant: str, caplog: pytest.LogCaptureFixture
) -> None:
    """G23."""
    with serving(fresh) as server, client(server.address, tenant=tenant) as calls:
        used = tell_everything(World(calls, tenant))
        alive = everything_stored(fresh)
    closed = everything_stored(fresh)
    assert len(used) == 32
    if fresh.dsn:
        assert {"log_events", "log_requests", "log_sources", "log_readable"} <= set(alive)
        assert any(name.startswith("view_tickets") for name in alive)
    else:
        assert {"events.db", "events.db-wal", "views.db", "views.db-wal"} <= set(alive)
    assert any(b"exception.note_added.v1" in content for content in alive.values())
    for stored in (alive, closed):
        for place, content in stored.items():
            leaked = [text for text in used if text.encode() in content]
            assert leaked == [], f"{place} holds {leaked}"
    assert not any(text in record.getMessage() for text in used for record in caplog.records)


def test_the_text_is_shown_to_who_reads_the_case(fresh: Settings, tenant: str) -> None:
    """G23."""
    with serving(fresh) as server, client(server.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        case = world.detect("LOST")
        world.do("RecordVerification", case, item="order_facts", finding=canary("finding"))
        assert world.case(case).verifications[0].finding == canary("finding")
    with serving(fresh) as server, client(server.address, tenant=tenant) as calls:
        world = World(calls, tenant)
        assert world.case(case).verifications[0].finding == canary("finding")
