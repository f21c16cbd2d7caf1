"""Where every HTTP request comes in, and which door it is shown to.

A door speaks one protocol: it translates, and nothing else. Each has its prefixes, without a slash at their end, and
what lies below them, the longest of which wins; one door has all the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.replies import HttpReply
from scurry.gateway.limits import Room

Done = Callable[[HttpReply], object]

MODELS: Final = "/v2/models/"
"""What nearly every request asks for: no prefix below it is another door's."""


OTHERWISE: Final = "oip"
"""The door of the Open Inference Protocol, which has no prefix of its own."""


class HttpDoor(Protocol):
    """Answers the requests of one protocol."""

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:
        """Answer one request: `done` is called once, now or later. Never raises."""
        ...


class Entrance:
    """Shows each request to its door; itself a door, the only one that connections know."""

    def __init__(self, otherwise: HttpDoor, doors: Mapping[str, HttpDoor] | None = None) -> None:
        self._otherwise = otherwise
        self._doors = sorted((doors or {}).items(), key=lambda each: -len(each[0]))

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:
        """Answer one request: `done` is called once, now or later. Never raises."""
        door = self._otherwise if head.target.startswith(MODELS) else self._door_of(head.target)
        door.begin(head, body, room, done)

    def _door_of(self, target: str) -> HttpDoor:
        path = target.partition("?")[0]
        for prefix, door in self._doors:
            if path == prefix or path.startswith(f"{prefix}/"):
                return door
        return self._otherwise

    def name_of(self, target: str) -> str:
        """The name of the door that a request is shown to: its prefix, or `oip` for the one that has all the rest."""
        if target.startswith(MODELS):
            return OTHERWISE
        path = target.partition("?")[0]
        found = (prefix for prefix, _ in self._doors if path == prefix or path.startswith(f"{prefix}/"))
        return next(found, OTHERWISE)

    def __repr__(self) -> str:
        return f"<Entrance to {self._otherwise!r} and {', '.join(prefix for prefix, _ in self._doors) or 'no other'}>"


async def answered(door: HttpDoor, head: Head, body: bytes, room: Room) -> HttpReply:
    """The response of a door to one request, for those who wait for it."""
    future: asyncio.Future[HttpReply] = asyncio.get_running_loop().create_future()

    def done(reply: HttpReply) -> None:
        if not future.done():
            future.set_result(reply)

    door.begin(head, body, room, done)
    return await future
