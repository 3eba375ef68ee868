import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shipment_exception.v1 import common_pb2 as _common_pb2
from shipment_exception.v1 import exception_pb2 as _exception_pb2
from shipment_exception.v1 import preview_pb2 as _preview_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RemediateExceptionRequest(_message.Message):
    __slots__ = ("exception_id", "resolution", "summary", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    resolution: str
    summary: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., resolution: _Optional[str] = ..., summary: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class RemediateExceptionResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class CarryItemRequest(_message.Message):
    __slots__ = ("exception_id", "item", "amount", "reason", "owner", "due", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    item: str
    amount: _common_pb2.Money
    reason: str
    owner: str
    due: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., item: _Optional[str] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., reason: _Optional[str] = ..., owner: _Optional[str] = ..., due: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CarryItemResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class ReconcileExceptionRequest(_message.Message):
    __slots__ = ("exception_id", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ReconcileExceptionResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class WithdrawExceptionRequest(_message.Message):
    __slots__ = ("exception_id", "resolution", "reason", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    resolution: str
    reason: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., resolution: _Optional[str] = ..., reason: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class WithdrawExceptionResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class MergeExceptionsRequest(_message.Message):
    __slots__ = ("exception_id", "into", "reason", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    INTO_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    into: str
    reason: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., into: _Optional[str] = ..., reason: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class MergeExceptionsResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class ReopenExceptionRequest(_message.Message):
    __slots__ = ("exception_id", "reason", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    reason: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., reason: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ReopenExceptionResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...
