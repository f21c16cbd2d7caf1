"""Inference through the gRPC door: decoded, asked and encoded.

In callbacks, as through the HTTP door. A call with one message and a stream of many differ in how an answer is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Final

from scurry.client.answers import Answer, at_hand
from scurry.client.bodies import Parked
from scurry.client.waiting import Fields
from scurry.gateway.ask import Ask, InferCall, check_names, take_priority, take_timeout, told
from scurry.gateway.doors.grpc_tensors import Placing
from scurry.protocols import oip_grpc
from scurry.protocols.grpc_words import GrpcHead
from scurry.protocols.oip_grpc import Value
from scurry.protocols.oip_grpc_prepared import PreparedInfers
from scurry.protocols.oip_prepared import PreparedReplies
from scurry.wire.errors import InvalidRequest, ScurryError

STICKY: Final = "scurry-key"
"""Metadata with the sticky key for weighted splits."""
TENANT: Final = "x-scurry-tenant"
"""Metadata with the tenant whose rate a request counts against."""
TRACE: Final = "traceparent"

Done = Callable[[Sequence[bytes]], object]
Failed = Callable[[ScurryError, str], object]


class GrpcInference:
    """Answers ModelInferRequests."""

    def __init__(self, ask: Ask, placing: Placing) -> None:
        self._ask, self._placing = ask, placing
        self._prepared = PreparedInfers()
        self._replies = {final: PreparedReplies() for final in (False, True)}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, head: GrpcHead, message: bytes, done: Done, failed: Failed, *, final: bool = False) -> None:
        """Ask; `done` is called once with the response, or `failed` with the cause and the request's id. Never raises.

        With `final` the response says that it is the last to its request.
        """
        asked = _Asked(self, done, failed, final)
        try:
            self._send(asked, head, message)
        except Exception as cause:
            failed(told(cause), asked.echo)

    def _send(self, asked: _Asked, head: GrpcHead, message: bytes) -> None:
        request_id = self._ask.new_id()
        key_of = partial(self._ask.payload_key, request_id)
        found = self._prepared.find(message)
        parked: Parked
        if found is not None:
            (asked.model, version, prepared), data = found
            timeout_us, priority = prepared.timeout_us, prepared.priority
            body, parked = prepared.request(data, key_of)
        else:
            infer = oip_grpc.decode(message)
            asked.model, asked.echo, version = infer.model, infer.id, infer.version
            check_names(infer.model, version)
            timeout_us, priority = take_timeout(infer.request), take_priority(infer.request)
            infer.request.parameters.pop(oip_grpc.WANTS_FINAL, None)
            self._prepared.keep(message, infer, timeout_us, priority)
            if infer.of_inputs or infer.of_outputs:
                self._placing.take_in(infer)
                asked.of_outputs = infer.of_outputs
            body, parked = infer.written(key_of)
        metadata = head.metadata
        self._ask.submit(InferCall(
            asked.model, request_id, body, parked, version, _ascii(metadata, STICKY), _ascii(metadata, TRACE),
            _shorter(head.timeout_us, timeout_us), priority, _ascii(metadata, TENANT),
        )).add_done_callback(asked)  # fmt: skip

    def finish(self, asked: _Asked, replied: asyncio.Future[Fields]) -> None:
        """A reply has come, or there is none."""
        try:
            fields = replied.result()
            response = self._like_another(asked, fields) or self._response(asked, fields)
        except Exception as cause:
            asked.failed(told(cause), asked.echo)
            return
        if response is not None:
            asked.done(response)

    def _like_another(self, asked: _Asked, fields: Fields) -> Sequence[bytes] | None:
        """The response to a reply that differs from one before in its output's bytes only."""
        if not asked.is_plain or fields.get(b"status") != b"ok" or fields.get(b"payload"):
            return None
        found = self._replies[asked.final].find(*_told_of(fields))
        return None if found is None else (found[0], *found[1])

    def _response(self, asked: _Asked, fields: Fields) -> Sequence[bytes] | None:
        """The response to any reply; None if it has to be waited for. Raises `ScurryError`."""
        answer = at_hand(fields)
        if answer is None or asked.of_outputs:
            self._aside(asked, self._finish_aside(asked, fields))
            return None
        parts = asked.response(answer, {})
        if asked.is_plain and answer.model and len(answer.reply.outputs) == 1:
            before = b"".join(parts[:-1])
            self._replies[asked.final].keep(*_told_of(fields), answer.reply, before)
        return parts

    async def _finish_aside(self, asked: _Asked, fields: Fields) -> Sequence[bytes]:
        """What is parked is fetched, what is wanted elsewhere or as classes is made so."""
        answer = await self._ask.read(fields)
        placed = await self._placing.give_out(answer, asked.of_outputs) if asked.of_outputs else {}
        return asked.response(answer, placed)

    def _aside(self, asked: _Asked, work: Coroutine[Any, Any, Sequence[bytes]]) -> None:
        async def guarded() -> None:
            try:
                response = await work
            except Exception as cause:
                asked.failed(told(cause), asked.echo)
            else:
                asked.done(response)

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def __repr__(self) -> str:
        return f"<GrpcInference {self._ask!r}, {self._prepared!r}>"


class _Asked:
    """One request on its way: for whom, and how to write its answer. Called when its reply has come."""

    __slots__ = ("_inference", "done", "echo", "failed", "final", "model", "of_outputs")

    def __init__(self, inference: GrpcInference, done: Done, failed: Failed, final: bool) -> None:
        self._inference = inference
        self.done, self.failed, self.final = done, failed, final
        self.model = self.echo = ""
        self.of_outputs: Mapping[str, Mapping[str, Value]] = {}

    def __call__(self, replied: asyncio.Future[Fields]) -> None:
        self._inference.finish(self, replied)

    @property
    def is_plain(self) -> bool:
        """Whether nothing of the request stands in the response."""
        return not self.echo and not self.of_outputs

    def response(self, answer: Answer, placed: Mapping[str, Mapping[str, Value]]) -> list[bytes]:
        """The response that tells an answer."""
        return oip_grpc.encode_reply(
            answer.reply, model=answer.model or self.model, version=answer.version, id=self.echo, placed=placed,
            final=self.final,
        )  # fmt: skip


def _told_of(fields: Fields) -> tuple[bytes, bytes, bytes]:
    return fields.get(b"model", b""), fields.get(b"version", b""), fields.get(b"reply", b"")


def _shorter(one: int, other: int) -> int:
    """The shorter of two times, of which 0 is none."""
    return min(one, other) if one and other else one or other


def _ascii(metadata: Mapping[str, str], name: str) -> str:
    value = metadata.get(name, "")
    if value.isascii():
        return value
    raise InvalidRequest("bad_request", f"Metadata {name} must be ASCII.")
