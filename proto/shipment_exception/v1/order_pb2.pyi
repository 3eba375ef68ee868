import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shipment_exception.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Discount(_message.Message):
    __slots__ = ("funder", "amount")
    FUNDER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    funder: str
    amount: _common_pb2.Money
    def __init__(self, funder: _Optional[str] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class SaleLineInput(_message.Message):
    __slots__ = ("line_id", "sku", "quantity", "goods", "shipping", "tax", "tax_treatment", "unit_cost", "discounts", "sale_recognised_at", "cost_expensed_at")
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    SKU_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    GOODS_FIELD_NUMBER: _ClassVar[int]
    SHIPPING_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    TAX_TREATMENT_FIELD_NUMBER: _ClassVar[int]
    UNIT_COST_FIELD_NUMBER: _ClassVar[int]
    DISCOUNTS_FIELD_NUMBER: _ClassVar[int]
    SALE_RECOGNISED_AT_FIELD_NUMBER: _ClassVar[int]
    COST_EXPENSED_AT_FIELD_NUMBER: _ClassVar[int]
    line_id: str
    sku: str
    quantity: int
    goods: _common_pb2.Money
    shipping: _common_pb2.Money
    tax: _common_pb2.Money
    tax_treatment: str
    unit_cost: _common_pb2.Money
    discounts: _containers.RepeatedCompositeFieldContainer[Discount]
    sale_recognised_at: _timestamp_pb2.Timestamp
    cost_expensed_at: _timestamp_pb2.Timestamp
    def __init__(self, line_id: _Optional[str] = ..., sku: _Optional[str] = ..., quantity: _Optional[int] = ..., goods: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., shipping: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., tax: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., tax_treatment: _Optional[str] = ..., unit_cost: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., discounts: _Optional[_Iterable[_Union[Discount, _Mapping]]] = ..., sale_recognised_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cost_expensed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TenderInput(_message.Message):
    __slots__ = ("provider", "external_id", "kind", "captured")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_FIELD_NUMBER: _ClassVar[int]
    provider: str
    external_id: str
    kind: str
    captured: _common_pb2.Money
    def __init__(self, provider: _Optional[str] = ..., external_id: _Optional[str] = ..., kind: _Optional[str] = ..., captured: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class LogisticsLineInput(_message.Message):
    __slots__ = ("line_id", "shipment_code", "carrier", "carrier_number", "freight")
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_CODE_FIELD_NUMBER: _ClassVar[int]
    CARRIER_FIELD_NUMBER: _ClassVar[int]
    CARRIER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FREIGHT_FIELD_NUMBER: _ClassVar[int]
    line_id: str
    shipment_code: str
    carrier: str
    carrier_number: str
    freight: _common_pb2.Money
    def __init__(self, line_id: _Optional[str] = ..., shipment_code: _Optional[str] = ..., carrier: _Optional[str] = ..., carrier_number: _Optional[str] = ..., freight: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class SaleLine(_message.Message):
    __slots__ = ("line_id", "sku", "quantity", "goods", "shipping", "tax", "tax_treatment", "unit_cost", "discounts", "sale_recognised_at", "cost_expensed_at", "goods_undone", "shipping_undone", "tax_undone")
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    SKU_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    GOODS_FIELD_NUMBER: _ClassVar[int]
    SHIPPING_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    TAX_TREATMENT_FIELD_NUMBER: _ClassVar[int]
    UNIT_COST_FIELD_NUMBER: _ClassVar[int]
    DISCOUNTS_FIELD_NUMBER: _ClassVar[int]
    SALE_RECOGNISED_AT_FIELD_NUMBER: _ClassVar[int]
    COST_EXPENSED_AT_FIELD_NUMBER: _ClassVar[int]
    GOODS_UNDONE_FIELD_NUMBER: _ClassVar[int]
    SHIPPING_UNDONE_FIELD_NUMBER: _ClassVar[int]
    TAX_UNDONE_FIELD_NUMBER: _ClassVar[int]
    line_id: str
    sku: str
    quantity: int
    goods: _common_pb2.Money
    shipping: _common_pb2.Money
    tax: _common_pb2.Money
    tax_treatment: str
    unit_cost: _common_pb2.Money
    discounts: _containers.RepeatedCompositeFieldContainer[Discount]
    sale_recognised_at: _timestamp_pb2.Timestamp
    cost_expensed_at: _timestamp_pb2.Timestamp
    goods_undone: _common_pb2.Money
    shipping_undone: _common_pb2.Money
    tax_undone: _common_pb2.Money
    def __init__(self, line_id: _Optional[str] = ..., sku: _Optional[str] = ..., quantity: _Optional[int] = ..., goods: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., shipping: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., tax: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., tax_treatment: _Optional[str] = ..., unit_cost: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., discounts: _Optional[_Iterable[_Union[Discount, _Mapping]]] = ..., sale_recognised_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cost_expensed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., goods_undone: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., shipping_undone: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., tax_undone: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class Tender(_message.Message):
    __slots__ = ("provider", "external_id", "kind", "captured")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_FIELD_NUMBER: _ClassVar[int]
    provider: str
    external_id: str
    kind: str
    captured: _common_pb2.Money
    def __init__(self, provider: _Optional[str] = ..., external_id: _Optional[str] = ..., kind: _Optional[str] = ..., captured: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class LogisticsLine(_message.Message):
    __slots__ = ("line_id", "shipment_code", "carrier", "carrier_number", "freight")
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_CODE_FIELD_NUMBER: _ClassVar[int]
    CARRIER_FIELD_NUMBER: _ClassVar[int]
    CARRIER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FREIGHT_FIELD_NUMBER: _ClassVar[int]
    line_id: str
    shipment_code: str
    carrier: str
    carrier_number: str
    freight: _common_pb2.Money
    def __init__(self, line_id: _Optional[str] = ..., shipment_code: _Optional[str] = ..., carrier: _Optional[str] = ..., carrier_number: _Optional[str] = ..., freight: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class Commitment(_message.Message):
    __slots__ = ("exception_id", "action_id", "payout", "amount", "paid")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_ID_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PAID_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    action_id: str
    payout: str
    amount: _common_pb2.Money
    paid: _common_pb2.Money
    def __init__(self, exception_id: _Optional[str] = ..., action_id: _Optional[str] = ..., payout: _Optional[str] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., paid: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class Dispute(_message.Message):
    __slots__ = ("provider", "external_id", "exception_id", "amount", "status", "reason")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    provider: str
    external_id: str
    exception_id: str
    amount: _common_pb2.Money
    status: str
    reason: str
    def __init__(self, provider: _Optional[str] = ..., external_id: _Optional[str] = ..., exception_id: _Optional[str] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., status: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class WriteBackRecord(_message.Message):
    __slots__ = ("logistics_line", "exception_id", "episode", "revenue_undone", "handling_cost", "recovered", "net_cost")
    LOGISTICS_LINE_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    REVENUE_UNDONE_FIELD_NUMBER: _ClassVar[int]
    HANDLING_COST_FIELD_NUMBER: _ClassVar[int]
    RECOVERED_FIELD_NUMBER: _ClassVar[int]
    NET_COST_FIELD_NUMBER: _ClassVar[int]
    logistics_line: str
    exception_id: str
    episode: int
    revenue_undone: _common_pb2.Money
    handling_cost: _common_pb2.Money
    recovered: _common_pb2.Money
    net_cost: _common_pb2.Money
    def __init__(self, logistics_line: _Optional[str] = ..., exception_id: _Optional[str] = ..., episode: _Optional[int] = ..., revenue_undone: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., handling_cost: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., recovered: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., net_cost: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("order_id", "etag", "currency", "legal_entity", "buyer", "incoterm", "promised_at", "sale_lines", "tenders", "logistics_lines", "commitments", "disputes", "write_backs", "captured", "committed", "refunded_outside", "charged_back", "open_disputes", "available")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    LEGAL_ENTITY_FIELD_NUMBER: _ClassVar[int]
    BUYER_FIELD_NUMBER: _ClassVar[int]
    INCOTERM_FIELD_NUMBER: _ClassVar[int]
    PROMISED_AT_FIELD_NUMBER: _ClassVar[int]
    SALE_LINES_FIELD_NUMBER: _ClassVar[int]
    TENDERS_FIELD_NUMBER: _ClassVar[int]
    LOGISTICS_LINES_FIELD_NUMBER: _ClassVar[int]
    COMMITMENTS_FIELD_NUMBER: _ClassVar[int]
    DISPUTES_FIELD_NUMBER: _ClassVar[int]
    WRITE_BACKS_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_OUTSIDE_FIELD_NUMBER: _ClassVar[int]
    CHARGED_BACK_FIELD_NUMBER: _ClassVar[int]
    OPEN_DISPUTES_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    etag: str
    currency: str
    legal_entity: str
    buyer: str
    incoterm: str
    promised_at: _timestamp_pb2.Timestamp
    sale_lines: _containers.RepeatedCompositeFieldContainer[SaleLine]
    tenders: _containers.RepeatedCompositeFieldContainer[Tender]
    logistics_lines: _containers.RepeatedCompositeFieldContainer[LogisticsLine]
    commitments: _containers.RepeatedCompositeFieldContainer[Commitment]
    disputes: _containers.RepeatedCompositeFieldContainer[Dispute]
    write_backs: _containers.RepeatedCompositeFieldContainer[WriteBackRecord]
    captured: _common_pb2.Money
    committed: _common_pb2.Money
    refunded_outside: _common_pb2.Money
    charged_back: _common_pb2.Money
    open_disputes: _common_pb2.Money
    available: _common_pb2.Money
    def __init__(self, order_id: _Optional[str] = ..., etag: _Optional[str] = ..., currency: _Optional[str] = ..., legal_entity: _Optional[str] = ..., buyer: _Optional[str] = ..., incoterm: _Optional[str] = ..., promised_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sale_lines: _Optional[_Iterable[_Union[SaleLine, _Mapping]]] = ..., tenders: _Optional[_Iterable[_Union[Tender, _Mapping]]] = ..., logistics_lines: _Optional[_Iterable[_Union[LogisticsLine, _Mapping]]] = ..., commitments: _Optional[_Iterable[_Union[Commitment, _Mapping]]] = ..., disputes: _Optional[_Iterable[_Union[Dispute, _Mapping]]] = ..., write_backs: _Optional[_Iterable[_Union[WriteBackRecord, _Mapping]]] = ..., captured: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., committed: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., refunded_outside: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., charged_back: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., open_disputes: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., available: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...
