import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shipment_exception.v1 import common_pb2 as _common_pb2
from shipment_exception.v1 import exception_pb2 as _exception_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TicketAction(_message.Message):
    __slots__ = ("action_id", "kind", "side", "status", "episode", "amount")
    ACTION_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    action_id: str
    kind: str
    side: str
    status: _exception_pb2.ActionStatus
    episode: int
    amount: _common_pb2.Money
    def __init__(self, action_id: _Optional[str] = ..., kind: _Optional[str] = ..., side: _Optional[str] = ..., status: _Optional[_Union[_exception_pb2.ActionStatus, str]] = ..., episode: _Optional[int] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class TicketCode(_message.Message):
    __slots__ = ("from_code", "code", "at")
    FROM_CODE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    from_code: str
    code: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, from_code: _Optional[str] = ..., code: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TicketCheck(_message.Message):
    __slots__ = ("item", "result")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    item: str
    result: str
    def __init__(self, item: _Optional[str] = ..., result: _Optional[str] = ...) -> None: ...

class TicketAlert(_message.Message):
    __slots__ = ("rule", "stage", "at", "next_at")
    RULE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    NEXT_AT_FIELD_NUMBER: _ClassVar[int]
    rule: str
    stage: _exception_pb2.Stage
    at: _timestamp_pb2.Timestamp
    next_at: _timestamp_pb2.Timestamp
    def __init__(self, rule: _Optional[str] = ..., stage: _Optional[_Union[_exception_pb2.Stage, str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Ticket(_message.Message):
    __slots__ = ("exception_id", "etag", "position", "subject", "state", "code", "family", "phase", "stage", "priority", "team", "owner", "level", "episode", "occurrence", "person", "raised_by", "failing_check", "source_kinds", "sources", "last_checkpoint", "none_yet_looked_at", "waiting_on", "waiting_since", "detected_at", "escalated_at", "customer_resolved_at", "reconciled_at", "updated_at", "last_actor", "actions", "open_actions", "notes", "contacts", "checks", "codes", "resolution", "summary", "merged_into", "merged_from", "due_at", "alerts", "first_source", "ticket_class", "platform_type")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    TEAM_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    OCCURRENCE_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    RAISED_BY_FIELD_NUMBER: _ClassVar[int]
    FAILING_CHECK_FIELD_NUMBER: _ClassVar[int]
    SOURCE_KINDS_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    LAST_CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    NONE_YET_LOOKED_AT_FIELD_NUMBER: _ClassVar[int]
    WAITING_ON_FIELD_NUMBER: _ClassVar[int]
    WAITING_SINCE_FIELD_NUMBER: _ClassVar[int]
    DETECTED_AT_FIELD_NUMBER: _ClassVar[int]
    ESCALATED_AT_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_RESOLVED_AT_FIELD_NUMBER: _ClassVar[int]
    RECONCILED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_ACTOR_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    OPEN_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    MERGED_INTO_FIELD_NUMBER: _ClassVar[int]
    MERGED_FROM_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    FIRST_SOURCE_FIELD_NUMBER: _ClassVar[int]
    TICKET_CLASS_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_TYPE_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    etag: str
    position: str
    subject: _exception_pb2.Subject
    state: _exception_pb2.ShipmentException.State
    code: str
    family: str
    phase: str
    stage: _exception_pb2.Stage
    priority: str
    team: str
    owner: str
    level: _exception_pb2.ResponseLevel
    episode: int
    occurrence: int
    person: str
    raised_by: str
    failing_check: str
    source_kinds: _containers.RepeatedScalarFieldContainer[str]
    sources: int
    last_checkpoint: _exception_pb2.Checkpoint
    none_yet_looked_at: _timestamp_pb2.Timestamp
    waiting_on: str
    waiting_since: _timestamp_pb2.Timestamp
    detected_at: _timestamp_pb2.Timestamp
    escalated_at: _timestamp_pb2.Timestamp
    customer_resolved_at: _timestamp_pb2.Timestamp
    reconciled_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    last_actor: str
    actions: _containers.RepeatedCompositeFieldContainer[TicketAction]
    open_actions: int
    notes: int
    contacts: int
    checks: _containers.RepeatedCompositeFieldContainer[TicketCheck]
    codes: _containers.RepeatedCompositeFieldContainer[TicketCode]
    resolution: str
    summary: str
    merged_into: str
    merged_from: _containers.RepeatedScalarFieldContainer[str]
    due_at: _timestamp_pb2.Timestamp
    alerts: _containers.RepeatedCompositeFieldContainer[TicketAlert]
    first_source: str
    ticket_class: str
    platform_type: str
    def __init__(self, exception_id: _Optional[str] = ..., etag: _Optional[str] = ..., position: _Optional[str] = ..., subject: _Optional[_Union[_exception_pb2.Subject, _Mapping]] = ..., state: _Optional[_Union[_exception_pb2.ShipmentException.State, str]] = ..., code: _Optional[str] = ..., family: _Optional[str] = ..., phase: _Optional[str] = ..., stage: _Optional[_Union[_exception_pb2.Stage, str]] = ..., priority: _Optional[str] = ..., team: _Optional[str] = ..., owner: _Optional[str] = ..., level: _Optional[_Union[_exception_pb2.ResponseLevel, str]] = ..., episode: _Optional[int] = ..., occurrence: _Optional[int] = ..., person: _Optional[str] = ..., raised_by: _Optional[str] = ..., failing_check: _Optional[str] = ..., source_kinds: _Optional[_Iterable[str]] = ..., sources: _Optional[int] = ..., last_checkpoint: _Optional[_Union[_exception_pb2.Checkpoint, _Mapping]] = ..., none_yet_looked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., waiting_on: _Optional[str] = ..., waiting_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., detected_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., escalated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., customer_resolved_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reconciled_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_actor: _Optional[str] = ..., actions: _Optional[_Iterable[_Union[TicketAction, _Mapping]]] = ..., open_actions: _Optional[int] = ..., notes: _Optional[int] = ..., contacts: _Optional[int] = ..., checks: _Optional[_Iterable[_Union[TicketCheck, _Mapping]]] = ..., codes: _Optional[_Iterable[_Union[TicketCode, _Mapping]]] = ..., resolution: _Optional[str] = ..., summary: _Optional[str] = ..., merged_into: _Optional[str] = ..., merged_from: _Optional[_Iterable[str]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., alerts: _Optional[_Iterable[_Union[TicketAlert, _Mapping]]] = ..., first_source: _Optional[str] = ..., ticket_class: _Optional[str] = ..., platform_type: _Optional[str] = ...) -> None: ...
