"""Ask a model, await its answer."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from scurry.client.bodies import NO_RESULT, Parked, park, parse_reply, raise_error
from scurry.client.streams import Streams
from scurry.client.waiting import Fields
from scurry.wire.errors import InvalidRequest, Unavailable
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import Update
from scurry.wire.names import Keys

if TYPE_CHECKING:
    import numpy.typing as npt

    from scurry.wire.tensors import Array

COMMAND_S = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered: `reply` holds every output's bytes, parked ones fetched."""

    model: str
    version: str
    reply: InferReply


class Client:
    """A caller of models, over Redis.

        async with Client("redis://127.0.0.1:6379/0") as client:
            outputs = await client.infer("digits", {"image": image})

    Every failure is a `ScurryError` with a code. A request sent again under its own `id` gets the first answer again.
    """

    def __init__(
        self,
        redis_url: str = "redis://127.0.0.1:6379/0",
        *,
        namespace: str = "scurry",
        name: str | None = None,
        separate_registry: bool = False,
    ) -> None:
        self._separate_registry = separate_registry
        self._token = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        self._url = redis_url
        self.keys = Keys(namespace)
        self.name = name or self._token
        self._open: Streams | None = None

    async def open(self) -> Self:
        """Connect; `async with` does it."""
        self._open = Streams(self._url, self.keys, self.name)
        await self._open.open()
        return self

    async def close(self) -> None:
        """Fail what is waiting and disconnect."""
        if self._open is not None:
            await self._open.close()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def streams(self) -> Streams:
        """The door to Redis."""
        if self._open is None:
            raise RuntimeError("The client is not open: use `async with Client(…)` or await client.open().")
        return self._open

    async def infer(
        self,
        model: str,
        inputs: Mapping[str, npt.ArrayLike],
        *,
        version: str = "",
        outputs: Sequence[str] = (),
        id: str = "",  # noqa: A002 - the protocol's own word
        timeout: float = 30.0,  # noqa: ASYNC109 - also the deadline that the job keeps
        key: str = "",
        keep: int | None = None,
    ) -> dict[str, Array]:
        """Ask with arrays, get arrays: one for each output, or for each of `outputs`."""
        from scurry.client import arrays  # noqa: PLC0415 - numpy only for those who use it

        request_id = id or self.new_id()
        request, parked = arrays.pack(inputs, outputs, lambda tensor: self.keys.payload_in(request_id, tensor))
        keep = self._keep(id, keep)
        future = self.submit(
            model, request.SerializeToString(), version=version, id=request_id, timeout=timeout, key=key, keep=keep,
            parked=parked,
        )  # fmt: skip
        answer = await self._answer(future, forget=keep == 0)
        return arrays.unpack(answer.reply)

    async def ask(
        self,
        model: str,
        request: InferRequest,
        *,
        version: str = "",
        id: str = "",  # noqa: A002
        timeout: float = 30.0,  # noqa: ASYNC109
        key: str = "",
        keep: int | None = None,
        traceparent: str = "",
    ) -> Answer:
        """Ask with a message, get a message. `request` is not changed."""
        request_id = id or self.new_id()
        light, parked = park(request, lambda tensor: self.keys.payload_in(request_id, tensor))
        keep = self._keep(id, keep)
        future = self.submit(
            model, light.SerializeToString(), version=version, id=request_id, timeout=timeout, key=key, keep=keep,
            traceparent=traceparent, parked=parked,
        )  # fmt: skip
        return await self._answer(future, forget=keep == 0)

    def submit(
        self,
        model: str,
        body: bytes,
        *,
        encoding: Literal["request", "inputs"] = "request",
        version: str = "",
        id: str = "",  # noqa: A002
        timeout: float = 30.0,
        key: str = "",
        keep: int | None = None,
        traceparent: str = "",
        parked: Parked | None = None,
    ) -> asyncio.Future[Fields]:
        """Send a body as it is; the future gets the raw fields of the reply, whether its status is ok or error."""
        deadline = int((time.time() + timeout) * 1000)
        fields: list[str | bytes] = ["model", model, encoding, body, "deadline", str(deadline)]
        keep = self._keep(id, keep)
        if keep is not None:
            fields += ("keep", str(keep))
        if version:
            fields += ("version", version)
        if key:
            fields += ("key", key)
        if traceparent:
            fields += ("traceparent", traceparent)
        return self.streams.send(self.streams.requests(model), fields, id or self.new_id(), timeout, parked or ())

    async def update(
        self,
        update: Update,
        *,
        timeout: float = 600.0,  # noqa: ASYNC109
        id: str = "",  # noqa: A002
    ) -> dict[str, Any]:
        """Change the registry; returns the model's record once the change is in force."""
        fields = ("kind", "registry", "model", update.model, "request", update.SerializeToString())
        stream = self._registry_stream(update.model)
        reply = await self.streams.send(stream, fields, id or self.new_id(), timeout)
        raise_error(reply)
        record: dict[str, Any] = json.loads(reply.get(b"record", b"{}"))
        return record

    async def announce(self, update: Update) -> str:
        """Send a change of the registry without waiting for what comes of it; returns its stream entry."""
        stream = self._registry_stream(update.model)
        fields = ("kind", "registry", "model", update.model, "request", update.SerializeToString())
        entry: bytes = await self.command("XADD", stream, "*", *fields)
        return entry.decode()

    def _registry_stream(self, model: str) -> str:
        return self.keys.registry_in if self._separate_registry else self.streams.requests(model)

    async def models(self) -> dict[str, dict[str, Any]]:
        """The registry's view: every model's record. It follows the registry by a moment."""
        flat = await self.command("HGETALL", self.keys.models)
        return {name.decode(): json.loads(record) for name, record in zip(flat[::2], flat[1::2], strict=True)}

    async def result(self, id: str) -> Answer:  # noqa: A002
        """The kept answer to a request. Raises `result_not_found`, or the error it was answered with."""
        flat = await self.command("HGETALL", self.keys.result(id))
        return await self._parse(dict(zip(flat[::2], flat[1::2], strict=True)) or NO_RESULT, forget=False)

    async def body(self, fields: Fields, *, forget: bool = False) -> bytes:
        """The body of a raw reply, from where it is parked if it is; `forget` deletes it there."""
        parked = fields.get(b"payload", b"").decode()
        return (await self._fetch([parked], forget=forget))[0] if parked else fields.get(b"reply", b"")

    async def ping(self) -> None:
        """Return when Redis answers. Raises `Unavailable`."""
        await self.command("PING")

    def new_id(self) -> str:
        """An id that no other request has."""
        return f"{self._token}-{next(self._numbers):x}"

    async def command(self, *words: str | bytes | int) -> Any:  # noqa: ANN401 - whatever Redis answers
        """Any other command to Redis. Raises `Unavailable` when there is no answer within seconds."""
        try:
            async with asyncio.timeout(COMMAND_S):
                return await self.streams.command(*words)
        except TimeoutError:
            raise Unavailable("unavailable", f"Redis at {self.streams.address} does not answer.") from None

    async def _answer(self, future: asyncio.Future[Fields], *, forget: bool) -> Answer:
        return await self._parse(await future, forget=forget)

    async def _parse(self, fields: Fields, *, forget: bool) -> Answer:
        raise_error(fields)
        reply = parse_reply(await self.body(fields, forget=forget))
        away = [tensor for tensor in reply.outputs if tensor.payload]
        if away:
            for tensor, data in zip(away, await self._fetch([t.payload for t in away], forget=forget), strict=True):
                tensor.data = data
        return Answer(fields.get(b"model", b"").decode(), fields.get(b"version", b"").decode(), reply)

    async def _fetch(self, keys: Sequence[str], *, forget: bool) -> list[bytes]:
        values: list[bytes | None] = await self.command("MGET", *keys)
        missing = next((key for key, value in zip(keys, values, strict=True) if value is None), None)
        if missing is not None:
            raise InvalidRequest("payload_missing", f"The reply's payload {missing} is not in Redis any more.")
        if forget:
            self.streams.forget(*keys)
        return [value for value in values if value is not None]

    @staticmethod
    def _keep(id: str, keep: int | None) -> int | None:  # noqa: A002
        """Nobody else knows an id that we made, so nobody will ask for its result."""
        return 0 if keep is None and not id else keep

    def __repr__(self) -> str:
        return f"<Client {self.name} {self._open!r}>"
