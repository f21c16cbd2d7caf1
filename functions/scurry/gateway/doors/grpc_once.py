"""A gRPC inference with an idempotency key, answered once.

The key is metadata, as the header `Idempotency-Key` is over HTTP, and means the same there: the first answer again, by
either door. It is one request's, so a stream, whose metadata is that of many, has none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from scurry.client.bodies import digest_of
from scurry.gateway.access import Access
from scurry.gateway.ask import InferCall, check_names, told
from scurry.gateway.doors import forms
from scurry.gateway.doors.callers import said_in_metadata
from scurry.gateway.doors.grpc_call import GrpcCall
from scurry.gateway.doors.grpc_inference import decoded_aside, shorter
from scurry.gateway.doors.grpc_tensors import Placing
from scurry.gateway.doors.wishes import NO_RESULTS
from scurry.gateway.results import Results
from scurry.protocols import oip_grpc
from scurry.protocols.grpc_words import GrpcHead
from scurry.protocols.oip_binary import BinaryCall, BinaryOutputs
from scurry.protocols.oip_grpc import InferMessage
from scurry.wire.errors import InvalidRequest

KEY: Final = "idempotency-key"
OF_ONE: Final = "the metadata of a stream is that of all its requests; send this one by ModelInfer."
TOLD_LATER: Final = f"Outputs as classes, or in shared memory, are for those without a key: leave {KEY} out for these."


class GrpcOnce:
    """Answers ModelInferRequests with a key."""

    def __init__(self, results: Results | None, placing: Placing, access: Access | None = None) -> None:
        self._results, self._placing, self._access = results, placing, access or Access()
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, call: GrpcCall, message: bytes) -> None:
        """Answer a call. Never raises."""
        task = asyncio.get_running_loop().create_task(self._answer(call, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, call: GrpcCall, message: bytes) -> None:
        infer: InferMessage | None = None
        try:
            if self._results is None:
                raise not_offered(NO_RESULTS)
            infer = await decoded_aside(*oip_grpc.split(message), call.room)
            parts = await self._ask(self._results, call, infer)
        except Exception as cause:
            call.refuse(told(cause, infer.model, infer.version) if infer is not None else told(cause))
        else:
            call.answer(parts)

    async def _ask(self, results: Results, call: GrpcCall, infer: InferMessage) -> Sequence[bytes]:
        check_names(infer.model, infer.version)
        caller = self._access.check(call.head.metadata, "infer", infer.model)
        with self._access.counted(caller):
            if await self._placing.take_in(infer, call.room):
                raise InvalidRequest("not_offered", TOLD_LATER)
            request_id = await results.id_for(_key_in(call.head), caller.name)
            asked = _call(results, call.head, infer, request_id)
            form = forms.open_inference(BinaryCall(infer.request, infer.id, BinaryOutputs()))
            asked = asked._replace(tenant=caller.tenant or asked.tenant)
            answer = await results.ask(asked, form, scope=caller.name)
        told_of, version = answer.model or infer.model, answer.version
        return oip_grpc.encode_reply(answer.reply, model=told_of, version=version, id=infer.id, placed={}, final=False)

    def __repr__(self) -> str:
        return f"<GrpcOnce {len(self._tasks)} calls>"


def not_offered(reason: str) -> InvalidRequest:
    """Why a key is not honoured here."""
    return InvalidRequest("not_offered", f"Metadata {KEY} is not offered here: {reason}")


def _key_in(head: GrpcHead) -> str:
    key = head.metadata[KEY].strip()
    if not key:
        raise InvalidRequest("bad_request", f"Metadata {KEY} is empty.")
    return key


def _call(results: Results, head: GrpcHead, infer: InferMessage, request_id: str) -> InferCall:
    """What is asked for it, the same bytes as over HTTP: a key is held to them. Raises `InvalidRequest`."""
    infer.request.parameters.pop(oip_grpc.WANTS_FINAL, None)
    timeout_us, priority = results.take(infer.request, map(len, infer.contents))
    contents = {one.name: content for one, content in zip(infer.request.inputs, infer.contents, strict=True)}
    keys, (sticky, trace, tenant) = results.keys, said_in_metadata(head.metadata)
    body, parked = infer.written(lambda name: keys.payload_in(request_id, name, digest_of(bytes(contents[name]))))
    return InferCall(
        infer.model, request_id, body, parked, infer.version, sticky, trace, shorter(head.timeout_us, timeout_us),
        priority, tenant,
    )  # fmt: skip
