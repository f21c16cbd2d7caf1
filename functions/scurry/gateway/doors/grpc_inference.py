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
from scurry.gateway.access import Access
from scurry.gateway.ask import Ask, InferCall, check_names, told
from scurry.gateway.doors.background import AT_ONCE
from scurry.gateway.doors.callers import said_in_metadata
from scurry.gateway.doors.grpc_tensors import Placing, Wanted
from scurry.gateway.limits import Room
from scurry.protocols import oip_grpc
from scurry.protocols.grpc_words import GrpcHead
from scurry.protocols.oip_grpc import InferMessage, Value
from scurry.protocols.oip_grpc_prepared import PreparedInfers
from scurry.protocols.oip_prepared import PreparedReplies
from scurry.wire.errors import ScurryError

PARSED: Final = 24
"""Memory that typed contents take at most while they are read, in their own sizes."""

Done = Callable[[Sequence[bytes]], object]
Failed = Callable[[ScurryError, str], object]


class Admitted:
    """Asks for those who may."""

    def __init__(self, ask: Ask, access: Access) -> None:
        self._ask, self._access = ask, access

    def submit(self, asked: _Asked, call: InferCall) -> None:
        """Send a call; `asked` is called once its reply has come. Raises `ScurryError`."""
        if not self._access.is_asked:
            self._ask.submit(call).add_done_callback(asked)
            return
        caller = self._access.check(asked.head.metadata, "infer", call.model)
        call = call._replace(tenant=caller.tenant or call.tenant)
        if not caller.max_in_flight:
            self._ask.submit(call).add_done_callback(asked)
            return
        self._access.enter(caller)
        try:
            future = self._ask.submit(call)
        except Exception:
            self._access.leave(caller)
            raise
        future.add_done_callback(lambda _: self._access.leave(caller))
        future.add_done_callback(asked)

    def __repr__(self) -> str:
        return f"<Admitted {self._access!r}>"


class GrpcInference:
    """Answers ModelInferRequests."""

    def __init__(self, ask: Ask, placing: Placing, access: Access | None = None) -> None:
        self._ask, self._placing = ask, placing
        self._admitted, self.take = Admitted(ask, access or Access()), ask.take
        self._prepared = PreparedInfers()
        self._replies = {final: PreparedReplies() for final in (False, True)}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(
        self, head: GrpcHead, message: bytes, room: Room, done: Done, failed: Failed, *, final: bool = False
    ) -> None:
        """Ask; `done` is called once with the response, or `failed` with the cause and the request's id. Never raises.

        With `final` the response says that it is the last to its request.
        """
        asked = _Asked(self, head, done, failed, final)
        try:
            found = self._prepared.find(message)
            if found is None:
                self._begin_anew(asked, message, room)
                return
            (asked.model, asked.version, prepared), data = found
            request_id = self._ask.new_id()
            body, parked = prepared.request(data, partial(self._ask.payload_key, request_id))
            self._admitted.submit(asked, asked.call(request_id, body, parked, prepared.timeout_us, prepared.priority))
        except Exception as cause:
            asked.fail(cause)

    def _begin_anew(self, asked: _Asked, message: bytes, room: Room) -> None:
        """Cases: 1. what can be read at once; 2. large typed contents, or tensors that lie elsewhere."""
        rest, raw = oip_grpc.split(message)
        infer = oip_grpc.decoded(rest, raw) if len(rest) <= AT_ONCE else None
        if infer is None or infer.of_inputs or infer.of_outputs:
            self._aside(asked, self._send_aside(asked, infer, rest, raw, room))
        else:
            asked.name(infer)
            timeout_us, priority = asked.hear(infer)
            self._prepared.keep(message, infer, timeout_us, priority)
            self._send(asked, infer, timeout_us, priority)

    def _send(self, asked: _Asked, infer: InferMessage, timeout_us: int, priority: int) -> None:
        request_id = self._ask.new_id()
        body, parked = infer.written(partial(self._ask.payload_key, request_id))
        self._admitted.submit(asked, asked.call(request_id, body, parked, timeout_us, priority))

    async def _send_aside(
        self, asked: _Asked, infer: InferMessage | None, rest: bytes, raw: Sequence[memoryview], room: Room
    ) -> None:
        if infer is None:
            memory = PARSED * len(rest)
            room.take(memory)
            infer = await asyncio.to_thread(oip_grpc.decoded, rest, raw)
            room.give_back(memory)
        asked.name(infer)
        asked.wanted = await self._placing.take_in(infer, room)
        self._send(asked, infer, *asked.hear(infer))

    def finish(self, asked: _Asked, replied: asyncio.Future[Fields]) -> None:
        """A reply has come, or there is none."""
        try:
            fields = replied.result()
            response = self._like_another(asked, fields) or self._response(asked, fields)
        except Exception as cause:
            asked.fail(cause)
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
        if answer is None or asked.wanted:
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
        placed = await self._placing.give_out(answer, asked.wanted) if asked.wanted else {}
        return asked.response(answer, placed)

    def _aside(self, asked: _Asked, work: Coroutine[Any, Any, Sequence[bytes] | None]) -> None:
        async def guarded() -> None:
            try:
                response = await work
            except Exception as cause:
                asked.fail(cause)
            else:
                if response is not None:
                    asked.done(response)

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def __repr__(self) -> str:
        return f"<GrpcInference {self._ask!r}, {self._prepared!r}>"


class _Asked:
    """One request on its way: for whom, and how to write its answer. Called when its reply has come."""

    __slots__ = ("_inference", "done", "echo", "failed", "final", "head", "model", "version", "wanted")

    def __init__(self, inference: GrpcInference, head: GrpcHead, done: Done, failed: Failed, final: bool) -> None:
        self._inference, self.head = inference, head
        self.done, self.failed, self.final = done, failed, final
        self.model = self.version = self.echo = ""
        self.wanted: Wanted | None = None

    def __call__(self, replied: asyncio.Future[Fields]) -> None:
        self._inference.finish(self, replied)

    @property
    def is_plain(self) -> bool:
        """Whether nothing of the request stands in the response."""
        return not self.echo and not self.wanted

    def name(self, infer: InferMessage) -> None:
        """Know whom a message is for, and how its caller calls it. Raises `NotFound` for what is no name."""
        self.model, self.version, self.echo = infer.model, infer.version, infer.id
        check_names(infer.model, infer.version)

    def hear(self, infer: InferMessage) -> tuple[int, int]:
        """Take from a whole message what travels beside it: time-out and priority. Raises `InvalidRequest`."""
        infer.request.parameters.pop(oip_grpc.WANTS_FINAL, None)
        return self._inference.take(infer.request, map(len, infer.contents))

    def call(self, request_id: str, body: bytes, parked: Parked, timeout_us: int, priority: int) -> InferCall:
        """What is asked for it. Raises `InvalidRequest`."""
        sticky, trace, tenant = said_in_metadata(self.head.metadata)
        return InferCall(
            self.model, request_id, body, parked, self.version, sticky, trace,
            _shorter(self.head.timeout_us, timeout_us), priority, tenant,
        )  # fmt: skip

    def fail(self, cause: Exception) -> None:
        """Tell the caller."""
        self.failed(told(cause, self.model, self.version), self.echo)

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
