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

class GetStatusResponse(_message.Message):
    __slots__ = ("store_id", "engine", "clock", "catalogue", "position", "projections", "parked")
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PROJECTIONS_FIELD_NUMBER: _ClassVar[int]
    PARKED_FIELD_NUMBER: _ClassVar[int]
    store_id: str
    engine: str
    clock: str
    catalogue: str
    position: str
    projections: _containers.RepeatedCompositeFieldContainer[ProjectionStatus]
    parked: _containers.RepeatedCompositeFieldContainer[ParkedEvent]
    def __init__(self, store_id: _Optional[str] = ..., engine: _Optional[str] = ..., clock: _Optional[str] = ..., catalogue: _Optional[str] = ..., position: _Optional[str] = ..., projections: _Optional[_Iterable[_Union[ProjectionStatus, _Mapping]]] = ..., parked: _Optional[_Iterable[_Union[ParkedEvent, _Mapping]]] = ...) -> None: ...
