"""Shipments and tracking facts as the API shows and takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from shipment_exception.v1 import tracking_pb2 as pb

from esm.detection.model import Checkpoint, Finding, Number, Outlook, Shipment
from esm.errors import DomainError, InvalidCommand, Violation
from server.consistency import PageKey
from server.errors import item_error
from server.tracking import inputs
from server.tracking.intake import Opened
from server.tracking.naming import last_told
from server.tracking.store import Recorded, Watched
from server.wire.answers import Answer, Frame, Wire, write_micros
from server.wire.requests import Request

_READ_SHIPMENT: Final = Request(pb.Shipment, inputs.Shipment)
_READ_CHECKPOINT: Final = Request(pb.TrackingCheckpoint, inputs.TrackingCheckpoint)

_SHIPMENT: Final = Answer(
    pb.Shipment,
    Shipment,
    {"labelled_at": "labelled", "handed_over_at": "handed_over", "promised_at": "promised"},
    parts=[Answer(pb.CarrierNumber, Number)],
)
_FACT: Final = Answer(
    pb.TimelineEntry,
    Checkpoint,
    elsewhere=(
        *("source_id", "raw_text", "station", "courier", "signer"),
        *("number", "zone_assumed", "retracted"),
    ),
)
_DEVIATION: Final = Answer(
    pb.Deviation,
    Finding,
    {"next_stage_at": "next_at", "ended_at": "ended"},
    elsewhere=("outcome", "exception_id"),
)


def read_shipment(message: pb.Shipment) -> inputs.Shipment | InvalidCommand:
    """What a message says, or why it cannot be taken."""
    found: list[Violation] = []
    read = _READ_SHIPMENT.read(message, "", found)
    return InvalidCommand(found) if found else read


def read_checkpoint(message: pb.TrackingCheckpoint) -> inputs.TrackingCheckpoint | InvalidCommand:
    """What a message says, or why it cannot be taken."""
    found: list[Violation] = []
    read = _READ_CHECKPOINT.read(message, "", found)
    return InvalidCommand(found) if found else read


def shipment_result(sent: pb.Shipment, result: str | DomainError) -> Wire:
    """What became of a shipment."""
    if isinstance(result, DomainError):
        return {"shipment_code": sent.shipment_code, "error": item_error(result)}
    return {"shipment_code": sent.shipment_code, "outcome": result}


def checkpoint_result(sent: pb.TrackingCheckpoint, result: Recorded | DomainError) -> Wire:
    """What became of a tracking fact."""
    if isinstance(result, DomainError):
        return {"source_id": sent.source_id, "error": item_error(result)}
    outcome, shipment_code = result
    return {"source_id": sent.source_id, "outcome": outcome, "shipment_code": shipment_code}


def watched(value: Watched, outlook: Outlook, frame: Frame) -> Wire:
    """A shipment and how it stands."""
    wire: Wire = {
        "shipment": _SHIPMENT.write(value.shipment, frame),
        "status": outlook.status,
        "checkpoints": len(value.timeline),
    }
    if outlook.pieces:  # those that only checkpoints name come last
        pieces = dict.fromkeys((*value.shipment.pieces, *outlook.pieces))
        wire["pieces"] = [{"piece": each, "status": outlook.pieces[each]} for each in pieces]
    if value.due:
        wire["due_at"] = write_micros(value.due, frame)
    newest = next((c for c in value.timeline if c.source_id == outlook.newest), None)
    if newest is not None:
        wire["last_checkpoint_at"] = write_micros(newest.occurred, frame)
    return wire


def timeline(
    facts: Sequence[Opened], outlook: Outlook, frame: Frame
) -> Iterator[tuple[PageKey, Wire]]:
    """Tracking facts in their order, each with its place in it."""
    for words in facts:
        detail = words.detail
        fact = detail.checkpoint
        wire = _FACT.write(fact, frame)
        wire["source_id"] = fact.source_id.removeprefix(f"{fact.feed}/")
        wire["raw_text"], wire["station"] = words.raw_text, words.station
        wire["courier"], wire["signer"] = words.courier, words.signer
        wire["number"], wire["zone_assumed"] = detail.number, not detail.zoned
        wire["retracted"] = fact.source_id in outlook.retracted
        yield (fact.occurred, fact.source_id), wire


def deviations(value: Watched, outlook: Outlook, frame: Frame) -> list[Wire]:
    """What is found of a shipment, and what was done about it."""
    told = {each.source_id: each for each in value.told}
    found = []
    for finding in outlook.findings:
        wire = _DEVIATION.write(finding, frame)
        _, said = last_told(finding, value, told)
        if said is not None:
            wire["outcome"], wire["exception_id"] = said.outcome, said.case_id
        found.append(wire)
    return found
