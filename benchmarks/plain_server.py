"""Yardstick: a plain gRPC service over the library's own Application.save on PostgreSQL."""

import argparse
import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from uuid import UUID

import grpc
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from psycopg.conninfo import conninfo_to_dict
from shipment_exception.v1 import exception_actions_pb2 as actions
from shipment_exception.v1 import exception_pb2
from shipment_exception.v1 import exception_service_pb2 as calls
from shipment_exception.v1.exception_service_pb2_grpc import (
    ExceptionServiceServicer,
    add_ExceptionServiceServicer_to_server,
)

THREADS: Final = 16
POOL: Final = 16


class Case(Aggregate):
    """A case as a user of the library writes one: checks in commands, changes in events."""

    class Detected(Aggregate.Created):
        """A signal opened the case."""

        order_id: str
        shipment_code: str
        code: str

    @event(Detected)
    def __init__(self, order_id: str, shipment_code: str, code: str) -> None:
        self.order_id = order_id
        self.shipment_code = shipment_code
        self.code = code
        self.level = 1
        self.owner = ""
        self.notes = 0
        self.proposed: dict[str, int] = {}
        self.approved: dict[str, int] = {}

    @event("Escalated")
    def escalate(self, level: int, reason: str) -> None:
        """Moves the response level."""
        self.level = level

    @event("NoteAdded")
    def add_note(self, text: str) -> None:
        """Writes something down."""
        self.notes += 1

    @event("Assigned")
    def assign(self, owner: str) -> None:
        """Gives the case an owner."""
        self.owner = owner

    @event("ActionProposed")
    def propose(self, action_id: str, amount: int) -> None:
        """Proposes to pay an amount in minor units."""
        self.proposed[action_id] = amount

    @event("ActionApproved")
    def approve(self, action_id: str) -> None:
        """Decides to pay."""
        self.approved[action_id] = self.proposed.pop(action_id)


class Cases(Application[UUID]):
    """The library's application, as it is."""


class Service(ExceptionServiceServicer):
    """The RPCs of the mix, each one load, one change, one save."""

    def __init__(self, app: Cases) -> None:
        self._app = app

    def BatchDetectExceptions(self, request: Any, context: Any) -> Any:
        """Opens cases, all in one transaction."""
        cases = [
            Case(each.subject.order_id, each.subject.shipment_code, each.code)
            for each in request.requests
        ]
        recordings = self._app.save(*cases)
        results = [calls.DetectExceptionResult(exception=_wire(case)) for case in cases]
        position = str(recordings[-1].notification.id)
        return calls.BatchDetectExceptionsResponse(results=results, position=position)

    def EscalateException(self, request: Any, context: Any) -> Any:
        """Moves the response level."""
        case = self._case(request)
        case.escalate(request.level, request.reason)
        return self._saved(case, calls.EscalateExceptionResponse)

    def AddNote(self, request: Any, context: Any) -> Any:
        """Writes something down."""
        case = self._case(request)
        case.add_note(request.text)
        return self._saved(case, calls.AddNoteResponse)

    def AssignException(self, request: Any, context: Any) -> Any:
        """Gives a case an owner."""
        case = self._case(request)
        case.assign(request.owner)
        return self._saved(case, calls.AssignExceptionResponse)

    def ProposeAction(self, request: Any, context: Any) -> Any:
        """Proposes an action with money."""
        case = self._case(request)
        number = len(case.proposed) + len(case.approved) + 1
        case.propose(f"A{number}", request.lines[0].amount.minor_units)
        return self._saved(case, actions.ProposeActionResponse)

    def ApproveAction(self, request: Any, context: Any) -> Any:
        """Approves an action."""
        case = self._case(request)
        case.approve(request.action_id)
        return self._saved(case, actions.ApproveActionResponse)

    def _case(self, request: Any) -> Case:
        case: Case = self._app.repository.get(UUID(request.exception_id))
        return case

    def _saved(self, case: Case, response: Any) -> Any:
        recordings = self._app.save(case)
        return response(exception=_wire(case), position=str(recordings[-1].notification.id))


def _wire(case: Case) -> exception_pb2.ShipmentException:
    """What this service knows of a case."""
    actions = [
        *(_action(name, exception_pb2.ACTION_STATUS_APPROVED) for name in case.approved),
        *(_action(name, exception_pb2.ACTION_STATUS_PROPOSED) for name in case.proposed),
    ]
    return exception_pb2.ShipmentException(
        exception_id=str(case.id),
        etag=str(case.version),
        subject=exception_pb2.Subject(order_id=case.order_id, shipment_code=case.shipment_code),
        code=case.code,
        owner=case.owner,
        level=(exception_pb2.RESPONSE_LEVEL_1, exception_pb2.RESPONSE_LEVEL_2)[case.level > 1],
        actions=actions,
    )


def _action(action_id: str, status: exception_pb2.ActionStatus) -> exception_pb2.Action:
    return exception_pb2.Action(action_id=action_id, kind="partial_refund", status=status)


def library_environment(dsn: str, schema: str) -> Mapping[str, str]:
    """Settings of the library's own PostgreSQL modules: as they come, the pool for all threads."""
    given = conninfo_to_dict(dsn)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(given["dbname"]),
        "POSTGRES_HOST": str(given["host"]),
        "POSTGRES_PORT": str(given["port"]),
        "POSTGRES_USER": str(given["user"]),
        "POSTGRES_PASSWORD": str(given.get("password") or "none"),
        "POSTGRES_SCHEMA": schema,
        "POSTGRES_POOL_SIZE": str(POOL),
    }


def main() -> None:
    """Runs until the standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--schema", required=True)
    given = parser.parse_args()
    app = Cases(env=library_environment(given.dsn, given.schema))
    options = (("grpc.so_reuseport", 0),)
    server = grpc.server(ThreadPoolExecutor(THREADS), options=options)
    add_ExceptionServiceServicer_to_server(Service(app), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(json.dumps({"address": f"127.0.0.1:{port}"}), flush=True)
    sys.stdin.read()
    server.stop(None).wait()
    app.close()


if __name__ == "__main__":
    main()
