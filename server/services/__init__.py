"""One servicer per service of the API: unwrap, call, wrap."""

from __future__ import annotations

import grpc

from server.services.admin import AdminService
from server.services.base import Servicer
from server.services.context import Services
from server.services.exceptions import ExceptionService
from server.services.history import HistoryService
from server.services.ledger import LedgerService
from server.services.orders import OrderService
from server.services.tickets import TicketService
from server.services.tracking import TrackingService

SERVICERS: tuple[type[Servicer], ...] = (
    ExceptionService,
    OrderService,
    TicketService,
    TrackingService,
    LedgerService,
    HistoryService,
    AdminService,
)
"""Every servicer; each registers itself and knows the full name of its service."""


def add_all(services: Services, server: grpc.aio.Server) -> tuple[str, ...]:
    """Registers every servicer at a server and answers the full names of their services."""
    for servicer in SERVICERS:
        servicer(services).add_to(server)
    return tuple(servicer.NAME for servicer in SERVICERS)
