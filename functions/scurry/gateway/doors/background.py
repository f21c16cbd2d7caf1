"""What a door cannot answer at once: work that is awaited, large JSON.

JSON up to `AT_ONCE` is read and written on the loop. More of it would make every other caller wait: a thread does it,
one body at a time, if there is memory for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.refusals import refused
from scurry.gateway.doors.replies import HttpReply
from scurry.gateway.limits import Room
from scurry.protocols import oip_json

T = TypeVar("T")

AT_ONCE: Final = 256 * 1024
"""JSON up to this size is read and written on the loop: a few milliseconds at most."""


class Background:
    """The tasks of one door, and its thread for large JSON."""

    def __init__(self) -> None:
        self._parsers = ThreadPoolExecutor(1, "parse")
        self._tasks: set[asyncio.Task[None]] = set()

    def answer(self, work: Coroutine[Any, Any, HttpReply | None], done: Done, asked: str = "") -> None:
        """Call `done` with what the work comes to, or why it failed; not at all for None. `asked` is for the log."""

        async def guarded() -> None:
            try:
                response = await work
            except Exception as cause:
                response = refused(cause, asked)
            if response is not None:
                done(response)

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def parse(self, body: bytes, end: int, room: Room, decode: Callable[[], T]) -> T:
        """What `decode` makes of a body whose first `end` bytes are JSON. Raises `too_large`, `overloaded`."""
        if end <= AT_ONCE:
            return decode()
        memory = oip_json.parsing_bytes(body, end)
        room.take(memory)
        try:
            return await self._off_the_loop(decode)
        finally:
            room.give_back(memory)

    async def write(self, size: int, encode: Callable[[], T]) -> T:
        """What `encode` makes of a reply of this size."""
        return await self._off_the_loop(encode) if size > AT_ONCE else encode()

    async def _off_the_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._parsers, work)

    def __repr__(self) -> str:
        return f"<Background {len(self._tasks)} tasks>"
