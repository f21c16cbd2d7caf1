"""Many requests one after another, so many of them in flight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from scurry.wire.errors import InvalidRequest, ScurryError

if TYPE_CHECKING:
    from scurry.client.options import Outputs

In = TypeVar("In")
_Next = asyncio.Future["StreamReply"] | BaseException | None
"""An answer that is awaited, what the source failed with, or its end."""


@dataclass(frozen=True, slots=True)
class StreamReply:
    """The answer to one request of a stream: `index` is its place among the inputs, from 0."""

    index: int
    answer: Outputs | ScurryError

    @property
    def error(self) -> ScurryError | None:
        """What went wrong, if something did."""
        return self.answer if isinstance(self.answer, ScurryError) else None

    @property
    def outputs(self) -> Outputs:
        """The outputs. Raises the error there is in their place."""
        if isinstance(self.answer, ScurryError):
            raise self.answer
        return self.answer


class Flight(Generic[In]):
    """Asks for each input, no more than `in_flight` at a time that were not taken from it."""

    def __init__(self, ask: Callable[[In], Awaitable[Outputs]], *, in_flight: int, ordered: bool) -> None:
        self._ask = ask
        self._ordered = ordered
        self._room = asyncio.Semaphore(in_flight)
        self._next: asyncio.Queue[_Next] = asyncio.Queue()
        self._under_way: set[asyncio.Task[StreamReply]] = set()
        self._ended = False

    async def replies(self, source: Iterable[In] | AsyncIterable[In]) -> AsyncGenerator[StreamReply, None]:
        """An answer for each input. Whoever stops early cancels what is in flight."""
        feeding = asyncio.ensure_future(self._feed(source))
        try:
            while True:
                found = await self._next.get()
                if isinstance(found, BaseException):
                    raise found
                if found is None:
                    return
                reply = await found
                yield reply
                self._room.release()
        finally:
            for task in (feeding, *self._under_way):
                task.cancel()
            await asyncio.gather(feeding, *self._under_way, return_exceptions=True)

    async def _feed(self, source: Iterable[In] | AsyncIterable[In]) -> None:
        end: BaseException | None = None
        try:
            index = 0
            async for inputs in _each(source, self._room):
                self._begin(index, inputs)
                index += 1
        except Exception as failure:  # whatever the caller's own iterable raises is his to see
            end = failure
        if not self._ordered and self._under_way:
            await asyncio.wait(self._under_way)
        self._next.put_nowait(end)

    def _begin(self, index: int, inputs: In) -> None:
        task = asyncio.ensure_future(self._one(index, inputs))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        if self._ordered:
            self._next.put_nowait(task)
        else:
            task.add_done_callback(self._next.put_nowait)

    async def _one(self, index: int, inputs: In) -> StreamReply:
        try:
            return StreamReply(index, await self._ask(inputs))
        except ScurryError as failure:
            return StreamReply(index, failure)

    def __repr__(self) -> str:
        return f"<Flight of {len(self._under_way)} requests>"


def check_in_flight(in_flight: int) -> None:
    """Raise `bad_request` for a number that would let nothing be asked."""
    if in_flight < 1:
        raise InvalidRequest("bad_request", f"in_flight must be a whole number from 1, not {in_flight}.")


async def _each(source: Iterable[In] | AsyncIterable[In], room: asyncio.Semaphore) -> AsyncGenerator[In, None]:
    """The inputs, each taken from the source once there is room for it."""
    following = aiter(source if isinstance(source, AsyncIterable) else _lifted(source))
    while True:
        await room.acquire()
        try:
            inputs = await anext(following)
        except StopAsyncIteration:
            return
        yield inputs


async def _lifted(source: Iterable[In]) -> AsyncGenerator[In, None]:
    for inputs in source:
        yield inputs
