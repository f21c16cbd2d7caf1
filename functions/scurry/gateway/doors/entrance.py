"""Where every HTTP request comes in, and which door it is shown to.

A door speaks one protocol: it translates, and nothing else. Each has its prefixes, without a slash at their end, and
what lies below them, the longest of which wins; one door has all the rest. What holds for every door is asked here: who
calls (`access.py`, `scopes.py`), which pages may (`cors.py`), and that nobody is shown a stack trace.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol

from multidict import CIMultiDict

from scurry.gateway.access import Access, Caller
from scurry.gateway.doors import scopes
from scurry.gateway.doors.callers import TENANT
from scurry.gateway.doors.cors import Cors, is_preflight
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.replies import HttpReply, refusal
from scurry.gateway.limits import Room
from scurry.wire.errors import Failed, ScurryError

log = logging.getLogger(__name__)

Done = Callable[[HttpReply], object]

MODELS: Final = "/v2/models/"
"""What nearly every request asks for: no prefix below it is another door's."""
REMEMBERED: Final = 1024
"""Heads whose caller is known: callers send the same head again and again."""
OTHERWISE: Final = "oip"
"""The door of the Open Inference Protocol, which has no prefix of its own."""


class HttpDoor(Protocol):
    """Answers the requests of one protocol."""

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:
        """Answer one request: `done` is called once, now or later. Never raises."""
        ...


class _Known(NamedTuple):
    """A head that was let in, and as what."""

    head: Head
    admitted: Head
    generation: int


class Entrance:
    """Shows each request to its door; itself a door, the only one that connections know."""

    def __init__(
        self,
        otherwise: HttpDoor,
        doors: Mapping[str, HttpDoor] | None = None,
        *,
        access: Access | None = None,
        cors: Cors | None = None,
    ) -> None:
        self._otherwise = otherwise
        self._doors = sorted((doors or {}).items(), key=lambda each: -len(each[0]))
        self._access = access if access is not None and access.is_asked else None
        self._cors = cors
        self._known: dict[int, _Known] = {}

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:
        """Answer one request: `done` is called once, now or later. Never raises."""
        try:
            if self._cors is not None and (origin := self._cors.origin_of(head)):
                if is_preflight(head):
                    done(self._cors.preflight(origin))
                    return
                done = _shown(self._cors, origin, done)
            if self._access is not None:
                head = self._admitted(self._access, head)
                if head.caller.max_in_flight:
                    done = _counted(self._access, head.caller, done)
            self._found(head.target)[1].begin(head, body, room, done)
        except ScurryError as cause:
            done(refusal(cause))
        except Exception:
            log.exception("request failed", extra={"target": head.target[:200], "caller": head.caller.name})
            done(refusal(Failed("internal", "The gateway failed to answer; its log tells why.")))

    def _admitted(self, access: Access, head: Head) -> Head:
        """The same head with its caller. Raises `not_authenticated` or `not_allowed`.

        A head that is kept (`heads.py`) is the very same object each time: what it came to holds until keys change.
        """
        known = self._known.get(id(head))
        holds = known is not None and known.head is head and known.generation == access.generation
        if known is not None and holds and known.admitted.caller.expires > time.time():
            return known.admitted
        generation = access.generation  # keys may be read again, by a thread, while they are looked at
        scope, model = scopes.scope_of(head.method, head.target)
        if scope == scopes.NOBODYS:
            return head
        caller = access.check(head.headers, scope, model)
        admitted = head._replace(caller=caller, headers=_of_tenant(head.headers, caller.tenant))
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[id(head)] = _Known(head, admitted, generation)
        return admitted

    def name_of(self, target: str) -> str:
        """The name of the door that a request is shown to: its prefix, or `oip` for the one that has all the rest."""
        return self._found(target)[0]

    def _found(self, target: str) -> tuple[str, HttpDoor]:
        if not target.startswith(MODELS):
            path = target.partition("?")[0]
            for prefix, door in self._doors:
                if path == prefix or path.startswith(f"{prefix}/"):
                    return prefix, door
        return OTHERWISE, self._otherwise

    def __repr__(self) -> str:
        return f"<Entrance to {self._otherwise!r} and {', '.join(prefix for prefix, _ in self._doors) or 'no other'}>"


def _of_tenant(headers: Mapping[str, str], tenant: str) -> Mapping[str, str]:
    """The headers as every door reads them: a key's tenant is nobody's to choose."""
    if not tenant:
        return headers
    changed = CIMultiDict(headers)
    changed[TENANT] = tenant
    return changed


def _shown(cors: Cors, origin: str, done: Done) -> Done:
    return lambda reply: done(cors.shown(reply, origin))


def _counted(access: Access, caller: Caller, done: Done) -> Done:
    access.enter(caller)

    def answered_one(reply: HttpReply) -> None:
        access.leave(caller)
        done(reply)

    return answered_one


async def answered(door: HttpDoor, head: Head, body: bytes, room: Room) -> HttpReply:
    """The response of a door to one request, for those who wait for it."""
    future: asyncio.Future[HttpReply] = asyncio.get_running_loop().create_future()

    def done(reply: HttpReply) -> None:
        if not future.done():
            future.set_result(reply)

    door.begin(head, body, room, done)
    return await future
