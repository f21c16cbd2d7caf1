"""What was answered: read from where it lies, an error raised."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scurry.client.bodies import NO_RESULT, parse_reply, raise_error
from scurry.client.registry import RegistryCaller
from scurry.client.waiting import Fields
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.infer_pb2 import InferReply

if TYPE_CHECKING:
    from scurry.client.options import Outputs

FIRST_LOOK_S: Final = 0.02
LOOK_S: Final = 0.5
"""A result that is waited for is looked for again after this time at most."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered: `reply` holds every output's bytes, parked ones fetched."""

    model: str
    version: str
    reply: InferReply

    @property
    def outputs(self) -> Outputs:
        """The outputs as arrays under their names."""
        from scurry.client.arrays import unpack  # noqa: PLC0415 - numpy only for those who use it

        return unpack(self.reply)


class AnswerReader(RegistryCaller):
    """Reads answers, those that are kept as well."""

    async def result(self, id: str, *, wait: float = 0.0) -> Answer:  # noqa: A002
        """The kept answer to a request, waited for so many seconds.

        Raises `result_not_found`, also while it is under way, or the error it was answered with.
        """
        end, look = time.monotonic() + wait, FIRST_LOOK_S
        while not (fields := await self._kept(id)) and time.monotonic() < end:
            await asyncio.sleep(min(look, max(end - time.monotonic(), 0)))
            look = min(2 * look, LOOK_S)
        return await self.read(fields or NO_RESULT)

    async def forget(self, id: str) -> None:  # noqa: A002
        """Delete the kept answer to a request, if there is one. Its id stays used."""
        fields = await self._kept(id)
        keys = [fields[b"payload"].decode()] if fields.get(b"payload") else []
        with contextlib.suppress(Failed):
            keys += [tensor.payload for tensor in parse_reply(fields.get(b"reply", b"")).outputs if tensor.payload]
        await self.command("UNLINK", self.keys.result(id), *keys)

    async def _kept(self, request_id: str) -> Fields:
        flat = await self.command("HGETALL", self.keys.result(request_id))
        return dict(zip(flat[::2], flat[1::2], strict=True))

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
