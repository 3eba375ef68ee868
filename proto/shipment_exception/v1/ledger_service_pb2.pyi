import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shipment_exception.v1 import event_pb2 as _event_pb2
from shipment_exception.v1 import ledger_pb2 as _ledger_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListAccountsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "min_position")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    min_position: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., min_position: _Optional[str] = ...) -> None: ...

class ListAccountsResponse(_message.Message):
    __slots__ = ("accounts", "next_page_token")
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Account]
    next_page_token: str
    def __init__(self, accounts: _Optional[_Iterable[_Union[_ledger_pb2.Account, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListEntriesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "filter", "min_position")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    filter: str
    min_position: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[str] = ..., min_position: _Optional[str] = ...) -> None: ...

class ListEntriesResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.JournalEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[_ledger_pb2.JournalEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetEntryRequest(_message.Message):
    __slots__ = ("event_id", "min_position")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    min_position: str
    def __init__(self, event_id: _Optional[str] = ..., min_position: _Optional[str] = ...) -> None: ...

class GetEntryResponse(_message.Message):
    __slots__ = ("entry", "events")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    entry: _ledger_pb2.JournalEntry
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    def __init__(self, entry: _Optional[_Union[_ledger_pb2.JournalEntry, _Mapping]] = ..., events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ...) -> None: ...

class AsOf(_message.Message):
    __slots__ = ("effective", "recorded")
    EFFECTIVE_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    effective: str
    recorded: _timestamp_pb2.Timestamp
    def __init__(self, effective: _Optional[str] = ..., recorded: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetTrialBalanceRequest(_message.Message):
    __slots__ = ("ledger", "as_of", "min_position")
    LEDGER_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    ledger: str
    as_of: AsOf
    min_position: str
    def __init__(self, ledger: _Optional[str] = ..., as_of: _Optional[_Union[AsOf, _Mapping]] = ..., min_position: _Optional[str] = ...) -> None: ...

class GetTrialBalanceResponse(_message.Message):
    __slots__ = ("accounts", "memoranda", "totals")
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    MEMORANDA_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.AccountBalance]
    memoranda: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.AccountBalance]
    totals: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.AccountBalance]
    def __init__(self, accounts: _Optional[_Iterable[_Union[_ledger_pb2.AccountBalance, _Mapping]]] = ..., memoranda: _Optional[_Iterable[_Union[_ledger_pb2.AccountBalance, _Mapping]]] = ..., totals: _Optional[_Iterable[_Union[_ledger_pb2.AccountBalance, _Mapping]]] = ...) -> None: ...

class GetAccountStatementRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "ledger", "account", "as_of", "min_position")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LEDGER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    ledger: str
    account: str
    as_of: AsOf
    min_position: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., ledger: _Optional[str] = ..., account: _Optional[str] = ..., as_of: _Optional[_Union[AsOf, _Mapping]] = ..., min_position: _Optional[str] = ...) -> None: ...

class GetAccountStatementResponse(_message.Message):
    __slots__ = ("lines", "next_page_token")
    LINES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.StatementLine]
    next_page_token: str
    def __init__(self, lines: _Optional[_Iterable[_Union[_ledger_pb2.StatementLine, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetOrderStatementRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "order_id", "min_position")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    order_id: str
    min_position: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., order_id: _Optional[str] = ..., min_position: _Optional[str] = ...) -> None: ...

class GetOrderStatementResponse(_message.Message):
    __slots__ = ("entries", "costs", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    COSTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.JournalEntry]
    costs: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.CaseCost]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[_ledger_pb2.JournalEntry, _Mapping]]] = ..., costs: _Optional[_Iterable[_Union[_ledger_pb2.CaseCost, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
