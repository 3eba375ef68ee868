"""Orders as the API shows them."""

from __future__ import annotations

from shipment_exception.v1 import order_pb2 as pb

from esm.events import Discount, LogisticsLine, SaleLine, Tender
from esm.order.state import Commitment, Dispute, Line, Order, WriteBackRecord
from server.wire.answers import Answer, Frame, Wire

_LINE = Answer(
    pb.SaleLine,
    Line,
    {name: f"sale.{name}" for name in SaleLine.__struct_fields__},
    zeros=True,
    parts=[Answer(pb.Discount, Discount, {"amount": "minor_units"}, zeros=True)],
)

_ORDER = Answer(
    pb.Order,
    Order,
    {"sale_lines": "lines"},
    elsewhere=["etag"],
    currency="currency",
    zeros=True,
    parts=[
        _LINE,
        Answer(pb.Tender, Tender, zeros=True),
        Answer(pb.LogisticsLine, LogisticsLine, zeros=True),
        Answer(pb.Commitment, Commitment, zeros=True),
        Answer(pb.Dispute, Dispute, zeros=True),
        Answer(pb.WriteBackRecord, WriteBackRecord, zeros=True),
    ],
)


def order(version: int, state: Order, frame: Frame) -> Wire:
    """The resource of an order at a version."""
    wire = _ORDER.write(state, frame)
    wire["etag"] = str(version)
    return wire
