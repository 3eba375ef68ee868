"""Yardstick: a bare grpcio.aio server on uvloop that answers the mix with prebuilt messages."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final

import uvloop
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio
from shipment_exception.v1 import exception_actions_pb2 as actions
from shipment_exception.v1 import exception_pb2
from shipment_exception.v1 import exception_service_pb2 as calls
from shipment_exception.v1.exception_service_pb2_grpc import (
    ExceptionServiceServicer,
    add_ExceptionServiceServicer_to_server,
)

from benchmarks import mix

METHODS: Final = {
    "EscalateException": calls.EscalateExceptionResponse,
    "AddNote": calls.AddNoteResponse,
    "AssignException": calls.AssignExceptionResponse,
    "ProposeAction": actions.ProposeActionResponse,
    "ApproveAction": actions.ApproveActionResponse,
}


class Echo(ExceptionServiceServicer):
    """Reads the request and answers the same message every time, as ``answers`` has them."""

    def __init__(self, answers: dict[str, Any]) -> None:
        for method, answer in answers.items():
            setattr(self, method, _handler(answer))


def _handler(answer: Any) -> Any:
    async def handle(request: Any, context: Any) -> Any:
        return answer

    return handle


def answers(folder: Path | None) -> dict[str, Any]:
    """Answers of our own server from files, or ones of about their size."""
    if folder is None:
        return {name: kind(exception=typical(), position="") for name, kind in METHODS.items()}
    return {name: kind.FromString((folder / name).read_bytes()) for name, kind in METHODS.items()}


def typical() -> exception_pb2.ShipmentException:
    """A case as it is in the middle of a run: verified, with one approved action."""
    target = mix.invented(1)[0]
    moment = Timestamp(seconds=mix.HAPPENED.seconds, nanos=123_456_000)
    team, owner = "support", "agent-3"
    terms = exception_pb2.Action(
        action_id="A1-0123456789ab",
        kind="partial_refund",
        side="customer",
        status=exception_pb2.ACTION_STATUS_APPROVED,
        episode=1,
        lines=[exception_pb2.RefundLine(sale_line="L1", amount=mix.money(mix.CONCESSION_MINOR))],
        amount=mix.money(mix.CONCESSION_MINOR),
        shipment_code=mix.parcel_name(0),
        logistics_line="F-0",
        cause_event_ids=[target.first_event],
        proposed_by="bench-1",
        approved_by="bench-1",
    )
    return exception_pb2.ShipmentException(
        exception_id=target.exception_id,
        etag="17",
        subject=exception_pb2.Subject(order_id=mix.order_name(0), shipment_code=mix.parcel_name(0)),
        code=mix.CODE,
        family="delivery",
        phase="post_ship",
        occurrence=1,
        state=exception_pb2.ShipmentException.STATE_ESCALATED,
        priority="P2",
        team=team,
        owner=owner,
        level=exception_pb2.RESPONSE_LEVEL_2,
        episode=1,
        person=f"order/{mix.order_name(0)}",
        last_checkpoint=exception_pb2.Checkpoint(
            occurred=moment, received=moment, place="Shenzhen hub", status="in_transit"
        ),
        codes=[exception_pb2.CodeChange(code=mix.CODE)],
        sources=[
            exception_pb2.Source(
                kind="carrier", feed=mix.FEED, source_id="signal-P-0000000", occurred=moment
            )
        ],
        verifications=[
            exception_pb2.Verification(item=item, result="confirmed", by="anonymous")
            for item in mix.CHECKLIST
        ],
        actions=[terms],
        entries=[exception_pb2.BookedEntry(event_id=target.first_event, rows=["P1"])],
        balances=[
            exception_pb2.Balance(account=account, item="action:A1-0123456789ab")
            for account in ("2010", "2070", "4120")
        ],
        open_items=[
            exception_pb2.OpenItem(
                item="action:A1-0123456789ab",
                kind="balance",
                amount=mix.money(mix.CONCESSION_MINOR),
                what="account 2010 stands at -150 minor units; action partial_refund is approved",
            )
        ],
        billing_lines=["F-0"],
    )


async def _serve(folder: Path | None) -> None:
    server = aio.server(options=(("grpc.so_reuseport", 0),))
    add_ExceptionServiceServicer_to_server(Echo(answers(folder)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(json.dumps({"address": f"127.0.0.1:{port}"}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


def main() -> None:
    """Runs until the standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, default=None)
    uvloop.run(_serve(parser.parse_args().samples))


if __name__ == "__main__":
    main()
