import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shipment_exception.v1 import common_pb2 as _common_pb2
from shipment_exception.v1 import exception_pb2 as _exception_pb2
from shipment_exception.v1 import order_pb2 as _order_pb2
from shipment_exception.v1 import preview_pb2 as _preview_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OrderInput(_message.Message):
    __slots__ = ("order_id", "source", "source_id", "currency", "legal_entity", "buyer", "incoterm", "promised_at", "sale_lines", "tenders", "logistics_lines", "occurred_at", "request_id", "etag", "validate_only")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    LEGAL_ENTITY_FIELD_NUMBER: _ClassVar[int]
    BUYER_FIELD_NUMBER: _ClassVar[int]
    INCOTERM_FIELD_NUMBER: _ClassVar[int]
    PROMISED_AT_FIELD_NUMBER: _ClassVar[int]
    SALE_LINES_FIELD_NUMBER: _ClassVar[int]
    TENDERS_FIELD_NUMBER: _ClassVar[int]
    LOGISTICS_LINES_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    source: str
    source_id: str
    currency: str
    legal_entity: str
    buyer: str
    incoterm: str
    promised_at: _timestamp_pb2.Timestamp
    sale_lines: _containers.RepeatedCompositeFieldContainer[_order_pb2.SaleLineInput]
    tenders: _containers.RepeatedCompositeFieldContainer[_order_pb2.TenderInput]
    logistics_lines: _containers.RepeatedCompositeFieldContainer[_order_pb2.LogisticsLineInput]
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, order_id: _Optional[str] = ..., source: _Optional[str] = ..., source_id: _Optional[str] = ..., currency: _Optional[str] = ..., legal_entity: _Optional[str] = ..., buyer: _Optional[str] = ..., incoterm: _Optional[str] = ..., promised_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sale_lines: _Optional[_Iterable[_Union[_order_pb2.SaleLineInput, _Mapping]]] = ..., tenders: _Optional[_Iterable[_Union[_order_pb2.TenderInput, _Mapping]]] = ..., logistics_lines: _Optional[_Iterable[_Union[_order_pb2.LogisticsLineInput, _Mapping]]] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class RecordOrdersRequest(_message.Message):
    __slots__ = ("orders",)
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    orders: _containers.RepeatedCompositeFieldContainer[OrderInput]
    def __init__(self, orders: _Optional[_Iterable[_Union[OrderInput, _Mapping]]] = ...) -> None: ...

class OrderResult(_message.Message):
    __slots__ = ("order", "error", "preview")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    error: _common_pb2.ItemError
    preview: _preview_pb2.Preview
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., error: _Optional[_Union[_common_pb2.ItemError, _Mapping]] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class RecordOrdersResponse(_message.Message):
    __slots__ = ("results", "position")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[OrderResult]
    position: str
    def __init__(self, results: _Optional[_Iterable[_Union[OrderResult, _Mapping]]] = ..., position: _Optional[str] = ...) -> None: ...

class RecordExternalMoneyRequest(_message.Message):
    __slots__ = ("order_id", "kind", "provider", "external_id", "amount", "account", "fee", "fee_tax", "exception_id", "reason", "tax_document", "occurred_at", "request_id", "etag", "validate_only")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    FEE_TAX_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TAX_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    kind: str
    provider: str
    external_id: str
    amount: _common_pb2.Money
    account: str
    fee: _common_pb2.Money
    fee_tax: _common_pb2.Money
    exception_id: str
    reason: str
    tax_document: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, order_id: _Optional[str] = ..., kind: _Optional[str] = ..., provider: _Optional[str] = ..., external_id: _Optional[str] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., account: _Optional[str] = ..., fee: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., fee_tax: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., exception_id: _Optional[str] = ..., reason: _Optional[str] = ..., tax_document: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class RecordExternalMoneyResponse(_message.Message):
    __slots__ = ("order", "exceptions", "position", "preview")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    EXCEPTIONS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    exceptions: _containers.RepeatedCompositeFieldContainer[_exception_pb2.ShipmentException]
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., exceptions: _Optional[_Iterable[_Union[_exception_pb2.ShipmentException, _Mapping]]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class CarrierChargeInput(_message.Message):
    __slots__ = ("exception_id", "logistics_line", "kind", "step", "net", "tax", "carrier", "invoice", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    LOGISTICS_LINE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    NET_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    CARRIER_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    logistics_line: str
    kind: str
    step: str
    net: _common_pb2.Money
    tax: _common_pb2.Money
    carrier: str
    invoice: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., logistics_line: _Optional[str] = ..., kind: _Optional[str] = ..., step: _Optional[str] = ..., net: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., tax: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., carrier: _Optional[str] = ..., invoice: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class RecordCarrierChargesRequest(_message.Message):
    __slots__ = ("charges",)
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    charges: _containers.RepeatedCompositeFieldContainer[CarrierChargeInput]
    def __init__(self, charges: _Optional[_Iterable[_Union[CarrierChargeInput, _Mapping]]] = ...) -> None: ...

class CarrierChargeResult(_message.Message):
    __slots__ = ("exception", "error", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    error: _common_pb2.ItemError
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., error: _Optional[_Union[_common_pb2.ItemError, _Mapping]] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class RecordCarrierChargesResponse(_message.Message):
    __slots__ = ("results", "position")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[CarrierChargeResult]
    position: str
    def __init__(self, results: _Optional[_Iterable[_Union[CarrierChargeResult, _Mapping]]] = ..., position: _Optional[str] = ...) -> None: ...

class WriteBackRequest(_message.Message):
    __slots__ = ("exception_id", "logistics_line", "none", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    LOGISTICS_LINE_FIELD_NUMBER: _ClassVar[int]
    NONE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    logistics_line: str
    none: bool
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., logistics_line: _Optional[str] = ..., none: _Optional[bool] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class WriteBackResponse(_message.Message):
    __slots__ = ("exception", "order", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    order: _order_pb2.Order
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class GetOrderRequest(_message.Message):
    __slots__ = ("order_id", "min_position")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    min_position: str
    def __init__(self, order_id: _Optional[str] = ..., min_position: _Optional[str] = ...) -> None: ...

class GetOrderResponse(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ...) -> None: ...
