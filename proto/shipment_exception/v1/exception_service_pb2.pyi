import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shipment_exception.v1 import common_pb2 as _common_pb2
from shipment_exception.v1 import exception_pb2 as _exception_pb2
from shipment_exception.v1 import exception_actions_pb2 as _exception_actions_pb2
from shipment_exception.v1 import exception_closing_pb2 as _exception_closing_pb2
from shipment_exception.v1 import exception_watch_pb2 as _exception_watch_pb2
from shipment_exception.v1 import preview_pb2 as _preview_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DetectExceptionRequest(_message.Message):
    __slots__ = ("subject", "code", "signal", "last_checkpoint", "none_yet_looked_at", "failing_check", "stage", "person", "report", "occurred_at", "request_id", "validate_only")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    LAST_CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    NONE_YET_LOOKED_AT_FIELD_NUMBER: _ClassVar[int]
    FAILING_CHECK_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    subject: _exception_pb2.Subject
    code: str
    signal: _exception_pb2.Signal
    last_checkpoint: _exception_pb2.CheckpointInput
    none_yet_looked_at: _timestamp_pb2.Timestamp
    failing_check: str
    stage: _exception_pb2.Stage
    person: str
    report: _exception_pb2.Report
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    validate_only: bool
    def __init__(self, subject: _Optional[_Union[_exception_pb2.Subject, _Mapping]] = ..., code: _Optional[str] = ..., signal: _Optional[_Union[_exception_pb2.Signal, _Mapping]] = ..., last_checkpoint: _Optional[_Union[_exception_pb2.CheckpointInput, _Mapping]] = ..., none_yet_looked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., failing_check: _Optional[str] = ..., stage: _Optional[_Union[_exception_pb2.Stage, str]] = ..., person: _Optional[str] = ..., report: _Optional[_Union[_exception_pb2.Report, _Mapping]] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class DetectExceptionResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class BatchDetectExceptionsRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[DetectExceptionRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[DetectExceptionRequest, _Mapping]]] = ...) -> None: ...

class DetectExceptionResult(_message.Message):
    __slots__ = ("exception", "error", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    error: _common_pb2.ItemError
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., error: _Optional[_Union[_common_pb2.ItemError, _Mapping]] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class BatchDetectExceptionsResponse(_message.Message):
    __slots__ = ("results", "position")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[DetectExceptionResult]
    position: str
    def __init__(self, results: _Optional[_Iterable[_Union[DetectExceptionResult, _Mapping]]] = ..., position: _Optional[str] = ...) -> None: ...

class EscalateExceptionRequest(_message.Message):
    __slots__ = ("exception_id", "level", "reason", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    level: _exception_pb2.ResponseLevel
    reason: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., level: _Optional[_Union[_exception_pb2.ResponseLevel, str]] = ..., reason: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class EscalateExceptionResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class AssignExceptionRequest(_message.Message):
    __slots__ = ("exception_id", "owner", "team", "reason", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    TEAM_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    owner: str
    team: str
    reason: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., owner: _Optional[str] = ..., team: _Optional[str] = ..., reason: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class AssignExceptionResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class ReclassifyExceptionRequest(_message.Message):
    __slots__ = ("exception_id", "code", "reason", "evidence", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    code: str
    reason: str
    evidence: _containers.RepeatedScalarFieldContainer[str]
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., code: _Optional[str] = ..., reason: _Optional[str] = ..., evidence: _Optional[_Iterable[str]] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ReclassifyExceptionResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class AddNoteRequest(_message.Message):
    __slots__ = ("exception_id", "text", "customer_visible", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_VISIBLE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    text: str
    customer_visible: bool
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., text: _Optional[str] = ..., customer_visible: _Optional[bool] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class AddNoteResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class RecordContactRequest(_message.Message):
    __slots__ = ("exception_id", "party", "channel", "direction", "reached", "summary", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    REACHED_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    party: str
    channel: str
    direction: str
    reached: bool
    summary: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., party: _Optional[str] = ..., channel: _Optional[str] = ..., direction: _Optional[str] = ..., reached: _Optional[bool] = ..., summary: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class RecordContactResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class RecordVerificationRequest(_message.Message):
    __slots__ = ("exception_id", "item", "result", "finding", "evidence", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    item: str
    result: str
    finding: str
    evidence: _containers.RepeatedScalarFieldContainer[str]
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., item: _Optional[str] = ..., result: _Optional[str] = ..., finding: _Optional[str] = ..., evidence: _Optional[_Iterable[str]] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class RecordVerificationResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class StartWaitingRequest(_message.Message):
    __slots__ = ("exception_id", "party", "reason", "occurred_at", "request_id", "etag", "validate_only")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    party: str
    reason: str
    occurred_at: _timestamp_pb2.Timestamp
    request_id: str
    etag: str
    validate_only: bool
    def __init__(self, exception_id: _Optional[str] = ..., party: _Optional[str] = ..., reason: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class StartWaitingResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class StopWaitingRequest(_message.Message):
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

class StopWaitingResponse(_message.Message):
    __slots__ = ("exception", "position", "preview")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    position: str
    preview: _preview_pb2.Preview
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ..., position: _Optional[str] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class GetExceptionRequest(_message.Message):
    __slots__ = ("exception_id", "min_position")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    min_position: str
    def __init__(self, exception_id: _Optional[str] = ..., min_position: _Optional[str] = ...) -> None: ...

class GetExceptionResponse(_message.Message):
    __slots__ = ("exception",)
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    exception: _exception_pb2.ShipmentException
    def __init__(self, exception: _Optional[_Union[_exception_pb2.ShipmentException, _Mapping]] = ...) -> None: ...
