"""Ask a model, await its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from scurry.client.answers import Answer, AnswerReader
from scurry.client.bodies import KeyOf, Parked, digest_of, park
from scurry.client.signatures import Signatures
from scurry.client.waiting import Fields
from scurry.wire.infer_pb2 import InferRequest

if TYPE_CHECKING:
    import numpy.typing as npt

    from scurry.wire.tensors import Array


class Client(AnswerReader):
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
        super().__init__(redis_url, namespace=namespace, name=name, separate_registry=separate_registry)
        self._signatures = Signatures(self)

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
        parameters: Mapping[str, bool | int | float | str] | None = None,
        bulk: bool = False,
        priority: int = 0,
        tenant: str = "",
    ) -> dict[str, Array]:
        """Ask with arrays, get arrays: one for each output, or each of `outputs`. `bulk` waits for room."""
        from scurry.client import arrays  # noqa: PLC0415 - numpy only for those who use it

        request_id = id or self.new_id()
        known = await self._signatures.datatypes(model, version) if arrays.is_unsure(inputs) else {}
        request, parked = arrays.pack(inputs, outputs, self._key_of(request_id, id), known, parameters or {})
        keep = self._keep(id, keep)
        future = self.submit(
            model, request.SerializeToString(), version=version, id=request_id, timeout=timeout, key=key, keep=keep,
            parked=parked, bulk=bulk, priority=priority, tenant=tenant,
        )  # fmt: skip
        return arrays.unpack((await self.read(await future, forget=keep == 0)).reply)

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
        priority: int = 0,
        tenant: str = "",
    ) -> Answer:
        """Ask with a message, get a message. `request` is not changed."""
        request_id = id or self.new_id()
        light, parked = park(request, self._key_of(request_id, id))
        keep = self._keep(id, keep)
        future = self.submit(
            model, light.SerializeToString(), version=version, id=request_id, timeout=timeout, key=key, keep=keep,
            traceparent=traceparent, priority=priority, tenant=tenant, parked=parked,
        )  # fmt: skip
        return await self.read(await future, forget=keep == 0)

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
        priority: int = 0,
        tenant: str = "",
        parked: Parked | None = None,
        bulk: bool = False,
    ) -> asyncio.Future[Fields]:
        """Send a body as it is; the future gets the raw fields of the reply, whether its status is ok or error."""
        fields = ("model", model, encoding, body, *(("version", version) if version else ()))
        options = ["deadline", str(int((time.time() + timeout) * 1000))]
        keep = self._keep(id, keep)
        if keep is not None:
            options += ("keep", str(keep))
        for name, value in (("key", key), ("traceparent", traceparent), ("priority", priority), ("tenant", tenant)):
            options += (name, str(value)) if value else ()
        stream = self.keys.bulk if bulk else self.streams.requests(model)
        named, own = id or self.new_id(), keep == 0
        return self.streams.send(stream, fields, named, timeout, parked or (), options=options, own=own)

    def _key_of(self, request_id: str, given: str) -> KeyOf:
        """Under an id that was given, other bytes lie under another key: they are another body, and leave the first."""
        return lambda name, data: self.keys.payload_in(request_id, name, digest_of(data) if given else "")

    @staticmethod
    def _keep(id: str, keep: int | None) -> int | None:  # noqa: A002
        """Nobody else knows an id that we made, so nobody will ask for its result."""
        return 0 if keep is None and not id else keep
