"""What was answered: read from where it lies, an error raised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scurry.client.bodies import NO_RESULT, parse_reply, raise_error
from scurry.client.registry import RegistryCaller
from scurry.client.waiting import Fields
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered: `reply` holds every output's bytes, parked ones fetched."""

    model: str
    version: str
    reply: InferReply


class AnswerReader(RegistryCaller):
    """Reads answers, those that are kept as well."""

    async def result(self, id: str) -> Answer:  # noqa: A002
        """The kept answer to a request. Raises `result_not_found`, or the error it was answered with."""
        flat = await self.command("HGETALL", self.keys.result(id))
        return await self.read(dict(zip(flat[::2], flat[1::2], strict=True)) or NO_RESULT)

    async def read(self, fields: Fields, *, forget: bool = False) -> Answer:
        """The answer in the raw fields of a reply; `forget` deletes what of it is parked."""
        answer = at_hand(fields)
        if answer is not None:
            return answer
        reply = parse_reply(await self.body(fields, forget=forget))
        away = [tensor for tensor in reply.outputs if tensor.payload]
        if away:
            for tensor, data in zip(away, await self._fetch([t.payload for t in away], forget=forget), strict=True):
                tensor.data = data
        return _answer(fields, reply)

    async def body(self, fields: Fields, *, forget: bool = False) -> bytes:
        """The body of a raw reply, from where it is parked if it is; `forget` deletes it there."""
        parked = fields.get(b"payload", b"").decode()
        return (await self._fetch([parked], forget=forget))[0] if parked else fields.get(b"reply", b"")

    async def _fetch(self, keys: Sequence[str], *, forget: bool) -> list[bytes]:
        values: list[bytes | None] = await self.command("MGET", *keys, again=True)
        missing = next((key for key, value in zip(keys, values, strict=True) if value is None), None)
        if missing is not None:
            raise InvalidRequest("payload_missing", f"The reply's payload {missing} is not in Redis any more.")
        if forget:
            self.streams.forget(*keys)
        return [value for value in values if value is not None]


def at_hand(fields: Fields) -> Answer | None:
    """The answer in the raw fields of a reply, if nothing of it is parked. Raises `ScurryError`."""
    raise_error(fields)
    if fields.get(b"payload"):
        return None
    reply = parse_reply(fields.get(b"reply", b""))
    for tensor in reply.outputs:
        if tensor.payload:
            return None
    return _answer(fields, reply)


def _answer(fields: Fields, reply: InferReply) -> Answer:
    return Answer(fields.get(b"model", b"").decode(), fields.get(b"version", b"").decode(), reply)
