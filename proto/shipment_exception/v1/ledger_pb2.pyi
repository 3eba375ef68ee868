import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shipment_exception.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Account(_message.Message):
    __slots__ = ("number", "kind", "control", "title")
    class TitleEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    number: str
    kind: str
    control: bool
    title: _containers.ScalarMap[str, str]
    def __init__(self, number: _Optional[str] = ..., kind: _Optional[str] = ..., control: _Optional[bool] = ..., title: _Optional[_Mapping[str, str]] = ...) -> None: ...

class EntryLine(_message.Message):
    __slots__ = ("index", "account", "debit", "credit", "row", "party", "order_id", "sale_line", "logistics_line", "shipment_code", "exception_id", "episode", "action_id")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    DEBIT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_LINE_FIELD_NUMBER: _ClassVar[int]
    LOGISTICS_LINE_FIELD_NUMBER: _ClassVar[int]
    SHIPMENT_CODE_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    ACTION_ID_FIELD_NUMBER: _ClassVar[int]
    index: int
    account: str
    debit: _common_pb2.Money
    credit: _common_pb2.Money
    row: str
    party: str
    order_id: str
    sale_line: str
    logistics_line: str
    shipment_code: str
    exception_id: str
    episode: int
    action_id: str
    def __init__(self, index: _Optional[int] = ..., account: _Optional[str] = ..., debit: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., credit: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., row: _Optional[str] = ..., party: _Optional[str] = ..., order_id: _Optional[str] = ..., sale_line: _Optional[str] = ..., logistics_line: _Optional[str] = ..., shipment_code: _Optional[str] = ..., exception_id: _Optional[str] = ..., episode: _Optional[int] = ..., action_id: _Optional[str] = ...) -> None: ...

class JournalEntry(_message.Message):
    __slots__ = ("event_id", "position", "number", "year", "ledger", "currency", "effective", "recorded", "occurred", "topic", "actor", "rules", "order_id", "exception_id", "episode", "mirrors", "lines")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    LEDGER_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    MIRRORS_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    position: str
    number: int
    year: int
    ledger: str
    currency: str
    effective: str
    recorded: _timestamp_pb2.Timestamp
    occurred: _timestamp_pb2.Timestamp
    topic: str
    actor: str
    rules: str
    order_id: str
    exception_id: str
    episode: int
    mirrors: str
    lines: _containers.RepeatedCompositeFieldContainer[EntryLine]
    def __init__(self, event_id: _Optional[str] = ..., position: _Optional[str] = ..., number: _Optional[int] = ..., year: _Optional[int] = ..., ledger: _Optional[str] = ..., currency: _Optional[str] = ..., effective: _Optional[str] = ..., recorded: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., occurred: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., topic: _Optional[str] = ..., actor: _Optional[str] = ..., rules: _Optional[str] = ..., order_id: _Optional[str] = ..., exception_id: _Optional[str] = ..., episode: _Optional[int] = ..., mirrors: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[EntryLine, _Mapping]]] = ...) -> None: ...

class AccountBalance(_message.Message):
    __slots__ = ("account", "debit", "credit", "balance")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    DEBIT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    account: str
    debit: _common_pb2.Money
    credit: _common_pb2.Money
    balance: _common_pb2.Money
    def __init__(self, account: _Optional[str] = ..., debit: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., credit: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., balance: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class StatementLine(_message.Message):
    __slots__ = ("entry", "line", "balance")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    entry: JournalEntry
    line: EntryLine
    balance: _common_pb2.Money
    def __init__(self, entry: _Optional[_Union[JournalEntry, _Mapping]] = ..., line: _Optional[_Union[EntryLine, _Mapping]] = ..., balance: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...

class CaseCost(_message.Message):
    __slots__ = ("exception_id", "revenue_undone", "handling_cost", "recovered", "net_cost")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    REVENUE_UNDONE_FIELD_NUMBER: _ClassVar[int]
    HANDLING_COST_FIELD_NUMBER: _ClassVar[int]
    RECOVERED_FIELD_NUMBER: _ClassVar[int]
    NET_COST_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    revenue_undone: _common_pb2.Money
    handling_cost: _common_pb2.Money
    recovered: _common_pb2.Money
    net_cost: _common_pb2.Money
    def __init__(self, exception_id: _Optional[str] = ..., revenue_undone: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., handling_cost: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., recovered: _Optional[_Union[_common_pb2.Money, _Mapping]] = ..., net_cost: _Optional[_Union[_common_pb2.Money, _Mapping]] = ...) -> None: ...
