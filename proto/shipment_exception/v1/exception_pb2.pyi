import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shipment_exception.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Stage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_UNSPECIFIED: _ClassVar[Stage]
    STAGE_AT_RISK: _ClassVar[Stage]
    STAGE_BREACHED: _ClassVar[Stage]
    STAGE_SERIOUS: _ClassVar[Stage]

class ResponseLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESPONSE_LEVEL_UNSPECIFIED: _ClassVar[ResponseLevel]
    RESPONSE_LEVEL_1: _ClassVar[ResponseLevel]
    RESPONSE_LEVEL_2: _ClassVar[ResponseLevel]
    RESPONSE_LEVEL_3: _ClassVar[ResponseLevel]

class ActionStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_STATUS_UNSPECIFIED: _ClassVar[ActionStatus]
    ACTION_STATUS_PROPOSED: _ClassVar[ActionStatus]
    ACTION_STATUS_APPROVED: _ClassVar[ActionStatus]
    ACTION_STATUS_SUBMITTED: _ClassVar[ActionStatus]
    ACTION_STATUS_ACKNOWLEDGED: _ClassVar[ActionStatus]
    ACTION_STATUS_SUCCEEDED: _ClassVar[ActionStatus]
    ACTION_STATUS_FAILED: _ClassVar[ActionStatus]
    ACTION_STATUS_CANCELLED: _ClassVar[ActionStatus]
    ACTION_STATUS_WRITTEN_OFF: _ClassVar[ActionStatus]

class ActionOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_OUTCOME_UNSPECIFIED: _ClassVar[ActionOutcome]
    ACTION_OUTCOME_ACKNOWLEDGED: _ClassVar[ActionOutcome]
    ACTION_OUTCOME_SUCCEEDED: _ClassVar[ActionOutcome]
    ACTION_OUTCOME_FAILED: _ClassVar[ActionOutcome]
    ACTION_OUTCOME_DISPATCHED: _ClassVar[ActionOutcome]
    ACTION_OUTCOME_CLAIM_APPROVED: _ClassVar[ActionOutcome]
    ACTION_OUTCOME_CLAIM_PAID: _ClassVar[ActionOutcome]
    ACTION_OUTCOME_CLAIM_DENIED: _ClassVar[ActionOutcome]
    ACTION_OUTCOME_COUPON_USED: _ClassVar[ActionOutcome]
    ACTION_OUTCOME_COUPON_REVOKED: _ClassVar[ActionOutcome]
    ACTION_OUTCOME_COUPON_EXPIRED: _ClassVar[ActionOutcome]
STAGE_UNSPECIFIED: Stage
STAGE_AT_RISK: Stage
STAGE_BREACHED: Stage
STAGE_SERIOUS: Stage
RESPONSE_LEVEL_UNSPECIFIED: ResponseLevel
RESPONSE_LEVEL_1: ResponseLevel
RESPONSE_LEVEL_2: ResponseLevel
RESPONSE_LEVEL_3: ResponseLevel
ACTION_STATUS_UNSPECIFIED: ActionStatus
ACTION_STATUS_PROPOSED: ActionStatus
ACTION_STATUS_APPROVED: ActionStatus
ACTION_STATUS_SUBMITTED: ActionStatus
ACTION_STATUS_ACKNOWLEDGED: ActionStatus
ACTION_STATUS_SUCCEEDED: ActionStatus
ACTION_STATUS_FAILED: ActionStatus
ACTION_STATUS_CANCELLED: ActionStatus
ACTION_STATUS_WRITTEN_OFF: ActionStatus
ACTION_OUTCOME_UNSPECIFIED: ActionOutcome
ACTION_OUTCOME_ACKNOWLEDGED: ActionOutcome
ACTION_OUTCOME_SUCCEEDED: ActionOutcome
ACTION_OUTCOME_FAILED: ActionOutcome
ACTION_OUTCOME_DISPATCHED: ActionOutcome
ACTION_OUTCOME_CLAIM_APPROVED: ActionOutcome
ACTION_OUTCOME_CLAIM_PAID: ActionOutcome
ACTION_OUTCOME_CLAIM_DENIED: ActionOutcome
ACTION_OUTCOME_COUPON_USED: ActionOutcome
ACTION_OUTCOME_COUPON_REVOKED: ActionOutcome
ACTION_OUTCOME_COUPON_EXPIRED: ActionOutcome

class InvoiceLine(_message.Message):
    __slots__ = ("carrier", "number", "line")
    CARRIER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    carrier: str
    number: str
    line: str
    def __init__(self, carrier: _Optional[str] = ..., number: _Optional[str] = ..., line: _Optional[str] = ...) -> None: ...

class Subject(_message.Message):
    __slots__ = ("order_id", "shipment_code", "piece", "invoice_line")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_CODE_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    INVOICE_LINE_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    shipment_code: str
    piece: str
    invoice_line: InvoiceLine
    def __init__(self, order_id: _Optional[str] = ..., shipment_code: _Optional[str] = ..., piece: _Optional[str] = ..., invoice_line: _Optional[_Union[InvoiceLine, _Mapping]] = ...) -> None: ...

class CheckpointInput(_message.Message):
    __slots__ = ("occurred_at", "received_at", "place", "status", "raw_code", "raw_text")
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RAW_CODE_FIELD_NUMBER: _ClassVar[int]
    RAW_TEXT_FIELD_NUMBER: _ClassVar[int]
    occurred_at: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    place: str
    status: str
    raw_code: str
    raw_text: str
    def __init__(self, occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., place: _Optional[str] = ..., status: _Optional[str] = ..., raw_code: _Optional[str] = ..., raw_text: _Optional[str] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("occurred", "received", "place", "status", "raw_code", "raw_text")
    OCCURRED_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RAW_CODE_FIELD_NUMBER: _ClassVar[int]
    RAW_TEXT_FIELD_NUMBER: _ClassVar[int]
    occurred: _timestamp_pb2.Timestamp
    received: _timestamp_pb2.Timestamp
    place: str
    status: str
    raw_code: str
    raw_text: str
    def __init__(self, occurred: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., place: _Optional[str] = ..., status: _Optional[str] = ..., raw_code: _Optional[str] = ..., raw_text: _Optional[str] = ...) -> None: ...

class Signal(_message.Message):
    __slots__ = ("kind", "feed", "source_id", "raw_code", "raw_text", "occurred_at", "received_at")
    KIND_FIELD_NUMBER: _ClassVar[int]
    FEED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    RAW_CODE_FIELD_NUMBER: _ClassVar[int]
    RAW_TEXT_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    feed: str
    source_id: str
    raw_code: str
    raw_text: str
    occurred_at: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[str] = ..., feed: _Optional[str] = ..., source_id: _Optional[str] = ..., raw_code: _Optional[str] = ..., raw_text: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReportField(_message.Message):
    __slots__ = ("name", "values")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    name: str
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("template", "fields")
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    template: str
    fields: _containers.RepeatedCompositeFieldContainer[ReportField]
    def __init__(self, template: _Optional[str] = ..., fields: _Optional[_Iterable[_Union[ReportField, _Mapping]]] = ...) -> None: ...

class Alert(_message.Message):
    __slots__ = ("rule", "version", "stage", "at", "next_stage_at", "evidence")
    RULE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    NEXT_STAGE_AT_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    rule: str
    version: int
    stage: Stage
    at: _timestamp_pb2.Timestamp
    next_stage_at: _timestamp_pb2.Timestamp
    evidence: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, rule: _Optional[str] = ..., version: _Optional[int] = ..., stage: _Optional[_Union[Stage, str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_stage_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., evidence: _Optional[_Iterable[str]] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("kind", "feed", "source_id", "raw_code", "raw_text", "occurred", "received", "alert", "candidate", "report", "report_fields")
    KIND_FIELD_NUMBER: _ClassVar[int]
    FEED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    RAW_CODE_FIELD_NUMBER: _ClassVar[int]
    RAW_TEXT_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    ALERT_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELDS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    feed: str
    source_id: str
    raw_code: str
    raw_text: str
    occurred: _timestamp_pb2.Timestamp
    received: _timestamp_pb2.Timestamp
    alert: Alert
    candidate: str
    report: str
    report_fields: _containers.RepeatedCompositeFieldContainer[ReportField]
    def __init__(self, kind: _Optional[str] = ..., feed: _Optional[str] = ..., source_id: _Optional[str] = ..., raw_code: _Optional[str] = ..., raw_text: _Optional[str] = ..., occurred: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., alert: _Optional[_Union[Alert, _Mapping]] = ..., candidate: _Optional[str] = ..., report: _Optional[str] = ..., report_fields: _Optional[_Iterable[_Union[ReportField, _Mapping]]] = ...) -> None: ...

class RefundLine(_message.Message):
    __slots__ = ("sale_line", "amount")
    SALE_LINE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    sale_line: str
    amount: _common_pb2.Money
    def __init__(self, sale_line: _Optional[str] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class Action(_message.Message):
    __slots__ = ("action_id", "kind", "side", "status", "episode", "lines", "amount", "goods_cost", "freight", "dispatched", "shipment_code", "logistics_line", "cause_event_ids", "tax_document", "basis", "coupon_kind", "restores_action_id", "counterparty", "proposed_by", "approved_by", "external_id", "settled_by", "write_off_by")
    ACTION_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    GOODS_COST_FIELD_NUMBER: _ClassVar[int]
    FREIGHT_FIELD_NUMBER: _ClassVar[int]
    DISPATCHED_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_CODE_FIELD_NUMBER: _ClassVar[int]
    LOGISTICS_LINE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    TAX_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    COUPON_KIND_FIELD_NUMBER: _ClassVar[int]
    RESTORES_ACTION_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTERPARTY_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_BY_FIELD_NUMBER: _ClassVar[int]
    APPROVED_BY_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    SETTLED_BY_FIELD_NUMBER: _ClassVar[int]
    WRITE_OFF_BY_FIELD_NUMBER: _ClassVar[int]
    action_id: str
    kind: str
    side: str
    status: ActionStatus
    episode: int
    lines: _containers.RepeatedCompositeFieldContainer[RefundLine]
    amount: _common_pb2.Money
    goods_cost: _common_pb2.Money
    freight: _common_pb2.Money
    dispatched: bool
    shipment_code: str
    logistics_line: str
    cause_event_ids: _containers.RepeatedScalarFieldContainer[str]
    tax_document: str
    basis: str
    coupon_kind: str
    restores_action_id: str
    counterparty: str
    proposed_by: str
    approved_by: str
    external_id: str
    settled_by: str
    write_off_by: str
    def __init__(self, action_id: _Optional[str] = ..., kind: _Optional[str] = ..., side: _Optional[str] = ..., status: _Optional[_Union[ActionStatus, str]] = ..., episode: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[RefundLine, _Mapping]]] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., goods_cost: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., freight: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., dispatched: _Optional[bool] = ..., shipment_code: _Optional[str] = ..., logistics_line: _Optional[str] = ..., cause_event_ids: _Optional[_Iterable[str]] = ..., tax_document: _Optional[str] = ..., basis: _Optional[str] = ..., coupon_kind: _Optional[str] = ..., restores_action_id: _Optional[str] = ..., counterparty: _Optional[str] = ..., proposed_by: _Optional[str] = ..., approved_by: _Optional[str] = ..., external_id: _Optional[str] = ..., settled_by: _Optional[str] = ..., write_off_by: _Optional[str] = ...) -> None: ...

class Verification(_message.Message):
    __slots__ = ("item", "result", "by", "finding", "evidence")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    item: str
    result: str
    by: str
    finding: str
    evidence: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, item: _Optional[str] = ..., result: _Optional[str] = ..., by: _Optional[str] = ..., finding: _Optional[str] = ..., evidence: _Optional[_Iterable[str]] = ...) -> None: ...

class OpenItem(_message.Message):
    __slots__ = ("item", "kind", "amount", "what", "carried")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    CARRIED_FIELD_NUMBER: _ClassVar[int]
    item: str
    kind: str
    amount: _common_pb2.Money
    what: str
    carried: bool
    def __init__(self, item: _Optional[str] = ..., kind: _Optional[str] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., what: _Optional[str] = ..., carried: _Optional[bool] = ...) -> None: ...

class Carry(_message.Message):
    __slots__ = ("item", "amount", "owner", "due", "proposed_by", "by")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_BY_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    item: str
    amount: _common_pb2.Money
    owner: str
    due: str
    proposed_by: str
    by: str
    def __init__(self, item: _Optional[str] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., owner: _Optional[str] = ..., due: _Optional[str] = ..., proposed_by: _Optional[str] = ..., by: _Optional[str] = ...) -> None: ...

class Balance(_message.Message):
    __slots__ = ("account", "item", "amount")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    account: str
    item: str
    amount: _common_pb2.Money
    def __init__(self, account: _Optional[str] = ..., item: _Optional[str] = ..., amount: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class Accrual(_message.Message):
    __slots__ = ("logistics_line", "kind", "net", "tax")
    LOGISTICS_LINE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NET_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    logistics_line: str
    kind: str
    net: _common_pb2.Money
    tax: _common_pb2.Money
    def __init__(self, logistics_line: _Optional[str] = ..., kind: _Optional[str] = ..., net: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., tax: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class BookedEntry(_message.Message):
    __slots__ = ("event_id", "rows", "reversed", "kind")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    REVERSED_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    rows: _containers.RepeatedScalarFieldContainer[str]
    reversed: bool
    kind: str
    def __init__(self, event_id: _Optional[str] = ..., rows: _Optional[_Iterable[str]] = ..., reversed: _Optional[bool] = ..., kind: _Optional[str] = ...) -> None: ...

class CodeChange(_message.Message):
    __slots__ = ("from_code", "code", "evidence")
    FROM_CODE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    from_code: str
    code: str
    evidence: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, from_code: _Optional[str] = ..., code: _Optional[str] = ..., evidence: _Optional[_Iterable[str]] = ...) -> None: ...

class ShipmentException(_message.Message):
    __slots__ = ("exception_id", "etag", "subject", "code", "family", "phase", "occurrence", "state", "stage", "priority", "team", "owner", "level", "episode", "person", "raised_by", "failing_check", "last_checkpoint", "none_yet_looked_at", "codes", "sources", "verifications", "waiting_on", "actions", "entries", "balances", "accruals", "open_items", "carries", "billing_lines", "written_back", "resolution", "summary", "customer_resolved_at", "merged_into", "merged_from", "cleared_source_ids")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[ShipmentException.State]
        STATE_DETECTED: _ClassVar[ShipmentException.State]
        STATE_ESCALATED: _ClassVar[ShipmentException.State]
        STATE_REMEDIATED: _ClassVar[ShipmentException.State]
        STATE_RECONCILED: _ClassVar[ShipmentException.State]
        STATE_WITHDRAWN: _ClassVar[ShipmentException.State]
        STATE_MERGED: _ClassVar[ShipmentException.State]
    STATE_UNSPECIFIED: ShipmentException.State
    STATE_DETECTED: ShipmentException.State
    STATE_ESCALATED: ShipmentException.State
    STATE_REMEDIATED: ShipmentException.State
    STATE_RECONCILED: ShipmentException.State
    STATE_WITHDRAWN: ShipmentException.State
    STATE_MERGED: ShipmentException.State
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    OCCURRENCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    TEAM_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    RAISED_BY_FIELD_NUMBER: _ClassVar[int]
    FAILING_CHECK_FIELD_NUMBER: _ClassVar[int]
    LAST_CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    NONE_YET_LOOKED_AT_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    VERIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    WAITING_ON_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    BALANCES_FIELD_NUMBER: _ClassVar[int]
    ACCRUALS_FIELD_NUMBER: _ClassVar[int]
    OPEN_ITEMS_FIELD_NUMBER: _ClassVar[int]
    CARRIES_FIELD_NUMBER: _ClassVar[int]
    BILLING_LINES_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_BACK_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_RESOLVED_AT_FIELD_NUMBER: _ClassVar[int]
    MERGED_INTO_FIELD_NUMBER: _ClassVar[int]
    MERGED_FROM_FIELD_NUMBER: _ClassVar[int]
    CLEARED_SOURCE_IDS_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    etag: str
    subject: Subject
    code: str
    family: str
    phase: str
    occurrence: int
    state: ShipmentException.State
    stage: Stage
    priority: str
    team: str
    owner: str
    level: ResponseLevel
    episode: int
    person: str
    raised_by: str
    failing_check: str
    last_checkpoint: Checkpoint
    none_yet_looked_at: _timestamp_pb2.Timestamp
    codes: _containers.RepeatedCompositeFieldContainer[CodeChange]
    sources: _containers.RepeatedCompositeFieldContainer[Source]
    verifications: _containers.RepeatedCompositeFieldContainer[Verification]
    waiting_on: str
    actions: _containers.RepeatedCompositeFieldContainer[Action]
    entries: _containers.RepeatedCompositeFieldContainer[BookedEntry]
    balances: _containers.RepeatedCompositeFieldContainer[Balance]
    accruals: _containers.RepeatedCompositeFieldContainer[Accrual]
    open_items: _containers.RepeatedCompositeFieldContainer[OpenItem]
    carries: _containers.RepeatedCompositeFieldContainer[Carry]
    billing_lines: _containers.RepeatedScalarFieldContainer[str]
    written_back: _containers.RepeatedScalarFieldContainer[str]
    resolution: str
    summary: str
    customer_resolved_at: _timestamp_pb2.Timestamp
    merged_into: str
    merged_from: _containers.RepeatedScalarFieldContainer[str]
    cleared_source_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, exception_id: _Optional[str] = ..., etag: _Optional[str] = ..., subject: _Optional[_Union[Subject, _Mapping]] = ..., code: _Optional[str] = ..., family: _Optional[str] = ..., phase: _Optional[str] = ..., occurrence: _Optional[int] = ..., state: _Optional[_Union[ShipmentException.State, str]] = ..., stage: _Optional[_Union[Stage, str]] = ..., priority: _Optional[str] = ..., team: _Optional[str] = ..., owner: _Optional[str] = ..., level: _Optional[_Union[ResponseLevel, str]] = ..., episode: _Optional[int] = ..., person: _Optional[str] = ..., raised_by: _Optional[str] = ..., failing_check: _Optional[str] = ..., last_checkpoint: _Optional[_Union[Checkpoint, _Mapping]] = ..., none_yet_looked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., codes: _Optional[_Iterable[_Union[CodeChange, _Mapping]]] = ..., sources: _Optional[_Iterable[_Union[Source, _Mapping]]] = ..., verifications: _Optional[_Iterable[_Union[Verification, _Mapping]]] = ..., waiting_on: _Optional[str] = ..., actions: _Optional[_Iterable[_Union[Action, _Mapping]]] = ..., entries: _Optional[_Iterable[_Union[BookedEntry, _Mapping]]] = ..., balances: _Optional[_Iterable[_Union[Balance, _Mapping]]] = ..., accruals: _Optional[_Iterable[_Union[Accrual, _Mapping]]] = ..., open_items: _Optional[_Iterable[_Union[OpenItem, _Mapping]]] = ..., carries: _Optional[_Iterable[_Union[Carry, _Mapping]]] = ..., billing_lines: _Optional[_Iterable[str]] = ..., written_back: _Optional[_Iterable[str]] = ..., resolution: _Optional[str] = ..., summary: _Optional[str] = ..., customer_resolved_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., merged_into: _Optional[str] = ..., merged_from: _Optional[_Iterable[str]] = ..., cleared_source_ids: _Optional[_Iterable[str]] = ...) -> None: ...
