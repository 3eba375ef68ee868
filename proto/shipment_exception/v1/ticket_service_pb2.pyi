import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shipment_exception.v1 import exception_pb2 as _exception_pb2
from shipment_exception.v1 import ticket_pb2 as _ticket_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TicketProperty(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TICKET_PROPERTY_UNSPECIFIED: _ClassVar[TicketProperty]
    TICKET_PROPERTY_STATE: _ClassVar[TicketProperty]
    TICKET_PROPERTY_LEVEL: _ClassVar[TicketProperty]
    TICKET_PROPERTY_OWNER: _ClassVar[TicketProperty]
    TICKET_PROPERTY_CODE: _ClassVar[TicketProperty]
    TICKET_PROPERTY_FAMILY: _ClassVar[TicketProperty]

class DeadlineKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEADLINE_KIND_UNSPECIFIED: _ClassVar[DeadlineKind]
    DEADLINE_KIND_NEXT_STAGE: _ClassVar[DeadlineKind]
    DEADLINE_KIND_MUTE_END: _ClassVar[DeadlineKind]
    DEADLINE_KIND_CARRIED_ITEM: _ClassVar[DeadlineKind]
TICKET_PROPERTY_UNSPECIFIED: TicketProperty
TICKET_PROPERTY_STATE: TicketProperty
TICKET_PROPERTY_LEVEL: TicketProperty
TICKET_PROPERTY_OWNER: TicketProperty
TICKET_PROPERTY_CODE: TicketProperty
TICKET_PROPERTY_FAMILY: TicketProperty
DEADLINE_KIND_UNSPECIFIED: DeadlineKind
DEADLINE_KIND_NEXT_STAGE: DeadlineKind
DEADLINE_KIND_MUTE_END: DeadlineKind
DEADLINE_KIND_CARRIED_ITEM: DeadlineKind

class GetTicketRequest(_message.Message):
    __slots__ = ("exception_id", "min_position")
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    exception_id: str
    min_position: str
    def __init__(self, exception_id: _Optional[str] = ..., min_position: _Optional[str] = ...) -> None: ...

class GetTicketResponse(_message.Message):
    __slots__ = ("ticket",)
    TICKET_FIELD_NUMBER: _ClassVar[int]
    ticket: _ticket_pb2.Ticket
    def __init__(self, ticket: _Optional[_Union[_ticket_pb2.Ticket, _Mapping]] = ...) -> None: ...

class ListTicketsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "filter", "order_by", "min_position")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    filter: str
    order_by: str
    min_position: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[str] = ..., order_by: _Optional[str] = ..., min_position: _Optional[str] = ...) -> None: ...

class ListTicketsResponse(_message.Message):
    __slots__ = ("tickets", "next_page_token")
    TICKETS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tickets: _containers.RepeatedCompositeFieldContainer[_ticket_pb2.Ticket]
    next_page_token: str
    def __init__(self, tickets: _Optional[_Iterable[_Union[_ticket_pb2.Ticket, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchTicketsRequest(_message.Message):
    __slots__ = ("position", "filter")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    position: str
    filter: str
    def __init__(self, position: _Optional[str] = ..., filter: _Optional[str] = ...) -> None: ...

class WatchTicketsResponse(_message.Message):
    __slots__ = ("ticket",)
    TICKET_FIELD_NUMBER: _ClassVar[int]
    ticket: _ticket_pb2.Ticket
    def __init__(self, ticket: _Optional[_Union[_ticket_pb2.Ticket, _Mapping]] = ...) -> None: ...

class CountTicketsRequest(_message.Message):
    __slots__ = ("by", "filter", "as_of", "min_position")
    BY_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    by: TicketProperty
    filter: str
    as_of: _timestamp_pb2.Timestamp
    min_position: str
    def __init__(self, by: _Optional[_Union[TicketProperty, str]] = ..., filter: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_position: _Optional[str] = ...) -> None: ...

class TicketCount(_message.Message):
    __slots__ = ("value", "tickets")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TICKETS_FIELD_NUMBER: _ClassVar[int]
    value: str
    tickets: int
    def __init__(self, value: _Optional[str] = ..., tickets: _Optional[int] = ...) -> None: ...

class CountTicketsResponse(_message.Message):
    __slots__ = ("counts", "total")
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    counts: _containers.RepeatedCompositeFieldContainer[TicketCount]
    total: int
    def __init__(self, counts: _Optional[_Iterable[_Union[TicketCount, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class ListDeadlinesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "kind", "since", "until", "min_position")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    kind: DeadlineKind
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    min_position: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., kind: _Optional[_Union[DeadlineKind, str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_position: _Optional[str] = ...) -> None: ...

class Deadline(_message.Message):
    __slots__ = ("kind", "due_at", "exception_id", "subject", "name")
    KIND_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    kind: DeadlineKind
    due_at: _timestamp_pb2.Timestamp
    exception_id: str
    subject: _exception_pb2.Subject
    name: str
    def __init__(self, kind: _Optional[_Union[DeadlineKind, str]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., exception_id: _Optional[str] = ..., subject: _Optional[_Union[_exception_pb2.Subject, _Mapping]] = ..., name: _Optional[str] = ...) -> None: ...

class ListDeadlinesResponse(_message.Message):
    __slots__ = ("deadlines", "next_page_token")
    DEADLINES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    deadlines: _containers.RepeatedCompositeFieldContainer[Deadline]
    next_page_token: str
    def __init__(self, deadlines: _Optional[_Iterable[_Union[Deadline, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
