import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
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
TICKET_PROPERTY_UNSPECIFIED: TicketProperty
TICKET_PROPERTY_STATE: TicketProperty
TICKET_PROPERTY_LEVEL: TicketProperty
TICKET_PROPERTY_OWNER: TicketProperty
TICKET_PROPERTY_CODE: TicketProperty
TICKET_PROPERTY_FAMILY: TicketProperty

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
