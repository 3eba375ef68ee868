from shipment_exception.v1 import common_pb2 as _common_pb2
from shipment_exception.v1 import tracking_pb2 as _tracking_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RegisterShipmentsRequest(_message.Message):
    __slots__ = ("shipments",)
    SHIPMENTS_FIELD_NUMBER: _ClassVar[int]
    shipments: _containers.RepeatedCompositeFieldContainer[_tracking_pb2.Shipment]
    def __init__(self, shipments: _Optional[_Iterable[_Union[_tracking_pb2.Shipment, _Mapping]]] = ...) -> None: ...

class ShipmentResult(_message.Message):
    __slots__ = ("shipment_code", "outcome", "error")
    SHIPMENT_CODE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    shipment_code: str
    outcome: str
    error: _common_pb2.ItemError
    def __init__(self, shipment_code: _Optional[str] = ..., outcome: _Optional[str] = ..., error: _Optional[_Union[_common_pb2.ItemError, _Mapping]] = ...) -> None: ...

class RegisterShipmentsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ShipmentResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ShipmentResult, _Mapping]]] = ...) -> None: ...

class RecordCheckpointsRequest(_message.Message):
    __slots__ = ("checkpoints",)
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    checkpoints: _containers.RepeatedCompositeFieldContainer[_tracking_pb2.TrackingCheckpoint]
    def __init__(self, checkpoints: _Optional[_Iterable[_Union[_tracking_pb2.TrackingCheckpoint, _Mapping]]] = ...) -> None: ...

class CheckpointResult(_message.Message):
    __slots__ = ("source_id", "outcome", "shipment_code", "error")
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_CODE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    source_id: str
    outcome: str
    shipment_code: str
    error: _common_pb2.ItemError
    def __init__(self, source_id: _Optional[str] = ..., outcome: _Optional[str] = ..., shipment_code: _Optional[str] = ..., error: _Optional[_Union[_common_pb2.ItemError, _Mapping]] = ...) -> None: ...

class RecordCheckpointsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[CheckpointResult]
    def __init__(self, results: _Optional[_Iterable[_Union[CheckpointResult, _Mapping]]] = ...) -> None: ...

class StreamCheckpointsRequest(_message.Message):
    __slots__ = ("checkpoints",)
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    checkpoints: _containers.RepeatedCompositeFieldContainer[_tracking_pb2.TrackingCheckpoint]
    def __init__(self, checkpoints: _Optional[_Iterable[_Union[_tracking_pb2.TrackingCheckpoint, _Mapping]]] = ...) -> None: ...

class StreamCheckpointsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[CheckpointResult]
    def __init__(self, results: _Optional[_Iterable[_Union[CheckpointResult, _Mapping]]] = ...) -> None: ...

class GetShipmentRequest(_message.Message):
    __slots__ = ("shipment_code", "page_token")
    SHIPMENT_CODE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    shipment_code: str
    page_token: str
    def __init__(self, shipment_code: _Optional[str] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetShipmentResponse(_message.Message):
    __slots__ = ("shipment", "timeline", "deviations", "next_page_token")
    SHIPMENT_FIELD_NUMBER: _ClassVar[int]
    TIMELINE_FIELD_NUMBER: _ClassVar[int]
    DEVIATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    shipment: _tracking_pb2.WatchedShipment
    timeline: _containers.RepeatedCompositeFieldContainer[_tracking_pb2.TimelineEntry]
    deviations: _containers.RepeatedCompositeFieldContainer[_tracking_pb2.Deviation]
    next_page_token: str
    def __init__(self, shipment: _Optional[_Union[_tracking_pb2.WatchedShipment, _Mapping]] = ..., timeline: _Optional[_Iterable[_Union[_tracking_pb2.TimelineEntry, _Mapping]]] = ..., deviations: _Optional[_Iterable[_Union[_tracking_pb2.Deviation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListWatchedRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "order_id", "status", "number")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    order_id: str
    status: str
    number: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., order_id: _Optional[str] = ..., status: _Optional[str] = ..., number: _Optional[str] = ...) -> None: ...

class ListWatchedResponse(_message.Message):
    __slots__ = ("shipments", "next_page_token")
    SHIPMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    shipments: _containers.RepeatedCompositeFieldContainer[_tracking_pb2.WatchedShipment]
    next_page_token: str
    def __init__(self, shipments: _Optional[_Iterable[_Union[_tracking_pb2.WatchedShipment, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
