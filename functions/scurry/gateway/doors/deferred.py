"""Inference that is answered later, or once for a key.

A request of this kind takes a task and looks nothing up that was prepared: who waits for no answer waits for no
microseconds.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from scurry.client.answers import Answer
from scurry.gateway.ask import InferCall
from scurry.gateway.callbacks import Callbacks
from scurry.gateway.doors import repeatable
from scurry.gateway.doors.background import AT_ONCE, Background
from scurry.gateway.doors.callers import said_in
from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.paths import Operation
from scurry.gateway.doors.repeatable import Beside
from scurry.gateway.doors.replies import HttpReply, binary_reply, json_reply
from scurry.gateway.doors.uncommon_calls import UncommonCalls
from scurry.gateway.doors.wishes import Wishes, wishes_of
from scurry.gateway.limits import Room
from scurry.gateway.models import Models
from scurry.gateway.results import Form, Results
from scurry.gateway.shared_memory import SharedMemory
from scurry.protocols import oip_binary
from scurry.protocols.oip_binary import BinaryCall, BinaryOutputs
from scurry.wire.errors import InvalidRequest

PROTOCOL: Final = "oip"
TOLD_LATER: Final = (
    "Outputs as classes, or in shared memory, are for those who wait: leave Prefer and Idempotency-Key out for these."
)
RETRY_AFTER_S: Final = 1
"""When to look again, for those who do not wait with `?wait=`."""


class Deferred:
    """Answers the operation `infer` for those who have wishes."""

    def __init__(self, results: Results, callbacks: Callbacks, models: Models, memory: SharedMemory) -> None:
        self._results = results
        self._callbacks = callbacks
        self._background = Background()
        self._uncommon = UncommonCalls(models, memory, self._background)

    def begin(self, operation: Operation, head: Head, body: bytes, room: Room, done: Done) -> None:
        """Submit or ask, and call `done` once with the response. Raises `ScurryError` for what cannot be wished."""
        wishes = wishes_of(head.headers)
        self._callbacks.check(wishes.callback)
        self._background.answer(self._answer(operation, wishes, head, body, room), done, head.target)

    async def _answer(self, operation: Operation, wishes: Wishes, head: Head, body: bytes, room: Room) -> HttpReply:
        """Cases: 1. it waits for its answer, which a key makes the same each time; 2. it is for later."""
        asked = await self._uncommon.decode(operation, head.headers, body, room)
        if asked.binary.is_uncommon:
            raise InvalidRequest("not_offered", TOLD_LATER)
        form, call = _form(asked), await self._call(operation, wishes, head, asked)
        if not wishes.later:
            return await write(form, await self._results.ask(call, form, scope=head.caller.name), operation.model)
        answered = await self._results.submit(call, form, scope=head.caller.name, keyed=bool(wishes.key))
        if wishes.callback:
            self._callbacks.promise(call.id, head.caller.name, wishes.callback)
        if wishes.wait_s:
            found = await self._results.wait(call.id, head.caller.name, wishes.wait_s)
            if found.fields is not None:
                return await write(form, await self._results.read(found.fields), operation.model)
        return accepted(call.id, "done" if answered else "running")

    async def _call(self, operation: Operation, wishes: Wishes, head: Head, asked: BinaryCall) -> InferCall:
        """What is asked for it."""
        said, (timeout_us, priority) = said_in(head.headers), self._results.take(asked.request)
        return await repeatable.call_of(
            self._results, operation.model, operation.version, asked.request, Beside(*said, timeout_us, priority),
            key=wishes.key, scope=head.caller.name,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<Deferred {self._background!r}>"


def accepted(request_id: str, status: str = "running") -> HttpReply:
    """202: where the result will be."""
    where = f"/v2/results/{request_id}"
    headers = f"Location: {where}\r\nRetry-After: {RETRY_AFTER_S}\r\nPreference-Applied: respond-async\r\n"
    return json_reply({"id": request_id, "status": status, "location": where}, 202, headers.encode())


async def write(form: Form, answer: Answer, model: str) -> HttpReply:
    """The response that tells an answer in the form that was asked for; large JSON is written off the loop."""
    binary = BinaryOutputs(bool(form.get("every")), dict(form.get("named") or {}))
    much = binary.json_bytes(answer.reply) > AT_ONCE

    def response() -> HttpReply:
        told_of, version, echo = answer.model or model, answer.version, str(form.get("id") or "")
        return binary_reply(
            *oip_binary.encode_reply(answer.reply, model=told_of, version=version, id=echo, binary=binary)
        )

    return await asyncio.to_thread(response) if much else response()


def _form(call: BinaryCall) -> dict[str, Any]:
    named = {"named": call.binary.named} if call.binary.named else {}
    return {"protocol": PROTOCOL, "id": call.id, "every": call.binary.every, **named}
