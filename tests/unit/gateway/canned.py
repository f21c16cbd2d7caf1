"""A client whose answers the test gives, as the gateway asks it."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from scurry.client.answers import Answer
from scurry.client.waiting import Fields
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.names import Keys


class CannedClient:
    """Turns `submit` into `ask`, which a test writes: an Answer, or an exception."""

    def __init__(self) -> None:
        self.keys = Keys()
        self.parked: dict[str, bytes] = {}
        self._numbers = itertools.count()
        self._tasks: set[asyncio.Task[Fields]] = set()

    async def ask(self, model: str, request: InferRequest, **options: Any) -> Answer:
        raise NotImplementedError

    def new_id(self) -> str:
        return f"id-{next(self._numbers)}"

    def submit(self, model: str, body: bytes, **options: Any) -> asyncio.Future[Fields]:
        self.parked |= {key: bytes(data) for key, data in options.pop("parked", None) or ()}
        task = asyncio.get_running_loop().create_task(self._fields(model, body, options))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _fields(self, model: str, body: bytes, options: dict[str, Any]) -> Fields:
        assert (options.pop("keep"), options.pop("id")[:3]) == (0, "id-")
        answer = await self.ask(model, InferRequest.FromString(body), **options)
        told = {b"model": answer.model.encode(), b"version": answer.version.encode()}
        return told | {b"status": b"ok", b"reply": answer.reply.SerializeToString()}

    async def read(self, fields: Fields, *, forget: bool = False) -> Answer:
        """Outputs that are parked are the inputs that were."""
        assert forget
        reply = InferReply.FromString(fields[b"reply"])
        for tensor in reply.outputs:
            if tensor.payload:
                tensor.data = self.parked.pop(tensor.payload)
        return Answer(fields[b"model"].decode(), fields[b"version"].decode(), reply)
