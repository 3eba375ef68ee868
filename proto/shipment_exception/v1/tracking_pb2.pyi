import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CarrierNumber(_message.Message):
    __slots__ = ("number", "carrier", "piece", "leg", "since")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CARRIER_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    LEG_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    number: str
    carrier: str
    piece: str
    leg: int
    since: _timestamp_pb2.Timestamp
    def __init__(self, number: _Optional[str] = ..., carrier: _Optional[str] = ..., piece: _Optional[str] = ..., leg: _Optional[int] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Shipment(_message.Message):
    __slots__ = ("order_id", "shipment_code", "numbers", "pieces", "carrier", "service", "lane", "destination", "untracked", "labelled_at", "handed_over_at", "promised_at")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_CODE_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    PIECES_FIELD_NUMBER: _ClassVar[int]
    CARRIER_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    UNTRACKED_FIELD_NUMBER: _ClassVar[int]
    LABELLED_AT_FIELD_NUMBER: _ClassVar[int]
    HANDED_OVER_AT_FIELD_NUMBER: _ClassVar[int]
    PROMISED_AT_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    shipment_code: str
    numbers: _containers.RepeatedCompositeFieldContainer[CarrierNumber]
    pieces: _containers.RepeatedScalarFieldContainer[str]
    carrier: str
    service: str
    lane: str
    destination: str
    untracked: bool
    labelled_at: _timestamp_pb2.Timestamp
    handed_over_at: _timestamp_pb2.Timestamp
    promised_at: _timestamp_pb2.Timestamp
    def __init__(self, order_id: _Optional[str] = ..., shipment_code: _Optional[str] = ..., numbers: _Optional[_Iterable[_Union[CarrierNumber, _Mapping]]] = ..., pieces: _Optional[_Iterable[str]] = ..., carrier: _Optional[str] = ..., service: _Optional[str] = ..., lane: _Optional[str] = ..., destination: _Optional[str] = ..., untracked: _Optional[bool] = ..., labelled_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., handed_over_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., promised_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TrackingCheckpoint(_message.Message):
    __slots__ = ("feed", "source_id", "shipment_code", "number", "carrier", "piece", "occurred_at", "raw_code", "status", "raw_text", "place", "station", "courier", "signer", "zone_assumed", "retracts")
    FEED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_CODE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CARRIER_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    RAW_CODE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RAW_TEXT_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    STATION_FIELD_NUMBER: _ClassVar[int]
    COURIER_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    ZONE_ASSUMED_FIELD_NUMBER: _ClassVar[int]
    RETRACTS_FIELD_NUMBER: _ClassVar[int]
    feed: str
    source_id: str
    shipment_code: str
    number: str
    carrier: str
    piece: str
    occurred_at: _timestamp_pb2.Timestamp
    raw_code: str
    status: str
    raw_text: str
    place: str
    station: str
    courier: str
    signer: str
    zone_assumed: bool
    retracts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, feed: _Optional[str] = ..., source_id: _Optional[str] = ..., shipment_code: _Optional[str] = ..., number: _Optional[str] = ..., carrier: _Optional[str] = ..., piece: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., raw_code: _Optional[str] = ..., status: _Optional[str] = ..., raw_text: _Optional[str] = ..., place: _Optional[str] = ..., station: _Optional[str] = ..., courier: _Optional[str] = ..., signer: _Optional[str] = ..., zone_assumed: _Optional[bool] = ..., retracts: _Optional[_Iterable[str]] = ...) -> None: ...

class TimelineEntry(_message.Message):
    __slots__ = ("feed", "source_id", "occurred", "received", "status", "raw_code", "raw_text", "place", "station", "courier", "signer", "piece", "leg", "number", "late", "future", "zone_assumed", "retracted", "opens")
    FEED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RAW_CODE_FIELD_NUMBER: _ClassVar[int]
    RAW_TEXT_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    STATION_FIELD_NUMBER: _ClassVar[int]
    COURIER_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    LEG_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    FUTURE_FIELD_NUMBER: _ClassVar[int]
    ZONE_ASSUMED_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_FIELD_NUMBER: _ClassVar[int]
    OPENS_FIELD_NUMBER: _ClassVar[int]
    feed: str
    source_id: str
    occurred: _timestamp_pb2.Timestamp
    received: _timestamp_pb2.Timestamp
    status: str
    raw_code: str
    raw_text: str
    place: str
    station: str
    courier: str
    signer: str
    piece: str
    leg: int
    number: str
    late: bool
    future: bool
    zone_assumed: bool
    retracted: bool
    opens: str
    def __init__(self, feed: _Optional[str] = ..., source_id: _Optional[str] = ..., occurred: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[str] = ..., raw_code: _Optional[str] = ..., raw_text: _Optional[str] = ..., place: _Optional[str] = ..., station: _Optional[str] = ..., courier: _Optional[str] = ..., signer: _Optional[str] = ..., piece: _Optional[str] = ..., leg: _Optional[int] = ..., number: _Optional[str] = ..., late: _Optional[bool] = ..., future: _Optional[bool] = ..., zone_assumed: _Optional[bool] = ..., retracted: _Optional[bool] = ..., opens: _Optional[str] = ...) -> None: ...

class Deviation(_message.Message):
    __slots__ = ("rule", "version", "code", "stage", "at", "piece", "evidence", "next_stage_at", "ended_at", "outcome", "exception_id")
    RULE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    NEXT_STAGE_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    rule: str
    version: int
    code: str
    stage: str
    at: _timestamp_pb2.Timestamp
    piece: str
    evidence: _containers.RepeatedScalarFieldContainer[str]
    next_stage_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    outcome: str
    exception_id: str
    def __init__(self, rule: _Optional[str] = ..., version: _Optional[int] = ..., code: _Optional[str] = ..., stage: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., piece: _Optional[str] = ..., evidence: _Optional[_Iterable[str]] = ..., next_stage_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome: _Optional[str] = ..., exception_id: _Optional[str] = ...) -> None: ...

class PieceStatus(_message.Message):
    __slots__ = ("piece", "status")
    PIECE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    piece: str
    status: str
    def __init__(self, piece: _Optional[str] = ..., status: _Optional[str] = ...) -> None: ...

class WatchedShipment(_message.Message):
    __slots__ = ("shipment", "status", "pieces", "due_at", "last_checkpoint_at", "checkpoints")
    SHIPMENT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PIECES_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_CHECKPOINT_AT_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    shipment: Shipment
    status: str
    pieces: _containers.RepeatedCompositeFieldContainer[PieceStatus]
    due_at: _timestamp_pb2.Timestamp
    last_checkpoint_at: _timestamp_pb2.Timestamp
    checkpoints: int
    def __init__(self, shipment: _Optional[_Union[Shipment, _Mapping]] = ..., status: _Optional[str] = ..., pieces: _Optional[_Iterable[_Union[PieceStatus, _Mapping]]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_checkpoint_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., checkpoints: _Optional[int] = ...) -> None: ...
