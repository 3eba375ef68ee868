"""OrderService: the money side of orders."""

from __future__ import annotations

import grpc
from shipment_exception.v1 import order_service_pb2 as pb
from shipment_exception.v1 import order_service_pb2_grpc as rpc

from esm.errors import OrderNotFound
from esm.ids import order_aggregate_id
from esm.order.state import Order
from server.consistency import LOG
from server.services.base import Changed, CommandServicer, item_results
from server.services.calls import Context, caller_of
from server.wire.orders import order


class OrderService(CommandServicer, rpc.OrderServiceServicer):
    """Orders: what was sold and paid, and what others did with the money."""

    NAME = pb.DESCRIPTOR.services_by_name["OrderService"].full_name

    def add_to(self, server: grpc.aio.Server) -> None:
        rpc.add_OrderServiceServicer_to_server(self, server)

    async def RecordOrders(
        self, request: pb.RecordOrdersRequest, context: Context
    ) -> pb.RecordOrdersResponse:
        results, position = await self.change_all("orders", request.orders, context)
        items = item_results(results, "order", Changed.order)
        return pb.RecordOrdersResponse(results=items, position=position)

    async def RecordExternalMoney(
        self, request: pb.RecordExternalMoneyRequest, context: Context
    ) -> pb.RecordExternalMoneyResponse:
        changed = await self.change(request, context)
        return pb.RecordExternalMoneyResponse(
            order=changed.order(),
            exceptions=changed.cases(),
            position=changed.position(),
            preview=changed.preview(),
        )

    async def RecordCarrierCharges(
        self, request: pb.RecordCarrierChargesRequest, context: Context
    ) -> pb.RecordCarrierChargesResponse:
        results, position = await self.change_all("charges", request.charges, context)
        items = item_results(results, "exception", Changed.case)
        return pb.RecordCarrierChargesResponse(results=items, position=position)

    async def WriteBack(
        self, request: pb.WriteBackRequest, context: Context
    ) -> pb.WriteBackResponse:
        changed = await self.change(request, context)
        return pb.WriteBackResponse(
            exception=changed.case(),
            order=changed.order(),
            position=changed.position(),
            preview=changed.preview(),
        )

    async def GetOrder(self, request: pb.GetOrderRequest, context: Context) -> pb.GetOrderResponse:
        caller = caller_of(context)
        await self.caught_up(LOG, request.min_position, context)
        version, state = await self.services.history.state(
            caller.tenant, order_aggregate_id(caller.tenant, request.order_id)
        )
        if not isinstance(state, Order):
            raise OrderNotFound(request.order_id)
        return pb.GetOrderResponse(order=order(version, state, self.frame(caller)))
