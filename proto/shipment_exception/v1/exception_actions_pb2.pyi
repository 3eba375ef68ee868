import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shipment_exception.v1 import common_pb2 as _common_pb2
from shipment_exception.v1 import exception_pb2 as _exception_pb2
from shipment_exception.v1 import preview_pb2 as _preview_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProposeActionRequest(_message.Message):
    __slots__ = ("exception_id", "kind", "lines", "amount", "goods_cost", "freight", "shipment_code", "logistics_line", "cause_event_ids", "tax_document", "basis", "coupon_kind", "restores_action_id", "counterparty", "explanation", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    GOODS_COST_FIELD_NUMBER: _ClassVar[int]
    FREIGHT_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_CODE_FIELD_NUMBER: _ClassVar[int]
    LOGISTICS_LINE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    TAX_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    COUPON_KIND_FIELD_NUMBER: _ClassVar[int]
    RESTORES_ACTION_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTERPARTY_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    kind: str
    lines: _containers.RepeatedCompositeFieldContainer[_exception_pb2.RefundLine]
    amount: _common_pb2.Money
    goods_cost: _common_pb2.Money
    freight: _common_pb2.Money
    shipment_code: str
    logistics_line: str
    cause_event_ids: _containers.RepeatedScalarFieldContainer[str]
    tax_document: str
    basis: str
    coupon_kind: str
    restores_action_id: str
    counterparty: str
    explanation: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., kind: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[_exception_pb2.RefundLine, _Mapping]]] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., goods_cost: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., freight: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., shipment_code: _Optional[str] = ..., logistics_line: _Optional[str] = ..., cause_event_ids: _Optional[_Iterable[str]] = ..., tax_document: _Optional[str] = ..., basis: _Optional[str] = ..., coupon_kind: _Optional[str] = ..., restores_action_id: _Optional[str] = ..., counterparty: _Optional[str] = ..., explanation: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ProposeActionResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class ApproveActionRequest(_message.Message):
    __slots__ = ("exception_id", "action_id", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_ID_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    action_id: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., action_id: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ApproveActionResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class SubmitActionRequest(_message.Message):
    __slots__ = ("exception_id", "action_id", "external_id", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    action_id: str
    external_id: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., action_id: _Optional[str] = ..., external_id: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class SubmitActionResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class RecordActionOutcomeRequest(_message.Message):
    __slots__ = ("exception_id", "action_id", "outcome", "external_id", "account", "amount", "fee", "goods_cost", "freight", "shipment_code", "logistics_line", "note", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    GOODS_COST_FIELD_NUMBER: _ClassVar[int]
    FREIGHT_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_CODE_FIELD_NUMBER: _ClassVar[int]
    LOGISTICS_LINE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    action_id: str
    outcome: _exception_pb2.ActionOutcome
    external_id: str
    account: str
    amount: _common_pb2.Money
    fee: _common_pb2.Money
    goods_cost: _common_pb2.Money
    freight: _common_pb2.Money
    shipment_code: str
    logistics_line: str
    note: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., action_id: _Optional[str] = ..., outcome: _Optional[_Union[_exception_pb2.ActionOutcome, str]] = ..., external_id: _Optional[str] = ..., account: _Optional[str] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., fee: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., goods_cost: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., freight: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., shipment_code: _Optional[str] = ..., logistics_line: _Optional[str] = ..., note: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class RecordActionOutcomeResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class CancelActionRequest(_message.Message):
    __slots__ = ("exception_id", "action_id", "reason", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    action_id: str
    reason: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., action_id: _Optional[str] = ..., reason: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CancelActionResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class WriteOffActionRequest(_message.Message):
    __slots__ = ("exception_id", "action_id", "reason", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    action_id: str
    reason: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., action_id: _Optional[str] = ..., reason: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class WriteOffActionResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class LegReversal(_message.Message):
    __slots__ = ("leg", "amount")
    LEG_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    leg: int
    amount: _common_pb2.Money
    def __init__(self, leg: _Optional[int] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class ReverseEntryRequest(_message.Message):
    __slots__ = ("exception_id", "event_id", "legs", "reason", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    LEGS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    event_id: str
    legs: _containers.RepeatedCompositeFieldContainer[LegReversal]
    reason: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., event_id: _Optional[str] = ..., legs: _Optional[_Iterable[_Union[LegReversal, _Mapping]]] = ..., reason: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ReverseEntryResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...
