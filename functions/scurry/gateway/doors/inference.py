"""Inference through the HTTP door: decoded, asked and encoded.

In callbacks: a task for each request would cost more than the rest of it. Only what has to be awaited gets one: large
JSON, and outputs that are parked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar

from scurry.client.answers import Answer, at_hand
from scurry.client.bodies import Parked, park
from scurry.client.waiting import Fields
from scurry.gateway.ask import Ask, InferCall, take_priority, take_timeout, told
from scurry.gateway.doors.entrance import TENANT, Done
from scurry.gateway.doors.paths import Operation
from scurry.gateway.doors.replies import HttpReply, binary_reply, refusal
from scurry.gateway.limits import Room
from scurry.protocols import oip_binary, oip_json
from scurry.protocols.oip_prepared import PreparedCalls, PreparedJson, PreparedReplies
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferRequest

Headers = Mapping[str, str]
T = TypeVar("T")

AT_ONCE: Final = 256 * 1024
"""JSON up to this size is read and written on the loop: a few milliseconds at most."""
STICKY: Final = "Scurry-Key"
"""Request header with the sticky key for weighted splits."""


class Inference:
    """Answers the operation `infer`."""

    def __init__(self, ask: Ask) -> None:
        self._ask, self.most = ask, ask.most
        self._prepared, self._json, self._replies = PreparedCalls(), PreparedJson(), PreparedReplies()
        self._parsers = ThreadPoolExecutor(1, "parse")
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, operation: Operation, headers: Headers, body: bytes, room: Room, done: Done) -> None:
        """Ask, and call `done` once with the response. Raises `ScurryError` for what cannot be asked."""
        header = headers.get(oip_binary.HEADER)
        length = oip_binary.json_length(body, header)
        asked = _Asked(self, operation, headers, done)
        if length > AT_ONCE:
            self._aside(asked, self._decode_aside(asked, body, header, room))
            return
        tail = memoryview(body)[length:]
        found = self._json.find(body) if header is None else self._prepared.find(body[:length], tail)
        if found is None:
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

    def finish(self, asked: _Asked, replied: asyncio.Future[Fields]) -> None:
        """A reply has come, or there is none."""
        try:
            fields = replied.result()
            response = self._like_another(asked, fields) or self._response(asked, fields)
        except Exception as cause:
            response = refusal(told(cause))
        if response is not None:
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
        if answer is None or asked.is_much(answer):
            self._aside(asked, self._finish_aside(asked, fields))
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

    async def _decode_aside(self, asked: _Asked, body: bytes, header: str | None, room: Room) -> HttpReply | None:
        """Large JSON is parsed off the loop, one at a time, if there is memory for it."""
        memory = oip_json.parsing_bytes(body, oip_binary.json_length(body, header))
        room.take(memory)
        call = await self._off_the_loop(partial(oip_binary.decode_call, body, header))
        room.give_back(memory)
        asked.hear(call.request)
        self._send(asked, call)
        return None

    async def _finish_aside(self, asked: _Asked, fields: Fields) -> HttpReply:
        """What is parked is fetched. Large JSON is written off the loop."""
        answer = await self._ask.read(fields)
        if asked.is_much(answer):
            return await self._off_the_loop(partial(asked.response, answer))
        return asked.response(answer)

    def _aside(self, asked: _Asked, work: Coroutine[Any, Any, HttpReply | None]) -> None:
        async def guarded() -> None:
            try:
                response = await work
            except Exception as cause:
                response = refusal(told(cause))
            if response is not None:
                asked.done(response)

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _off_the_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._parsers, work)

    def __repr__(self) -> str:
        return f"<Inference {self._ask!r}, {self._prepared!r}, {self._json!r}>"


class _Asked:
    """One request on its way: for whom, and how to write its answer. Called when its reply has come."""

    __slots__ = (
        "_inference", "binary", "done", "echo", "key", "model", "priority", "tenant", "timeout_us", "traceparent",
        "version",
    )  # fmt: skip

    def __init__(self, inference: Inference, operation: Operation, headers: Headers, done: Done) -> None:
        self._inference = inference
        self.model, self.version = operation.model, operation.version
        self.key, self.traceparent = _ascii(headers, STICKY), _ascii(headers, "traceparent")
        self.tenant, self.timeout_us, self.priority = _ascii(headers, TENANT), 0, 0
        self.done = done
        self.binary = oip_binary.BinaryOutputs()
        self.echo = ""

    def __call__(self, fields: asyncio.Future[Fields]) -> None:
        self._inference.finish(self, fields)

    @property
    def is_plain(self) -> bool:
        """Whether all outputs are wanted in one form, and nothing of the request stands in the response."""
        return not self.binary.named and not self.echo

    def hear(self, request: InferRequest) -> None:
        """Take from a request what travels beside it, and hold it against the limits. Raises `InvalidRequest`."""
        self._inference.most.check(request)
        self.timeout_us, self.priority = take_timeout(request), take_priority(request)

    def call(self, request_id: str, message: bytes, parked: Parked) -> InferCall:
        """What is asked for it."""
        return InferCall(
            self.model, request_id, message, parked, self.version, self.key, self.traceparent, self.timeout_us,
            self.priority, self.tenant,
        )  # fmt: skip

    def is_much(self, answer: Answer) -> bool:
        """Whether the loop would stand still for its JSON."""
        reply = answer.reply
        return reply.ByteSize() > AT_ONCE and any(tensor.name not in self.binary for tensor in reply.outputs)

    def response(self, answer: Answer) -> HttpReply:
        """The response that tells an answer. Raises `InvalidRequest` for what JSON cannot hold."""
        model = answer.model or self.model
        json, tensors = oip_binary.encode_reply(
            answer.reply, model=model, version=answer.version, id=self.echo, binary=self.binary
        )
        return binary_reply(json, tensors)


def _told_of(fields: Fields) -> tuple[bytes, bytes, bytes]:
    return fields.get(b"model", b""), fields.get(b"version", b""), fields.get(b"reply", b"")


def _ascii(headers: Headers, name: str) -> str:
    value = headers.get(name, "")
    if value.isascii():
        return value
    raise InvalidRequest("bad_request", f"Header {name} must be ASCII.")
