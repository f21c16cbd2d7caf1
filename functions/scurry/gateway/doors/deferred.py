"""Inference that is answered later, or once for a key.

Every HTTP door that can honours it by this one. A request of this kind takes a task and looks nothing up that was
prepared: who waits for no answer waits for no microseconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, Protocol

from scurry.gateway.ask import InferCall
from scurry.gateway.callbacks import Callbacks
from scurry.gateway.doors import forms, repeatable
from scurry.gateway.doors.background import Background
from scurry.gateway.doors.callers import said_in
from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.repeatable import Beside
from scurry.gateway.doors.replies import HttpReply, json_reply
from scurry.gateway.doors.wishes import Wishes, wishes_of
from scurry.gateway.results import Form, Results
from scurry.wire.infer_pb2 import InferRequest

RETRY_AFTER_S: Final = 1
"""When to look again, for those who do not wait with `?wait=`."""


class Asked(Protocol):
    """The operation of a door that infers."""

    @property
    def model(self) -> str:
        """Whom it asks."""
        ...

    @property
    def version(self) -> str:
        """Which of its versions, or an alias; empty for whichever answers."""
        ...


class Wanted(NamedTuple):
    """What a body asks for, and how its answer is to be written."""

    request: InferRequest
    form: Form


Read = Callable[[], Awaitable[Wanted]]
"""Reads a body in its door's words. Raises `ScurryError`, also for a form that is not for later."""


class Deferred:
    """Answers inference for those who have wishes; every door that infers hands it what it has read."""

    def __init__(self, results: Results, callbacks: Callbacks) -> None:
        self._results = results
        self._callbacks = callbacks
        self._background = Background()

    def begin(self, asked: Asked, head: Head, read: Read, done: Done) -> None:
        """Submit or ask, and call `done` once with the response. Raises `ScurryError` for what cannot be wished."""
        wishes = wishes_of(head.headers)
        self._callbacks.check(wishes.callback)
        self._background.answer(self._answer(asked, wishes, head, read), done, head.target)

    async def _answer(self, asked: Asked, wishes: Wishes, head: Head, read: Read) -> HttpReply:
        """Cases: 1. it waits for its answer, which a key makes the same each time; 2. it is for later."""
        request, form = await read()
        call, model, scope = await self._call(asked, wishes, head, request), asked.model, head.caller.name
        if not wishes.later:
            return await forms.write(form, await self._results.ask(call, form, scope=scope), model)
        answered = await self._results.submit(call, form, scope=scope, keyed=bool(wishes.key))
        if wishes.callback:
            self._callbacks.promise(call.id, scope, wishes.callback)
        if wishes.wait_s:
            found = await self._results.wait(call.id, scope, wishes.wait_s)
            if found.fields is not None:
                return await forms.write(form, await self._results.read(found.fields), model)
        return accepted(call.id, "done" if answered else "running")

    async def _call(self, asked: Asked, wishes: Wishes, head: Head, request: InferRequest) -> InferCall:
        """What is asked for it."""
        said, (timeout_us, priority) = said_in(head.headers), self._results.take(request)
        return await repeatable.call_of(
            self._results, asked.model, asked.version, request, Beside(*said, timeout_us, priority),
            key=wishes.key, scope=head.caller.name,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<Deferred {self._background!r}>"


def accepted(request_id: str, status: str = "running") -> HttpReply:
    """202: where the result will be."""
    where = f"/v2/results/{request_id}"
    headers = f"Location: {where}\r\nRetry-After: {RETRY_AFTER_S}\r\nPreference-Applied: respond-async\r\n"
    return json_reply({"id": request_id, "status": status, "location": where}, 202, headers.encode())
