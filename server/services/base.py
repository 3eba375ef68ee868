"""What servicers share: one command, many commands, pages, and waiting for a position."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final, TypeVar
from uuid import UUID

import grpc
from google.protobuf.message import Message

from esm.commands import Command
from esm.errors import DomainError, ExceptionNotFound, InvalidCommand, Violation
from esm.exception.state import Case
from esm.order.state import Order
from server.consistency import PageKey, caught_up
from server.errors import item_error
from server.services.calls import Caller, Context, caller_of, told
from server.services.context import Services
from server.submission import Answer, Call
from server.wire.answers import Frame, Wire
from server.wire.cases import case, fill_case
from server.wire.commands import read_command
from server.wire.events import preview
from server.wire.kept import Kept
from server.wire.orders import order
from server.wire.requests import REPEATED_MAX

PAGE_SIZE_DEFAULT: Final = 50
PAGE_SIZE_MAX: Final = 500
PAGE_BYTES_MAX: Final = 2_000_000
"""A page ends early here: clients take answers of 4 MiB, and one item may be large."""

M = TypeVar("M", bound=Message)
T = TypeVar("T")


class Servicer:
    """Base of the servicers. ``NAME`` is the full name of the service."""

    NAME: ClassVar[str]

    def __init__(self, services: Services) -> None:
        self.services = services

    def add_to(self, server: grpc.aio.Server) -> None:
        """Registers this servicer at a server."""
        raise NotImplementedError

    def frame(self, caller: Caller) -> Frame:
        """What writing an answer for a caller needs."""
        services = self.services
        return Frame(caller.tenant, services.catalogue, services.opener, services.tokens.position)

    async def caught_up(self, projection: str, token: str, context: Context) -> None:
        """Waits for ``min_position``, bounded by the call's deadline."""
        position = self.services.tokens.number(token, "min_position")
        await caught_up(self.services.waiter, projection, position, context.time_remaining())


class StreamServicer(Servicer):
    """Base of the servicers that go on streaming for as long as the caller listens."""

    async def grown(self, projection: str, position: int, seconds: float) -> None:
        """Waits until there is more to stream, the server stops, or the time is over."""
        reached = asyncio.ensure_future(self.services.waiter.reach(projection, position, seconds))
        stopped = asyncio.ensure_future(self.services.stopping.wait())
        try:
            await asyncio.wait((reached, stopped), return_when=asyncio.FIRST_COMPLETED)
            if reached.done():
                reached.result()
        finally:
            reached.cancel()
            stopped.cancel()

    async def stopped(self, context: Context) -> None:
        """Ends a stream of a server that stops: the caller follows elsewhere, or later."""
        said = "the server stops; follow again from the last position"
        await context.abort(grpc.StatusCode.UNAVAILABLE, said)


class CommandServicer(Servicer):
    """Base of the servicers that take commands."""

    async def change(self, request: Message, context: Context) -> Changed:
        """Does what a request asks for, or raises the refusal."""
        caller = caller_of(context)
        command, header = read_command(request)
        call = caller.call(header)
        answer = await self.services.writer.handle(command, call)
        return Changed(answer, call, self.frame(caller))

    async def change_all(
        self, field: str, requests: Sequence[Message], context: Context
    ) -> tuple[list[Changed | DomainError], str]:
        """Does what each request asks for; refusals stand in their place.

        Also answers the position behind all of them. Raises :class:`InvalidCommand` for no
        request, or too many.
        """
        caller = caller_of(context)
        if not 1 <= len(requests) <= REPEATED_MAX:
            raise InvalidCommand([Violation(field, f"must have 1 to {REPEATED_MAX} elements")])
        results: list[Changed | DomainError | None] = []
        items: list[tuple[Command, Call]] = []
        for request in requests:
            try:
                command, header = read_command(request)
            except DomainError as refused:
                results.append(refused)
            else:
                results.append(None)
                items.append((command, caller.call(header)))
        frame, last = self.frame(caller), 0
        answers = zip(await self._handle(items), items, strict=True)
        for index, result in enumerate(results):
            if result is None:
                answer, (_, call) = next(answers)
                if isinstance(answer, DomainError):
                    results[index] = answer
                else:
                    results[index] = Changed(answer, call, frame)
                    last = max(last, answer.position)
        return [result for result in results if result is not None], frame.position(last)

    async def _handle(
        self, items: Sequence[tuple[Command, Call]]
    ) -> Sequence[Answer | DomainError]:
        return await self.services.writer.handle_batch(items) if items else ()


class Changed:
    """An answer of the writer and how it is written."""

    __slots__ = ("_frame", "answer", "call")

    def __init__(self, answer: Answer, call: Call, frame: Frame) -> None:
        self.answer = answer
        self.call = call
        self._frame = frame

    def cases(self) -> list[Wire]:
        """The cases that the command changed, the one it named first."""
        return [
            case(version, state, self._frame)
            for _, version, state in self.answer.targets
            if isinstance(state, Case)
        ]

    def case(self) -> Wire | None:
        """The case that the command is about."""
        for _, version, state in self.answer.targets:
            if isinstance(state, Case):
                return case(version, state, self._frame)
        return None

    def fill_case(self, response: Any, kept: Kept) -> None:
        """The same in the field ``exception`` of a response, faster when little has changed."""
        for _, version, state in self.answer.targets:
            if isinstance(state, Case):
                fill_case(response.exception, version, state, self._frame, kept)
                return

    def order(self) -> Wire | None:
        """The order that the command is about."""
        for _, version, state in self.answer.targets:
            if isinstance(state, Order):
                return order(version, state, self._frame)
        return None

    def position(self) -> str:
        """The place in the log behind the command."""
        return self._frame.position(self.answer.position)

    def preview(self) -> Wire | None:
        """What the command would do, when that was asked."""
        if not self.call.validate_only:
            return None
        return preview(self.answer.events, told(self.call), self._frame)


def item_results(
    results: Iterable[Changed | DomainError], name: str, resource: Callable[[Changed], Wire | None]
) -> list[Wire]:
    """The results of a batch; ``name`` is the field of the resource."""
    return [
        {"error": item_error(result)}
        if isinstance(result, DomainError)
        else {name: resource(result), "preview": result.preview()}
        for result in results
    ]


def exception_uuid(exception_id: str) -> UUID:
    """The id of a case. Raises :class:`ExceptionNotFound` for what is none."""
    try:
        return UUID(exception_id)
    except ValueError:
        raise ExceptionNotFound(exception_id) from None


# --- pages ----------------------------------------------------------------------------------


class Page:
    """Which page of which query a list request asks for.

    Raises :class:`InvalidCommand` for a negative size and :class:`TokenRefused` for a token of
    another query. The size may change from page to page, nothing else.
    """

    def __init__(self, request: Any, caller: Caller, services: Services) -> None:
        if request.page_size < 0:
            raise InvalidCommand([Violation("page_size", "must not be negative")])
        self.size = min(request.page_size or PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        self._tokens = services.tokens
        self._query = _query(request, caller)
        self.key: PageKey = self._tokens.key(request.page_token, self._query)

    @property
    def limit(self) -> int:
        """How many items to read: one more than the page holds tells whether another comes."""
        return self.size + 1

    @property
    def after(self) -> int:
        """The page key of a query that goes by position or index."""
        return int(self.key[0]) if self.key else 0

    def cut(
        self,
        items: Sequence[T],
        write: Callable[[T], M],
        key: Callable[[T], PageKey],
    ) -> tuple[list[M], str]:
        """The messages of the page and the token of the next one, "" on the last."""
        messages: list[M] = []
        size = 0
        for item in items[: self.size]:
            message = write(item)
            size += message.ByteSize()
            if messages and size > PAGE_BYTES_MAX:
                break
            messages.append(message)
        if len(messages) == len(items):
            return messages, ""
        return messages, self._tokens.page(self._query, key(items[len(messages) - 1]))


def _query(request: Any, caller: Caller) -> bytes:
    """What must stay the same from page to page."""
    query = type(request)()
    query.CopyFrom(request)
    for name in {"page_size", "page_token", "min_position"} & set(query.DESCRIPTOR.fields_by_name):
        query.ClearField(name)
    name = request.DESCRIPTOR.full_name
    body: bytes = query.SerializeToString(deterministic=True)
    return f"{name}\0{caller.tenant}\0".encode() + body
