import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shipment_exception.v1 import exception_pb2 as _exception_pb2
from shipment_exception.v1 import preview_pb2 as _preview_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Mute(_message.Message):
    __slots__ = ("rule", "until")
    RULE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    rule: str
    until: _timestamp_pb2.Timestamp
    def __init__(self, rule: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Watch(_message.Message):
    __slots__ = ("subject", "mutes")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    MUTES_FIELD_NUMBER: _ClassVar[int]
    subject: _exception_pb2.Subject
    mutes: _containers.RepeatedCompositeFieldContainer[Mute]
    def __init__(self, subject: _Optional[_Union[_exception_pb2.Subject, _Mapping]] = ..., mutes: _Optional[_Iterable[_Union[Mute, _Mapping]]] = ...) -> None: ...

class MuteRuleRequest(_message.Message):
    __slots__ = ("rule", "order_id", "shipment_code", "piece", "until", "reason", "occurred_at", "request_id", "validate_only")
    RULE_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_CODE_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    rule: str
    order_id: str
    shipment_code: str
    piece: str
    until: _timestamp_pb2.Timestamp
    reason: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    validate_only: bool
    def __init__(self, rule: _Optional[str] = ..., order_id: _Optional[str] = ..., shipment_code: _Optional[str] = ..., piece: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class MuteRuleResponse(_message.Message):
    __slots__ = ("watch", "position", "preview")
    WATCH_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    watch: Watch
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, watch: _Optional[_Union[Watch, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...
