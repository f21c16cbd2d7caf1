"""Inference through the HTTP door: decoded, asked and encoded.

In callbacks: a task for each request would cost more than the rest of it. Only what has to be awaited gets one: large
JSON, outputs that are parked, and what `uncommon_calls.py` has.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from scurry.client.answers import Answer, at_hand
from scurry.client.bodies import Parked, park
from scurry.client.waiting import Fields
from scurry.gateway.ask import Ask, InferCall, told
from scurry.gateway.doors import forms
from scurry.gateway.doors.background import AT_ONCE, Background
from scurry.gateway.doors.callers import Headers, said_in
from scurry.gateway.doors.compression import coding_wanted, compressing
from scurry.gateway.doors.deferred import Wanted
from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.paths import Operation
from scurry.gateway.doors.replies import HttpReply, binary_reply, refusal
from scurry.gateway.doors.uncommon_calls import UncommonCalls, is_uncommon
from scurry.gateway.limits import Room
from scurry.gateway.models import Models
from scurry.gateway.shared_memory import SharedMemory
from scurry.protocols import oip_binary
from scurry.protocols.oip_prepared import PreparedCalls, PreparedJson, PreparedReplies
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferRequest

TOLD_LATER: Final = (
    "Outputs as classes, or in shared memory, are for those who wait: leave Prefer and Idempotency-Key out for these."
)


class Inference:
    """Answers the operation `infer`."""

    def __init__(self, ask: Ask, models: Models, memory: SharedMemory) -> None:
        self._ask, self.take = ask, ask.take
        self._prepared, self._json, self._replies = PreparedCalls(), PreparedJson(), PreparedReplies()
        self.background = Background()
        self._uncommon = UncommonCalls(models, memory, self.background)

    def begin(self, operation: Operation, headers: Headers, body: bytes, room: Room, done: Done) -> None:
        """Ask, and call `done` once with the response. Raises `ScurryError` for what cannot be asked."""
        header = headers.get(oip_binary.HEADER)
        length = oip_binary.json_length(body, header)
        asked = _Asked(self, operation, headers, done)
        if length > AT_ONCE:
            self.background.answer(self._decode_aside(asked, operation, headers, body, room), asked.done)
            return
        tail = memoryview(body)[length:]
        found = self._json.find(body) if header is None else self._prepared.find(body[:length], tail)
        if found is None:
            if is_uncommon(body, header, length):
                self.background.answer(self._decode_aside(asked, operation, headers, body, room), asked.done)
                return
            call = oip_binary.decode_call(body, header)
            asked.hear(call.request)
            if header is None:
                self._json.keep(body, call, asked.timeout_us, asked.priority)
            else:
                self._prepared.keep(body[:length], call, asked.timeout_us, asked.priority)
            self._send(asked, call)
            return
        prepared, data = found
        asked.binary, request_id = prepared.binary, self._ask.new_id()
        asked.timeout_us, asked.priority = prepared.timeout_us, prepared.priority
        message, parked = prepared.request(data, partial(self._ask.payload_key, request_id))
        self._ask.submit(asked.call(request_id, message, parked)).add_done_callback(asked)

    async def read(self, operation: Operation, headers: Headers, body: bytes, room: Room) -> Wanted:
        """What a body asks for, and how, for those who have wishes. Raises `ScurryError`."""
        call = await self._uncommon.decode(operation, headers, body, room)
        if call.binary.is_uncommon:
            raise InvalidRequest("not_offered", TOLD_LATER)
        return Wanted(call.request, forms.open_inference(call))

    def finish(self, asked: _Asked, replied: asyncio.Future[Fields]) -> None:
        """A reply has come, or there is none."""
        try:
            fields = replied.result()
            response = self._like_another(asked, fields) or self._response(asked, fields)
        except Exception as cause:
            response = refusal(told(cause, asked.model, asked.version))
        if response is not None:
            response.request = asked.id
            asked.done(response)

    def _like_another(self, asked: _Asked, fields: Fields) -> HttpReply | None:
        """The response to a reply that differs from one before in its output's bytes only."""
        if not asked.is_plain or fields.get(b"status") != b"ok" or fields.get(b"payload"):
            return None
        told_of, binary = _told_of(fields), asked.binary.every
        if not binary and len(told_of[2]) > AT_ONCE:
            return None
        found = self._replies.find(*told_of, binary=binary)
        return None if found is None else binary_reply(*found)

    def _response(self, asked: _Asked, fields: Fields) -> HttpReply | None:
        """The response to any reply; None if it has to be waited for. Raises `ScurryError`."""
        answer = at_hand(fields)
        if answer is None or asked.binary.json_bytes(answer.reply) > AT_ONCE or asked.binary.is_uncommon:
            self.background.answer(self._finish_aside(asked, fields), asked.done)
            return None
        response = asked.response(answer)
        if asked.is_plain and answer.model:
            self._replies.keep(*_told_of(fields), answer.reply, response.parts[0], binary=asked.binary.every)
        return response

    def _send(self, asked: _Asked, call: oip_binary.BinaryCall) -> None:
        asked.binary, asked.echo, request_id = call.binary, call.id, self._ask.new_id()
        light, parked = park(call.request, lambda name, _: self._ask.payload_key(request_id, name))
        message = light.SerializeToString()
        self._ask.submit(asked.call(request_id, message, parked)).add_done_callback(asked)

    async def _decode_aside(
        self, asked: _Asked, operation: Operation, headers: Headers, body: bytes, room: Room
    ) -> HttpReply | None:
        """What has to be waited for."""
        call = await self._uncommon.decode(operation, headers, body, room)
        asked.hear(call.request)
        self._send(asked, call)
        return None

    async def _finish_aside(self, asked: _Asked, fields: Fields) -> HttpReply:
        """What is parked is fetched. Large JSON is written off the loop."""
        answer = await self._ask.read(fields)
        await self._uncommon.finish(answer, asked.binary)
        return await self.background.write(asked.binary.json_bytes(answer.reply), partial(asked.response, answer))

    def __repr__(self) -> str:
        return f"<Inference {self._ask!r}, {self._prepared!r}, {self._json!r}>"


class _Asked:
    """One request on its way: for whom, and how to write its answer. Called when its reply has come."""

    __slots__ = (
        "_inference", "binary", "done", "echo", "id", "key", "model", "priority", "tenant", "timeout_us", "traceparent",
        "version",
    )  # fmt: skip

    def __init__(self, inference: Inference, operation: Operation, headers: Headers, done: Done) -> None:
        self._inference = inference
        self.model, self.version = operation.model, operation.version
        self.key, self.traceparent, self.tenant = said_in(headers)
        self.timeout_us = self.priority = 0
        coding = coding_wanted(headers.get("Accept-Encoding", ""))
        self.done = compressing(done, coding, inference.background) if coding else done
        self.binary = oip_binary.BinaryOutputs()
        self.echo = self.id = ""  # the caller's word, and our own

    def __call__(self, fields: asyncio.Future[Fields]) -> None:
        self._inference.finish(self, fields)

    @property
    def is_plain(self) -> bool:
        """Whether all outputs are wanted in one form, and nothing of the request stands in the response."""
        return not self.binary.named and not self.echo and not self.binary.is_uncommon

    def hear(self, request: InferRequest) -> None:
        """Take from a request what travels beside it, and hold it against the limits. Raises `InvalidRequest`."""
        self.timeout_us, self.priority = self._inference.take(request)

    def call(self, request_id: str, message: bytes, parked: Parked) -> InferCall:
        """What is asked for it."""
        self.id = request_id
        return InferCall(
            self.model, request_id, message, parked, self.version, self.key, self.traceparent, self.timeout_us,
            self.priority, self.tenant,
        )  # fmt: skip

    def response(self, answer: Answer) -> HttpReply:
        """The response that tells an answer. Raises `InvalidRequest` for what JSON cannot hold."""
        model = answer.model or self.model
        json, tensors = oip_binary.encode_reply(
            answer.reply, model=model, version=answer.version, id=self.echo, binary=self.binary
        )
        return binary_reply(json, tensors)


def _told_of(fields: Fields) -> tuple[bytes, bytes, bytes]:
    return fields.get(b"model", b""), fields.get(b"version", b""), fields.get(b"reply", b"")
