"""Calls that have to be waited for: large, raw, in shared memory."""

from __future__ import annotations

from functools import partial

from scurry.client.answers import Answer
from scurry.gateway.describe import READY, version_of
from scurry.gateway.doors.background import AT_ONCE, Background
from scurry.gateway.doors.callers import Headers
from scurry.gateway.doors.paths import Operation
from scurry.gateway.limits import COPIES, Room
from scurry.gateway.models import Models
from scurry.gateway.outputs import put_down, tell_classes
from scurry.gateway.shared_memory import SharedMemory, refuse_pages
from scurry.protocols import oip_binary
from scurry.protocols.oip_binary import SHARED, BinaryCall, BinaryOutputs
from scurry.protocols.oip_extensions import Place, raw_request
from scurry.wire.errors import error


def is_uncommon(body: bytes, header: str | None, length: int) -> bool:
    """Whether the first `length` bytes of a body, its JSON, do not tell all of the call."""
    return (header is not None and length == 0) or body.find(SHARED, 0, length) >= 0


class UncommonCalls:
    """Decodes such calls, and makes of their answers what was wanted."""

    def __init__(self, models: Models, memory: SharedMemory, background: Background) -> None:
        self._models, self._memory, self._background = models, memory, background

    async def decode(self, operation: Operation, headers: Headers, body: bytes, room: Room) -> BinaryCall:
        """What a body asks for; large JSON and large tensors are read off the loop. Raises `ScurryError`."""
        header = headers.get(oip_binary.HEADER)
        length = oip_binary.json_length(body, header)
        if header is not None and length == 0:
            return await self._raw(operation, body)
        if body.find(SHARED, 0, length) < 0:
            return await self._background.parse(body, length, room, partial(oip_binary.decode_call, body, header))
        refuse_pages(headers)
        size = await self._background.parse(body, length, room, partial(oip_binary.shared_bytes, body, header))
        room.take(size * COPIES)
        decode = partial(oip_binary.decode_call, body, header, self._read)
        if length > AT_ONCE:
            return await self._background.parse(body, length, room, decode)
        return await self._background.write(size, decode)

    async def finish(self, answer: Answer, binary: BinaryOutputs) -> None:
        """Tell outputs of an answer by their classes, put others into shared memory. Raises `ScurryError`."""
        size = answer.reply.ByteSize() if binary.classes or binary.places else 0
        if binary.classes:
            record = await self._models.record(answer.model)
            tell = partial(tell_classes, answer.reply, binary.classes, record, answer.model, answer.version)
            await self._background.write(size, tell)
        if binary.places:
            await self._background.write(size, partial(put_down, answer.reply, binary.places, self._memory))

    async def _raw(self, operation: Operation, body: bytes) -> BinaryCall:
        """A body without JSON is the model's only input; its answer is binary as well."""
        version = version_of(await self._models.record(operation.model), operation.model, operation.version)
        signature = version.get("signature") or {}
        if not signature.get("inputs") and version["state"] != READY:
            raise error("model_not_ready", f"Version {version['version']!r} is not ready: what it takes is not known.")
        request = raw_request(body, signature.get("inputs") or [], batched=bool(signature.get("batched")))
        return BinaryCall(request, "", BinaryOutputs(every=True))

    def _read(self, place: Place) -> memoryview:
        return self._memory.read(place.region, place.offset, place.byte_size)

    def __repr__(self) -> str:
        return f"<UncommonCalls with {self._memory!r}>"
