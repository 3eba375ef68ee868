import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shipment_exception.v1 import preview_pb2 as _preview_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RebuildProjectionRequest(_message.Message):
    __slots__ = ("projection",)
    PROJECTION_FIELD_NUMBER: _ClassVar[int]
    projection: str
    def __init__(self, projection: _Optional[str] = ...) -> None: ...

class RebuildProjectionResponse(_message.Message):
    __slots__ = ("events_done", "events_total", "done", "equal", "live_digest", "rebuilt_digest")
    EVENTS_DONE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    EQUAL_FIELD_NUMBER: _ClassVar[int]
    LIVE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    REBUILT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    events_done: int
    events_total: int
    done: bool
    equal: bool
    live_digest: str
    rebuilt_digest: str
    def __init__(self, events_done: _Optional[int] = ..., events_total: _Optional[int] = ..., done: _Optional[bool] = ..., equal: _Optional[bool] = ..., live_digest: _Optional[str] = ..., rebuilt_digest: _Optional[str] = ...) -> None: ...

class AdvanceClockRequest(_message.Message):
    __slots__ = ("to", "request_id", "validate_only")
    TO_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    to: _timestamp_pb2.Timestamp
    request_id: str
    validate_only: bool
    def __init__(self, to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class AdvanceClockResponse(_message.Message):
    __slots__ = ("clock", "position", "fired", "preview")
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    FIRED_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    clock: _timestamp_pb2.Timestamp
    position: str
    fired: int
    preview: _preview_pb2.Preview
    def __init__(self, clock: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., position: _Optional[str] = ..., fired: _Optional[int] = ..., preview: _Optional[_Union[_preview_pb2.Preview, _Mapping]] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ProjectionStatus(_message.Message):
    __slots__ = ("name", "position", "lag", "stopped")
    NAME_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    name: str
    position: str
    lag: int
    stopped: str
    def __init__(self, name: _Optional[str] = ..., position: _Optional[str] = ..., lag: _Optional[int] = ..., stopped: _Optional[str] = ...) -> None: ...

class ParkedEvent(_message.Message):
    __slots__ = ("projection", "position", "event_id", "topic", "reason")
    PROJECTION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    projection: str
    position: str
    event_id: str
    topic: str
    reason: str
    def __init__(self, projection: _Optional[str] = ..., position: _Optional[str] = ..., event_id: _Optional[str] = ..., topic: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class WebhookCount(_message.Message):
    __slots__ = ("feed", "outcome", "messages")
    FEED_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    feed: str
    outcome: str
    messages: int
    def __init__(self, feed: _Optional[str] = ..., outcome: _Optional[str] = ..., messages: _Optional[int] = ...) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("store_id", "engine", "clock", "catalogue", "position", "projections", "parked", "clock_time", "watched", "due_now", "detection_latency_p50_seconds", "detection_latency_p99_seconds", "unknown_codes", "webhooks")
    class UnknownCodesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PROJECTIONS_FIELD_NUMBER: _ClassVar[int]
    PARKED_FIELD_NUMBER: _ClassVar[int]
    CLOCK_TIME_FIELD_NUMBER: _ClassVar[int]
    WATCHED_FIELD_NUMBER: _ClassVar[int]
    DUE_NOW_FIELD_NUMBER: _ClassVar[int]
    DETECTION_LATENCY_P50_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DETECTION_LATENCY_P99_SECONDS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_CODES_FIELD_NUMBER: _ClassVar[int]
    WEBHOOKS_FIELD_NUMBER: _ClassVar[int]
    store_id: str
    engine: str
    clock: str
    catalogue: str
    position: str
    projections: _containers.RepeatedCompositeFieldContainer[ProjectionStatus]
    parked: _containers.RepeatedCompositeFieldContainer[ParkedEvent]
    clock_time: _timestamp_pb2.Timestamp
    watched: int
    due_now: int
    detection_latency_p50_seconds: float
    detection_latency_p99_seconds: float
    unknown_codes: _containers.ScalarMap[str, int]
    webhooks: _containers.RepeatedCompositeFieldContainer[WebhookCount]
    def __init__(self, store_id: _Optional[str] = ..., engine: _Optional[str] = ..., clock: _Optional[str] = ..., catalogue: _Optional[str] = ..., position: _Optional[str] = ..., projections: _Optional[_Iterable[_Union[ProjectionStatus, _Mapping]]] = ..., parked: _Optional[_Iterable[_Union[ParkedEvent, _Mapping]]] = ..., clock_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., watched: _Optional[int] = ..., due_now: _Optional[int] = ..., detection_latency_p50_seconds: _Optional[float] = ..., detection_latency_p99_seconds: _Optional[float] = ..., unknown_codes: _Optional[_Mapping[str, int]] = ..., webhooks: _Optional[_Iterable[_Union[WebhookCount, _Mapping]]] = ...) -> None: ...
