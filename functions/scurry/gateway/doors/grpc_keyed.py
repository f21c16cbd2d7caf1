"""ModelInfer with a key: the same asked again gets the first answer.

It takes a task and looks nothing up that was prepared, as the HTTP door's (`deferred.py`), and asks with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from scurry.gateway.access import Access, Caller
from scurry.gateway.ask import InferCall, check_names, told
from scurry.gateway.doors import forms, repeatable
from scurry.gateway.doors.background import AT_ONCE
from scurry.gateway.doors.callers import said_in_metadata
from scurry.gateway.doors.grpc_call import GrpcCall
from scurry.gateway.doors.grpc_inference import decoded_aside, shorter
from scurry.gateway.doors.grpc_tensors import Placing
from scurry.gateway.doors.repeatable import Beside
from scurry.gateway.doors.wishes import key_of
from scurry.gateway.results import Results
from scurry.protocols import oip_grpc
from scurry.protocols.oip_grpc import InferMessage
from scurry.wire.errors import InvalidRequest

TOLD_OTHERWISE: Final = (
    "Outputs as classes, or in shared memory, are for those who ask without a key: leave idempotency-key out for these."
)


class KeyedInference:
    """Answers calls that have a key, or say why not."""

    def __init__(self, results: Results, placing: Placing, access: Access | None = None) -> None:
        self._results, self._placing, self._access = results, placing, access or Access()
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, call: GrpcCall, message: bytes) -> None:
        """Answer a call. Never raises."""
        task = asyncio.get_running_loop().create_task(self._answer(call, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, call: GrpcCall, message: bytes) -> None:
        infer = None
        try:
            key = key_of(call.head.metadata)
            rest, raw = oip_grpc.split(message)
            much = len(rest) > AT_ONCE
            infer = await decoded_aside(rest, raw, call.room) if much else oip_grpc.decoded(rest, raw)
            call.model = infer.model
            check_names(infer.model, infer.version)
            caller = self._access.check(call.head.metadata, "infer", infer.model)
            with self._access.counted(caller):
                response = await self._ask(call, infer, key, caller)
        except Exception as cause:
            call.refuse(told(cause, infer.model, infer.version) if infer is not None else told(cause))
        else:
            call.answer(response)

    async def _ask(self, call: GrpcCall, infer: InferMessage, key: str, caller: Caller) -> Sequence[bytes]:
        """The response to what a caller may ask. Raises `ScurryError`."""
        if await self._placing.take_in(infer, call.room):
            raise InvalidRequest("not_offered", TOLD_OTHERWISE)
        made = await self._call(call, infer, key, caller)
        call.request = made.id
        form = {"protocol": forms.OPEN_INFERENCE, "id": infer.id, "every": True}
        answer = await self._results.ask(made, form, scope=caller.name)
        model = answer.model or infer.model
        return oip_grpc.encode_reply(answer.reply, model=model, version=answer.version, id=infer.id)

    async def _call(self, call: GrpcCall, infer: InferMessage, key: str, caller: Caller) -> InferCall:
        sticky, trace, tenant = said_in_metadata(call.head.metadata)
        infer.request.parameters.pop(oip_grpc.WANTS_FINAL, None)
        timeout_us, priority = self._results.take(infer.request, map(len, infer.contents))
        timeout_us = shorter(call.head.timeout_us, timeout_us)
        beside = Beside(sticky, trace, caller.tenant or tenant, timeout_us, priority)
        whole = infer.whole()
        return await repeatable.call_of(
            self._results, infer.model, infer.version, whole, beside, key=key, scope=caller.name
        )

    def __repr__(self) -> str:
        return f"<KeyedInference {len(self._tasks)} calls>"
